"""Estimates what a drawn place did, from the draw alone."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from data.errors import RapportError
from pipeline.business_case.allocation import NEVER, Allocation
from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.claim import ASSOCIATED, BY_DESIGN

Floats = NDArray[np.float64]
METHOD = "difference between drawn groups within strata and periods, intention to treat"
ASSUMPTIONS = ("allocation_was_drawn", "outcome_known_for_all", "no_spillover")
FEWEST = 2  # people on each side of a cell, or it has no spread
MOST_UNKNOWN = 0.05  # a draw protects only those whose outcome is known


@dataclass(frozen=True)
class _Cells:
    """People × periods in cells of one stratum and period that hold both sides; arrays are one row an observation."""

    person: NDArray[np.intp]
    cell: NDArray[np.intp]
    started: NDArray[np.bool_]
    outcome: Floats
    n_people: int
    n_strata: int


def allocated_effect(
    allocation: Allocation,
    outcomes: pd.DataFrame,
    *,
    outcome: str,
    period: str | None = None,
    person: str = "person",
    unit: str = "risk",
) -> Effect:
    """Mean outcome of those drawn to have started less that of those drawn not to have, whatever they then did.

    `outcomes`: one row a person, or a person and `period` (from 1, as the allocation counts steps; needed where
    everyone starts in the end), outcome 0/1 or a number. In each stratum and period the means of both sides are
    compared; strata with fewer than two people on a side are put together, which the draw's equal chances allow.
    Cells are averaged with weights n₁n₀/(n₁ + n₀): least squares with an intercept a cell. SE from the draw: each
    person's weighted deviations from their cell's mean are added over periods and squared, with a factor n/(n − 1) a
    cell and side; with one period this is Neyman's (1923) variance. Student's t with the smaller side's people less
    strata. Comparing within periods takes out what changes for all over time.

    In a period use outcomes that everyone allocated can have: of those still employed only, the groups are no longer
    the drawn ones once places have kept some. Claim: by design; an association where more than 5 % of the outcomes
    are unknown. Details: means of both sides, share unknown, n_started, n_not_started, cells_left_out.
    """
    observed, expected = _observed(allocation, outcomes, outcome, period, person)
    unknown = (expected - len(observed)) / expected if expected else 1.0
    claim = BY_DESIGN if unknown <= MOST_UNKNOWN else ASSOCIATED
    cells, left_out = _cells(observed, outcome)
    details = {"unknown": unknown, "cells_left_out": float(left_out)}
    if not len(cells.outcome):
        reason = "In no stratum and period had two people started and two not."
        return cannot_tell(reason, method=METHOD, claim=claim, n=cells.n_people, **details)
    means, se, freedom = _compare(cells)
    details |= {"mean_started": means[0], "mean_not_started": means[1], **_sizes(cells)}
    if not se > 0:
        reason = "The outcome does not vary within the drawn groups."
        return cannot_tell(reason, method=METHOD, claim=claim, n=cells.n_people, **details)
    estimate, width = means[0] - means[1], float(stats.t.ppf(0.975, freedom)) * se
    return Effect(
        estimate=estimate,
        low=estimate - width,
        high=estimate + width,
        se=se,
        n=cells.n_people,
        method=METHOD,
        claim=claim,
        unit=unit,
        assumptions=ASSUMPTIONS,
        details=details,
    )


def _observed(
    allocation: Allocation, outcomes: pd.DataFrame, outcome: str, period: str | None, person: str
) -> tuple[pd.DataFrame, int]:
    """Rows with a known outcome of people who were drawn, and how many there should be."""
    keys = [person] if period is None else [person, period]
    missing = [name for name in (*keys, outcome) if name not in outcomes.columns]
    if missing:
        raise RapportError(f"The outcomes have no column {missing[0]}.")
    if outcomes[keys].astype(str).duplicated().any():
        raise RapportError(f"Expected one outcome for each {' and '.join(keys)}.")
    if period is None and (allocation.table["step"] != NEVER).all() and allocation.method == "stepped-wedge":
        raise RapportError("In a stepped wedge everyone starts: expected the period of each outcome.")
    rows = pd.DataFrame(
        {
            "person": outcomes[person].astype(str).astype("str"),
            "period": 1 if period is None else outcomes[period],
            outcome: outcomes[outcome],
        }
    )
    joined = rows.merge(allocation.table, on="person", how="inner")
    n_periods = joined["period"].nunique()
    started = (joined["step"] != NEVER) & (joined["step"] <= joined["period"])
    return joined.assign(started=started)[joined[outcome].notna()], len(allocation.table) * n_periods


def _cells(observed: pd.DataFrame, outcome: str) -> tuple[_Cells, int]:
    """Strata and periods with at least two people on both sides; the others of a period together are one more cell."""
    started = observed["started"].to_numpy(dtype=bool)
    period = pd.factorize(observed["period"])[0]
    fine = pd.factorize(pd.factorize(observed["stratum"])[0] * (period.max(initial=0) + 1) + period)[0]
    merged = np.where(_has_both(fine, started), fine, len(observed) + period)
    cell = pd.factorize(merged)[0]
    kept = _has_both(cell, started)
    people, names = pd.factorize(observed["person"].to_numpy()[kept])
    cells = _Cells(
        person=people,
        cell=pd.factorize(cell[kept])[0],
        started=started[kept],
        outcome=observed[outcome].to_numpy(dtype=float)[kept],
        n_people=len(names),
        n_strata=int(pd.Series(cell[kept]).groupby(period[kept]).nunique().max()) if kept.any() else 0,
    )
    return cells, len(np.unique(cell[~kept]))


def _has_both(cell: NDArray[np.intp], started: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each row's cell has two people or more on both sides."""
    n_cells = int(cell.max(initial=-1)) + 1
    sizes = [np.bincount(cell[side], minlength=n_cells) for side in (started, ~started)]
    return (np.minimum(*sizes) >= FEWEST)[cell]


def _compare(cells: _Cells) -> tuple[tuple[float, float], float, float]:
    """Weighted means of both sides, the SE of their difference, and degrees of freedom."""
    sides = (cells.started, ~cells.started)
    counts = [np.bincount(cells.cell[side], minlength=int(cells.cell.max()) + 1) for side in sides]
    weight = counts[0] * counts[1] / (counts[0] + counts[1])
    weight = weight / weight.sum()
    pull = np.zeros(cells.n_people)
    means = []
    for sign, side, count in zip((1, -1), sides, counts, strict=True):
        total = np.bincount(cells.cell[side], weights=cells.outcome[side], minlength=len(count))
        mean = total / count
        means.append(float(weight @ mean))
        factor = weight / np.sqrt(count * (count - 1))
        where = cells.cell[side]
        deviation = sign * factor[where] * (cells.outcome[side] - mean[where])
        pull += np.bincount(cells.person[side], weights=deviation, minlength=cells.n_people)
    return (means[0], means[1]), sqrt(float((pull**2).sum())), _freedom(cells)


def _freedom(cells: _Cells) -> float:
    """People of the smaller side less the most cells that a period has."""
    smaller = min(len(np.unique(cells.person[side])) for side in (cells.started, ~cells.started))
    return float(max(smaller - cells.n_strata, 1))


def _sizes(cells: _Cells) -> dict[str, float]:
    return {
        "n_started": float(len(np.unique(cells.person[cells.started]))),
        "n_not_started": float(len(np.unique(cells.person[~cells.started]))),
    }
