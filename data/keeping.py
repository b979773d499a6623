"""Deletes what has been kept for its time: no more than was promised, and never a sealed release."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Select, Table, delete, or_, select, update

from data.store.engine import Stores, writing
from data.tables import (
    answers,
    audit,
    drafts,
    goal_ratings,
    invitations,
    links,
    messages,
    monday_mails,
    order_files,
    orders,
    pairings,
    responses,
    rounds,
    sessions,
)

LINK_DAYS = 30  # after a link expired
BODY_DAYS = 30
MESSAGE_DAYS = 365
ANSWER_DAYS = 365  # after a programme's last pairing ended
AUDIT_DAYS = 730
SESSION_DAYS = 30
FILE_DAYS = 30  # a report that somebody asked for
ORDER_DAYS = 730


@dataclass(frozen=True, kw_only=True)
class Times:
    """How many days each kind of thing is kept; a programme's administrator may shorten them."""

    link: int = LINK_DAYS
    body: int = BODY_DAYS
    message: int = MESSAGE_DAYS
    answer: int = ANSWER_DAYS
    audit: int = AUDIT_DAYS
    session: int = SESSION_DAYS
    file: int = FILE_DAYS
    order: int = ORDER_DAYS


def keep_times(connection: Connection, now: datetime, times: Times | None = None) -> str:
    """Delete from the raw store what has had its time; says what went."""
    times = times or Times()

    def before(days: int) -> datetime:
        return now - timedelta(days=days)

    closed = select(rounds.c.round_id).where(rounds.c.closed_at.is_not(None))
    of_closed = select(invitations.c.invitation_id).where(invitations.c.round_id.in_(closed))
    went = {
        "drafts": _gone(connection, drafts, drafts.c.invitation_id.in_(of_closed)),
        "links": _gone(connection, links, links.c.expires_at < before(times.link)),
        "messages": _gone(connection, messages, messages.c.changed_at < before(times.message)),
        "answers": _answers(connection, _long_over(connection, before(times.answer).date())),
    }
    connection.execute(
        update(messages)
        .where(
            messages.c.changed_at < before(times.body), or_(messages.c.body.is_not(None), messages.c.nonce.is_not(None))
        )
        .values(body=None, nonce=None)
    )
    return ", ".join(f"{n} {what} deleted" for what, n in went.items() if n)


def keep_access_times(stores: Stores, now: datetime, times: Times | None = None) -> str:
    """Delete from the access store what has had its time: audit entries, sessions, orders and what they made."""
    times = times or Times()

    def done_before(days: int) -> Select[tuple[int]]:
        return select(orders.c.order_id).where(orders.c.done_at < now - timedelta(days=days))

    with writing(stores.access) as connection:
        files = _gone(connection, order_files, order_files.c.order_id.in_(done_before(times.file)))
        done = _gone(connection, orders, orders.c.order_id.in_(done_before(max(times.order, times.file))))
        _gone(connection, monday_mails, monday_mails.c.monday < (now - timedelta(days=times.session)).date())
        entries = _gone(connection, audit, audit.c.at < now - timedelta(days=times.audit))
        old = _gone(connection, sessions, sessions.c.seen_at < now - timedelta(days=times.session))
    went = {"audit entries": entries, "sessions": old, "reports": files, "orders": done}
    return ", ".join(f"{n} {what} deleted" for what, n in went.items() if n)


def _gone(connection: Connection, table: Table, condition: object) -> int:
    return int(connection.execute(delete(table).where(condition)).rowcount)  # type: ignore[arg-type]


def _long_over(connection: Connection, day: date) -> list[str]:
    """Programmes whose every pairing ended, or was to end, before a day."""
    runs: dict[str, bool] = {}
    for row in connection.execute(select(pairings.c.programme_id, pairings.c.ended_on, pairings.c.planned_end_on)):
        end = row.ended_on or row.planned_end_on
        runs[row.programme_id] = runs.get(row.programme_id, False) or end is None or end >= day
    return sorted(programme_id for programme_id, still in runs.items() if not still)


def _answers(connection: Connection, programme_ids: Sequence[str]) -> int:
    """What people said in these programmes; who was asked stays, for the releases that were made from it."""
    of_programmes = select(rounds.c.round_id).where(rounds.c.programme_id.in_(programme_ids))
    asked = select(invitations.c.invitation_id).where(invitations.c.round_id.in_(of_programmes))
    said = select(responses.c.response_id).where(responses.c.invitation_id.in_(asked))
    n_answers = _gone(connection, answers, answers.c.response_id.in_(said))
    n_ratings = _gone(connection, goal_ratings, goal_ratings.c.response_id.in_(said))
    connection.execute(update(responses).where(responses.c.invitation_id.in_(asked)).values(comment=None))
    return n_answers + n_ratings
