"""The job that writes and sends reports: each once, to each reader once, whatever the mail server does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from dashboard import jobs
from data.settings import Settings
from data.store.engine import Stores, migrate, open_stores, writing
from data.tables import releases
from surveys import jobs as surveys_jobs
from tests.conftest import KEY
from tests.dashboard.made_releases import NOW, make_release
from tests.support.mailbox import Mailbox
from tests.support.rude_mail import RudeMail
from tests.support.serving import free_port

READERS = "dan@cast.example, cleo@cast.example"


@pytest.fixture
def made(home: Path) -> Iterator[Stores]:
    """One release of one programme."""
    stores = open_stores(Settings(home=home, secret_key=KEY))
    migrate(stores)
    make_release(stores, 1, key=KEY)
    yield stores
    stores.dispose()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Reports as a few bytes: what is in them is another test's subject. Returns what was written."""
    from dashboard.reports import write

    written: list[str] = []

    def render(report: Any) -> bytes:
        written.append(report.release)
        return f"%PDF {report.release} {report.language}".encode()

    monkeypatch.setattr(write, "FORMATS", dict.fromkeys(write.FORMATS, render))
    return written


def settings(home: Path, port: int, **more: Any) -> Settings:
    own = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "mail_from": "m@example.org"}
    return Settings(**{"home": home, "secret_key": KEY, "report_readers": READERS, **own, **more})


def run(chosen: Settings) -> str:
    job, _monday = jobs.jobs(chosen, surveys_jobs.deliver(chosen), surveys_jobs.tell(chosen))
    return str(job.run(NOW))  # type: ignore[call-arg,arg-type]


def test_a_report_is_written_once_and_sent_once_to_each_reader(made, home, quick):
    with Mailbox() as mailbox:
        said = run(settings(home, mailbox.port))
        assert said.startswith("wrote rapport-")
        assert said.endswith("sent 2 reports")
        assert [run(settings(home, mailbox.port)) for _ in range(2)] == ["", ""]
        assert sorted(each.recipient for each in mailbox.received) == ["cleo@cast.example", "dan@cast.example"]
        (attached,) = mailbox.received[0].mail.iter_attachments()
    (path,) = (home / "reports").glob("*-en.pdf")
    assert attached.get_content() == path.read_bytes()
    assert len(quick) == 8  # four formats in two languages


def test_a_reader_who_is_named_later_gets_the_newest_and_nobody_twice(made, home, quick):
    with Mailbox() as mailbox:
        run(settings(home, mailbox.port, report_readers="dan@cast.example"))
        newest = make_release(made, 2, key=KEY)
        assert run(settings(home, mailbox.port)).endswith("sent 2 reports")
        names = [
            (each.recipient[:3], next(iter(each.mail.iter_attachments())).get_filename()) for each in mailbox.received
        ]
    assert sorted(name for reader, name in names if reader == "cle") == [f"rapport-{newest}-en.pdf"]
    assert len(names) == len(set(names)) == 3


def test_a_withdrawn_release_is_not_sent_any_more(made, home, quick):
    run(settings(home, free_port()))  # written; the mail server is away
    with writing(made.published) as connection:
        connection.execute(update(releases).values(withdrawn_at=NOW, withdrawn_reason="wrong file"))
    with Mailbox() as mailbox:
        assert run(settings(home, mailbox.port)) == ""
        assert mailbox.received == []


def test_a_staging_installation_sends_to_its_list_only(made, home, quick):
    with Mailbox() as mailbox:
        for _ in range(2):
            run(settings(home, mailbox.port, mail_only_to="DAN@cast.example"))
        assert [each.recipient for each in mailbox.received] == ["dan@cast.example"]


def test_a_mail_server_that_fails_is_tried_again_and_no_reader_gets_two(made, home, quick):
    assert "sent" not in run(settings(home, free_port()))
    with RudeMail(3, ("greylist", "hang up in the content", "hang up after the dot", "take")) as rude:
        for _ in range(40):
            run(settings(home, rude.port))
        assert {name: len(seen.taken) for name, seen in rude.seen.items()} == dict.fromkeys(
            ("dan@cast.example", "cleo@cast.example"), 1
        )


def test_a_report_that_a_worker_died_writing_is_not_taken_for_one(made, home, quick, monkeypatch):
    def die(*_words: Any) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", die)
        with pytest.raises(SystemExit):
            run(settings(home, free_port()))
    assert list((home / "reports").glob("rapport-*")) == []
    with Mailbox() as mailbox:
        assert run(settings(home, mailbox.port)).endswith("sent 2 reports")
