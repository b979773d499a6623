"""Computes every metric for the programme and each reporting group, with who stands behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.contracts import Measured, conform
from pipeline.disclosure.crowd import Crowd, Key
from pipeline.disclosure.gate import PROGRAMME
from pipeline.disclosure.rounding import STEP, in_steps
from pipeline.estimate import ENOUGH, Estimate, clustered, declared, design_effect, mean_of_means, wilson
from pipeline.metric import Facts, Metric

NOT_STATED = "not stated"
CLAIM = "describes"
# No interval says that people agree more than this: one of width zero would say that they all said the same.
LEAST_SPREAD = 5.0
SAME = 1e-6
COLUMNS = ["metric", "view", "group", "side", "value", "low", "high", "se", "n_mentors", "n_mentees", "unit", "claim"]
NOTHING = (np.nan, np.nan, np.nan, np.nan)
Numbers = tuple[float, float, float, float]  # value, low, high, se


@dataclass(frozen=True)
class Measurement:
    """`measured` (contract Measured), one crowd a row. Never leaves the pipeline."""

    measured: pd.DataFrame
    crowds: Mapping[Key, Crowd]


def measure(
    facts: Facts, metrics: Mapping[str, Metric], *, attributes: Iterable[str], asked: Mapping[str, set[str]]
) -> Measurement:
    """Every metric whose constructs were asked. `asked`: construct → the sides that the pulse may ask it."""
    people, views = _people(facts.invited), [PROGRAMME, *attributes]
    rows: list[dict[str, object]] = []
    crowds: dict[Key, Crowd] = {}
    sides_of = {id_: [side for side in each.sides if _is_asked(each, side, asked)] for id_, each in metrics.items()}
    for metric in (each for each in metrics.values() if sides_of[each.id]):
        contributed = metric.compute(facts).merge(people, on=["pairing_id", "part"])
        for view in views[:1] if metric.is_programme_only else views:
            each = _each_unit(metric, contributed, view)
            spread = _spreads(metric, each)
            slices = dict(iter(each.groupby(["side", "group"])))
            for group in _groups(people, view):
                for side in sides_of[metric.id]:
                    piece = slices.get((side, group))
                    key = Key(metric=metric.id, view=view, group=group, side=side)
                    crowds[key] = Crowd() if piece is None else _crowd(metric, piece)
                    rows.append(_row(key, metric, crowds[key], _numbers(metric, view, piece, spread)))
    ids = {name: facts.invited[name].max() for name in ("programme_id", "round_id")}
    return Measurement(measured=conform(Measured, pd.DataFrame(rows, columns=COLUMNS).assign(**ids)), crowds=crowds)


def _is_asked(metric: Metric, side: str, asked: Mapping[str, set[str]]) -> bool:
    if not metric.constructs:
        return True
    reached = set().union(*(asked.get(construct, set()) for construct in metric.constructs))
    return ({"mentor", "mentee"} if side == "both" else {side}) <= reached


def _people(invited: pd.DataFrame) -> pd.DataFrame:
    """One row is one part of one pairing: who it stands for, whose mentor, and in which groups."""
    own = invited.assign(part=invited["side"], unit=invited["person_id"], cluster=invited["mentor_id"])
    own["mentor_person"] = own["person_id"].where(own["side"] == "mentor", "")
    own["mentee_person"] = own["person_id"].where(own["side"] == "mentee", "")
    mentors = own.loc[own["side"] == "mentor", ["pairing_id", "mentor_person"]]
    pairs = own[own["side"] == "mentee"].drop(columns="mentor_person").merge(mentors, on="pairing_id")
    people = pd.concat([own, pairs.assign(part="pairing", unit=pairs["pairing_id"])], ignore_index=True)
    for attribute in ("cohort", "department", "grade", "location"):
        people[attribute] = people[attribute].where(people[attribute] != "", NOT_STATED)
    kept = ["pairing_id", "part", "unit", "cluster", "mentor_person", "mentee_person"]
    return people.assign(all=PROGRAMME)[[*kept, PROGRAMME, "cohort", "department", "grade", "location"]]


def _groups(people: pd.DataFrame, view: str) -> list[str]:
    """Every group among the invited; one alone is the programme and makes no view."""
    if view == PROGRAMME:
        return [PROGRAMME]
    groups = sorted(people[view].unique())
    return groups if len(groups) > 1 else []


def _each_unit(metric: Metric, contributed: pd.DataFrame, view: str) -> pd.DataFrame:
    """One row a person (or pairing) in a group: someone in several pairings counts once."""
    how = "max" if metric.unit == "share" else "mean"
    keys = ["side", view, "part", "unit"]
    ordered = contributed.sort_values([*keys, "pairing_id"])
    each = ordered.groupby(keys, as_index=False).agg(
        value=("value", how),
        lowest=("lowest", "min"),
        highest=("highest", "max"),
        cluster=("cluster", "first"),
        mentor_person=("mentor_person", "first"),
        mentee_person=("mentee_person", "first"),
    )
    return each.rename(columns={view: "group"})


def _crowd(metric: Metric, piece: pd.DataFrame) -> Crowd:
    bottom, top = metric.scale
    # Together so near an end that the mean alone proves each of them to be in its half of the scale.
    half = (top - bottom) / 2
    lowest, highest, value = (piece[name].to_numpy(dtype=float) for name in ("lowest", "highest", "value"))
    is_top = (lowest >= top - SAME).all() or np.maximum(top - value, 0).sum() < half
    is_bottom = (highest <= bottom + SAME).all() or np.maximum(value - bottom, 0).sum() < half
    names = ("mentor_person", "mentee_person", "cluster")
    mentors, mentees, guides = (frozenset(piece[name].to_numpy(dtype=object)) - {""} for name in names)
    return Crowd(mentors=mentors, mentees=mentees, guides=guides, end=int(is_top) - int(is_bottom))


def _row(key: Key, metric: Metric, crowd: Crowd, numbers: Numbers) -> dict[str, object]:
    value, low, high, se = numbers
    counts = {"n_mentors": len(crowd.mentors), "n_mentees": len(crowd.mentees)}
    bounds = {"value": value, "low": low, "high": high, "se": se}
    return {**vars(key), **bounds, **counts, "unit": metric.unit, "claim": CLAIM}


def _numbers(metric: Metric, view: str, piece: pd.DataFrame | None, spread: Mapping[str, float]) -> Numbers:
    if piece is None or (metric.unit == "points" and not _has_all_parts(piece)):
        return NOTHING
    if metric.unit == "share":
        return _share(piece)
    found = _whole(metric, piece) if view == PROGRAMME else _of_group(piece, spread)
    return found.value, found.value - found.half_width, found.value + found.half_width, found.se


def _has_all_parts(piece: pd.DataFrame) -> bool:
    """A number for both sides needs both; pairings are both already."""
    return piece["side"].iloc[0] != "both" or set(piece["part"]) in ({"mentor", "mentee"}, {"pairing"})


def _share(piece: pd.DataFrame) -> Numbers:
    """Of the people asked, those who answered: every count in steps, side by side.

    Up to four people a side may be hidden in a step, so the interval reaches from the lowest share to the highest
    that the steps allow.
    """
    parts = [rows for _, rows in piece.groupby("part")]
    asked = sum(in_steps(len(rows)) for rows in parts)
    answered = sum(in_steps(int(rows["value"].sum())) for rows in parts)
    if not asked:
        return NOTHING
    hidden = (STEP - 1) * len(parts)
    low, high = wilson(answered, asked + hidden)[0], wilson(min(answered + hidden, asked), asked)[1]
    return answered / asked, low, high, np.nan


def _whole(metric: Metric, piece: pd.DataFrame) -> Estimate:
    """A number for the programme: its own spread from 20 people a part on, else the declared one."""
    parts, values, sizes = _arrays(piece)
    clusters = pd.factorize(piece["cluster"])[0]
    found = clustered(values, parts, clusters) if sizes.min() >= ENOUGH else None
    if found is None:
        return declared(mean_of_means(values, parts), _stepped(sizes), metric.prior_sd)
    floor = declared(found.value, _stepped(sizes), LEAST_SPREAD).se
    return Estimate(value=found.value, se=max(found.se, floor), df=found.df)


def _of_group(piece: pd.DataFrame, spread: Mapping[str, float]) -> Estimate:
    """A number for a group: its interval knows its size in steps, and the programme's variance."""
    parts, values, sizes = _arrays(piece)
    names = sorted(set(piece["part"]))
    scaled = _stepped(sizes) / np.array([spread[name] ** 2 for name in names])
    return declared(mean_of_means(values, parts), scaled, 1.0)


def _arrays(piece: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = pd.factorize(piece["part"], sort=True)[0]
    return parts, piece["value"].to_numpy(dtype=float), np.bincount(parts).astype(float)


def _stepped(sizes: np.ndarray) -> np.ndarray:
    """Sizes in steps, so that no width tells a count; those too small to be shown stay as they are."""
    return np.where(sizes < STEP, sizes, sizes // STEP * STEP)


def _spreads(metric: Metric, each: pd.DataFrame) -> dict[str, float]:
    """By part: the common within-group standard deviation, widened for people who share a mentor."""
    once = each[each["side"] == each.groupby("part")["side"].transform("first")]
    return {str(part): _common_spread(metric, rows) for part, rows in once.groupby("part")}


def _common_spread(metric: Metric, rows: pd.DataFrame) -> float:
    residual = (rows["value"] - rows.groupby("group")["value"].transform("mean")).to_numpy()
    freedom = len(rows) - rows["group"].nunique()
    if rows["unit"].nunique() < ENOUGH or freedom < 1:
        return metric.prior_sd
    widened = (residual**2).sum() / freedom * design_effect(residual, pd.factorize(rows["cluster"])[0])
    return float(np.sqrt(max(widened, LEAST_SPREAD**2)))
