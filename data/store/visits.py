"""Looks up all that the page behind a personal link shows, in few and cheap statements."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, select

from data.store.people import Goal
from data.store.rounds import ASKS, IN_ROUND, Ask, Link, Round, ask_of
from data.tables import goal_levels, goals, invitations, links, rounds, snapshots


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A personal link with its round and what it asks: one Ask a pairing."""

    link: Link
    round: Round
    asks: tuple[Ask, ...]
    with_goals: frozenset[str]  # pairings that agreed on goals


def visit(connection: Connection, token_sha256: str) -> Visit | None:
    """What the link with that digest opens, whatever its state; None where there is no such link."""
    rows = connection.execute(_VISIT, {"token_sha256": token_sha256}).all()
    if not rows:
        return None
    first = rows[0]
    return Visit(
        link=Link(
            token_sha256=token_sha256,
            purpose=first.purpose,
            person_id=first.person_id,
            round_id=first.round_id,
            expires_at=first.expires_at,
            revoked_at=first.revoked_at,
        ),
        round=Round(
            round_id=first.round_id,
            programme_id=first.programme_id,
            number=first.number,
            pulse=first.pulse,
            snapshot_id=first.snapshot_id,
            opens_at=first.opens_at,
            closes_at=first.closes_at,
            closed_at=first.closed_at,
        ),
        asks=tuple(ask_of(row) for row in rows),
        with_goals=frozenset(row.pairing_id for row in rows if row.has_goals),
    )


def agreed_goals(connection: Connection, pairing_id: str) -> tuple[Goal, ...]:
    """The goals of a pairing that both agreed on, in the order they were set."""
    found: dict[str, Goal] = {}
    levels: dict[str, dict[int, str]] = {}
    for row in connection.execute(_GOALS, {"pairing_id": pairing_id}):
        described = levels.setdefault(row.goal_id, {})
        if row.level is not None:
            described[row.level] = row.description
        found[row.goal_id] = Goal(
            goal_id=row.goal_id,
            pairing_id=row.pairing_id,
            position=row.position,
            title=row.title,
            set_on=row.set_on,
            is_agreed=row.is_agreed,
            levels=described,
        )
    return tuple(found.values())


def snapshot(connection: Connection, snapshot_id: str) -> str:
    """A frozen questionnaire, as canonical JSON."""
    query = select(snapshots.c.content).where(snapshots.c.snapshot_id == snapshot_id)
    return str(connection.execute(query).scalar_one())


# Built once: putting a statement together costs several times what running it does.
_VISIT = (
    ASKS.add_columns(
        select(goals.c.goal_id)
        .where(goals.c.pairing_id == invitations.c.pairing_id, goals.c.is_agreed)
        .exists()
        .label("has_goals"),
        *(links.c[name] for name in ("purpose", "expires_at", "revoked_at")),
        *(rounds.c[name] for name in ("number", "pulse", "snapshot_id", "opens_at", "closes_at", "closed_at")),
    )
    .join(links, and_(links.c.round_id == IN_ROUND, links.c.person_id == invitations.c.person_id))
    .join(rounds, rounds.c.round_id == invitations.c.round_id)
    .where(links.c.token_sha256 == bindparam("token_sha256"))
)
_GOALS = (
    select(goals, goal_levels.c.level, goal_levels.c.description)
    .join(goal_levels, goal_levels.c.goal_id == goals.c.goal_id, isouter=True)
    .where(goals.c.pairing_id == bindparam("pairing_id"), goals.c.is_agreed)
    .order_by(goals.c.position, goal_levels.c.level)
)
