"""Follows people until an exit: who stays, who leaves for which cause, how many months are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.claim import ASSOCIATED

Floats = NDArray[np.float64]

NORMAL_95 = 1.959963984540054
FEWEST = 2  # people a group: with fewer there is no variance at all
METHOD = "restricted mean survival time"
ASSUMPTIONS = ("censoring_independent",)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A life table: one row a distinct time at which somebody left or was lost from sight."""

    time: Floats
    at_risk: Floats  # just before the time; who is censored at it is still at risk
    exits: Floats  # of every cause
    of_cause: Floats
    staying: Floats  # Kaplan–Meier, just after the time

    @property
    def staying_before(self) -> Floats:
        return np.concatenate([[1.0], self.staying[:-1]])

    @property
    def hazard_variance(self) -> Floats:
        """Greenwood's d/(n(n − d)); nobody left at risk adds nothing, for staying is 0 from then on."""
        spare = self.at_risk * (self.at_risk - self.exits)
        return np.divide(self.exits, spare, out=np.zeros_like(spare), where=spare > 0)


def life_table(duration: ArrayLike, event: ArrayLike, *, cause: int | None = None) -> Table:
    """Durations in any unit ≥ 0; event 0 censored, else the cause of the exit; ties are exact, exits before losses."""
    times, codes = np.asarray(duration, dtype=float), np.asarray(event).astype(int)
    if len(times) != len(codes) or not np.isfinite(times).all() or (times < 0).any():
        raise ValueError("every person needs one duration ≥ 0 and one event code")
    time, place = np.unique(times, return_inverse=True)
    left, exits = (np.bincount(place, weights=w, minlength=len(time)) for w in (np.ones(len(times)), codes != 0))
    of_cause = np.bincount(place, weights=codes == cause if cause is not None else codes != 0, minlength=len(time))
    at_risk = left[::-1].cumsum()[::-1].astype(float)
    staying = np.cumprod(1 - exits / at_risk)
    return Table(
        time=time, at_risk=at_risk, exits=exits.astype(float), of_cause=of_cause.astype(float), staying=staying
    )


def kaplan_meier(*, duration: ArrayLike, event: ArrayLike) -> pd.DataFrame:
    """Share still there: one row a time with columns time, value, low, high (pointwise 95 %), at_risk, exits.

    Kaplan & Meier (1958), doi:10.1080/01621459.1958.10501452, Greenwood's variance, interval on the log(−log)
    scale, so that it stays within 0 and 1. Assumes that who is censored leaves like the others.
    """
    table = life_table(duration, event)
    spread = table.staying * np.sqrt(table.hazard_variance.cumsum())
    return _curve(table, table.staying, spread)


def incidence_curve(*, duration: ArrayLike, event: ArrayLike, cause: int) -> pd.DataFrame:
    """Share gone for one cause: one row a time with columns time, value, low, high, at_risk, exits (of any cause).

    Aalen–Johansen with the delta-method variance (Marubini & Valsecchi 1995); interval on the log(−log) scale.
    """
    table = life_table(duration, event, cause=cause)
    gone = _incidence(table)
    step = table.staying_before * table.of_cause / table.at_risk**2
    spare = table.staying_before**2 * (table.at_risk - table.of_cause) * table.of_cause / table.at_risk**3
    greenwood = table.hazard_variance
    variance = gone**2 * greenwood.cumsum() - 2 * gone * (gone * greenwood).cumsum() + (gone**2 * greenwood).cumsum()
    variance += spare.cumsum() - 2 * gone * step.cumsum() + 2 * (gone * step).cumsum()
    return _curve(table, gone, np.sqrt(np.maximum(variance, 0.0)))


