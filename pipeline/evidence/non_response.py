"""Says what the scores would be if the silent were counted in, and if they were less content."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pipeline.disclosure.crowd import Key, Shown
from pipeline.disclosure.rounding import in_steps
from pipeline.estimate import declared
from pipeline.evidence.finding import NOTHING, Finding, Findings, attempt, crowd_of, whole
from pipeline.evidence.kinds import ANCHORS
from pipeline.evidence.round_facts import RoundFacts
from pipeline.measure import LEAST_SPREAD, NOT_STATED
from pipeline.weighting import average, propensity, response_weights

SHIFT = 0.5  # standard deviations lower
OTHERS = "others"
LEAST_IN_A_LEVEL = 10  # who answered; nobody's answer gets a weight of its own
Numbers = tuple[float, float, float]


def non_response(facts: RoundFacts, attributes: Iterable[str], shown: Shown) -> Findings:
    """Of every anchor score: the weighted mean, and the mean if the silent were half a deviation lower."""
    numbers = []
    for metric, construct in ANCHORS.items():
        for side in sorted(facts.asked.get(construct, set())):
            invited = _people(facts, construct, side)
            groups = _groups(invited, metric, side, tuple(attributes), shown)
            weighted, tipping = attempt(_averaged, groups, otherwise=(NOTHING, NOTHING))
            crowd, rests_on = crowd_of(invited[invited["value"].notna()].assign(side=side)), (whole(metric, side),)
            numbers += [
                Finding(
                    metric=f"{name}_{metric}",
                    side=side,
                    numbers=found,
                    unit="points",
                    crowd=crowd,
                    rests_on=rests_on,
                    scale=(0.0, 100.0),
                )
                for name, found in (("weighted", weighted), ("tipping", tipping))
            ]
    return Findings(numbers=tuple(numbers))


def _people(facts: RoundFacts, construct: str, side: str) -> pd.DataFrame:
    """One row a person asked in this round: attributes, whether they always answered before, `value` if they did."""
    invited = facts.now(facts.invited)
    people = invited[invited["side"] == side].drop_duplicates("person_id").set_index("person_id")
    scored = facts.scored[(facts.scored["construct"] == construct) & (facts.scored["side"] == side)]
    before = facts.invited[(facts.invited["round_id"] != facts.round_id) & (facts.invited["side"] == side)]
    answered = before.groupby("person_id")["has_answered"].mean().reindex(people.index)
    history = np.select([answered.isna(), answered >= 1], ["new", "always"], "not always")
    value = scored.groupby("person_id")["score"].mean().reindex(people.index)
    return people.assign(history=history, value=value).reset_index()


def _groups(invited: pd.DataFrame, metric: str, side: str, attributes: tuple[str, ...], shown: Shown) -> pd.DataFrame:
    """The covariates of answering: only groups whose score is shown, or who are many; the rest are others.

    A weight is one more equation over the answers. Weights that are equal within the groups that a release
    shows anyway lead a reader to nobody in them.
    """
    kept = {}
    invited = invited.replace({name: {"": NOT_STATED} for name in attributes})
    for name in attributes:
        levels = {
            level
            for level in invited[name].unique()
            if shown.get(Key(metric=metric, view=name, group=level, side=side))
        }
        kept[name] = invited[name].where(invited[name].isin(levels), OTHERS)
    answered = invited["value"].notna()
    grouped = invited.assign(**kept)
    names = [name for name in (*attributes, "history") if _has_many(grouped.loc[answered, name], grouped[name])]
    return grouped[["person_id", "mentor_id", "value", *names]]


def _has_many(answered: pd.Series, asked: pd.Series) -> bool:
    """Whether enough answered in every level that was asked."""
    counts = answered.value_counts().reindex(asked.unique(), fill_value=0)
    return len(counts) > 1 and int(counts.min()) >= LEAST_IN_A_LEVEL


def _averaged(people: pd.DataFrame) -> tuple[Numbers, Numbers]:
    names = [name for name in people.columns if name not in ("person_id", "mentor_id", "value")]
    has_answered = people["value"].notna()
    known = people.assign(responded=has_answered, weight=1.0)
    if names and not has_answered.all():
        chance = propensity(known, responded="responded", covariates=names)
        known.loc[has_answered, "weight"] = response_weights(chance[has_answered])
    found = average(known, value="value", weight="weight", mentor="mentor_id")
    n = float(max(in_steps(found.n), 1))
    least_half = 1.96 * declared(0.0, np.array([n]), LEAST_SPREAD).se
    half = max(found.programmes_like_this.high - found.weighted, least_half)
    silent = 1 - found.n / found.n_invited
    lower = max(found.weighted - found.tipping[SHIFT], silent * SHIFT * LEAST_SPREAD)
    return _around(found.weighted, half), _around(found.weighted - lower, half)


def _around(value: float, half: float) -> Numbers:
    return value, value - half, value + half
