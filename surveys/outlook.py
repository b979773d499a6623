"""Says what lies ahead: the rounds that the calendar will open, and who is due which message when and why."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from data import timetable
from data.errors import RapportError
from data.store import decisions, outbox, people, rounds
from data.store.engine import Connection
from data.store.outbox import ASKING
from data.store.people import Programme
from surveys import cadence as cadences
from surveys import calendar
from surveys.planning import PLAN, programmed
from surveys.sorting import has_come

MOST = 600  # characters of a reply's half


def rounds_ahead(connection: Connection, now: datetime, days: int) -> list[dict[str, Any]]:
    """One row a round that is not there yet and will open in so many days; pairings as they stand today."""
    today = calendar.furthest_day(now)
    rows = []
    for of in programmed(connection):
        pairings = people.pairings_of(connection, of.programme_id)
        known = {each.round_id for each in rounds.rounds_of(connection, of.programme_id)}
        for ahead in range(days + 1):
            for slot in calendar.slots(of.programme_id, of.cadence, pairings, today + timedelta(days=ahead)):
                if slot.round_id not in known and slot.is_worth_opening(today):
                    known.add(slot.round_id)
                    rows.append(
                        {
                            "round": slot.round_id,
                            "programme": slot.programme_id,
                            "number": None,
                            "pulse": slot.pulse,
                            "opens_at": str(max(slot.opens_on, today)),
                            "closes_at": str(slot.closes_on),
                            "state": "planned",
                        }
                    )
    return rows


def messages_ahead(connection: Connection, now: datetime, until: date) -> tuple[list[dict[str, Any]], int]:
    """One row a planned invitation or reminder, and how many messages follow a round.

    Who is thanked and who is asked whether something is wrong is counted only: it would tell who answered. So
    would a reminder whose time has come and that waits for the mail server: those who answered need none.
    """
    planned = outbox.planned(connection, f"{until}T23:59")
    rows = [
        {
            "when": message.due_local.replace("T", " "),
            "zone": message.time_zone,
            "what": message.kind if message.kind == "invitation" else f"{message.kind} {message.sequence}",
            "person": message.person_id,
            "round": message.round_id,
            "why": message.why,
        }
        for message in planned
        if message.kind == "invitation" or message.kind == "reminder" and not has_come(message, now)
    ]
    return rows, sum(message.kind not in ASKING for message in planned)


def decide(connection: Connection, programme_id: str, own: Mapping[str, Any] | None, now: datetime) -> Programme:
    """Give a programme its cadence (None: it stops asking by itself); what is planned follows at the next tick."""
    timetable.hurry(connection, PLAN, now)
    kept = None if own is None else cadences.kept(cadences.read(own))
    decisions.change(connection, programme_id, {cadences.DECISION: kept})
    return people.programme(connection, programme_id)


def reply(connection: Connection, *, round_id: str, said: str, will: str, who: str, now: datetime) -> None:
    """Keep "You said … we will …" for a round that is over; the next mails carry it."""
    of = rounds.read_round(connection, round_id)
    if of.closed_at is None:
        raise RapportError(f"The round {round_id} is still open; what people said is known when it has closed.")
    said, will = said.strip(), will.strip()
    if not (said and will) or max(len(said), len(will)) > MOST:
        raise RapportError(f"Both texts are needed, of at most {MOST} characters each.")
    outbox.write_reply(
        connection, outbox.Reply(round_id=round_id, said=said, will=will, written_by=who, written_at=now)
    )
