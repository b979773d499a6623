"""What a release tells of the business case: rows in their contract, reasons as keys, and no small count."""

import json
import re
from dataclasses import replace
from datetime import date
from math import isfinite, nan
from typing import Any

import pandas as pd
import pytest

from data.contracts import Published, conform
from data.demo.workforce import MENTEE_GRADES
from pipeline.business_case.assumptions import assumptions
from pipeline.business_case.case import FEWEST_MENTEES, Case, checked
from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.plan import Plan
from pipeline.business_case.telling import CANNOT_TELL, REASONS, TOO_FEW, about, rows
from pipeline.claim import ASSOCIATED, CAUSAL, DESCRIBES
from tests.pipeline.made_case import (
    PLAN,
    SIGNED_SALARY,
    Tables,
    company,
    first_pairings,
    tables,
    without_outsiders,
)

GIVEN = assumptions(SIGNED_SALARY)
CLEAR = Effect(
    estimate=-0.09, low=-0.13, high=-0.05, se=0.02, n=900, method="m", claim=CAUSAL, unit="share",
    details={"n_treated": 212.0, "risk_treated": 0.15, "risk_control": 0.24, "risk_ratio": 0.625},
)  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Tables:
    return tables(company())


@pytest.fixture(scope="module")
def case(made: Tables) -> Case:
    return made.told()


def named(case: Case) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["metric"], row["side"]): row for row in rows(case) if row["view"] == "all"}


def shown(case: Case) -> set[str]:
    return {row["metric"] for row in rows(case) if row["shown"]}


def test_its_rows_are_rows_of_the_contract_and_each_is_there_once(case: Case) -> None:
    frame = pd.DataFrame([{"programme": "P", "release": "R", "round": "1", **row} for row in rows(case)])
    told = conform(Published, frame)
    assert not told.duplicated(["view", "group", "side", "metric"]).any()
    assert {"case_retention", "case_cost", "case_break_even", "case_exit_rate"} <= set(told["metric"])
    assert told["metric"].str.startswith("case_").all()
    assert not told["group"].str.match(r"[=+\-@]").any()  # a spreadsheet would take such a cell for a formula


def test_what_is_shown_is_a_number_and_what_is_not_says_one_sentence(case: Case) -> None:
    for row in rows(case):
        numbers = [row[name] for name in ("value", "low", "high")]
        if row["shown"]:
            assert all(isfinite(number) for number in numbers)
            assert row["low"] <= row["value"] <= row["high"] or row["metric"] in ("case_without_one", "case_tornado")
            assert row["reason"] == ""
        else:
            assert [*numbers, row["n"]] == [None] * 4
            assert row["reason"] == CANNOT_TELL


def test_people_are_counted_in_steps_of_five_only(case: Case) -> None:
    counts = [row["n"] for row in rows(case) if row["shown"]]
    counts += list(about(case, GIVEN)["notes"].values())
    assert [count % 5 for count in counts] == [0] * len(counts)
    assert case.retention.details["n_treated"] % 5 != 0  # or this would prove nothing
    assert any(n % 5 for n in case.notes.values())
    assert named(case)["case_cost", "both"]["n"] == 80  # of 83


def test_an_effect_reads_the_same_as_its_verdict(case: Case) -> None:
    row = named(case)["case_retention", "mentee"]
    assert (row["value"], row["low"], row["high"]) == (case.retention.estimate, case.retention.low, case.retention.high)
    assert (row["low"] <= 0 <= row["high"]) == (about(case, GIVEN)["verdict"] == "open")
    risks = [named(case)[f"case_risk_{who}", "mentee"] for who in ("joined", "compared")]
    assert [row["claim"] for row in risks] == [DESCRIBES] * 2
    assert [row["value"] for row in risks] == [case.retention.details[f"risk_{arm}"] for arm in ("treated", "control")]


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (CLEAR, "lower"),
        (replace(CLEAR, estimate=0.09, low=0.05, high=0.13), "higher"),
        (replace(CLEAR, high=0.01), "open"),
        (cannot_tell("Only 3 of those who joined left.", method="m", claim=ASSOCIATED), "cannot_tell"),
    ],
)
def test_the_verdict_is_one_of_four(case: Case, effect: Effect, verdict: str) -> None:
    assert about(replace(case, retention=effect), GIVEN)["verdict"] == verdict


