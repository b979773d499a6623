"""Withholds counts from which, all of them taken together, a reader could work out who answered and who did not.

Every row of a score says that at least n people answered, in steps; participation says in which step their number
lies. Each is harmless by itself. But the programme's count without those of all groups but one, or two overlapping
sets of groups told as one, can still say that everybody in a group answered. Where somebody stands is known, so the
unknowns are how many answered in each cell (people of identical groups), and the counts are bounds on sums of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, linprog
from scipy.sparse import csr_array, hstack, identity, vstack

from pipeline.disclosure.alone import ASKED
from pipeline.disclosure.audit import one_way
from pipeline.disclosure.crowd import FEEDING, MERGED, PROGRAMME, Crowd, Key, Shown
from pipeline.disclosure.rooms import members
from pipeline.disclosure.rounding import in_steps, share_range, told_count

SAME = 1e-6
Floats = NDArray[np.float64]
Bounds = tuple[csr_array, Floats]  # rows over cells, and the most that each may come to


@dataclass
class _Place:
    """One group of one side: how many were asked and answered, in which cells, and what is told of that."""

    n_asked: int
    n_answered: int
    cells: NDArray[np.bool_]
    n_elsewhere: int = 0  # who did not answer here, and did in another group: a mentor of several
    has_share: bool = False
    scores: dict[Key, int] = field(default_factory=dict)  # a shown score → the n that is told with it

    @property
    def is_narrowed_by_share(self) -> bool:
        """Whether participation says more here than the n of the scores."""
        return self.has_share and self.told() != self.told(with_share=False)

    def told(self, *, with_share: bool = True) -> tuple[int, int]:
        """Between which ends the number that answered lies, as a reader knows it."""
        low, high = 0, self.n_asked
        if self.scores:
            low = max(self.scores.values())
            most = share_range(low, self.n_asked)[1]
            high = most if self.n_answered <= most else high  # else it was asked of some only
        if self.has_share and with_share:
            least, most = share_range(self.n_answered, self.n_asked)
            low, high = max(low, least), min(high, most)
        return low, high + self.n_elsewhere


def telling_counts(shown: Shown, crowds: Mapping[Key, Crowd], asked: pd.DataFrame, side: str) -> set[Key]:
    """The numbers of a side that have to go. `asked`: everybody, `value` 1 who answered, as `measure` tells it.

    Groups told as one go first, then participation, then scores; small groups before large ones.
    """
    cell_of = _cells(asked)
    sizes = np.bincount(cell_of).astype(float)
    places = _places(shown, crowds, asked, cell_of, side)
    gone: set[Key] = set()
    while holding := _holding(list(places.values()), sizes):
        keys = list(places)
        last = min((keys[k] for k in holding), key=lambda key: _usefulness(key, places[key]))
        if places[last].is_narrowed_by_share:
            places[last].has_share = False
            gone.add(last)
        else:
            for key in [key for key in places if last in (key, *one_way(key)) or last.view == PROGRAMME]:
                gone |= {key, *places.pop(key).scores}
    return gone


def _cells(asked: pd.DataFrame) -> pd.Series:
    """Everybody's cell: whoever stands in several groups of an attribute shares one with those in the same ones."""
    names = [name for name in asked.columns if name not in ("unit", "value")]
    groups = asked[names].astype(str).agg("\0".join, axis=1) if names else pd.Series("", index=asked.index)
    by_unit = groups.sort_values().groupby(asked["unit"]).agg("\0\0".join)
    return pd.Series(pd.factorize(by_unit, sort=True)[0], index=by_unit.index)


def _usefulness(key: Key, place: _Place) -> tuple[bool, bool, bool, int, str, str]:
    is_merged = MERGED in key.group
    return not is_merged, not place.is_narrowed_by_share, key.view == PROGRAMME, place.n_asked, key.view, key.group


def _places(
    shown: Shown, crowds: Mapping[Key, Crowd], asked: pd.DataFrame, cell_of: pd.Series, side: str
) -> dict[Key, _Place]:
    """By the key of its participation: every group of which something is shown."""
    places: dict[Key, _Place] = {}
    anywhere = asked.groupby("unit")["value"].max()
    for key in (key for key, is_shown in shown.items() if is_shown and key.side == side):
        here = Key(metric=ASKED, view=key.view, group=key.group, side=side)
        if here not in places:
            answered = asked[members(asked, here)].groupby("unit")["value"].max()
            within = np.bincount(cell_of[answered.index], minlength=cell_of.max() + 1) > 0
            n_answered, n_anywhere = (int(values.sum()) for values in (answered, anywhere[answered.index]))
            places[here] = _Place(
                n_asked=len(answered), n_answered=n_answered, cells=within, n_elsewhere=n_anywhere - n_answered
            )
        if key.metric == ASKED:
            places[here].has_share = True
        else:
            n = len(getattr(crowds[key], FEEDING[side][0]))
            places[here].scores[key] = in_steps(told_count(n, places[here].n_asked))
    return places


def _holding(places: Sequence[_Place], sizes: Floats) -> set[int]:
    """The places whose counts together prove of somebody that they answered, or that they did not; none if nothing."""
    if not places:
        return set()
    rows = csr_array(np.array([place.cells for place in places], dtype=float))
    told = np.array([place.told() for place in places], dtype=float)
    bounds = csr_array(vstack([rows, -rows])), np.concatenate([told[:, 1], -told[:, 0]])
    for way in (1, -1):  # one fewer than all answered; one more than none
        for cell in _stuck(bounds, sizes, way):
            found = _furthest(bounds, sizes, [cell], way)
            if -found.fun < 1 - SAME:
                weights = found.ineqlin.marginals
                return {int(k) % len(places) for k in np.flatnonzero(np.abs(weights[: 2 * len(places)]) > SAME)}
    return set()


def _stuck(bounds: Bounds, sizes: Floats, way: int) -> list[int]:
    """The cells that may not have a person to spare: what is left after moving as many as possible at once."""
    left = list(range(len(sizes)))
    while left:
        found = _furthest(bounds, sizes, left, way)
        spare = sizes - found.x[: len(sizes)] if way > 0 else found.x[: len(sizes)]
        still = [cell for cell in left if spare[cell] < 1 - SAME]
        if len(still) == len(left):
            return still
        left = still
    return []


def _furthest(bounds: Bounds, sizes: Floats, cells: Iterable[int], way: int) -> OptimizeResult:
    """Counts that fit all that is told, with as much to spare (one person at most) in these cells as can be.

    Unknowns: the count of every cell, then what each of `cells` has to spare.
    """
    rows, most = bounds
    asked = np.fromiter(cells, dtype=np.int64)
    n_cells, n = len(sizes), len(asked)
    pick = identity(n_cells, format="csr")[asked]
    spare = hstack([pick * way, identity(n, format="csr")])  # spare ≤ size − count, or spare ≤ count
    room = sizes[asked] if way > 0 else np.zeros(n)
    padded = hstack([rows, csr_array((rows.shape[0], n))])
    return linprog(
        np.concatenate([np.zeros(n_cells), -np.ones(n)]),
        A_ub=csr_array(vstack([padded, spare])),
        b_ub=np.concatenate([most, room]),
        bounds=[*((0.0, size) for size in sizes), *(((0.0, 1.0),) * n)],
        method="highs",
    )
