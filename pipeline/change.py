"""Tells real change of a person or a series from noise."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from data.errors import RapportError
from pipeline.dyads.intercept import profile, sum_products

Floats = NDArray[np.float64]
LEAST_POINTS = 8
ROUNDS_BEFORE = 2  # fewer cannot tell people's differences from noise
LEAST_PEOPLE = 5
GRID = 8 * np.linspace(0.0, 1.0, 60) ** 2  # τ/σ
DEVIATION = ["score", "expected", "sd", "deviation", "p", "q"]


def reliable_change(
    *,
    before: float | ArrayLike | pd.Series,
    after: float | ArrayLike | pd.Series,
    sd: float,
    reliability: float,
) -> pd.Series:
    """The reliable change index RC = (after − before) / √(2·SE²), SE = sd·√(1 − reliability).

    One value a person, by the index of `before` (aligned where both are Series); NaN where one is missing. |RC| >
    1.96 happens to one person in twenty whose true score stays. `sd` in score units and `reliability` of a score
    on one occasion (never alpha, which leaves out that people have days). Assumes equal error for everyone.
    Jacobson & Truax (1991).
    """
    if not (np.isfinite(sd) and sd > 0 and 0 <= reliability < 1):
        raise RapportError("Expected a standard deviation above 0 and a reliability from 0 to below 1.")
    noise = np.sqrt(2) * sd * np.sqrt(1 - reliability)
    difference = _series(after) - _series(before)
    return (difference / noise).rename("reliable_change")


def ewma(values: ArrayLike | pd.Series, *, center: float, sigma: float, lam: float, limit: float) -> pd.DataFrame:
    """The exponentially weighted moving average chart z_i = λx_i + (1 − λ)z_(i−1), z_0 = center.

    One row a value, columns value, ewma, lcl, ucl, is_signal; limits center ± limit·sigma·√(λ / (2 − λ)), those of
    a long series, as NIST prints them (early ones are a little wide, which errs towards no signal). `sigma` is the
    SD of one value; λ in (0, 1], limit usually 3. A missing value leaves the average where it was. At least 8
    values. Assumes independent values around the center. Roberts (1959); NIST/SEMATECH e-Handbook 6.3.2.4.
    """
    series = _series(values)
    x = _long_enough(series)
    if not (0 < lam <= 1 and sigma > 0 and limit > 0):
        raise RapportError("Expected lam above 0 and at most 1, and sigma and limit above 0.")
    average, state = np.empty_like(x), float(center)
    for i, value in enumerate(x):
        state = state if np.isnan(value) else lam * value + (1 - lam) * state
        average[i] = state
    half = limit * sigma * np.sqrt(lam / (2 - lam))
    is_signal = (np.abs(average - center) > half) & ~np.isnan(x)
    columns = {"value": x, "ewma": average, "lcl": center - half, "ucl": center + half, "is_signal": is_signal}
    return pd.DataFrame(columns, index=series.index)


def cusum(values: ArrayLike | pd.Series, *, target: float, sigma: float, k: float, h: float) -> pd.DataFrame:
    """The tabular cumulative sum: S_H = max(0, x − target − K + S_H before), S_L = max(0, target − K − x + S_L before).

    One row a value, columns value, s_h, s_l (units of the values, not of sigma), limit = H, is_signal. K = k·sigma
    is half the shift to be found, H = h·sigma; usually k = 0.5, h = 4 or 5. A missing value leaves both sums. At
    least 8 values. Assumes independent values around the target. Page (1954).
    """
    series = _series(values)
    x = _long_enough(series)
    if not (sigma > 0 and k >= 0 and h > 0):
        raise RapportError("Expected sigma and h above 0 and k of 0 or more.")
    high, low = np.empty_like(x), np.empty_like(x)
    above = below = 0.0
    for i, value in enumerate(x):
        if not np.isnan(value):
            above = max(0.0, value - (target + k * sigma) + above)
            below = max(0.0, (target - k * sigma) - value + below)
        high[i], low[i] = above, below
    is_signal = (np.maximum(high, low) > h * sigma) & ~np.isnan(x)
    columns = {"value": x, "s_h": high, "s_l": low, "limit": h * sigma, "is_signal": is_signal}
    return pd.DataFrame(columns, index=series.index)


def predictive_deviation(scores: pd.DataFrame, *, person: str, round: str, score: str) -> pd.DataFrame:
    """How far each person's score in the latest round lies from what their earlier ones predict.

    One row of `scores` a person and round. Earlier rounds give round means, the variance between people τ² and within
    σ² (random intercept); a person with k earlier scores is expected at this round's level plus kτ² / (kτ² + σ²) of
    their own earlier distance, with variance τ²σ² / (kτ² + σ²) + σ². The level is this round's own, so that a change
    of everybody is nobody's deviation. τ/σ is integrated on a grid with a flat prior and σ² exactly (t), for a
    plug-in finds too much in small programmes. One row a person with an earlier score (index): score, expected, sd,
    deviation (standard normal without change), p (two-sided), q (Benjamini–Hochberg over the round). Empty with
    fewer than two earlier rounds or five people. Assumes people who stay the same up to independent normal noise.
    Efron & Morris (1977) for the shrinkage; Gelman et al. (2013), chapter 5, for the grid.
    """
    known = scores[scores[score].notna()]
    if known.duplicated([person, round]).any():
        raise RapportError(f"Expected one score a {person} and {round}.")
    latest = known[round].max()
    past, now = known[known[round] < latest], known[known[round] == latest].set_index(person)[score].astype(float)
    now = now[now.index.isin(past[person])].sort_index()
    if past[round].nunique() < ROUNDS_BEFORE or len(now) < LEAST_PEOPLE or not past.duplicated(person).any():
        return pd.DataFrame(columns=DEVIATION, index=pd.Index([], name=person), dtype=float)
    expected, variance, p = _predict(past, now, person, round, score)
    side = np.sign(now.to_numpy() - expected)
    deviation = side * stats.norm.isf(p / 2)
    columns = [now.to_numpy(), expected, np.sqrt(variance), deviation, p, false_discovery(p).to_numpy()]
    return pd.DataFrame(np.column_stack(columns), index=now.index.rename(person), columns=DEVIATION)


def false_discovery(p: ArrayLike | pd.Series) -> pd.Series:
    """Adjusted p values q_(i) = min over j ≥ i of p_(j)·m / j: those at most 0.05 hold 5 % false ones on average.

    By the index of `p`; a missing one stays missing and does not count. Valid for independent or positively dependent
    tests. Benjamini & Hochberg (1995).
    """
    series = _series(p)
    values = series.to_numpy(dtype=float)
    kept = np.flatnonzero(np.isfinite(values))
    if ((values[kept] < 0) | (values[kept] > 1)).any():
        raise RapportError("Expected p values from 0 to 1.")
    order = kept[np.argsort(values[kept])]
    ranked = values[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted = np.full(len(values), np.nan)
    adjusted[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return pd.Series(adjusted, index=series.index, name="q")


def _series(values: float | ArrayLike | pd.Series) -> pd.Series:
    if isinstance(values, pd.Series):
        return values.astype(float)
    return pd.Series(np.atleast_1d(np.asarray(values, dtype=float)))


def _long_enough(series: pd.Series) -> Floats:
    x: Floats = series.to_numpy(dtype=float, na_value=np.nan)
    n = int(np.isfinite(x).sum())
    if n < LEAST_POINTS:
        raise RapportError(f"Expected a series of at least {LEAST_POINTS} values, found {n}.")
    return x


def _predict(past: pd.DataFrame, now: pd.Series, person: str, round: str, score: str) -> tuple[Floats, Floats, Floats]:
    """Of each person now: expected score, variance and two-sided p, averaged over what τ/σ may be."""
    code, rounds = pd.factorize(past[round], sort=True)
    design, y = np.eye(len(rounds))[code], past[score].to_numpy(dtype=float)
    who, people = pd.factorize(past[person])
    n = np.bincount(who).astype(float)
    own = people.get_indexer(now.index)
    middle = y.mean()
    sums = sum_products(np.column_stack([design, y - middle]), np.asarray(who, dtype=np.int64))
    fits = [profile(sums, ratio, "REML") for ratio in GRID**2]
    likelihood = np.array([fit[0] for fit in fits])
    weight = np.exp(likelihood - likelihood.max()) * np.gradient(GRID)
    weight /= weight.sum()
    mean, square, p = np.zeros(len(now)), np.zeros(len(now)), np.zeros(len(now))
    seen = now.to_numpy() - middle
    for share, ratio, (_, beta, _, within) in zip(weight, GRID**2, fits, strict=True):
        distance = np.bincount(who, y - middle - design @ beta) / n
        kept = n * ratio / (n * ratio + 1)
        variance = (within * (ratio * (1 - kept) + 1))[own]
        borrowed = (kept * distance)[own]
        level = ((seen - borrowed) / variance).sum() / (1 / variance).sum()
        left = variance - 1 / (1 / variance).sum()  # the level is estimated from the same people
        mean += share * (level + borrowed)
        square += share * (left + (level + borrowed) ** 2)
        p += share * 2 * stats.t.sf(np.abs(seen - level - borrowed) / np.sqrt(left), sums.n - len(beta))
    return mean + middle, square - mean**2, np.clip(p, 1e-300, 1.0)
