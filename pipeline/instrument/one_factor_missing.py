"""Fits one factor to answers with gaps by full-information maximum likelihood."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.instrument.answers_matrix import Floats
from pipeline.instrument.one_factor import discrepancy, information, score

MAX_STEPS = 200
TOLERANCE = 1e-9
SMALLEST = 0.005  # a residual variance is held at this share of the item's variance at least


@dataclass(frozen=True)
class Gapped:
    """One factor of k standardised items: loading and residual (k,), each person's influence on both (n, 2k)."""

    loading: Floats
    residual: Floats
    influence: Floats
    converged: bool


@dataclass(frozen=True)
class _Patterns:
    """By pattern of answered items: seen (q, k) as 0 and 1, how many (q,), mean (q, k), covariance (q, k, k)."""

    seen: Floats
    n: Floats
    mean: Floats
    covariance: Floats
    of_person: NDArray[np.int64]


def one_factor_missing(matrix: Floats) -> Gapped:
    """Loadings of one factor from persons × items with NaN, missing at random; the scale of each item is its SD.

    Maximises Σ_i log N(x_i,seen; μ, λλ' + diag(θ)) by Fisher scoring over patterns, the mean by generalised
    least squares between the steps. A person's influence is the expected information's inverse times their score.
    """
    scaled = (matrix - np.nanmean(matrix, axis=0)) / np.nanstd(matrix, axis=0)
    patterns = _patterns(scaled)
    k = scaled.shape[1]
    loading, residual = np.full(k, 0.7), np.full(k, 0.5)
    mean, value = np.zeros(k), np.inf
    for _ in range(MAX_STEPS):
        mean = _mean(patterns, loading, residual)
        value = _value(patterns, mean, loading, residual)
        uphill, known = _slope(patterns, mean, loading, residual)
        step = _step(uphill, known, residual)
        if np.abs(uphill @ step) < TOLERANCE * len(matrix):
            influence = _influence(scaled, patterns, mean, loading, residual, known)
            return Gapped(loading, residual, influence, True)
        length = 1.0
        while length > 1e-6 and not _value(patterns, mean, *_moved(loading, residual, length * step)) < value:
            length /= 2
        if length <= 1e-6:
            break
        loading, residual = _moved(loading, residual, length * step)
    return Gapped(loading, residual, np.full((len(matrix), 2 * k), np.nan), False)


def _moved(loading: Floats, residual: Floats, step: Floats) -> tuple[Floats, Floats]:
    return loading + step[: len(loading)], np.maximum(residual + step[len(loading) :], SMALLEST)


def _step(uphill: Floats, known: Floats, residual: Floats) -> Floats:
    """The scoring step; a residual variance at its bound that would fall further stays out of it."""
    k = len(residual)
    free = np.ones(2 * k, dtype=bool)
    free[k:] = (residual > SMALLEST) | (uphill[k:] > 0)
    step: Floats = np.zeros(2 * k)
    inside = known[np.ix_(free, free)]
    step[free] = np.linalg.solve(inside + 1e-9 * np.diag(np.diag(inside)), uphill[free])
    return step


def _patterns(scaled: Floats) -> _Patterns:
    seen, of_person = np.unique(~np.isnan(scaled), axis=0, return_inverse=True)
    filled = np.nan_to_num(scaled)
    n = np.bincount(of_person).astype(float)
    order = np.argsort(of_person, kind="stable")
    starts = np.r_[0, np.cumsum(n)[:-1]].astype(int)
    mean = np.add.reduceat(filled[order], starts) / n[:, None]
    product = np.add.reduceat(filled[order][:, :, None] * filled[order][:, None, :], starts) / n[:, None, None]
    return _Patterns(seen.astype(float), n, mean, product - mean[:, :, None] * mean[:, None, :], of_person.ravel())


def _masked(patterns: _Patterns, loading: Floats, residual: Floats) -> tuple[Floats, Floats]:
    """A missing item neither loads nor, with variance 1 and no deviation, adds to the likelihood."""
    return patterns.seen * loading, np.where(patterns.seen > 0, residual, 1.0)


def _about(patterns: _Patterns, mean: Floats) -> Floats:
    gap = (patterns.mean - mean) * patterns.seen
    return patterns.covariance + gap[:, :, None] * gap[:, None, :]


def _value(patterns: _Patterns, mean: Floats, loading: Floats, residual: Floats) -> float:
    return float(patterns.n @ discrepancy(_about(patterns, mean), *_masked(patterns, loading, residual)))


def _mean(patterns: _Patterns, loading: Floats, residual: Floats) -> Floats:
    own, apart = _masked(patterns, loading, residual)
    pulled = own / apart
    inverse = (patterns.seen / apart)[:, :, None] * np.eye(len(loading))
    inverse = inverse - pulled[:, :, None] * pulled[:, None, :] / (1 + (own * pulled).sum(axis=1))[:, None, None]
    weighted = patterns.n[:, None, None] * inverse
    found: Floats = np.linalg.solve(weighted.sum(axis=0), np.einsum("qij,qj->i", weighted, patterns.mean))
    return found


def _slope(patterns: _Patterns, mean: Floats, loading: Floats, residual: Floats) -> tuple[Floats, Floats]:
    own, apart = _masked(patterns, loading, residual)
    implied = own[:, :, None] * own[:, None, :] + (apart * patterns.seen)[:, :, None] * np.eye(len(loading))
    both = np.concatenate([patterns.seen, patterns.seen], axis=1)
    uphill = score(_about(patterns, mean) - implied, own, apart) * both
    known = information(own, apart) * both[:, :, None] * both[:, None, :]
    return patterns.n @ uphill, np.einsum("q,qij->ij", patterns.n, known)


def _influence(
    scaled: Floats, patterns: _Patterns, mean: Floats, loading: Floats, residual: Floats, known: Floats
) -> Floats:
    own, apart = (part[patterns.of_person] for part in _masked(patterns, loading, residual))
    seen = patterns.seen[patterns.of_person]
    gap = np.nan_to_num(scaled - mean)
    implied = own[:, :, None] * own[:, None, :] + (apart * seen)[:, :, None] * np.eye(len(loading))
    slopes = score(gap[:, :, None] * gap[:, None, :] - implied, own, apart) * np.concatenate([seen, seen], axis=1)
    found: Floats = np.linalg.solve(known, slopes.T).T
    return found
