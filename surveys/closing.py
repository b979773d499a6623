"""Ends rounds: no answer is taken any more, nobody is asked any more."""

from datetime import datetime

from data.store import drafts, outbox, rounds
from data.store.engine import Connection


def close(connection: Connection, round_id: str, now: datetime) -> None:
    """End a round now; drafts end with it."""
    rounds.close_round(connection, round_id, now)
    drafts.forget_drafts(connection, round_id)
    outbox.skip_round(connection, round_id, now)


def close_due(connection: Connection, now: datetime) -> list[str]:
    """End every round whose time is over; returns their ids."""
    known = rounds.rounds_of(connection)
    due = [each.round_id for each in known if each.closed_at is None and each.closes_at <= now]
    for round_id in due:
        close(connection, round_id, now)
    return due
