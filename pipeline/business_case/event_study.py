"""Gathers the effects of groups and waves into averages with intervals, and tests the time before the start."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from pipeline.business_case.effect import Effect, cannot_tell

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
N_DRAWS = 999
AT_ONCE = 64  # draws held in memory together
SURE = 0.95
METHOD = "group-time differences in differences, doubly robust"


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Effects on one group in one wave, of `n` units, with every unit's influence (units × cells, mean zero).

    `started`: each unit's group, 0 for never. A cell's SE is √(mean(influence²) / units).
    """

    group: Floats
    period: Floats
    att: Floats
    influence: Floats
    n_treated: NDArray[np.int64]
    n_controls: NDArray[np.int64]
    started: Floats

    @property
    def since(self) -> Floats:
        return self.period - self.group

    @property
    def freedom(self) -> NDArray[np.int64]:
        """Degrees of freedom of a cell's t interval: those of its smaller side."""
        return np.minimum(self.n_treated, self.n_controls) - 1


@dataclass(frozen=True, kw_only=True)
class Average:
    """Weighted averages of cells: estimates, their influences (units × averages) and degrees of freedom.

    `inflation`: by how much an SE that divides by n falls short of one that divides by n − 1; it widens intervals
    and leaves the published SE as it is.
    """

    estimate: Floats
    influence: Floats
    freedom: Floats
    inflation: Floats

    @property
    def se(self) -> Floats:
        return standard_errors(self.influence)


@dataclass(frozen=True, kw_only=True)
class PreTrend:
    """Test that every effect before the start is zero; NaN where no wave lies before.

    `statistic` is Wald's, `p` its chi-square p as published software gives it, `p_small` the p of an F test for few
    starters (Hotelling's): the chi-square one rejects 16 of 100 parallel trends where groups have 10 starters.
    """

    statistic: float
    df: int
    p: float
    p_small: float

    @property
    def is_tested(self) -> bool:
        return self.df > 0 and isfinite(self.p_small)


def standard_errors(influence: Floats) -> Floats:
    """√(mean(influence²) / n) of each column."""
    return np.sqrt((influence**2).sum(axis=0)) / len(influence)  # type: ignore[no-any-return]


def average(cells: Cells, where: Places) -> Average:
    """Σ share(group)·ATT / Σ share(group) of the cells at `where`; the shares' own sampling is in the influence.

    Callaway & Sant'Anna (2021, doi:10.1016/j.jeconom.2020.12.001), section 3.2 and corollary 2.
    """
    is_in = cells.started[:, None] == cells.group[where][None, :]
    share = is_in.mean(axis=0)
    total = share.sum()
    weight = share / total
    estimate = float(weight @ cells.att[where])
    of_shares = (is_in - share) @ (cells.att[where] - estimate) / total
    influence = cells.influence[:, where] @ weight + of_shares
    return Average(
        estimate=np.array([estimate]),
        influence=influence[:, None],
        freedom=np.array([_freedom(cells, where)]),
        inflation=np.array([_inflation(cells.freedom[where])]),
    )


def each_cell(cells: Cells) -> Average:
    """Every cell as an average of its own."""
    freedom = cells.freedom.astype(float)
    inflation = np.sqrt((freedom + 1) / freedom)
    return Average(estimate=cells.att, influence=cells.influence, freedom=freedom, inflation=inflation)


def together(averages: Sequence[Average]) -> Average:
    """Several averages side by side."""
    return Average(
        estimate=np.concatenate([one.estimate for one in averages]),
        influence=np.column_stack([one.influence for one in averages]),
        freedom=np.concatenate([one.freedom for one in averages]),
        inflation=np.concatenate([one.inflation for one in averages]),
    )


def mean_of(averages: Average, weights: Floats) -> Average:
    """The average of averages at fixed weights."""
    return Average(
        estimate=np.array([weights @ averages.estimate]),
        influence=(averages.influence @ weights)[:, None],
        freedom=np.array([averages.freedom.min()]),
        inflation=np.array([averages.inflation.max()]),
    )


