"""Recovers means and covariances from answers with gaps, and tests whether the gaps look random."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from data.errors import RapportError
from pipeline.instrument.answers_matrix import Floats, answered

MAX_STEPS = 5000
TOLERANCE = 1e-9  # on the largest move of a standardised covariance in one step


@dataclass(frozen=True)
class Test:
    """A test statistic, its degrees of freedom and p value."""

    __test__ = False  # pytest would otherwise take it for a test class

    statistic: float
    df: int
    p: float


@dataclass(frozen=True)
class _Pattern:
    """The people who answered exactly the items `seen`: how many, their mean and covariance (divided by n)."""

    seen: NDArray[np.int64]
    unseen: NDArray[np.int64]
    n: int
    mean: Floats
    covariance: Floats


def em_covariance(frame: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Mean and covariance by maximum likelihood under a normal model, from persons × items with NaN.

    EM over patterns of missing answers: each step fills the expected sums and products of what is missing given
    what is there, so the likelihood never falls. Covariances are divided by n. Assumes missing at random, which a
    planned rotation guarantees; every pair of items must have been answered together by at least two people.

    Dempster, Laird & Rubin (1977), Journal of the Royal Statistical Society B 39; Little & Rubin (2019),
    Statistical Analysis with Missing Data, 3rd ed., section 11.2.
    """
    frame = pd.DataFrame(frame)
    mean, covariance, _ = _em(_checked(frame))
    names = list(frame.columns)
    return pd.Series(mean, index=names), pd.DataFrame(covariance, index=names, columns=names)


def log_likelihood(frame: pd.DataFrame, mean: Floats | pd.Series, covariance: Floats | pd.DataFrame) -> float:
    """Observed-data normal log-likelihood of persons × items with NaN at this mean and covariance."""
    centre, spread = np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float)
    total = 0.0
    for pattern in _patterns(answered(frame)):
        inside = spread[np.ix_(pattern.seen, pattern.seen)]
        gap = pattern.mean - centre[pattern.seen]
        about = pattern.covariance + np.outer(gap, gap)
        constant = len(pattern.seen) * np.log(2 * np.pi)
        total -= pattern.n / 2 * (constant + np.linalg.slogdet(inside)[1] + np.trace(np.linalg.solve(inside, about)))
    return float(total)


def little_mcar(frame: pd.DataFrame) -> Test:
    """Little's test that answers are missing completely at random, by persons × items with NaN.

    d² = Σ_patterns n_j (ȳ_j − μ̂_j)' Σ̂_j⁻¹ (ȳ_j − μ̂_j) with the EM mean and covariance (divided by n, as R's naniar
    and norm do), chi-squared with Σ k_j − k degrees of freedom. Without gaps there is nothing to test: 0, 0, NaN.
    Rejecting says the gaps go with the answers; not rejecting proves nothing.

    Little (1988), Journal of the American Statistical Association 83, doi:10.1080/01621459.1988.10478722.
    """
    patterns = _patterns(_checked(pd.DataFrame(frame)))
    n_items = pd.DataFrame(frame).shape[1]
    df = sum(len(pattern.seen) for pattern in patterns) - n_items
    if df == 0:
        return Test(0.0, 0, float("nan"))
    mean, covariance, _ = _em(answered(frame))
    statistic = 0.0
    for pattern in patterns:
        gap = pattern.mean - mean[pattern.seen]
        inside = covariance[np.ix_(pattern.seen, pattern.seen)]
        statistic += pattern.n * float(gap @ np.linalg.solve(inside, gap))
    return Test(statistic, df, float(stats.chi2.sf(statistic, df)))


def _checked(frame: pd.DataFrame) -> Floats:
    matrix = answered(frame)
    seen = (~np.isnan(matrix)).astype(float)
    together = seen.T @ seen
    if (together < 2).any():
        left, right = (str(frame.columns[side]) for side in np.argwhere(together < 2)[0])
        raise RapportError(f"Covariances need at least two people who answered both {left} and {right}.")
    if (np.nanmax(matrix, axis=0) == np.nanmin(matrix, axis=0)).any():
        raise RapportError("Covariances need items that vary; one has the same answer from everybody.")
    return matrix


def _patterns(matrix: Floats) -> list[_Pattern]:
    masks, of_person = np.unique(~np.isnan(matrix), axis=0, return_inverse=True)
    groups = np.split(np.argsort(of_person.ravel(), kind="stable"), np.cumsum(np.bincount(of_person.ravel()))[:-1])
    found = []
    for mask, people in zip(masks, groups, strict=True):
        answers = matrix[people][:, mask]
        mean = answers.mean(axis=0)
        spread = (answers - mean).T @ (answers - mean) / len(people)
        found.append(_Pattern(np.flatnonzero(mask), np.flatnonzero(~mask), len(people), mean, spread))
    return found


def _em(matrix: Floats) -> tuple[Floats, Floats, int]:
    """Mean, covariance and number of steps; works on standardised items."""
    shift, scale = np.nanmean(matrix, axis=0), np.nanstd(matrix, axis=0)
    patterns = _patterns((matrix - shift) / scale)
    k = matrix.shape[1]
    mean: Floats = np.zeros(k)
    covariance: Floats = np.eye(k)
    for n_steps in range(1, MAX_STEPS + 1):
        next_mean, next_covariance = _em_step(patterns, mean, covariance)
        move = max(np.abs(next_mean - mean).max(), np.abs(next_covariance - covariance).max())
        mean, covariance = next_mean, next_covariance
        if move < TOLERANCE:
            return shift + scale * mean, covariance * np.outer(scale, scale), n_steps
    raise RapportError("These answers have too many gaps for covariances: the estimates do not settle.")


def _em_step(patterns: list[_Pattern], mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Expected first and second moments about the present mean, pattern by pattern, then the new estimates."""
    k, n = len(mean), sum(pattern.n for pattern in patterns)
    total, product = np.zeros(k), np.zeros((k, k))
    for pattern in patterns:
        seen, unseen = pattern.seen, pattern.unseen
        carry = np.zeros((k, len(seen)))  # everything, expected from what was answered
        carry[seen, np.arange(len(seen))] = 1.0
        gap = pattern.mean - mean[seen]
        if len(unseen):
            inside, across = covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, unseen)]
            carry[unseen] = np.linalg.lstsq(inside, across, rcond=None)[0].T
            product[np.ix_(unseen, unseen)] += pattern.n * (covariance[np.ix_(unseen, unseen)] - carry[unseen] @ across)
        total += pattern.n * (carry @ gap)
        product += pattern.n * (carry @ (pattern.covariance + np.outer(gap, gap)) @ carry.T)
    moved = total / n
    return mean + moved, product / n - np.outer(moved, moved)
