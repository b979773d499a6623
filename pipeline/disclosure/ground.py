"""Lays people out by two attributes, with the room that every shown mean leaves their sum."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.disclosure.crowd import PROGRAMME, TWO_WAY, Key

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
REST = ""  # the groups of an attribute that are not shown
FREE = float("inf")


@dataclass(frozen=True, kw_only=True)
class Room:
    """How far the sum behind a shown mean could lie higher (`up`) or lower (`down`) without the mean being told so."""

    n: int
    up: float
    down: float


@dataclass(frozen=True, kw_only=True)
class Ground:
    """One metric of one side. Every person is an edge from a group of the first attribute to one of the second.

    `first` and `second` are the groups' places by person, `value` what each said; `rooms` how far the sums of the
    first and of the second attribute's groups can move, as arrays (up, down) by place, and `cells` those of the
    two-way groups that are shown. Groups that are not shown share one place: what is known of them is the rest of
    the programme. Where an attribute is missing, its one place is the programme.
    """

    first: Codes
    second: Codes
    value: Floats
    rooms: tuple[Floats, Floats]
    cells: Mapping[tuple[int, int], tuple[float, float]]
    names: tuple[list[str], list[str]]
    whole: tuple[float, float] = (FREE, FREE)  # how far the programme's sum can move, up and down

    @property
    def shape(self) -> tuple[int, int]:
        return self.rooms[0].shape[1], self.rooms[1].shape[1]


class _Placed(NamedTuple):
    """One attribute: everyone's place, the places' names, and how far each place's sum can move (up, down)."""

    place: Codes
    names: list[str]
    room: Floats


def ground(told: pd.DataFrame, rooms: Mapping[Key, Room], attributes: Iterable[str]) -> Ground:
    """Who said what, and the rooms of the numbers that are shown, for at most two attributes.

    A two-way group is shown only where both its groups are.
    """
    whole = next((room for key, room in rooms.items() if key.view == PROGRAMME), None)
    first, second = (_placed(told, rooms, view, whole) for view in (*attributes, PROGRAMME, PROGRAMME)[:2])
    cells = {
        (first.names.index(of_first), second.names.index(of_second)): (room.up, room.down)
        for key, room in rooms.items()
        if key.is_two_way
        for of_first, of_second in [key.group.split(TWO_WAY)]
    }
    return Ground(
        first=first.place,
        second=second.place,
        value=told["value"].to_numpy(dtype=float),
        rooms=(first.room, second.room),
        cells=cells,
        names=(first.names, second.names),
        whole=(FREE, FREE) if whole is None else (whole.up, whole.down),
    )


def _placed(told: pd.DataFrame, rooms: Mapping[Key, Room], view: str, whole: Room | None) -> _Placed:
    most = (FREE, FREE) if whole is None else (whole.up, whole.down)
    if view == PROGRAMME:
        return _Placed(np.zeros(len(told), dtype=np.int64), [PROGRAMME], np.array([most]).T)
    of_view = {key.group: key for key in rooms if key.view == view}
    shown = {name: rooms[key] for name, key in of_view.items()}
    names, groups = [*sorted(shown), REST], set(told[view])
    place = {part: k for k, name in enumerate(names[:-1]) for part in of_view[name].parts_among(groups)}
    moving = [(min(shown[name].up, most[0]), min(shown[name].down, most[1])) for name in names[:-1]]
    places = np.array([place.get(name, len(names) - 1) for name in told[view]], dtype=np.int64)
    return _Placed(places, names, np.array([*moving, most], dtype=float).T)
