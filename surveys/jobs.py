"""Does the work on rounds that commands, the demo and the timetable ask for."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from data.demo.answering import Filled
from data.errors import RapportError
from data.imports.report import ImportReport
from data.settings import Settings
from data.store import people, rounds
from data.store.answers import Submission, store_response
from data.store.engine import Stores, reading, writing
from data.store.rounds import Ask, Round
from data.timetable import Job
from surveys import closing, links, timetable
from surveys import rounds as calendar
from surveys.answers import Form, prepare
from surveys.exchange.take import import_answers
from surveys.questionnaire import ours

DEFAULT_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class PersonalLink:
    """A link to send to one person; whoever has it can answer for them."""

    person_id: str
    name: str
    side: str
    others: tuple[str, ...]
    url: str


def jobs(stores: Stores, settings: Settings, clock: Callable[[], datetime]) -> list[Job]:
    """What this room does by the timetable."""
    return timetable.jobs(stores, settings, clock)


def deliver(settings: Settings) -> Callable[[Path, str], bool]:
    """Sends a file to one reader by mail; true where it was accepted."""
    return timetable.deliver(settings)


def open_round(
    stores: Stores,
    *,
    round_id: str,
    programme_id: str | None,
    pulse: str,
    opens_at: datetime,
    closes_at: datetime,
) -> Round:
    """Open the next round of a programme; without one named, of the only programme there is."""
    with writing(stores.raw) as connection:
        return calendar.open_round(
            connection,
            questionnaire=ours(),
            round_id=round_id,
            programme_id=programme_id or _only_programme([p.programme_id for p in people.programmes_kept(connection)]),
            pulse=pulse,
            opens_at=opens_at,
            closes_at=closes_at,
        )


def _only_programme(known: list[str]) -> str:
    if len(known) != 1:
        raise RapportError(
            f"Say which programme with --programme; there {'is none yet' if not known else 'are ' + ', '.join(known)}."
        )
    return known[0]


def close_round(stores: Stores, round_id: str, now: datetime) -> None:
    """End a round now."""
    with writing(stores.raw) as connection:
        closing.close(connection, round_id, now)


def close_due(stores: Stores, now: datetime) -> list[str]:
    """End every round whose time is over; returns their ids."""
    with writing(stores.raw) as connection:
        return closing.close_due(connection, now)


def make_links(stores: Stores, settings: Settings, round_id: str, now: datetime) -> list[PersonalLink]:
    """A fresh personal link for everyone asked in a round; one a person, also in two pairings."""
    with writing(stores.raw) as connection:
        of = rounds.read_round(connection, round_id)
        by_person = calendar.people_asked(rounds.invitations_of(connection, round_id))
        return [
            PersonalLink(
                person_id=person_id,
                name=people.person(connection, person_id).name,
                side=asked[0].side,
                others=tuple(ask.other_name for ask in rounds.asks_of(connection, round_id, person_id)),
                url=f"{settings.public_answers_url}/a/"
                + links.make(connection, purpose="answer", person_id=person_id, of=of, now=now),
            )
            for person_id, asked in by_person.items()
        ]


def forms_of(stores: Stores, round_id: str) -> list[Form]:
    """Every form of a round, as its pages would show it."""
    with reading(stores.raw) as connection:
        asked: list[Ask] = [
            ask
            for person_id in calendar.people_asked(rounds.invitations_of(connection, round_id))
            for ask in rounds.asks_of(connection, round_id, person_id)
        ]
        return [prepare(connection, ask) for ask in asked]


def store_all(stores: Stores, submissions: Iterable[Submission]) -> int:
    """Store submissions in one transaction; returns how many."""
    with writing(stores.raw) as connection:
        return len([store_response(connection, submission) for submission in submissions])


def answer_with(stores: Stores, round_id: str, fill: Callable[[Form], Filled | None]) -> int:
    """Store what `fill` says for every form of a round (None: this person stays silent); returns how many."""
    submissions = []
    for form in forms_of(stores, round_id):
        filled = fill(form)
        if filled is not None:
            submissions.append(_submission(form, filled))
    return store_all(stores, submissions)


def _submission(form: Form, filled: Filled) -> Submission:
    return Submission(
        invitation_id=form.ask.invitation_id,
        submission_id=f"demo:{form.ask.invitation_id}",
        received_at=form.round.opens_at + timedelta(days=filled.day),
        source="demo",
        language=form.ask.language,
        answers=filled.answers,
        goal_levels=filled.goal_levels,
        comment=filled.comment,
        is_comment_for_release=filled.is_comment_for_release,
    )


def open_rounds(stores: Stores, now: datetime) -> list[str]:
    """The ids of the rounds that take answers now."""
    with reading(stores.raw) as connection:
        return [entry.round_id for entry in rounds.rounds_of(connection) if entry.takes_answers(now)]


def send_late(stores: Stores, round_id: str, path: Path, n_late: int) -> ImportReport:
    """Answers by file, written a day after the round closed: each is quarantined as late, none is lost."""
    forms = forms_of(stores, round_id)[:n_late]
    late_at = forms[0].round.closes_at + timedelta(days=1)
    question_ids = sorted({question.id for form in forms for question in form.questions})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["pairing_id", "side", "submitted_at", *question_ids])
        for form in forms:
            asked = {question.id for question in form.questions}
            cells = ["4" if question_id in asked else "" for question_id in question_ids]
            writer.writerow([form.ask.pairing_id, form.ask.side, late_at.isoformat(), *cells])
    return import_answers(stores, path=path, tool="csv", round_id=round_id, now=late_at)
