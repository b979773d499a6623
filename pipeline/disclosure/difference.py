"""Finds differences of shown sums that tell of few people: two rounds of a group, a gap beside both its sides.

What a reader gets by adding and subtracting shown sums is a weighted sum over those who do not cancel, within the
rooms of the means. One of them is safe where another answer of theirs fits: the rooms and the others among them take
it up, whatever the colluders among these tell.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import pandas as pd

from pipeline.disclosure.crowd import Key
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import SAME, Scale


class Part(NamedTuple):
    """How often somebody is counted in a difference (below zero: subtracted), and what they said."""

    weight: float
    value: float


class Before(Protocol):
    """The last release of a programme: who said what then, and the rooms of the numbers that it shows.

    It is not whole where somebody who stood behind it has been erased since.
    """

    @property
    def told(self) -> Mapping[tuple[str, str], pd.DataFrame]: ...
    @property
    def rooms(self) -> Mapping[Key, Room]: ...
    @property
    def is_whole(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Sum:
    """One number's people with what each said, and its room."""

    said: Mapping[str, float]
    room: Room


def tells_of_comers(now: Sum, before: Sum, scale: Scale, *, colluders: int) -> bool:
    """Whether two numbers of the same group tell of somebody who came or went between them.

    The careful assumption is that everybody who answered both times said the same again.
    """
    return tells(_came_or_went(now, before), _rooms(now, before), scale, colluders=colluders)


def tells_of_erased(now: Sum, before: Sum, scale: Scale, *, colluders: int) -> bool:
    """Whether two numbers of the same group tell of one more, who was in the earlier and is erased since.

    Nobody knows any more what they said, so it may have been either end of the scale.
    """
    parts, rooms = _came_or_went(now, before), _rooms(now, before)
    ends = (Part(-1.0, scale.low), Part(-1.0, scale.high))
    return any(tells([*parts, erased], rooms, scale, colluders=colluders) for erased in ends)


def _came_or_went(now: Sum, before: Sum) -> list[Part]:
    parts = [Part(1.0, value) for person, value in now.said.items() if person not in before.said]
    return parts + [Part(-1.0, value) for person, value in before.said.items() if person not in now.said]


def _rooms(now: Sum, before: Sum) -> tuple[float, float]:
    return now.room.up + before.room.down, now.room.down + before.room.up


def tells(parts: Iterable[Part], rooms: tuple[float, float], scale: Scale, *, colluders: int) -> bool:
    """Whether a difference proves somebody's answer, or that it is a low one.

    `rooms`: how far it may lie up and down without a shown number being another.
    """
    counted = [part for part in parts if part.weight != 0]
    up = [_range(part, scale, 1) for part in counted]
    down = [_range(part, scale, -1) for part in counted]
    return any(
        not _is_safe(
            part,
            (rooms[0] + _others(down, place, colluders), rooms[1] + _others(up, place, colluders)),
            scale,
        )
        for place, part in enumerate(counted)
    )


def _is_safe(part: Part, taken_up: tuple[float, float], scale: Scale) -> bool:
    """`taken_up`: by how much the rest of the difference can make up for more, and for less."""
    more, less = taken_up if part.weight > 0 else taken_up[::-1]
    up = min(more / abs(part.weight), scale.high - part.value) + SAME
    down = min(less / abs(part.weight), part.value - scale.low) + SAME
    if part.value < scale.middle and part.value + up < scale.middle:
        return False
    return max(up, down) >= scale.apart or min(up, down) >= scale.apart / 2


def _range(part: Part, scale: Scale, way: int) -> float:
    """How far a difference moves up (`way` 1) or down (−1) when one of its people says something else."""
    is_more = way * part.weight > 0
    free = scale.high - part.value if is_more else part.value - scale.low
    return abs(part.weight) * max(free, 0.0)


def _others(ranges: list[float], place: int, colluders: int) -> float:
    """What is left of the others when those who could do most tell theirs."""
    rest = sorted(ranges[:place] + ranges[place + 1 :])
    return sum(rest[: max(len(rest) - colluders, 0)])
