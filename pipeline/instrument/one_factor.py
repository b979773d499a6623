"""Fits one factor to a stack of covariance matrices at once by maximum likelihood."""

import numpy as np
from numpy.typing import NDArray

from pipeline.instrument.answers_matrix import Floats

MAX_STEPS = 100
TOLERANCE = 1e-11
SMALLEST = 1e-9  # a residual variance nearer to 0 counts as this, on the correlation scale


def one_factor(covariance: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Loadings (b, k), residual variances (b, k) and whether the fit converged (b,), for covariances (b, k, k).

    Σ = λλ' + diag(θ), by Fisher scoring of log|Σ| + tr(SΣ⁻¹) on the correlation scale, k ≥ 3. Residual
    variances may become negative. A matrix whose likelihood has no maximum is marked as not converged.
    """
    sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    correlation = covariance / (sd[:, :, None] * sd[:, None, :])
    loading = _start(correlation)
    residual = 1 - loading**2
    value = discrepancy(correlation, loading, residual)
    done = np.zeros(len(sd), dtype=bool)
    for _ in range(MAX_STEPS):
        step, promise = _step(correlation, loading, residual)
        done = promise < TOLERANCE
        if done.all():
            break
        loading, residual, value, moved = _walk(correlation, loading, residual, value, step)
        if not (moved | done).any():
            break
    return loading * sd, residual * sd**2, done


def _start(correlation: Floats) -> Floats:
    """First principal axis of the correlations, with each item's largest in place of its communality."""
    n_items = correlation.shape[-1]
    eye = np.eye(n_items)
    reduced = correlation * (1 - eye) + eye * np.abs(correlation * (1 - eye)).max(axis=1)[:, :, None]
    root, vector = np.linalg.eigh(reduced)
    axis = vector[:, :, -1] * np.sqrt(np.maximum(root[:, -1:], 0.05))
    axis = axis * np.where(axis.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    started: Floats = np.sign(axis) * np.clip(np.abs(axis), 0.05, 0.95)
    return started


def _parts(loading: Floats, residual: Floats) -> tuple[Floats, Floats, Floats]:
    """1/θ, λ/θ and 1 + Σ λ²/θ, from which the inverse and the determinant of λλ' + diag(θ) follow."""
    apart = np.where(np.abs(residual) < SMALLEST, SMALLEST, residual)
    return 1 / apart, loading / apart, 1 + (loading**2 / apart).sum(axis=1)


def _inverse(loading: Floats, residual: Floats) -> Floats:
    precision, pulled, more = _parts(loading, residual)
    inverse: Floats = precision[:, :, None] * np.eye(loading.shape[1])
    inverse -= pulled[:, :, None] * pulled[:, None, :] / more[:, None, None]
    return inverse


def discrepancy(correlation: Floats, loading: Floats, residual: Floats) -> Floats:
    """log|Σ| + tr(SΣ⁻¹); infinite where Σ is not positive definite: two negative θ, or a negative determinant."""
    precision, pulled, more = _parts(loading, residual)
    n_negative = (precision < 0).sum(axis=1)
    proper = (n_negative <= 1) & ((more < 0) == (n_negative == 1)) & (more != 0)
    trace = (np.diagonal(correlation, axis1=1, axis2=2) * precision).sum(axis=1)
    trace -= np.einsum("bi,bij,bj->b", pulled, correlation, pulled) / np.where(more == 0, 1, more)
    log_determinant = np.log(np.abs(np.where(more == 0, 1, more))) - np.log(np.abs(precision)).sum(axis=1)
    return np.where(proper, log_determinant + trace, np.inf)


def information(loading: Floats, residual: Floats) -> Floats:
    """Expected information of one respondent about (λ, θ): (b, 2k, 2k)."""
    inverse = _inverse(loading, residual)
    pulled = np.einsum("bij,bj->bi", inverse, loading)
    weight = np.einsum("bi,bi->b", loading, pulled)
    among_loadings = weight[:, None, None] * inverse + pulled[:, :, None] * pulled[:, None, :]
    across = inverse * pulled[:, None, :]
    return np.concatenate(
        [
            np.concatenate([among_loadings, across], axis=2),
            np.concatenate([across.transpose(0, 2, 1), inverse**2 / 2], axis=2),
        ],
        axis=1,
    )


def score(excess: Floats, loading: Floats, residual: Floats) -> Floats:
    """Slope of the log-likelihood by (λ, θ), (b, 2k), for the excess S − Σ, (b, k, k)."""
    inverse = _inverse(loading, residual)
    white = inverse @ excess @ inverse
    by_loading = np.einsum("bij,bj->bi", white, np.broadcast_to(loading, (len(white), loading.shape[1])))
    return np.concatenate([by_loading, np.diagonal(white, axis1=1, axis2=2) / 2], axis=1)


def _step(correlation: Floats, loading: Floats, residual: Floats) -> tuple[Floats, Floats]:
    implied = loading[:, :, None] * loading[:, None, :] + residual[:, :, None] * np.eye(loading.shape[1])
    uphill = score(correlation - implied, loading, residual)
    known = information(loading, residual)
    size = np.sqrt(np.maximum(np.diagonal(known, axis1=1, axis2=2), 1e-12))
    steady = known / (size[:, :, None] * size[:, None, :]) + 1e-9 * np.eye(size.shape[1])
    step = np.linalg.solve(steady, (uphill / size)[:, :, None])[:, :, 0] / size
    return step, np.einsum("bi,bi->b", step, uphill)


def _walk(
    correlation: Floats, loading: Floats, residual: Floats, value: Floats, step: Floats
) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Each matrix takes the longest of the halved steps that lowers its discrepancy, or stays."""
    n_items = loading.shape[1]
    length, moved = np.ones(len(step)), np.zeros(len(step), dtype=bool)
    for _ in range(25):
        tried = length[:, None] * step
        nearer = discrepancy(correlation, loading + tried[:, :n_items], residual + tried[:, n_items:])
        moved = nearer < value
        if moved.all():
            break
        length = np.where(moved, length, length / 2)
    tried = np.where(moved, length, 0.0)[:, None] * step
    return loading + tried[:, :n_items], residual + tried[:, n_items:], np.where(moved, nearer, value), moved
