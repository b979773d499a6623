"""Lays the two people of each pairing side by side."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import RapportError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """One row a pairing (or occasion of one), one column a side, in the order of `labels`; NaN where missing.

    `values[name]` has shape (n, 2); `unit` holds the label of each row; `mentor` numbers its mentor from 0.
    """

    labels: tuple[Hashable, Hashable]
    values: dict[str, Floats]
    unit: list[Hashable]
    mentor: Integers


def need(frame: pd.DataFrame, columns: Sequence[str | None]) -> None:
    """Every named column is there, or one sentence says which is not."""
    missing = [name for name in columns if name is not None and name not in frame.columns]
    if missing:
        raise RapportError(f"Expected the columns {', '.join(map(str, missing))}, which the table lacks.")


def numbers(frame: pd.DataFrame, column: str) -> Floats:
    """A column as floats, whatever its type; what is missing or infinite is NaN."""
    try:
        values = np.array(frame[column].astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=float)
    except (TypeError, ValueError):
        raise RapportError(f"Expected numbers in the column {column}.") from None
    values[~np.isfinite(values)] = np.nan
    return values


def side_by_side(
    pairs: pd.DataFrame, *, values: Sequence[str], pairing: str, side: str, mentor: str | None = None
) -> Sides:
    """One row a person and pairing in, one row a pairing out; rows without a pairing or side are left out."""
    need(pairs, [*values, pairing, side, mentor])
    known = pairs[pairs[pairing].notna() & pairs[side].notna()]
    which, labels = pd.factorize(known[side], sort=True)
    if len(labels) != 2:
        raise RapportError(f"Expected two sides in the column {side}, found {len(labels)}.")
    row, unit = pd.factorize(known[pairing], sort=True)
    cell = row * 2 + which
    if len(np.unique(cell)) != len(cell):
        raise RapportError(f"Expected one row a person and pairing; {pairing} and {side} name some person twice.")
    laid = {}
    for name in values:
        filled = np.full(len(unit) * 2, np.nan)
        filled[cell] = numbers(known, name)
        laid[name] = filled.reshape(-1, 2)
    clusters = np.arange(len(unit)) if mentor is None else mentors_of(known[mentor], row, len(unit))
    return Sides(labels=(labels[0], labels[1]), values=laid, unit=list(unit), mentor=clusters)


def mentors_of(mentor: pd.Series, row: Integers, n: int) -> Integers:
    """The mentor of each of n pairings; one whose mentor is unknown stands alone."""
    code = np.asarray(pd.factorize(mentor)[0], dtype=np.int64)
    known = code >= 0
    found = np.full(n, -1, dtype=np.int64)
    found[row[known]] = code[known]
    if (found[row[known]] != code[known]).any():
        raise RapportError(f"Expected one mentor a pairing in the column {mentor.name}.")
    found[found < 0] = code.max(initial=-1) + 1 + np.flatnonzero(found < 0)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)
