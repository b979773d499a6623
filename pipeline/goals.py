"""Measures what pairings set out to do and how far they came, as both sides rate it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from data.errors import RapportError

Floats = NDArray[np.float64]
RHO = 0.3
LOWEST, HIGHEST, EXPECTED = -2, 2, 0
EASY = 55.0  # a mean T surely above this says that goals were set too low: 50 is what was agreed on
Z = float(stats.norm.ppf(0.975))


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """ICC(A,1) of two raters with its 95 % interval; NaN where nothing varies. `n` goals rated by both."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True)
class Ease:
    """Mean attained T over pairings with its 95 % interval, and whether all of it lies above 55."""

    mean: float
    low: float
    high: float
    n: int
    is_too_easy: bool


def attainment_t(levels: ArrayLike, weights: ArrayLike | None = None, rho: float = RHO) -> float:
    """Goal attainment scaling's T = 50 + 10·Σwx / √((1 − ρ)Σw² + ρ(Σw)²).

    `levels` −2 … +2 (0 is what was agreed on; a goal without a level is left out with its weight), `weights` one
    a goal or None for equal ones, ρ the expected correlation between goals. NaN without any level. With levels
    that behave as agreed T has mean 50 and SD 10. Kiresuk & Sherman (1968); ρ = 0.3 is theirs.
    """
    x = np.atleast_1d(np.asarray(levels, dtype=float)).ravel()
    w = np.ones_like(x) if weights is None else np.atleast_1d(np.asarray(weights, dtype=float)).ravel()
    if w.shape != x.shape:
        raise RapportError(f"Expected one weight a goal, found {len(w)} weights for {len(x)} goals.")
    kept = np.isfinite(x)
    _check(x[kept], w[kept], rho)
    return float(_t(np.array([(w * x)[kept].sum()]), np.array([(w**2)[kept].sum()]), np.array([w[kept].sum()]), rho)[0])


def attainment(
    ratings: pd.DataFrame,
    *,
    pairing: str,
    side: str,
    baseline: str,
    attained: str,
    weight: str | None = None,
    rho: float = RHO,
) -> pd.DataFrame:
    """T of every pairing as each side rates it: index (pairing, side).

    One row of `ratings` a goal and side, `baseline` and `attained` its levels before and now. Columns baseline_t,
    attained_t, change (T points; both from goals with both levels, NaN without any), share_reached (of goals
    rated now, those at 0 or above), n_goals (rated now).
    """
    rated = ratings[ratings[attained].notna()]
    before, now = (rated[name].to_numpy(dtype=float, na_value=np.nan) for name in (baseline, attained))
    w = np.ones(len(rated)) if weight is None else rated[weight].to_numpy(dtype=float, na_value=np.nan)
    has_both = np.isfinite(before)
    _check(np.concatenate([before[has_both], now]), w, rho)
    sums = pd.DataFrame(
        {
            "now": w * now,
            "square": w**2,
            "total": w,
            "before": np.where(has_both, w * before, 0.0),
            "after": np.where(has_both, w * now, 0.0),
            "square_both": np.where(has_both, w**2, 0.0),
            "total_both": np.where(has_both, w, 0.0),
            "n_reached": now >= EXPECTED,
            "n_goals": 1,
        }
    )
    each = sums.groupby([rated[pairing].to_numpy(), rated[side].to_numpy()]).sum().rename_axis([pairing, side])
    return _scaled(each, rho)


def side_agreement(ratings: pd.DataFrame, *, goal: str, side: str, level: str) -> Agreement:
    """Absolute agreement of the two sides on single goals, ICC(A,1): one row a goal and side.

    Two-way model, (MSR − MSE) / (MSR + (k−1)MSE + k(MSC − MSE)/n) with k = 2 sides over n goals rated by both; a
    side that rates higher throughout lowers it. Interval by McGraw & Wong (1996), case A,1 (their table 7).
    """
    pairs = ratings.pivot(index=goal, columns=side, values=level).dropna()
    if pairs.shape[1] != 2:
        raise RapportError(f"Expected two sides in the column {side}, found {pairs.shape[1]}.")
    return agreement(pairs.to_numpy(dtype=float))


def agreement(ratings: Floats) -> Agreement:
    """ICC(A,1) of `ratings`, n targets × k raters without gaps."""
    n, k = ratings.shape
    nothing = Agreement(value=float("nan"), low=float("nan"), high=float("nan"), n=n)
    if n < 3:
        return nothing
    grand, of_row, of_column = ratings.mean(), ratings.mean(axis=1, keepdims=True), ratings.mean(axis=0, keepdims=True)
    msr = k * ((of_row - grand) ** 2).sum() / (n - 1)
    msc = n * ((of_column - grand) ** 2).sum() / (k - 1)
    mse = ((ratings - of_row - of_column + grand) ** 2).sum() / ((n - 1) * (k - 1))
    whole = msr + (k - 1) * mse + k * (msc - mse) / n
    if whole <= 0:
        return nothing
    value = float((msr - mse) / whole)
    low, high = _agreement_interval(value, (float(msr), float(msc), float(mse)), n, k)
    return Agreement(value=value, low=low, high=high, n=n)


