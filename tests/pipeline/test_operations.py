"""What a programme team may know of pairings: meetings once a pairing and late, requests by name and at once."""

import json
from datetime import date, timedelta
from typing import Any

from data.erasure import erase
from data.store import actions, answers, people, rounds
from data.store.actions import Action
from data.store.answers import Submission
from data.store.engine import Stores, reading, writing
from pipeline.operations import CONTACT_ME, MET, pairings_board
from surveys.questionnaire import ours
from tests.support import cast

LATER = cast.CLOSES + timedelta(days=1)


def programme(stores: Stores) -> None:
    """Ada mentors Ben and Gil; Eve and Finn are elsewhere; round 1 is open."""
    with writing(stores.raw) as connection:
        cast.introduce(connection)
        people.save_person(connection, cast.person("gil"))
        cast.pair(connection, "P2", "ada", "gil")
        cast.open_round(connection)


def says(stores: Stores, invitation: str, **said: str) -> None:
    with writing(stores.raw) as connection:
        submission = Submission(
            invitation_id=invitation,
            submission_id=f"{invitation}:{sorted(said.items())}",
            received_at=cast.NOON,
            source="page",
            answers=said,
        )
        answers.store_response(connection, submission)


def close(stores: Stores) -> None:
    with writing(stores.raw) as connection:
        rounds.close_round(connection, "R1", cast.CLOSES)


def board(stores: Stores, now: Any = cast.NOON) -> dict[str, Any]:
    with reading(stores.raw) as connection:
        found = pairings_board(connection, cast.MENTORING, now)
    return json.loads(json.dumps(found))  # as the desk keeps it


def of(found: dict[str, Any], pairing_id: str) -> dict[str, Any]:
    return next(each for each in found["pairings"] if each["pairing"] == pairing_id)


def test_only_questions_that_are_announced_to_the_team_come_in() -> None:
    for question_id in (MET, CONTACT_ME):
        assert ours().questions[question_id].seen_by == "programme team"


def test_a_meeting_is_told_when_its_round_has_closed_and_never_by_side(stores: Stores) -> None:
    programme(stores)
    says(stores, "R1:P1:mentor", met_since="yes", T01="5")
    assert of(board(stores), "P1")["met_reported_on"] is None  # an open round would tell who has answered
    close(stores)
    by_mentor = board(stores, LATER)
    assert of(by_mentor, "P1")["met_reported_on"] == str(cast.CLOSES.date())
    assert of(by_mentor, "P2")["met_reported_on"] is None
    says(stores, "R1:P1:mentee", met_since="yes", T01="1")
    assert board(stores, LATER) == by_mentor  # whoever of the two said it, or both


def test_no_other_answer_is_in_it(stores: Stores) -> None:
    programme(stores)
    close(stores)
    silent = board(stores, LATER)
    for side in ("mentor", "mentee"):
        says(stores, f"R1:P1:{side}", met_since="no", contact_me="no", T01="1", S01="2")
    heard = board(stores, LATER)
    # That somebody was asked about meetings shows only in the rule, which now can speak.
    assert heard["rules"].pop("days") == 30
    assert silent["rules"].pop("days") is None
    for each in (*silent["pairings"], *heard["pairings"]):
        each.pop("support")
    assert heard == silent


def test_a_request_is_seen_at_once_and_stands_until_it_is_answered(stores: Stores) -> None:
    programme(stores)
    says(stores, "R1:P1:mentee", contact_me="yes")
    (asked,) = board(stores)["requests"]
    assert (asked["name"], asked["side"], asked["other"], asked["asked_on"]) == ("Ben", "mentee", "Ada", "2026-03-02")
    assert asked["answered_on"] is None
    answer = Action(
        action_id="1", pairing_id="P1", person_id="ben", round_id="R1", kind="contact", note="called",
        done_on=date(2026, 3, 4), noted_by="cleo",
    )  # fmt: skip
    with writing(stores.raw) as connection:
        actions.note(connection, answer)
        actions.note(connection, answer)
    (asked,) = board(stores)["requests"]
    assert (asked["answered_on"], asked["answered_by"]) == ("2026-03-04", "cleo")
    assert of(board(stores), "P1")["actions"] == []  # an answer to a request is no note on the pair


def test_a_withdrawn_request_is_gone(stores: Stores) -> None:
    programme(stores)
    says(stores, "R1:P1:mentee", contact_me="yes")
    with writing(stores.raw) as connection:
        assert answers.withdraw(connection, "R1:P1:mentee", up_to_version=1, now=cast.NOON)
    assert board(stores)["requests"] == []


def test_a_rule_speaks_only_of_what_was_asked(stores: Stores) -> None:
    programme(stores)
    close(stores)
    assert board(stores, LATER)["rules"] == {"days": None, "week": None}
    assert all(each["support"] == [] for each in board(stores, LATER)["pairings"])
    says(stores, "R1:P1:mentor", met_since="yes")
    with writing(stores.raw) as connection:
        people.add_goal(
            connection, pairing_id="P1", title="a goal", levels=dict.fromkeys(range(-2, 3), "x"),
            set_on=date(2026, 2, 20), is_agreed=True,
        )  # fmt: skip
    found = board(stores, LATER)
    assert found["rules"] == {"days": 30, "week": 6}
    assert of(found, "P1")["support"] == []
    assert of(found, "P1")["n_goals"] == 1
    assert [each["rule"] for each in of(found, "P2")["support"]] == ["no_goals", "no_meeting"]
    assert "a goal" not in json.dumps(found)  # only the two see what it says


def test_notes_are_listed_and_go_with_either_of_the_two(stores: Stores) -> None:
    programme(stores)
    for number, pairing_id in enumerate(("P1", "P2"), 1):
        done = Action(
            action_id=str(number), pairing_id=pairing_id, kind="talked", note="well",
            done_on=cast.NOON.date(), noted_by="cleo",
        )  # fmt: skip
        with writing(stores.raw) as connection:
            actions.note(connection, done)
    assert of(board(stores), "P1")["actions"] == [{"kind": "talked", "note": "well", "on": "2026-03-02", "by": "cleo"}]
    with writing(stores.raw) as connection:
        assert erase(connection, "ben")["actions"] == 1
    after = board(stores)
    assert of(after, "P1")["actions"] == []
    assert of(after, "P2")["actions"] != []
    assert of(after, "P1")["mentee"] == "(erased)"


def test_another_programme_is_not_in_it(stores: Stores) -> None:
    programme(stores)
    assert {each["pairing"] for each in board(stores)["pairings"]} == {"P1", "P2"}
    assert "Eve" not in json.dumps(board(stores))
