"""Reads a frame of answers, persons × items, as a matrix of numbers."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import RapportError

Floats = NDArray[np.float64]


def numbers(items: pd.DataFrame) -> Floats:
    """Persons × items as floats, a missing answer as NaN; any numeric type, nullable or not."""
    try:
        matrix: Floats = pd.DataFrame(items).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise RapportError("Every item must be a column of numbers, one row a person.") from error
    if np.isinf(matrix).any():
        raise RapportError("Every answer must be a finite number or missing.")
    return matrix


def answered(items: pd.DataFrame) -> Floats:
    """The matrix without the rows of people who answered nothing."""
    matrix = numbers(items)
    return matrix[~np.isnan(matrix).all(axis=1)]


def codes(labels: object, n: int) -> tuple[NDArray[np.int64], list[object]]:
    """Labels as 0 … k−1 in sorted order, −1 where missing, and the labels in that order; `n` is how many are due."""
    column = pd.Series(np.asarray(labels, dtype=object))
    if len(column) != n:
        raise RapportError(f"A label is needed for each of {n} rows; {len(column)} came.")
    found, levels = pd.factorize(column, sort=True)
    return found.astype(np.int64), list(levels)
