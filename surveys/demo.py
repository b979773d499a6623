"""Answers the demo's rounds as its made-up people would."""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from data.demo.answering import Filled, Respondents
from data.imports.report import ImportReport
from data.store import rounds
from data.store.answers import Submission, store_response
from data.store.engine import Stores, reading, writing
from data.store.rounds import Ask
from surveys import rounds as calendar
from surveys.answers import Form, prepare
from surveys.exchange.take import import_answers
from surveys.jobs import close_due, open_round

PROGRAMME = "mentoring"
LATE_ANSWERS = 3  # three people answer by file after a round closed
GUIDES = ("Ada Okafor", "Ben Lindqvist")  # their links are the demo's, so they have not answered the open round
WHOLE_ROUND, UNTIL_TODAY = 14.0, 2.0  # days of a round in which people may answer
Tell = Callable[[str], None]


def answer_rounds(
    stores: Stores, folder: Path, days: Sequence[tuple[date, date]], respondents: Respondents, tell: Tell
) -> None:
    """Every round in turn: kickoff first, a milestone every fourth, the last one left open; `tell` hears of each."""
    for number, (opens_on, closes_on) in enumerate(days, 1):
        is_open = number == len(days)
        pulse = "kickoff" if number == 1 else "milestone" if number % 4 == 0 else "pulse"
        until_day = UNTIL_TODAY if is_open else WHOLE_ROUND
        round_id = f"{PROGRAMME}-{number}"
        n_answers = _ask(stores, round_id, pulse, (opens_on, closes_on), respondents, until_day)
        if not is_open:
            close_due(stores, _morning(closes_on) + timedelta(minutes=1))
        if number == 2:
            send_late(stores, round_id, folder / "late.csv", LATE_ANSWERS)
        tell(f"  {round_id} ({pulse}): {n_answers} answered{', still open' if is_open else ''}")


def answer_kickoff(stores: Stores, programme_id: str, ends: date, respondents: Respondents) -> int:
    """One kickoff of a programme that has begun long ago, closed a day before `ends`; returns how many answered."""
    days = (ends - timedelta(days=13), ends)
    round_id = f"{programme_id}-1"
    n_answers = _ask(stores, round_id, "kickoff", days, respondents, WHOLE_ROUND, programme_id)
    close_due(stores, _morning(ends) + timedelta(minutes=1))
    return n_answers


def _ask(
    stores: Stores,
    round_id: str,
    pulse: str,
    days: tuple[date, date],
    respondents: Respondents,
    until_day: float,
    programme_id: str = PROGRAMME,
) -> int:
    opens_at, closes_at = (_morning(day) for day in days)
    opened = open_round(
        stores, round_id=round_id, programme_id=programme_id, pulse=pulse, opens_at=opens_at, closes_at=closes_at
    )
    return answer_with(stores, round_id, _answering(respondents, opened.number, until_day))


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(7), UTC)


def _answering(respondents: Respondents, number: int, until_day: float) -> Callable[[Form], Filled | None]:
    """Who answers a form, and what; in the open round nobody has answered later than today, the guides not yet."""

    def fill(form: Form) -> Filled | None:
        filled = respondents.fill(
            pairing_id=form.ask.pairing_id,
            person_id=form.ask.person_id,
            side=form.ask.side,
            language=form.ask.language,
            round_number=number,
            questions=[*form.questions, *form.operational],
            goal_ids=[goal.goal_id for goal in form.goals],
        )
        is_guide = until_day < WHOLE_ROUND and form.ask.other_name in GUIDES
        return None if filled is None or filled.day > until_day or is_guide else filled

    return fill


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
