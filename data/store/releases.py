"""Keeps releases: frozen once saved, withdrawn with a reason, never changed."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, cast, func, insert, select, update

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


@dataclass(frozen=True, kw_only=True)
class ReleaseMark:
    """A release without its content: what stands beside it, and the digest of the content that is there now."""

    release_id: str
    round_id: str
    made_at: datetime
    content_sha256: str
    seal: str
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    found_sha256: str


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


def marks_of(connection: Connection, programme_id: str) -> list[ReleaseMark]:
    """What tells whether anything of a programme's releases has changed, by id; much quicker than reading them."""
    stated = [column for column in releases.c if column.name in ReleaseMark.__dataclass_fields__]
    query = select(*stated, _found(connection)).where(releases.c.programme_id == programme_id)
    rows = connection.execute(query.order_by(releases.c.release_id)).mappings()
    return [ReleaseMark(**{**row, "found_sha256": _digest(row["found_sha256"])}) for row in rows]


def _found(connection: Connection) -> ColumnElement[Any]:
    """PostgreSQL digests the content by itself, SQLite hands out its bytes."""
    if connection.dialect.name == "postgresql":
        digest = func.sha256(func.convert_to(releases.c.content, "UTF8"))
        return func.encode(digest, "hex").label("found_sha256")
    return cast(releases.c.content, LargeBinary).label("found_sha256")


def _digest(found: str | bytes) -> str:
    return hashlib.sha256(found).hexdigest() if isinstance(found, bytes) else found


def releases_there(connection: Connection) -> list[tuple[str, str, str]]:
    """Programme, release and stated digest of every release, withdrawn ones too, by programme and release."""
    query = select(releases.c.programme_id, releases.c.release_id, releases.c.content_sha256)
    rows = connection.execute(query.order_by(releases.c.programme_id, releases.c.release_id))
    return [(row.programme_id, row.release_id, row.content_sha256) for row in rows]


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
