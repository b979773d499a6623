"""The doctor: each thing that is wrong is said in words, and a sound installation is all green."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import insert

from data import tables, timetable
from data.backup import backup
from data.doctor import examine
from data.settings import Settings
from data.store import outbox
from data.store.engine import writing
from data.store.outbox import Bounce
from data.timetable import Job
from tests.conftest import KEY
from tests.support import cast


@pytest.fixture
def sound(sqlite_stores, home):
    """An installation of which nothing is wrong, its settings, and the time."""
    settings = Settings(home=home, secret_key=KEY)
    cast.ada_and_ben(sqlite_stores)
    job = Job("often", timedelta(minutes=1), lambda _now: "done", "outside")
    timetable.tick(sqlite_stores.raw, [job], lambda: cast.NOON)
    path = home / "backups" / "rapport-2026-03-02.zip"
    backup(sqlite_stores, path, key=KEY, now=cast.NOON)
    os.utime(path, (cast.NOON.timestamp(), cast.NOON.timestamp()))
    return sqlite_stores, settings


def verdicts(sound, now=cast.NOON) -> dict[str, str]:
    stores, settings = sound
    return {each.what: each.said for each in examine(stores, settings, now) if each.verdict == "red"}


def test_a_sound_installation_is_green(sound):
    assert verdicts(sound) == {}


def test_what_is_wrong_is_said(sound, home):
    stores, _ = sound
    (home / "raw.sqlite").chmod(0o644)
    with writing(stores.raw) as connection:
        bounce = Bounce(person_id="ben", address="ben@cast.example", reason="550 5.1.1", since=cast.NOON)
        outbox.note_bounce(connection, bounce)
        connection.execute(insert(tables.jobs).values(job="send", next_at=cast.NOON, n_failed=3, last_said="no server"))
    said = verdicts(sound, cast.NOON + timedelta(days=3))
    assert set(said) == {"home", "timetable", "job send", "messages", "backup"}
    assert "raw.sqlite" in said["home"]
    assert "72 h ago" in said["timetable"] or "3 days ago" in said["timetable"]
    assert "3 times" in said["job send"]
    assert "1 addresses do not work" in said["messages"]
    assert "ben@cast.example" not in str(said)
