"""Writes down what numbers other than scores say of the same answers: gaps of a construct, and weighted means."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.attack.backwards import before_rounding
from pipeline.attack.reader import GAP, KEY, NOT_STATED, Round, Told, hidden_scores, key_of
from pipeline.disclosure.rounding import step_of
from pipeline.evidence.kinds import ANCHORS
from pipeline.weighting import propensity, response_weights

SIDES = ("mentor", "mentee")
WEIGHTED = "weighted_"
OTHERS = "others"
SCORES, GAPS = (0.0, 100.0), (-100.0, 100.0)
LEAST_IN_A_LEVEL = 10  # who answered, before a level has a weight of its own
Row = Mapping[Any, Any]


def further(seen: Round, before: pd.DataFrame, attributes: Sequence[str]) -> Told:
    """Gaps by construct, and weighted means. `before` (contract Invited): those asked in earlier rounds."""
    rows = seen.published[seen.published["shown"]]
    is_gap = (rows["metric"] == GAP) & (rows["view"] == "construct")
    gaps = [(row, _gap(seen, row["group"])) for row in rows[is_gap].to_dict("records")]
    is_weighted = rows["metric"].str.startswith(WEIGHTED)
    means = [(row, _weighted(seen, row, before, attributes)) for row in rows[is_weighted].to_dict("records")]
    found = [*gaps, *means]
    terms = [each.assign(number=k) for k, (_, each) in enumerate(found)]
    numbers = [_number(row, seen.number, _step_of_score(seen, row)) for row, _ in found]
    return Told(
        hidden=hidden_scores(seen),
        terms=pd.concat(terms or [pd.DataFrame(columns=["number", "key", "weight"])], ignore_index=True),
        numbers=pd.DataFrame(numbers, columns=[*KEY, "name", "mean", "low", "high", "n"]),
    )


def _step_of_score(seen: Round, row: Row) -> float:
    """A weighted mean is the told score plus a difference in the score's step: each is off by half a step at most."""
    metric = str(row["metric"])
    if not metric.startswith(WEIGHTED):
        return 0.0
    return step_of(seen.se[metric.removeprefix(WEIGHTED), "all", "all", str(row["side"])])


def _number(row: Row, number: int, off_by: float) -> dict[str, object]:
    """A number as it stands, and between which ends its mean was before it was rounded."""
    is_gap = row["metric"] == GAP
    low, high = before_rounding(row, GAPS if is_gap else SCORES, by_own_error=is_gap)
    low, high = low - off_by, high + off_by
    name = " · ".join([f"round {number}", *(str(row[key]) for key in KEY)])
    about = {"mean": float(row["value"]), "low": low, "high": high}
    return {**{key: row[key] for key in KEY}, "name": name, **about, "n": row["n"]}


def _gap(seen: Round, construct: str) -> pd.DataFrame:
    """Mentor minus mentee over the pairings of which both sides answered, those of the joint gap where there is one."""
    joint = seen.metrics[GAP].constructs if GAP in seen.metrics else ()
    paired = _paired(seen, construct)
    of_joint = [_paired(seen, each) for each in joint] if construct in joint else []
    if all(of_joint):
        paired = paired.intersection(*of_joint)
    pairings = pd.Series(sorted(paired), dtype="str")
    terms = [
        pd.DataFrame({"key": key_of(seen.number, construct, pairings, side), "weight": sign / len(paired)})
        for side, sign in (("mentor", 1.0), ("mentee", -1.0))
    ]
    return pd.concat(terms, ignore_index=True)


def _paired(seen: Round, construct: str) -> set[str]:
    scored = seen.facts.scored[seen.facts.scored["construct"] == construct]
    sides = scored.groupby("pairing_id")["side"].nunique()
    return set(sides.index[sides == len(SIDES)])


def _weighted(seen: Round, row: Row, before: pd.DataFrame, attributes: Sequence[str]) -> pd.DataFrame:
    """Weights by response, as the documented rule gives them to everyone who knows who answered before."""
    metric, side = str(row["metric"]).removeprefix(WEIGHTED), str(row["side"])
    scored = seen.facts.scored
    scored = scored[(scored["construct"] == ANCHORS[metric]) & (scored["side"] == side)]
    people = _asked(seen, side, before, attributes, metric)
    people["responded"] = people["person_id"].isin(scored["person_id"])
    answered = people[people["responded"]]
    names = [name for name in (*attributes, "history") if _has_many(answered[name], people[name])]
    weight = pd.Series(1.0, index=answered.index)
    if names and not people["responded"].all():
        weight = response_weights(propensity(people, responded="responded", covariates=names)[answered.index])
    share = dict(zip(answered["person_id"], weight / weight.sum(), strict=True))
    n_pairings = scored.groupby("person_id")["pairing_id"].transform("size")
    keys = key_of(seen.number, ANCHORS[metric], scored["pairing_id"], side)
    return pd.DataFrame({"key": keys, "weight": scored["person_id"].map(share) / n_pairings})


def _asked(seen: Round, side: str, before: pd.DataFrame, attributes: Sequence[str], metric: str) -> pd.DataFrame:
    """One row a person asked: their groups as far as their score is shown, and whether they always answered before."""
    invited = seen.facts.invited
    people = invited[invited["side"] == side].drop_duplicates("person_id").reset_index(drop=True)
    rows = seen.published
    shown = rows[rows["shown"] & (rows["metric"] == metric) & (rows["side"] == side)]
    for name in attributes:
        level = people[name].replace("", NOT_STATED)
        people[name] = level.where(level.isin(shown.loc[shown["view"] == name, "group"]), OTHERS)
    earlier = before[before["side"] == side].groupby("person_id")["has_answered"].mean().reindex(people["person_id"])
    share = earlier.to_numpy(dtype=float)
    return people.assign(history=np.select([np.isnan(share), share >= 1], ["new", "always"], "not always"))


def _has_many(answered: pd.Series, asked: pd.Series) -> bool:
    counts = answered.value_counts().reindex(asked.unique(), fill_value=0)
    return len(counts) > 1 and int(counts.min()) >= LEAST_IN_A_LEVEL
