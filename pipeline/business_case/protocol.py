"""States the trial that a retention estimate stands in for, sentence by sentence, as the report prints it."""

from dataclasses import dataclass
from typing import Literal

from pipeline.business_case.comparison import Estimand
from pipeline.business_case.weighted import ASSUMPTIONS as WEIGHTING

Side = Literal["mentee", "mentor"]

ASSUMPTIONS = (*WEIGHTING, "enrolment_dates_right", "every_exit_recorded")
ASKED = {
    "ATO": "people who could as well have joined as not (overlap weights)",
    "ATT": "the people who joined",
    "ATE": "everybody eligible",
}


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The parts of a target trial (Hernán & Robins 2016, doi:10.1093/aje/kwv254), each one or two sentences."""

    eligibility: str
    strategies: str
    assignment: str
    time_zero: str
    follow_up: str
    outcome: str
    contrast: str
    analysis: str


def retention_protocol(*, horizon: int, covariates: tuple[str, ...], estimand: Estimand, side: Side) -> Protocol:
    """The protocol of `retention` (side "mentee") and `mentors_retention` (side "mentor")."""
    named = ", ".join(name.replace("_", " ") for name in covariates) or "nothing"
    return Protocol(
        eligibility=f"Employed and eligible on the first day of the month, and not a {side} before that month.",
        strategies=f"Become a {side} this month, or do not become one this month (later is allowed).",
        assignment=(
            f"Not by lot. Within a month, people alike in {named} are taken to join or not by chance;"
            " weights make the two groups equal in these."
        ),
        time_zero=(
            "The first day of the month, for both groups. One trial starts every month, and a person takes part in"
            " each trial that they are eligible for."
        ),
        follow_up=(
            f"{horizon} months from that day. Months too late to be followed so long start no trial, because then"
            " nobody is lost from sight and no model of losses is needed."
        ),
        outcome=f"Leaving by choice within {horizon} months; who leaves otherwise first has not left by choice.",
        contrast=f"Intention to treat, as a difference of shares that left, among {ASKED[estimand]}.",
        analysis=(
            f"Weights from a logistic model of joining ({named}, month), linear models of leaving on top, and an"
            " interval that counts each person once however many trials they are in."
        ),
    )