def test_the_estimators_own_sentences_count_people_and_are_told_as_keys(case: Case) -> None:
    sentence = "Only 3 of those who joined left within 12 months; at least 5 are needed."
    none = cannot_tell(sentence, method="m", claim=ASSOCIATED, n=107, exits_treated=3.0)
    told = replace(case, retention=none, mentors=none, other_exits=none, engagement=none, waves=None, sensitivity=None)
    written = json.dumps([rows(told), about(told, GIVEN)])
    assert about(told, GIVEN)["reasons"] == {"retention": TOO_FEW, "engagement": TOO_FEW}
    assert "Only 3" not in written
    assert "107" not in written
    assert {"case_retention", "case_risk_joined", "case_engagement"} & shown(told) == set()


@pytest.mark.parametrize(("sentence", "key"), sorted(REASONS.items()))
def test_each_reason_without_a_count_has_its_key(case: Case, sentence: str, key: str) -> None:
    none = cannot_tell(sentence, method="m", claim=ASSOCIATED)
    assert not re.search(r"\d", sentence)
    assert about(replace(case, retention=none, reason=sentence), GIVEN)["reasons"]["retention"] == key


def test_where_the_file_holds_participants_only_there_is_no_effect_and_the_reason_is_told(made: Tables) -> None:
    found = without_outsiders(made).told()
    assert about(found, GIVEN)["reasons"]["retention"] == "no_one_outside"
    assert shown(found) == set()
    assert {row["metric"] for row in rows(found)} == {"case_retention", "case_other_exits", "case_engagement"}


def test_without_a_survey_of_engagement_only_that_is_missing(made: Tables, case: Case) -> None:
    found = replace(made, engagement=made.engagement.head(0)).told()
    assert about(found, GIVEN)["reasons"]["engagement"] == "one_wave"
    assert shown(case) - shown(found) == {"case_engagement", "case_engagement_wave"}


@pytest.mark.parametrize("n", [8, FEWEST_MENTEES - 1])
def test_a_small_programme_tells_nothing_that_became_of_its_people(n: int) -> None:
    found = tables(first_pairings(company(), n)).told(n_mentees=n)
    assert shown(found) == set()
    assert about(found, GIVEN)["decision"] == TOO_FEW
    assert about(found, GIVEN)["reasons"] == {"retention": TOO_FEW, "engagement": TOO_FEW}


def test_twenty_or_more_in_the_programme_with_few_followed_up_get_its_cost_and_no_effect() -> None:
    found = tables(first_pairings(company(), 12)).told(n_mentees=25)
    assert {"case_cost", "case_break_even", "case_exit_rate"} <= shown(found)
    assert {"case_retention", "case_risk_joined", "case_engagement", "case_avoided", "case_net"} & shown(found) == set()


@pytest.mark.parametrize(("n", "is_told"), [(4, False), (5, True)])
def test_a_rate_of_fewer_than_five_exits_is_none(made: Tables, n: int, is_told: bool) -> None:
    """Whoever knows that one of the eligible left would read why off such a rate."""
    spells = made.employment
    chosen = (spells["leave_type"] == "voluntary") & spells["grade"].isin(MENTEE_GRADES)
    in_time = spells["left_on"].between(pd.Timestamp("2024-01-01"), pd.Timestamp("2025-03-31"))
    old = spells["hired_on"] < pd.Timestamp("2022-01-01")
    mentees = spells["employee_key"].isin(made.enrolment["person"])
    some = spells[chosen & in_time & old & ~mentees].drop_duplicates("employee_key").head(n)
    found = replace(made, employment=pd.concat([spells[spells["left_on"].isna()], some])).told()
    assert isfinite(found.exit_rate) == is_told
    assert ({"case_exit_rate", "case_expected_exits", "case_cost"} <= shown(found)) == is_told


@pytest.mark.parametrize(("every", "is_told"), [(24, False), (8, True)])
def test_engagement_of_fewer_than_twenty_who_joined_is_none(every: int, is_told: bool) -> None:
    some = replace(company(), pairings=company().pairings.iloc[::every])
    assert (len(some.pairings) >= FEWEST_MENTEES) == is_told
    found = tables(some).told()
    assert ("case_engagement" in shown(found)) == is_told
    assert found.engagement.reason.startswith("" if is_told else f"Fewer than {FEWEST_MENTEES} people joined")
    assert about(found, GIVEN)["reasons"]["engagement"] == ("" if is_told else TOO_FEW)


