"""Keeps every message from its plan to what the mail server said; each is claimed by one worker at a time.

planned → claimed → transmitting → accepted | refused | unknown. What is not needed any more is skipped. A worker
that dies before transmitting gives its message back; one that dies while transmitting leaves it unknown.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from data.tables import bounces, messages, people, replies, unsubscribed
from data.worker import has_died

AHEAD = timedelta(hours=15)  # no wall clock runs further ahead of UTC
LONGEST_LEASE = timedelta(hours=1)  # a longer one was written by a clock that was ahead
MOST_UNKNOWN = 2  # the first try and one more: then it stays unknown
NOT_KNOWN = "not known whether it was sent"
UNWANTED = "the calendar does not want it any more"
NO_ADDRESS, DEAD_ADDRESS = "no address", "the address does not work"
ASKING = ("invitation", "reminder")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One message as the calendar wants it."""

    round_id: str
    person_id: str
    kind: str
    sequence: int
    channel: str
    due_local: str
    time_zone: str
    why: str

    @property
    def message_id(self) -> str:
        parts = (self.round_id, self.person_id, self.kind, str(self.sequence))
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]


@dataclass(frozen=True, kw_only=True)
class Message(Planned):
    """One message as it stands."""

    state: str
    owner: str | None = None
    leased_until: datetime | None = None
    not_before: datetime | None = None
    n_attempts: int = 0
    n_unknown: int = 0
    header_id: str | None = None
    nonce: str | None = None
    body: str | None = None
    body_sha256: str | None = None
    outcome: str | None = None
    changed_at: datetime


