"""Estimates one difference in differences, doubly robust, with each person's influence on it."""

from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.special import expit

from pipeline.business_case.regression import logistic

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FEWEST = 5  # treated people, and comparable people beside them
UNLIKE = "some who start resemble no control in the covariates"
NEVER = 1e-4  # a chance to start that is none
RIDGE, N_STEPS = 1e-4, 25
CLOSE = 1e-7  # a column this near to a combination of others adds nothing


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The treated people's average effect and the influence of each person on it; NaN with a `reason` for none.

    `influence` has mean zero and the SE is √(mean(influence²) / n).
    """

    att: float
    influence: Floats
    n_treated: int
    n_controls: int
    reason: str = ""


def doubly_robust(*, change: Floats, treated: Flags, covariates: Floats) -> Difference:
    """Sant'Anna and Zhao's (2020, doi:10.1016/j.jeconom.2020.06.003) estimator for two waves of the same people.

    `change` in the outcome between the waves, shape n; `covariates` n × k, the first column constant. With D for
    treated, p for the logistic propensity, w = p(1−D)/(1−p) and μ for the regression of change on covariates among
    the controls: ATT = Σ D(change − μ)/ΣD − Σ w(change − μ)/Σw. It is right where either model is, given parallel
    trends at the same covariates; without covariates it is the difference of the two mean changes.
    """
    n_treated, n_controls = sizes = int(treated.sum()), int((~treated).sum())
    if min(n_treated, n_controls) < FEWEST:
        return _none(f"fewer than {FEWEST} people on one side", sizes, len(change))
    x = covariates[:, _independent(covariates)]
    if n_controls < x.shape[1] - 1 + FEWEST:
        return _none("fewer controls than the covariates need", sizes, len(change))
    model = logistic(x, treated.astype(float), np.ones(len(x)))
    if model.is_penalised:
        return _among_likely(change, treated, x, sizes)
    if len(_independent(x[~treated])) < x.shape[1]:
        return _none(UNLIKE, sizes, len(change))
    score = model.probability
    weight = np.where(treated, 0.0, score / (1 - score))
    if weight.sum() ** 2 / (weight**2).sum() < FEWEST - CLOSE:
        return _none("too few controls resemble those who start", sizes, len(change))
    att, influence = _estimate(change, treated, x, score, weight)
    return Difference(att=att, influence=influence, n_treated=n_treated, n_controls=n_controls)


def _estimate(change: Floats, treated: Flags, x: Floats, score: Floats, weight: Floats) -> tuple[float, Floats]:
    n = len(change)
    control, case = (~treated).astype(float), treated.astype(float)
    gram = np.linalg.inv(x.T @ (x * control[:, None]) / n)
    rest = change - x @ (gram @ (x.T @ (control * change)) / n)
    of_regression = (control * rest)[:, None] * x @ gram
    of_score = (case - score)[:, None] * x @ np.linalg.inv(x.T @ (x * (score * (1 - score))[:, None]) / n)
    eta_case, eta_control = case @ rest / case.sum(), weight @ rest / weight.sum()
    on_case = case * (rest - eta_case) - of_regression @ (case @ x / n)
    drift = weight * (rest - eta_control)
    on_control = drift + of_score @ (drift @ x / n) - of_regression @ (weight @ x / n)
    return float(eta_case - eta_control), on_case / case.mean() - on_control / weight.mean()


def _among_likely(change: Floats, treated: Flags, x: Floats, sizes: tuple[int, int]) -> Difference:
    """The estimate without controls of a kind that never starts, who say nothing about those who do.

    A department without any starter makes the propensity run off to zero there. Those controls are found by a fit
    that a small ridge holds back; where it runs off for another reason there is no answer.
    """
    kept = treated | (_held_back(x, treated) > NEVER)
    if kept.all():
        return _none(UNLIKE, sizes, len(change))
    found = doubly_robust(change=change[kept], treated=treated[kept], covariates=x[kept])
    influence = np.zeros(len(change))
    influence[kept] = found.influence * len(change) / kept.sum()
    return replace(found, influence=influence)


def _held_back(x: Floats, treated: Flags) -> Floats:
    """Probabilities of a logistic model with a ridge too small to matter where the data say anything."""
    coefficients = np.zeros(x.shape[1])
    ridge = RIDGE * np.eye(x.shape[1])
    for _ in range(N_STEPS):
        score = expit(x @ coefficients)
        hessian = x.T @ (x * (score * (1 - score))[:, None]) + ridge
        coefficients = coefficients + np.linalg.solve(hessian, x.T @ (treated - score) - RIDGE * coefficients)
    return expit(x @ coefficients)  # type: ignore[no-any-return]


def _independent(x: Floats) -> NDArray[np.intp]:
    """Columns that are no combination of the others, the constant first."""
    kept = [0]
    others = x[:, 1:] - x[:, 1:].mean(axis=0)
    scale = np.sqrt((others**2).sum(axis=0))
    alive = np.flatnonzero(scale > CLOSE * np.sqrt(len(x)))
    if len(alive):
        _, r, order = linalg.qr(others[:, alive] / scale[alive], mode="economic", pivoting=True)
        sizes = np.abs(np.diag(r))
        kept += sorted(int(alive[column]) + 1 for column, size in zip(order, sizes, strict=False) if size > CLOSE)
    return np.array(kept, dtype=np.intp)


def _none(reason: str, sizes: tuple[int, int], n: int) -> Difference:
    return Difference(att=nan, influence=np.zeros(n), n_treated=sizes[0], n_controls=sizes[1], reason=reason)
