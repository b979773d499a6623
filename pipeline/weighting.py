"""Corrects averages for who did not answer, and says how much that could still be wrong."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from data.errors import RapportError

Floats = NDArray[np.float64]
CLOSE = 1e-10
N_ROUNDS = 2000
SAME_TOTAL = 1e-3
TRIM = 3.0  # no answer speaks for more than three average ones
SHIFTS = (0.25, 0.5)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A standard error and its 95 % interval."""

    se: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Average:
    """A mean of `n` answers of `n_invited` people.

    `these_people`: the mean of everyone invited (exact where all answered); `programmes_like_this`: the mean that
    such programmes have. `tipping`: shift in SD → the mean if those who did not answer were that much lower than
    expected. `n_eff` is how many equally weighted answers would be worth as much.
    """

    weighted: float
    unweighted: float
    n: int
    n_invited: int
    n_eff: float
    n_mentors: int
    these_people: Interval
    programmes_like_this: Interval
    tipping: Mapping[float, float]


def rake(
    sample: pd.DataFrame,
    *,
    weight: str | ArrayLike | pd.Series | None = None,
    margins: Mapping[str, Mapping[Hashable, float]],
) -> pd.Series:
    """Weights whose sums meet every margin: iterative proportional fitting, by the index of `sample`.

    `weight`: the column (or values) to start from, None for 1; `margins`: {column: {level: total}}. Each pass scales
    the weights within every level to its total, until every total is met to 1e-10. One margin is post-stratification.
    Among all weights that meet the margins these are nearest to the given ones (least relative entropy). Assumes that
    answering depends on the margins only. Deming & Stephan (1940).
    """
    if not margins:
        raise RapportError("Expected at least one margin.")
    weights = _start(sample, weight)
    laid = [_margin(sample, column, totals) for column, totals in margins.items()]
    whole = float(laid[0][1].sum())
    if any(abs(float(total.sum()) - whole) > SAME_TOTAL * whole for _, total in laid):
        raise RapportError("Expected margins that add up to the same total.")
    laid = [(code, total * whole / total.sum()) for code, total in laid]
    for _ in range(N_ROUNDS):
        for code, total in laid:
            reached = np.bincount(code, weights, len(total))
            weights = weights * np.divide(total, reached, out=np.zeros_like(total), where=reached > 0)[code]
        if max(_distance(weights, code, total) for code, total in laid) < CLOSE:
            return pd.Series(weights, index=sample.index, name="weight")
    raise RapportError("Expected margins that fit together: no weights meet all of them in this sample.")


def propensity(invited: pd.DataFrame, *, responded: str, covariates: Sequence[str], penalty: float = 1.0) -> pd.Series:
    """How likely each invited person was to answer: ridge logistic regression, by the index of `invited`.

    Minimises −log L + penalty/2·Σβ² over standardised numbers and indicators of every level (a missing one is a
    level, a missing number the mean with its own indicator); the intercept is free, so that the mean propensity is
    the response rate. Newton's method. Ridge keeps small programmes finite under separation. Assumes that who
    answers depends on the covariates only. Hoerl & Kennard (1970); le Cessie & van Houwelingen (1992).
    """
    y = invited[responded].to_numpy(dtype=float)
    if not np.isin(y, (0.0, 1.0)).all() or penalty <= 0:
        raise RapportError(f"Expected yes or no in the column {responded} and a penalty above 0.")
    if len(y) == 0 or y.min() == y.max():
        return pd.Series(y, index=invited.index, name="propensity", dtype=float)
    x = np.column_stack([np.ones(len(y)), *(_indicators(invited[name]) for name in covariates)])
    ridge = np.full(x.shape[1], penalty)
    ridge[0] = 0.0
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(y.mean() / (1 - y.mean()))
    for _ in range(100):
        p = _logistic(x @ beta)
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + np.diag(ridge), x.T @ (y - p) - ridge * beta)
        beta = beta + step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return pd.Series(_logistic(x @ beta), index=invited.index, name="propensity")