def test_the_engagement_of_people_who_were_never_offered_the_programme_is_not_compared_with(
    made: Tables, case: Case
) -> None:
    seniors = made.employment.loc[~made.employment["grade"].isin(MENTEE_GRADES), "employee_key"]
    sad = made.engagement["employee_key"].isin(seniors) & (made.engagement["measured_on"] > pd.Timestamp("2024-01-01"))
    found = replace(made, engagement=made.engagement.assign(score=made.engagement["score"].mask(sad, 1.0))).told()
    assert sad.any()
    assert made.told(plan=replace(PLAN, offered_to={})).engagement.n > case.engagement.n
    assert named(found)["case_engagement", "mentee"] == named(case)["case_engagement", "mentee"]


def test_a_negative_control_that_moves_takes_the_causal_claim_away(case: Case) -> None:
    quiet = {"retention": CLEAR, "mentors": CLEAR, "other_exits": replace(CLEAR, high=0.01, claim=ASSOCIATED)}
    assert checked(quiet) == quiet
    moving = checked({**quiet, "other_exits": replace(CLEAR, claim=ASSOCIATED)})
    assert {each.claim for each in moving.values()} == {ASSOCIATED}
    told = replace(case, **{**moving, "sensitivity": None})
    assert about(told, GIVEN)["checks"]["other_exits"] == "moves"
    claims = {row["claim"] for row in rows(told) if row["metric"] in ("case_retention", "case_avoided")}
    assert claims == {ASSOCIATED}


def test_a_negative_control_without_an_answer_bears_no_causal_claim() -> None:
    none = cannot_tell("Only 2 of those who joined left otherwise.", method="m", claim=ASSOCIATED)
    found = checked({"retention": CLEAR, "mentors": CLEAR, "other_exits": none})
    assert CLEAR.claim == CAUSAL
    assert {each.claim for each in found.values()} == {ASSOCIATED}


def test_engagement_asked_only_of_grades_that_were_not_offered_the_programme_is_none(made: Tables) -> None:
    offered, other = MENTEE_GRADES[0], MENTEE_GRADES[1]
    asked = made.engagement["employee_key"].isin(made.employment.loc[made.employment["grade"] == other, "employee_key"])
    both = made.employment.groupby("employee_key")["grade"].agg(set)
    asked &= ~made.engagement["employee_key"].isin(both.index[both.map(lambda grades: offered in grades)])
    only = replace(made, engagement=made.engagement[asked])
    plan = replace(PLAN, offered_to={"grade": (offered,)})
    assert only.engagement["employee_key"].isin(made.enrolment["person"]).any()
    found = only.told(plan=plan)
    assert found.reason == ""
    assert (found.engagement.reason, found.waves) == (
        f"Fewer than {FEWEST_MENTEES} people joined and were asked before and after.",
        None,
    )


def selected(made: Tables) -> Tables:
    """The same company, in which mentees are hardly dismissed, as if those at risk of it had not been let in."""
    mentees = made.enrolment.loc[made.enrolment["side"] == "mentee", "person"]
    dismissed = (made.employment["leave_type"] == "involuntary") & made.employment["employee_key"].isin(mentees)
    dismissed &= made.employment["employee_key"].str[-1] > "3"
    stays = {"left_on": made.employment["left_on"].mask(dismissed), "leave_type": made.employment["leave_type"]}
    stays["leave_type"] = stays["leave_type"].mask(dismissed, "")
    return replace(made, employment=made.employment.assign(**stays))


def test_who_was_let_in_for_being_safe_is_seen_by_the_negative_control(made: Tables, case: Case) -> None:
    found = selected(made).told()
    assert case.retention.claim == CAUSAL
    assert about(case, GIVEN)["checks"]["other_exits"] == "quiet"
    assert about(found, GIVEN)["checks"]["other_exits"] == "moves"
    assert found.retention.claim == found.mentors.claim == ASSOCIATED


