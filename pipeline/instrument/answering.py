"""Watches how people answer a form: in straight lines, or at the ends of the scale."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.instrument.answers_matrix import Labels, codes, numbers

EVERYBODY = "all"


def straight_lining(items: pd.DataFrame, *, by: Labels | None = None, least: int = 3) -> pd.DataFrame:
    """Share of people whose answers to a form are all the same: the size of careless answering at most.

    `items`: persons × items of one form, columns in the order asked, as answered (before anything is reversed; a
    form without reversed or mixed items cannot tell agreement from carelessness). People with fewer than `least`
    answers do not count. One row a level of `by` (language, side, …; all without it): n, n_straight, share (0–1),
    longest_run (of any person) and mean_longest_run (over people), missing answers skipped.

    Curran (2016), Journal of Experimental Social Psychology 66, doi:10.1016/j.jesp.2015.07.006.
    """
    matrix = numbers(items)
    runs = longest_runs(items).to_numpy()
    n_answers = (~np.isnan(matrix)).sum(axis=1)
    people = pd.DataFrame({"run": runs, "is_straight": runs == n_answers, "by": _labels(by, pd.DataFrame(items))})
    groups = people[n_answers >= least].groupby("by")
    return pd.DataFrame(
        {
            "n": groups.size(),
            "n_straight": groups["is_straight"].sum(),
            "share": groups["is_straight"].mean(),
            "longest_run": groups["run"].max(),
            "mean_longest_run": groups["run"].mean(),
        }
    )


def longest_runs(items: pd.DataFrame) -> pd.Series:
    """Each person's longest run of equal answers, missing answers skipped; 0 without any answer."""
    matrix = numbers(items)
    longest = np.zeros(len(matrix), dtype=np.int64)
    run, last = np.zeros(len(matrix), dtype=np.int64), np.full(len(matrix), np.nan)
    for answer in matrix.T:
        seen = ~np.isnan(answer)
        run = np.where(seen, np.where(answer == last, run + 1, 1), run)
        last = np.where(seen, answer, last)
        longest = np.maximum(longest, run)
    return pd.Series(longest, index=pd.DataFrame(items).index, name="longest_run")


def extremes(items: pd.DataFrame, *, lowest: float, highest: float, by: Labels | None = None) -> pd.DataFrame:
    """Share of answers at the floor and at the ceiling of the scale, by item and level of `by`.

    `lowest`, `highest`: the ends of the scale, in the unit of the answers. One row an item and level: n, floor,
    ceiling (0–1). A share above .15 is the usual alarm (Terwee et al. 2007, Journal of Clinical Epidemiology 60,
    doi:10.1016/j.jclinepi.2006.03.012): people there can no longer move.
    """
    frame = pd.DataFrame(numbers(items), columns=pd.DataFrame(items).columns)
    labelled = frame.assign(**{"by level": _labels(by, pd.DataFrame(items))})
    long = labelled.melt("by level", var_name="item", value_name="value").dropna()
    groups = long.assign(floor=long["value"] <= lowest, ceiling=long["value"] >= highest).groupby(
        ["item", "by level"], sort=False
    )
    shares = groups.agg(n=("value", "size"), floor=("floor", "mean"), ceiling=("ceiling", "mean"))
    return shares.rename_axis(["item", "by"])


def _labels(by: Labels | None, items: pd.DataFrame) -> NDArray[np.object_]:
    """The label of each row, None where missing: such rows drop out."""
    if by is None:
        return np.full(len(items), EVERYBODY, dtype=object)
    code, levels = codes(by, items)
    return np.array([*levels, None], dtype=object)[code]
