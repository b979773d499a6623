"""How far a programme has reached: to whom it was offered, which pairings have met, and an older release's counts."""

import json
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from data.contracts import Answers, conform
from data.store.engine import Stores, reading, writing
from data.store.releases import read_release, save_release
from data.tables import releases
from pipeline import seal
from pipeline.business_case.plan import Plan
from pipeline.flow import FLOWS, Meetings
from pipeline.ingest import Inputs, ingest
from pipeline.reach import meetings, n_eligible, reach
from pipeline.run import build, run_round, verify_release
from pipeline.staff import Staff
from tests.pipeline.made_rounds import ASKED, silent_programme
from tests.pipeline.stored import KEY, NOW, ask, make_programme

ASKING = replace(
    ASKED,
    pulses={"pulse": replace(ASKED.pulses["pulse"], operational=("met_since",)), "kickoff": ASKED.pulses["pulse"]},
)


def programme(n: int, *met: tuple[int, str, int, str], rounds: int = 1, kickoff: bool = False) -> Inputs:
    """`n` pairings; each of `met` is a pairing's number, side, round and answer to whether they have met."""
    inputs = silent_programme(n, rounds)
    rows = [
        {
            "round_id": f"R{number}", "round_number": number, "pulse": "pulse", "pairing_id": f"P{k:03}", "side": side,
            "person_id": f"{side} {k:03}", "mentor_id": f"M{k:03}", "question_id": "met_since", "value": value,
        }
        for k, side, number, value in met
    ]  # fmt: skip
    invited = inputs.invited
    if kickoff:
        invited = invited.assign(pulse=invited["pulse"].mask(invited["round_id"] == "R1", "kickoff"))
    return replace(
        inputs,
        answers=conform(Answers, pd.DataFrame(rows, columns=list(Answers.to_schema().columns))),
        invited=invited,
        questionnaires=dict.fromkeys(inputs.questionnaires, ASKING),
    )


def yes(*pairings: int, number: int = 1) -> list[tuple[int, str, int, str]]:
    return [(k, "mentor", number, "yes") for k in pairings]


def told(inputs: Inputs) -> dict[tuple[str, str], int]:
    rows = reach(inputs, FLOWS)
    return {(row["metric"], row["side"]): row["n"] for row in rows.to_dict("records")}


def test_a_pairing_has_met_once_either_side_says_so_in_any_round() -> None:
    said = [*yes(0, 1), (1, "mentee", 1, "yes"), (2, "mentee", 2, "yes"), (3, "mentor", 1, "no"), *yes(0, number=2)]
    assert meetings(programme(20, *said, rounds=2)) == Meetings(met=3, asked=20)


def test_rounds_whose_form_does_not_ask_count_nobody() -> None:
    assert meetings(programme(20, kickoff=True)) is None
    assert meetings(programme(20, *yes(1), *yes(2, number=2), rounds=2, kickoff=True)) == Meetings(met=1, asked=20)
    assert ("flow_pairings_met", "both") not in told(programme(20, kickoff=True))


def test_nobody_answering_is_told_as_none_and_not_left_out() -> None:
    assert told(programme(20))["flow_pairings_met", "both"] == 0


@pytest.mark.parametrize(
    ("n", "met", "at_least"), [(20, 12, 10), (20, 20, 15), (24, 24, 20), (8, 8, 5), (5, 5, 0), (9, 4, 0)]
)
def test_meetings_are_counted_in_steps_and_never_say_that_all_have_met(n: int, met: int, at_least: int) -> None:
    assert told(programme(n, *yes(*range(met))))["flow_pairings_met", "both"] == at_least
    assert at_least < n


