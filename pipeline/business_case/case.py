"""Puts the business case together: does the programme keep and engage people, and is it worth its cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from math import isfinite, nan, sqrt

import numpy as np
import pandas as pd

from pipeline.business_case.assumptions import Assumptions
from pipeline.business_case.caution import beside, in_its_steps, quarter_end, share_in_steps, told_until
from pipeline.business_case.design import Power, Takes, power, what_it_would_take
from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.falsification import leave_one_out
from pipeline.business_case.group_time import GroupTime, group_time_att
from pipeline.business_case.panel import Panel, monthly_panel
from pipeline.business_case.plan import Plan
from pipeline.business_case.retention import FEWEST_EXITS, mentors_retention, retention
from pipeline.business_case.roster import VOLUNTARY
from pipeline.business_case.sensitivity import e_values, robustness_value
from pipeline.business_case.value import Value, value
from pipeline.business_case.waves import ONE_WAVE, engagement_waves
from pipeline.claim import ASSOCIATED
from pipeline.disclosure.rounding import in_steps

OTHER_EXITS = 2
LONGEST = 60  # months of history at most
WITHOUT_A_FIRST_EXIT = 36
FEWEST_MENTEES = 20  # who joined, before anything is told of what became of them
SEED = 20261


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """How easily something else could explain the effect: e-values of the ratio and its nearer limit, the share of
    the rest that a hidden cause must explain, and the effect with one department left out, lowest and highest."""

    e_value: float
    e_value_limit: float
    robustness: float
    lowest: float
    highest: float
    changes_without_one: bool


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that a release tells of the business case. `reason`: why there is no retention estimate, or "".

    `exit_rate`: voluntary exits expected within twelve months without mentoring. `detectable`, `takes`: what this
    programme could show at its size, and what telling a fifth fewer exits would take. `notes`: what did not fit.
    """

    begins: date
    ends: date
    n_mentees: int
    retention: Effect
    mentors: Effect
    other_exits: Effect
    engagement: Effect
    waves: GroupTime | None
    exit_rate: float
    value: Value | None
    sensitivity: Sensitivity | None
    detectable: Power | None
    takes: Takes | None
    reason: str = ""
    notes: Mapping[str, int] = field(default_factory=dict)


def business_case(
    *,
    employment: pd.DataFrame,
    engagement: pd.DataFrame,
    enrolment: pd.DataFrame,
    grades: Mapping[str, int],
    n_mentors: int,
    ends: date,
    plan: Plan,
    given: Assumptions,
) -> Case:
    """The case of one programme. Tables as `pipeline.staff.Staff` holds them; `ends` the last day they know.

    What is told is told in steps, and of whole quarters (`caution`).
    """
    begins = plan.data_from or _first_exit(employment[_offered(employment, plan)], ends)
    in_file = enrolment[enrolment["person"].isin(employment["employee_key"])]
    engagement = engagement[engagement["measured_on"] <= pd.Timestamp(quarter_end(ends))]
    ends = told_until(in_file, known_on=ends, horizon=plan.horizon)
    panel = monthly_panel(
        employment=employment,
        enrolment=enrolment,
        begins=begins,
        ends=ends,
        min_tenure_months=plan.min_tenure_months,
        offered_to=plan.offered_to,
    )
    effects = checked({name: in_its_steps(each) for name, each in effects_of(panel, plan).items()})
    waves, engaged = engagement_of(employment, engagement, enrolment, panel, plan)
    engaged = in_its_steps(engaged)
    rate = _exit_rate(panel, effects["retention"], plan.horizon)
    told = {**effects, "engagement": engaged, "waves": waves, "exit_rate": rate}
    n_mentees = in_steps(sum(grades.values()))
    worth = None
    if n_mentees >= FEWEST_MENTEES and isfinite(rate):
        worth = value(
            effects["retention"],
            mentees=_by_grade(grades, given, n_mentees),
            exit_rate=rate,
            given=given,
            mentors=max(in_steps(n_mentors), 1),
            engagement=engaged,
            rng=np.random.default_rng(SEED),
        )
    shows, takes = _reach(panel, rate, n_mentees)
    return Case(
        begins=panel.first_month,
        ends=ends,
        n_mentees=n_mentees,
        value=worth,
        sensitivity=_sensitivity(panel, effects["retention"], plan),
        detectable=shows,
        takes=takes,
        reason=panel.reason,
        notes=panel.notes,
        **told,  # type: ignore[arg-type]
    )


def _first_exit(employment: pd.DataFrame, ends: date) -> date:
    """The month of the first exit in the file: before it the file knows those who stayed only."""
    left = employment["left_on"].dropna()
    earliest = pd.Timestamp(ends) - pd.DateOffset(months=LONGEST if len(left) else WITHOUT_A_FIRST_EXIT)
    first = max(left.min(), earliest) if len(left) else earliest
    found: date = first.to_period("M").start_time.date()
    return found


def effects_of(panel: Panel, plan: Plan) -> dict[str, Effect]:
    """What is found of exits: `retention`, `mentors` and `other_exits`, the negative control."""
    if panel.reason:
        none = cannot_tell(panel.reason, method="sequential monthly trials", claim=ASSOCIATED)
        return {"retention": none, "mentors": none, "other_exits": none}
    of = {"horizon": plan.horizon, "covariates": plan.covariates}
    other = _large_enough(retention(panel.rows, cause=OTHER_EXITS, **of))  # type: ignore[arg-type]
    other = replace(other, claim=ASSOCIATED)
    found = _large_enough(retention(panel.rows, **of))  # type: ignore[arg-type]
    mentors = _large_enough(mentors_retention(panel.rows, **of))  # type: ignore[arg-type]
    return {"retention": found, "mentors": mentors, "other_exits": other}


