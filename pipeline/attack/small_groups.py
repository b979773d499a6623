"""Looks for sums of a few people that follow from sums that are shown."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space

from pipeline.attack.puzzle import Codes, Puzzle
from pipeline.attack.ranges import Sets, sets_of

CLOSE = 1e-8
MOST_SETS = 400  # small sets that are tried in threes and fours; beyond, the first of them
Marks = NDArray[np.complex128]


def small_unions(asked: Puzzle, most: int) -> list[tuple[int, ...]]:
    """Unions of one to four sets, of at most `most` people together, whose sum the shown sums determine.

    A sum of sets follows from the shown ones exactly where it has no part in the null space of their matrix. Every
    set is marked by a random direction of that space; such unions are those whose marks add up to nothing.
    """
    sets = sets_of(asked)
    marks = _marks(sets)
    small = np.flatnonzero(sets.size <= most)
    alone = [(int(each),) for each in small if abs(marks[each]) < CLOSE]
    rest = small[np.abs(marks[small]) >= CLOSE][:MOST_SETS]
    unions = {tuple(sorted(union)) for union in _two_to_four(rest, marks)}
    return sorted(union for union in (*alone, *unions) if sets.size[list(union)].sum() <= most)


def determined(asked: Puzzle) -> Codes:
    """The scores that the shown sums, if they are exact, give away by adding and subtracting alone."""
    sets = sets_of(asked)
    is_known = (np.abs(_marks(sets)) < CLOSE) & (sets.size == 1)
    found: Codes = np.flatnonzero(is_known[sets.code])
    return found


def _marks(sets: Sets) -> Marks:
    """Of each set's sum: its part in the null space, seen from one (complex) direction."""
    sums = sets.matrix.toarray() / sets.size
    space = null_space(sums / np.maximum(np.abs(sums).max(axis=1, keepdims=True), 1e-300))
    rng = np.random.default_rng(1)
    direction = rng.standard_normal(space.shape[1]) + 1j * rng.standard_normal(space.shape[1])
    found: Marks = space @ direction
    return found


def _two_to_four(rest: Codes, marks: Marks) -> Iterator[set[int]]:
    """Pairs with no mark; pairs whose mark another set, or another pair, takes back."""
    first, second = np.triu_indices(len(rest), 1)
    pairs = list(zip(rest[first].tolist(), rest[second].tolist(), strict=True))
    summed = marks[rest[first]] + marks[rest[second]]
    yield from (set(pairs[at]) for at in np.flatnonzero(np.abs(summed) < CLOSE))
    for at, other in _opposites(summed, marks[rest]):
        if rest[other] not in pairs[at]:
            yield {*pairs[at], int(rest[other])}
    for at, other in _opposites(summed, summed):
        union = {*pairs[at], *pairs[other]}
        if len(union) == 4:
            yield union


def _opposites(these: Marks, those: Marks) -> Iterator[tuple[int, int]]:
    """Places of marks of the two lists that add up to nothing."""
    order = np.argsort(those.real)
    real = those.real[order]
    from_, to = np.searchsorted(real, -these.real - CLOSE), np.searchsorted(real, -these.real + CLOSE)
    for at in np.flatnonzero(to > from_):
        for other in order[from_[at] : to[at]]:
            if abs(these[at] + those[other]) < CLOSE:
                yield int(at), int(other)
