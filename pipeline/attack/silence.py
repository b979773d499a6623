"""Works out who must have answered, and who cannot have, from shares and counts alone."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.attack.puzzle import Puzzle, puzzle
from pipeline.attack.ranges import Proven, proven
from pipeline.attack.reader import ATTRIBUTES, KEY, NOT_STATED, TWO_WAY, Mask, inside_group
from pipeline.disclosure.rounding import in_steps, share_range
from pipeline.metric import catalogue

SIDES = ("mentor", "mentee")
YES = 100.0  # a score of 0 is silence, one of 100 an answer: the same puzzle as of scores
SURE = 1e-3
Row = Mapping[Any, Any]


def who_answered(invited: pd.DataFrame, published: pd.DataFrame, *, least: int) -> Proven:
    """Of every person and side: between which ends (0 silent, 100 answered) it must lie.

    Everybody is taken to know who was asked. They read the ranges that participation tells, counts of those who
    answered in steps of five, the n of every score, and that no score of fewer than `least` people is shown.
    """
    return proven(_puzzle(invited, published, least), narrow=YES - SURE)


def is_told(found: Proven) -> Mask:
    """Whose answering, or silence, is proven."""
    told: Mask = found.high - found.low < YES - SURE
    return told


def _puzzle(invited: pd.DataFrame, published: pd.DataFrame, least: int) -> Puzzle:
    asked = invited.assign(key=invited["side"] + "|" + invited["person_id"], part=invited["side"])
    asked[list(ATTRIBUTES)] = asked[list(ATTRIBUTES)].replace("", NOT_STATED)
    people = asked.groupby("key", as_index=False).agg(
        person=("person_id", "first"), name=("side", "first"), score=("has_answered", "max")
    )
    terms: list[pd.DataFrame] = []
    numbers: list[dict[str, object]] = []
    for row in published[published["shown"]].to_dict("records"):
        for inside, low, high in _counts(row, asked, least):
            keys = inside["key"].drop_duplicates()
            terms.append(pd.DataFrame({"number": len(numbers), "key": keys, "weight": 1 / YES}))
            numbers.append({"name": " · ".join(str(row[key]) for key in KEY), "low": low, "high": high})
    return puzzle(
        people.assign(score=people["score"] * YES, grain=YES),
        pd.concat(terms or [pd.DataFrame(columns=["number", "key", "weight"])], ignore_index=True),
        pd.DataFrame(numbers, columns=["name", "low", "high"]),
    )


def _counts(row: Row, asked: pd.DataFrame, least: int) -> Iterator[tuple[pd.DataFrame, float, float]]:
    """Whom a row counts, and between which ends their count of answers lies."""
    if row["view"] != "all" and not all(each in ATTRIBUTES for each in row["view"].split(TWO_WAY)):
        return
    sides = SIDES if row["side"] == "both" else (row["side"],)
    inside = asked[inside_group(asked, row["view"], row["group"]) & asked["side"].isin(sides)]
    by_side = [inside[inside["side"] == side] for side in sides]
    n_answered = [rows.loc[rows["has_answered"], "person_id"].nunique() for rows in by_side]
    n_asked = [rows["person_id"].nunique() for rows in by_side]
    if row["metric"] == "participation":
        ranges = [share_range(n, of) for n, of in zip(n_answered, n_asked, strict=True)]
        yield inside, sum(low for low, _ in ranges), sum(high for _, high in ranges)
    elif row["metric"] == "flow_answered":
        yield inside, row["value"], sum(in_steps(n) + 4 for n in n_answered)
    elif row["metric"] in catalogue():
        yield inside, max(float(row["n"]), least * len(sides)), np.inf
        most = share_range(int(row["n"]), n_asked[0])[1]
        if len(sides) == 1 and n_answered[0] <= most:  # else it asked only some of them, and says nothing of the rest
            yield inside, -np.inf, most