def checked(effects: Mapping[str, Effect]) -> dict[str, Effect]:
    """The same, causal only where what mentoring cannot have moved was looked at and did not move.

    Where it moves, the two groups differ in something unseen; where it has no answer, nobody knows whether they do.
    """
    control = effects["other_exits"]
    is_quiet = control.is_answered and not control.excludes_zero
    return {name: each if is_quiet else replace(each, claim=ASSOCIATED) for name, each in effects.items()}


def _large_enough(effect: Effect) -> Effect:
    if effect.is_answered and effect.details["n_treated"] < FEWEST_MENTEES:
        return cannot_tell(_too_few("followed up"), method=effect.method, claim=ASSOCIATED)
    return effect


def engagement_of(
    employment: pd.DataFrame, engagement: pd.DataFrame, enrolment: pd.DataFrame, panel: Panel, plan: Plan
) -> tuple[GroupTime | None, Effect]:
    """What is found of engagement, with its waves where there is an answer."""
    if engagement.empty or panel.reason:
        return None, _no_engagement(ONE_WAVE if engagement.empty else panel.reason)
    waves = engagement_waves(engagement=engagement, enrolment=enrolment, employment=employment)
    if waves.reason:
        return None, _no_engagement(waves.reason)
    asked = waves.rows[_offered(waves.rows, plan)]
    starters = asked.loc[asked["first_treated"].between(2, len(waves.opened_on)), "person"].nunique()
    if starters < FEWEST_MENTEES:
        return None, _no_engagement(_too_few("asked before and after"))
    found = group_time_att(
        asked,
        outcome="score",
        unit="person",
        period="wave",
        first_treated="first_treated",
        covariates=list(plan.covariates),
        controls="not-yet",
        measured_in="points",
        rng=np.random.default_rng(SEED),
    )
    return found, found.simple


def _no_engagement(reason: str) -> Effect:
    return cannot_tell(reason, method="group-time differences in differences", claim=ASSOCIATED)


def _too_few(what: str) -> str:
    return f"Fewer than {FEWEST_MENTEES} people joined and were {what}."


def _offered(rows: pd.DataFrame, plan: Plan) -> pd.Series:
    is_offered = pd.Series(True, index=rows.index)
    for name, values in plan.offered_to.items():
        is_offered &= rows[name].isin(values)
    return is_offered


def _exit_rate(panel: Panel, effect: Effect, horizon: int) -> float:
    """Of those compared with; without an answer, of all eligible person-months, over a year. In steps of its error."""
    if effect.is_answered:
        return effect.details["risk_control"]
    eligible = panel.rows[panel.rows["eligible"]] if not panel.reason else panel.rows[:0]
    n_exits = int((eligible["exit"] == VOLUNTARY).sum())
    if n_exits < FEWEST_EXITS:
        return nan
    rate = 1 - (1 - n_exits / len(eligible)) ** horizon
    return share_in_steps(rate, rate / sqrt(n_exits))


def _by_grade(grades: Mapping[str, int], given: Assumptions, n: int) -> int | Mapping[str, float]:
    """The mentees, of whom there are `n` in steps, by grade where the salaries are."""
    if not given["salary"].by_grade or not set(grades) <= set(given["salary"].by_grade):
        return n
    return {grade: count * n / sum(grades.values()) for grade, count in grades.items()}


def _sensitivity(panel: Panel, effect: Effect, plan: Plan) -> Sensitivity | None:
    """Only of an effect that is there: how it could go away."""
    if not effect.excludes_zero:
        return None
    control = effect.details["risk_control"]
    ratio, low, high = ((control + each) / control for each in (effect.estimate, effect.low, effect.high))
    found = e_values(rr=ratio, low=max(low, 1e-6), high=high) if ratio > 0 else None
    others = tuple(name for name in plan.covariates if name != "department")
    without = leave_one_out(
        panel.rows.assign(department=panel.rows["department"].astype("str")),
        estimator=lambda rows: retention(
            rows.assign(department=rows["department"].astype("category")),
            horizon=plan.horizon,
            covariates=plan.covariates if rows["department"].nunique() > 1 else others,
        ),
        group="department",
    )
    told = without.iloc[1:].dropna(subset=["estimate"])
    return Sensitivity(
        e_value=found.estimate if found else nan,
        e_value_limit=found.limit if found else nan,
        robustness=robustness_value(effect.estimate / effect.se, max(effect.n_effective - 1, 1)),
        lowest=beside(float(told["estimate"].min()), effect) if len(told) else nan,
        highest=beside(float(told["estimate"].max()), effect) if len(told) else nan,
        changes_without_one=bool(told["changes_answer"].any()),
    )


def _reach(panel: Panel, rate: float, n_mentees: int) -> tuple[Power | None, Takes | None]:
    """What a programme of this size can show after one cohort, and what telling a fifth fewer exits would take."""
    if panel.reason or not isfinite(rate) or not 0 < rate < 1 or n_mentees < FEWEST_MENTEES:
        return None, None
    first = panel.rows[panel.rows["month"] == panel.n_months - 1]
    comparisons = max(int((first["eligible"] & ~first["enrolled"]).sum()), 1)
    shows = power(mentees=n_mentees, comparisons=comparisons, base_rate=rate)
    takes = what_it_would_take(base_rate=rate, rate=0.8 * rate, mentees=n_mentees, comparisons=comparisons)
    return shows, takes
