"""Keeps what the programme team does for pairings, and reads the operational facts it does it for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select

from data.tables import actions, answers, invitations, pairings, people, responses, rounds

CONTACT = "contact"
DOINGS = ("talked", "wrote", "met", "other")  # what a team may note of a pairing
YES = "yes"


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something the team did. `person_id` and `round_id` name the request to be contacted that it answered."""

    action_id: str
    pairing_id: str
    kind: str
    note: str
    done_on: date
    noted_by: str
    person_id: str | None = None
    round_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """One operational answer that says yes: who was asked about which pairing in which round, and when it came."""

    round_id: str
    pairing_id: str
    side: str
    person_id: str
    name: str
    received_at: datetime
    closed_at: datetime | None


def note(connection: Connection, new: Action) -> None:
    """Keep an action; the same one again changes nothing."""
    known = select(actions.c.action_id).where(actions.c.action_id == new.action_id)
    if connection.execute(known).first() is None:
        connection.execute(insert(actions).values(asdict(new)))


def actions_of(connection: Connection, programme_id: str) -> list[Action]:
    """Every action on a programme's pairings, oldest first."""
    query = (
        select(actions)
        .join(pairings, pairings.c.pairing_id == actions.c.pairing_id)
        .where(pairings.c.programme_id == programme_id)
        .order_by(actions.c.done_on, actions.c.action_id)
    )
    return [Action(**row._mapping) for row in connection.execute(query)]


def said_yes(connection: Connection, programme_id: str, question_id: str) -> list[Told]:
    """Who said yes to a question whose answer goes to the programme team (◉), in order of rounds."""
    query = (
        select(
            invitations.c.round_id,
            invitations.c.pairing_id,
            invitations.c.side,
            invitations.c.person_id,
            people.c.name,
            responses.c.received_at,
            rounds.c.closed_at,
        )
        .join(responses, responses.c.invitation_id == invitations.c.invitation_id)
        .join(answers, answers.c.response_id == responses.c.response_id)
        .join(rounds, rounds.c.round_id == invitations.c.round_id)
        .join(people, people.c.person_id == invitations.c.person_id)
        .where(
            rounds.c.programme_id == programme_id,
            responses.c.is_counted,
            answers.c.question_id == question_id,
            answers.c.value == YES,
        )
        .order_by(rounds.c.number, invitations.c.invitation_id)
    )
    return [Told(**row._mapping) for row in connection.execute(query)]


def asked_days(connection: Connection, programme_id: str, question_id: str) -> list[date]:
    """The closing days of rounds in which anybody answered a question."""
    query = (
        select(rounds.c.closed_at)
        .join(invitations, invitations.c.round_id == rounds.c.round_id)
        .join(responses, responses.c.invitation_id == invitations.c.invitation_id)
        .join(answers, answers.c.response_id == responses.c.response_id)
        .where(rounds.c.programme_id == programme_id, rounds.c.closed_at.is_not(None), responses.c.is_counted)
        .where(answers.c.question_id == question_id)
        .distinct()
    )
    return sorted(moment.date() for moment in connection.execute(query).scalars())


def names_of(connection: Connection, programme_id: str) -> Mapping[str, str]:
    """The name of everybody in a pairing of a programme, by person."""
    sides = (pairings.c.mentor_id, pairings.c.mentee_id)
    found: dict[str, str] = {}
    for side in sides:
        query = select(people.c.person_id, people.c.name).join(pairings, side == people.c.person_id)
        rows = connection.execute(query.where(pairings.c.programme_id == programme_id))
        found |= {row.person_id: row.name for row in rows}
    return found
