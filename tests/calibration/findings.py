"""Counts how often a release would find something: where nothing is there, and where something was planted."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.change import predictive_deviation
from pipeline.dyads import perception_gap
from pipeline.evidence.two_sides import two_sides
from surveys.questionnaire import SIDES
from tests.calibration.coverage import THRESHOLDS, facts_of, grown, scored_in, scores_so_far
from tests.calibration.programmes import CONSTRUCT, FALLEN, OUTCOME, Made, Plan, make

ROUNDS = 6
LEVEL = 0.05
NOTHING = Plan(n_pairings=60, n_rounds=ROUNDS, gap=0.0, trend=0.0, group_sd=0.0, actor=0.0, partner=0.0)
PLANTED = replace(NOTHING, gap=6.0, trend=1.0, actor=0.4, partner=0.3, fall=40.0)
# What was planted, in the words of the Method page; a change is looked for in each mentee who fell.
SIZE_OF = {"trend": 1.0, "gap": 6.0, "actor": 4.0, "partner": 3.0, "change": -40.0}


def flags(made: Made) -> Iterator[tuple[str, bool]]:
    """What a reader would take for a finding, one entry a look."""
    scored = scored_in(made, made.plan.n_rounds, [CONSTRUCT, OUTCOME])
    now = scored[scored["construct"] == CONSTRUCT]
    scores = scores_so_far(made, now)
    growth = grown(scores)
    for side in SIDES if growth is not None else ():
        yield "trend", _leaves_out(*growth.table.loc[(side, "slope"), ["low", "high"]])
    gap = perception_gap(now, score="score", pairing="pairing_id", side="side", mentor="mentor_id")
    shift = made.truth.gap - made.plan.gap  # the two sides' items differ in how easy they are
    yield "gap", _leaves_out(gap.low - shift, gap.high - shift)
    for found in two_sides(facts_of(made, scored), THRESHOLDS).numbers:
        if found.metric in ("actor_effect", "partner_effect") and np.isfinite(found.numbers).all():
            yield found.metric.removesuffix("_effect"), _leaves_out(*found.numbers[1:])
    yield from _changes(made, scores)


def _changes(made: Made, scores: pd.DataFrame) -> Iterator[tuple[str, bool]]:
    """Where nobody changed, whether anyone of a side is flagged; else whether each of those who fell is.

    Looked at by pairing: a mentor's mean over several pairings is steadier than that of others, which the method
    would take for a change of the others.
    """
    for side in SIDES if made.plan.fall == 0 else ("mentee",):
        of_side = scores[scores["side"] == side]
        found = predictive_deviation(of_side, person="pairing_id", round="round_number", score="score")
        is_flagged = found["q"] <= LEVEL
        if made.plan.fall == 0:
            yield "change", bool(is_flagged.any())
        else:
            is_fallen = is_flagged.index.str.removeprefix("P").astype(int) % FALLEN == 0
            yield from (("change", bool(each)) for each in is_flagged[is_fallen])


def _leaves_out(low: float, high: float) -> bool:
    return not low <= 0 <= high


def item_made_changes(n_programmes: int, seed: int, *, trend: float, size: int = 60) -> pd.DataFrame:
    """How much of the mentees' change over three rounds comes from which items were asked, one row a programme.

    `shown`: what two releases would show, less the change that the same answers show with equally easy items;
    `naive`: the same for the mean of whichever items were asked. Both are points.
    """
    rows = []
    for number in range(n_programmes):
        rng = np.random.default_rng([seed, number])
        plan = Plan(n_pairings=size, n_rounds=3, trend=trend, group_sd=0.0)
        made = make(plan, rng)
        shown, naive, true = (_last_less_first(made, how) for how in ("shown", "naive", "true"))
        rows.append((shown - true, naive - true, shown))
    return pd.DataFrame(rows, columns=["shown", "naive", "change"])


def _last_less_first(made: Made, how: str) -> float:
    means = []
    for number in (1, made.plan.n_rounds):
        if how == "shown":
            scored = scored_in(made, number, [CONSTRUCT])
            means.append(scored.loc[scored["side"] == "mentee", "score"].mean())
        else:
            rated = made.rated[(made.rated["round_number"] == number) & (made.rated["construct"] == CONSTRUCT)]
            said = rated[rated["side"] == "mentee"]
            points = said["points"] - (said["question_id"].map(made.easy) if how == "true" else 0.0)
            means.append(points.groupby(said["pairing_id"]).mean().mean())
    return float(means[1] - means[0])
