"""Finds small groups of people whose sum a reader gets by adding and subtracting shown sums.

Atoms are people in the same shown groups; a shown sum is a row over atoms. A union of atoms is derived where its
indicator lies in the row space: y·rows = u with u of zeros and ones. Atoms of k people and more cannot be part of a
smaller union, so y is first confined to what cancels on all of them; mostly nothing is left. Otherwise a mixed
integer programme (HiGHS) finds the smallest union, exactly.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.optimize import Bounds, LinearConstraint, milp

Floats = NDArray[np.float64]
LARGEST = 64.0  # no sum is counted more often than this in a subtraction worth making
SAME = 1e-7


def smallest(rows: Sequence[frozenset[str]], *, below: int) -> tuple[frozenset[str], list[int]] | None:
    """The smallest union of atoms under `below` people that can be derived, and the places of the sums it takes."""
    atoms, patterns = _atoms(rows)
    sizes = np.array([len(atom) for atom in atoms])
    if not len(atoms) or sizes.min() >= below:
        return None
    small = sizes < below
    free = _cancelling(patterns[:, ~small])
    if free.shape[1] == 0:
        return None
    found = _found(free.T @ patterns[:, small], sizes[small], below)
    if found is None:
        return None
    taken, mix = found
    union = frozenset().union(
        *(atom for atom, is_in in zip(np.array(atoms, dtype=object)[small], taken, strict=True) if is_in)
    )
    return union, np.flatnonzero(np.abs(free @ mix) > SAME).tolist()


def _atoms(rows: Sequence[frozenset[str]]) -> tuple[list[frozenset[str]], Floats]:
    """People who are in the same rows, and which rows (rows × atoms, 1 where the row holds the atom)."""
    holding: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        for person in row:
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


def _found(rows: Floats, sizes: NDArray[np.int64], below: int) -> tuple[NDArray[np.bool_], Floats] | None:
    """The smallest union within the combinations of these rows: variables are the mix of rows and who is in."""
    n_mix, n_atoms = rows.shape
    cost = np.concatenate([np.zeros(n_mix), sizes])
    equal = LinearConstraint(np.hstack([rows.T, -np.eye(n_atoms)]), 0, 0)
    some = LinearConstraint(np.concatenate([np.zeros(n_mix), np.ones(n_atoms)])[None, :], 1, n_atoms)
    few = LinearConstraint(cost[None, :], 1, below - 1)
    kind = np.concatenate([np.zeros(n_mix), np.ones(n_atoms)])
    bounds = Bounds(np.where(kind == 1, 0.0, -LARGEST), np.where(kind == 1, 1.0, LARGEST))
    solved = milp(cost, constraints=[equal, some, few], integrality=kind, bounds=bounds)
    if solved.x is None:
        return None
    return solved.x[n_mix:] > 0.5, solved.x[:n_mix]
