"""Says how much each side rises or falls a round, and whether the two sides' good days fall together."""

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.disclosure.rounding import in_steps
from pipeline.disclosure.thresholds import Thresholds
from pipeline.dyads import Growth, growth
from pipeline.evidence.finding import (
    CONSTRUCT,
    NOTHING,
    Finding,
    Findings,
    attempt,
    crowd_of,
    least,
    metric_of,
    score_keys,
)
from pipeline.evidence.round_facts import RoundFacts
from pipeline.measure import LEAST_SPREAD

SIDES = ("mentor", "mentee")
LEAST_ROUNDS = 3
FINE = 0.5  # a slope is told to a tenth of a point a round: over six rounds it adds up
Numbers = tuple[float, float, float]


def growth_over_rounds(facts: RoundFacts, thresholds: Thresholds, so_far: pd.DataFrame | None) -> Findings:
    """Of every score that is on every form of this round. `so_far`: the scores of every round; None before three."""
    if so_far is None:
        return Findings()
    named = [name for name in facts.constructs if metric_of(name, facts.metrics) is not None]
    on_all = [name for name in named if all(facts.is_on_every_form(name, side) for side in SIDES)]
    by_name = {name: so_far[so_far["construct"] == name] for name in on_all}
    numbers = [each for name in on_all for each in _of_construct(facts, name, by_name[name], thresholds)]
    return Findings(numbers=tuple(numbers))


def _of_construct(facts: RoundFacts, construct: str, scores: pd.DataFrame, thresholds: Thresholds) -> list[Finding]:
    rounds = _rounds(scores, least(thresholds))
    inside = scores[scores["round_number"].isin(rounds)]
    is_long = len(rounds) >= LEAST_ROUNDS
    fitted = attempt(_fitted, inside, otherwise=None) if is_long else None
    known = inside if is_long else inside.head(0)
    found = {side: (_slope(fitted, known, side), known[known["side"] == side]) for side in SIDES}
    correlated = (fitted.correlation, fitted.correlation_low, fitted.correlation_high) if fitted else NOTHING
    return [
        Finding(
            metric="growth_together" if side == "both" else "growth_slope",
            side=side,
            numbers=numbers,
            unit="coefficient" if side == "both" else "points",
            view=CONSTRUCT,
            group=construct,
            crowd=crowd_of(rows),
            rests_on=score_keys(construct, SIDES, facts.metrics),
            scale=(-1.0, 1.0) if side == "both" else (-100.0, 100.0),
            supports=FINE,
        )
        for side, (numbers, rows) in {**found, "both": (correlated, _met_on_one_occasion(known))}.items()
    ]


def _rounds(scores: pd.DataFrame, enough: int) -> list[int]:
    """The rounds in which enough people of both sides have a score."""
    people = scores.groupby(["round_number", "side"])["person_id"].nunique().unstack(fill_value=0)
    people = people.reindex(columns=list(SIDES), fill_value=0)
    return [int(number) for number in people.index[(people >= enough).all(axis=1)]]


def _fitted(scores: pd.DataFrame) -> Growth | None:
    found = growth(scores, outcome="score", time="round_number", pairing="pairing_id", side="side", mentor="mentor_id")
    return found if found.has_converged else None


def _slope(fitted: Growth | None, scores: pd.DataFrame, side: str) -> Numbers:
    """Points a round; no interval says that people rise more alike than a spread of five points a score."""
    if fitted is None:
        return NOTHING
    row = fitted.table.loc[(side, "slope")]
    own = scores[scores["side"] == side]
    times = own["round_number"].to_numpy(dtype=float)
    n = in_steps(own["person_id"].nunique()) * len(own) / max(own["person_id"].nunique(), 1)
    se = max(float(row["se"]), LEAST_SPREAD / float(np.sqrt(max(n, 1) * times.var())))
    half = float(stats.t.ppf(0.975, row["df"])) * se
    return float(row["estimate"]), float(row["estimate"]) - half, float(row["estimate"]) + half


def _met_on_one_occasion(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of pairings whose two sides answered the same round."""
    sides = scores.groupby(["pairing_id", "round_number"])["side"].transform("nunique")
    return scores[sides == len(SIDES)]
