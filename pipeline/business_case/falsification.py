"""Looks for an effect where there can be none, and for one part of the organisation that makes all of it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd

from data.errors import RapportError
from pipeline.business_case.effect import Effect
from pipeline.claim import ASSOCIATED

Date = TypeVar("Date")
Estimator = Callable[[pd.DataFrame], Effect]
EVERYONE = "nobody left out"


def negative_control(people: pd.DataFrame, *, estimator: Estimator, outcome: str, impossible: str) -> Effect:
    """The estimator's effect on an outcome that mentoring cannot have changed, such as an exit before enrolment.

    `impossible` is put in the place of `outcome`. An interval without zero says that the comparison finds what is
    not there; the claim is an association, whatever the estimator claims. Lipsitch, Tchetgen Tchetgen & Cohen
    (2010, doi:10.1097/EDE.0b013e3181d61eeb).
    """
    _require(people, outcome)
    _require(people, impossible)
    found = estimator(people.assign(**{outcome: people[impossible]}))
    return replace(found, claim=ASSOCIATED, method=f"{found.method}; negative control {impossible}")


def placebo_dates(
    people: pd.DataFrame, *, estimator: Callable[[pd.DataFrame, Date], Effect], dates: Iterable[Date]
) -> pd.DataFrame:
    """The effect as if everyone had started at a date before the programme: date, estimate, low, high, se, n,
    excludes_zero, reason. `estimator(people, date)` uses what is known before the real start only; of twenty such
    dates one excludes zero by chance."""
    return pd.DataFrame([{"date": date, **_told(estimator(people, date))} for date in dates])


def leave_one_out(people: pd.DataFrame, *, estimator: Estimator, group: str) -> pd.DataFrame:
    """The effect without each group in turn: left_out, estimate, low, high, se, n, excludes_zero, reason, and
    changes_answer where it is another than with everyone (excluding zero or not, or its side). The first row is
    everyone; people without a group are in all rows."""
    _require(people, group)
    whole = estimator(people)
    rows = [{"left_out": EVERYONE, **_told(whole), "changes_answer": False}]
    for one in sorted(people[group].dropna().unique(), key=str):
        found = estimator(people[people[group].ne(one) | people[group].isna()])
        rows.append({"left_out": one, **_told(found), "changes_answer": _answer(found) != _answer(whole)})
    return pd.DataFrame(rows)


def _told(effect: Effect) -> dict[str, object]:
    names = ("estimate", "low", "high", "se", "n", "excludes_zero", "reason")
    return {name: getattr(effect, name) for name in names}


def _answer(effect: Effect) -> float:
    """The side of zero on which the whole interval lies; 0 for both."""
    return float(np.sign(effect.estimate)) if effect.excludes_zero else 0.0


def _require(people: pd.DataFrame, column: str) -> None:
    if column not in people.columns:
        raise RapportError(f"The table of people has no column {column}.")
