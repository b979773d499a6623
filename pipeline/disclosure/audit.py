"""Chooses what to withhold until nobody's answer, and no small group's sum, can be worked out from what is left.

The least useful number goes first: two-way before one-way, few people before many, the programme last. At the end
what was withheld is tried again, the most useful first: some of it is safe beside what stays.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

import pandas as pd

from pipeline.disclosure.crowd import PROGRAMME, TWO_WAY, Key
from pipeline.disclosure.ground import REST, Ground, Room, ground
from pipeline.disclosure.proof import Scale, exposed
from pipeline.disclosure.rooms import members
from pipeline.disclosure.unions import smallest


@dataclass(frozen=True, kw_only=True)
class Auditor:
    """One metric of one side: `told` who said what, `scale` its ends, `least` the fewest whose sum may be known.

    `least` is None where no sum is known exactly (counts in steps). `colluders` people may tell each other theirs.
    """

    told: pd.DataFrame
    scale: Scale
    least: int | None
    colluders: int

    def kept(self, rooms: Mapping[Key, Room]) -> Set[Key]:
        """Which of these numbers, each with its room, may be shown together."""
        kept = {key: room for key, room in rooms.items() if all(needed in rooms for needed in one_way(key))}
        dropped: list[Key] = []
        while suspects := self.suspects(kept):
            last = min(suspects, key=lambda key: _usefulness(key, rooms))
            gone = [key for key in kept if key == last or _rests_on(key, last)]
            dropped += gone
            for key in gone:
                del kept[key]
        for key in sorted(dropped, key=lambda key: _usefulness(key, rooms), reverse=True):
            more = {**kept, key: rooms[key]}
            if all(needed in kept for needed in one_way(key)) and not self.suspects(more):
                kept = more
        return set(kept)

    def suspects(self, rooms: Mapping[Key, Room]) -> list[Key]:
        """The numbers of which one must go; none where all may be shown."""
        if self.least is not None:
            keys = list(rooms)
            found = smallest([self._people(key) for key in keys], below=self.least)
            if found is not None:
                return _without_programme(keys[place] for place in found[1])
        on = ground(self.told, rooms, _views(self.told))
        cells = exposed(on, self.scale, colluders=self.colluders)
        return _without_programme(_holding(on, min(cells), rooms)) if cells else []

    def _people(self, key: Key) -> frozenset[str]:
        return frozenset(self.told.loc[members(self.told, key), "unit"])


def one_way(key: Key) -> Iterable[Key]:
    """The two one-way numbers that a two-way one stands within; none of any other."""
    if key.is_two_way:
        for view, group in zip(key.view.split(TWO_WAY), key.group.split(TWO_WAY), strict=True):
            yield Key(metric=key.metric, view=view, group=group, side=key.side)


def _rests_on(key: Key, other: Key) -> bool:
    return other.view == PROGRAMME or other in set(one_way(key))


def _usefulness(key: Key, rooms: Mapping[Key, Room]) -> tuple[bool, bool, int, str, str]:
    return key.view == PROGRAMME, not key.is_two_way, rooms[key].n, key.view, key.group


def _views(told: pd.DataFrame) -> list[str]:
    return [name for name in told.columns if name not in ("unit", "value")]


def _without_programme(keys: Iterable[Key]) -> list[Key]:
    found = list(keys)
    return [key for key in found if key.view != PROGRAMME] or found


def _holding(on: Ground, cell: tuple[int, int], rooms: Mapping[Key, Room]) -> list[Key]:
    """The shown numbers that hold the people of a cell; all of an attribute's where theirs is the rest of it."""
    names = [on.names[k][cell[k]] for k in (0, 1)]
    found = []
    for key in rooms:
        if key.is_two_way:
            is_in = key.group == TWO_WAY.join(names)
        else:
            is_in = (
                key.view == PROGRAMME
                or key.group in names
                or any(name == REST and key.group in on.names[k] for k, name in enumerate(names))
            )
        if is_in:
            found.append(key)
    return found