def response_weights(propensities: ArrayLike | pd.Series, *, most: float = TRIM) -> pd.Series:
    """1 / propensity of those who answered, at most `most` times the mean weight, with mean 1.

    Trimming trades a little bias for much variance (Potter 1990); what was cut off is spread over the others.
    """
    series = propensities if isinstance(propensities, pd.Series) else pd.Series(np.asarray(propensities, dtype=float))
    p = series.to_numpy(dtype=float)
    if not ((p > 0) & (p <= 1)).all() or most < 1:
        raise RapportError("Expected propensities above 0 and at most 1, and a cut of at least 1.")
    weights = (1 / p) / (1 / p).mean()
    for _ in range(100):
        if weights.max() <= most + 1e-12:
            break
        is_cut = weights >= most
        rest = weights[~is_cut].sum()
        weights = np.where(is_cut, most, weights * (len(p) - most * is_cut.sum()) / rest) if rest > 0 else weights
    return pd.Series(weights, index=series.index, name="weight")


def effective_n(weights: ArrayLike) -> float:
    """How many equally weighted answers these are worth: (Σw)² / Σw². Kish (1965)."""
    w = np.asarray(weights, dtype=float)
    return float(w.sum() ** 2 / (w**2).sum())


def average(invited: pd.DataFrame, *, value: str, mentor: str, weight: str | None = None) -> Average:
    """The mean with both intervals and its tipping point; one row of `invited` a person, `value` NaN if silent.

    Both intervals see the mean as Σa·y and its variance as σ²Σa² + τ²Σ_mentor(Σa)², σ² within and τ² between
    mentors from the answers (analysis of variance, τ² ≥ 0), with t on one degree less than mentors. For "programmes
    like this" a = w/Σw; for "these people" a = w/Σw − 1/N over all N invited, so that only those who were silent are
    uncertain. Weights count as known. Assumes that, given the weights, silence tells nothing about the value: the
    tipping point shows what if it does. Royall (1970) for the finite population.
    """
    y = invited[value].to_numpy(dtype=float, na_value=np.nan)
    has_answered = np.isfinite(y)
    w = np.ones(len(y)) if weight is None else invited[weight].to_numpy(dtype=float, na_value=np.nan)
    w = np.where(has_answered, w, 0.0)
    cluster = np.asarray(pd.factorize(invited[mentor])[0], dtype=np.int64)
    n_mentors = len(np.unique(cluster[has_answered]))
    if (cluster < 0).any() or not np.isfinite(w).all() or (w < 0).any() or n_mentors < 2:
        raise RapportError("Expected a mentor for everyone, weights of 0 or more, and answers under two mentors.")
    share, filled = w / w.sum(), np.where(has_answered, y, 0.0)
    mean = float(share @ filled)
    components = _components(y[has_answered], cluster[has_answered])

    def interval(part: Floats) -> Interval:
        se, df = components.se_of(float((part**2).sum()), float((np.bincount(cluster, part) ** 2).sum()))
        half = float(stats.t.ppf(0.975, df)) * se
        return Interval(se=se, low=mean - half, high=mean + half)

    spread, silent = float(y[has_answered].std(ddof=1)), 1 - has_answered.mean()
    return Average(
        weighted=mean,
        unweighted=float(y[has_answered].mean()),
        n=int(has_answered.sum()),
        n_invited=len(y),
        n_eff=effective_n(w[has_answered]),
        n_mentors=n_mentors,
        these_people=interval(share - 1 / len(y)),
        programmes_like_this=interval(share),
        tipping={shift: mean - float(silent) * shift * spread for shift in SHIFTS},
    )


def _start(sample: pd.DataFrame, weight: str | ArrayLike | pd.Series | None) -> Floats:
    if isinstance(weight, str):
        if weight not in sample.columns:
            raise RapportError(f"Expected the column {weight}, which the sample lacks.")
        weight = sample[weight]
    weights = np.ones(len(sample)) if weight is None else np.array(weight, dtype=float)
    if weights.shape != (len(sample),) or not np.isfinite(weights).all() or (weights <= 0).any():
        raise RapportError("Expected a weight above 0 for every row of the sample.")
    return weights


