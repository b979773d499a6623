"""The cast of the tests: Ada mentors Ben, Cleo is HR, Dan leads, Eve belongs to another programme."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from data.store import people, rounds
from data.store.engine import Connection, Stores, writing
from data.store.people import Pairing, Person, Programme
from data.store.rounds import Round
from surveys import links
from surveys import rounds as calendar
from surveys.questionnaire import Questionnaire, ours

OPENS = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOON = OPENS + timedelta(hours=4)
CLOSES = OPENS + timedelta(days=14)
MENTORING = "mentoring"


@dataclass(frozen=True)
class Pair:
    """One pairing of the tests and the links of its two people."""

    round: Round
    mentor_token: str
    mentee_token: str


def person(person_id: str, name: str | None = None, **more: str) -> Person:
    return Person(person_id=person_id, name=name or person_id.title(), email=f"{person_id}@cast.example", **more)


def introduce(connection: Connection) -> None:
    """Ada and Ben in one programme; Eve is mentored by Finn in another."""
    for programme in (MENTORING, "elsewhere"):
        people.save_programme(connection, Programme(programme_id=programme, name=programme.title(), created_at=OPENS))
    for someone in (person("ada"), person("ben", language="de"), person("eve"), person("finn")):
        people.save_person(connection, someone)
    pair(connection, "P1", "ada", "ben")
    pair(connection, "P9", "finn", "eve", programme_id="elsewhere")


def pair(
    connection: Connection, pairing_id: str, mentor_id: str, mentee_id: str, programme_id: str = MENTORING
) -> None:
    """A pairing that started before the first round."""
    people.save_pairing(
        connection,
        Pairing(
            pairing_id=pairing_id,
            programme_id=programme_id,
            mentor_id=mentor_id,
            mentee_id=mentee_id,
            started_on=date(2026, 2, 1),
        ),
    )


def open_round(
    connection: Connection,
    round_id: str = "R1",
    *,
    pulse: str = "pulse",
    programme_id: str = MENTORING,
    questionnaire: Questionnaire | None = None,
    opens_at: datetime = OPENS,
) -> Round:
    return calendar.open_round(
        connection,
        questionnaire=questionnaire or ours(),
        round_id=round_id,
        programme_id=programme_id,
        pulse=pulse,
        opens_at=opens_at,
        closes_at=opens_at + timedelta(days=14),
    )


def ada_and_ben(stores: Stores, pulse: str = "pulse") -> Pair:
    """The cast, an open round, and a link for each of the two."""
    with writing(stores.raw) as connection:
        introduce(connection)
        first = open_round(connection, pulse=pulse)
        return Pair(first, link(connection, "ada"), link(connection, "ben"))


def link(connection: Connection, person_id: str, round_id: str = "R1") -> str:
    of = rounds.read_round(connection, round_id)
    return links.make(connection, purpose="answer", person_id=person_id, of=of, now=OPENS)
