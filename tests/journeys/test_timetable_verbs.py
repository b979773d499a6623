"""The verbs around the timetable, as people and cron call them: what they print, their exit codes, their end."""

import json
import os
import signal
import socketserver
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import rapport
from data.errors import RapportError
from data.settings import Settings, load, make_home
from data.store import outbox, people
from data.store.engine import Stores, migrate, open_stores, reading, writing
from data.store.outbox import Bounce
from data.store.people import Programme
from surveys import cadence
from tests.support import cast
from tests.support.mailbox import Mailbox

COMMAND = [sys.executable, "-m", "rapport", "--home"]


@pytest.fixture
def made(home: Path) -> Iterator[Stores]:
    """An installation with Ada, Ben and Eve."""
    make_home(home)
    stores = open_stores(load(home))
    migrate(stores)
    with writing(stores.raw) as connection:
        cast.introduce(connection)
    yield stores
    stores.dispose()


def run(home: Path, *words: str, code: int = 0) -> str:
    """A verb in this process; returns what it printed, or the sentence of its RapportError."""
    result = CliRunner().invoke(rapport.app, ["--home", str(home), *words], catch_exceptions=True)
    if isinstance(result.exception, RapportError):
        assert code == 1, result.exception
        return str(result.exception)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def a_cadence(tmp_path: Path, text: str = "starts_on = 2026-03-02\n") -> str:
    path = tmp_path / "cadence.toml"
    path.write_text(text)
    return str(path)


# --- rounds ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_cadence_is_set_shown_and_stopped(made, home, tmp_path):
    assert "only when a round is opened by hand" in run(home, "rounds", "cadence", "mentoring")
    shown = json.loads(
        run(home, "rounds", "cadence", "mentoring", a_cadence(tmp_path, "starts_on = 2026-03-02\nat = 08:30:00\n"))
    )
    assert (shown["starts_on"], shown["at"], shown["every_weeks"]) == ("2026-03-02", "08:30:00", 4)
    assert json.loads(run(home, "rounds", "cadence", "mentoring")) == shown
    assert "opened by hand" in run(home, "rounds", "cadence", "mentoring", "--stop")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("starts_on = 2026-03-02\nat = '09:00+02:00'\n", "a wall time"),
        ("starts_on = 2026-03-02\npauses = [{ from = 2026-04-01, to = 9999-12-31 }]\n", "at most a year"),
        ("starts_on = \n", "not valid TOML"),
        ("every_weeks = 4\n", "starts_on"),
    ],
)
def test_a_cadence_that_cannot_be_is_one_sentence(made, home, tmp_path, text, said):
    sentence = run(home, "rounds", "cadence", "mentoring", a_cadence(tmp_path, text), code=1)
    assert said in sentence
    assert "\n" not in sentence.strip()
    assert "nobody" in run(home, "rounds", "cadence", "nobody", a_cadence(tmp_path), code=1)


def test_the_list_of_due_messages_counts_who_is_thanked_and_names_nobody(made, home):
    with writing(made.raw) as connection:
        cast.open_round(connection)
        soon = datetime.now(UTC) + timedelta(days=2)
        for person_id, kind in (("ben", "invitation"), ("ada", "thanks"), ("eve", "missed")):
            planned = outbox.Planned(
                round_id="R1", person_id=person_id, kind=kind, sequence=1, channel="email",
                due_local=soon.strftime("%Y-%m-%dT%H:%M"), time_zone="UTC", why="because",
            )  # fmt: skip
            outbox.plan(connection, [planned], [], soon)
    said = run(home, "rounds", "due")
    assert "ben" in said
    assert not any(word in said for word in ("ada", "eve", "missed "))
    assert "2 messages after rounds that are over" in said
    found = json.loads(run(home, "rounds", "due", "--json"))
    assert ([row["person"] for row in found["messages"]], found["after_rounds"]) == (["ben"], 2)


def test_a_reply_is_written_to_a_round_that_is_over(made, home):
    with writing(made.raw) as connection:
        cast.open_round(connection)
    words = ("rounds", "reply", "R1", "--said", "little time", "--will", "free an hour")
    assert "still open" in run(home, *words, code=1)
    run(home, "rounds", "close", "R1")
    run(home, *words)
    with reading(made.raw) as connection:
        kept = outbox.reply_to(connection, "R1")
    assert kept is not None
    assert (kept.said, kept.will) == ("little time", "free an hour")
    assert "Both texts" in run(home, "rounds", "reply", "R1", "--said", " ", "--will", "x", code=1)


# --- mail ------------------------------------------------------------------------------------------------


