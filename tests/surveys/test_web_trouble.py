"""A full disk, a busy store, a restart, an outcome that nobody knows: never "saved" too early, never an answer gone."""

import asyncio
import logging
import os
import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from data import settings as reading_settings
from data.errors import RapportError
from data.settings import Settings
from data.store import engine
from data.store.engine import DurabilityError, Stores, migrate, open_stores, reading, writing
from data.tables import responses
from surveys.storing import Waiting, commit
from surveys.web import create_app
from tests.conftest import KEY
from tests.support import cast
from tests.support.crowd import invited
from tests.support.quick_server import QuickServer
from tests.support.visitors import Visitor, filled, played
from tests.surveys.test_web import BASE, fields_of, questions_of, rows


@pytest.fixture
def pair(sqlite_stores: Stores) -> cast.Pair:
    return cast.ada_and_ben(sqlite_stores)


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, secret_key=KEY)


@pytest.fixture
def phone(sqlite_stores: Stores, settings: Settings) -> TestClient:
    return TestClient(create_app(settings, sqlite_stores, lambda: cast.NOON), base_url=BASE)


def page_of(phone: TestClient, token: str, comment: str = "") -> dict[str, str]:
    page = phone.get(f"/a/{token}").text
    return fields_of(page) | dict.fromkeys(questions_of(page)[:7], "4") | {"comment": comment}


def not_confirmed(answered: object, comment: str) -> dict[str, str]:
    """The page says so and holds every answer; gives the fields to press again with."""
    assert answered.status_code == 503
    assert "Not confirmed" in answered.text or "Nicht bestätigt" in answered.text
    chosen = dict(re.findall(r'name="([^"]+)" value="([^"]+)" checked', answered.text))
    assert len(chosen) == 7
    assert f">{comment}</textarea>" in answered.text
    return fields_of(answered.text) | chosen | {"comment": comment}


def test_a_full_disk_keeps_the_answers_on_the_page_until_there_is_room(phone, pair, sqlite_stores):
    full = {"is": True}

    @event.listens_for(sqlite_stores.raw, "checkout")
    def _limit(connection, _record, _proxy):
        cursor = connection.cursor()
        pages = cursor.execute("PRAGMA page_count").fetchone()[0] if full["is"] else 1 << 30
        cursor.execute(f"PRAGMA max_page_count={pages}")

    comment = "x" * 2000
    fields = page_of(phone, pair.mentee_token, comment)
    said = [phone.post("/answer", data=fields)]
    while said[-1].status_code == 200:  # the last page of the file may still have had room
        said.append(phone.post("/answer", data=page_of(phone, pair.mentee_token, comment)))
    kept = rows(sqlite_stores, responses)
    again = not_confirmed(said[-1], comment)
    assert not_confirmed(phone.post("/answer", data=again), comment)
    full["is"] = False
    assert phone.post("/answer", data=again).url.path == "/thanks"
    assert rows(sqlite_stores, responses) == kept + 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 3 MB; skips where this account may not mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True)
    if not made or made.returncode != 0:
        pytest.skip("this account may not mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_really_full_disk_is_not_ready_and_loses_nothing(small_disk, monkeypatch):
    monkeypatch.setattr(engine, "SPARE_BYTES", 64 * 1024)
    settings = Settings(home=small_disk / "home", secret_key=KEY)
    stores = open_stores(settings)
    migrate(stores)
    pair, clock = cast.ada_and_ben(stores), Ticking()
    with TestClient(create_app(settings, stores, clock), base_url=BASE) as phone:
        assert phone.get("/readyz").status_code == 200
        fields = page_of(phone, pair.mentee_token, "y" * 1500)
        _fill(small_disk / "rest")
        clock.tick()
        assert phone.get("/readyz").status_code == 503
        again = not_confirmed(phone.post("/answer", data=fields), "y" * 1500)
        assert rows(stores, responses) == 0
        (small_disk / "rest").unlink()
        clock.tick()
        assert phone.get("/readyz").status_code == 200
        assert phone.post("/answer", data=again).url.path == "/thanks"
        assert rows(stores, responses) == 1


class Ticking:
    now = cast.NOON

    def __call__(self):
        return self.now

    def tick(self) -> None:
        self.now += cast.timedelta(seconds=2)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65536, 1024, 1):
            try:
                while file.write(b"0" * size):
                    pass
            except OSError:
                continue


