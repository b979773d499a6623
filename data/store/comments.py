"""Keeps comments on their way to being shown: the ticked ones, and the batches that a person released."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from data.errors import RapportError
from data.tables import comment_batches, invitations, responses, rounds


@dataclass(frozen=True, kw_only=True)
class TickedComment:
    """A comment whose writer ticked it for release, in a closed round; `batch_id` decided about it, if any did."""

    response_id: str
    person_id: str
    round_number: int
    text: str = field(repr=False)  # never in an error or a log
    batch_id: str | None


@dataclass(frozen=True, kw_only=True)
class StoredBatch:
    """Comments released together, as they are kept: the content's bytes, and beside them what is not sealed."""

    batch_id: str
    programme_id: str
    number: int
    made_at: datetime
    content: str
    content_sha256: str
    seal: str
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None


def ticked(connection: Connection, programme_id: str) -> list[TickedComment]:
    """Every counted, ticked comment of a programme's closed rounds; from the raw store."""
    query = (
        select(
            responses.c.response_id,
            invitations.c.person_id,
            rounds.c.number.label("round_number"),
            responses.c.comment.label("text"),
            responses.c.comment_batch_id.label("batch_id"),
        )
        .join(invitations, invitations.c.invitation_id == responses.c.invitation_id)
        .join(rounds, rounds.c.round_id == invitations.c.round_id)
        .where(
            rounds.c.programme_id == programme_id,
            rounds.c.closed_at.is_not(None),
            responses.c.is_counted,
            responses.c.is_comment_for_release,
            responses.c.comment.is_not(None),
        )
        .order_by(responses.c.response_id)
    )
    return [TickedComment(**row) for row in connection.execute(query).mappings()]


def decide(connection: Connection, batch_id: str, response_ids: Iterable[str]) -> None:
    """Write down, in the raw store, which batch decided about these comments."""
    these = responses.c.response_id.in_(list(response_ids))
    connection.execute(update(responses).where(these).values(comment_batch_id=batch_id))


def batches_of(connection: Connection, programme_id: str | None = None) -> list[StoredBatch]:
    """Every batch of a programme (of all, without one), withdrawn ones too, oldest first."""
    query = select(comment_batches).order_by(comment_batches.c.programme_id, comment_batches.c.number)
    if programme_id is not None:
        query = query.where(comment_batches.c.programme_id == programme_id)
    return [StoredBatch(**row) for row in connection.execute(query).mappings()]


def save_batch(connection: Connection, new: StoredBatch) -> None:
    """Freeze a batch; of two people who release at the same moment one is told to look again."""
    try:
        connection.execute(insert(comment_batches).values(asdict(new)))
    except IntegrityError:
        raise RapportError("Comments were released at this moment by somebody else; write the pool again.") from None


def withdraw_batch(connection: Connection, batch_id: str, *, reason: str, now: datetime) -> StoredBatch:
    """Take a batch out of sight for good. Its content stays as it was sealed."""
    kept = _batch(connection, batch_id)
    if kept.withdrawn_at is not None:
        raise RapportError(f"The comments {batch_id} were withdrawn already.")
    if not reason.strip():
        raise RapportError("Comments are withdrawn with a reason; give one.")
    values = {"withdrawn_at": now, "withdrawn_reason": reason.strip()}
    connection.execute(update(comment_batches).where(comment_batches.c.batch_id == batch_id).values(values))
    return _batch(connection, batch_id)


def _batch(connection: Connection, batch_id: str) -> StoredBatch:
    query = select(comment_batches).where(comment_batches.c.batch_id == batch_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise RapportError(f"There are no comments {batch_id}; `rapport comments` names those there are.")
    return StoredBatch(**row)
