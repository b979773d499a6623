"""Takes planned messages back, or plans them anew, where what spoke for or against them has changed."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from data.store.outbox import ASKING, DEAD_ADDRESS, NO_ADDRESS, UNWANTED, Message, Planned, skip
from data.tables import bounces, messages, people


def drop_unwanted(connection: Connection, wanted: Iterable[Planned], kept: Iterable[Message], now: datetime) -> None:
    """Invitations and reminders of a round that the calendar does not want any more are not sent."""
    still = {each.message_id for each in wanted}
    ids = [e.message_id for e in kept if e.kind in ASKING and e.state == "planned" and e.message_id not in still]
    if ids:
        skip(connection, ids, UNWANTED, now)


def invite_anew(connection: Connection, round_id: str, now: datetime) -> int:
    """Plan again the invitations that had no working address, for people who have another one now; returns how many.

    It is the same message, so there is still one a person and round.
    """
    old, since = (
        select(bounces.c[name]).where(bounces.c.person_id == messages.c.person_id).scalar_subquery()
        for name in ("address", "since")
    )
    own = select(people.c.email).where(people.c.person_id == messages.c.person_id).scalar_subquery()
    has_another = (own != "") & or_(old.is_(None), old != own)
    failed = or_(
        (messages.c.state == "refused") & (messages.c.changed_at == since),  # by that bounce, for nothing else
        (messages.c.state == "skipped") & messages.c.outcome.in_((NO_ADDRESS, DEAD_ADDRESS)),
    )
    changed = connection.execute(
        update(messages)
        .where(messages.c.round_id == round_id, messages.c.kind == "invitation", failed, has_another)
        .values(state="planned", outcome=None, not_before=None, n_unknown=0, changed_at=now)
    )
    return int(changed.rowcount)
