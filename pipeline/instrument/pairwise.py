"""Adds up products of answers by cluster, so that covariances of any resample are one matrix product away."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.instrument.answers_matrix import Floats

MAX_WEIGHTS = 4_000_000  # resampling weights held at a time: 32 MB


@dataclass(frozen=True)
class PairSums:
    """By cluster (c, k, k), over people who answered both items i and j: how many, Σ x_i, Σ x_i x_j."""

    count: Floats
    total: Floats
    product: Floats


def pair_sums(matrix: Floats, cluster: NDArray[np.int64]) -> PairSums:
    """Sums over the people of each cluster; `matrix` is persons × items with NaN, `cluster` numbers 0 … c−1."""
    seen = (~np.isnan(matrix)).astype(float)
    centred = np.nan_to_num(matrix - np.nanmean(matrix, axis=0))  # keeps sums of squares exact for far-off means
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(cluster[order]) > 0])
    parts = (
        np.add.reduceat(left[order][:, :, None] * right[order][:, None, :], starts, axis=0)
        for left, right in ((seen, seen), (centred, seen), (centred, centred))
    )
    return PairSums(*parts)


def summed(matrix: Floats) -> PairSums:
    """The same over everyone at once, as one cluster; enough where nothing is resampled."""
    there = ~np.isnan(matrix)
    seen = there.astype(float)
    mean = np.where(there, matrix, 0.0).sum(axis=0) / there.sum(axis=0)
    centred = np.where(there, matrix - mean, 0.0)
    return PairSums((seen.T @ seen)[None], (centred.T @ seen)[None], (centred.T @ centred)[None])


def covariances(count: Floats, total: Floats, product: Floats) -> Floats:
    """Pairwise covariances (…, k, k), NaN where fewer than two people answered both items."""
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = product - total * np.swapaxes(total, -1, -2) / count
        return np.where(count >= 2, spread / (count - 1), np.nan)


def whole(sums: PairSums) -> Floats:
    """The covariances of everyone, (k, k)."""
    return covariances(sums.count.sum(axis=0), sums.total.sum(axis=0), sums.product.sum(axis=0))


def resampled(sums: PairSums, n_draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Covariances (draws, k, k) of clusters drawn with replacement, some draws at a time."""
    n_clusters, n_items = sums.count.shape[:2]
    flat = np.concatenate([part.reshape(n_clusters, -1) for part in (sums.count, sums.total, sums.product)], axis=1)
    at_once = max(1, MAX_WEIGHTS // n_clusters)
    for start in range(0, n_draws, at_once):
        size = min(at_once, n_draws - start)
        weight = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=size).astype(float)
        drawn = (weight @ flat).reshape(size, 3, n_items, n_items)
        yield covariances(drawn[:, 0], drawn[:, 1], drawn[:, 2])
