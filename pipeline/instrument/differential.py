"""Looks, question by question, for one that groups of the same level answer differently."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from pipeline.instrument.answers_matrix import Floats, Labels, codes, numbers
from pipeline.instrument.ordinal import Ordinal, proportional_odds

LEVEL = 0.05
LEAST_IN_A_GROUP = 10
MOST_CATEGORIES = 10


def differential_items(
    items: pd.DataFrame, group: Labels, *, factors: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Ordinal-logistic differential item functioning, one row an item.

    Compared by likelihood ratio: the answer given the rest score; + the group (uniform: harder to agree with at
    every level); + rest score × group (non-uniform: tells levels apart differently). Columns: n, uniform_chi2,
    uniform_p, shift (log-odds of a higher answer, second group against first at the mean rest score, more groups:
    the largest), nonuniform_chi2, nonuniform_p, p_adjusted (Holm over both tests of all items) and is_flagged
    (p_adjusted < .05: at most 5 % of instruments without any difference are flagged).

    `items`: persons × items, ordered categories in one unit, missing allowed; of one construct unless `factors`
    ({name: [columns]}) says which belong together. `group`: a label a person, 2 or more levels. The rest score is
    the mean of the person's other answers, each less its item's mean, so that an easy rotation does not look like
    a high level, drawn towards the mean of the person's group by its unreliability (Kelley): without that, groups
    of different level would look like different questions. Items with fewer than 10 answers in a group, or one
    answer only, come out as NaN. Likelihood ratios are multiplied by (n − parameters)/n: without that, 60 people
    give 7 % false findings an item instead of 5 %. Assumes proportional odds.

    Swaminathan & Rogers (1990), Journal of Educational Measurement 27; Zumbo (1999), A Handbook on the Theory and
    Methods of Differential Item Functioning; Shealy & Stout (1993), Psychometrika 58, doi:10.1007/BF02294572
    (the correction); Holm (1979), Scandinavian Journal of Statistics 6.
    """
    label, levels = codes(group, pd.DataFrame(items))
    rows, names = [], []
    for members in (factors or {"": list(items.columns)}).values():
        matrix = numbers(items[list(members)])
        rest = _levels(matrix, label)
        rows += [_item(matrix[:, item], rest[:, item], label, len(levels)) for item in range(matrix.shape[1])]
        names += list(members)
    tested = pd.DataFrame(rows, columns=[*COLUMNS], index=pd.Index(names, name="item"))
    raw = tested[["uniform_p", "nonuniform_p"]].to_numpy()
    tested["p_adjusted"] = holm(raw.ravel()).reshape(raw.shape).min(axis=1)
    tested["is_flagged"] = tested["p_adjusted"] < LEVEL
    return tested


COLUMNS = ("n", "uniform_chi2", "uniform_p", "shift", "nonuniform_chi2", "nonuniform_p")


def holm(p: Floats) -> Floats:
    """Step-down adjusted p values in the given order; NaN stays NaN and does not count as a test."""
    adjusted, usable = np.full(len(p), np.nan), np.flatnonzero(~np.isnan(p))
    order = usable[np.argsort(p[usable], kind="stable")]
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return adjusted


def _levels(matrix: Floats, label: NDArray[np.int64]) -> Floats:
    """Where each person stands without the item, persons × items; NaN where nothing else was answered."""
    seen = ~np.isnan(matrix)
    mean = np.where(seen, matrix, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    apart = np.where(seen, matrix - mean, 0.0)
    n_others = seen.sum(axis=1, keepdims=True) - seen
    others = apart.sum(axis=1, keepdims=True) - apart
    rest = np.where(n_others > 0, others / np.maximum(n_others, 1), np.nan)
    member = (label[:, None] == np.unique(label)).astype(float)
    n_there = member.T @ (n_others > 0)
    of_group = member @ (member.T @ np.nan_to_num(rest) / np.maximum(n_there, 1))
    agreement = _agreement(matrix, member)
    reliability = n_others * agreement / (1 + (n_others - 1) * agreement)
    levels: Floats = of_group + reliability * (rest - of_group)
    return levels


def _agreement(matrix: Floats, member: Floats) -> float:
    """Mean correlation of two items within groups, .05 to .95."""
    seen = (~np.isnan(matrix)).astype(float)
    filled = np.nan_to_num(matrix)
    centre = member @ (member.T @ filled / np.maximum(member.T @ seen, 1))
    apart = (filled - centre) * seen
    with np.errstate(divide="ignore", invalid="ignore"):
        together = apart.T @ apart / (seen.T @ seen)
        sd = np.sqrt(np.diag(together))
        correlation = (together / np.outer(sd, sd))[~np.eye(len(sd), dtype=bool)]
    usable = correlation[np.isfinite(correlation)]
    return float(np.clip(usable.mean(), 0.05, 0.95)) if len(usable) else 0.5


def _categories(answer: Floats) -> NDArray[np.int64]:
    """Answers as 0 … C−1; more than ten different ones are cut into ten of about equal size."""
    rank = np.unique(answer, return_inverse=True)[1].ravel()
    if rank.max(initial=0) >= MOST_CATEGORIES:
        cuts = np.quantile(rank, np.arange(1, MOST_CATEGORIES) / MOST_CATEGORIES)
        rank = np.unique(np.searchsorted(cuts, rank, side="left"), return_inverse=True)[1].ravel()
    return rank.astype(np.int64)


def _ratio(small: Ordinal, large: Ordinal, n: int, n_parameters: int) -> float:
    """Likelihood ratio, shortened by the share of answers that the parameters use up: small samples overstate it."""
    return max(2 * (large.log_likelihood - small.log_likelihood), 0.0) * max(n - n_parameters, 0) / n


def _item(answer: Floats, rest: Floats, label: NDArray[np.int64], n_levels: int) -> list[float]:
    usable = ~np.isnan(answer) & ~np.isnan(rest) & (label >= 0)
    n = int(usable.sum())
    sizes = np.bincount(label[usable], minlength=n_levels)
    category = _categories(answer[usable])
    level = rest[usable] - rest[usable].mean() if n else rest[usable]
    if n_levels < 2 or sizes.min() < LEAST_IN_A_GROUP or category.max(initial=0) < 1 or np.ptp(level) == 0:
        return [n, *[np.nan] * (len(COLUMNS) - 1)]
    level = level / level.std()
    member = (label[usable][:, None] == np.arange(1, n_levels)).astype(float)
    base = proportional_odds(category, level[:, None])
    shifted = proportional_odds(category, np.column_stack([level, member]))
    turned = proportional_odds(category, np.column_stack([level, member, level[:, None] * member]))
    df, n_cuts = n_levels - 1, int(category.max())
    uniform = _ratio(base, shifted, n, n_cuts + 1 + df)
    nonuniform = _ratio(shifted, turned, n, n_cuts + 1 + 2 * df)
    shift = shifted.slope[1:][np.abs(shifted.slope[1:]).argmax()]
    return [
        n,
        uniform,
        float(stats.chi2.sf(uniform, df)),
        float(shift),
        nonuniform,
        float(stats.chi2.sf(nonuniform, df)),
    ]
