"""Puts a value and a 95 % interval on one number: clustered by mentor, or with a declared spread."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
LEVEL = 0.95
ENOUGH = 20  # people from whom on a spread may be seen (confidentiality: no second moment below)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value, its standard error and the degrees of freedom of its t interval."""

    value: float
    se: float
    df: float

    @property
    def half_width(self) -> float:
        return float(stats.t.ppf((1 + LEVEL) / 2, self.df)) * self.se


def mean_of_means(values: Floats, parts: NDArray[np.int64]) -> float:
    """The mean over parts of the mean within each part."""
    n = np.bincount(parts)
    return float((np.bincount(parts, values) / n).mean())


def clustered(values: Floats, parts: NDArray[np.int64], clusters: NDArray[np.int64]) -> Estimate | None:
    """The mean of part means, people who share a mentor counted as dependent; None with one mentor.

    Cluster-robust with the bias-reduced residuals of a mean (Bell & McCaffrey 2002) and, in each part,
    their Satterthwaite degrees of freedom; the smaller one counts. One entry a person.
    """
    n_parts = int(parts.max()) + 1
    total = np.zeros(int(clusters.max()) + 1)
    df = np.inf
    for part in range(n_parts):
        inside = parts == part
        size = np.bincount(clusters[inside], minlength=len(total)).astype(float)
        n = size.sum()
        if size.max() == n:
            return None
        residual = values[inside] - values[inside].mean()
        sums = np.bincount(clusters[inside], residual, minlength=len(total))
        total += sums / np.sqrt(1 - size / n) / (n * n_parts)
        df = min(df, _degrees(size, n))
    se = float(np.sqrt((total**2).sum()))
    return Estimate(value=mean_of_means(values, parts), se=se, df=df)


def _degrees(size: Floats, n: float) -> float:
    """Satterthwaite degrees of freedom of the clustered variance of a mean; n − 1 where nobody shares."""
    own = (size**2).sum() / n**4
    cross = size**2 / (n**3 * (1 - size / n))
    return float(n**-2 / (own + cross.sum() ** 2 - (cross**2).sum()))


def design_effect(residual: Floats, clusters: NDArray[np.int64]) -> float:
    """How many times larger sharing a mentor makes the variance of a mean; at least 1."""
    found = clustered(residual, np.zeros(len(residual), dtype=np.int64), clusters)
    simple = float(residual.var(ddof=1)) / len(residual)
    return max(1.0, found.se**2 / simple) if found is not None and simple > 0 else 1.0


def declared(value: float, sizes: Floats, spread: float) -> Estimate:
    """A mean of part means whose interval shows only how many people (in steps) are behind it."""
    se = spread * float(np.sqrt((1 / sizes).sum())) / len(sizes)
    return Estimate(value=value, se=se, df=np.inf)


def wilson(count: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    middle = (count + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * float(np.sqrt(count * (n - count) / n + z**2 / 4))
    return max(0.0, middle - half), min(1.0, middle + half)
