"""Yields every interval that a release of a made-up programme would make, beside the truth it should hold.

Groups' means are the pooled ones (`pooling.shrink`), as if all were shown. What a release tells without an
interval (reliability of a level and of a change, the smallest gap) has nothing to hold.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import RapportError
from pipeline.disclosure import gate
from pipeline.disclosure.coarsen import coarsened
from pipeline.disclosure.crowd import Key
from pipeline.disclosure.rounding import in_steps_of_error
from pipeline.disclosure.thresholds import Thresholds
from pipeline.dyads import Growth, growth, perception_gap
from pipeline.evidence.finding import CONSTRUCT as BY_CONSTRUCT
from pipeline.evidence.goals_reached import goals_reached
from pipeline.evidence.non_response import SHIFT, non_response
from pipeline.evidence.quality import FORM, LEAST_ANSWERS, quality
from pipeline.evidence.round_facts import RoundFacts
from pipeline.evidence.two_sides import PER_POINTS, two_sides
from pipeline.measure import Measurement, measure
from pipeline.metric import Facts, catalogue
from pipeline.pooling import pool
from pipeline.score import score
from surveys.questionnaire import SIDES, ours
from tests.calibration import truths
from tests.calibration.programmes import ANSWER_SD, CONSTRUCT, GROUPS, OUTCOME, PULSE, Made

LEAST_PAIRINGS = 5
FIRST_DAY = date(2026, 1, 5)
ASKED = {CONSTRUCT: set(SIDES), OUTCOME: set(SIDES)}
METRICS = {CONSTRUCT: catalogue()[CONSTRUCT]}
THRESHOLDS = Thresholds(attributes=("department",))


class Interval(NamedTuple):
    """`kind` as the Method page calls it."""

    kind: str
    low: float
    truth: float
    high: float


def intervals(made: Made) -> Iterator[Interval]:
    """Of the last round, shown or not; growth over all rounds."""
    scored = scored_in(made, made.plan.n_rounds, [CONSTRUCT, OUTCOME])
    now = made.invited[made.invited["round_number"] == made.plan.n_rounds].reset_index(drop=True)
    measurement = measure(Facts(invited=now, scored=scored), METRICS, attributes=["department"], asked=ASKED)
    yield from _means(made, measurement)
    yield from _evidence(made, scored, measurement)
    yield from _gap(made, scored[scored["construct"] == CONSTRUCT])
    yield from _growth(made, scored[scored["construct"] == CONSTRUCT])


def scored_in(made: Made, number: int, names: list[str]) -> pd.DataFrame:
    """What the release of this round scores, from the answers up to it."""
    so_far = made.rated[made.rated["round_number"] <= number]
    return score(so_far, ours(), round_id=f"R{number}", names=names)


def _means(made: Made, measurement: Measurement) -> Iterator[Interval]:
    """Programme means, and groups' means shrunk as if all were shown; in steps, as they are told."""
    measured = measurement.measured
    pooled = pool(coarsened(measured, measurement.told), np.ones(len(measured), dtype=bool).tolist())
    for row in pooled[pooled["value"].notna()].itertuples():
        sides = SIDES if row.side == "both" else (row.side,)
        if row.view == gate.PROGRAMME:
            kind, truth = "programme mean", float(np.mean([made.truth.mean(side) for side in sides]))
        else:
            of_group = [made.truth.group[side][GROUPS.index(row.group)] + made.truth.level[side] for side in sides]
            kind, truth = "group mean", float(np.mean(of_group))
        yield Interval(kind, row.low, truth, row.high)


def _evidence(made: Made, scored: pd.DataFrame, measurement: Measurement) -> Iterator[Interval]:
    facts = facts_of(made, scored)
    respondents = made.goal_ratings.groupby("side")["person_id"].nunique().to_dict()
    rows = measurement.measured
    keys = [Key(metric=row.metric, view=row.view, group=row.group, side=row.side) for row in rows.itertuples()]
    errors = dict(zip(keys, rows["se"], strict=True))
    decision = gate.decide(measurement.crowds, METRICS, THRESHOLDS, respondents, told=measurement.told, errors=errors)
    shown = decision.shown
    evidence = (
        quality(facts, THRESHOLDS, {}, shown),
        two_sides(facts, THRESHOLDS),
        goals_reached(facts, THRESHOLDS),
        non_response(facts, THRESHOLDS.attributes, shown),
    )
    for found in (each for findings in evidence for each in findings.numbers):
        about = found.group if found.view == BY_CONSTRUCT else CONSTRUCT
        named = _truth(made, found.metric, found.side) if about == CONSTRUCT else None
        if named is not None and np.isfinite(found.numbers).all():
            kind, truth = named
            _, low, high = in_steps_of_error(*found.numbers) if found.unit == "points" else found.numbers
            yield Interval(kind, low, truth, high)