def cumulative_incidence(
    *, duration: ArrayLike, event: ArrayLike, cause: int, at: float | Sequence[float] | Floats
) -> Floats:
    """Share that has left for `cause` by each time of `at`, other causes competing (Aalen–Johansen).

    I(t) = Σ S(tᵢ₋)·dᵢ/nᵢ over exit times tᵢ ≤ t, S the Kaplan–Meier estimate for all causes together (Aalen &
    Johansen 1978). Ties count exactly. Event 0 is censored, 1, 2 … are causes. After the last person has been
    lost from sight the share is unknown and NaN.
    """
    table = life_table(duration, event, cause=cause)
    asked = np.atleast_1d(np.asarray(at, dtype=float))
    steps = np.concatenate([[0.0], _incidence(table)])
    found: Floats = steps[np.searchsorted(table.time, asked, side="right")]
    is_unknown = (asked > table.time[-1]) & (table.staying[-1] > 0)
    return np.where(is_unknown, np.nan, found)


def restricted_mean(*, duration: ArrayLike, event: ArrayLike, group: ArrayLike, horizon: float) -> Effect:
    """Difference in mean time kept up to `horizon`, group truthy minus the others, in the unit of duration.

    The area under Kaplan–Meier up to the horizon; variance Σ (∫ from tᵢ to horizon of S)²·dᵢ/(nᵢ(nᵢ − dᵢ)) over
    exit times (Royston & Parmar 2013, doi:10.1186/1471-2288-13-152), groups independent. Any event but 0 is an
    exit. Assumes that who is censored leaves like the others; adjusts for nothing. Below about 20 people a group
    the interval is too narrow. Cannot tell where a group was not followed up to the horizon.
    """
    times, left, is_in = np.asarray(duration, dtype=float), np.asarray(event) != 0, np.asarray(group).astype(bool)
    sides = {"treated": is_in, "control": ~is_in}
    counts = {f"n_{name}": float(inside.sum()) for name, inside in sides.items()}
    for name, inside in sides.items():
        reason = _unseen(name, times[inside], left[inside], horizon)
        if reason:
            return cannot_tell(reason, method=METHOD, claim=ASSOCIATED, n=len(times), **counts)
    (kept, variance), (kept_control, variance_control) = (
        _restricted(life_table(times[inside], left[inside]), horizon) for inside in sides.values()
    )
    difference, se = kept - kept_control, float(np.sqrt(variance + variance_control))
    return Effect(
        estimate=difference,
        low=difference - NORMAL_95 * se,
        high=difference + NORMAL_95 * se,
        se=se,
        n=len(times),
        method=METHOD,
        claim=ASSOCIATED,
        assumptions=ASSUMPTIONS,
        details=counts
        | {"mean_treated": kept, "mean_control": kept_control}
        | {"se_treated": float(np.sqrt(variance)), "se_control": float(np.sqrt(variance_control))},
    )


def _incidence(table: Table) -> Floats:
    gone: Floats = np.cumsum(table.staying_before * table.of_cause / table.at_risk)
    return gone


def _unseen(name: str, times: Floats, left: NDArray[np.bool_], horizon: float) -> str:
    """Why a group's mean up to the horizon cannot be told; empty where it can."""
    if len(times) < FEWEST:
        return f"Only {len(times)} people are in the {name} group; at least {FEWEST} are needed."
    if times.max() < horizon and not left[times == times.max()].all():
        return f"Nobody in the {name} group was followed longer than {times.max():g}; {horizon:g} is asked for."
    return ""


def _restricted(table: Table, horizon: float) -> tuple[float, float]:
    """Area under the curve up to the horizon, and its variance."""
    edges = np.minimum(np.concatenate([[0.0], table.time, [np.inf]]), horizon)
    areas = np.concatenate([[1.0], table.staying]) * np.diff(edges)
    beyond = areas[::-1].cumsum()[::-1]
    return float(beyond[0]), float((beyond[1:] ** 2 * table.hazard_variance).sum())


def _curve(table: Table, value: Floats, spread: Floats) -> pd.DataFrame:
    inside = (value > 0) & (value < 1)
    half = np.divide(spread, value * np.log(value, where=inside, out=np.ones_like(value)), where=inside, out=spread * 0)
    low, high = (np.where(inside, value ** np.exp(sign * NORMAL_95 * np.abs(half)), value) for sign in (1, -1))
    return pd.DataFrame(
        {"time": table.time, "value": value, "low": low, "high": high, "at_risk": table.at_risk, "exits": table.exits}
    )
