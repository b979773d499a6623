"""Works out between which ends each hidden score must lie.

People whom no number tells apart are exchangeable: what is known of them is known of their sum S alone. With
n of them between `bottom` and `top`, one can be as high as min(top, max S − (n − 1)·bottom) and as low as
max(bottom, min S − (n − 1)·top). So the linear programme (HiGHS) has one variable for each such set, not one a
person, and is still exact. A point that fulfils all numbers clears everybody who could be high and different in
it; single programmes are solved only for those whom no such point has cleared. Where scores are whole steps of
a scale, so are the sums, and the same holds of the integer programme.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from pipeline.attack.puzzle import SLACK, Codes, Floats, Puzzle, components, kinds

ANSWER = 25.0  # one step of a five-point scale: a range narrower than it is an answer
MIDDLE = 50.0
ATTEMPTS = 4  # points sought for everybody at once, before single programmes
SECONDS = 10.0  # for one integer programme; what it has not proven by then is not proven
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Proven:
    """What the numbers prove: one entry a hidden score that is not somebody's own knowledge.

    It lies between `low` and `high`; ends of scores of which nothing is proven may be too near each other, and
    never so near as to prove anything.
    """

    low: Floats
    high: Floats
    person: NDArray[np.object_]
    truth: Floats

    @property
    def is_answer(self) -> Mask:
        return self.high - self.low < ANSWER - SLACK

    @property
    def is_low(self) -> Mask:
        return self.high < MIDDLE - SLACK

    def __len__(self) -> int:
        return len(self.truth)

    def holds(self) -> bool:
        """Whether the truth lies between the ends of whatever is proven, as it must."""
        is_proven = self.is_answer | self.is_low
        is_inside = (self.low <= self.truth + 1e-3) & (self.truth <= self.high + 1e-3)
        return bool(is_inside[is_proven].all())


@dataclass(frozen=True)
class Sets:
    """People whom no number tells apart, as one variable: the mean of the set. `code` is each column's set."""

    matrix: sparse.csr_array
    code: Codes
    size: Codes
    bottom: Floats
    top: Floats
    grain: Floats

    def ends(self, least: Floats, most: Floats) -> tuple[Floats, Floats]:
        """Of one person of each set, from the least and greatest mean of the set."""
        others = self.size - 1
        low = np.maximum(self.bottom, self.size * least - others * self.top)
        return low, np.minimum(self.top, self.size * most - others * self.bottom)

    def is_clear(self, least: Floats, most: Floats, narrow: float) -> Mask:
        """Whether these means show that nothing is proven of the set; one's own answer is nobody's find."""
        low, high = self.ends(least, most)
        found: Mask = ((high >= MIDDLE) & (high - low >= narrow)) | (self.top - self.bottom < SLACK)
        return found


def proven(asked: Puzzle, *, narrow: float = ANSWER) -> Proven:
    """What linear programmes prove, for every hidden score that some number is about.

    Ends are exact where they are nearer than `narrow`, or the higher one is below the middle.
    """
    return _together(_linear(part, narrow) for part in components(asked))


def proven_in_steps(asked: Puzzle) -> Proven:
    """What integer programmes prove, where every score of a part is a whole step of the scale.

    `low` and `high` are one `grain` apart where two values are left, and equal where one is.
    """
    return _together(_integer(part) for part in components(asked) if (part.grain > 0).all())


def sets_of(asked: Puzzle) -> Sets:
    columns = asked.matrix.tocsc()
    code = kinds(columns, asked.bottom, asked.top, asked.grain)
    first, size = np.unique(code, return_index=True, return_counts=True)[1:]
    matrix = (columns[:, first] @ sparse.diags_array(size.astype(float))).tocsr()
    return Sets(matrix, code, size.astype(np.int64), asked.bottom[first], asked.top[first], asked.grain[first])


def _together(parts: Iterable[Proven]) -> Proven:
    kept = list(parts)
    nothing = np.zeros(0)
    return Proven(
        low=np.concatenate([part.low for part in kept] or [nothing]),
        high=np.concatenate([part.high for part in kept] or [nothing]),
        person=np.concatenate([part.person for part in kept] or [nothing.astype(object)]),
        truth=np.concatenate([part.truth for part in kept] or [nothing]),
    )


