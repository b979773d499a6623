"""Fits the proportional-odds model to one ordered answer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.instrument.answers_matrix import Floats

MAX_STEPS = 60
TOLERANCE = 1e-10
RIDGE = 1e-3  # on slopes of standardised columns: keeps a separated fit finite and moves no other by a digit shown


@dataclass(frozen=True)
class Ordinal:
    """Log-likelihood (without the ridge), slopes (k,) in log-odds, and whether the fit converged."""

    log_likelihood: float
    slope: Floats
    converged: bool


def proportional_odds(answer: NDArray[np.int64], columns: Floats) -> Ordinal:
    """P(y ≤ c) = logistic(τ_c − x'β) by Fisher scoring; `answer` (n,) is 0 … C−1, all present; `columns` (n, k).

    McCullagh (1980), Journal of the Royal Statistical Society B 42.
    """
    share = np.bincount(answer) / len(answer)
    below = np.cumsum(share)[:-1]
    at = np.r_[np.log(below / (1 - below)), np.zeros(columns.shape[1])]
    value = _penalised(at, answer, columns)
    converged = False
    for _ in range(MAX_STEPS):
        uphill, known = _slopes(at, answer, columns)
        step = np.linalg.lstsq(known, uphill, rcond=None)[0]
        if uphill @ step < TOLERANCE * len(answer):
            converged = True
            break
        length = 1.0
        while length > 1e-8 and not _penalised(at + length * step, answer, columns) > value:
            length /= 2
        if length <= 1e-8:
            break
        at = at + length * step
        value = _penalised(at, answer, columns)
    slope = at[len(below) :]
    return Ordinal(float(value + RIDGE / 2 * slope @ slope), slope, converged)


def _edges(at: Floats, columns: Floats) -> Floats:
    """P(y ≤ c) for c = −1 … C−1, (n, C + 1)."""
    n_cuts = len(at) - columns.shape[1]
    inner = expit(at[:n_cuts] - (columns @ at[n_cuts:])[:, None])
    return np.column_stack([np.zeros(len(columns)), inner, np.ones(len(columns))])


def _penalised(at: Floats, answer: NDArray[np.int64], columns: Floats) -> float:
    edges, row = _edges(at, columns), np.arange(len(answer))
    chance = edges[row, answer + 1] - edges[row, answer]
    slope = at[len(at) - columns.shape[1] :]
    if (chance <= 0).any():
        return -np.inf
    return float(np.log(chance).sum() - RIDGE / 2 * slope @ slope)


def _slopes(at: Floats, answer: NDArray[np.int64], columns: Floats) -> tuple[Floats, Floats]:
    edges = _edges(at, columns)
    density = edges * (1 - edges)
    chance = np.maximum(np.diff(edges, axis=1), 1e-12)
    n, n_categories = chance.shape
    by_cut = np.zeros((n, n_categories, n_categories - 1))
    cut = np.arange(n_categories - 1)
    by_cut[:, cut, cut] = density[:, 1:-1]
    by_cut[:, cut + 1, cut] = -density[:, 1:-1]
    by_slope = -np.diff(density, axis=1)[:, :, None] * columns[:, None, :]
    by_all = np.concatenate([by_cut, by_slope], axis=2)
    row = np.arange(n)
    penalty = np.r_[np.zeros(n_categories - 1), np.full(columns.shape[1], RIDGE)]
    uphill = (by_all[row, answer] / chance[row, answer][:, None]).sum(axis=0) - penalty * at
    flat = by_all.reshape(n * n_categories, -1)
    known = flat.T @ (flat / chance.reshape(-1, 1)) + np.diag(penalty)
    return uphill, known
