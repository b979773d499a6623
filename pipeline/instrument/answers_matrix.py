"""Reads a frame of answers, persons × items, as a matrix of numbers."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import RapportError

Floats: TypeAlias = NDArray[np.floating[Any]]
Labels: TypeAlias = Sequence[object] | pd.Series | NDArray[np.generic]


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


def codes(labels: Labels, items: pd.DataFrame) -> tuple[NDArray[np.int64], list[object]]:
    """One label a row of `items` as 0 … k−1 in sorted order, −1 where missing, and the labels in that order.

    A series whose index is the items' in another order is put in order; the name of a column of `items` will do.
    """
    if isinstance(labels, str):
        labels = pd.DataFrame(items)[labels]
    if isinstance(labels, pd.Series) and _is_shuffled(labels.index, pd.DataFrame(items).index):
        labels = labels.reindex(items.index)
    column = pd.Series(np.asarray(labels, dtype=object))
    if len(column) != len(items):
        raise RapportError(f"A label is needed for each of {len(items)} rows; {len(column)} came.")
    found, levels = pd.factorize(column, sort=True)
    return found.astype(np.int64), list(levels)


def _is_shuffled(given: pd.Index, due: pd.Index) -> bool:
    """Same unique entries, another order."""
    if len(given) != len(due) or given.equals(due) or not (given.is_unique and due.is_unique):
        return False
    return bool(given.isin(due).all())
