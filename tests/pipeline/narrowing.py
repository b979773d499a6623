"""Works out by linear programmes how far shown sums narrow one person's answer down, for tests to compare with."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from pipeline.disclosure.crowd import Key
from pipeline.disclosure.difference import Part
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import Scale
from pipeline.disclosure.rooms import members

POINTS = Scale(0.0, 100.0, 25.0, 50.0)
SAME = 0.05  # flows are cut to a grain


class Reader:
    """What somebody works out by a linear programme from the shown sums and the answers of those who tell theirs."""

    def __init__(self, said: pd.DataFrame, rooms: Mapping[Key, Room], scale: Scale) -> None:
        self.value = said["value"].to_numpy(dtype=float)
        rows = np.array([members(said, each).to_numpy(dtype=float) for each in rooms]).reshape(len(rooms), len(said))
        sums = rows @ self.value
        self.matrix = np.vstack([rows, -rows])
        self.ends = np.concatenate(
            [sums + [each.up for each in rooms.values()], [each.down for each in rooms.values()] - sums]
        )
        self.low, self.high = np.minimum(self.value, scale.low), np.maximum(self.value, scale.high)
        self.scale = scale

    def span(self, person: int, coalition: Sequence[int]) -> tuple[float, float]:
        """The lowest and the highest that the person can have said."""
        low, high, cost = self.low.copy(), self.high.copy(), np.zeros(len(self.value))
        low[list(coalition)] = high[list(coalition)] = self.value[list(coalition)]
        cost[person] = 1.0
        bounds = np.column_stack([low, high])
        kept = np.isfinite(self.ends)
        ends = [
            linprog(sign * cost, A_ub=self.matrix[kept], b_ub=self.ends[kept] + 1e-9, bounds=bounds) for sign in (1, -1)
        ]
        return float(ends[0].fun), -float(ends[1].fun)

    def proves(self, person: int, coalition: Sequence[int]) -> bool:
        """Whether their answer, or that it is a low one, is known."""
        low, high = self.span(person, coalition)
        is_low = self.value[person] < self.scale.middle
        return high - low < self.scale.apart - SAME or (is_low and high < self.scale.middle - SAME)


def span(parts: Sequence[Part], place: int, rooms: tuple[float, float], known: Sequence[int]) -> tuple[float, float]:
    """Between which ends one person's answer lies for somebody who knows the difference and some people's answers."""
    weight, value = (np.array(each) for each in zip(*parts, strict=True))
    total = float(weight @ value)
    low, high = np.minimum(value, 0.0), np.maximum(value, 100.0)
    low[list(known)] = high[list(known)] = value[list(known)]
    bounds, cost = np.column_stack([low, high]), np.eye(len(parts))[place]
    matrix, ends = np.vstack([weight, -weight]), np.array([total + rooms[0], rooms[1] - total]) + 1e-9
    found = [linprog(sign * cost, A_ub=matrix, b_ub=ends, bounds=bounds).fun for sign in (1, -1)]
    return float(found[0]), -float(found[1])


def is_narrowed(parts: Sequence[Part], rooms: tuple[float, float], colluders: int) -> bool:
    n = len(parts)
    for place in range(n):
        others = [k for k in range(n) if k != place]
        for known in combinations(others, min(colluders, len(others))):
            low, high = span(parts, place, rooms, known)
            if high - low < 25 - SAME or (parts[place].value < 50 and high < 50 - SAME):
                return True
    return False
