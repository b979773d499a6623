"""Writes down what a number over three rounds says of the answers of each of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.attack.reader import (
    KEY,
    THREE_ROUNDS,
    Round,
    Told,
    contributions,
    hidden_scores,
    inside_group,
    links_of,
    n_asked,
    size_told,
    spread_told,
)
from pipeline.disclosure.rounding import coarse, step_of

Row = Mapping[Any, Any]
SPREAD = 25.0  # declared, where no round tells one


def pools(rounds: Sequence[Round]) -> Told:
    """The numbers over these rounds, which the last of them publishes: means over all that people said."""
    published = rounds[-1].published
    rows = published[published["shown"] & published["view"].str.endswith(THREE_ROUNDS)].to_dict("records")
    said = [_said(rounds, row) for row in rows]
    terms = [each.assign(number=at) for at, each in enumerate(said)]
    numbers = [_number(rounds, row, each) for row, each in zip(rows, said, strict=True)]
    return Told(
        hidden=pd.concat([hidden_scores(each) for each in rounds], ignore_index=True),
        terms=pd.concat(terms or [pd.DataFrame(columns=["number", "key", "weight"])], ignore_index=True),
        numbers=pd.DataFrame(numbers, columns=[*KEY, "name", "mean", "low", "high", "n"]),
    )


def _said(rounds: Sequence[Round], row: Row) -> pd.DataFrame:
    """Who said what in which round: key, person, value, and how much each counts."""
    view = str(row["view"]).removesuffix(THREE_ROUNDS)
    parts = []
    for each in rounds:
        metric = each.metrics[row["metric"]]
        people = contributions(each.facts, metric)
        inside = people[(people["part"] == row["side"]) & (people["side"] == row["side"])]
        inside = inside[inside_group(inside, view, row["group"])]
        share = 1 / inside.groupby("unit")["value"].transform("size")
        keys = links_of(each, metric, people).set_index("row")["key"].reindex(inside.index)
        parts.append(pd.DataFrame({"key": keys, "person": inside["unit"], "value": inside["value"], "weight": share}))
    said = pd.concat(parts, ignore_index=True)
    return said.assign(weight=said["weight"] / said["weight"].sum())


def _number(rounds: Sequence[Round], row: Row, said: pd.DataFrame) -> dict[str, object]:
    """Its step comes from how many people there are, and the widest spread that a round tells of the group."""
    step = step_of(_error(rounds, row, said["person"].nunique()))
    mean = coarse(float(said["value"] @ said["weight"]), step)
    ends = {"mean": mean, "low": mean - step / 2, "high": mean + step / 2}
    name = " · ".join([f"round {rounds[-1].number}", *(str(row[key]) for key in KEY)])
    return {**{key: row[key] for key in KEY}, "name": name, **ends, "n": row["n"]}


def _error(rounds: Sequence[Round], row: Row, n: int) -> float:
    view, group, side = str(row["view"]).removesuffix(THREE_ROUNDS), str(row["group"]), str(row["side"])
    key = (str(row["metric"]), view, group, side)
    spreads = [
        spread_told(each, contributions(each.facts, each.metrics[row["metric"]]), key)
        for each in rounds
        if np.isfinite(each.se.get(key, np.nan))
    ]
    most = max(n_asked(each, view, group, side) for each in rounds)
    return float(max(spreads, default=SPREAD) / np.sqrt(size_told(n, most)))
