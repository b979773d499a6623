"""Estimates how uncertain a fit is when the units that share a cluster depend on one another."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FULL = 1 - 1e-10  # a direction that one cluster alone determines tells nothing about the variance


def by_cluster(per_unit: Floats, cluster: NDArray[np.int64]) -> Floats:
    """Sums the first axis within clusters, which are numbered from 0."""
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    summed: Floats = np.add.reduceat(per_unit[order], starts, axis=0)
    return summed


def clustered_covariance(information: Floats, score: Floats) -> tuple[Floats, Floats]:
    """The bias-reduced sandwich (CR2) of a generalised least-squares fit, with degrees of freedom.

    `information` (G, p, p) is X'V⁻¹X and `score` (G, p) is X'V⁻¹r of each of G clusters. Each cluster's
    residuals are multiplied by (I − H_gg)^(−1/2), which makes the variance unbiased when V is right and
    consistent when it is not; Satterthwaite degrees of freedom belong to each coefficient (Bell & McCaffrey
    2002; Pustejovsky & Tipton 2018). Assumes that clusters are independent. Returns (p, p) and (p,).
    """
    values, vectors = np.linalg.eigh(information.sum(axis=0))
    root = vectors / np.sqrt(values) @ vectors.T  # the inverse square root of the whole information
    share, axes = np.linalg.eigh(root @ information @ root)
    kept = np.clip(1 - share, 0, None)
    lift = np.where(share < FULL, 1 / np.sqrt(np.where(share < FULL, kept, 1.0)), 0.0)
    adjust = (axes * lift[:, None, :]) @ axes.transpose(0, 2, 1)
    moved = np.einsum("gij,gj->gi", adjust, score @ root)
    covariance = root @ (moved.T @ moved) @ root
    return covariance, _degrees(root @ information @ root, adjust, root)


def _degrees(share: Floats, adjust: Floats, root: Floats) -> Floats:
    """Satterthwaite: (Σ_g p_gg)² / Σ_gh p_gh², without building the G × G matrix."""
    weight = adjust @ root  # (G, p, coefficient)
    taken = share @ weight
    own = np.einsum("gic,gic->cg", weight, taken)
    used = np.einsum("gic,gic->cg", taken, taken)
    square = np.einsum("gic,gjc->cij", taken, taken)
    total = (own**2).sum(axis=1) - 2 * (own * used).sum(axis=1) + (square**2).sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees: Floats = (own - used).sum(axis=1) ** 2 / total
    return np.where(np.isfinite(degrees), degrees, 0.0)
