"""Finds who came or went between releases whose answer all numbers of these, taken together, would prove.

`difference` holds a number against the same one of the last release. A reader may also put groups together: what the
programme says now, less what every group said then. Whoever answered again is taken to have said the same again where
they did. People in the same shown groups of all releases are one unknown, the sum of what they said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, linprog
from scipy.sparse import csr_array, hstack, vstack

from pipeline.disclosure.crowd import MERGED, PROGRAMME, Key
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import Scale
from pipeline.disclosure.rooms import said

SAME = 1e-6
SLACK = 1e-4  # points of a sum, and SAME for each person in it: the truth must fit, whatever the order of adding was
SWEEPS, SEED = 3, 20261  # directions that are looked into first, both ways
FEW = 4  # so many or fewer who came or went together; of more nobody's answer is proven
Floats = NDArray[np.float64]


class Release(NamedTuple):
    """One release of one metric and side: who said what, and the rooms of the numbers that it shows."""

    told: pd.DataFrame
    rooms: Mapping[Key, Room]


class _Puzzle(NamedTuple):
    """Sums over classes of people between two ends; `lowest` and `highest` what each class could come to."""

    matrix: csr_array
    low: Floats
    high: Floats
    lowest: Floats
    highest: Floats


def telling_together(now: Release, earlier: Sequence[Release], scale: Scale) -> set[Key]:
    """Which numbers of this release have to go; the least useful first, and the programme's last.

    `earlier`: the releases that a reader holds beside it, the newest first.
    """
    rooms, gone = dict(now.rooms), set[Key]()
    known = [each for each in earlier if each.rooms]
    while rooms and known:
        holding = _holding([now._replace(rooms=rooms), *known], scale)
        if not holding:
            break
        last = min(holding, key=lambda key: (MERGED not in key.group, key.view == PROGRAMME, rooms[key].n, key.group))
        gone.add(last)
        del rooms[last]
    return gone


def _holding(releases: Sequence[Release], scale: Scale) -> list[Key]:
    """The numbers of the first release that prove an answer of somebody who came or went, beside all others."""
    values = [_by_unit(each.told) for each in releases]
    answered = Counter(unit for each in values for unit in each)
    moved = {unit for unit, n in answered.items() if n < len(releases)}
    if not moved:
        return []
    keys = list(releases[0].rooms)
    sums = [(said(each.told, key), room, k) for k, each in enumerate(releases) for key, room in each.rooms.items()]
    places = _places(values)
    classes, people, puzzle = _laid_out(sums, places, values, scale)
    reach = _Reach(puzzle, people, scale)
    for point in _far_points(puzzle, people):
        reach.see(point)
    for (unit, release), place in sorted(places.items()):
        at, value = int(classes[place]), values[release][unit]
        if unit not in moved or people[at] > FEW or reach.is_open(at, value):
            continue
        ends = [_end(puzzle, at, int(people[at]), sign, scale) for sign in (1.0, -1.0)]
        if is_solved := all(found.x is not None for found in ends):
            for found in ends:
                reach.see(_over_classes(found.x, at))
        if is_solved and reach.is_open(at, value):
            continue
        rows = _binding(ends, len(puzzle.low)) if is_solved else _over(puzzle, at)
        if telling := [keys[row] for row in rows if row < len(keys)]:
            return telling
    return []


class _Reach:
    """How far one person of each class has been seen to go, in points that fit all sums.

    What was seen is a proof that it is possible, so most need no linear programme of their own.
    """

    def __init__(self, puzzle: _Puzzle, people: NDArray[np.int64], scale: Scale) -> None:
        self._scale = scale
        self._low, self._high = _ends_of_one(puzzle, people, scale)
        self._rest_low, self._rest_high = (bound * (people - 1) / people for bound in (puzzle.lowest, puzzle.highest))
        self._least, self._most = np.full(len(people), np.inf), np.full(len(people), -np.inf)

    def see(self, totals: Floats) -> None:
        """Sums of all classes that fit."""
        self._most = np.maximum(self._most, np.minimum(totals - self._rest_low, self._high))
        self._least = np.minimum(self._least, np.maximum(totals - self._rest_high, self._low))

    def is_open(self, at: int, value: float) -> bool:
        """Whether so much else fits that nobody can tell this answer of the class, nor that it is a low one."""
        up, down = self._most[at] - value + SLACK, value - self._least[at] + SLACK
        is_low = value < self._scale.middle and self._most[at] < self._scale.middle - SLACK
        apart = self._scale.apart
        return not is_low and (max(up, down) >= apart or min(up, down) >= apart / 2)


def _far_points(puzzle: _Puzzle, people: NDArray[np.int64]) -> Iterator[Floats]:
    """Points that fit all sums in which many small classes lie as far out as they can, each once up and once down."""
    rng, is_small = np.random.default_rng(SEED), people <= FEW
    for signs in rng.choice([-1.0, 1.0], (SWEEPS, len(people))):
        for way in (signs, -signs):
            found = linprog(way * is_small, **_within(puzzle, puzzle.matrix), bounds=_bounds(puzzle), method="highs")
            if found.x is not None:
                yield np.asarray(found.x, dtype=float)


def _ends_of_one(puzzle: _Puzzle, people: NDArray[np.int64], scale: Scale) -> tuple[Floats, Floats]:
    """Between what one person of each class can lie; beyond the scale where their score does."""
    return np.minimum(scale.low, puzzle.lowest / people), np.maximum(scale.high, puzzle.highest / people)


def _over_classes(point: Floats, at: int) -> Floats:
    """The sums of the classes, the person who was looked at among their own."""
    totals: Floats = point[:-1].copy()
    totals[at] += point[-1]
    return totals


def _by_unit(told: pd.DataFrame) -> dict[str, float]:
    values: dict[str, float] = told.groupby("unit")["value"].mean().to_dict()
    return values


def _places(values: Sequence[Mapping[str, float]]) -> dict[tuple[str, int], int]:
    """One unknown a person and release (the newest first); one for all in a row in which they said the same again."""
    places: dict[tuple[str, int], int] = {}
    n = 0
    for unit in sorted(set().union(*values)):
        first: int | None = None
        for release in range(len(values) - 1, -1, -1):
            if unit not in values[release]:
                continue
            if first is not None and abs(values[first][unit] - values[release][unit]) < SAME:
                places[unit, release] = places[unit, first]
            else:
                places[unit, release], n, first = n, n + 1, release
    return places


def _laid_out(
    sums: Sequence[tuple[Mapping[str, float], Room, int]],
    places: Mapping[tuple[str, int], int],
    values: Sequence[Mapping[str, float]],
    scale: Scale,
) -> tuple[NDArray[np.int64], NDArray[np.int64], _Puzzle]:
    """Class of every unknown, people of every class, and the sums over classes."""
    n = max(places.values()) + 1
    inside = np.zeros((len(sums), n), dtype=bool)
    for row, (members, _, release) in enumerate(sums):
        inside[row, [places[unit, release] for unit in members]] = True
    truth: Floats = np.zeros(n)
    for (unit, release), place in places.items():
        truth[place] = values[release][unit]
    _, first, classes = np.unique(inside, axis=1, return_index=True, return_inverse=True)
    classes = classes.reshape(-1)
    people = np.bincount(classes)
    total = np.array([sum(members.values()) for members, _, _ in sums])
    slack = SLACK + SAME * np.array([len(members) for members, _, _ in sums])
    puzzle = _Puzzle(
        matrix=csr_array(inside[:, first].astype(float)),
        low=total - [room.down for _, room, _ in sums] - slack,
        high=total + [room.up for _, room, _ in sums] + slack,
        lowest=np.asarray(np.bincount(classes, weights=np.minimum(truth, scale.low)), dtype=float),
        highest=np.asarray(np.bincount(classes, weights=np.maximum(truth, scale.high)), dtype=float),
    )
    return classes, people, puzzle


def _end(puzzle: _Puzzle, at: int, n: int, sign: float, scale: Scale) -> OptimizeResult:
    """One person of a class as low (`sign` 1) or as high (−1) as fits; the others of the class stay one unknown."""
    column = puzzle.matrix[:, [at]]
    matrix = csr_array(hstack([puzzle.matrix, column]))
    share = (n - 1) / n
    bounds = _bounds(puzzle)
    bounds[at] = (puzzle.lowest[at] * share, puzzle.highest[at] * share)
    bounds.append((min(scale.low, puzzle.lowest[at] / n), max(scale.high, puzzle.highest[at] / n)))
    towards = np.zeros(matrix.shape[1])
    towards[-1] = sign
    return linprog(towards, **_within(puzzle, matrix), bounds=bounds, method="highs")


def _bounds(puzzle: _Puzzle) -> list[tuple[float, float]]:
    return list(zip(puzzle.lowest, puzzle.highest, strict=True))


def _within(puzzle: _Puzzle, matrix: csr_array) -> dict[str, Any]:
    """Every sum between its two ends, as `linprog` is told."""
    both = csr_array(vstack([matrix, -matrix]))
    return {"A_ub": both, "b_ub": np.concatenate([puzzle.high, -puzzle.low])}


def _binding(ends: Iterable[OptimizeResult], n_rows: int) -> list[int]:
    """The sums that hold both ends where they are."""
    return sorted({int(row) % n_rows for end in ends for row in np.flatnonzero(np.abs(end.ineqlin.marginals) > SAME)})


def _over(puzzle: _Puzzle, at: int) -> list[int]:
    """All sums over a class; where its ends cannot be worked out, every one of them may tell."""
    return [int(row) for row in puzzle.matrix[:, [at]].nonzero()[0]]
