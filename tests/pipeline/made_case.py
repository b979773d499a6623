"""Makes a business case from a made-up company, small enough for a test and large enough for an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from data.demo.organisation import SIGNED
from data.demo.truth import WorkforceTruth
from data.demo.workforce import MENTEE_GRADES
from data.demo.workforce_tables import Workforce, make_workforce
from pipeline.business_case.assumptions import Assumptions, assumptions
from pipeline.business_case.case import Case, business_case
from pipeline.business_case.plan import Plan
from pipeline.business_case.roster import find_enrolment

TODAY = date(2026, 3, 10)
MANY_LEAVE = WorkforceTruth(exit=0.04, other_exit=0.01, enrols=0.02)
PLAN = Plan(offered_to={"grade": MENTEE_GRADES}, min_tenure_months=4)
SIGNED_SALARY: Mapping[str, Any] = {"salary": {**SIGNED, "date": date(2026, 1, 15)}}


@dataclass(frozen=True)
class Tables:
    """What `business_case` takes, with the ids themselves for pseudonyms."""

    employment: pd.DataFrame
    engagement: pd.DataFrame
    enrolment: pd.DataFrame

    def told(
        self,
        *,
        plan: Plan = PLAN,
        ends: date = date(2026, 2, 28),
        n_mentees: int = 83,
        given: Assumptions | None = None,
    ) -> Case:
        return business_case(
            employment=self.employment,
            engagement=self.engagement,
            enrolment=self.enrolment,
            grades={"G1": n_mentees},
            n_mentors=n_mentees // 2,
            ends=ends,
            plan=plan,
            given=given if given is not None else assumptions(SIGNED_SALARY),
        )


@cache
def company(*, people: int = 1500, seed: int = 4, truth: WorkforceTruth = MANY_LEAVE) -> Workforce:
    return make_workforce(today=TODAY, rng=np.random.default_rng(seed), people=people, truth=truth)


def tables(made: Workforce) -> Tables:
    employment = dated(made.employment, ["hired_on", "left_on", "valid_from"]).fillna({"leave_type": ""})
    pairings = made.pairings.rename(columns={"mentor_id": "mentor", "mentee_id": "mentee"})
    return Tables(
        employment.astype({"leave_type": "str"}), dated(made.engagement, ["measured_on"]), find_enrolment(pairings)
    )


def dated(rows: pd.DataFrame, days: list[str]) -> pd.DataFrame:
    """As the store gives it back."""
    read = {name: pd.to_datetime(rows[name]).astype("datetime64[s]") for name in days}
    return rows.rename(columns={"person_id": "employee_key"}).assign(**read).astype({"employee_key": "str"})


def without_outsiders(made: Tables) -> Tables:
    """Of the employment file only the rows of people in the programme, as an eager HR might hand it in."""
    inside = made.employment["employee_key"].isin(made.enrolment["person"])
    return replace(made, employment=made.employment[inside])


def first_pairings(made: Workforce, n: int) -> Workforce:
    """The same company with a programme of the first `n` pairings only."""
    return replace(made, pairings=made.pairings.sort_values("started_on").head(n))
