"""Keeps anybody from reading off two releases whether a colleague who left did so by choice.

Who left is no secret in an organisation; why is one. Told every month to a hundredth, the share of mentees who left
by choice would answer that for the one mentee who left in between. So the case looks at data up to the end of a
quarter, and on to a later one only once the year of at least five more mentees is over; and every number made of
exits is told in steps of its own error, which also is as finely as it is known.
"""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from math import sqrt

import numpy as np
import pandas as pd

from pipeline.business_case.effect import Effect
from pipeline.business_case.roster import month_at_or_after, month_holding
from pipeline.disclosure.rounding import NORMAL, coarse, error_step, in_steps_of_error, step_of

QUARTER = 3
FEWEST_MORE = 5
PER_CENT = 100.0


def quarter_end(known_on: date) -> date:
    """The last day of the last quarter that is over on the evening of `known_on`."""
    return _last_day(_over(known_on))


def told_until(enrolment: pd.DataFrame, *, known_on: date, horizon: int) -> date:
    """The end of the last quarter by which, of at least `FEWEST_MORE` mentees more than at the one told before, the
    `horizon` months after joining are over. Before there is such a one: `quarter_end`.

    Depends on the days of joining only, so what was told once stays what is told until enough of them are more.
    """
    started = enrolment.loc[enrolment["side"] == "mentee", "started_on"].to_numpy()
    over_in = month_at_or_after(started.astype("datetime64[D]")) + horizon - 1
    last = _over(known_on)
    told, waiting = last, 0
    for quarter, count in sorted(Counter((over_in // QUARTER).tolist()).items()):
        if quarter > last:
            break
        waiting += count
        if waiting >= FEWEST_MORE:
            told, waiting = quarter, 0
    return _last_day(told)


def _over(known_on: date) -> int:
    """The last whole quarter, counted from 1970."""
    tomorrow = np.array([known_on + timedelta(days=1)], "datetime64[D]")
    return int(month_holding(tomorrow)[0]) // QUARTER - 1


def _last_day(quarter: int) -> date:
    day: date = (np.datetime64((quarter + 1) * QUARTER, "M").astype("datetime64[D]") - 1).astype(object)
    return day


def in_its_steps(effect: Effect) -> Effect:
    """The effect as it is told: in steps of its error, its interval wider by what that adds, and both risks too."""
    if not effect.is_answered:
        return effect
    scale = PER_CENT if effect.unit == "share" else 1.0
    ends = in_steps_of_error(*(each * scale for each in (effect.estimate, effect.low, effect.high)))
    estimate, low, high = (round(each / scale, 6) for each in ends)
    details = dict(effect.details)
    if "risk_treated" in details:
        details |= {f"risk_{arm}": _risk(effect, arm) for arm in ("treated", "control")}
        details["risk_ratio"] = details["risk_treated"] / details["risk_control"]
    se = (high - low) / 2 / NORMAL
    return replace(effect, estimate=estimate, low=low, high=high, se=se, details=details)


def _risk(effect: Effect, arm: str) -> float:
    n = min(effect.details[f"n_{arm}"], effect.details[f"effective_{arm}"])
    risk = effect.details[f"risk_{arm}"]
    return share_in_steps(risk, sqrt(max(risk * (1 - risk), 0) / n))


def share_in_steps(share: float, se: float) -> float:
    """A share in steps of its standard error."""
    return round(coarse(PER_CENT * share, step_of(PER_CENT * se)) / PER_CENT, 6)


def beside(share: float, effect: Effect) -> float:
    """A share in the steps in which an effect is told that it stands beside."""
    return round(coarse(PER_CENT * share, error_step(PER_CENT * effect.low, PER_CENT * effect.high)) / PER_CENT, 6)
