"""Puts what a reader knows about hidden answers into one linear system."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

BOTTOM, TOP = 0.0, 100.0
SLACK = 1e-6  # a sum of floats is not exact, and no attack may contradict the truth


@dataclass(frozen=True, kw_only=True)
class Puzzle:
    """`low` ≤ `matrix` @ hidden ≤ `high`, and each hidden score between `bottom` and `top`.

    One column a hidden score, one row a number that the reader knows. `truth` is what they look for: it says what
    insiders know, and never enters what is worked out. `person` names whose score it is, `names` the numbers,
    `grain` how far apart the values are that a score can take (0 where it can take any).
    """

    matrix: sparse.csr_array
    low: Floats
    high: Floats
    bottom: Floats
    top: Floats
    truth: Floats
    person: NDArray[np.object_]
    grain: Floats
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.truth)

    def with_known(self, columns: Sequence[int] | Codes) -> "Puzzle":
        """The puzzle of people who tell one another these scores."""
        known = np.asarray(columns, dtype=np.int64)
        bottom, top = self.bottom.copy(), self.top.copy()
        bottom[known] = top[known] = self.truth[known]
        return replace(self, bottom=bottom, top=top)

    def known_to(self, people: Iterable[str]) -> Codes:
        """The columns that these people know because they are their own."""
        return np.flatnonzero(pd.Index(self.person).isin(list(people)))

    def part(self, rows: Codes, columns: Codes) -> "Puzzle":
        """Only these numbers about these scores."""
        return Puzzle(
            matrix=self.matrix[rows][:, columns].tocsr(),
            low=self.low[rows],
            high=self.high[rows],
            bottom=self.bottom[columns],
            top=self.top[columns],
            truth=self.truth[columns],
            person=self.person[columns],
            grain=self.grain[columns],
            names=tuple(self.names[row] for row in rows),
        )

    def contradicts_truth(self) -> list[str]:
        """The numbers that the truth does not fulfil: what the reader believes of them is wrong."""
        said = self.matrix @ self.truth
        wrong = (said < self.low - SLACK) | (said > self.high + SLACK)
        return [self.names[row] for row in np.flatnonzero(wrong)]


def puzzle(hidden: pd.DataFrame, terms: pd.DataFrame, numbers: pd.DataFrame) -> Puzzle:
    """From long tables, people's pairings that no number tells apart taken together as their mean.

    `hidden`: key, person, name (what the score is of), score, grain, and perhaps bottom and top. `terms`: number (a
    row of `numbers`), key, weight. `numbers`: name, low, high.
    """
    column = pd.Index(hidden["key"]).get_indexer(pd.Index(terms["key"]))
    weights = (terms["weight"].to_numpy(dtype=float), (terms["number"].to_numpy(), column))
    matrix = sparse.csc_array(weights, shape=(len(numbers), len(hidden)))
    matrix.sum_duplicates()
    kind = kinds(matrix)
    same = pd.MultiIndex.from_arrays([hidden["person"], hidden["name"], kind])
    unit, first = pd.factorize(same)[0], np.unique(pd.factorize(same)[0], return_index=True)[1]
    size = np.bincount(unit)
    score = np.bincount(unit, hidden["score"].to_numpy(dtype=float)) / size
    return Puzzle(
        matrix=(matrix[:, first] @ sparse.diags_array(size.astype(float))).tocsr(),
        low=numbers["low"].to_numpy(dtype=float),
        high=numbers["high"].to_numpy(dtype=float),
        bottom=np.minimum(_ends(hidden, "bottom", BOTTOM)[first], score),
        top=np.maximum(_ends(hidden, "top", TOP)[first], score),
        truth=score,
        person=hidden["person"].to_numpy(dtype=object)[first],
        grain=hidden["grain"].to_numpy(dtype=float)[first] / size,
        names=tuple(numbers["name"]),
    )


def _ends(hidden: pd.DataFrame, name: str, otherwise: float) -> Floats:
    """Between which ends scores are known to lie anyway: those of the scale, where nothing says more."""
    if name not in hidden:
        return np.full(len(hidden), otherwise)
    found: Floats = np.nan_to_num(hidden[name].to_numpy(dtype=float), nan=otherwise)
    return found


def kinds(matrix: sparse.csc_array, *more: Floats) -> Codes:
    """A number for each column; equal for those that no row (and nothing in `more`) tells apart."""
    # Two columns of the same weights give the same sums to the bit; others differ but for a chance of 1 in 2^100.
    draw = np.random.default_rng(0).standard_normal((matrix.shape[0], 2))
    marks = np.column_stack([matrix.T @ draw, *more])
    found: Codes = np.unique(marks, axis=0, return_inverse=True)[1].reshape(-1)
    return found


def components(asked: Puzzle) -> list[Puzzle]:
    """Parts that no number connects; scores that no number is about are left out."""
    n_rows, n_columns = asked.matrix.shape
    graph = sparse.block_array([[None, asked.matrix], [asked.matrix.T, None]], format="csr")
    _, label = sparse.csgraph.connected_components(graph, directed=False)
    rows, columns = label[:n_rows], label[n_rows:]
    return [asked.part(np.flatnonzero(rows == each), np.flatnonzero(columns == each)) for each in np.unique(rows)]