def easy_goals(attained_t: ArrayLike) -> Ease:
    """Were goals set too easy? `attained_t`: one T a pairing (two sides averaged before), NaN left out.

    Goals that were agreed with care end around T = 50 (Kiresuk & Sherman 1968); a t interval of the mean that lies
    above 55 says they did not ask for much. Assumes that pairings are independent.
    """
    t = np.asarray(attained_t, dtype=float).ravel()
    t = t[np.isfinite(t)]
    if len(t) < 2:
        mean = float(t.mean()) if len(t) else float("nan")
        return Ease(mean=mean, low=float("nan"), high=float("nan"), n=len(t), is_too_easy=False)
    half = float(stats.t.ppf(0.975, len(t) - 1)) * float(t.std(ddof=1)) / np.sqrt(len(t))
    low, high = float(t.mean() - half), float(t.mean() + half)
    return Ease(mean=float(t.mean()), low=low, high=high, n=len(t), is_too_easy=low > EASY)


def time_to_completion(duration: ArrayLike, is_done: ArrayLike) -> pd.DataFrame:
    """How many milestones are done by when: the Kaplan–Meier estimate, one row a time at which one was done.

    `duration`: time (any unit) until done, or until last looked at where it is still open; `is_done`: which of the
    two. Columns time, n_open (still open and watched just before), n_done, share_done = 1 − Π(1 − d/n), se
    (Greenwood), low, high (95 %, on the scale of log(−log), which stays within 0 and 1). Assumes that milestones
    still open are like the others of their age. Kaplan & Meier (1958); Kalbfleisch & Prentice (2002), section 1.4.
    """
    time, done = np.asarray(duration, dtype=float).ravel(), np.asarray(is_done).astype(bool).ravel()
    if time.shape != done.shape or not np.isfinite(time).all() or (time < 0).any():
        raise RapportError("Expected a time of zero or more and whether it is done, for every milestone.")
    at = np.unique(time[done])
    n_open = len(time) - np.searchsorted(np.sort(time), at, side="left")
    n_done = np.unique(time[done], return_counts=True)[1]
    still = np.cumprod(1 - n_done / n_open)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(n_done / (n_open * (n_open - n_done)))
        spread = Z * np.sqrt(greenwood) / np.log(still)
        low, high = 1 - still ** np.exp(spread), 1 - still ** np.exp(-spread)
        se = still * np.sqrt(greenwood)
    columns = {"n_open": n_open, "n_done": n_done, "share_done": 1 - still, "se": se, "low": low, "high": high}
    return pd.DataFrame({"time": at, **columns})


def median_time(completion: pd.DataFrame) -> float:
    """The first time by which half are done; NaN where half never are."""
    reached = completion.loc[completion["share_done"] >= 0.5 - 1e-12, "time"]
    return float(reached.iloc[0]) if len(reached) else float("nan")


def _check(levels: Floats, weights: Floats, rho: float) -> None:
    if ((levels < LOWEST) | (levels > HIGHEST)).any():
        raise RapportError(f"Expected levels from {LOWEST} to {HIGHEST}.")
    if len(weights) and (not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() == 0):
        raise RapportError("Expected weights of zero or more, and one above zero.")
    if not 0 <= rho <= 1:
        raise RapportError("Expected a correlation between goals from 0 to 1.")


def _t(sum_wx: Floats, sum_square: Floats, sum_w: Floats, rho: float) -> Floats:
    below = np.sqrt((1 - rho) * sum_square + rho * sum_w**2)
    t: Floats = 50 + 10 * np.divide(sum_wx, below, out=np.full_like(sum_wx, np.nan), where=below > 0)
    return t


def _scaled(each: pd.DataFrame, rho: float) -> pd.DataFrame:
    sums = {name: each[name].to_numpy(dtype=float) for name in each.columns}
    before = _t(sums["before"], sums["square_both"], sums["total_both"], rho)
    after = _t(sums["after"], sums["square_both"], sums["total_both"], rho)
    columns: dict[str, Floats | NDArray[np.int64]] = {
        "baseline_t": before,
        "attained_t": _t(sums["now"], sums["square"], sums["total"], rho),
        "change": after - before,
        "share_reached": sums["n_reached"] / sums["n_goals"],
        "n_goals": sums["n_goals"].astype(np.int64),
    }
    return pd.DataFrame(columns, index=each.index)


def _agreement_interval(value: float, squares: tuple[float, float, float], n: int, k: int) -> tuple[float, float]:
    msr, msc, mse = squares
    if value >= 1 - 1e-12:
        return value, value
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    v = (a * msc + b * mse) ** 2 / ((a * msc) ** 2 / (k - 1) + (b * mse) ** 2 / ((n - 1) * (k - 1)))
    upper, lower = float(stats.f.ppf(0.975, n - 1, v)), float(stats.f.ppf(0.975, v, n - 1))
    rest = k * msc + (k * n - k - n) * mse
    low = n * (msr - upper * mse) / (upper * rest + n * msr)
    high = n * (lower * msr - mse) / (rest + n * lower * msr)
    return float(low), float(high)
