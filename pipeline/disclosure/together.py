"""Finds who came or went between two releases whose answer all numbers of both, taken together, would prove.

`difference` holds a number against the same one of the last release. A reader may also put groups together: what the
programme says now, less what every group said then. Whoever answered both times is taken to have said the same again
where they did. People in the same shown groups of both releases are one unknown, the sum of what they said.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, linprog
from scipy.sparse import csr_array, hstack

from pipeline.disclosure.crowd import MERGED, PROGRAMME, Key
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import Scale
from pipeline.disclosure.rooms import said

SAME = 1e-6
SLACK = 1e-4  # points of a sum: the truth must fit, whatever the order of adding was
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


def telling_together(now: Release, before: Release, scale: Scale) -> set[Key]:
    """Which numbers of this release have to go; the least useful first, and the programme's last."""
    rooms, gone = dict(now.rooms), set[Key]()
    while rooms:
        holding = _holding(Release(now.told, rooms), before, scale)
        if not holding:
            break
        last = min(holding, key=lambda key: (MERGED not in key.group, key.view == PROGRAMME, rooms[key].n, key.group))
        gone.add(last)
        del rooms[last]
    return gone


def _holding(now: Release, before: Release, scale: Scale) -> list[Key]:
    """The numbers of this release that prove an answer of somebody who came or went, beside all others."""
    of_now, of_before = _by_unit(now.told), _by_unit(before.told)
    moved = set(of_now) ^ set(of_before)
    if not moved or not before.rooms:
        return []
    keys = list(now.rooms)
    sums = [(said(now.told, key), room, 0) for key, room in now.rooms.items()]
    sums += [(said(before.told, key), room, 1) for key, room in before.rooms.items()]
    places = _places(of_now, of_before)
    classes, people, puzzle = _laid_out(sums, places, (of_now, of_before), scale)
    for unit in sorted(moved):
        at = classes[places[unit, 0 if unit in of_now else 1]]
        value = of_now.get(unit, of_before.get(unit, 0.0))
        if people[at] <= FEW and (rows := _proving(puzzle, at, int(people[at]), value, scale)):
            found = [keys[row] for row in rows if row < len(keys)]
            if found:
                return found
    return []


def _by_unit(told: pd.DataFrame) -> dict[str, float]:
    values: dict[str, float] = told.groupby("unit")["value"].mean().to_dict()
    return values


def _places(now: Mapping[str, float], before: Mapping[str, float]) -> dict[tuple[str, int], int]:
    """One unknown a person and release; one for both where they said the same again."""
    places: dict[tuple[str, int], int] = {}
    for unit in sorted({*now, *before}):
        is_same = unit in now and unit in before and abs(now[unit] - before[unit]) < SAME
        for release, values in enumerate((now, before)):
            if unit in values:
                places[unit, release] = places[unit, 0] if release and is_same else len(set(places.values()))
    return places


def _laid_out(
    sums: Sequence[tuple[Mapping[str, float], Room, int]],
    places: Mapping[tuple[str, int], int],
    values: tuple[Mapping[str, float], Mapping[str, float]],
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
    puzzle = _Puzzle(
        matrix=csr_array(inside[:, first].astype(float)),
        low=total - [room.down + SLACK for _, room, _ in sums],
        high=total + [room.up + SLACK for _, room, _ in sums],
        lowest=np.asarray(np.bincount(classes, weights=np.minimum(truth, scale.low)), dtype=float),
        highest=np.asarray(np.bincount(classes, weights=np.maximum(truth, scale.high)), dtype=float),
    )
    return classes, people, puzzle


def _proving(puzzle: _Puzzle, at: int, n: int, value: float, scale: Scale) -> list[int]:
    """The sums that prove one of a class's answers; none where another answer fits."""
    ends = [_end(puzzle, at, n, sign, scale) for sign in (1.0, -1.0)]
    if any(found.x is None for found in ends):
        return []  # what is taken for the same again is not: such a reader finds a contradiction
    least, most = float(ends[0].fun), -float(ends[1].fun)
    up, down = most - value + SLACK, value - least + SLACK
    is_low = value < scale.middle and most < scale.middle - SLACK
    is_open = max(up, down) >= scale.apart or min(up, down) >= scale.apart / 2
    if is_open and not is_low:
        return []
    return sorted({row for found in ends for row in _binding(found, len(puzzle.low))})


def _end(puzzle: _Puzzle, at: int, n: int, sign: float, scale: Scale) -> OptimizeResult:
    """One person of a class as low (`sign` 1) or as high (−1) as fits; the others of the class stay one unknown."""
    column = puzzle.matrix[:, [at]]
    matrix = csr_array(hstack([puzzle.matrix, column]))
    share = (n - 1) / n
    bounds = list(zip(puzzle.lowest, puzzle.highest, strict=True))
    bounds[at] = (puzzle.lowest[at] * share, puzzle.highest[at] * share)
    bounds.append((min(scale.low, puzzle.lowest[at] / n), max(scale.high, puzzle.highest[at] / n)))
    towards = np.zeros(matrix.shape[1])
    towards[-1] = sign
    both = csr_array(matrix)
    return linprog(
        towards,
        A_ub=csr_array(_stacked(both, -both)),
        b_ub=np.concatenate([puzzle.high, -puzzle.low]),
        bounds=bounds,
        method="highs",
    )


def _stacked(upper: csr_array, lower: csr_array) -> csr_array:
    return csr_array(hstack([upper.T, lower.T]).T)


def _binding(found: OptimizeResult, n_rows: int) -> Iterable[int]:
    return (int(row) % n_rows for row in np.flatnonzero(np.abs(found.ineqlin.marginals) > SAME))