ROSTER = """
key hired_on   valid_from left_on    leave_type department grade
a   2024-01-15 2024-01-15 -          -          north      G1
b   2024-01-15 2024-01-15 2026-01-20 voluntary  north      G1
c   2024-01-15 2024-01-15 2026-01-31 voluntary  north      G1
d   2025-11-15 2025-11-15 -          -          north      G1
e   2024-01-15 2024-01-15 -          -          north      G2
e   2024-01-15 2026-01-02 -          -          north      G1
f   2024-01-15 2024-01-15 -          -          north      G1
f   2024-01-15 2026-02-02 -          -          north      G9
g   2024-01-15 2024-01-15 -          -          north      G9
h   2024-01-15 2024-01-15 -          -          south      G1
i   2026-03-01 2026-03-01 -          -          north      G1
"""


def staff(plan: Plan) -> Staff:
    header, *lines = [line.split() for line in ROSTER.strip().splitlines()]
    rows = pd.DataFrame(lines, columns=header).replace("-", "").rename(columns={"key": "employee_key"})
    days = {name: pd.to_datetime(rows[name]).astype("datetime64[s]") for name in ("hired_on", "valid_from", "left_on")}
    return Staff(
        employment=rows.assign(**days, location=""),
        engagement=pd.DataFrame(),
        enrolment=pd.DataFrame(),
        known_on=date(2026, 1, 31),
        grades={},
        n_mentors=0,
        plan=plan,
        assumptions={},
    )


def offered(plan: Plan, decided: dict[str, object]) -> int | None:
    inputs = programme(10)
    named = replace(inputs.programme, decisions={**inputs.programme.decisions, "case": decided})
    return n_eligible(replace(inputs, programme=named, staff=staff(plan)))


def test_offered_is_who_serves_that_day_long_enough_where_and_as_the_offer_says() -> None:
    """b had left; d came in November; f rose, and i came, after the day; g and h were never offered it."""
    whole = Plan(offered_to={"grade": ("G1",), "department": ("north",)}, min_tenure_months=4)
    assert offered(whole, {"offered_to": {}}) == 4  # a, c, e, f
    assert offered(replace(whole, min_tenure_months=1), {"min_tenure_months": 1}) == 5
    assert offered(Plan(min_tenure_months=4), {"offered_to": {}}) == 6


def test_without_a_decision_or_a_file_nobody_is_counted_as_offered() -> None:
    assert offered(Plan(), {}) is None
    assert offered(Plan(), {"assumptions": {}}) is None
    assert n_eligible(programme(10)) is None
    assert ("flow_eligible", "mentee") not in told(programme(10))


def test_who_was_offered_it_is_told_in_steps_of_five() -> None:
    inputs = programme(10)
    decided = {**inputs.programme.decisions, "case": {"min_tenure_months": 4}}
    whole = replace(
        inputs,
        programme=replace(inputs.programme, decisions=decided),
        staff=staff(Plan(min_tenure_months=4)),
    )
    assert told(whole)["flow_eligible", "mentee"] == 5


def test_a_release_of_an_older_version_is_held_against_the_counts_that_it_told(sqlite_stores: Stores) -> None:
    """Here one that did not tell how many answered; all else is still rebuilt and compared."""
    make_programme(sqlite_stores)
    ask(sqlite_stores, 1)
    made = run_round(sqlite_stores, programme_id="P", round_id="P-R1", key=KEY, now=NOW)
    inputs = ingest(sqlite_stores.raw, programme_id="P", round_id="P-R1", key=KEY, as_of=NOW)
    fewer = build(inputs, key=KEY, counts=[name for name in FLOWS if name != "flow_answered"])
    assert {row["metric"] for row in json.loads(made.content)["rows"]} - {
        row["metric"] for row in json.loads(fewer)["rows"]
    } == {"flow_answered"}
    with writing(sqlite_stores.published) as connection:
        connection.execute(releases.delete())
        save_release(connection, seal.sealed(fewer, key=KEY, now=NOW))
    assert verify_release(sqlite_stores, made.release_id, key=KEY) == "identical"
    with reading(sqlite_stores.published) as connection:
        assert read_release(connection, made.release_id).content == fewer
