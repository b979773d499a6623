"""Computes what a programme costs and what it is worth, from inputs that are single numbers or draws."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.business_case.assumptions import Assumptions

Floats = NDArray[np.float64]
Inputs = Mapping[str, Floats]
LIMITS = (0.05, 0.95)  # a 90 % interval
TIME = ("mentor_hourly_cost", "mentee_hourly_cost", "hours_per_meeting", "meetings", "training_hours")
COSTS = (*TIME, "staff_hourly_cost", "programme_staff", "training", "licence", "overhead_factor")
BENEFIT = ("replacement_cost", "salary")


@dataclass(frozen=True, kw_only=True)
class Range:
    """A single number, and the median and 90 % interval of what the inputs allow."""

    value: float
    median: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Worth:
    """Benefit less cost, the chance that it is above zero, and what moves it most.

    `tornado`: assumption, input_low, input_high (its 5 % and 95 % points), net_low, net_high, swing: the result with
    every other input at its value; widest first.
    """

    benefit: Range
    net: Range
    p_above_cost: float
    tornado: pd.DataFrame


@dataclass(frozen=True)
class Case:
    given: Assumptions
    single: Inputs
    many: Inputs
    pairs: tuple[int, int]
    salary: float
    avoided: float
    avoided_se: float
    draws: Floats


def cost_parts(inputs: Inputs, pairs: tuple[int, int]) -> dict[str, Floats]:
    mentees, mentors = pairs
    sides = inputs["mentor_hourly_cost"] + inputs["mentee_hourly_cost"]
    taught = mentors * inputs["mentor_hourly_cost"] + mentees * inputs["mentee_hourly_cost"]
    overhead = inputs["overhead_factor"]
    return {
        "meetings": overhead * mentees * inputs["meetings"] * inputs["hours_per_meeting"] * sides,
        "training_hours": overhead * inputs["training_hours"] * taught,
        "programme_staff": overhead * mentees * inputs["programme_staff"] * inputs["staff_hourly_cost"],
        "training": (mentees + mentors) * inputs["training"],
        "licence": inputs["licence"],
    }


def cost_of(inputs: Inputs, pairs: tuple[int, int]) -> Floats:
    return np.asarray(sum(cost_parts(inputs, pairs).values()))


def cost_items(inputs: Inputs, pairs: tuple[int, int]) -> pd.DataFrame:
    parts = cost_parts(inputs, pairs)
    return pd.DataFrame({"item": list(parts), "amount": [float(amount) for amount in parts.values()]})


def _per_exit(case: Case, inputs: Inputs) -> Floats:
    """What one avoided exit saves: salaries × the mentees' mean salary, which varies as the stated salary does."""
    return inputs["replacement_cost"] * case.salary * inputs["salary"] / case.given["salary"].value


def break_even_exits(case: Case, inputs: Inputs) -> Floats:
    return cost_of(inputs, case.pairs) / _per_exit(case, inputs)


def _net(case: Case, inputs: Inputs, avoided: Floats | float) -> Floats:
    return avoided * _per_exit(case, inputs) - cost_of(inputs, case.pairs)


def worth_of(case: Case) -> Worth:
    net = _net(case, case.many, case.draws)
    benefit = case.draws * _per_exit(case, case.many)
    return Worth(
        benefit=range_of(case.avoided * _per_exit(case, case.single), benefit),
        net=range_of(_net(case, case.single, case.avoided), net),
        p_above_cost=float((net > 0).mean()),
        tornado=_tornado(case),
    )


def _tornado(case: Case) -> pd.DataFrame:
    rows = [_swing(case, key) for key in (*BENEFIT, *COSTS) if case.given[key].low < case.given[key].high]
    ends = case.avoided + case.avoided_se * np.array([-1.6448536, 1.6448536])
    rows.append(("effect", *ends, *(float(_net(case, case.single, end)) for end in ends)))
    table = pd.DataFrame(rows, columns=["assumption", "input_low", "input_high", "net_low", "net_high"])
    table["swing"] = (table["net_high"] - table["net_low"]).abs()
    return table.sort_values("swing", ascending=False, ignore_index=True)


def _swing(case: Case, key: str) -> tuple[str, float, float, float, float]:
    ends = case.given[key].quantile(np.array(LIMITS))
    net = [float(_net(case, {**case.single, key: end}, case.avoided)) for end in ends]
    return key, float(ends[0]), float(ends[1]), min(net), max(net)


def by_source(case: Case, expected: float, *, is_told: bool) -> pd.DataFrame:
    rows = []
    for one in case.given["replacement_cost"].published:
        row = {"salaries": one.value, "source": one.source, "dated": one.dated}
        if np.isfinite(case.salary):
            many = {**case.many, "replacement_cost": np.full(len(case.many["licence"]), one.value)}
            single = {**case.single, "replacement_cost": np.asarray(one.value)}
            needed = float(break_even_exits(case, single))
            row |= {"break_even": needed, "is_within_reach": needed <= expected}
            if is_told:
                net = _net(case, many, case.draws)
                low, high = np.quantile(net, LIMITS)
                row |= {"net": float(np.median(net)), "net_low": float(low), "net_high": float(high)}
                row["p_above_cost"] = float((net > 0).mean())
        rows.append(row)
    return pd.DataFrame(rows)


def range_of(single: Floats, drawn: Floats) -> Range:
    low, high = np.quantile(drawn, LIMITS)
    return Range(value=float(single), median=float(np.median(drawn)), low=float(low), high=float(high))
