"""Says how much room the rounding of a shown number leaves the sum behind it."""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum

import pandas as pd

from pipeline.disclosure.crowd import PROGRAMME, TWO_WAY, Key
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import Scale
from pipeline.disclosure.rounding import coarse, share_range, step_of
from pipeline.metric import Metric

MIDDLE = 50.0  # of a score; below it lie the low answers
APART = 25.0  # points between two answers of a five-point scale


def members(told: pd.DataFrame, key: Key) -> pd.Series:
    """Which rows of `told` are of a number's group."""
    if key.view == PROGRAMME:
        return pd.Series(True, index=told.index)
    if not key.is_two_way:
        return told[key.view].isin(key.parts_among(set(told[key.view].unique())))
    (first, second), (of_first, of_second) = key.view.split(TWO_WAY), key.group.split(TWO_WAY)
    return (told[first] == of_first) & (told[second] == of_second)


def said(told: pd.DataFrame, key: Key) -> Mapping[str, float]:
    """What each of a number's people said, as it counts in it."""
    inside = members(told, key).to_numpy()
    values: dict[str, list[float]] = {}
    for unit, value in zip(told["unit"].to_numpy()[inside], told["value"].to_numpy()[inside], strict=True):
        values.setdefault(unit, []).append(float(value))
    return {unit: fsum(of_unit) / len(of_unit) for unit, of_unit in sorted(values.items())}


def scale_of(metric: Metric) -> Scale:
    """Between which ends a metric's answers lie, and how far apart two of them are."""
    low, high = metric.scale
    if metric.unit == "share":
        return Scale(low, high, 1.0)
    return Scale(low, high, APART, MIDDLE if low == 0 else float("-inf"))


def rooms_of(keys: Iterable[Key], told: pd.DataFrame, metric: Metric, errors: Mapping[Key, float]) -> dict[Key, Room]:
    """How far the sum behind each number could move without the number being told otherwise."""
    rooms = {}
    for key in keys:
        values = list(said(told, key).values())
        rooms[key] = _room_of_share(values) if metric.unit == "share" else room_of(values, errors[key])
    return rooms


def room_of(values: Sequence[float], se: float) -> Room:
    """The room of a mean that is told in steps of this standard error."""
    n, total, step = len(values), sum(values), step_of(se)
    middle = coarse(total / n, step)
    up, down = n * (middle + step / 2) - total, total - n * (middle - step / 2)
    return Room(n=n, up=max(up, 0.0), down=max(down, 0.0))


def _room_of_share(values: Sequence[float]) -> Room:
    n, count = len(values), round(sum(values))
    low, high = share_range(count, n)
    return Room(n=n, up=float(high - count), down=float(count - low))
