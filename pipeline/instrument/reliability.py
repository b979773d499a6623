"""Says how far a score of several items would come out the same with other items of the kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from data.errors import RapportError
from pipeline.instrument.answers_matrix import Floats, Labels, codes, numbers
from pipeline.instrument.factor_model import Moments, fit, pattern_of
from pipeline.instrument.one_factor import information, one_factor, score
from pipeline.instrument.one_factor_missing import one_factor_missing
from pipeline.instrument.pairwise import PairSums, pair_sums, resampled, summed, whole

Coefficient = Callable[[Floats], Floats]

N_DRAWS = 1000
LEVEL = 0.95
NO_FACTOR = "No single factor fits these items."


@dataclass(frozen=True)
class Reliability:
    """A reliability (0–1 as a rule; negative when items disagree) with its 95 % interval.

    `n` people with any answer, `n_items` items, `method` in words. Where there is no answer, `value`, `low` and
    `high` are NaN and `why` says so in one sentence.
    """

    value: float
    low: float
    high: float
    n: int
    n_items: int = 0
    method: str = ""
    why: str = ""


@dataclass(frozen=True)
class _Read:
    """Answers as a matrix, the cluster of each row, and the sums by cluster."""

    matrix: Floats
    cluster: NDArray[np.int64]
    sums: PairSums
    covariance: Floats


def alpha(
    items: pd.DataFrame,
    *,
    cluster: Labels | None = None,
    rng: np.random.Generator | None = None,
    n_draws: int = N_DRAWS,
) -> Reliability:
    """Cronbach's alpha of a sum or mean of k items: k/(k−1) · (1 − Σ s_ii / Σ s_ij).

    `items`: persons × items, any unit, one unit for all. A missing answer is left out pair by pair: s_ij comes
    from the people who answered both i and j, as is right when a rotation decides who is asked what; a pair that
    nobody answered together takes the mean of the covariances that were seen. Two items: Spearman–Brown
    2r/(1+r). Assumes essentially tau-equivalent items with uncorrelated errors, otherwise a lower bound.

    Interval: Feldt's F with n − 1 and (n − 1)(k − 1) degrees of freedom, where n is the mean number of
    answers an item has. With `rng`, a bootstrap on log(1 − alpha) over `cluster` (pairings) or,
    without one, over people; needed wherever two rows belong together.

    Cronbach (1951), Psychometrika 16, doi:10.1007/BF02310555; Feldt (1965), Psychometrika 30,
    doi:10.1007/BF02289499.
    """
    read = _read(items, cluster, rng)
    n, k = len(read.matrix), read.matrix.shape[1]
    why = _why_not(read, least=2)
    if why:
        return Reliability(np.nan, np.nan, np.nan, n, k, why=why)
    of = _spearman_brown if k == 2 else _alpha
    value = float(of(read.covariance[None])[0])
    name = "Spearman–Brown" if k == 2 else "Cronbach's alpha"
    if rng is not None:
        return Reliability(value, *_bootstrap(read, value, of, rng, n_draws), n, k, f"{name}, bootstrap")
    return Reliability(
        value, *_feldt(value, float(np.diag(read.sums.count.sum(axis=0)).mean()), k), n, k, f"{name}, Feldt interval"
    )


def omega(
    items: pd.DataFrame,
    *,
    cluster: Labels | None = None,
    rng: np.random.Generator | None = None,
    n_draws: int = N_DRAWS,
) -> Reliability:
    """McDonald's omega of one factor: (Σ λ_i)² / Σ s_ij, the variance of the sum as observed, not as implied.

    `items`: persons × items, one unit for all. λ by normal-theory maximum likelihood on the covariance matrix
    (raw, not standardised). With missing answers λ and θ come from full-information maximum likelihood and the
    variance of the sum is the model's, (Σ λ_i)² + Σ θ_i, as nobody need have answered every item. Two items:
    Spearman–Brown. Assumes one factor and uncorrelated errors; a factor that stands in a model of several
    belongs to `composite_omegas`.

    Interval: delta method on log(1 − omega) with each person's influence, robust to answers that are not normal;
    with `rng` a bootstrap over `cluster` or people. With missing answers always the delta method, by cluster
    where one is given.

    McDonald (1999), Test Theory; Green & Yang (2009), Psychometrika 74, doi:10.1007/s11336-008-9099-3.
    """
    read = _read(items, cluster, rng)
    n, k = len(read.matrix), read.matrix.shape[1]
    if k == 2:
        return alpha(items, cluster=cluster, rng=rng, n_draws=n_draws)
    why = _why_not(read, least=2) or _why_constant(read)
    if why:
        return Reliability(np.nan, np.nan, np.nan, n, k, why=why)
    if np.isnan(read.matrix).any():
        return _omega_with_gaps(read)
    value = float(_omega(read.covariance[None])[0])
    if np.isnan(value):
        return Reliability(np.nan, np.nan, np.nan, n, k, why=NO_FACTOR)
    if rng is not None:
        return Reliability(value, *_bootstrap(read, value, _omega, rng, n_draws), n, k, "omega, bootstrap")
    return Reliability(value, *_delta(read, value), n, k, "omega, delta interval")


def composite_omegas(items: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> dict[str, Reliability]:
    """Omega of each factor's items inside the model of all factors: (Σ λ)² ψ / Σ s_ij over the factor's items.

    As `compRelSEM(…, obs.var = TRUE)` of R's semTools: loadings of an item on other factors do not count.
    People with a missing answer are left out. `factors`: {name: [columns]}. No interval (NaN).
    """
    used = list(dict.fromkeys(item for members in factors.values() for item in members))
    matrix = numbers(items[used])
    matrix = matrix[~np.isnan(matrix).any(axis=1)]
    covariance = np.cov(matrix.T, bias=True)
    fitted = fit([Moments(matrix.mean(axis=0), covariance, len(matrix))], pattern_of(used, factors))
    found = {}
    for column, (name, members) in enumerate(factors.items()):
        own = [used.index(item) for item in members]
        true = fitted.loading[0][own, column].sum() ** 2 * fitted.factor[0][column, column]
        value = float(true / covariance[np.ix_(own, own)].sum())
        found[name] = Reliability(value, np.nan, np.nan, len(matrix), len(own), "omega within the model of all factors")
    return found


def _read(items: pd.DataFrame, cluster: Labels | None, rng: np.random.Generator | None) -> _Read:
    matrix = numbers(items)
    if cluster is not None and rng is None:
        raise RapportError("An interval over clusters is a bootstrap: give rng as well.")
    labels = np.arange(len(matrix)) if cluster is None else codes(cluster, pd.DataFrame(items))[0]
    kept = ~np.isnan(matrix).all(axis=1) & (labels >= 0)
    matrix, labels = matrix[kept], np.unique(labels[kept], return_inverse=True)[1]
    if not len(matrix) or np.isnan(matrix).all(axis=0).any():
        empty = np.zeros((1, matrix.shape[1], matrix.shape[1]))
        return _Read(matrix, labels, PairSums(empty, empty, empty), np.full(empty.shape[1:], np.nan))
    sums = summed(matrix) if rng is None else pair_sums(matrix, labels)
    return _Read(matrix, labels, sums, whole(sums))


def _why_not(read: _Read, least: int) -> str:
    if read.matrix.shape[1] < least:
        return "A single item has no internal reliability."
    variance = np.diag(read.covariance)
    if np.isnan(variance).any():
        return "Every item needs at least two answers."
    if (variance <= 0).all():
        return "No item varies."
    if np.isnan(_filled(read.covariance[None])).any():
        return "No two items were answered by the same people."
    return "" if _filled(read.covariance[None]).sum() > 0 else "The sum of the items does not vary."


def _why_constant(read: _Read) -> str:
    return "An item does not vary." if (np.diag(read.covariance) <= 0).any() else ""


def _filled(covariance: Floats) -> Floats:
    """Pairs never seen together take the mean of the pairs that were."""
    n_items = covariance.shape[-1]
    off = covariance[:, ~np.eye(n_items, dtype=bool)]
    seen = ~np.isnan(off)
    with np.errstate(invalid="ignore"):
        mean = np.where(seen, off, 0).sum(axis=1) / seen.sum(axis=1)
    return np.where(np.isnan(covariance), mean[:, None, None], covariance)


def _alpha(covariance: Floats) -> Floats:
    k, full = covariance.shape[-1], _filled(covariance)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = k / (k - 1) * (1 - np.trace(full, axis1=1, axis2=2) / full.sum(axis=(1, 2)))
    return found


def _spearman_brown(covariance: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        r = covariance[:, 0, 1] / np.sqrt(covariance[:, 0, 0] * covariance[:, 1, 1])
        found: Floats = 2 * r / (1 + r)
    return found


def _omega(covariance: Floats) -> Floats:
    usable = ~np.isnan(covariance).any(axis=(1, 2)) & (np.diagonal(covariance, axis1=1, axis2=2) > 0).all(axis=1)
    found = np.full(len(covariance), np.nan)
    loading, _, converged = one_factor(covariance[usable])
    ratio = loading.sum(axis=1) ** 2 / covariance[usable].sum(axis=(1, 2))
    found[usable] = np.where(converged, ratio, np.nan)
    return found


def _feldt(value: float, n: float, k: int) -> tuple[float, float]:
    between, within = n - 1, (n - 1) * (k - 1)
    tail = (1 - LEVEL) / 2
    low = 1 - (1 - value) * stats.f.isf(tail, between, within)
    return float(low), float(1 - (1 - value) * stats.f.isf(1 - tail, between, within))


def _around(value: float, se_of_log: float, n_clusters: int) -> tuple[float, float]:
    """Ends of 1 − exp(log(1 − value) ± t · se)."""
    if not np.isfinite(se_of_log) or value >= 1 or n_clusters < 3:
        return np.nan, np.nan
    reach = stats.t.ppf(1 - (1 - LEVEL) / 2, n_clusters - 1) * se_of_log
    return float(1 - (1 - value) * np.exp(reach)), float(1 - (1 - value) * np.exp(-reach))


def _bootstrap(
    read: _Read, value: float, of: Coefficient, rng: np.random.Generator, n_draws: int
) -> tuple[float, float]:
    drawn = np.concatenate([of(covariance) for covariance in resampled(read.sums, n_draws, rng)])
    usable = drawn[np.isfinite(drawn) & (drawn < 1)]
    if len(usable) < n_draws / 2:
        return np.nan, np.nan
    return _around(value, float(np.log(1 - usable).std(ddof=1)), len(read.sums.count))


def _delta(read: _Read, value: float) -> tuple[float, float]:
    """Each person's influence on the covariances, carried on to the loadings and to omega."""
    n, k = read.matrix.shape
    loading, residual, _ = one_factor(read.covariance[None])
    z = read.matrix - read.matrix.mean(axis=0)
    influence = z[:, :, None] * z[:, None, :] - read.covariance
    slope = np.linalg.solve(information(loading, residual)[0], score(influence, loading, residual).T).T
    total = read.covariance.sum()
    on_omega = (2 * loading.sum() * slope[:, :k].sum(axis=1) - value * influence.sum(axis=(1, 2))) / total
    return _around(value, float(np.sqrt((on_omega**2).sum() / n / max(n - k, 1)) / (1 - value)), n)


def _omega_with_gaps(read: _Read) -> Reliability:
    """Omega as the model implies it; the standard error adds up influences by cluster."""
    n, k = read.matrix.shape
    found = one_factor_missing(read.matrix)
    if not found.converged:
        return Reliability(np.nan, np.nan, np.nan, n, k, why=NO_FACTOR)
    sd = np.nanstd(read.matrix, axis=0)
    common, apart = (found.loading * sd).sum(), (found.residual * sd**2).sum()
    total = common**2 + apart
    slope = np.concatenate([2 * common * apart * sd, -(common**2) * sd**2]) / total**2
    by_cluster = np.bincount(read.cluster, weights=found.influence @ slope)
    n_clusters, value = len(by_cluster), float(common**2 / total)
    se = np.sqrt((by_cluster**2).sum() * n_clusters / max(n_clusters - k, 1))
    ends = _around(value, float(se / (1 - value)), n_clusters)
    return Reliability(value, *ends, n, k, "omega from answers with gaps, delta interval")
