"""Fits confirmatory factor models to one or more groups by maximum likelihood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from pipeline.instrument.answers_matrix import Floats

Numbers = NDArray[np.int64]

MAX_STEPS = 300
MAX_DAMPINGS = 20
TOLERANCE = 1e-12  # on the decrease of the discrepancy that a full step promises
FIXED = -1
SMALLEST = 1e-3  # lower bound of variances, of standardised items, where a bound is needed


@dataclass(frozen=True)
class Moments:
    """One group: mean (p,), covariance (p, p) divided by n, n respondents."""

    mean: Floats
    covariance: Floats
    n: int


@dataclass(frozen=True)
class Layout:
    """Where each free parameter stands: arrays of parameter numbers, FIXED where a value is given.

    For each group: loading (p, m), factor covariance (m, m), residual variance (p,), intercept (p,), factor
    mean (m,). The same number in two groups is an equality constraint.
    """

    loading: Numbers
    factor: Numbers
    residual: Numbers
    intercept: Numbers
    mean: Numbers
    start: Floats
    fixed_loading: Floats


@dataclass(frozen=True)
class Fitted:
    """A fitted model: chi2 = Σ n_g F_g, its df, and the estimates by group (first axis)."""

    chi2: float
    df: int
    converged: bool
    loading: Floats
    factor: Floats
    residual: Floats
    intercept: Floats
    mean: Floats


def fit(
    moments: Sequence[Moments],
    pattern: NDArray[np.bool_],
    equal: frozenset[str] = frozenset(),
    near: Fitted | None = None,
) -> Fitted:
    """Multi-group factor model Σ_g = Λ_g Ψ_g Λ_g' + Θ_g, μ_g = ν_g + Λ_g α_g by normal-theory maximum likelihood.

    F_g = log|Σ| − log|S| + tr(SΣ⁻¹) − p + (m−μ)'Σ⁻¹(m−μ), minimised by damped Fisher scoring
    (Jöreskog 1971, Psychometrika 36, doi:10.1007/BF02291366). `pattern` (p, m): which item loads on which factor.
    `equal`: any of loading, intercept, residual, held equal over groups; with equal intercepts the factor means
    of all groups but the first are free. The scale of a factor is one loading fixed at 1: internally that of its
    strongest item, afterwards its first item. Residual variances may become negative, as in lavaan; only where
    no such fit settles are they held above zero (small samples, weak items). `near`: a fit of the same model with
    more held equal; this one must not be worse, and starts from there if it is.
    """
    scale = np.sqrt(np.mean([np.diag(group.covariance) for group in moments], axis=0))
    scaled = [Moments(group.mean / scale, group.covariance / np.outer(scale, scale), group.n) for group in moments]
    layout = _layout(scaled, pattern, equal)
    found, converged = _minimise(layout, layout.start, scaled)
    if near is not None and not (converged and _discrepancy(layout, found, scaled) <= near.chi2 + 1e-6):
        found, converged = _better(
            layout, (found, converged), _minimise(layout, _from(near, layout, scale), scaled), scaled
        )
    if not converged:
        found, converged = _polish(layout, found, scaled)
    if not converged:
        start = layout.start if near is None else _from(near, layout, scale)
        found, converged = _better(layout, (found, False), _bounded(layout, start, scaled), scaled)
    return _in_units(layout, found, converged, scaled, scale)


def _in_units(layout: Layout, found: Floats, converged: bool, moments: Sequence[Moments], unit: Floats) -> Fitted:
    n_items = len(unit)
    loading, factor, residual, intercept, mean = _matrices(layout, found)
    loading = loading * unit[:, None]
    first = (layout.fixed_loading + (layout.loading[0] != FIXED) > 0).argmax(axis=0)
    scale = np.stack([group[first, np.arange(loading.shape[2])] for group in loading])
    return Fitted(
        chi2=max(_discrepancy(layout, found, moments), 0.0),
        df=len(moments) * n_items * (n_items + 3) // 2 - len(layout.start),
        converged=converged,
        loading=loading / scale[:, None, :],
        factor=factor * scale[:, :, None] * scale[:, None, :],
        residual=residual * unit**2,
        intercept=intercept * unit,
        mean=mean * scale,
    )


def _from(near: Fitted, layout: Layout, unit: Floats) -> Floats:
    """Another fit's estimates as parameters of this layout, in standardised items."""
    marker = layout.fixed_loading.argmax(axis=0)
    loading = near.loading / unit[:, None]
    scale = np.stack([group[marker, np.arange(loading.shape[2])] for group in loading])
    parts = (
        (layout.loading, loading / scale[:, None, :]),
        (layout.factor, near.factor * scale[:, :, None] * scale[:, None, :]),
        (layout.residual, near.residual / unit**2),
        (layout.intercept, near.intercept / unit),
        (layout.mean, near.mean * scale),
    )
    start = layout.start.copy()
    for numbers, estimates in parts:
        start[numbers[numbers != FIXED]] = estimates[numbers != FIXED]
    return start


