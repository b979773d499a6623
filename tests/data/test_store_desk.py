"""The desk: orders in turn, two writers at once, views that are laid out, what is kept and what goes."""

import threading
from datetime import date, timedelta

import pytest

from data.errors import RapportError
from data.jobs import CARRY_OUT, carriers, orders_job, until_ordered
from data.keeping import keep_access_times
from data.store import actions, audit
from data.store.accounts import Accounts
from data.store.desk import (
    DONE,
    LONGEST_TEXT,
    MOST_WAITING,
    REFUSED,
    Desk,
    File,
    Order,
    Outcome,
    OvertakenError,
    Wish,
)
from data.store.engine import StoreError, Stores, reading
from data.timetable import next_time, tick
from tests.support import cast

NOW = cast.NOON


def wish(
    text: str = "you said", *, seen: int | None = 0, subject: str = "R1", kind: str = "reply", by: str = "cleo"
) -> Wish:
    return Wish(
        programme_id=cast.MENTORING,
        kind=kind,
        subject=subject,
        content={"said": text, "will": "we will"},
        asked_by=f"{by}@cast.example",
        seen=seen,
    )


def test_the_second_writer_is_told_and_nothing_is_lost(stores: Stores) -> None:
    desk = Desk(stores.access)
    first = desk.ask(wish("Cleo's"), NOW)
    with pytest.raises(OvertakenError) as told:
        desk.ask(wish("Dan's", by="dan"), NOW)
    assert told.value.newest == first
    assert "Dan's" not in str(desk.recent(cast.MENTORING))
    knowing = desk.ask(wish("Dan's", by="dan", seen=first.place), NOW)
    assert [each.content["said"] for each in desk.orders(cast.MENTORING, "reply", "R1")] == ["Dan's", "Cleo's"]
    assert desk.places(cast.MENTORING) == {("reply", "R1"): knowing.place}
    with pytest.raises(OvertakenError):
        desk.ask(wish(seen=7), NOW)  # a place that never was
    with pytest.raises(RapportError, match="no such order"):
        desk.ask(wish(subject="R2", seen=7), NOW)
    with reading(stores.access) as connection:
        assert [each["action"] for each in audit.entries(connection)] == ["ordered reply"] * 2


def test_of_two_at_the_same_moment_one_is_kept(stores: Stores) -> None:
    desk, start = Desk(stores.access), threading.Barrier(8)
    kept: list[Order] = []
    faster: list[int] = []

    def ask(number: int) -> None:
        start.wait()
        try:
            kept.append(desk.ask(wish(f"number {number}"), NOW))
        except OvertakenError as error:
            faster.append(error.newest.place)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(kept), faster) == (1, [1] * 7)
    assert desk.recent(cast.MENTORING) == kept


def test_of_those_that_stand_beside_one_another_every_one_is_kept(stores: Stores) -> None:
    desk, start = Desk(stores.access), threading.Barrier(6)

    def ask() -> None:
        start.wait()
        desk.ask(wish(seen=None), NOW)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(each.place for each in desk.recent(cast.MENTORING)) == [1, 2, 3, 4, 5, 6]


def test_orders_are_bounded(stores: Stores) -> None:
    desk = Desk(stores.access)
    with pytest.raises(RapportError, match="600 characters"):
        desk.ask(wish("x" * (LONGEST_TEXT + 1)), NOW)
    for number in range(MOST_WAITING):
        desk.ask(wish(subject=f"R{number}"), NOW)
    with pytest.raises(RapportError, match="timetable running"):
        desk.ask(wish(subject="one more"), NOW)


def carried(stores: Stores, carry: object) -> str:
    job = orders_job(stores, {"reply": carry}, then=["show the calendar"])  # type: ignore[dict-item]
    (done,) = tick(stores.raw, [job], lambda: NOW)
    assert not done.has_failed
    return done.said


def test_orders_are_carried_out_in_turn_and_keep_what_they_made(stores: Stores) -> None:
    desk, seen = Desk(stores.access), []
    first = desk.ask(wish("one"), NOW)
    desk.ask(wish("two", seen=1), NOW)

    def carry(order: Order, now: object) -> Outcome:
        seen.append(order.content["said"])
        if order.content["said"] == "two":
            raise RapportError("That cannot be.")
        return Outcome(told="made", file=File(name="a.pdf", content=b"\x00\xff"))

    assert desk.has_waiting()
    assert carried(stores, carry) == "2 orders carried out"
    assert seen == ["one", "two"]
    assert not desk.has_waiting()
    two, one = desk.recent(cast.MENTORING)
    assert (one.state, one.told, one.content["said"]) == (DONE, "made", "one")
    assert (two.state, two.told, two.content) == (REFUSED, "That cannot be.", {})
    assert desk.file(first.order_id) == File(name="a.pdf", content=b"\x00\xff")
    assert desk.file(two.order_id) is None


def test_no_order_holds_up_those_behind_it(stores: Stores) -> None:
    desk = Desk(stores.access)
    desk.ask(wish("breaks"), NOW)
    desk.ask(wish("unknown", kind="nonsense"), NOW)
    desk.ask(wish("fine", seen=1), NOW)

    def carry(order: Order, now: object) -> Outcome:
        if order.content["said"] == "breaks":
            raise KeyError("a secret")
        return Outcome()

    carried(stores, carry)
    fine, unknown, broken = desk.recent(cast.MENTORING)
    assert [each.state for each in (fine, unknown, broken)] == [DONE, REFUSED, REFUSED]
    assert "secret" not in str(broken.told)


