"""Shrinks small groups towards each other by as much as their differences could be chance."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

N_GRID = 400
TAIL = 0.025


def shrink(estimate: Sequence[float] | pd.Series, se: Sequence[float] | pd.Series) -> pd.DataFrame:
    """Normal–normal empirical Bayes: one row a group, columns mean, low, high (95 %) and p_above.

    estimate_j ~ N(θ_j, se_j²), θ_j ~ N(μ, τ²); μ has a flat prior and is integrated out, τ ≥ 0 has a flat
    prior and is integrated on a grid (Gelman et al., Bayesian Data Analysis 3rd ed. 2013, section 5.4): a
    plug-in τ covers too little with few groups. p_above is P(θ_j > mean of all θ). Groups without a number
    stay without.
    """
    index = estimate.index if isinstance(estimate, pd.Series) else pd.RangeIndex(len(estimate))
    value, error = np.asarray(estimate, dtype=float), np.asarray(se, dtype=float)
    usable = np.isfinite(value) & np.isfinite(error) & (error > 0)
    shrunk = np.full((len(value), 4), np.nan)
    if usable.any():
        shrunk[usable] = _shrink(value[usable], error[usable])
    return pd.DataFrame(shrunk, columns=["mean", "low", "high", "p_above"], index=index)


def pool(measured: pd.DataFrame, shown: Sequence[bool]) -> pd.DataFrame:
    """Measured, with the numbers of shown groups shrunk towards each other.

    Withheld groups take no part, so that what is shown says nothing about them.
    """
    pooled = measured.copy()
    is_group = np.asarray(shown) & (measured["view"] != "all") & (measured["unit"] == "points")
    for _, rows in measured[is_group].groupby(["metric", "view", "side"]):
        shrunk = shrink(rows["value"], rows["se"])
        pooled.loc[rows.index, ["value", "low", "high"]] = shrunk[["mean", "low", "high"]].to_numpy()
    return pooled


def _shrink(value: Floats, error: Floats) -> Floats:
    """Columns mean, low, high, p_above; rows of the inner arrays are points of the grid, columns groups."""
    tau = _grid(value, error)
    total = error**2 + tau[:, None] ** 2
    precision = (1 / total).sum(axis=1)
    mu = (value / total).sum(axis=1) / precision
    weight = _posterior(tau, value, total, mu, precision)
    own = tau[:, None] ** 2 / total  # how much of its own number a group keeps
    centre = own * value + (1 - own) * mu[:, None]
    inside = own * error**2
    spread = np.sqrt(inside + (1 - own) ** 2 / precision[:, None])
    lead = _lead(centre, inside, 1 - own, precision)
    ends = [_quantile(centre, spread, weight, tail) for tail in (TAIL, 1 - TAIL)]
    return np.column_stack([weight @ centre, *ends, weight @ ndtr(lead)])


def _lead(centre: Floats, inside: Floats, borrowed: Floats, precision: Floats) -> Floats:
    """How many standard deviations each group lies above the mean of the groups, at each τ."""
    n = centre.shape[1]
    over = centre - centre.mean(axis=1, keepdims=True)
    own = inside * (1 - 2 / n) + inside.sum(axis=1, keepdims=True) / n**2
    shared = (borrowed - borrowed.mean(axis=1, keepdims=True)) ** 2 / precision[:, None]
    spread = np.sqrt(own + shared)
    lead: Floats = np.divide(over, spread, out=np.zeros_like(over), where=spread > 0)
    return lead


def _grid(value: Floats, error: Floats) -> Floats:
    """Values of τ, denser near zero, up to far beyond what the groups' differences allow."""
    top = 10 * max(float(value.std()), float(error.max()))
    return top * np.linspace(0.0, 1.0, N_GRID) ** 2


def _posterior(tau: Floats, value: Floats, total: Floats, mu: Floats, precision: Floats) -> Floats:
    log_density = -0.5 * (np.log(total) + (value - mu[:, None]) ** 2 / total).sum(axis=1)
    log_density -= 0.5 * np.log(precision)
    density = np.exp(log_density - log_density.max()) * np.gradient(tau)
    weight: Floats = density / density.sum()
    return weight


def _quantile(centre: Floats, spread: Floats, weight: Floats, tail: float) -> Floats:
    """Each group's quantile of the mixture of normals over the grid, by bisection."""
    low, high = (centre - 9 * spread).min(axis=0), (centre + 9 * spread).max(axis=0)
    for _ in range(60):
        middle = (low + high) / 2
        is_below = weight @ ndtr((middle - centre) / spread) < tail
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    quantile: Floats = (low + high) / 2
    return quantile
