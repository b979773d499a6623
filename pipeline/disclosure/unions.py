"""Finds small groups of people whose sum a reader gets by adding and subtracting shown sums.

Atoms are people in the same shown groups; a shown sum is a row over atoms. A union of atoms is derived where its
indicator lies in the row space: y·rows = u with u of zeros and ones. Atoms of k people and more cannot be part of a
smaller union, so y is first confined to what cancels on all of them; mostly nothing is left. Otherwise a mixed
integer programme (HiGHS) finds the smallest union, exactly.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.optimize import Bounds, LinearConstraint, milp

Floats = NDArray[np.float64]
LARGEST = 64.0  # no sum is counted more often than this in a subtraction worth making
SAME = 1e-7


def smallest(
    rows: Sequence[frozenset[str]], *, below: int, person_of: Callable[[str], str] = str
) -> tuple[frozenset[str], list[int]] | None:
    """The smallest union of atoms under `below` people that can be derived, and the places of the sums it takes.

    `person_of` says whose answer a member of a row is, where somebody has several.
    """
    atoms, patterns = _atoms(rows)
    people = [frozenset(map(person_of, atom)) for atom in atoms]
    small = np.array([len(each) < below for each in people], dtype=bool)
    if not small.any():
        return None
    free = _cancelling(patterns[:, ~small])
    if free.shape[1] == 0:
        return None
    places = np.flatnonzero(small)
    found = _found(free.T @ patterns[:, small], [people[place] for place in places], below)
    if found is None:
        return None
    taken, mix = found
    union = frozenset().union(*(atoms[place] for place in places[taken]))
    return union, np.flatnonzero(np.abs(free @ mix) > SAME).tolist()


def _atoms(rows: Sequence[frozenset[str]]) -> tuple[list[frozenset[str]], Floats]:
    """People who are in the same rows, and which rows (rows × atoms, 1 where the row holds the atom)."""
    holding: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        for person in sorted(row):  # one order, whatever the process
            holding.setdefault(person, []).append(place)
    of: dict[tuple[int, ...], set[str]] = {}
    for person, held_by in holding.items():
        of.setdefault(tuple(held_by), set()).add(person)
    patterns = np.zeros((len(rows), len(of)))
    for column, places in enumerate(of):
        patterns[list(places), column] = 1.0
    return [frozenset(people) for people in of.values()], patterns


def _cancelling(large: Floats) -> Floats:
    """A basis of the combinations of rows that are zero on every large atom."""
    if large.shape[1] == 0:
        return np.eye(len(large))
    basis: Floats = null_space(large.T)
    return basis


def _found(rows: Floats, people: Sequence[frozenset[str]], below: int) -> tuple[NDArray[np.bool_], Floats] | None:
    """The smallest union within the combinations of these rows.

    Variables are the mix of rows, which atoms are in, and which people are in because one of their atoms is.
    """
    n_mix, n_atoms = rows.shape
    names = {name: place for place, name in enumerate(sorted(frozenset().union(*people)))}
    belongs = [(names[name], atom) for atom, each in enumerate(people) for name in sorted(each)]
    is_in = np.zeros((len(belongs), n_mix + n_atoms + len(names)))
    for line, (name, atom) in enumerate(belongs):
        is_in[line, n_mix + atom], is_in[line, n_mix + n_atoms + name] = -1.0, 1.0
    count = np.concatenate([np.zeros(n_mix + n_atoms), np.ones(len(names))])
    equal = np.hstack([rows.T, -np.eye(n_atoms), np.zeros((n_atoms, len(names)))])
    some = np.concatenate([np.zeros(n_mix), np.ones(n_atoms), np.zeros(len(names))])
    kind = np.concatenate([np.zeros(n_mix), np.ones(n_atoms), np.zeros(len(names))])
    is_mix = np.arange(len(kind)) < n_mix
    solved = milp(
        count,
        constraints=[
            LinearConstraint(equal, 0, 0),
            LinearConstraint(some[None, :], 1, n_atoms),
            LinearConstraint(count[None, :], 0, below - 1),
            LinearConstraint(is_in, 0, np.inf),
        ],
        integrality=kind,
        bounds=Bounds(np.where(is_mix, -LARGEST, 0.0), np.where(is_mix, LARGEST, 1.0)),
    )
    if solved.x is None:
        return None
    return solved.x[n_mix : n_mix + n_atoms] > 0.5, solved.x[:n_mix]
