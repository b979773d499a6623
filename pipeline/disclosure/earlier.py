"""Finds numbers that, beside the last one shown of the same group, tell of the few who came or went since.

The careful assumption is that everybody who answered both times said the same again. Then the difference of the two
sums is what the comers said less what the leavers had said, within the rooms of both means. A comer is safe where
another answer of theirs fits: the rooms, the other comers and the leavers take it up, whatever the colluders among
them tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.disclosure.crowd import Key
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import SAME, Scale


@dataclass(frozen=True, kw_only=True)
class Before:
    """The last release of a programme: who said what then, and the rooms of the numbers that it shows."""

    told: Mapping[tuple[str, str], pd.DataFrame]
    rooms: Mapping[Key, Room]


@dataclass(frozen=True, kw_only=True)
class Sum:
    """One number's people with what each said, and its room."""

    said: Mapping[str, float]
    room: Room


def tells_of_comers(now: Sum, before: Sum, scale: Scale, *, colluders: int) -> bool:
    """Whether somebody's answer, or that it is a low one, could be proven from two numbers of the same group."""
    came = {person: value for person, value in now.said.items() if person not in before.said}
    left = {person: value for person, value in before.said.items() if person not in now.said}
    sides = ((came, left, now.room, before.room), (left, came, before.room, now.room))
    return any(
        not _is_safe(person, own, other, rooms, scale, colluders) for own, other, *rooms in sides for person in own
    )


def _is_safe(
    person: str,
    own: Mapping[str, float],
    other: Mapping[str, float],
    rooms: Sequence[Room],
    scale: Scale,
    colluders: int,
) -> bool:
    """Whether this one of the people who are in one of the two sums only could have said something else."""
    value = min(max(own[person], scale.low), scale.high)
    rest = [each for name, each in own.items() if name != person]
    up = rooms[0].up + rooms[1].down + _moved(rest, other.values(), scale, -1, colluders)
    down = rooms[0].down + rooms[1].up + _moved(rest, other.values(), scale, 1, colluders)
    up, down = min(up, scale.high - value) + SAME, min(down, value - scale.low) + SAME
    if value < scale.middle and value + up < scale.middle:
        return False
    return max(up, down) >= scale.apart or min(up, down) >= scale.apart / 2


def _moved(own: Iterable[float], other: Iterable[float], scale: Scale, way: int, colluders: int) -> float:
    """How far the others can move the difference: those of one's own sum in a way, those of the other against it."""
    room = [scale.high - each if way > 0 else each - scale.low for each in own]
    room += [each - scale.low if way > 0 else scale.high - each for each in other]
    kept = sorted(max(each, 0.0) for each in room)
    return sum(kept[: max(len(kept) - colluders, 0)])