def _better(
    layout: Layout, one: tuple[Floats, bool], other: tuple[Floats, bool], moments: Sequence[Moments]
) -> tuple[Floats, bool]:
    """The converged one of two fits, or the nearer."""
    if one[1] != other[1]:
        return one if one[1] else other
    return min(one, other, key=lambda found: _discrepancy(layout, found[0], moments))


def independence(moments: Sequence[Moments]) -> tuple[float, int]:
    """Chi2 and df of the model that every item varies on its own, with free means: the baseline of CFI and TLI."""
    chi2 = sum(
        group.n * (np.log(np.diag(group.covariance)).sum() - np.linalg.slogdet(group.covariance)[1])
        for group in moments
    )
    n_items = len(moments[0].mean)
    return float(chi2), len(moments) * n_items * (n_items - 1) // 2


def pattern_of(items: Sequence[str], factors: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
    """Items × factors: True where the item belongs to the factor."""
    return np.array([[item in members for members in factors.values()] for item in items])


def _layout(moments: Sequence[Moments], pattern: NDArray[np.bool_], equal: frozenset[str]) -> Layout:
    starts = [_start(group.covariance, pattern) for group in moments]
    strength = np.mean([np.abs(start[0]) for start in starts], axis=0)
    marker = np.zeros(pattern.shape, dtype=bool)
    marker[np.where(pattern, strength, -1).argmax(axis=0), np.arange(pattern.shape[1])] = True
    first, values = _Numbering(), [_scaled(*start, marker=marker) for start in starts]
    shared = len(moments) if len(moments) > 1 else 0
    alone = pattern[:, pattern.sum(axis=0) == 1].any(axis=1) & (pattern.sum(axis=1) == 1)
    loading = first.take(pattern & ~marker, [value[0] for value in values], "loading" in equal and shared > 0)
    lower = np.tril(np.ones((pattern.shape[1],) * 2, dtype=bool))
    factor = first.take(lower, [value[1] for value in values], False)
    factor = np.where(lower, factor, factor.transpose(0, 2, 1))
    residual = first.take(~alone, [value[2] for value in values], "residual" in equal and shared > 0)
    intercept = first.take(
        np.ones(len(pattern), dtype=bool), [group.mean for group in moments], "intercept" in equal and shared > 0
    )
    mean = np.full((len(moments), pattern.shape[1]), FIXED)
    if "intercept" in equal and shared:
        free = np.ones(pattern.shape[1], dtype=bool)
        mean[1:] = first.take(free, [np.zeros(pattern.shape[1])] * (shared - 1), False)
    return Layout(loading, factor, residual, intercept, mean, np.array(first.values), marker.astype(float))


class _Numbering:
    """Hands out parameter numbers and remembers where each parameter starts."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def take(self, free: NDArray[np.bool_], starts: Sequence[Floats], is_shared: bool) -> Numbers:
        groups = []
        for start in [np.mean(starts, axis=0)] if is_shared else starts:
            numbers = np.full(free.shape, FIXED)
            numbers[free] = len(self.values) + np.arange(free.sum())
            self.values.extend(start[free].tolist())
            groups.append(numbers)
        return np.stack(groups * (len(starts) if is_shared else 1))


def _start(covariance: Floats, pattern: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Loadings of standardised factors by the first principal axis of each block, and the factors' correlations."""
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    loading = np.zeros(pattern.shape)
    for column, members in enumerate(pattern.T):
        loading[members, column] = _axis(correlation[np.ix_(members, members)])
    weight = loading / np.maximum((loading**2).sum(axis=0), 1e-12)
    factor = np.clip(weight.T @ (correlation - np.diag(1 - (loading**2).sum(axis=1))) @ weight, -0.9, 0.9)
    np.fill_diagonal(factor, 1.0)
    communality = np.clip(np.einsum("im,mk,ik->i", loading, factor, loading), 0.05, 0.95)
    return loading * sd[:, None], factor, sd**2 * (1 - communality)


def _axis(block: Floats) -> Floats:
    """Loadings on the first principal axis after five rounds of communalities; one item loads 1, two load alike."""
    if len(block) == 1:
        return np.ones(1)
    reduced = block.copy()
    np.fill_diagonal(reduced, np.abs(block - np.eye(len(block))).max(axis=0))
    axis = np.full(len(block), 0.5)
    for _ in range(5):
        root, vector = np.linalg.eigh(reduced)
        axis = vector[:, -1] * np.sqrt(max(root[-1], 0.01))
        np.fill_diagonal(reduced, np.clip(axis**2, 0.05, 0.95))
    axis = axis * (np.sign(axis.sum()) or 1.0)
    started: Floats = np.sign(axis) * np.clip(np.abs(axis), 0.1, 0.97)
    return started


def _scaled(
    loading: Floats, factor: Floats, residual: Floats, *, marker: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    scale = loading[marker.argmax(axis=0), np.arange(loading.shape[1])]
    return loading / scale, factor * np.outer(scale, scale), residual


def _matrices(layout: Layout, at: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    padded = np.append(at, 0.0)  # FIXED = -1 reads the last entry
    return (
        padded[layout.loading] + layout.fixed_loading,
        padded[layout.factor],
        padded[layout.residual],
        padded[layout.intercept],
        padded[layout.mean],
    )


def _implied(layout: Layout, at: Floats) -> tuple[Floats, Floats]:
    loading, factor, residual, intercept, mean = _matrices(layout, at)
    covariance = loading @ factor @ loading.transpose(0, 2, 1) + residual[:, :, None] * np.eye(residual.shape[1])
    return covariance, intercept + np.einsum("gim,gm->gi", loading, mean)


def _discrepancy(layout: Layout, at: Floats, moments: Sequence[Moments]) -> float:
    total = 0.0
    for covariance, mean, group in zip(*_implied(layout, at), moments, strict=True):
        try:
            half = linalg.cholesky(covariance, lower=True)
        except (linalg.LinAlgError, ValueError):
            return np.inf
        gap = linalg.solve_triangular(half, group.mean - mean, lower=True)
        ratio = linalg.cho_solve((half, True), group.covariance)
        log_ratio = 2 * np.log(np.diag(half)).sum() - np.linalg.slogdet(group.covariance)[1]
        total += group.n * (log_ratio + np.trace(ratio) - len(gap) + gap @ gap)
    return float(total)


def _slopes(layout: Layout, at: Floats, group: int) -> tuple[Floats, Floats]:
    """Derivatives of the group's covariance (k, p, p) and mean (k, p) by each of the k parameters."""
    loading, factor, _, _, mean = (part[group] for part in _matrices(layout, at))
    n_items, n_factors = loading.shape
    d_covariance, d_mean = np.zeros((len(at), n_items, n_items)), np.zeros((len(at), n_items))
    across = factor @ loading.T
    for item, column in np.argwhere(layout.loading[group] != FIXED):
        number = layout.loading[group, item, column]
        d_covariance[number, item] += across[column]
        d_covariance[number, :, item] += across[column]
        d_mean[number, item] += mean[column]
    for row in range(n_factors):
        for column in range(row + 1):
            outer = np.outer(loading[:, row], loading[:, column])
            d_covariance[layout.factor[group, row, column]] += outer if row == column else outer + outer.T
    items = np.arange(n_items)
    has_residual = layout.residual[group] != FIXED
    d_covariance[layout.residual[group][has_residual], items[has_residual], items[has_residual]] = 1.0
    d_mean[layout.intercept[group], items] = 1.0
    for column in np.flatnonzero(layout.mean[group] != FIXED):
        d_mean[layout.mean[group, column]] = loading[:, column]
    return d_covariance, d_mean


def _score(layout: Layout, at: Floats, moments: Sequence[Moments]) -> tuple[Floats, Floats]:
    """Downhill gradient of half the discrepancy, and the expected information, at the given parameters."""
    downhill, information = np.zeros(len(at)), np.zeros((len(at), len(at)))
    covariances, means = _implied(layout, at)
    for number, group in enumerate(moments):
        inverse_half = linalg.solve_triangular(
            linalg.cholesky(covariances[number], lower=True), np.eye(len(group.mean)), lower=True
        )
        d_covariance, d_mean = _slopes(layout, at, number)
        gap = inverse_half @ (group.mean - means[number])
        white = (inverse_half @ d_covariance @ inverse_half.T).reshape(len(at), -1)
        white_mean = d_mean @ inverse_half.T
        excess = inverse_half @ (group.covariance - covariances[number]) @ inverse_half.T + np.outer(gap, gap)
        downhill += group.n * (white @ excess.ravel() / 2 + white_mean @ gap)
        information += group.n * (white @ white.T / 2 + white_mean @ white_mean.T)
    return downhill, information


def _minimise(layout: Layout, start: Floats, moments: Sequence[Moments]) -> tuple[Floats, bool]:
    """Fisher scoring, damped (Levenberg–Marquardt) where a full step leads uphill."""
    at, value, damping = start, _discrepancy(layout, start, moments), 0.0
    n = sum(group.n for group in moments)
    for _ in range(MAX_STEPS):
        downhill, information = _score(layout, at, moments)
        if downhill @ _solve(information, downhill, 0.0) < TOLERANCE * n:
            return at, True
        for _ in range(MAX_DAMPINGS):
            further = at + _solve(information, downhill, damping)
            nearer = _discrepancy(layout, further, moments)
            if nearer < value:
                break
            damping = max(10 * damping, 1e-4)
        else:
            break
        at, value, damping = further, nearer, damping / 10 if damping > 1e-6 else 0.0
    return at, False


def _solve(information: Floats, downhill: Floats, damping: float) -> Floats:
    """The scoring step, steadied where the information is nearly singular."""
    scale = np.sqrt(np.maximum(np.diag(information), 1e-12))
    steady = information / np.outer(scale, scale) + (1e-10 + damping) * np.eye(len(scale))
    found: Floats = np.linalg.solve(steady, downhill / scale) / scale
    return found


def _polish(layout: Layout, at: Floats, moments: Sequence[Moments]) -> tuple[Floats, bool]:
    """Quasi-Newton steps from where scoring stopped: for flat or nearly singular likelihoods."""
    objective = _Objective(layout, moments)
    options = {"gtol": 1e-6, "maxiter": 300}
    found = optimize.minimize(objective.value, at, jac=objective.slope, method="BFGS", options=options)
    best = found.x if found.fun <= objective.value(at) else at
    return best, bool(np.abs(objective.slope(best)).max() < 1e-4)


def _bounded(layout: Layout, start: Floats, moments: Sequence[Moments]) -> tuple[Floats, bool]:
    """The best fit whose residual and factor variances stay above zero."""
    objective = _Objective(layout, moments)
    lowest = np.full(len(start), -np.inf)
    for numbers in (layout.residual, np.diagonal(layout.factor, axis1=1, axis2=2)):
        lowest[numbers[numbers != FIXED]] = SMALLEST
    bounds = [(low, None) for low in lowest]
    options = {"ftol": 1e-13, "gtol": 1e-6, "maxiter": 500, "maxfun": 600}
    inside = np.maximum(start, lowest)
    found = optimize.minimize(
        objective.value, inside, jac=objective.slope, method="L-BFGS-B", bounds=bounds, options=options
    )
    slope = objective.slope(found.x)
    is_free = (found.x > lowest) | (slope < 0)
    return found.x, bool(np.abs(slope[is_free]).max(initial=0.0) < 1e-3)


@dataclass(frozen=True)
class _Objective:
    """Half the discrepancy a person, and its slope; a large number where the model is no covariance."""

    layout: Layout
    moments: Sequence[Moments]

    def value(self, at: Floats) -> float:
        found = _discrepancy(self.layout, at, self.moments)
        return found / (2 * self._n) if np.isfinite(found) else 1e10

    def slope(self, at: Floats) -> Floats:
        if not np.isfinite(_discrepancy(self.layout, at, self.moments)):
            return np.zeros(len(at))
        return -_score(self.layout, at, self.moments)[0] / self._n

    @property
    def _n(self) -> int:
        return sum(group.n for group in self.moments)
