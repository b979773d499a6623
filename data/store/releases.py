"""Keeps releases: frozen once saved, withdrawn with a reason, never changed."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from data.errors import RapportError
from data.tables import batch_changes, batches, invitations, releases, responses

LONGEST_REASON = 300


@dataclass(frozen=True, kw_only=True)
class StoredRelease:
    """One round's release as it is kept: the content's bytes, and beside them what is not sealed."""

    release_id: str
    programme_id: str
    round_id: str
    made_at: datetime
    content: str
    content_sha256: str
    seal: str
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None


def save_release(connection: Connection, new: StoredRelease) -> StoredRelease:
    """Freeze a round's release; returns the one kept. The same content again changes nothing."""
    row = connection.execute(select(releases).where(releases.c.round_id == new.round_id)).mappings().first()
    if row is None:
        connection.execute(insert(releases).values(asdict(new)))
        return new
    if row["content"] != new.content:
        raise RapportError(
            f"The round {new.round_id} has a release already and releases are frozen; "
            "a wrong one is withdrawn with `rapport release withdraw`."
        )
    return StoredRelease(**row)


def read_release(connection: Connection, release_id: str) -> StoredRelease:
    """One release; raises RapportError where the id is unknown."""
    query = select(releases).where(releases.c.release_id == release_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise RapportError(f"There is no release {release_id}; `rapport published` names those there are.")
    return StoredRelease(**row)


def releases_of(connection: Connection, programme_id: str | None = None) -> list[StoredRelease]:
    """Every release of a programme (of all, without one), withdrawn ones too, by id."""
    query = select(releases).order_by(releases.c.programme_id, releases.c.release_id)
    if programme_id is not None:
        query = query.where(releases.c.programme_id == programme_id)
    return [StoredRelease(**row) for row in connection.execute(query).mappings()]


def released_rounds(connection: Connection, programme_id: str | None = None) -> set[str]:
    """The rounds that have a release, withdrawn or not."""
    query = select(releases.c.round_id)
    if programme_id is not None:
        query = query.where(releases.c.programme_id == programme_id)
    return set(connection.execute(query).scalars())


def withdraw_release(connection: Connection, release_id: str, *, reason: str, now: datetime) -> StoredRelease:
    """Take a wrong release out of sight for good. Its content stays as it was sealed."""
    kept = read_release(connection, release_id)
    if kept.withdrawn_at is not None:
        raise RapportError(f"The release {release_id} was withdrawn already.")
    told = " ".join(reason.split())
    if not 0 < len(told) <= LONGEST_REASON or not told.isprintable():
        raise RapportError(f"A release is withdrawn with a reason: a sentence of at most {LONGEST_REASON} characters.")
    connection.execute(
        update(releases).where(releases.c.release_id == release_id).values(withdrawn_at=now, withdrawn_reason=told)
    )
    return read_release(connection, release_id)


def mark_batches_used(
    connection: Connection, release_id: str, *, round_ids: Iterable[str], kinds: Iterable[str] = ()
) -> int:
    """Record (in the raw store) which imports a release used, so that none of them can be undone.

    `kinds`: kinds of files of which it used everything, such as employment.
    """
    asked = select(invitations).where(invitations.c.round_id.in_(list(round_ids))).subquery()
    answered = (
        select(responses.c.batch_id)
        .join(asked, asked.c.invitation_id == responses.c.invitation_id)
        .where(responses.c.batch_id.is_not(None))
    )
    pairing_ids = set(connection.execute(select(asked.c.pairing_id).distinct()).scalars())
    person_ids = set(connection.execute(select(asked.c.person_id).distinct()).scalars())
    used = set(connection.execute(answered).scalars())
    changed = select(batch_changes).where(batch_changes.c.table_name.in_(("pairings", "people")))
    for change in connection.execute(changed):
        if set(change.key.values()) & (pairing_ids if change.table_name == "pairings" else person_ids):
            used.add(change.batch_id)
    used |= set(connection.execute(select(batches.c.batch_id).where(batches.c.kind.in_(list(kinds)))).scalars())
    open_ = (batches.c.used_by_release.is_(None), batches.c.undone_at.is_(None))
    marked = update(batches).where(batches.c.batch_id.in_(used), *open_).values(used_by_release=release_id)
    return connection.execute(marked).rowcount