@pytest.fixture
def impatient_phone(sqlite_stores, settings, pair) -> Iterator[TestClient]:
    """A server that waits a twentieth of a second for a lock instead of five."""
    raw = engine.sqlite_engine(str(sqlite_stores.raw.url.database), busy_timeout_ms=50)
    stores = Stores(raw, sqlite_stores.published, sqlite_stores.access)
    with TestClient(create_app(settings, stores, lambda: cast.NOON), base_url=BASE) as phone:
        yield phone


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_busy_store_keeps_the_answers_on_the_page(impatient_phone, pair, sqlite_stores, lock):
    """Somebody writes (the page can be read), or commits without end (not even the questions can)."""
    fields = page_of(impatient_phone, pair.mentee_token, "bleibt")
    holder = sqlite3.connect(str(sqlite_stores.raw.url.database), isolation_level=None)
    holder.execute(lock)
    refused = impatient_phone.post("/answer", data=fields)
    if lock == "BEGIN IMMEDIATE":
        again = not_confirmed(refused, "bleibt")
        assert impatient_phone.get("/answer").status_code == 200
    else:
        assert refused.status_code == 503
        assert "Nicht bestätigt" in refused.text or "Not confirmed" in refused.text
        again = fields_of(refused.text)
        assert again == fields
        assert impatient_phone.get("/answer").status_code == 503
    holder.execute("ROLLBACK")
    holder.close()
    assert impatient_phone.post("/answer", data=again).url.path == "/thanks"
    assert rows(sqlite_stores, responses) == 1


def test_a_store_waits_five_seconds_for_its_turn(sqlite_stores):
    with reading(sqlite_stores.raw) as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() >= 5_000


def test_a_restart_in_the_middle_of_filling_loses_nothing(phone, pair, sqlite_stores, settings):
    fields = page_of(phone, pair.mentee_token)
    restarted = TestClient(create_app(settings, sqlite_stores, lambda: cast.NOON), base_url=BASE, cookies=phone.cookies)
    assert restarted.post("/answer", data=fields).url.path == "/thanks"
    assert rows(sqlite_stores, responses) == 1


def test_an_unknown_outcome_is_not_called_saved_and_pressing_again_gives_one_receipt(phone, pair, sqlite_stores):
    """The commit is on the disk, but its answer never came back."""
    dialect = sqlite_stores.raw.dialect
    really = dialect.do_commit

    def commit_and_lose_the_answer(connection):
        really(connection)
        raise sqlite3.OperationalError("disk I/O error")

    fields = page_of(phone, pair.mentee_token, "c")
    dialect.do_commit = commit_and_lose_the_answer
    again = not_confirmed(phone.post("/answer", data=fields), "c")
    dialect.do_commit = really
    assert rows(sqlite_stores, responses) == 1
    receipts = {re.search(r"<code>(\w+)</code>", phone.post("/answer", data=again).text)[1] for _ in range(2)}
    assert len(receipts) == 1
    assert rows(sqlite_stores, responses) == 1


def test_a_connection_that_lost_its_durability_takes_no_answer(phone, pair, sqlite_stores):
    def turn_off(connection, _record, _proxy):
        connection.execute("PRAGMA synchronous=OFF")

    fields = page_of(phone, pair.mentee_token, "c")
    event.listen(sqlite_stores.raw, "checkout", turn_off)
    not_confirmed(phone.post("/answer", data=fields), "c")
    with pytest.raises(DurabilityError, match="could be lost"), writing(sqlite_stores.raw):
        pass
    event.remove(sqlite_stores.raw, "checkout", turn_off)
    assert rows(sqlite_stores, responses) == 0
    assert issubclass(DurabilityError, RapportError)


@pytest.mark.parametrize(
    ("version", "journal"),
    [
        ((3, 40, 1), "truncate"),
        ((3, 44, 5), "truncate"),
        ((3, 44, 6), "wal"),
        ((3, 45, 0), "truncate"),
        ((3, 50, 7), "wal"),
        ((3, 51, 2), "truncate"),
        ((3, 51, 3), "wal"),
        ((3, 54, 1), "wal"),
    ],
)
def test_wal_only_where_its_reset_is_mended(version, journal):
    assert engine.journal_for(version) == journal


def test_how_answers_are_kept_is_said_in_a_sentence(stores):
    said = engine.keeps_how(stores.raw)
    if stores.raw.dialect.name == "postgresql":
        assert said.endswith("with synchronous commits.")
    else:
        wal = engine.journal_for(sqlite3.sqlite_version_info) == "wal"
        assert sqlite3.sqlite_version in said
        assert ("rollback journal" in said) is not wal


def test_a_store_that_cannot_be_written_is_not_ready(stores):
    assert engine.is_writable(stores.raw)
    if stores.raw.dialect.name == "postgresql":
        event.listen(stores.raw, "checkout", lambda raw, *_: raw.execute("SET TRANSACTION READ ONLY"))
    else:
        event.listen(stores.raw, "checkout", lambda raw, *_: raw.execute("PRAGMA query_only = on"))
    assert not engine.is_writable(stores.raw)


# --- several at once ------------------------------------------------------------------------------


def waiting(loop: asyncio.AbstractEventLoop, work) -> Waiting:
    return Waiting(work, loop.create_future())


def naming(name: str):
    def work(connection):
        connection.exec_driver_sql(f"UPDATE programmes SET name = '{name}' WHERE programme_id = '{name}'")
        return name

    return work


