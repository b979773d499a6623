"""Makes one small trial of every month in which somebody could have started."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.business_case.regression import logistic
from pipeline.business_case.terms import columns_used, model_matrix

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class CensoringWeights:
    """Stabilised weights for who is lost from sight, and the models of not being lost behind them."""

    weight: pd.Series  # one a row of the panel: numerator over denominator probability of staying in sight
    models: dict[str, pd.Series]  # "num" (or num0, num1), "den0", "den1": coefficients by term


def expand_trials(
    panel: pd.DataFrame,
    *,
    person: str,
    period: str,
    eligible: str,
    treatment: str,
    outcome: str,
    baseline: Sequence[str] = (),
    until_switch: bool = False,
) -> pd.DataFrame:
    """One row a person, trial and period: person, trial_period, followup_time, assigned, treatment, outcome, baseline.

    Every period in which a person is eligible starts a trial; who is treated in that period is assigned to
    treatment, everybody else is its control, whatever happens later (Hernán et al. 2008,
    doi:10.1097/EDE.0b013e3181875e61; Danaei et al. 2013, doi:10.1177/0962280211403603). So time zero, assignment
    and the start of follow-up are one moment, and nobody's months before the start count for the treatment. A
    person is followed up to the first outcome or the last row; `until_switch` follows only while the treatment
    stays as assigned (per protocol). `eligible` must already say "not treated before" where that is wanted.

    panel: one row a person and period (an integer), any order. `baseline` columns are those of the trial's first
    period. Rows follow person, trial, time. Assumes nothing yet: how the trials are compared does.
    """
    columns = [person, period, eligible, treatment, outcome, *baseline]
    rows = panel[list(dict.fromkeys(columns))].sort_values([person, period], kind="stable", ignore_index=True)
    codes = pd.factorize(rows[person])[0]
    stop = _row_of_next(codes, rows[outcome].to_numpy().astype(float) != 0)
    if until_switch:
        stop = np.minimum(stop, _row_before_switch(codes, rows[treatment].to_numpy().astype(bool)))
    start = np.flatnonzero(rows[eligible].to_numpy().astype(bool))
    length = stop[start] - start + 1
    first = np.repeat(start, length)
    row = first + np.arange(len(first)) - np.repeat(length.cumsum() - length, length)
    time = rows[period].to_numpy()
    expanded = {
        "person": rows[person].take(row).reset_index(drop=True),
        "trial_period": time[first],
        "followup_time": time[row] - time[first],
        "assigned": rows[treatment].to_numpy().astype(np.int8)[first],
        "treatment": rows[treatment].to_numpy().astype(np.int8)[row],
        "outcome": rows[outcome].to_numpy().astype(np.int8)[row],
    }
    return pd.DataFrame(expanded | {name: rows[name].take(first).reset_index(drop=True) for name in baseline})


def person_trials(panel: pd.DataFrame, *, starts: str, before: NDArray[np.bool_], horizon: int) -> pd.DataFrame:
    """One row a person and monthly trial, without the months in between: what 12-month outcomes need.

    panel: one row a person and month with columns person, month, employed, eligible, exit (0 stays, else the cause
    of the exit during the month) and `starts` (the first month of treatment); `before`: treated earlier, by row. A
    month starts a trial if `horizon` months from its first day on lie within the panel.

    Columns: person (code), trial_month, is_treated, cause (of the first exit within the horizon, 0 if none),
    is_lost (neither exited nor in service to the end of the horizon), row (position in the panel). Memory grows with
    people × months, not with its square.
    """
    order = np.lexsort((panel["month"].to_numpy(), pd.factorize(panel["person"])[0]))
    codes, month = pd.factorize(panel["person"])[0][order], panel["month"].to_numpy()[order]
    employed, exits = panel["employed"].to_numpy().astype(bool)[order], panel["exit"].to_numpy()[order]
    is_break = (exits != 0) | ~np.append(employed[1:], False)
    end = _row_of_next(codes, is_break)
    is_trial = employed & panel["eligible"].to_numpy().astype(bool)[order] & ~before[order]
    is_trial &= month + horizon - 1 <= (month.max() if len(month) else 0)
    start = np.flatnonzero(is_trial)
    end = end[start]
    in_time = month[end] < month[start] + horizon
    return pd.DataFrame(
        {
            "person": codes[start],
            "trial_month": month[start],
            "is_treated": panel[starts].to_numpy().astype(bool)[order][start],
            "cause": np.where(in_time, exits[end], 0),
            "is_lost": (exits[end] == 0) & (month[end] < month[start] + horizon - 1),
            "row": order[start],
        }
    )


def censoring_weights(
    panel: pd.DataFrame,
    *,
    person: str,
    period: str,
    treatment: str,
    censored: str,
    numerator: str | Sequence[str],
    denominator: str | Sequence[str],
    pool: Literal["numerator", "none"] = "numerator",
) -> CensoringWeights:
    """Weights that let those still in sight stand for those like them who were lost (IPCW).

    Logistic models of not being censored in a period: the denominator apart for who was and was not treated in
    the period before (before the first row: not), the numerator for all (`pool="numerator"`) or apart as well.
    Weight of a row = P(in sight | numerator) / P(in sight | denominator) (Robins & Finkelstein 2000,
    doi:10.1111/j.0006-341X.2000.00779.x). A trial's weight at a follow-up time is the product over its rows after
    the first: `cumulative_weight`. Assumes that who is lost leaves like others with the same covariates.
    """
    rows = panel.reset_index(drop=True).sort_values([person, period], kind="stable")
    in_sight = 1.0 - rows[censored].to_numpy(dtype=float)
    before = rows.groupby(person, sort=False)[treatment].shift(1).fillna(0).to_numpy().astype(bool)
    models, probability = {}, {}
    for name, covariates, is_split in (("num", numerator, pool == "none"), ("den", denominator, True)):
        strata = {"0": ~before, "1": before} if is_split else {"": np.ones(len(rows), dtype=bool)}
        probability[name] = np.ones(len(rows))
        for label, inside in strata.items():
            if inside.any():
                models[name + label], fitted = _in_sight(rows[inside], covariates, in_sight[inside])
                probability[name][inside] = fitted
    weight = pd.Series(probability["num"] / probability["den"], index=rows.index, name="weight").sort_index()
    return CensoringWeights(weight=weight.set_axis(panel.index), models=models)


def cumulative_weight(expanded: pd.DataFrame, panel: pd.DataFrame, *, person: str, period: str, weight: str) -> Floats:
    """Each expanded row's product of the panel's weights over its trial's periods after the first; 1 at the start.

    expanded: as `expand_trials` gives it; panel: one row a person and period with a column `weight` > 0.
    """
    logs = panel[[person, period]].assign(log=np.log(panel[weight].to_numpy(dtype=float)))
    logs = logs.sort_values([person, period], kind="stable")
    logs["total"] = logs.groupby(person, sort=False)["log"].cumsum()
    total = logs.set_index([person, period])["total"]
    now = total.reindex([expanded["person"], expanded["trial_period"] + expanded["followup_time"]]).to_numpy()
    start = total.reindex([expanded["person"], expanded["trial_period"]]).to_numpy()
    return np.exp(now - start)  # type: ignore[no-any-return]


def _in_sight(rows: pd.DataFrame, covariates: str | Sequence[str], stayed: Floats) -> tuple[pd.Series, Floats]:
    missing = rows[columns_used(covariates)].isna().to_numpy().sum()
    if missing:
        raise ValueError(f"{missing} covariates of the censoring model are missing; fill or drop those rows first")
    names, matrix = model_matrix(rows, covariates)
    fit = logistic(matrix, stayed, np.ones(len(rows)))
    return pd.Series(fit.coefficients, index=names), fit.probability


def _row_of_next(codes: Ints, is_end: NDArray[np.bool_]) -> Ints:
    """For each row the first row from it on that ends the person's follow-up: an outcome, or the person's last row."""
    is_last = np.append(codes[1:] != codes[:-1], True)
    ends = np.flatnonzero(is_end | is_last)
    found: Ints = ends[np.searchsorted(ends, np.arange(len(codes)))]
    return found


def _row_before_switch(codes: Ints, treated: NDArray[np.bool_]) -> Ints:
    """For each row the last row of the run of equal treatment that it is in."""
    is_change = np.append((codes[1:] != codes[:-1]) | (treated[1:] != treated[:-1]), True)
    ends = np.flatnonzero(is_change)
    found: Ints = ends[np.searchsorted(ends, np.arange(len(codes)))]
    return found
