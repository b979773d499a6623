"""Keeps rounds, the questionnaire each one froze, its invitations and its links."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, insert, select, update

from data.errors import RapportError
from data.store.decisions import in_groups, lock
from data.tables import invitations, links, pairings, people, responses, rounds, snapshots


@dataclass(frozen=True, kw_only=True)
class Round:
    """One asking of a programme. `closed_at` is null while answers are taken."""

    round_id: str
    programme_id: str
    number: int
    pulse: str
    snapshot_id: str
    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None = None

    def takes_answers(self, now: datetime) -> bool:
        return self.closed_at is None and self.opens_at <= now < self.closes_at


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """One side of a pairing asked in one round, with its form and its reporting attributes."""

    invitation_id: str
    round_id: str
    pairing_id: str
    side: str
    person_id: str
    form: int
    cohort: str = ""
    department: str = ""
    location: str = ""
    grade: str = ""


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a personal link opens: one purpose, one person, one round."""

    token_sha256: str
    purpose: str
    person_id: str
    round_id: str
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Ask:
    """An invitation with all that its page needs to say."""

    invitation_id: str
    round_id: str
    pairing_id: str
    side: str
    person_id: str
    form: int
    other_name: str
    language: str
    programme_id: str
    has_answered: bool


def open_round(connection: Connection, new: Round, content: str) -> None:
    """Record a round with the questionnaire it freezes (canonical JSON); the first fixes thresholds and groups."""
    taken = connection.execute(select(rounds.c.round_id).where(rounds.c.round_id == new.round_id)).first()
    if taken:
        raise RapportError(f"The round {new.round_id} exists already; a round id is used once.")
    lock(connection, new.programme_id, new.opens_at)
    keep_snapshot(connection, content)
    connection.execute(insert(rounds).values(asdict(new)))


def keep_snapshot(connection: Connection, content: str) -> str:
    """Store a questionnaire once under the SHA-256 of its content; returns that id."""
    snapshot_id = hashlib.sha256(content.encode()).hexdigest()
    known = connection.execute(select(snapshots.c.snapshot_id).where(snapshots.c.snapshot_id == snapshot_id)).first()
    if not known:
        connection.execute(insert(snapshots).values(snapshot_id=snapshot_id, content=content))
    return snapshot_id


def read_round(connection: Connection, round_id: str) -> Round:
    """One round; raises RapportError where the id is unknown."""
    row = connection.execute(select(rounds).where(rounds.c.round_id == round_id)).one_or_none()
    if row is None:
        raise RapportError(f"There is no round {round_id}; `rapport rounds` lists them.")
    return Round(**row._mapping)


def rounds_of(connection: Connection, programme_id: str | None = None) -> list[Round]:
    """Every round of a programme (of all, without one), in the order they were asked."""
    query = select(rounds).order_by(rounds.c.programme_id, rounds.c.number)
    if programme_id is not None:
        query = query.where(rounds.c.programme_id == programme_id)
    return [Round(**row._mapping) for row in connection.execute(query)]


def close_round(connection: Connection, round_id: str, now: datetime) -> None:
    """End a round; no answer is taken after it."""
    if read_round(connection, round_id).closed_at is not None:
        raise RapportError(f"The round {round_id} is closed already.")
    connection.execute(update(rounds).where(rounds.c.round_id == round_id).values(closed_at=now))


def questionnaire_json(connection: Connection, round_id: str) -> str:
    """The questionnaire that the round froze, as canonical JSON."""
    query = (
        select(snapshots.c.content)
        .join(rounds, rounds.c.snapshot_id == snapshots.c.snapshot_id)
        .where(rounds.c.round_id == round_id)
    )
    content = connection.execute(query).scalar_one_or_none()
    if content is None:
        raise RapportError(f"There is no round {round_id}; `rapport rounds` lists them.")
    return str(content)


def replace_snapshot(connection: Connection, round_id: str, content: str) -> None:
    """Declare another tool's questions into a round: it points at a new snapshot, the old one stays."""
    snapshot_id = keep_snapshot(connection, content)
    connection.execute(update(rounds).where(rounds.c.round_id == round_id).values(snapshot_id=snapshot_id))


# --- invitations -----------------------------------------------------------------------------


def invite(connection: Connection, new: Iterable[Invitation]) -> int:
    """Record invitations that are not there yet, under the programme's reporting groups; returns how many were new."""
    wanted = list(new)
    known = {
        (row.round_id, row.pairing_id, row.side)
        for row in connection.execute(
            select(invitations.c.round_id, invitations.c.pairing_id, invitations.c.side).where(
                invitations.c.round_id.in_({entry.round_id for entry in wanted})
            )
        )
    }
    missing = [e for e in wanted if (e.round_id, e.pairing_id, e.side) not in known]
    if missing:
        connection.execute(insert(invitations), in_groups(connection, [asdict(entry) for entry in missing]))
    return len(missing)