def facts_of(made: Made, scored: pd.DataFrame) -> RoundFacts:
    """What the evidence of the last round is made from."""
    days = {f"R{number}": FIRST_DAY + timedelta(days=30 * number) for number in range(1, made.plan.n_rounds + 1)}
    return RoundFacts(
        round_id=f"R{made.plan.n_rounds}",
        pulse=PULSE,
        answers=made.rated.head(0),
        rated=made.rated,
        scored=scored,
        invited=made.invited,
        goal_ratings=made.goal_ratings,
        goals=made.goal_ratings[["goal_id", "pairing_id"]].drop_duplicates(),
        pairings=made.invited[["pairing_id"]].drop_duplicates(),
        closed_days=days,
        questionnaires=dict.fromkeys(days, ours()),
        asked=ASKED,
        metrics=catalogue(),
        seed="calibration",
    )


def _truth(made: Made, metric: str, side: str) -> tuple[str, float] | None:
    """The kind of a number of the evidence and its truth; None where it has no interval."""
    if metric == "alpha":
        return "consistency", truths.alpha(made.truth, side, _n_items(made.rated, side))
    if metric == "weighted_trust":
        return "weighted mean", made.truth.mean(side)
    if metric == "tipping_trust":
        return "tipping point", truths.tipping(made, side, SHIFT)
    if metric == "goal_attainment":
        return "goal attainment", truths.goal_attainment(side)
    simple = {
        "actor_effect": ("actor effect", made.plan.actor * PER_POINTS),
        "partner_effect": ("partner effect", made.plan.partner * PER_POINTS),
        "goals_met": ("share of goals", truths.goals_met()),
        "goal_agreement": ("goal agreement", truths.goal_agreement()),
    }
    return simple.get(metric)


def _n_items(rated: pd.DataFrame, side: str) -> int:
    """How many items enough people answered on a form with several."""
    said = rated[(rated["construct"] == CONSTRUCT) & (rated["side"] == side)]
    several = said[said.groupby(FORM)["points"].transform("size") > 1]
    return int((several["question_id"].value_counts() >= LEAST_ANSWERS).sum())


def _gap(made: Made, scored: pd.DataFrame) -> Iterator[Interval]:
    """The gap's interval, rank agreement and the share beyond the noise of two answers."""
    paired = scored.pivot(index="pairing_id", columns="side", values="score").dropna()
    if len(paired) < LEAST_PAIRINGS:
        return
    columns = {"score": "score", "pairing": "pairing_id", "side": "side", "mentor": "mentor_id"}
    found = perception_gap(scored, **columns, sem=(ANSWER_SD, ANSWER_SD))
    agreement, beyond = truths.two_sides(made.truth, float(found.noise or np.nan))
    _, low, high = in_steps_of_error(found.mean, found.low, found.high)
    yield Interval("perception gap", low, made.truth.gap, high)
    yield Interval("gap agreement", found.agreement_low, agreement, found.agreement_high)
    if found.beyond_low is not None and found.beyond_high is not None:
        yield Interval("gaps beyond noise", found.beyond_low, beyond, found.beyond_high)


def _growth(made: Made, now: pd.DataFrame) -> Iterator[Interval]:
    """Points a round of each side, and whether the two sides' good days fall together, which they do not."""
    found = grown(scores_so_far(made, now))
    if found is not None:
        for side in SIDES:
            row = found.table.loc[(side, "slope")]
            _, low, high = in_steps_of_error(*row[["estimate", "low", "high"]])
            yield Interval("growth a round", low, made.plan.trend, high)
        yield Interval("good days together", found.correlation_low, 0.0, found.correlation_high)


def scores_so_far(made: Made, now: pd.DataFrame) -> pd.DataFrame:
    """Trust as every round's release scored it, `now` the last one's."""
    earlier = [scored_in(made, number, [CONSTRUCT]) for number in range(1, made.plan.n_rounds)]
    return pd.concat([*earlier, now])


def grown(scores: pd.DataFrame) -> Growth | None:
    """Growth over the rounds; None where no growth model fits."""
    columns = {"outcome": "score", "time": "round_number", "pairing": "pairing_id", "side": "side"}
    try:
        found = growth(scores, **columns, mentor="mentor_id")
    except RapportError:
        return None
    return found if found.has_converged else None
