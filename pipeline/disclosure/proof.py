"""Finds people whose own answer a reader could prove from shown means, alone or together with others who tell theirs.

A reader knows who belongs where, and that every sum lies within the room of its mean and every answer within the
scale. A person is safe where another answer of theirs fits all of that: they move by some points, and others, or the
rooms, take it up. With at most two attributes people are edges between groups of the first and groups of the second,
so what the others can take up is a flow from one of the person's two groups to the other: over people who could have
said less, then more, then less, or over the rooms of groups of the first attribute, the programme's own, and those of
the second. Colluders take their own answers out of it. No coalition of c cuts a flow below F − c·t when nobody
carries more than t of it; that is what is asked for, and it errs on the side of the person (a coalition found here
need not exist).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from pipeline.disclosure.ground import Floats, Ground

CARRIED = (1.0, 0.5, 2.0, 4.0)  # the most that one other person takes up, in steps between two answers
GRAIN = 64.0  # flows are whole numbers; a 64th of a point
ENDLESS = 2**28
SAME = 1e-2  # flows are cut to a grain on every edge


class Move(NamedTuple):
    """A person of a cell who said `value` says more (`way` 1) or less (−1) by some points instead."""

    cell: tuple[int, int]
    value: float
    way: int
    points: float


class Scale(NamedTuple):
    """Between which ends answers lie, how far apart two of them are, and below what they are low ones."""

    low: float
    high: float
    apart: float
    middle: float = float("-inf")


def exposed(on: Ground, scale: Scale, *, colluders: int) -> set[tuple[int, int]]:
    """The cells (places in both attributes) in which somebody's answer, or that it is a low one, could be proven.

    An answer is proven where less than the distance of two answers is left open.
    """
    field = _Field(on, scale, colluders)
    found = set()
    for cell in sorted(set(zip(on.first.tolist(), on.second.tolist(), strict=True))):
        values = np.unique(on.value[(on.first == cell[0]) & (on.second == cell[1])])
        if not all(_is_safe(field, cell, float(value), scale) for value in values):
            found.add(cell)
    return found


def _is_safe(field: "_Field", cell: tuple[int, int], value: float, scale: Scale) -> bool:
    if value < scale.middle and not field.allows(Move(cell, value, 1, scale.middle - value)):
        return False
    if any(field.allows(Move(cell, value, way, scale.apart)) for way in (1, -1)):
        return True
    return all(field.allows(Move(cell, value, way, scale.apart / 2)) for way in (1, -1))


class _Field:
    """How much the people of every cell can take up, by the most that one of them carries."""

    def __init__(self, on: Ground, scale: Scale, colluders: int) -> None:
        self._on = on
        self._scale = scale
        self._colluders = colluders
        value = np.clip(on.value, scale.low, scale.high)  # a score made by the model may lie beyond an end
        self._carried = [steps * scale.apart for steps in CARRIED]
        self._down = {most: self._by_cell(np.minimum(value - scale.low, most)) for most in self._carried}
        self._up = {most: self._by_cell(np.minimum(scale.high - value, most)) for most in self._carried}

    def _by_cell(self, amount: Floats) -> Floats:
        found: Floats = np.zeros(self._on.shape)
        np.add.at(found, (self._on.first, self._on.second), amount)
        return found

    def allows(self, move: Move) -> bool:
        """Whether the move fits all that is shown, whoever the colluders are."""
        after = move.value + move.way * move.points
        is_on_scale = after <= self._scale.high + SAME if move.way > 0 else after >= self._scale.low - SAME
        if not is_on_scale:
            return False
        return any(self._is_taken_up(move, most) for most in self._carried)

    def _is_taken_up(self, move: Move, most: float) -> bool:
        needed = move.points + self._colluders * most - SAME
        against, along = self._capacities(move, most)
        own, side = against[move.cell], (0 if move.way > 0 else 1)
        if move.cell in self._on.cells and own + self._on.cells[move.cell][side] < needed:
            return False
        return _reach(self._on, against, move) >= needed or _flow(self._on, against, along, move) >= needed

    def _capacities(self, move: Move, most: float) -> tuple[Floats, Floats]:
        """What others can take up against the move, and along it; oneself left out."""
        down, up = self._down[most].copy(), self._up[most].copy()
        value = min(max(move.value, self._scale.low), self._scale.high)
        down[move.cell] -= min(value - self._scale.low, most)
        up[move.cell] -= min(self._scale.high - value, most)
        return (down, up) if move.way > 0 else (up, down)


def _reach(on: Ground, against: Floats, move: Move) -> float:
    """A part of the flow that needs no search: what both groups keep, or pass on in one step."""
    with_, contrary = (0, 1) if move.way > 0 else (1, 0)
    kept = [float(on.rooms[first][with_, move.cell[first]]) for first in (0, 1)]
    passed = [_passed(on, against, move, first, contrary) for first in (0, 1)]
    most = min(
        kept[0] + passed[0],
        kept[1] + passed[1],
        passed[0] + passed[1] + on.whole[with_],
        kept[0] + kept[1] + on.whole[contrary],
    )
    return float(against[move.cell]) + most


def _passed(on: Ground, against: Floats, move: Move, first: int, contrary: int) -> float:
    here, there = move.cell[first], move.cell[1 - first]
    out, room = (against if first == 0 else against.T)[here].copy(), on.rooms[1 - first][contrary].copy()
    for cell, within in on.cells.items():
        if cell[first] == here:
            room[cell[1 - first]] = min(room[cell[1 - first]], within[contrary])
    out[there] = 0.0
    return float(np.minimum(out, room).sum())


def _flow(on: Ground, against: Floats, along: Floats, move: Move) -> float:
    """How much goes from the moved person's group of the first attribute to that of the second, in points.

    Groups of the first attribute hold too much and pass it on `against` the move; those of the second then hold too
    little and pass that on `along` it. What is kept within the rooms of the first attribute's groups, and of the
    second's, is the programme's in both: between the two lies the programme's own room.
    """
    with_, contrary = (0, 1) if move.way > 0 else (1, 0)
    out, back = against.copy(), along.copy()
    for cell, room in on.cells.items():
        if cell != move.cell:
            out[cell] = min(out[cell], room[contrary])
            back[cell] = min(back[cell], room[with_])
    n_first, n_second = out.shape
    n = n_first + n_second
    capacity = np.zeros((n + 2, n + 2))
    capacity[:n_first, n_first:n] = out
    capacity[n_first:n, :n_first] = back.T
    capacity[:n_first, n], capacity[n, :n_first] = on.rooms[0][with_], on.rooms[0][contrary]
    capacity[n + 1, n_first:n], capacity[n_first:n, n + 1] = on.rooms[1][with_], on.rooms[1][contrary]
    capacity[n, n + 1], capacity[n + 1, n] = on.whole[with_], on.whole[contrary]
    return _most(capacity, move.cell[0], n_first + move.cell[1])


def _most(capacity: Floats, source: int, sink: int) -> float:
    whole: NDArray[np.int32] = np.minimum(capacity * GRAIN, ENDLESS).astype(np.int32)
    return float(maximum_flow(csr_array(whole), source, sink).flow_value) / GRAIN