def invitation_of(connection: Connection, round_id: str, pairing_id: str, side: str) -> Invitation | None:
    """The invitation of one side of a pairing in a round, if there is one."""
    row = connection.execute(
        select(invitations).where(
            invitations.c.round_id == round_id,
            invitations.c.pairing_id == pairing_id,
            invitations.c.side == side,
        )
    ).one_or_none()
    return None if row is None else Invitation(**row._mapping)


def invitations_of(connection: Connection, round_id: str) -> list[Invitation]:
    """Everyone asked in a round."""
    query = select(invitations).where(invitations.c.round_id == round_id).order_by(invitations.c.invitation_id)
    return [Invitation(**row._mapping) for row in connection.execute(query)]


def asks_of(connection: Connection, round_id: str, person_id: str) -> list[Ask]:
    """What one person is asked in a round: one Ask a pairing, with the other's name."""
    found = connection.execute(_ASKS_OF, {"of_round": round_id, "of_person": person_id})
    return [ask_of(row) for row in found]


_MENTOR, _MENTEE = people.alias("mentor"), people.alias("mentee")
# Built once: putting it together costs several times what running it does.
ASKS = (
    select(
        *(invitations.c[name] for name in ("invitation_id", "round_id", "pairing_id", "side", "person_id", "form")),
        pairings.c.programme_id,
        _MENTOR.c.name.label("mentor_name"),
        _MENTEE.c.name.label("mentee_name"),
        people.c.language,
        select(responses.c.response_id)
        .where(responses.c.invitation_id == invitations.c.invitation_id, responses.c.is_counted)
        .exists()
        .label("has_answered"),
    )
    .join(pairings, pairings.c.pairing_id == invitations.c.pairing_id)
    .join(people, people.c.person_id == invitations.c.person_id)
    .join(_MENTOR, _MENTOR.c.person_id == pairings.c.mentor_id)
    .join(_MENTEE, _MENTEE.c.person_id == pairings.c.mentee_id)
    .order_by(invitations.c.pairing_id)
)
# Not the bare column: SQLite would walk everyone asked in the round instead of the few rounds of one person.
IN_ROUND = invitations.c.round_id + ""
_ASKS_OF = ASKS.where(bindparam("of_round") == IN_ROUND, invitations.c.person_id == bindparam("of_person"))


def ask_of(row: Any) -> Ask:
    """The Ask in a row of `ASKS`."""
    return Ask(
        invitation_id=row.invitation_id,
        round_id=row.round_id,
        pairing_id=row.pairing_id,
        side=row.side,
        person_id=row.person_id,
        form=row.form,
        other_name=row.mentee_name if row.side == "mentor" else row.mentor_name,
        language=row.language,
        programme_id=row.programme_id,
        has_answered=bool(row.has_answered),
    )


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One side of a pairing in one round, and whether an answer counts."""

    round_id: str
    pairing_id: str
    side: str
    person_id: str
    has_answered: bool


def turns_of(connection: Connection, round_ids: Iterable[str]) -> list[Turn]:
    """Who was asked in these rounds and who answered. Only the timetable asks this; it is shown to nobody."""
    counted = responses.c.is_counted & (responses.c.invitation_id == invitations.c.invitation_id)
    answered = select(responses.c.response_id).where(counted).exists()
    columns = [invitations.c[name] for name in ("round_id", "pairing_id", "side", "person_id")]
    query = select(*columns, answered.label("has_answered")).where(invitations.c.round_id.in_(list(round_ids)))
    return [Turn(**row._mapping) for row in connection.execute(query.order_by(invitations.c.invitation_id))]


def heard_from(connection: Connection, round_id: str, until: datetime) -> dict[str, tuple[int, int]]:
    """By side, how many people a round asked and how many of them had answered by a moment."""
    counted = responses.c.is_counted & (responses.c.invitation_id == invitations.c.invitation_id)
    query = (
        select(
            invitations.c.side,
            func.count(invitations.c.person_id.distinct()),
            func.count(case((responses.c.received_at < until, invitations.c.person_id)).distinct()),
        )
        .outerjoin(responses, counted)
        .where(invitations.c.round_id == round_id)
        .group_by(invitations.c.side)
    )
    return {side: (n_asked, n_answered) for side, n_asked, n_answered in connection.execute(query)}


# --- links -------------------------------------------------------------------------------------


def keep_link(connection: Connection, entry: Mapping[str, Any]) -> None:
    """Store a link by the SHA-256 of its token; the token itself is never stored."""
    connection.execute(insert(links).values(entry))


def find_link(connection: Connection, token_sha256: str) -> Link | None:
    """The link with that digest, whatever its state."""
    row = connection.execute(_LINK, {"token_sha256": token_sha256}).one_or_none()
    return None if row is None else Link(**row._mapping)


_LINK = select(*(links.c[name] for name in Link.__dataclass_fields__)).where(
    links.c.token_sha256 == bindparam("token_sha256")
)


def revoke_links(connection: Connection, person_id: str, now: datetime) -> None:
    """Make every link of a person useless at once."""
    connection.execute(
        update(links).where(links.c.person_id == person_id, links.c.revoked_at.is_(None)).values(revoked_at=now)
    )