def band(averages: Average, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Low and high of all averages at once (95 %), and the critical value.

    The greatest |t| over the averages is drawn by multiplying each unit's influence by ±1 (Rademacher), 999 times;
    with few units in a cell the critical value is widened as Student's t widens the normal's.
    """
    se = averages.se
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(se > 0, averages.influence / (se * len(averages.influence)), 0.0)
    greatest = np.empty(N_DRAWS)
    for start in range(0, N_DRAWS, AT_ONCE):
        rows = min(AT_ONCE, N_DRAWS - start)
        signs = rng.integers(0, 2, size=(rows, len(scaled))).astype(float) * 2 - 1
        greatest[start : start + rows] = np.abs(signs @ scaled).max(axis=1)
    critical = max(float(np.quantile(greatest, SURE)), float(stats.norm.ppf((1 + SURE) / 2)))
    width = stats.t.isf(stats.norm.sf(critical), averages.freedom) * se * averages.inflation
    return averages.estimate - width, averages.estimate + width, critical


def as_effect(one: Average, *, n: int, claim: str, unit: str, assumptions: tuple[str, ...], summary: str) -> Effect:
    """The first of some averages with its own 95 % interval (Student's t); no answer where nothing varies."""
    se = float(one.se[0])
    if not se > 0:
        return cannot_tell("The outcome does not vary.", method=METHOD, claim=claim, n=n)
    width = float(stats.t.ppf((1 + SURE) / 2, one.freedom[0]) * one.inflation[0]) * se
    estimate = float(one.estimate[0])
    return Effect(
        estimate=estimate,
        low=estimate - width,
        high=estimate + width,
        se=se,
        n=n,
        method=f"{METHOD}, {summary}",
        claim=claim,
        unit=unit,
        assumptions=assumptions,
    )


def course(cells: Cells) -> tuple[Floats, Average]:
    """Times since the start (negative: before it) and the average of the groups at each."""
    times = np.unique(cells.since)
    return times, together([average(cells, np.flatnonzero(cells.since == time)) for time in times])


def of_groups(cells: Cells) -> tuple[Floats, Average]:
    """Groups and the plain mean of each one's effects from its start on."""
    after = cells.since >= 0
    groups = np.unique(cells.group[after])
    own = [_plain(cells, np.flatnonzero(after & (cells.group == group))) for group in groups]
    return groups, together(own)


def over_groups(cells: Cells) -> Average:
    """Group means weighted by the groups' sizes, whose own sampling is in the influence."""
    groups, own = of_groups(cells)
    as_cells = Cells(
        group=groups,
        period=groups,
        att=own.estimate,
        influence=own.influence,
        n_treated=(own.freedom + 1).astype(np.int64),
        n_controls=np.full(len(groups), np.iinfo(np.int64).max),
        started=cells.started,
    )
    return average(as_cells, np.arange(len(groups)))


def pre_trend(cells: Cells) -> PreTrend:
    """Wald's joint test of the effects before the start; an unrejected one is no proof of parallel trends."""
    before = np.flatnonzero(cells.since < 0)
    influence = cells.influence[:, before]
    rank = int(np.linalg.matrix_rank(influence)) if len(before) else 0
    if rank == 0:
        return untested()
    covariance = influence.T @ influence / len(influence) ** 2
    statistic = float(cells.att[before] @ np.linalg.pinv(covariance, rcond=1e-10, hermitian=True) @ cells.att[before])
    left = _freedom(cells, before) - rank + 1
    in_small = statistic / _inflation(cells.freedom[before]) ** 2 * left / ((left + rank - 1) * rank)
    p_small = float(stats.f.sf(in_small, rank, left)) if left >= 1 else float("nan")
    return PreTrend(statistic=statistic, df=rank, p=float(stats.chi2.sf(statistic, rank)), p_small=p_small)


def untested() -> PreTrend:
    """What is known of the time before the start without a wave in it."""
    return PreTrend(statistic=float("nan"), df=0, p=float("nan"), p_small=float("nan"))


def _plain(cells: Cells, where: Places) -> Average:
    return Average(
        estimate=np.array([cells.att[where].mean()]),
        influence=cells.influence[:, where].mean(axis=1)[:, None],
        freedom=np.array([float(cells.freedom[where].min())]),
        inflation=np.array([_inflation(cells.freedom[where])]),
    )


def _freedom(cells: Cells, where: Places) -> float:
    """Those of all groups in the cells, each group counted once."""
    return max(float(pd.Series(cells.freedom[where]).groupby(cells.group[where]).min().sum()), 1.0)


def _inflation(freedom: NDArray[np.int64]) -> float:
    return float(np.sqrt(np.mean((freedom + 1) / freedom)))
