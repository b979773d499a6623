"""Computes every metric for the programme and each reporting group, with who stands behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd

from data.contracts import Measured, conform
from pipeline.claim import DESCRIBES
from pipeline.disclosure.crowd import PROGRAMME, TWO_WAY, Crowd, Key
from pipeline.disclosure.rounding import STEP, coarse, share_range, told_count
from pipeline.disclosure.thresholds import ATTRIBUTES, DEFAULT
from pipeline.estimate import ENOUGH, Estimate, clustered, declared, design_effect, mean_of_means, wilson
from pipeline.metric import Facts, Metric

NOT_STATED = "not stated"
PARTS = ("mentor", "mentee", "pairing")
# No interval says that people agree more than this: one of width zero would say that they all said the same.
LEAST_SPREAD = 5.0
SAME = 1e-6
COLUMNS = ["metric", "view", "group", "side", "value", "low", "high", "se", "n_mentors", "n_mentees", "unit", "claim"]
NOTHING = (np.nan, np.nan, np.nan, np.nan)
Numbers = tuple[float, float, float, float]  # value, low, high, se


@dataclass(frozen=True)
class Measurement:
    """`measured` (contract Measured), one crowd a row, and `told` by metric and side. Never leaves the pipeline.

    `told` holds who said what behind every mean that is not made of two others: one row a `unit` (a person, or a
    pairing where the number is about pairings) in each of its groups, with its mean `value` and a column for each
    reporting attribute.
    """

    measured: pd.DataFrame
    crowds: Mapping[Key, Crowd]
    told: Mapping[tuple[str, str], pd.DataFrame] = field(default_factory=dict)


def measure(
    facts: Facts, metrics: Mapping[str, Metric], *, attributes: Iterable[str], asked: Mapping[str, set[str]]
) -> Measurement:
    """Every metric whose constructs were asked. `asked`: construct → the sides that the pulse may ask it."""
    attributes = list(attributes)
    people, views = _people(facts.invited, attributes), [PROGRAMME, *attributes, *two_way_views(attributes)]
    rows: list[dict[str, object]] = []
    crowds: dict[Key, Crowd] = {}
    told: dict[tuple[str, str], pd.DataFrame] = {}
    sides_of = {id_: [side for side in each.sides if _is_asked(each, side, asked)] for id_, each in metrics.items()}
    for metric in (each for each in metrics.values() if sides_of[each.id]):
        contributed = metric.compute(facts).merge(people, on=["pairing_id", "part"])
        told |= {(metric.id, side): of for side, of in _told(metric, contributed, attributes)}
        is_of_pairings = (contributed["part"] == "pairing").groupby(contributed["side"]).any()
        for view in views[:1] if metric.is_programme_only else views:
            each = _each_unit(metric, contributed, view)
            spread = _spreads(metric, each)
            n_asked = people.groupby([view, "part"])["unit"].nunique().to_dict()
            slices = dict(iter(each.groupby(["side", "group"])))
            for group in _groups(people, view):
                for side in sides_of[metric.id]:
                    if TWO_WAY in view and is_of_pairings.get(side):
                        continue  # few pairings lie in one cell with both their people
                    piece = slices.get((side, group))
                    key = Key(metric=metric.id, view=view, group=group, side=side)
                    crowds[key] = Crowd() if piece is None else _crowd(metric, piece)
                    of_group = {part: n_asked.get((group, part), 0) for part in PARTS}
                    numbers = _numbers(metric, view, piece, spread, of_group)
                    rows.append(_row(key, metric, crowds[key], numbers, of_group))
    ids = {name: facts.invited[name].max() for name in ("programme_id", "round_id")}
    measured = conform(Measured, pd.DataFrame(rows, columns=COLUMNS).assign(**ids))
    return Measurement(measured=measured, crowds=crowds, told=told)


def two_way_views(attributes: Iterable[str]) -> list[str]:
    """The views whose groups are those of two attributes at once."""
    return [TWO_WAY.join(pair) for pair in combinations(attributes, 2)]


def _told(metric: Metric, contributed: pd.DataFrame, attributes: list[str]) -> Iterable[tuple[str, pd.DataFrame]]:
    """Side → who said what, of the sides whose number is a mean over one kind of part."""
    own = contributed[(contributed["part"] == contributed["side"]) | (contributed["part"] == "pairing")]
    keys = ["side", "unit", *attributes]
    each = own.groupby(keys, as_index=False)["value"].agg("max" if metric.unit == "share" else "mean")
    return ((str(side), of.drop(columns="side")) for side, of in each.groupby("side"))


def _is_asked(metric: Metric, side: str, asked: Mapping[str, set[str]]) -> bool:
    if not metric.constructs:
        return True
    reached = set().union(*(asked.get(construct, set()) for construct in metric.constructs))
    return ({"mentor", "mentee"} if side == "both" else {side}) <= reached


def _people(invited: pd.DataFrame, attributes: list[str]) -> pd.DataFrame:
    """One row is one part of one pairing: who it stands for, whose mentor, and in which groups."""
    own = invited.assign(part=invited["side"], unit=invited["person_id"], cluster=invited["mentor_id"])
    own["mentor_person"] = own["person_id"].where(own["side"] == "mentor", "")
    own["mentee_person"] = own["person_id"].where(own["side"] == "mentee", "")
    mentors = own.loc[own["side"] == "mentor", ["pairing_id", "mentor_person"]]
    pairs = own[own["side"] == "mentee"].drop(columns="mentor_person").merge(mentors, on="pairing_id")
    people = pd.concat([own, pairs.assign(part="pairing", unit=pairs["pairing_id"])], ignore_index=True)
    for attribute in ATTRIBUTES:
        people[attribute] = people[attribute].where(people[attribute] != "", NOT_STATED)
    for view in two_way_views(attributes):
        first, second = view.split(TWO_WAY)
        people[view] = people[first] + TWO_WAY + people[second]
    kept = ["pairing_id", "part", "unit", "cluster", "mentor_person", "mentee_person"]
    return people.assign(all=PROGRAMME)[[*kept, PROGRAMME, *ATTRIBUTES, *two_way_views(attributes)]]


def _groups(people: pd.DataFrame, view: str) -> list[str]:
    """Every group among the invited; one alone is the programme and makes no view, few people make no two-way one."""
    if view == PROGRAMME:
        return [PROGRAMME]
    if TWO_WAY not in view:
        groups = sorted(people[view].unique())
        return groups if len(groups) > 1 else []
    if min(people[each].nunique() for each in view.split(TWO_WAY)) < 2:
        return []
    asked = people[people["part"] != "pairing"].groupby([view, "part"])["unit"].nunique().groupby(view).max()
    return sorted(asked.index[asked >= DEFAULT.two_way_n])


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


def _row(key: Key, metric: Metric, crowd: Crowd, numbers: Numbers, n_asked: Mapping[str, int]) -> dict[str, object]:
    value, low, high, se = numbers
    behind = {"mentor": len(crowd.mentors), "mentee": len(crowd.mentees)}
    is_of_all = metric.unit == "share"  # those who were asked
    counts = {f"n_{side}s": n if is_of_all else told_count(n, n_asked[side]) for side, n in behind.items()}
    bounds = {"value": value, "low": low, "high": high, "se": se}
    return {**vars(key), **bounds, **counts, "unit": metric.unit, "claim": DESCRIBES}


def _numbers(
    metric: Metric, view: str, piece: pd.DataFrame | None, spread: Mapping[str, float], n_asked: Mapping[str, int]
) -> Numbers:
    if piece is None or (metric.unit == "points" and not _has_all_parts(piece)):
        return NOTHING
    if metric.unit == "share":
        return _share(piece)
    sizes = _told_sizes(piece, n_asked)
    found = _whole(metric, piece, sizes) if view == PROGRAMME else _of_group(piece, sizes, spread)
    return found.value, found.value - found.half_width, found.value + found.half_width, found.se


def _has_all_parts(piece: pd.DataFrame) -> bool:
    """A number for both sides needs both; pairings are both already."""
    return piece["side"].iloc[0] != "both" or set(piece["part"]) in ({"mentor", "mentee"}, {"pairing"})


def _share(piece: pd.DataFrame) -> Numbers:
    """Of the people asked, those who answered: the middle of the range that the steps leave open, side by side.

    The interval reaches from the lowest share to the highest of that range.
    """
    parts = [rows for _, rows in piece.groupby("part")]
    asked = sum(len(rows) for rows in parts)
    ranges = [share_range(int(rows["value"].sum()), len(rows)) for rows in parts]
    low, high = (sum(ends) for ends in zip(*ranges, strict=True))
    return (low + high) / 2 / asked, wilson(low, asked)[0], wilson(high, asked)[1], np.nan


def _whole(metric: Metric, piece: pd.DataFrame, told: np.ndarray) -> Estimate:
    """A number for the programme: its own spread from 20 people a part on, else the declared one."""
    parts, values, sizes = _arrays(piece)
    clusters = pd.factorize(piece["cluster"])[0]
    found = clustered(values, parts, clusters) if sizes.min() >= ENOUGH else None
    if found is None:
        return declared(mean_of_means(values, parts), told, metric.prior_sd)
    floor = declared(found.value, told, LEAST_SPREAD).se
    return Estimate(value=found.value, se=max(found.se, floor), df=found.df)


def _of_group(piece: pd.DataFrame, told: np.ndarray, spread: Mapping[str, float]) -> Estimate:
    """A number for a group: its interval knows its size in steps, and the programme's variance."""
    parts, values, _ = _arrays(piece)
    names = sorted(set(piece["part"]))
    scaled = told / np.array([spread[name] ** 2 for name in names])
    return declared(mean_of_means(values, parts), scaled, 1.0)


def _arrays(piece: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = pd.factorize(piece["part"], sort=True)[0]
    return parts, piece["value"].to_numpy(dtype=float), np.bincount(parts).astype(float)


def _told_sizes(piece: pd.DataFrame, n_asked: Mapping[str, int]) -> np.ndarray:
    """Sizes in steps, so that no width tells a count; those too small to be shown stay as they are."""
    counts = piece.groupby("part")["unit"].size()
    sizes = np.array([told_count(int(n), n_asked[str(part)]) for part, n in counts.items()], dtype=float)
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
    return coarse(float(np.sqrt(max(widened, LEAST_SPREAD**2))), 1.0)
