"""Fits logistic and linear models on rows that may stand for many people."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlogy

Floats = NDArray[np.float64]

MAXIMUM_STEPS = 30
FIRTH_STEPS = 60
CLOSE_ENOUGH = 1e-9  # largest change of a linear predictor in the last step
FIRTH_CLOSE_ENOUGH = 1e-8  # its steps shrink by a factor and do not square
RUNAWAY = 25.0  # a linear predictor beyond which an estimate is on its way to infinity
RANK_TOLERANCE = 1e-11
LONGEST_STEP = 5.0  # of a linear predictor, in Firth's iterations


@dataclass(frozen=True, kw_only=True)
class Logistic:
    """A fitted logistic model of `successes` out of `trials` a row."""

    coefficients: Floats
    probability: Floats  # one a row
    inverse_information: Floats
    pull: Floats  # what the penalty adds to one trial's residual, one a row: 0 without penalty
    is_penalised: bool


def logistic(matrix: Floats, successes: Floats, trials: Floats) -> Logistic:
    """Maximum likelihood by Newton; Firth's penalised likelihood where the data are separated.

    matrix: rows × columns with the intercept; dependent columns share their coefficient (smallest norm) and do
    no harm. Separation shows in a linear predictor that passes 25 or still grows after 30 steps. Firth (1993),
    doi:10.1093/biomet/80.1.27, maximises the likelihood times the root of the information's determinant;
    Heinze & Schemper (2002), doi:10.1002/sim.1047, recommend it for separated data.
    """
    scale = np.sqrt((matrix**2).mean(axis=0))
    scale[scale == 0] = 1.0
    scaled = matrix / scale
    basis = _basis(scaled, trials)
    beta, is_settled = _maximum_likelihood(scaled, successes, trials, basis)
    if not is_settled:
        beta = _firth(scaled, successes, trials, basis)
    probability = expit(scaled @ beta)
    inverse = _inverse_information(scaled, probability, trials, basis)
    pull = np.zeros(len(matrix)) if is_settled else _leverage(scaled, probability, inverse) * (0.5 - probability)
    return Logistic(
        coefficients=beta / scale,
        probability=probability,
        inverse_information=inverse / np.outer(scale, scale),
        pull=pull,
        is_penalised=not is_settled,
    )


def linear(matrix: Floats, total: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Least squares of rows that stand for `weight` people with outcomes adding up to `total`.

    Returns the coefficients and the inverse of Σ weight·x·xᵀ (columns × columns); dependent columns allowed.
    """
    scale = np.sqrt((matrix**2).mean(axis=0))
    scale[scale == 0] = 1.0
    outer = np.outer(scale, scale)
    cross = (matrix * weight[:, None]).T @ matrix / outer
    inverse = np.linalg.pinv(cross, rcond=RANK_TOLERANCE, hermitian=True) / outer
    return inverse @ (matrix.T @ total), inverse


def _basis(matrix: Floats, trials: Floats) -> Floats:
    """Directions in which the columns are independent; found once, for in separated data the information fades."""
    value, direction = np.linalg.eigh((matrix * trials[:, None]).T @ matrix)
    basis: Floats = direction[:, value > RANK_TOLERANCE * value.max()]
    return basis


def _maximum_likelihood(matrix: Floats, successes: Floats, trials: Floats, basis: Floats) -> tuple[Floats, bool]:
    beta = np.zeros(matrix.shape[1])
    likelihood = _log_likelihood(matrix @ beta, successes, trials)
    for _ in range(MAXIMUM_STEPS):
        probability = expit(matrix @ beta)
        inverse = _inverse_information(matrix, probability, trials, basis)
        step = inverse @ (matrix.T @ (successes - trials * probability))
        beta, likelihood = _uphill(matrix, successes, trials, beta, step, likelihood)
        if np.abs(matrix @ beta).max() > RUNAWAY:
            return beta, False
        if np.abs(matrix @ step).max() < CLOSE_ENOUGH:
            return beta, True
    return beta, False


def _uphill(
    matrix: Floats, successes: Floats, trials: Floats, beta: Floats, step: Floats, likelihood: float
) -> tuple[Floats, float]:
    """The step, halved until the likelihood does not fall."""
    slack = 1e-9 * (1 + abs(likelihood))
    for halving in range(30):
        moved = beta + step / 2**halving
        reached = _log_likelihood(matrix @ moved, successes, trials)
        if reached >= likelihood - slack:
            return moved, reached
    return beta, likelihood


def _firth(matrix: Floats, successes: Floats, trials: Floats, basis: Floats) -> Floats:
    beta = np.zeros(matrix.shape[1])
    for _ in range(FIRTH_STEPS):
        probability = expit(matrix @ beta)
        inverse = _inverse_information(matrix, probability, trials, basis)
        pull = trials * _leverage(matrix, probability, inverse) * (0.5 - probability)
        step = inverse @ (matrix.T @ (successes - trials * probability + pull))
        furthest = np.abs(matrix @ step).max()
        beta = beta + step * min(1.0, LONGEST_STEP / max(furthest, LONGEST_STEP))
        if furthest < FIRTH_CLOSE_ENOUGH:
            break
    return beta


def _leverage(matrix: Floats, probability: Floats, inverse: Floats) -> Floats:
    """One trial's diagonal of the hat matrix, one a row."""
    leverage: Floats = probability * (1 - probability) * ((matrix @ inverse) * matrix).sum(axis=1)
    return leverage


def _inverse_information(matrix: Floats, probability: Floats, trials: Floats, basis: Floats) -> Floats:
    weight = trials * probability * (1 - probability)
    information = basis.T @ ((matrix * weight[:, None]).T @ matrix) @ basis
    inverse: Floats = basis @ np.linalg.inv(information) @ basis.T
    return inverse


def _log_likelihood(predictor: Floats, successes: Floats, trials: Floats) -> float:
    probability = expit(predictor)
    return float((xlogy(successes, probability) + xlogy(trials - successes, expit(-predictor))).sum())