def test_an_order_whose_worker_died_is_carried_out_by_the_next(stores: Stores) -> None:
    desk = Desk(stores.access)
    asked = desk.ask(wish(), NOW)
    taken = desk.take()
    assert taken is not None
    assert taken.order_id == asked.order_id
    assert desk.order(asked.order_id).state == "working"  # type: ignore[union-attr]
    assert carried(stores, lambda order, now: Outcome()) == "1 orders carried out"


def test_a_store_that_does_not_answer_leaves_the_order_for_later(stores: Stores) -> None:
    desk = Desk(stores.access)
    asked = desk.ask(wish(), NOW)

    def carry(order: Order, now: object) -> Outcome:
        raise StoreError("gone")

    (done,) = tick(stores.raw, [orders_job(stores, {"reply": carry}, then=[])], lambda: NOW)
    assert done.has_failed
    assert desk.order(asked.order_id).is_open  # type: ignore[union-attr]


def test_an_order_wakes_the_timetable(stores: Stores) -> None:
    job = orders_job(stores, {"reply": lambda order, now: Outcome()}, then=[])
    tick(stores.raw, [job], lambda: NOW)
    assert next_time(stores.raw, [job], NOW) > NOW
    desk, looks = Desk(stores.access), []

    def wait(seconds: float) -> bool:
        looks.append(seconds)
        if len(looks) == 3:
            desk.ask(wish(), NOW)
        return len(looks) == 20

    soon = NOW + timedelta(seconds=3)
    assert until_ordered(stores, wait, lambda: soon)(30.0) is False
    assert len(looks) == 3
    assert next_time(stores.raw, [job], soon) == soon
    assert tick(stores.raw, [job], lambda: soon)[0].job == CARRY_OUT
    assert until_ordered(stores, wait, lambda: soon)(30.0) is True  # and a stop is a stop


def test_a_note_reaches_its_pairing_once_and_no_other_programme(stores: Stores) -> None:
    cast.ada_and_ben(stores)
    desk = Desk(stores.access)
    note = {"pairing": "P1", "kind": "talked", "note": " both are well "}
    foreign = {"pairing": "P9", "kind": "talked", "note": "not ours"}
    asked = [
        desk.ask(
            Wish(programme_id=cast.MENTORING, kind="action", subject=each["pairing"], content=each, asked_by="cleo"),
            NOW,
        )
        for each in (note, foreign)
    ]
    carry = carriers(stores)["action"]
    for _ in range(2):  # as where the worker died between the effect and writing it down
        carry(asked[0], NOW)
    with pytest.raises(RapportError, match="no such pairing"):
        carry(asked[1], NOW)
    with reading(stores.raw) as connection:
        (kept,) = actions.actions_of(connection, cast.MENTORING)
        assert actions.actions_of(connection, "elsewhere") == []
    assert (kept.pairing_id, kept.kind, kept.note, kept.noted_by) == ("P1", "talked", "both are well", "cleo")
    tick(stores.raw, [orders_job(stores, carriers(stores), then=[])], lambda: NOW)
    assert [each.content for each in desk.recent(cast.MENTORING)] == [{}, {}]  # the note is in the raw store now


def test_a_view_is_laid_out_anew_in_place_of_the_one_before(stores: Stores) -> None:
    desk = Desk(stores.access)
    desk.lay_out(cast.MENTORING, "calendar", {"programme": "Mentoring", "rounds": []}, NOW)
    desk.lay_out(cast.MENTORING, "calendar", {"programme": "Mentoring 2", "rounds": [1]}, NOW + timedelta(hours=1))
    desk.lay_out(cast.MENTORING, "calendar", {"programme": "Mentoring 2", "rounds": [1]}, NOW + timedelta(hours=2))
    board = desk.boards(cast.MENTORING)["calendar"]
    assert (board.content["rounds"], board.made_at) == ([1], NOW + timedelta(hours=2))
    assert desk.programmes() == {cast.MENTORING: "Mentoring 2"}
    assert desk.boards("elsewhere") == {}


def test_reports_and_orders_go_when_they_have_had_their_time(stores: Stores) -> None:
    desk = Desk(stores.access)
    old = desk.ask(wish(), NOW)
    desk.finish(old, state=DONE, told="", now=NOW, file=File(name="a.pdf", content=b"x"))
    waiting = desk.ask(wish(seen=1), NOW)
    assert keep_access_times(stores, NOW + timedelta(days=29)) == ""
    assert "1 reports deleted" in keep_access_times(stores, NOW + timedelta(days=31))
    assert desk.file(old.order_id) is None
    assert "1 orders deleted" in keep_access_times(stores, NOW + timedelta(days=731))
    assert [each.order_id for each in desk.recent(cast.MENTORING)] == [waiting.order_id]


def test_the_monday_mail_is_for_hr_who_want_it_and_once(stores: Stores) -> None:
    desk, accounts, monday = Desk(stores.access), Accounts(stores.access), date(2026, 3, 2)
    for email, role, programme in (("cleo", "hr", None), ("hans", "hr", "mentoring"), ("dan", "leader", None)):
        accounts.add(email=f"{email}@cast.example", role=role, programme_id=programme, password="x" * 20, now=NOW)
    everyone = [("cleo@cast.example", None), ("hans@cast.example", "mentoring")]
    assert desk.monday_readers(monday) == everyone
    assert desk.note_monday("cleo@cast.example", monday)
    assert not desk.note_monday("cleo@cast.example", monday)
    accounts.tell_weekly("hans@cast.example", wanted=False)
    assert desk.monday_readers(monday) == []
    desk.forget_monday("cleo@cast.example", monday)
    assert desk.monday_readers(monday) == everyone[:1]
    assert desk.monday_readers(monday + timedelta(days=7)) == everyone[:1]
    assert accounts.is_told_weekly("cleo@cast.example")
