"""Fits a regression over pairings whose two residuals are correlated, from a handful of summed products."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from data.errors import RapportError

Floats = NDArray[np.float64]
METHODS = ("REML", "ML")
LEAST_PAIRINGS = 3
WIDEST = 12.0  # |log ratio| and |atanh correlation| beyond which nothing changes any more


@dataclass(frozen=True, kw_only=True)
class Fit:
    """`beta` (p,), its `covariance` (p, p) if the residual covariance is right, residual `sd` by side."""

    beta: Floats
    covariance: Floats
    sd: tuple[float, float]
    correlation: float
    log_likelihood: float
    n_observations: int
    has_converged: bool


@dataclass(frozen=True)
class Moments:
    """Products of [design | outcome]: both sides aa, ab, bb, then side a alone, then b alone; shape (5, p+1, p+1)."""

    products: Floats
    n_both: int
    n_first: int
    n_second: int

    @property
    def n(self) -> int:
        return 2 * self.n_both + self.n_first + self.n_second


def fit_pairs(design: Floats, outcome: Floats, *, is_equal: bool, method: str) -> Fit:
    """Generalised least squares with residual covariance [[s², ρst], [ρst, t²]] in each pairing (s = t if is_equal).

    `design` (n, 2, p), `outcome` (n, 2); a person with a NaN is left out and the other side stays. The
    scale is profiled out; log-likelihoods and (under ML) the N/(N − p) in the covariance follow nlme's gls
    (Pinheiro & Bates 2000, section 5.1).
    """
    if method not in METHODS:
        raise RapportError(f"Expected the method REML or ML, not {method}.")
    moments = _moments(np.concatenate([design, outcome[:, :, None]], axis=2))
    n_parameters = design.shape[2]
    _check(moments, n_parameters)
    start = np.zeros(1 if is_equal else 2)

    def loss(shape: Floats) -> float:
        return -_profile(moments, shape, method)[0]

    best = optimize.minimize(loss, start, method="BFGS", jac="3-point", options={"gtol": 1e-7})
    if not np.isfinite(best.fun) or np.abs(best.jac).max() > 1e-3:
        best = optimize.minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11})
    return _finish(moments, np.asarray(best.x), method)


def pair_precision(fit: Fit, usable: NDArray[np.bool_]) -> Floats:
    """V⁻¹ of each pairing, (n, 2, 2), zero where a person was left out."""
    spread = np.array(fit.sd)
    both = np.linalg.inv(np.outer(spread, spread) * np.array([[1, fit.correlation], [fit.correlation, 1]]))
    alone = np.diag(1 / spread**2) * usable[:, :, None]
    is_whole = np.asarray(usable.all(axis=1), dtype=bool)
    return np.where(is_whole[:, None, None], both, alone)


def _moments(joined: Floats) -> Moments:
    usable = np.asarray(np.isfinite(joined).all(axis=2), dtype=bool)
    both = joined[usable.all(axis=1)]
    first, second = (joined[usable[:, i] & ~usable[:, 1 - i], i] for i in (0, 1))
    cross = both[:, 0].T @ both[:, 1]
    products = [both[:, 0].T @ both[:, 0], cross + cross.T, both[:, 1].T @ both[:, 1]]
    products += [first.T @ first, second.T @ second]
    return Moments(np.stack(products), len(both), len(first), len(second))


def _check(moments: Moments, n_parameters: int) -> None:
    if moments.n_both < LEAST_PAIRINGS or moments.n <= n_parameters + 1:
        raise RapportError(
            f"Expected at least {LEAST_PAIRINGS} pairings with both sides and more people than "
            f"{n_parameters + 1}; found {moments.n_both} pairings with both sides and {moments.n} people."
        )
    plain = moments.products[[0, 2, 3, 4]].sum(axis=0)
    design = plain[:-1, :-1]
    scale = np.sqrt(np.diag(design))
    if (scale == 0).any() or np.linalg.cond(design / np.outer(scale, scale)) > 1e12:
        raise RapportError("Expected a predictor that varies within each side and between the two sides.")
    if _solve(plain)[1] <= 1e-12 * plain[-1, -1]:
        raise RapportError("Expected an outcome that the predictor does not determine completely.")


def _solve(product: Floats) -> tuple[Floats, float, float]:
    """Coefficients, residual sum of squares, log determinant of the design's products."""
    beta = np.asarray(np.linalg.solve(product[:-1, :-1], product[:-1, -1]), dtype=np.float64)
    return beta, float(product[-1, -1] - product[:-1, -1] @ beta), float(np.linalg.slogdet(product[:-1, :-1])[1])


def _weights(shape: Floats) -> tuple[Floats, float, float]:
    """V⁻¹ at unit scale for the five kinds of product; then the ratio of the SDs and the correlation."""
    shape = np.clip(shape, -WIDEST, WIDEST)
    ratio, rho = (1.0 if len(shape) == 1 else float(np.exp(shape[0]))), float(np.tanh(shape[-1]))
    rest = 1 / np.cosh(shape[-1]) ** 2  # 1 − ρ², exact near the ends
    weights = [1 / rest, -rho / (ratio * rest), 1 / (ratio**2 * rest), 1.0, 1 / ratio**2]
    return np.array(weights), ratio, rho


def _profile(moments: Moments, shape: Floats, method: str) -> tuple[float, Floats, float]:
    """Log-likelihood with the scale at its best, the summed weighted products, and the scale (a variance)."""
    weights, ratio, _ = _weights(shape)
    product = np.tensordot(weights, moments.products, axes=1)
    _, rest, log_design = _solve(product)
    n_parameters = len(product) - 1
    n = moments.n - (n_parameters if method == "REML" else 0)
    scale = max(rest, 1e-300) / n
    log_v = -moments.n_both * np.log(weights[0]) + 2 * (moments.n_both + moments.n_second) * np.log(ratio)
    total = n * (np.log(2 * np.pi * scale) + 1) + log_v + (log_design if method == "REML" else 0.0)
    return float(-total / 2), product, float(scale)


def _finish(moments: Moments, shape: Floats, method: str) -> Fit:
    log_likelihood, product, scale = _profile(moments, shape, method)
    _, ratio, rho = _weights(shape)
    n_parameters = len(product) - 1
    inverse = np.asarray(np.linalg.inv(product[:-1, :-1]), dtype=np.float64)
    widen = 1.0 if method == "REML" else moments.n / (moments.n - n_parameters)
    return Fit(
        beta=_solve(product)[0],
        covariance=inverse * scale * widen,
        sd=(float(np.sqrt(scale)), float(ratio * np.sqrt(scale))),
        correlation=rho,
        log_likelihood=log_likelihood,
        n_observations=moments.n,
        has_converged=bool(np.abs(shape).max() < WIDEST),
    )
