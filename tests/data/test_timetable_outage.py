"""A store that does not answer for a while, as a database that restarts: the timetable waits and goes on."""

from datetime import UTC, datetime, timedelta

from data import timetable
from data.timetable import UNANSWERED, Job

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def rename(stores, was: str, to: str) -> None:
    with stores.raw.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {was} RENAME TO {to}")


def test_a_store_that_is_away_for_a_while_does_not_end_the_work(stores):
    waited: list[float] = []
    told: list[str] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        if len(waited) == 2:
            rename(stores, "away", "jobs")
        return len(waited) == 3

    rename(stores, "jobs", "away")
    job = Job("often", timedelta(minutes=1), lambda _now: "done", "outside")
    timetable.work(stores.raw, [job], clock=lambda: NOON, wait=wait, tell=lambda done: told.append(done.said))
    assert waited == [UNANSWERED, UNANSWERED, timetable.LONGEST_SLEEP]
    assert told == ["done"]