def test_a_mail_is_looked_at_and_sent_to_oneself(made, home, tmp_path, monkeypatch):
    assert "Dein Mentoring mit Ada Example" in run(home, "mail", "preview", "--language", "de")
    run(home, "mail", "preview", "thanks", "--out", str(tmp_path / "thanks.eml"))
    assert b"List-Unsubscribe-Post" in (tmp_path / "thanks.eml").read_bytes()
    assert "There is no letter goodbye" in run(home, "mail", "preview", "goodbye", code=1)
    assert "no smtp_host" in run(home, "mail", "test", "cleo@cast.example")
    assert len(list((home / "outbox").glob("*.eml"))) == 1
    with Mailbox() as mailbox:
        with_server(monkeypatch, mailbox.port)
        assert "Sent to cleo@cast.example" in run(home, "mail", "test", "cleo@cast.example")
        assert [each.recipient for each in mailbox.received] == ["cleo@cast.example"]
    assert "did not leave" in run(home, "mail", "test", "cleo@cast.example", code=1)
    assert "plain e-mail address" in run(home, "mail", "test", "cleo@cast.example\nBcc: eve@cast.example", code=1)


def with_server(monkeypatch, port: int) -> None:
    for name, value in {"HOST": "127.0.0.1", "PORT": str(port), "SECURITY": "none"}.items():
        monkeypatch.setenv(f"RAPPORT_SMTP_{name}", value)
    monkeypatch.setenv("RAPPORT_MAIL_FROM", "mentoring@localhost.localdomain")


def test_the_mail_check_is_red_until_mail_would_arrive(made, home, monkeypatch):
    rows = json.loads(run(home, "mail", "check", "--json", code=1))
    assert [(row["what"], row["verdict"]) for row in rows] == [("server", "red")]
    with Mailbox() as mailbox:
        with_server(monkeypatch, mailbox.port)
        verdicts = {row["what"]: row["verdict"] for row in json.loads(run(home, "mail", "check", "--json", code=1))}
    assert verdicts["server"] == verdicts["addresses"] == verdicts["bounces"] == "green"
    assert verdicts["links"] == "red"


def test_bounces_are_listed_until_another_address_is_imported(made, home, tmp_path):
    assert "No address bounced" in run(home, "mail", "bounces")
    with writing(made.raw) as connection:
        bounce = Bounce(person_id="ben", address="ben@cast.example", reason="550 5.1.1", since=cast.NOON)
        outbox.note_bounce(connection, bounce)
    assert "ben@cast.example" in run(home, "mail", "bounces")
    assert "of messages" not in run(home, "doctor", code=1)
    assert "1 addresses do not work" in run(home, "doctor", code=1)
    mended = tmp_path / "people.csv"
    mended.write_text("person_id,name,email\nben,Ben,benjamin@cast.example\n")
    run(home, "import", "people", str(mended))
    assert json.loads(run(home, "mail", "bounces", "--json")) == []


# --- tick, work, rehearse -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_tick_twice_at_one_time_does_everything_once(made, home, tmp_path):
    run(home, "rounds", "cadence", "mentoring", a_cadence(tmp_path))
    done = {row["job"]: row for row in json.loads(run(home, "tick", "--now", "2026-03-02T09:05", "--json"))}
    assert not any(row["failed"] for row in done.values())
    assert "opened mentoring-2026-03-02" in done["plan rounds"]["said"]
    assert done["send"]["said"] == "2 accepted"
    assert run(home, "tick", "--now", "2026-03-02T09:05") == "Nothing is due.\n"
    assert len(list((home / "outbox").glob("*.eml"))) == 2
    assert "--now expects" in run(home, "tick", "--now", "yesterday", code=1)


@pytest.mark.slow
def test_a_rehearsal_ends_after_it_starts_and_writes_to_nobody_outside(made, home, tmp_path, monkeypatch):
    run(
        home,
        "rounds",
        "cadence",
        "mentoring",
        a_cadence(tmp_path, "starts_on = 2026-03-02\nopen_days = 3\nreminders_after_days = []\n"),
    )
    span = ("rehearse", "--from", "2026-03-02T06:00", "--until", "2026-03-06T12:00", "--minutes", "720")
    assert "comes after" in run(home, "rehearse", "--from", "2026-03-02", "--until", "2026-03-01", code=1)
    monkeypatch.setenv("RAPPORT_SLACK_URL", "slack://xoxb-1-1-abc/{email}")
    assert "mail_only_to" in run(home, *span, code=1)
    monkeypatch.delenv("RAPPORT_SLACK_URL")
    said = run(home, *span)
    assert "opened mentoring-2026-03-02" in said
    assert "closed mentoring-2026-03-02" in said
    assert "failed" not in said


class Holding(socketserver.StreamRequestHandler):
    """A mail server that holds the first letter until the test lets go."""

    def handle(self) -> None:
        self._say("220 slow.example")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say("354 go on")
                while self.rfile.readline() != b".\r\n":
                    pass
                self.server.n_taken += 1  # type: ignore[attr-defined]
                self.server.has_begun.set()  # type: ignore[attr-defined]
                self.server.may_go_on.wait(60)  # type: ignore[attr-defined]
            self._say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


