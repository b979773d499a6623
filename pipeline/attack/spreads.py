"""Bounds every answer by how widely an interval says that answers spread."""

import numpy as np
import pandas as pd

from pipeline.attack.puzzle import BOTTOM, TOP
from pipeline.attack.reader import SIDES, Round, Told
from pipeline.disclosure.rounding import step_of

LEAST = 20  # people, from whom on an interval shows a spread that was seen
NORMAL = 1.96
DIGIT = 0.05  # half of the last digit that is shown
ROW = ["metric", "view", "group", "side"]


def with_spreads(told: Told, seen: Round) -> Told:
    """What is told, with nobody further from a mean than the spread behind its interval allows.

    |x − mean| ≤ s·(n − 1)/√n for the standard deviation s of n answers (Samuelson 1968). Half an interval is at least
    1.96·s/√n wide where nobody shares a mentor, so that s is at most what half the interval, and the step in which it
    is told, allow.
    """
    rows = told.numbers.reset_index(names="at").merge(seen.published, on=ROW, suffixes=("", "_told"))
    rows = rows[(rows["view"] == "all") & rows["side"].isin(SIDES) & rows["metric"].isin(list(seen.metrics))]
    hidden = told.hidden.assign(**{"bottom": BOTTOM, "top": TOP, **told.hidden.filter(["bottom", "top"])})
    for row in rows.to_dict("records"):
        keys = told.terms.loc[told.terms["number"] == row["at"], "key"]
        if len(keys) >= LEAST and _is_unshared(keys, seen):
            reach = _most_error(row["low_told"], row["high_told"]) * (len(keys) - 1)
            inside = hidden["key"].isin(keys)
            hidden.loc[inside, "bottom"] = np.maximum(hidden.loc[inside, "bottom"], row["low"] - reach)
            hidden.loc[inside, "top"] = np.minimum(hidden.loc[inside, "top"], row["high"] + reach)
    return Told(hidden=hidden, terms=told.terms, numbers=told.numbers)


def _is_unshared(keys: pd.Series, seen: Round) -> bool:
    """Whether every one of these people is of a mentor of their own."""
    pairings = keys.str.split("|").str[2]
    mentors = seen.facts.invited.drop_duplicates("pairing_id").set_index("pairing_id")["mentor_id"].reindex(pairings)
    return not mentors.duplicated().any()


def _most_error(low: float, high: float) -> float:
    """The greatest standard error that an interval in steps can stand for."""
    half = (high - low) / 2
    return (half + step_of(step_of(half / NORMAL) / 2) / 2 + DIGIT) / NORMAL