def test_people_who_were_never_offered_the_programme_are_not_compared_with(made: Tables) -> None:
    """Ghent has a programme of its own, and all of Ghent leaves: nothing of it may reach the numbers of Leeds."""
    spells = made.employment.assign(
        location=made.employment["location"].where(made.employment["location"] == "Leeds", "Ghent")
    )
    elsewhere = spells["location"] == "Ghent"
    gone = spells.assign(
        left_on=spells["left_on"].mask(elsewhere, pd.Timestamp("2024-06-20")),
        leave_type=spells["leave_type"].mask(elsewhere, "voluntary"),
    )
    guests = made.enrolment.loc[made.enrolment["side"] == "mentee", "person"]
    guests = guests[guests.isin(spells.loc[elsewhere, "employee_key"])].head(12)
    here = made.enrolment["person"].isin([*spells.loc[~elsewhere, "employee_key"], *guests])
    calm, stormy = (
        replace(made, employment=employment, enrolment=made.enrolment[here], engagement=made.engagement.head(0))
        for employment in (spells, gone)
    )
    offered = Plan(offered_to={"grade": MENTEE_GRADES, "location": ("Leeds",)}, min_tenure_months=4)
    told, without = ([of_mentees(each.told(plan=plan)) for each in (calm, stormy)] for plan in (offered, PLAN))
    assert told[0] == told[1]
    assert any(row["shown"] for row in told[0])
    assert without[0] != without[1]  # guests from Ghent make the rest of it comparable, unless the plan says otherwise


def of_mentees(case: Case) -> list[dict[str, Any]]:
    """Without mentors, who are compared with everybody employed."""
    return [row for row in rows(case) if row["side"] != "mentor"]


def test_the_waves_of_engagement_before_joining_are_no_effect_and_few_people_are_none(case: Case) -> None:
    waves = [row for row in rows(case) if row["metric"] == "case_engagement_wave"]
    assert {row["claim"] for row in waves if row["group"].endswith("before")} == {ASSOCIATED}
    assert {row["claim"] for row in waves if row["group"].endswith("after")} == {case.engagement.claim}
    assert any(row["shown"] for row in waves)
    assert any(not row["shown"] for row in waves)
    assert all(row["n"] >= FEWEST_MENTEES for row in waves if row["shown"])


def test_money_is_missing_its_salary_by_name_and_says_what_to_decide(made: Tables) -> None:
    found = made.told(given=assumptions())
    told = about(found, assumptions())
    assert (told["missing"], told["decision"], told["currency"]) == (["salary"], "name_the_missing_input", "EUR")
    assert not named(found)["case_break_even", "mentee"]["shown"]
    assert named(found)["case_cost", "both"]["shown"]


def test_inputs_are_told_with_their_owner_and_no_number_that_is_none(case: Case) -> None:
    told = about(case, GIVEN)
    json.dumps(told, allow_nan=False)
    salary = next(each for each in told["assumptions"] if each["key"] == "salary")
    assert (salary["owner"], salary["dated"], salary["is_default"]) == ("Finance (demo)", "2026-01-15", False)
    assert {each["key"] for each in told["assumptions"]} == set(GIVEN)


def test_money_follows_the_effect_as_it_is_told(case: Case) -> None:
    """Whoever multiplies what is shown finds what is shown: nothing beside the effect tells it more finely."""
    kept, avoided = case.retention, named(case)["case_avoided", "mentee"]
    assert [avoided[name] for name in ("value", "low", "high")] == [
        round(-80 * each) for each in (kept.estimate, kept.high, kept.low)
    ]
    assert named(case)["case_expected_exits", "mentee"]["value"] == round(80 * case.exit_rate)
    assert case.exit_rate == kept.details["risk_control"]


def test_a_programme_that_could_never_show_anything_says_so_in_its_row(case: Case) -> None:
    assert case.detectable is not None
    told = named(replace(case, detectable=replace(case.detectable, smallest_rate=nan)))
    assert not told["case_detectable", "mentee"]["shown"]


def test_its_data_begin_with_the_first_exit_of_those_who_were_offered_the_programme(made: Tables, case: Case) -> None:
    """An earlier exit in a grade that may not enrol says nothing of when the file begins to hold everybody."""
    senior = made.employment[~made.employment["grade"].isin(MENTEE_GRADES)].iloc[[0]]
    hired, left = pd.Timestamp("2010-01-01"), made.employment["left_on"].min() - pd.DateOffset(months=3)
    early = senior.assign(
        employee_key="early", hired_on=hired, valid_from=hired, left_on=left, leave_type="voluntary"
    ).astype(made.employment.dtypes)
    assert replace(made, employment=pd.concat([made.employment, early])).told().begins == case.begins


def test_its_data_begin_with_the_first_exit_unless_the_programme_says_when(made: Tables, case: Case) -> None:
    first = made.employment["left_on"].min().date()
    assert case.begins == first.replace(day=1)
    since = made.told(plan=replace(PLAN, data_from=date(2023, 5, 1)))
    assert since.begins == date(2023, 5, 1)
    assert about(since, GIVEN)["data"] == {"begins": "2023-05-01", "ends": "2025-12-31"}
