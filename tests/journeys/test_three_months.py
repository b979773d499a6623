"""Three months of a programme of 120 pairings, walked in simulated time with a real mail server.

Who answers when is laid down per person, so that every mail can be foretold from the calendar alone.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from data import timetable
from data.settings import Settings
from data.store import outbox, people, rounds
from data.store.engine import Connection, Stores, reading, writing
from data.store.people import Pairing, Programme
from data.timetable import Job
from pipeline import jobs as pipeline_jobs
from surveys import cadence
from surveys import jobs as surveys_jobs
from surveys.web import create_app
from tests.conftest import KEY
from tests.support.cast import person
from tests.support.mailbox import Mailbox, Received

N_PAIRS = 120
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 5, 31, tzinfo=UTC)
# Every four weeks from Monday 2 March; 30 March is a holiday here, so that round asks a day later.
CADENCE = {
    "starts_on": date(2026, 3, 2),
    "time_zone": "Europe/Berlin",
    "holidays": [date(2026, 3, 30)],
    "channel": "email",
}
ASKED = (date(2026, 3, 2), date(2026, 3, 31), date(2026, 4, 27), date(2026, 5, 25))
# Days after the invitation on which each kind of person answers, round by round; 99: not at all.
HABITS = ((0, 0, 0, 0), (1, 1, 99, 1), (4, 5, 6, 2), (8, 8, 8, 3), (99, 99, 99, 99), (99, 99, 0, 0))


def habit(number: int) -> tuple[int, ...]:
    return HABITS[number % len(HABITS)]


def foretold() -> Counter[tuple[str, str, date]]:
    """Person, kind and local day of every mail until the end, by the rules as the README tells them."""
    mails: Counter[tuple[str, str, date]] = Counter()
    for number in range(2 * N_PAIRS):
        id_ = f"p{number:03d}"
        missed = 0
        for day, answers in zip(ASKED, habit(number), strict=True):
            mails[id_, "invitation", day] += 1
            for after in (3, 7):
                reminded = _weekday(day + timedelta(days=after))
                if answers >= (reminded - day).days and reminded <= date(2026, 5, 29):
                    mails[id_, "reminder", reminded] += 1
            missed = 0 if answers < 10 else missed + 1
            over = _weekday(day + timedelta(days=11))
            if over > date(2026, 5, 29):
                continue
            if answers < 10:
                mails[id_, "thanks", over] += 1
            elif missed == 2:
                mails[id_, "missed", over] += 1
    return mails


def _weekday(day: date) -> date:
    while day.isoweekday() > 5:
        day += timedelta(days=1)
    return day


def a_programme(stores: Stores) -> None:
    with writing(stores.raw) as connection:
        decisions = {cadence.DECISION: cadence.kept(cadence.read(CADENCE))}
        people.save_programme(
            connection,
            Programme(programme_id="mentoring", name="Mentoring", created_at=START, decisions={**_gate(), **decisions}),
        )
        for number in range(2 * N_PAIRS):
            language = "de" if number % 3 == 0 else "en"
            zone = ZONES[number % len(ZONES)]
            people.save_person(connection, person(f"p{number:03d}", language=language, time_zone=zone))
        for number in range(N_PAIRS):
            _pair(connection, number)


def _gate() -> dict[str, object]:
    return {"attributes": [], "score_n": 5, "staying_n": 20, "two_way_n": 10, "comment_n": 10}


def _pair(connection: Connection, number: int) -> None:
    people.save_pairing(
        connection,
        Pairing(
            pairing_id=f"P{number:03d}",
            programme_id="mentoring",
            mentor_id=f"p{2 * number:03d}",
            mentee_id=f"p{2 * number + 1:03d}",
            started_on=date(2026, 2, 20),
        ),
    )


class Phones:
    """The people of the programme: each opens the link of an invitation and answers when their habit says so."""

    def __init__(self, settings: Settings, stores: Stores, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._settings, self._stores = settings, stores
        self._seen = 0
        self._due: list[tuple[datetime, str]] = []

    def job(self, clock) -> Job:
        def answer(now: datetime) -> str:
            self._look(now)
            due = [each for each in self._due if each[0] <= now]
            self._due = [each for each in self._due if each[0] > now]
            with TestClient(create_app(self._settings, self._stores, clock), base_url="http://127.0.0.1:8051") as phone:
                for _, link in due:
                    _answer(phone, link)
            return ""

        return Job("people answer", timedelta(minutes=30), answer, "outside")

    def _look(self, now: datetime) -> None:
        new = self._mailbox.received[self._seen :]
        self._seen += len(new)
        for each in new:
            number = int(each.recipient[1:4])
            day = _local_day(each, number)
            if kind_of(each) == "invitation" and habit(number)[ASKED.index(day)] < 10:
                wait = timedelta(days=habit(number)[ASKED.index(day)], hours=2)
                self._due.append((now + wait, each.link()))


def _answer(phone: TestClient, link: str) -> None:
    page = phone.get(link).text
    fields = {
        name: unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    }
    for name, value in re.findall(r'type="radio" name="(q:[^"]+)" value="([^"]*)"', page):
        fields.setdefault(name, value)
    assert phone.post("/answer", data=fields).url.path == "/thanks"
    phone.cookies.clear()


def kind_of(received: Received) -> str:
    subject = str(received.mail["Subject"])
    starts = {
        "invitation": ("Your mentoring with", "Dein Mentoring mit"),
        "reminder": ("A reminder", "Zur Erinnerung"),
        "thanks": ("Thank you", "Danke"),
        "missed": ("Is anything", "Steht etwas"),
    }
    return next(kind for kind, start in starts.items() if subject.startswith(start))


def _local_day(received: Received, number: int) -> date:
    local = received.sent_at.astimezone(ZoneInfo(ZONES[number % len(ZONES)]))
    # The clock is looked at four times a day; mail is sent from nine, and not at night.
    assert time(9) <= local.time() < time(20)
    return local.date()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as running:
        yield running


@pytest.mark.slow
def test_exactly_the_mails_that_the_calendar_promises(sqlite_stores, home, mailbox):
    settings = Settings(
        home=home, secret_key=KEY, organisation="Example Ltd", mail_from="mentoring@example.org",
        smtp_host="127.0.0.1", smtp_port=mailbox.port, smtp_security="none",
    )  # fmt: skip
    a_programme(sqlite_stores)
    phones = Phones(settings, sqlite_stores, mailbox)
    failed: list[object] = []

    def jobs_of(clock) -> list[Job]:
        ours = surveys_jobs.jobs(sqlite_stores, settings, clock)
        return [*ours, phones.job(clock), *pipeline_jobs.jobs(sqlite_stores, settings)]

    timetable.rehearse(
        sqlite_stores.raw,
        jobs_of,
        start=START,
        end=END,
        step=timedelta(hours=6),
        tell=lambda now, done: failed.append((now, done)) if done.has_failed else None,
    )
    assert failed == []
    sent = Counter(
        (each.recipient[:4], kind_of(each), _local_day(each, int(each.recipient[1:4]))) for each in mailbox.received
    )
    promised = foretold()
    assert sent - promised == Counter()
    assert promised - sent == Counter()
    assert len({str(each.mail["Message-ID"]) for each in mailbox.received}) == len(mailbox.received)
    with reading(sqlite_stores.raw) as connection:
        assert set(outbox.by_state(connection)) <= {"accepted", "skipped", "planned"}
        assert [each.closed_at is not None for each in rounds.rounds_of(connection)] == [True, True, True, False]