COLUMNS = [messages.c[name] for name in Message.__dataclass_fields__]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What HR answers to a round."""

    round_id: str
    said: str
    will: str
    written_by: str
    written_at: datetime


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """An address that a mail server refused for good."""

    person_id: str
    address: str
    reason: str
    since: datetime


# --- plan ------------------------------------------------------------------------------------------


def plan(connection: Connection, wanted: Iterable[Planned], kept: Iterable[Message], now: datetime) -> int:
    """Add messages that are new, and move those not yet claimed to where they are wanted now; returns how many.

    `kept` are the messages that there are about the same rounds.
    """
    by_id = {each.message_id: each for each in wanted}
    known = {each.message_id: each for each in kept}
    new = [each for key, each in by_id.items() if key not in known]
    if new:
        fresh = {"state": "planned", "n_attempts": 0, "n_unknown": 0, "changed_at": now}
        connection.execute(insert(messages), [{**asdict(e), "message_id": e.message_id, **fresh} for e in new])
    moved = [e for key, e in by_id.items() if key in known and _differs(known[key], e)]
    for each in moved:
        connection.execute(
            update(messages)
            .where(messages.c.message_id == each.message_id, messages.c.state.in_(("planned", "skipped")))
            .values(
                **{name: getattr(each, name) for name in MOVABLE},
                state="planned",
                outcome=None,
                not_before=None,
                changed_at=now,
            )
        )
    return len(new) + len(moved)


MOVABLE = ("channel", "due_local", "time_zone", "why")


def _differs(kept: Message, wanted: Planned) -> bool:
    if kept.state == "skipped":
        return kept.outcome == UNWANTED  # wanted again
    return kept.state == "planned" and any(getattr(kept, name) != getattr(wanted, name) for name in MOVABLE)


# --- claim and send --------------------------------------------------------------------------------


def upcoming(connection: Connection, now: datetime, limit: int | None = None) -> list[Message]:
    """Planned messages whose wall time may have come somewhere, oldest first; the caller knows the zones."""
    latest = (now + AHEAD).strftime("%Y-%m-%dT%H:%M")
    query = (
        select(*COLUMNS)
        .where(
            messages.c.state == "planned",
            messages.c.due_local <= latest,
            or_(messages.c.not_before.is_(None), messages.c.not_before <= now),
        )
        .order_by(messages.c.due_local, messages.c.message_id)
        .limit(limit)
    )
    return [Message(**row._mapping) for row in connection.execute(query)]


def claim(
    connection: Connection, message_ids: Sequence[str], *, owner: str, until: datetime, now: datetime
) -> set[str]:
    """Take planned messages for one worker until a moment; returns those that nobody else took before."""
    if connection.dialect.name == "postgresql":
        free = select(messages.c.message_id).where(
            messages.c.message_id.in_(message_ids), messages.c.state == "planned"
        )
        message_ids = list(connection.execute(free.with_for_update(skip_locked=True)).scalars())
    taken = set()
    for message_id in message_ids:
        changed = connection.execute(
            update(messages)
            .where(messages.c.message_id == message_id, messages.c.state == "planned")
            .values(state="claimed", owner=owner, leased_until=until, changed_at=now)
        )
        taken |= {message_id} if changed.rowcount else set()
    return taken


def begin(connection: Connection, message: Message, *, owner: str, until: datetime, now: datetime) -> bool:
    """Write down the final bytes before anything is sent; false where the claim was lost meanwhile."""
    changed = connection.execute(
        update(messages)
        .where(messages.c.message_id == message.message_id, messages.c.state == "claimed", messages.c.owner == owner)
        .values(
            state="transmitting",
            leased_until=until,
            n_attempts=messages.c.n_attempts + 1,
            header_id=message.header_id,
            nonce=message.nonce,
            body=message.body,
            body_sha256=message.body_sha256,
            changed_at=now,
        )
    )
    return changed.rowcount == 1


def finish(
    connection: Connection,
    message_id: str,
    *,
    owner: str,
    state: str,
    outcome: str,
    now: datetime,
    not_before: datetime | None = None,
) -> bool:
    """Record what became of a claimed or transmitted message. A sent body is not kept; its digest is.

    `unknown` is tried once more with the same bytes; the second time it stays so.
    """
    values: dict[str, object] = {}
    if state == "unknown":
        query = select(messages.c.n_unknown).where(messages.c.message_id == message_id)
        values["n_unknown"] = n_unknown = connection.execute(query).scalar_one() + 1
        state = "planned" if n_unknown < MOST_UNKNOWN else "unknown"
    if state in ("accepted", "refused", "skipped", "unknown"):
        values |= {"body": None, "nonce": None}
    changed = connection.execute(
        update(messages)
        .where(messages.c.message_id == message_id, messages.c.owner == owner)
        .where(messages.c.state.in_(("claimed", "transmitting")))
        .values(
            state=state,
            outcome=outcome,
            not_before=not_before,
            owner=None,
            leased_until=None,
            changed_at=now,
            **values,
        )
    )
    return changed.rowcount == 1


def recover(connection: Connection, now: datetime, owner: str) -> int:
    """Give back what dead workers held, and what `owner` itself held before it begins anew.

    What they may have sent is tried once more with the same bytes.
    """
    query = select(messages.c.message_id, messages.c.state, messages.c.n_unknown, messages.c.owner)
    held = connection.execute(
        query.add_columns(messages.c.leased_until).where(messages.c.state.in_(("claimed", "transmitting")))
    ).all()
    stale = [row for row in held if row.owner == owner or _is_stale(row, now)]
    for row in stale:
        is_unsure = row.state == "transmitting"
        values = {"outcome": NOT_KNOWN, "n_unknown": row.n_unknown + 1} if is_unsure else {}
        is_last = is_unsure and row.n_unknown + 1 >= MOST_UNKNOWN
        values |= {"body": None, "nonce": None} if is_last else {}
        connection.execute(
            update(messages)
            .where(messages.c.message_id == row.message_id, messages.c.owner == row.owner)
            .where(messages.c.state == row.state)
            .values(state="unknown" if is_last else "planned", owner=None, leased_until=None, changed_at=now, **values)
        )
    return len(stale)


def _is_stale(row: Any, now: datetime) -> bool:
    """Whether its worker is gone: known to be, or its lease is over and nobody can know."""
    is_dead = has_died(row.owner)
    is_over = row.leased_until <= now or row.leased_until > now + LONGEST_LEASE
    return is_dead is True or (is_dead is None and is_over)


def skip(connection: Connection, message_ids: Sequence[str], outcome: str, now: datetime) -> None:
    """Planned messages that are not needed any more."""
    connection.execute(
        update(messages)
        .where(messages.c.message_id.in_(message_ids), messages.c.state == "planned")
        .values(state="skipped", outcome=outcome, body=None, nonce=None, changed_at=now)
    )


def hold(connection: Connection, message_ids: Sequence[str], until: datetime) -> None:
    """Planned messages that are needed, but not yet."""
    connection.execute(
        update(messages)
        .where(messages.c.message_id.in_(message_ids), messages.c.state == "planned")
        .values(not_before=until)
    )


def skip_round(connection: Connection, round_id: str, now: datetime) -> None:
    """A round is over: nobody is asked for it any more."""
    asking = messages.c.kind.in_(ASKING)
    connection.execute(
        update(messages)
        .where(messages.c.round_id == round_id, messages.c.state == "planned", asking)
        .values(state="skipped", outcome="the round is over", body=None, nonce=None, changed_at=now)
    )


# --- read ------------------------------------------------------------------------------------------


def of_round(connection: Connection, round_id: str) -> list[Message]:
    """Every message about a round, in the order in which they fall due."""
    query = select(*COLUMNS).where(messages.c.round_id == round_id)
    return [
        Message(**row._mapping)
        for row in connection.execute(query.order_by(messages.c.due_local, messages.c.message_id))
    ]


def asking(connection: Connection, round_id: str, person_ids: Sequence[str]) -> list[Message]:
    """The invitation and the reminders of each of these people to a round, in that order."""
    query = select(*COLUMNS).where(
        messages.c.round_id == round_id, messages.c.kind.in_(ASKING), messages.c.person_id.in_(person_ids)
    )
    return [Message(**row._mapping) for row in connection.execute(query.order_by(messages.c.kind, messages.c.sequence))]


def last_invited_at(connection: Connection, person_id: str, round_ids: Sequence[str]) -> datetime | None:
    """When the last invitation to one of these rounds left; None where none did."""
    query = select(func.max(messages.c.changed_at)).where(
        messages.c.person_id == person_id,
        messages.c.round_id.in_(round_ids),
        messages.c.kind == "invitation",
        messages.c.state.in_(("accepted", "unknown")),
    )
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def planned(connection: Connection, until_local: str) -> list[Message]:
    """Everything planned up to a wall time, in order."""
    query = select(*COLUMNS).where(messages.c.state == "planned", messages.c.due_local <= until_local)
    return [
        Message(**row._mapping)
        for row in connection.execute(query.order_by(messages.c.due_local, messages.c.message_id))
    ]


def invited_days(connection: Connection, since_local: str) -> list[tuple[str, str, str]]:
    """Person, round and wall time of every invitation planned or sent since; those that were not needed left out."""
    query = select(messages.c.person_id, messages.c.round_id, messages.c.due_local).where(
        messages.c.kind == "invitation",
        messages.c.due_local >= since_local,
        messages.c.state.in_(("planned", "claimed", "transmitting", "accepted", "unknown")),
    )
    return [(row.person_id, row.round_id, row.due_local) for row in connection.execute(query)]


def n_sent_since(connection: Connection, since: datetime) -> int:
    """How many messages left, or may have left, since a moment."""
    query = select(func.count()).where(
        messages.c.state.in_(("transmitting", "accepted", "unknown")), messages.c.changed_at >= since
    )
    return int(connection.execute(query).scalar_one())


def n_unknown_since(connection: Connection, since: datetime) -> int:
    """Of how many messages, given up since a moment, nobody knows whether they arrived."""
    query = select(func.count()).where(messages.c.state == "unknown", messages.c.changed_at >= since)
    return int(connection.execute(query).scalar_one())


def by_state(connection: Connection) -> Mapping[str, int]:
    """How many messages stand in each state."""
    query = select(messages.c.state, func.count()).group_by(messages.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


# --- replies, unsubscribing, bounces ---------------------------------------------------------------


def write_reply(connection: Connection, reply: Reply) -> None:
    """Keep what HR answers to a round; a later text replaces the earlier one."""
    connection.execute(delete(replies).where(replies.c.round_id == reply.round_id))
    connection.execute(insert(replies).values(asdict(reply)))


def reply_to(connection: Connection, round_id: str) -> Reply | None:
    """What HR answered to a round, if anything yet."""
    row = connection.execute(select(replies).where(replies.c.round_id == round_id)).one_or_none()
    return None if row is None else Reply(**row._mapping)


def unsubscribe(connection: Connection, person_id: str, now: datetime) -> None:
    """Send this person nothing any more; asking twice is the same as once."""
    if person_id not in unsubscribed_people(connection, [person_id]):
        connection.execute(insert(unsubscribed).values(person_id=person_id, since=now))


def subscribe(connection: Connection, person_id: str) -> None:
    """This person takes mail again."""
    connection.execute(delete(unsubscribed).where(unsubscribed.c.person_id == person_id))


def unsubscribed_people(connection: Connection, person_ids: Sequence[str]) -> set[str]:
    """Who of these wants no mail."""
    query = select(unsubscribed.c.person_id).where(unsubscribed.c.person_id.in_(person_ids))
    return set(connection.execute(query).scalars())


def note_bounce(connection: Connection, bounce: Bounce) -> None:
    """An address does not work; HR sees it until another one is imported."""
    connection.execute(delete(bounces).where(bounces.c.person_id == bounce.person_id))
    connection.execute(insert(bounces).values(asdict(bounce)))


def bounced(connection: Connection) -> list[Bounce]:
    """Addresses that do not work, oldest first; one that was replaced since is mended."""
    query = select(bounces).join(people, people.c.person_id == bounces.c.person_id)
    rows = connection.execute(
        query.where(people.c.email == bounces.c.address).order_by(bounces.c.since, bounces.c.person_id)
    )
    return [Bounce(**row._mapping) for row in rows]
