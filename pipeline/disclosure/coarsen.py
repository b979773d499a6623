"""Tells every mean in steps of its standard error, before anything else is made of it."""

import numpy as np
import pandas as pd

from pipeline.disclosure.rounding import coarse, half_width_in_steps, step_of


def coarsened(measured: pd.DataFrame, *, is_own: pd.Series) -> pd.DataFrame:
    """Measured, with the numbers in points as they may be told.

    `is_own`: whether a number is a mean of its own; another is the mean of its two sides as they are told, and says
    nothing of its own. The step's error (uniform within half a step) enters the standard error and the interval.
    """
    told = measured.copy()
    steps = measured["se"].map(step_of)
    own = (measured["unit"] == "points") & measured["value"].notna() & is_own
    told.loc[own, "value"] = [coarse(*each) for each in zip(measured["value"][own], steps[own], strict=True)]
    error = steps**2 / 12
    derived = (measured["unit"] == "points") & measured["value"].notna() & ~is_own
    for place in measured.index[derived]:
        sides = _sides(told, measured.loc[place])
        told.loc[place, "value"] = told["value"][sides].mean()
        error[place] = error[sides].sum() / len(sides) ** 2
    points = own | derived
    widened = np.sqrt(measured["se"] ** 2 + error)
    half = (measured["high"] - measured["low"]) / 2 * widened / measured["se"]
    half = half.where(
        ~points, [half_width_in_steps(*each) if each[0] > 0 else np.nan for each in zip(half, steps, strict=True)]
    )
    told.loc[points, "se"] = widened[points]
    told.loc[points, "low"] = told["value"][points] - half[points]
    told.loc[points, "high"] = told["value"][points] + half[points]
    return told


def _sides(measured: pd.DataFrame, row: pd.Series) -> pd.Index:
    """The two sides of a number that is made of both."""
    same = np.logical_and.reduce([measured[name] == row[name] for name in ("metric", "view", "group")])
    return measured.index[same & (measured["side"] != "both")]