def _margin(sample: pd.DataFrame, column: str, totals: Mapping[Hashable, float]) -> tuple[NDArray[np.int64], Floats]:
    """Which level each row has, and the total of each level."""
    if column not in sample.columns:
        raise RapportError(f"Expected the column {column}, which the sample lacks.")
    by_level = dict(totals)
    levels, total = list(by_level), np.array([float(each) for each in by_level.values()])
    code = pd.Index(levels).get_indexer(pd.Index(sample[column].astype(object)))
    if (code < 0).any():
        unknown = sorted({str(each) for each in sample[column][code < 0]})
        raise RapportError(f"Expected a total for every level of {column}; there is none for {', '.join(unknown)}.")
    empty = [str(level) for i, level in enumerate(levels) if total[i] > 0 and not (code == i).any()]
    if empty:
        raise RapportError(f"Expected someone in every level of {column}; the sample has nobody in {', '.join(empty)}.")
    if not np.isfinite(total).all() or (total < 0).any() or total.sum() <= 0:
        raise RapportError(f"Expected totals of 0 or more for {column}.")
    return np.asarray(code, dtype=np.int64), total


def _distance(weights: Floats, code: NDArray[np.int64], total: Floats) -> float:
    """The largest difference to a total, relative to their sum."""
    return float(np.abs(np.bincount(code, weights, len(total)) - total).max() / total.sum())


def _indicators(column: pd.Series) -> Floats:
    """A standardised number (and whether it is missing), or one indicator a level."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        x = column.to_numpy(dtype=float, na_value=np.nan)
        is_missing = np.isnan(x)
        if is_missing.all():
            return np.zeros((len(x), 0))
        spread = float(np.nanstd(x))
        standard = np.where(is_missing, 0.0, (x - np.nanmean(x)) / (spread if spread > 0 else 1.0))
        return np.column_stack([standard, is_missing]) if is_missing.any() else standard[:, None]
    code, levels = pd.factorize(column, use_na_sentinel=False)
    indicators: Floats = np.eye(len(levels))[code]
    return indicators


def _logistic(x: Floats) -> Floats:
    p: Floats = 1 / (1 + np.exp(-np.clip(x, -35, 35)))
    return p


@dataclass(frozen=True, kw_only=True)
class _Components:
    """Mean squares within and between mentors; `typical` is the size that the latter counts people by, 0 for none."""

    within: float
    among: float
    typical: float
    df_within: int
    df_among: int

    def se_of(self, each: float, together: float) -> tuple[float, float]:
        """Of a sum a·y: its standard error and degrees of freedom, from Σa² and Σ_mentor(Σa)²."""
        if self.typical == 0:
            return float(np.sqrt(self.within * each)), float(self.df_within)
        own = self.within * (each - together / self.typical)
        shared = self.among * together / self.typical
        apart = own**2 / self.df_within + shared**2 / self.df_among
        variance = max(own + shared, 0.0)
        least = min(self.df_within, self.df_among)  # `own` may be below 0, where few are silent
        return float(np.sqrt(variance)), max(variance**2 / apart, least) if apart > 0 else float(least)


def _components(y: Floats, cluster: NDArray[np.int64]) -> _Components:
    """All of it within where no mentor has two people, or where mentors differ no more than people."""
    _, code = np.unique(cluster, return_inverse=True)
    size = np.bincount(code).astype(float)
    n, n_clusters = len(y), len(size)
    whole = _Components(within=float(y.var(ddof=1)), among=0.0, typical=0.0, df_within=n - 1, df_among=0)
    if n <= n_clusters or whole.within == 0:
        return whole
    mean = np.bincount(code, y) / size
    within = float(((y - mean[code]) ** 2).sum()) / (n - n_clusters)
    among = float((size * (mean - y.mean()) ** 2).sum()) / (n_clusters - 1)
    typical = (n - (size**2).sum() / n) / (n_clusters - 1)
    if among <= within:
        return whole
    return _Components(
        within=within, among=among, typical=float(typical), df_within=n - n_clusters, df_among=n_clusters - 1
    )
