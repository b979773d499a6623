"""The calendar as the dashboard shows it: rounds and replies, what comes, addresses that fail, answers in words."""

import json
from datetime import timedelta
from typing import Any

import pytest

from data.errors import RapportError
from data.store import answers, outbox
from data.store.answers import Submission
from data.store.desk import DONE, Desk, Order
from data.store.engine import Stores, reading, writing
from surveys.board import calendar_boards
from surveys.jobs import SHOW, carriers
from surveys.timetable import jobs
from tests.support import cast
from tests.support.asking import World, at

DAY = timedelta(days=1)


def board(world: World, now: Any) -> dict[str, Any]:
    with reading(world.stores.raw) as connection:
        return json.loads(json.dumps(calendar_boards(connection, now)["m"]))


@pytest.fixture
def world(stores: Stores) -> World:
    made = World(stores)
    made.programme()
    for number in range(30):
        made.person(f"guide{number}", f"mentee{number}")
        made.pair(f"P{number:02}", f"guide{number}", f"mentee{number}")
    return made


def answer(world: World, number: int, side: str = "mentee", when: Any = None) -> None:
    round_id = board(world, at("2026-03-04 12:00"))["rounds"][0]["round"]
    submission = Submission(
        invitation_id=f"{round_id}:P{number:02}:{side}",
        submission_id=f"{side} {number}",
        received_at=when or at("2026-03-02 10:00"),
        source="page",
        answers={"T01": "4"},
    )
    with writing(world.stores.raw) as connection:
        answers.store_response(connection, submission)


def test_before_the_first_round_it_says_when(world: World) -> None:
    found = board(world, at("2026-02-25 12:00"))
    assert (found["programme"], found["rounds"], found["n_people"]) == ("M", [], 60)
    assert (found["next"]["opens_on"], found["asks_by_itself"]) == ("2026-03-02", True)


def test_answers_so_far_are_told_in_words_of_yesterday(world: World) -> None:
    world.walk("2026-03-02 12:00")
    for number in range(9):
        answer(world, number)
    today, tomorrow = (board(world, at(f"2026-03-0{day} 15:00"))["rounds"][0] for day in (2, 3))
    assert today["state"] == "open"
    assert today["so_far"] == {"mentee": "under_third", "mentor": "under_third"}
    assert tomorrow["so_far"] == {"mentee": "under_third", "mentor": "under_third"}
    for number in range(9, 15):
        answer(world, number)
    assert board(world, at("2026-03-02 15:00"))["rounds"][0]["so_far"] == today["so_far"]
    assert board(world, at("2026-03-03 00:30"))["rounds"][0]["so_far"]["mentee"] == "third_to_half"
    answer(world, 15)
    assert board(world, at("2026-03-03 00:30"))["rounds"][0]["so_far"]["mentee"] == "over_half"
    answer(world, 16, when=at("2026-03-03 00:10"))  # of today: not yet


def test_of_few_people_nothing_is_told_of_who_answered(stores: Stores) -> None:
    small = World(stores)
    small.programme()
    for number in range(29):
        small.person(f"guide{number}", f"mentee{number}")
        small.pair(f"P{number:02}", f"guide{number}", f"mentee{number}")
    small.walk("2026-03-02 12:00")
    answer(small, 1)
    assert board(small, at("2026-03-03 12:00"))["rounds"][0]["so_far"] == {}


def test_replies_and_failing_addresses(world: World) -> None:
    world.walk("2026-03-20 12:00")
    (first,) = board(world, world.now)["rounds"]
    assert (first["state"], first["reply"], first["so_far"]) == ("closed", None, {})
    order = Order(
        order_id=1, programme_id="m", kind="reply", subject=first["round"], place=1,
        content={"said": "time", "will": "an hour"}, asked_by="cleo@cast.example", asked_at=world.now,
        state=DONE, told=None, done_at=None,
    )  # fmt: skip
    carry = carriers(world.stores)["reply"]
    for _ in range(2):
        carry(order, world.now)
    with writing(world.stores.raw) as connection:
        for person_id, address in (("guide1", "guide1@cast.example"), ("guide2", "old@cast.example")):
            outbox.note_bounce(
                connection,
                outbox.Bounce(person_id=person_id, address=address, reason="550", since=world.now),
            )
    found = board(world, world.now)
    assert found["rounds"][0]["reply"] == {"said": "time", "will": "an hour", "by": "cleo@cast.example"}
    assert [(each["name"], each["address"]) for each in found["bounces"]] == [("Guide1", "guide1@cast.example")]


def test_a_reply_to_another_programmes_round_is_refused(world: World) -> None:
    world.walk("2026-03-20 12:00")
    round_id = board(world, world.now)["rounds"][0]["round"]
    order = Order(
        order_id=1, programme_id="elsewhere", kind="reply", subject=round_id, place=1,
        content={"said": "a", "will": "b"}, asked_by="eve", asked_at=world.now, state=DONE, told=None, done_at=None,
    )  # fmt: skip
    with pytest.raises(RapportError, match="no such round"):
        carriers(world.stores)["reply"](order, world.now)


def test_the_timetable_lays_it_out(world: World) -> None:
    show = next(each for each in jobs(world.stores, world.settings, lambda: cast.NOON) if each.name == SHOW)
    show.run(at("2026-03-01 12:00"))  # type: ignore[call-arg,arg-type]
    assert Desk(world.stores.access).boards("m")["calendar"].content == board(world, at("2026-03-01 12:00"))
