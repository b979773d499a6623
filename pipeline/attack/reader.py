"""Writes down what a reader of a release knows of the scores, at most, as numbers about hidden answers.

The reader knows the code and the thresholds, who belongs to which group, who was asked what, and who answered.
Shrinkage and intervals are functions of coarsened means, so the most that any of them gives back is the coarsened
mean: this reader is told it, of every number that is shown, by an oracle that looks at the answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.attack.puzzle import Puzzle, puzzle
from pipeline.disclosure.rounding import STEP, coarse, in_steps, step_of, told_count
from pipeline.metric import Facts, Metric

GAP = "perception_gap"
PAIRING, BOTH = "pairing", "both"
SIDES = ("mentor", "mentee")
TWO_WAY, JOINED = " × ", " + "
THREE_ROUNDS = ", 3 rounds"  # follows the view of a number over three rounds
ATTRIBUTES = ("cohort", "department", "grade", "location")
NOT_STATED = "not stated"
GRAIN = 25.0
KEY = ["metric", "view", "group", "side"]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round as its reader is assumed to know it.

    `published` (contract Published) of its release; `se` by metric, view, group and side, as the documented rule
    computes it from public counts and the programme-wide spread.
    """

    number: int
    facts: Facts
    metrics: Mapping[str, Metric]
    published: pd.DataFrame
    se: Mapping[tuple[str, str, str, str], float]


@dataclass(frozen=True, kw_only=True)
class Told:
    """Tables of one puzzle: `hidden` scores, `numbers` about them, and the `terms` of each number."""

    hidden: pd.DataFrame
    terms: pd.DataFrame
    numbers: pd.DataFrame

    def puzzle(self) -> Puzzle:
        return puzzle(self.hidden, self.terms, self.numbers)


def told(seen: Round, *, is_exact: bool = False) -> Told:
    """Every shown score of a round; with `is_exact` as if its mean were shown unrounded."""
    rows = shown_scores(seen)
    hidden, terms, numbers = [hidden_scores(seen)], [], []
    for id_ in rows["metric"].unique():
        contributed = contributions(seen.facts, seen.metrics[id_])
        links = links_of(seen, seen.metrics[id_], contributed)
        hidden.append(_own_hidden(contributed, links[~links["key"].isin(hidden[0]["key"])]))
        for row in rows[rows["metric"] == id_].to_dict("records"):
            inside = contributed[
                inside_group(contributed, row["view"], row["group"]) & (contributed["side"] == row["side"])
            ]
            weight = weights(inside)
            steps = {
                part: 0.0 if is_exact else _step(seen, contributed, row, str(part)) for part in inside["part"].unique()
            }
            numbers.append(_number(row, seen.number, inside.assign(weight=weight * len(steps)), steps))
            found = links.merge(weight.rename("share"), left_on="row", right_index=True)
            terms.append(found.assign(number=len(numbers) - 1, weight=found["factor"] * found["share"]))
    return Told(
        hidden=pd.concat(hidden, ignore_index=True).drop_duplicates("key", ignore_index=True),
        terms=pd.concat(terms or [pd.DataFrame(columns=["number", "key", "weight"])], ignore_index=True),
        numbers=pd.DataFrame(numbers, columns=[*KEY, "name", "mean", "low", "high", "n"]),
    )


def shown_scores(seen: Round) -> pd.DataFrame:
    """The rows of Published that are means of this round's scores."""
    rows = seen.published
    is_score = rows["metric"].isin(list(seen.metrics)) & (rows["unit"] == "points") & rows["shown"]
    is_other = (rows["view"] == "construct") | rows["view"].str.endswith(THREE_ROUNDS)
    return rows[is_score & ~is_other].reset_index(drop=True)


def contributions(facts: Facts, metric: Metric) -> pd.DataFrame:
    """Who stands behind a metric with what, and in which groups. A pairing's groups are the mentee's."""
    invited = facts.invited
    groups = invited[list(ATTRIBUTES)].replace("", NOT_STATED)
    own = invited[["pairing_id", "person_id"]].assign(part=invited["side"], unit=invited["person_id"], **groups)
    pairs = own[own["part"] == "mentee"].assign(part=PAIRING, unit=lambda rows: rows["pairing_id"])
    known = pd.concat([own, pairs], ignore_index=True)
    return metric.compute(facts).merge(known, on=["pairing_id", "part"]).reset_index(drop=True)


def weights(inside: pd.DataFrame) -> pd.Series:
    """How much each row counts: parts alike, in a part people alike, of a person pairings alike."""
    part, parts = pd.factorize(inside["part"])
    unit, first = np.unique(pd.factorize(inside["unit"])[0] * max(len(parts), 1) + part, return_inverse=True)
    rows = np.bincount(first)[first]
    units = np.bincount(unit % max(len(parts), 1), minlength=len(parts))[part]
    return pd.Series(1 / (rows * units * max(len(parts), 1)), index=inside.index)


def inside_group(rows: pd.DataFrame, view: str, group: str) -> Mask:
    """Who is in a group: of the programme, of one attribute, of two, or of several groups joined."""
    if view == "all":
        return np.ones(len(rows), dtype=bool)
    names, groups = view.split(TWO_WAY), group.split(TWO_WAY) if TWO_WAY in view else [group]
    inside = np.ones(len(rows), dtype=bool)
    for name, one in zip(names, groups, strict=True):
        among = rows[name].isin([one, *one.split(JOINED)])
        inside &= among.to_numpy()
    return inside


