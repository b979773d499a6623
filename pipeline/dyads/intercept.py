"""Fits a random-intercept model to many small groups in a fraction of a second."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from data.errors import RapportError
from pipeline.dyads.normal_equations import METHODS
from pipeline.dyads.robust import by_cluster

Floats = NDArray[np.float64]
HIGHEST = 20.0  # log of the largest ratio of variances looked at


@dataclass(frozen=True, kw_only=True)
class RandomIntercept:
    """`coefficients` and `se` (p,) in the order of the design; variances in outcome units squared."""

    coefficients: Floats
    se: Floats
    between: float
    within: float
    log_likelihood: float
    n: int
    n_groups: int

    @property
    def share_between(self) -> float:
        """The intraclass correlation."""
        return self.between / (self.between + self.within)


@dataclass(frozen=True)
class Sums:
    """Products of [design | outcome], and for each size of group the products of its groups' sums."""

    whole: Floats
    by_size: Floats
    size: Floats
    n_of_size: Floats
    n: int


def random_intercept(
    *,
    outcome: ArrayLike,
    group: Sequence[Hashable] | NDArray[np.generic] | pd.Series,
    design: ArrayLike | None = None,
    method: str = "REML",
) -> RandomIntercept:
    """y_ij = x_ij'β + u_j + e_ij, u_j ~ N(0, τ²), e_ij ~ N(0, σ²): one entry an observation, groups in any order.

    `design` (n, p) brings its own intercept column; without one there is an intercept alone. β and σ² are
    profiled out and τ²/σ² found by bounded search, on products summed once over groups of equal size, so
    that a step costs nothing in n. τ² = 0 is an answer, not a failure. Rows with a missing number are left out.
    Assumes normal effects and independent groups. Pinheiro & Bates (2000), section 2.2; log-likelihoods as
    in lme4 and statsmodels.
    """
    if method not in METHODS:
        raise RapportError(f"Expected the method REML or ML, not {method}.")
    y = np.asarray(outcome, dtype=float)
    x = np.ones((len(y), 1)) if design is None else np.asarray(design, dtype=float).reshape(len(y), -1)
    code = np.asarray(pd.factorize(np.asarray(group) if not isinstance(group, pd.Series) else group)[0])
    known = np.isfinite(y) & np.isfinite(x).all(axis=1) & (code >= 0)
    if not known.all():
        y, x, code = y[known], x[known], np.unique(code[known], return_inverse=True)[1]
    sums = sum_products(np.column_stack([x, y]), code)
    if sums.n <= x.shape[1] or sums.n_of_size.sum() < 2 or sums.size.max() < 2:
        raise RapportError("Expected two groups or more, one of them with two observations or more.")
    return _finish(sums, _best_ratio(sums, method), method)


def sum_products(joined: Floats, code: NDArray[np.int64]) -> Sums:
    """`joined` is [design | outcome]; `code` numbers the group of each row from 0."""
    n_each = np.bincount(code)
    total = np.column_stack([np.bincount(code, column) for column in joined.T])
    size, which = np.unique(n_each, return_inverse=True)
    by_size = by_cluster(np.einsum("gi,gj->gij", total, total), which)
    return Sums(joined.T @ joined, by_size, size.astype(float), np.bincount(which).astype(float), len(joined))


def _best_ratio(sums: Sums, method: str) -> float:
    """τ²/σ² by bounded search over its logarithm, against none at all."""

    def loss(log_ratio: float) -> float:
        return -profile(sums, float(np.exp(log_ratio)), method)[0]

    coarse = np.linspace(-HIGHEST, HIGHEST, 41)
    start = float(coarse[int(np.argmin([loss(value) for value in coarse]))])
    found = optimize.minimize_scalar(loss, bounds=(start - 1, start + 1), method="bounded", options={"xatol": 1e-10})
    is_none = -profile(sums, 0.0, method)[0] <= found.fun + 1e-9
    return 0.0 if is_none else float(np.exp(found.x))


def profile(sums: Sums, ratio: float, method: str) -> tuple[float, Floats, Floats, float]:
    """At τ²/σ² = ratio: log-likelihood, coefficients, unscaled inverse information, σ²."""
    shrink = ratio / (1 + sums.size * ratio)
    product = sums.whole - np.tensordot(shrink, sums.by_size, axes=1)
    information = product[:-1, :-1]
    try:
        inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise RapportError("Expected a design whose columns say different things.") from None
    beta = inverse @ product[:-1, -1]
    rest = float(product[-1, -1] - product[:-1, -1] @ beta)
    n = sums.n - (len(beta) if method == "REML" else 0)
    within = max(rest, 1e-300) / n
    log_v = float((sums.n_of_size * np.log1p(sums.size * ratio)).sum())
    log_design = float(np.linalg.slogdet(information)[1]) if method == "REML" else 0.0
    total = n * (np.log(2 * np.pi * within) + 1) + log_v + log_design
    return float(-total / 2), beta, inverse, within


def _finish(sums: Sums, ratio: float, method: str) -> RandomIntercept:
    log_likelihood, beta, inverse, within = profile(sums, ratio, method)
    return RandomIntercept(
        coefficients=beta,
        se=np.sqrt(np.diag(inverse) * within),
        between=ratio * within,
        within=within,
        log_likelihood=log_likelihood,
        n=sums.n,
        n_groups=int(sums.n_of_size.sum()),
    )