def _linear(part: Puzzle, narrow: float) -> Proven:
    sets = sets_of(part)
    low, high = sets.ends(*_means(Solver(part, sets), sets, narrow))
    return _told(part, low[sets.code], high[sets.code])


def _told(part: Puzzle, low: Floats, high: Floats) -> Proven:
    is_open = part.top - part.bottom >= SLACK
    return Proven(low=low[is_open], high=high[is_open], person=part.person[is_open], truth=part.truth[is_open])


def _means(solver: "Solver", sets: Sets, narrow: float) -> tuple[Floats, Floats]:
    """Least and greatest mean of each set: exact where something may be proven, else far enough apart."""
    least, most = solver.seen()
    open_ = ~sets.is_clear(least, most, narrow)
    for _ in range(ATTEMPTS):
        if not open_.any():
            return least, most
        towards: Floats = open_.astype(np.float64)
        _see(least, most, solver.furthest(towards), solver.furthest(-towards))
        before, open_ = open_, ~sets.is_clear(least, most, narrow)
        if (before == open_).all():
            break
    for each in np.flatnonzero(open_):
        if not sets.is_clear(least, most, narrow)[each]:
            one = np.zeros(len(sets.size))
            one[each] = 1.0
            _see(least, most, solver.furthest(one), solver.furthest(-one))
    return least, most


def _see(least: Floats, most: Floats, *points: Floats) -> None:
    for point in points:
        np.minimum(least, point, out=least)
        np.maximum(most, point, out=most)


class Solver:
    """The linear programme of one puzzle's sets, solved for one direction after another."""

    def __init__(self, part: Puzzle, sets: Sets) -> None:
        self._sets = sets
        most = np.concatenate([part.high, -part.low]) + SLACK
        self._rows = sparse.vstack([sets.matrix, -sets.matrix]).tocsr()[np.isfinite(most)]
        self._most = most[np.isfinite(most)]
        self._bounds = np.column_stack([sets.bottom, sets.top])

    def furthest(self, towards: Floats) -> Floats:
        """The means that fulfil all numbers and lie furthest in a direction."""
        return self.solved(towards)[0]

    def solved(self, towards: Floats) -> tuple[Floats, Floats]:
        """Those means, and how much the aim would move with each set's bounds."""
        found = linprog(-towards, A_ub=self._rows, b_ub=self._most, bounds=self._bounds, method="highs")
        if found.status != 0:
            raise ArithmeticError(f"The linear programme has no solution: {found.message}")
        return found.x, -(found.lower.marginals + found.upper.marginals)

    def seen(self) -> tuple[Floats, Floats]:
        """Least and greatest mean of each set over two opposite points."""
        everybody = self._sets.size.astype(np.float64)
        points = [self.furthest(sign * everybody) for sign in (1.0, -1.0)]
        return np.minimum(*points), np.maximum(*points)


def _integer(part: Puzzle) -> Proven:
    """Only those whom the linear programme leaves less than two steps are asked of the integer one."""
    sets = sets_of(part)
    narrow = 2 * float(sets.grain.max())
    least, most = _means(Solver(part, sets), sets, narrow)
    for each in np.flatnonzero(~sets.is_clear(least, most, narrow)):
        least[each], most[each] = (_furthest_in_steps(part, sets, int(each), sign) for sign in (-1, 1))
    low, high = sets.ends(least, most)
    return _told(part, low[sets.code], high[sets.code])


def _furthest_in_steps(part: Puzzle, sets: Sets, each: int, sign: int) -> float:
    """The least or greatest mean of one set where every sum is whole steps; its bound where time runs out."""
    step = np.where(sets.top > sets.bottom, sets.grain / sets.size, 0.0)
    n_steps = np.where(step > 0, (sets.top - sets.bottom) / np.where(step > 0, step, 1.0), 0.0)
    shift = sets.matrix @ sets.bottom
    aim = np.zeros(len(step))
    aim[each] = -sign * step[each]
    found = milp(
        aim,
        integrality=np.ones(len(step)),
        bounds=Bounds(0, np.round(n_steps)),
        constraints=LinearConstraint(
            sets.matrix @ sparse.diags_array(step), part.low - SLACK - shift, part.high + SLACK - shift
        ),
        options={"time_limit": SECONDS},
    )
    bound = found.mip_dual_bound if found.mip_dual_bound is not None else -sign * np.inf
    return float(np.clip(sets.bottom[each] - sign * bound, sets.bottom[each], sets.top[each]))