def holding() -> Any:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Holding)
    server.daemon_threads = True
    server.n_taken, server.has_begun, server.may_go_on = 0, threading.Event(), threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@pytest.mark.slow
def test_work_that_is_told_to_stop_while_it_sends_finishes_and_leaves_nothing_claimed(made, home, monkeypatch):
    today = datetime.now(UTC).date()
    own = {"starts_on": today, "at": "00:00:00", "quiet_weekdays": [], "reminders_after_days": []}
    own |= {"pauses": [], "time_zone": "UTC"}
    with writing(made.raw) as connection:
        decisions = {cadence.DECISION: cadence.kept(cadence.read(own))}
        new = Programme(programme_id="mentoring", name="M", created_at=cast.OPENS, decisions=decisions)
        people.save_programme(connection, new)
        zone = next(z for z in ("UTC", "Asia/Tokyo", "America/Los_Angeles") if awake(z, today))
        for person in (cast.person("ada", time_zone=zone), cast.person("ben", time_zone=zone)):
            people.save_person(connection, person)
    server = holding()
    with_server(monkeypatch, server.server_address[1])
    process = subprocess.Popen([*COMMAND, str(home), "work"], env=os.environ, stdout=subprocess.PIPE, text=True)
    assert server.has_begun.wait(60)
    process.send_signal(signal.SIGTERM)
    server.may_go_on.set()
    assert process.wait(60) == 0
    server.shutdown()
    server.server_close()
    with reading(made.raw) as connection:
        states = outbox.by_state(connection)
    assert states == {"accepted": 2}
    assert server.n_taken == 2


def awake(zone: str, today: date) -> bool:
    """Whether it is that day and no later than the evening there."""
    from zoneinfo import ZoneInfo

    local = datetime.now(ZoneInfo(zone))
    return local.date() >= today and local.hour < 19


# --- backup, restore, doctor ---------------------------------------------------------------------------------


def test_a_backup_while_people_answer_is_of_one_moment_and_comes_back(made, home, tmp_path):
    with writing(made.raw) as connection:
        cast.open_round(connection)
    stop = threading.Event()

    def answer() -> None:
        number = 0
        while not stop.wait(0.001):  # or nobody else would ever have the lock
            number += 1
            with writing(made.raw) as connection:
                people.save_person(connection, cast.person(f"x{number:05d}"))
                people.save_person(connection, cast.person(f"y{number:05d}"))

    writer = threading.Thread(target=answer)
    writer.start()
    try:
        run(home, "backup", str(tmp_path / "kept.zip"))
    finally:
        stop.set()
        writer.join()
    other = tmp_path / "other"
    run(other, "init")
    assert "another secret key" in run(other, "restore", str(tmp_path / "kept.zip"), code=1)
    (other / "secret.key").write_text((home / "secret.key").read_text())
    assert "rows of" in run(other, "restore", str(tmp_path / "kept.zip"))
    back = open_stores(Settings(home=other, secret_key="k" * 48))
    with reading(back.raw) as connection:
        found = {row[0] for row in connection.exec_driver_sql("SELECT person_id FROM people")}
    back.dispose()
    assert {id_[1:] for id_ in found if id_[0] == "x"} == {id_[1:] for id_ in found if id_[0] == "y"}
    assert {"ada", "ben"} <= found
    assert "holds data already" in run(other, "restore", str(tmp_path / "kept.zip"), code=1)
    (tmp_path / "file").write_text("")
    assert "cannot be written" in run(home, "backup", str(tmp_path / "file" / "kept.zip"), code=1)
    assert "cannot be written" in run(home, "backup", str(tmp_path), code=1)


def test_the_doctor_is_red_with_exit_1_and_green_with_0(made, home):
    rows = {row["what"]: row["verdict"] for row in json.loads(run(home, "doctor", "--json", code=1))}
    assert (rows["timetable"], rows["backup"], rows["raw store"]) == ("red", "red", "green")
    assert "has never run" in run(home, "doctor", code=1)
    run(home, "tick")
    run(home, "backup", str(home / "backups" / "rapport-2026-03-02.zip"))
    said = run(home, "doctor")
    assert " red " not in said
    assert {row["verdict"] for row in json.loads(run(home, "doctor", "--json"))} == {"green"}


@pytest.mark.slow
def test_a_store_that_is_no_store_any_more_is_one_sentence(made, home):
    made.dispose()
    (home / "raw.sqlite").write_bytes(b"no database at all, whatever its name says" * 50)
    ended = subprocess.run([*COMMAND, str(home), "doctor"], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "The store cannot be opened" in ended.stderr


@pytest.mark.slow
def test_a_store_that_somebody_holds_is_busy_and_not_broken(made, home):
    holds = sqlite3.connect(home / "raw.sqlite", isolation_level=None)
    holds.execute("BEGIN EXCLUSIVE")
    assert "busy with other work" in run(home, "doctor", code=1)
    holds.close()
    assert "cannot be opened" not in run(home, "doctor", code=1)