def hidden_scores(seen: Round) -> pd.DataFrame:
    """Every score that is somebody's, by whom; the same answers are the same score, whatever it is called."""
    scored = seen.facts.scored
    is_step = np.isclose(scored["score"] % GRAIN, 0) & (scored["n_items"] == 1)
    return pd.DataFrame(
        {
            "key": key_of(seen.number, scored["construct"], scored["pairing_id"], scored["side"]),
            "person": scored["person_id"],
            "name": scored["construct"] + "/" + scored["side"],
            "score": scored["score"],
            "grain": np.where(is_step, GRAIN, 0.0),
        }
    )


def key_of(number: int, construct: pd.Series | str, pairing: pd.Series, side: pd.Series | str) -> pd.Series:
    return str(number) + "|" + construct + "|" + pairing + "|" + side


def links_of(seen: Round, metric: Metric, contributed: pd.DataFrame) -> pd.DataFrame:
    """Which hidden scores each contribution is made of: row, key, factor."""
    at = contributed.assign(row=contributed.index)
    is_pair = at["part"] == PAIRING
    of_pairs = at[is_pair]
    if metric.id == GAP:
        made = [
            of_pairs.assign(key=key_of(seen.number, name, of_pairs["pairing_id"], side), factor=sign / 3)
            for name in metric.constructs
            for side, sign in (("mentor", 1.0), ("mentee", -1.0))
        ]
    else:
        made = [of_pairs.assign(key=key_of(seen.number, metric.id, of_pairs["pairing_id"], PAIRING), factor=1.0)]
    scored = seen.facts.scored
    scored = scored[scored["construct"].isin(metric.constructs)]
    owned = at[~is_pair].merge(
        scored[["pairing_id", "side", "construct", "score"]],
        left_on=["pairing_id", "part"],
        right_on=["pairing_id", "side"],
        suffixes=("", "_of"),
    )
    owned = owned[np.isclose(owned["value"], owned["score"], atol=1e-9)].drop_duplicates("row")
    owned = owned.assign(key=key_of(seen.number, owned["construct"], owned["pairing_id"], owned["part"]), factor=1.0)
    return pd.concat([*made, owned])[["row", "key", "factor"]].reset_index(drop=True)


def _own_hidden(contributed: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """What no single score is: how near two answers are, which one of the two could look up for the other."""
    rows = contributed.loc[own["row"]]
    return pd.DataFrame(
        {
            "key": own["key"].to_numpy(),
            "person": PAIRING + " " + rows["unit"].to_numpy(),
            "name": own["key"].to_numpy(),
            "score": rows["value"].to_numpy(),
            "grain": 0.0,
        }
    )


def _step(seen: Round, contributed: pd.DataFrame, row: Mapping[Any, Any], part: str) -> float:
    """How finely a part's mean is told: a number of two sides is the mean of theirs, as they are told."""
    side = part if part in SIDES and row["side"] == BOTH else row["side"]
    key = (row["metric"], row["view"], row["group"], side)
    if key in seen.se:
        return step_of(seen.se[key])
    of_side = contributed[contributed["side"] == side]
    n = of_side.loc[inside_group(of_side, row["view"], row["group"]), "unit"].nunique()
    return step_of(joined_error(seen, contributed, row, side, n=n) or 0.0)


def joined_error(seen: Round, contributed: pd.DataFrame, row: Mapping[Any, Any], side: str, *, n: int) -> float | None:
    """Of n people of several groups of a view: from the spread that all of its groups have in common."""
    of_view = (each for each in seen.se if (each[0], each[1], each[3]) == (row["metric"], row["view"], side))
    spreads = [spread_told(seen, contributed, key) for key in of_view if np.isfinite(seen.se[key])]
    if not spreads:
        return None
    return float(spreads[0] / np.sqrt(size_told(n, n_asked(seen, row["view"], row["group"], side))))


def spread_told(seen: Round, contributed: pd.DataFrame, key: tuple[str, str, str, str]) -> float:
    """How far people of a group differ, as its error and its size tell it."""
    _, view, group, side = key
    of_side = contributed[contributed["side"] == side]
    n = of_side.loc[inside_group(of_side, view, group), "unit"].nunique()
    return float(seen.se[key] * np.sqrt(size_told(n, n_asked(seen, view, group, side))))


def n_asked(seen: Round, view: str, group: str, side: str) -> int:
    """How many people of a side were asked in a group."""
    invited = seen.facts.invited[seen.facts.invited["side"] == side]
    groups = invited[["person_id"]].assign(**invited[list(ATTRIBUTES)].replace("", NOT_STATED))
    return int(groups.loc[inside_group(groups, view, group), "person_id"].nunique())


def size_told(n: int, n_asked: int) -> int:
    """How many people an error is told to be of: in steps of five, never all who were asked; below five as they are."""
    counted = told_count(n, n_asked)
    return in_steps(counted) if counted >= STEP else max(counted, 1)


def _number(row: Mapping[Any, Any], number: int, inside: pd.DataFrame, steps: Mapping[str, float]) -> dict[str, object]:
    """A mean of parts, each as this reader has it: a whole multiple of its step, so within half a step of it.

    `inside`: who stands behind it, with a weight in the mean of their part.
    """
    about = []
    for part, step in steps.items():
        rows = inside[inside["part"] == part]
        mean = float(rows["value"] @ rows["weight"])
        about.append(coarse(mean, step) if step else mean)
    middle, half = float(np.mean(about)), sum(steps.values()) / len(steps) / 2
    name = " · ".join([f"round {number}", *(str(row[key]) for key in KEY)])
    ends = {"mean": middle, "low": middle - half, "high": middle + half}
    return {**{key: row[key] for key in KEY}, "name": name, **ends, "n": row["n"]}