def test_one_failure_neither_fails_nor_stores_another(sqlite_stores, pair):
    def fail(connection):
        connection.exec_driver_sql("UPDATE programmes SET name = 'half'")
        raise RapportError("This one is refused.")

    def fail_in_the_store(connection):
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    loop = asyncio.new_event_loop()
    batch = [waiting(loop, work) for work in (naming("mentoring"), fail, fail_in_the_store, naming("elsewhere"))]
    commit(sqlite_stores.raw, batch)
    loop.close()
    assert [each.found for each in batch] == ["mentoring", None, None, "elsewhere"]
    assert [type(each.error) for each in batch] == [type(None), RapportError, OperationalError, type(None)]
    with reading(sqlite_stores.raw) as connection:
        assert set(connection.exec_driver_sql("SELECT name FROM programmes").scalars()) == {"mentoring", "elsewhere"}


def test_a_commit_that_fails_is_told_to_everyone_in_it(sqlite_stores, pair):
    def refuse(_connection):
        raise sqlite3.OperationalError("database or disk is full")

    loop = asyncio.new_event_loop()
    batch = [waiting(loop, naming("mentoring")), waiting(loop, naming("elsewhere"))]
    sqlite_stores.raw.dialect.do_commit, really = refuse, sqlite_stores.raw.dialect.do_commit
    commit(sqlite_stores.raw, batch)
    sqlite_stores.raw.dialect.do_commit = really
    loop.close()
    assert [isinstance(each.error, OperationalError) for each in batch] == [True, True]


# --- the real server ------------------------------------------------------------------------------


@pytest.fixture
def server(home: Path) -> Iterator[tuple[QuickServer, Stores, str]]:
    reading_settings.make_home(home)
    settings = reading_settings.load(home)
    stores = open_stores(settings)
    migrate(stores)
    token = invited(stores, settings, 1, reading_settings.now())[0]
    started = QuickServer(home)
    started.start()
    yield started, stores, token
    started.close()
    stores.dispose()


async def _stopped_while_it_stores(running: QuickServer, stores: Stores, token: str) -> int:
    """The store is busy while the answer arrives; the server is told to stop; then the store is free."""
    visitor = Visitor(running.port)
    await visitor.ask("GET", f"/a/{token}")
    page = await visitor.ask("GET", "/answer")
    holder = sqlite3.connect(str(stores.raw.url.database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    sending = asyncio.create_task(visitor.ask("POST", "/answer", filled(page.text)))
    while not _has_open(running.pids()[1], "raw.sqlite-journal", "raw.sqlite", of=2):
        await asyncio.sleep(0.005)
    running.stop()
    while await _accepts(running.port):
        await asyncio.sleep(0.005)
    assert not sending.done()
    holder.execute("ROLLBACK")
    holder.close()
    return (await sending).status


def _has_open(pid: int, *names: str, of: int) -> bool:
    """The writer has connected: the process holds the store's file twice, once for reading and once for writing."""
    links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()]
    return sum(link.endswith(names) for link in links) >= of


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def test_a_stop_finishes_the_request_under_way(server):
    running, stores, token = server
    assert played(_stopped_while_it_stores(running, stores, token)) == 303
    assert rows(stores, responses) == 1


def test_tokens_and_answers_never_reach_a_log(server, home):
    """Links known, unknown and broken, a store that fails, a page that does not exist; then every line is read."""
    running, stores, token = server
    unknown = "A" * 43

    async def visits() -> None:
        visitor = Visitor(running.port)
        await visitor.ask("GET", f"/a/{unknown}")
        await visitor.ask("GET", f"/a/{token}/x")
        await visitor.ask("GET", f"/a/{token}")
        page = await visitor.ask("GET", "/answer")
        with writing(stores.raw) as connection:
            connection.exec_driver_sql("ALTER TABLE answers RENAME TO answers_away")
        fields = filled(page.text) | {"comment": "said in confidence"}
        assert (await visitor.ask("POST", "/answer", fields)).status == 503
        assert (await visitor.ask("POST", "/draft", fields)).status == 303
        with writing(stores.raw) as connection:
            connection.exec_driver_sql("ALTER TABLE links RENAME TO links_away")
        assert (await visitor.ask("GET", f"/a/{token}")).status == 503
        assert (await visitor.ask("POST", "/answer", fields)).status == 503
        visitor.hang_up()

    played(visits())
    written = (home / "serve.log").read_text()
    assert "an answer was not confirmed" in written
    assert "the store did not answer" in written
    for secret in (token, unknown, "said in confidence"):
        assert secret not in written


def test_no_logger_hears_a_token(phone, pair, sqlite_stores, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("rapport.answers").debug("this is heard")
    fields = page_of(phone, pair.mentee_token, "said in confidence")
    phone.get(f"/a/{'A' * 43}")
    phone.post("/answer", data=fields)
    heard = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "this is heard" in heard
    for secret in (pair.mentee_token, "said in confidence", phone.cookies["rapport-answer"]):
        assert secret not in heard


def test_the_writer_ends_with_its_server(sqlite_stores, settings, pair):
    before = set(threading.enumerate())
    with TestClient(create_app(settings, sqlite_stores, lambda: cast.NOON), base_url=BASE) as phone:
        assert phone.post("/answer", data=page_of(phone, pair.mentee_token)).url.path == "/thanks"
        assert [thread.name for thread in set(threading.enumerate()) - before].count("writer") == 1
    assert [thread.name for thread in set(threading.enumerate()) - before].count("writer") == 0
