"""Finds variance components with one group of persons left out at a time, from sums that subtract."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
EFFECTS = ("p", "t", "i", "pt", "pi", "ti", "e")
TOLERANCE = len(EFFECTS) * float(np.finfo(float).eps)


@dataclass(frozen=True, kw_only=True)
class Design:
    """One entry an answer: codes of person, round and item, and the value; `group` of each person, from 0."""

    person: Codes
    round: Codes
    item: Codes
    value: Floats
    group: Codes


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """The cells of a facet that persons have to themselves: answers, their sum, the group and the round or item."""

    n: Floats
    total: Floats
    group: Codes
    person: Codes
    place: Codes


def components_left_out(of: Design) -> Floats:
    """(groups + 1, 7): p, t, i, pt, pi, ti, e without each group, and in the last row with all of them.

    The analogous-ANOVA procedure of `sums_of_squares` (Henderson 1953, Biometrics 9, method 1; Brennan 2001, chapter
    7): the sums of squares of every facet and the counts in their expectations are sums over persons, or quotients
    of such sums, so that leaving a group out subtracts its share. One answer a person, round and item.
    """
    shared, own = _shared(of), _own(of)
    squares, expected = _squares(of, shared, own), _expectations(shared, own)
    left, right = expected[:, 1:] - expected[:, :1], squares[:, 1:] - squares[:, :1]
    found: Floats = (np.linalg.pinv(left, rcond=TOLERANCE) @ right[:, :, None])[:, :, 0]
    return found


def _without(sums: NDArray[Any]) -> Floats:
    """All but each group's own, and all."""
    by_group = sums.astype(float)
    total = by_group.sum(axis=0)
    return np.concatenate([total - by_group, total[None]])


Shared = dict[str, tuple[Floats, Floats]]


def _shared(of: Design) -> Shared:
    """By facet that persons share: answers left and the sum of their values, (groups + 1, cells)."""
    n_groups, n_rounds, n_items = (int(codes.max()) + 1 for codes in (of.group, of.round, of.item))
    shape = (n_groups, n_rounds, n_items)
    cell = (of.group[of.person] * n_rounds + of.round) * n_items + of.item
    value = of.value - of.value.mean()
    size = int(np.prod(shape))
    n = _without(np.bincount(cell, minlength=size).reshape(shape))
    total = _without(np.bincount(cell, value, minlength=size).reshape(shape))
    flat = (len(n), -1)
    axes: dict[str, tuple[int, ...]] = {"": (1, 2), "t": (2,), "i": (1,), "ti": ()}
    return {name: (n.sum(axis=over).reshape(flat), total.sum(axis=over).reshape(flat)) for name, over in axes.items()}


def _own(of: Design) -> dict[str, _Cells]:
    """The cells of p, pt and pi that hold an answer."""
    value = of.value - of.value.mean()
    places = {"p": np.zeros_like(of.round), "pt": of.round, "pi": of.item}
    found = {}
    for name, place in places.items():
        width = int(place.max()) + 1
        code = of.person * width + place
        n = np.bincount(code)
        cell = np.flatnonzero(n)
        total = np.bincount(code, value)[cell].astype(float)
        person = cell // width
        found[name] = _Cells(
            n=n[cell].astype(float), total=total, group=of.group[person], person=person, place=cell % width
        )
    return found


def _squares(of: Design, shared: Shared, own: dict[str, _Cells]) -> Floats:
    """T of every facet, (groups + 1, 8): the mean first, then in the order of the effects."""
    square = {name: (total**2 / np.maximum(n, 1)).sum(axis=1) for name, (n, total) in shared.items()}
    n_groups = int(of.group.max()) + 1
    for name, cells in own.items():
        square[name] = _without(np.bincount(cells.group, cells.total**2 / cells.n, minlength=n_groups))
    value = of.value - of.value.mean()
    square["e"] = _without(np.bincount(of.group[of.person], value**2, minlength=n_groups))
    return np.column_stack([square[name] for name in ("", *EFFECTS)])


def _expectations(shared: Shared, own: dict[str, _Cells]) -> Floats:
    """The coefficient of each effect's variance in each T, (groups + 1, 8, 7): Σ_a Σ_b n_ab² / n_a."""
    n_left = shared[""][0][:, 0]
    found = np.empty((len(n_left), 1 + len(EFFECTS), len(EFFECTS)))
    for row, facet in enumerate(("", *EFFECTS)):
        for column, effect in enumerate(EFFECTS):
            joined = _joined(facet, effect)
            if facet == "e" or joined == facet:
                found[:, row, column] = n_left
            elif "p" in facet:
                found[:, row, column] = _in_own(facet, joined, own, len(n_left) - 1)
            else:
                found[:, row, column] = _in_shared(facet, joined, shared, own)
    return found


def _joined(facet: str, effect: str) -> str:
    letters = "pti" if "e" in (facet, effect) else {*facet, *effect}
    return "".join(letter for letter in "pti" if letter in letters)


def _in_own(facet: str, joined: str, own: dict[str, _Cells], n_groups: int) -> Floats:
    """Of a facet that persons have to themselves: its cells lie in one group each."""
    if joined == "pti":  # one answer a cell
        return _without(np.bincount(own[facet].group, minlength=n_groups))
    inner, outer = own[joined], own[facet]  # the facet is p, its cells the persons in order
    n_outer = outer.n[np.searchsorted(outer.person, inner.person)]
    return _without(np.bincount(inner.group, inner.n**2 / n_outer, minlength=n_groups))


def _in_shared(facet: str, joined: str, shared: Shared, own: dict[str, _Cells]) -> Floats:
    """Of a facet that persons share: counts left over, squared where the effect is shared too."""
    n, _ = shared[facet]
    if joined == "pti":
        answered: Floats = (n > 0).sum(axis=1).astype(float)
        return answered
    if "p" not in joined:
        return _share_of_squares(shared[joined][0], n, facet, shared["t"][0].shape[1])
    cells, width = own[joined], n.shape[1]
    place = cells.place if facet else np.zeros_like(cells.place)
    squares = np.bincount(cells.group * width + place, cells.n**2, minlength=(len(n) - 1) * width)
    left = _without(squares.reshape(-1, width))
    return np.asarray((left / np.maximum(n, 1)).sum(axis=1), dtype=np.float64)


def _share_of_squares(inner: Floats, n: Floats, facet: str, n_rounds: int) -> Floats:
    """Σ_a Σ_b n_ab² / n_a where neither facet is a person's own."""
    if facet == "":
        return np.asarray((inner**2).sum(axis=1) / np.maximum(n[:, 0], 1), dtype=np.float64)
    grid = inner.reshape(len(inner), n_rounds, -1)
    squares = (grid**2).sum(axis=2 if facet == "t" else 1)
    return np.asarray((squares / np.maximum(n, 1)).sum(axis=1), dtype=np.float64)
