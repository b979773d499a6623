"""Computes the likelihood of dyadic growth curves and its gradient, for all pairings at once.

Each pairing enters by five summed products of [1, t, 1, t | y] (occasions with both sides: first with first,
first with second, second with second; then first alone, second alone), so that a step costs a few batched
products of 4 × 4 matrices. With M = Z'R⁻¹Z of a pairing and P = (I + MG)⁻¹: X'V⁻¹X = PM, X'V⁻¹y = PZ'R⁻¹y, and
G need not be invertible.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dyads.robust import by_cluster

Floats = NDArray[np.float64]
N_EFFECTS = 4  # first side's intercept and slope, second side's
LOWER = np.tril_indices(N_EFFECTS)
FURTHEST = 10.0  # log SD (of a standardised outcome) or atanh correlation that a step of the search may try
ONLY_INTERCEPTS = [0, 3, 5]  # of LOWER: (0, 0), (2, 0), (2, 2)


@dataclass(frozen=True)
class Occasions:
    """`products` (n pairings, 5 kinds, 5, 5); `counts` of occasions with both sides, the first, the second alone."""

    products: Floats
    counts: tuple[int, int, int]

    @property
    def n(self) -> int:
        return 2 * self.counts[0] + self.counts[1] + self.counts[2]


@dataclass(frozen=True)
class State:
    """What a point of the search says: fixed effects, each pairing's X'V⁻¹X and X'V⁻¹r."""

    theta: Floats
    loss: float
    beta: Floats
    information: Floats
    score: Floats


def gather(values: Floats, times: Floats, row: NDArray[np.int64]) -> Occasions:
    """`values` (n occasions, 2) with NaN, `times` (n,), `row` the pairing of each occasion from 0."""
    seen = np.isfinite(values)
    joined = np.zeros((len(values), 2, N_EFFECTS + 1))
    for side in (0, 1):
        joined[:, side, 2 * side] = seen[:, side]
        joined[:, side, 2 * side + 1] = times * seen[:, side]
        joined[:, side, -1] = np.where(seen[:, side], values[:, side], 0.0)
    both, alone = np.asarray(seen.all(axis=1), dtype=bool), seen.sum(axis=1) == 1
    first, second = joined[:, 0], joined[:, 1]
    cross = _outer(first, second, both)
    kinds = [_outer(first, first, both), cross + cross.transpose(0, 2, 1), _outer(second, second, both)]
    kinds += [_outer(first, first, alone), _outer(second, second, alone)]
    products = by_cluster(np.stack(kinds, axis=1), row)
    counts = (int(both.sum()), int((alone & seen[:, 0]).sum()), int((alone & seen[:, 1]).sum()))
    return Occasions(products, counts)


def unpack(theta: Floats, has_slopes: bool) -> tuple[Floats, Floats, float]:
    """G, the residual standard deviations and the residual correlation."""
    factor = _factor(theta, has_slopes)
    return factor @ factor.T, np.exp(theta[-3:-1]), float(np.tanh(theta[-1]))


def evaluate(known: Occasions, theta: Floats, has_slopes: bool, method: str) -> tuple[float, Floats, State]:
    """Minus the log-likelihood, its gradient, and what belongs to it."""
    factor = _factor(theta, has_slopes)
    random = factor @ factor.T
    weights, turn, log_r, turn_log_r = _residual(theta[-3:], known.counts)
    total = np.tensordot(known.products, weights, axes=(1, 0))
    m, c, yy = total[:, :-1, :-1], total[:, :-1, -1], total[:, -1, -1]
    p = np.asarray(np.linalg.inv(np.eye(N_EFFECTS) + m @ random), dtype=np.float64)
    log_v = log_r - float(np.linalg.slogdet(p)[1].sum())
    information = p @ m
    pc = (p @ c[:, :, None])[:, :, 0]
    whole = information.sum(axis=0)
    inverse = np.asarray(np.linalg.inv(whole), dtype=np.float64)
    beta = inverse @ pc.sum(axis=0)
    score = pc - information @ beta
    rest = float(yy.sum() - ((c @ random) * pc).sum() - beta @ pc.sum(axis=0))
    is_reml = method == "REML"
    extra: Floats = inverse if is_reml else np.zeros_like(inverse)
    n = known.n - (N_EFFECTS if is_reml else 0)
    log_design = float(np.linalg.slogdet(whole)[1]) if is_reml else 0.0
    loss = 0.5 * (n * np.log(2 * np.pi) + log_v + rest + log_design)
    by_random = 0.5 * (whole - score.T @ score - (information @ extra @ information).sum(axis=0))
    conditional = _conditional(random, p, score, beta, extra)
    by_weight = 0.5 * np.tensordot(known.products, conditional, axes=([0, 2, 3], [0, 1, 2]))
    of_factor = (2 * by_random @ factor)[LOWER]
    free = of_factor if has_slopes else of_factor[ONLY_INTERCEPTS]
    gradient = np.concatenate([free, turn @ by_weight + 0.5 * turn_log_r])
    return loss, gradient, State(theta, loss, beta, information, score)


def _conditional(random: Floats, p: Floats, score: Floats, beta: Floats, extra: Floats) -> Floats:
    """(n, 5, 5): what a pairing's products are multiplied with in the gradient by the weights of R⁻¹."""
    expected = score @ random + beta  # its own effects, given its answers
    joined = np.zeros((len(p), N_EFFECTS + 1, N_EFFECTS + 1))
    joined[:, :-1, :-1] = random @ p + p.transpose(0, 2, 1) @ extra @ p + expected[:, :, None] * expected[:, None, :]
    joined[:, :-1, -1] = joined[:, -1, :-1] = -expected
    joined[:, -1, -1] = 1.0
    return joined


def _outer(left: Floats, right: Floats, kept: NDArray[np.bool_]) -> Floats:
    product: Floats = left[:, :, None] * right[:, None, :] * kept[:, None, None]
    return product


def _factor(theta: Floats, has_slopes: bool) -> Floats:
    factor = np.zeros((N_EFFECTS, N_EFFECTS))
    if has_slopes:
        factor[LOWER] = theta[:-3]
    else:
        factor[[0, 2, 2], [0, 0, 2]] = theta[:-3]
    return factor


def _residual(theta: Floats, counts: tuple[int, int, int]) -> tuple[Floats, Floats, float, Floats]:
    """Weights of R⁻¹ by kind, their derivatives (3, 5) by log SDs and atanh ρ; log|R| and its derivatives (3,)."""
    theta = np.clip(theta, -FURTHEST, FURTHEST)
    first, second = np.exp(-theta[0]), np.exp(-theta[1])
    rho, rest = np.tanh(theta[2]), 1 / np.cosh(theta[2]) ** 2
    aa, bb, ab = first**2 / rest, second**2 / rest, -rho * first * second / rest
    weights = np.array([aa, ab, bb, first**2, second**2])
    turn = np.array(
        [
            [-2 * aa, -ab, 0, -2 * first**2, 0],
            [0, -ab, -2 * bb, 0, -2 * second**2],
            [2 * rho * aa, -(1 + rho**2) * first * second / rest, 2 * rho * bb, 0, 0],
        ]
    )
    both, one, other = counts
    log_r = 2 * (both + one) * theta[0] + 2 * (both + other) * theta[1] + both * np.log(rest)
    return weights, turn, float(log_r), np.array([2.0 * (both + one), 2.0 * (both + other), -2.0 * both * rho])
