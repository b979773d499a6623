"""Measures how differently the two people of a pairing see the same thing."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from data.errors import RapportError
from pipeline.dyads.sides import side_by_side
from pipeline.estimate import clustered, wilson

Floats = NDArray[np.float64]
POWER = 0.80
LEAST_PAIRINGS = 3
LEAST_RATIO = 0.5  # of variances with and without regard to mentors


@dataclass(frozen=True, kw_only=True)
class PerceptionGap:
    """First side minus second side, in score units; intervals 95 %, clustered by mentor.

    `agreement` is Spearman's rank correlation over pairings (NaN where a side does not vary); `beyond` the
    share of pairings whose gap exceeds the noise of two measurements (`noise`, score units), None without a
    standard error of measurement; `smallest_visible` the true mean gap that 80 of 100 such programmes would see.
    """

    sides: tuple[Hashable, Hashable]
    mean: float
    se: float
    df: float
    low: float
    high: float
    agreement: float
    agreement_low: float
    agreement_high: float
    noise: float | None
    beyond: float | None
    beyond_low: float | None
    beyond_high: float | None
    smallest_visible: float
    n_pairings: int
    n_mentors: int


def perception_gap(
    scores: pd.DataFrame,
    *,
    score: str,
    pairing: str,
    side: str,
    mentor: str | None = None,
    sem: tuple[float, float] | None = None,
    sides: tuple[Hashable, Hashable] = ("mentor", "mentee"),
) -> PerceptionGap:
    """Mean paired gap, rank agreement and gaps beyond noise; one row of `scores` a person and pairing.

    gap = mean of (first − second) over pairings with both; its standard error is cluster-robust over mentors
    with bias-reduced residuals and Satterthwaite degrees of freedom (Bell & McCaffrey 2002), for pairings that
    share a mentor are never independent. A gap exceeds noise beyond 1.96·√(SEM₁² + SEM₂²), SEM = SD·√(1 −
    reliability) of each side; the interval of their share counts pairings of one mentor for less. Smallest
    visible gap: (t.975 + t.80)·SE. Whether a gap means anything rests on invariance, which is tested elsewhere.
    The agreement's interval is on Fisher's scale, with the influence function of the rank correlation summed by
    mentor (Croux & Dehon 2010).
    """
    laid = side_by_side(scores, values=[score], pairing=pairing, side=side, mentor=mentor)
    if set(laid.labels) != set(sides):
        found = " and ".join(map(str, laid.labels))
        raise RapportError(f"Expected the sides {sides[0]} and {sides[1]}, found {found}.")
    ordered = laid.values[score][:, [laid.labels.index(each) for each in sides]]
    both = np.isfinite(ordered).all(axis=1)
    cluster = np.unique(laid.mentor[both], return_inverse=True)[1].astype(np.int64)
    first, second = ordered[both].T
    if both.sum() < LEAST_PAIRINGS or cluster.max() < 1:
        raise RapportError(f"Expected at least {LEAST_PAIRINGS} pairings with both sides, of two mentors or more.")
    agreement = _agreement(first, second, cluster)
    mean = _mean(first - second, cluster)
    noise = None if sem is None else float(stats.norm.ppf(0.975) * np.hypot(*sem))
    beyond = (None, None, None) if noise is None else _beyond(first - second, noise, cluster)
    return PerceptionGap(
        sides=sides,
        **mean,
        agreement=agreement[0],
        agreement_low=agreement[1],
        agreement_high=agreement[2],
        noise=noise,
        beyond=beyond[0],
        beyond_low=beyond[1],
        beyond_high=beyond[2],
        n_pairings=len(first),
        n_mentors=int(cluster.max()) + 1,
    )


def _mean(gap: Floats, cluster: NDArray[np.int64]) -> dict[str, float]:
    found = clustered(gap, np.zeros(len(gap), dtype=np.int64), cluster)
    if found is None:  # the caller has made sure of two mentors
        raise RapportError("Expected pairings of two mentors or more.")
    seen = (stats.t.ppf(0.975, found.df) + stats.t.ppf(POWER, found.df)) * found.se
    ends = {"low": found.value - found.half_width, "high": found.value + found.half_width}
    return {"mean": found.value, "se": found.se, "df": found.df, **ends, "smallest_visible": float(seen)}


def _beyond(gap: Floats, noise: float, cluster: NDArray[np.int64]) -> tuple[float, float, float]:
    """The share and Wilson's interval at the number of independent pairings that would tell as much (Kish 1965)."""
    is_beyond = (np.abs(gap) > noise).astype(float)
    found = clustered(is_beyond, np.zeros(len(gap), dtype=np.int64), cluster)
    simple = float(is_beyond.var(ddof=1)) / len(gap)
    # A ratio above and below 1 is kept: one cut at 1 would be too wide where chance decides it.
    ratio = max(found.se**2 / simple, LEAST_RATIO) if found is not None and simple > 0 else 1.0
    n = len(gap) / ratio
    return float(is_beyond.mean()), *wilson(float(is_beyond.mean()) * n, n)


def _agreement(first: Floats, second: Floats, cluster: NDArray[np.int64]) -> tuple[float, float, float]:
    """Spearman's correlation with ties at mid-rank, and its clustered interval."""
    cross, of_cross = _covariance(first, second)
    own, of_own = _covariance(first, first)
    other, of_other = _covariance(second, second)
    if own <= 0 or other <= 0:
        return float("nan"), float("nan"), float("nan")
    rho = float(np.clip(cross / np.sqrt(own * other), -1, 1))
    influence = of_cross / np.sqrt(own * other) - rho / 2 * (of_own / own + of_other / other)
    found = clustered(influence, np.zeros(len(influence), dtype=np.int64), cluster)
    if found is None or abs(rho) > 1 - 1e-12:
        return rho, rho, rho
    half = found.half_width / (1 - rho**2)
    return rho, float(np.tanh(np.arctanh(rho) - half)), float(np.tanh(np.arctanh(rho) + half))


def _covariance(first: Floats, second: Floats) -> tuple[float, Floats]:
    """The covariance of mid-distribution ranks and each pairing's influence on it, its own rank's and others'."""
    ranks = [(stats.rankdata(side) - 0.5) / len(side) - 0.5 for side in (first, second)]
    product = ranks[0] * ranks[1]
    influence = product + _moved(first, ranks[1]) + _moved(second, ranks[0])
    return float(product.mean()), influence - influence.mean()


def _moved(side: Floats, rank: Floats) -> Floats:
    """How much one more pairing at each value moves the others' ranks: mean of (1 above, ½ equal)·their rank."""
    _, level = np.unique(side, return_inverse=True)
    total = np.bincount(level, rank)
    above = total[::-1].cumsum()[::-1] - total / 2
    moved: Floats = above[level] / len(side)
    return moved
