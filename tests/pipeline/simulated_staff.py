"""A made-up workforce with selection into mentoring, immortal months and a true effect, month by month.

Who enrols differs from who does not in grade, department, location and tenure, all of which also move leaving; so
the naive comparison misses and the right one need not.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

MONTHS = 30
HORIZON = 12
DEPARTMENTS, LOCATIONS, GRADES = ("care", "field", "lab", "office", "shop"), ("north", "south"), ("a", "b", "c", "d")


@dataclass(frozen=True)
class Staff:
    """`panel` as `pipeline.business_case.panel` lays it out; `truth`: the 12-month risk difference among people who
    could have joined as well as not, known from the hazards; `truth_of_joiners`: among those who joined."""

    panel: pd.DataFrame
    truth: float
    truth_of_joiners: float


def simulate_staff(
    *, seed: int, people: int = 20_000, ratio: float = 0.75, enrol: float = 0.012, hidden: float = 0.0
) -> Staff:
    """`ratio`: monthly chance of leaving by choice once enrolled, against not enrolled; `enrol`: monthly chance of
    enrolling at the average; `hidden`: how much an attribute outside the panel moves both."""
    rng = np.random.default_rng(seed)
    department, location, grade = (rng.integers(len(names), size=people) for names in (DEPARTMENTS, LOCATIONS, GRADES))
    unseen = rng.normal(size=people)
    hired = np.where(rng.random(people) < 0.25, rng.integers(0, MONTHS, people), -rng.exponential(48, people) // 1)
    month = np.arange(MONTHS)
    tenure = np.maximum(month - hired[:, None], 0)
    person_part = 0.5 * grade - 0.3 * (department == 0) + 0.25 * location
    wave = np.where(month % 3 == 1, 0.9, -0.6)
    base = np.log(enrol / (1 - enrol)) - 0.9
    joining = expit(base + (person_part + hidden * unseen)[:, None] + wave - 0.3 * np.log1p(tenure / 24))
    joining = np.where(tenure >= 3, joining, 0.0)
    calm = -0.35 * grade + 0.3 * (department == 0) - 0.15 * location - hidden * unseen
    leaving = 0.024 * np.exp(np.clip(calm, -3, 1.5))[:, None] * (0.6 + 0.8 * np.exp(-tenure / 18))
    dismissed = 0.003
    in_service, enrolled, exits = _live(rng, hired, joining, leaving, dismissed, ratio)
    difference = _risk_difference(joining, leaving, dismissed, ratio)
    panel = _panel(hired, tenure, in_service, enrolled, exits, (department, location, grade))
    at_risk = (panel["eligible"].to_numpy().reshape(people, MONTHS))[:, : MONTHS - HORIZON + 1]
    chance = joining[:, : MONTHS - HORIZON + 1]
    overlap, joins = at_risk * chance * (1 - chance), at_risk * chance
    return Staff(
        panel, float((overlap * difference).sum() / overlap.sum()), float((joins * difference).sum() / joins.sum())
    )


def _live(rng, hired, joining, leaving, dismissed, ratio):
    """In service and enrolled on the first day of each month, and what happens until it ends; people × months."""
    people = len(hired)
    in_service, enrolled = np.zeros((people, MONTHS), bool), np.zeros((people, MONTHS), bool)
    exits = np.zeros((people, MONTHS), np.int8)
    is_in, is_gone = np.zeros(people, bool), np.zeros(people, bool)
    for month in range(MONTHS):
        here = (hired <= month) & ~is_gone
        is_in |= here & (rng.random(people) < joining[:, month])
        chance = leaving[:, month] * np.where(is_in, ratio, 1.0)
        drawn = rng.random(people)
        what = np.where(drawn < chance, 1, np.where(drawn < chance + dismissed, 2, 0))
        in_service[:, month], enrolled[:, month] = here, is_in
        exits[:, month] = np.where(here, what, 0)
        is_gone |= here & (what > 0)
    return in_service, enrolled, exits


def _risk_difference(joining, leaving, dismissed, ratio):
    """12-month risk of joining now minus not joining now (and perhaps later), for each person and month."""
    last = joining.shape[1] - 1
    after, before = np.zeros(joining.shape), np.zeros(joining.shape)
    following = np.minimum(np.arange(last + 1) + 1, last)  # months past the panel are cut off by the caller
    for _ in range(HORIZON):
        next_after, next_before = after[:, following], before[:, following]
        chance = joining[:, following]
        later = chance * next_after + (1 - chance) * next_before
        after = ratio * leaving + (1 - ratio * leaving - dismissed) * next_after
        before = leaving + (1 - leaving - dismissed) * later
    return (after - before)[:, : last + 2 - HORIZON]


def _panel(hired, tenure, in_service, enrolled, exits, attributes):
    people = len(hired)
    enrols = enrolled & ~np.column_stack([np.zeros(people, bool), enrolled[:, :-1]])
    named = {
        name: pd.Categorical.from_codes(np.repeat(codes, MONTHS), categories=list(levels))
        for name, codes, levels in zip(
            ("department", "location", "grade"), attributes, (DEPARTMENTS, LOCATIONS, GRADES), strict=True
        )
    }
    return pd.DataFrame(
        {
            "person": np.repeat(np.array([f"p{i:05d}" for i in range(people)], dtype=object), MONTHS),
            "month": np.tile(np.arange(MONTHS), people),
            "employed": in_service.ravel(),
            "eligible": (in_service & (~enrolled | enrols) & (tenure >= 3)).ravel(),
            "enrolled": enrolled.ravel(),
            "enrols": enrols.ravel(),
            "exit": exits.ravel(),
            "tenure_months": tenure.ravel().astype(int),
        }
        | named
    ).astype({"person": "str"})
