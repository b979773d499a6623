"""The timetable: each time of a job is done once, whoever does it and whatever the clock says."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from data import timetable
from data.errors import RapportError
from data.store.engine import reading, writing
from data.tables import jobs, people, ticks
from data.timetable import Job
from data.worker import has_died, own_name

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def clock_at(moment):
    return lambda: moment


def writer(name: str = "write") -> Job:
    """A job whose effect is a row."""

    def run(connection, now: datetime) -> str:
        connection.execute(insert(people).values(person_id=f"{name} {now}", name="Ben", language="en"))
        return "wrote a row"

    return Job(name, HOUR, run, "inside")


def rows(stores) -> int:
    with reading(stores.raw) as connection:
        return len(connection.execute(select(people)).all())


def test_a_time_is_done_once_and_the_next_is_on_the_grid(stores):
    job = writer()
    first = timetable.tick(stores.raw, [job], clock_at(NOON + timedelta(minutes=20)))
    assert [done.said for done in first] == ["wrote a row"]
    assert timetable.tick(stores.raw, [job], clock_at(NOON + timedelta(minutes=59))) == []
    assert timetable.next_time(stores.raw, [job], NOON) == NOON + HOUR
    assert len(timetable.tick(stores.raw, [job], clock_at(NOON + HOUR))) == 1
    assert rows(stores) == 2


def test_times_missed_while_nobody_worked_are_done_once(stores):
    job = writer()
    timetable.tick(stores.raw, [job], clock_at(NOON))
    timetable.tick(stores.raw, [job], clock_at(NOON + timedelta(days=2)))
    assert rows(stores) == 2


def test_a_failure_takes_its_effect_with_it_and_is_tried_again_later(stores):
    def run(connection, now: datetime) -> str:
        connection.execute(insert(people).values(person_id="half", name="Ben", language="en"))
        if now < NOON + timedelta(minutes=1):
            raise RapportError("The tool does not answer.")
        return "took it"

    job = Job("fragile", HOUR, run, "inside")
    (failed,) = timetable.tick(stores.raw, [job], clock_at(NOON))
    assert (failed.has_failed, failed.said) == (True, "The tool does not answer.")
    assert rows(stores) == 0
    assert timetable.tick(stores.raw, [job], clock_at(NOON + timedelta(seconds=30))) == []
    (done,) = timetable.tick(stores.raw, [job], clock_at(NOON + timedelta(minutes=2)))
    assert (done.has_failed, rows(stores)) == (False, 1)
    (state,) = timetable.state(stores.raw)
    assert (state.n_failed, state.last_said) == (0, "took it")


def test_one_failing_job_does_not_stop_the_others(stores):
    def broken(_now: datetime) -> str:
        raise KeyError("a bug")

    done = timetable.tick(stores.raw, [Job("broken", HOUR, broken, "outside"), writer()], clock_at(NOON))
    assert [(each.job, each.has_failed) for each in done] == [("broken", True), ("write", False)]


def test_a_clock_that_was_years_ahead_stops_nothing(stores):
    job = writer()
    timetable.tick(stores.raw, [job], clock_at(NOON + timedelta(days=3000)))
    assert len(timetable.tick(stores.raw, [job], clock_at(NOON))) == 1
    assert timetable.next_time(stores.raw, [job], NOON) == NOON + HOUR


def test_a_time_done_before_the_clock_went_back_is_not_done_again(stores):
    job = writer()
    for moment in (NOON, NOON + HOUR, NOON + 2 * HOUR):
        timetable.tick(stores.raw, [job], clock_at(moment))
    with writing(stores.raw) as connection:  # as a clock that went back two hours finds it
        connection.execute(update(jobs).values(next_at=NOON + HOUR))
    assert timetable.tick(stores.raw, [job], clock_at(NOON + HOUR)) == []
    assert rows(stores) == 3
    with reading(stores.raw) as connection:
        assert len(connection.execute(select(ticks)).all()) == 3


@pytest.mark.parametrize(
    ("owner", "after", "is_done"),
    [
        ("elsewhere:1:2:abcd", timedelta(minutes=5), False),
        ("elsewhere:1:2:abcd", timedelta(minutes=16), True),
        (own_name(), timedelta(minutes=16), False),
    ],
    ids=["leased to another machine", "its lease is over", "the process still lives"],
)
def test_a_job_outside_is_left_to_whoever_holds_it(stores, owner, after, is_done):
    job = Job("outside", HOUR, lambda _now: "done", "outside")
    with writing(stores.raw) as connection:
        lease = NOON + timetable.LEASE
        connection.execute(
            insert(jobs).values(job="outside", next_at=NOON, n_failed=0, owner=owner, leased_until=lease)
        )
    assert bool(timetable.tick(stores.raw, [job], clock_at(NOON + after))) == is_done


def test_a_worker_that_died_is_followed_at_once(stores):
    machine, _, _, _ = own_name().split(":")
    dead = f"{machine}:999999999:1:abcd"
    assert has_died(dead) is True
    job = Job("outside", HOUR, lambda _now: "done", "outside")
    with writing(stores.raw) as connection:
        lease = NOON + timetable.LEASE
        connection.execute(insert(jobs).values(job="outside", next_at=NOON, n_failed=0, owner=dead, leased_until=lease))
    assert len(timetable.tick(stores.raw, [job], clock_at(NOON))) == 1


def test_work_waits_until_something_is_due_and_stops_when_told(stores):
    now = NOON
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        nonlocal now
        waited.append(seconds)
        now += timedelta(seconds=seconds)
        return len(waited) == 3

    told: list[object] = []
    job = Job("often", timedelta(seconds=20), lambda _now: "done", "outside")
    timetable.work(stores.raw, [job], clock=lambda: now, wait=wait, tell=told.append)
    assert waited == [20.0, 20.0, 20.0]
    assert len(told) == 3
