"""Tells every mean in steps of its standard error, before anything else is made of it."""

from collections.abc import Container

import numpy as np
import pandas as pd

from pipeline.disclosure.rounding import coarse, half_width_in_steps, step_of

WHERE = ["metric", "view", "group"]


def coarsened(measured: pd.DataFrame, own: Container[tuple[str, str]]) -> pd.DataFrame:
    """Measured, with the numbers in points as they may be told.

    `own`: the metrics and sides whose number is a mean of its own; another is the mean of its two sides as they are
    told, and says nothing beyond them. The step's error (uniform within half a step) enters the standard error and
    the interval.
    """
    is_number = ((measured["unit"] == "points") & measured["value"].notna()).to_numpy()
    is_own = np.array([each in own for each in zip(measured["metric"], measured["side"], strict=True)], dtype=bool)
    told = measured.assign(step=measured["se"].map(step_of), error=0.0)
    mine = is_number & is_own
    told.loc[mine, "value"] = [coarse(*each) for each in told.loc[mine, ["value", "step"]].to_numpy()]
    told.loc[mine, "error"] = told.loc[mine, "step"] ** 2 / 12
    sides = (
        told[mine]
        .groupby(WHERE)[["value", "error"]]
        .agg({"value": "mean", "error": lambda each: each.mean() / len(each)})
    )
    theirs = is_number & ~is_own
    told.loc[theirs, ["value", "error"]] = sides.reindex(pd.MultiIndex.from_frame(told.loc[theirs, WHERE])).to_numpy()
    numbers = told[is_number]
    se = np.sqrt(numbers["se"] ** 2 + numbers["error"])
    wide = (numbers["high"] - numbers["low"]) / 2 * se / numbers["se"]
    half = np.array([half_width_in_steps(*each) for each in zip(wide, numbers["step"], strict=True)])
    told.loc[is_number, "se"] = se
    told.loc[is_number, "low"] = numbers["value"] - half
    told.loc[is_number, "high"] = numbers["value"] + half
    return told.drop(columns=["step", "error"])
