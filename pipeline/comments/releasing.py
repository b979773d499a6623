"""Takes a programme's ticked comments to a person who reads them, and what they keep to a frozen batch.

A comment is released once: the raw store says which batch decided about it, the published store which batches
there are. Where the two disagree after a crash, the comment lies in the pool again and was shown to nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from data.errors import RapportError
from data.store import audit, comments
from data.store.accounts import Accounts
from data.store.comments import StoredBatch, TickedComment
from data.store.engine import Connection, Stores, reading, writing
from data.store.people import people_of, programme, programmes_kept
from data.store.rounds import rounds_of
from pipeline.comments import batch, sheet
from pipeline.comments.masking import Names, mask, names_of
from pipeline.comments.pool import comment_n, label, n_people, shuffled
from pipeline.disclosure.rounding import in_steps

MAY_READ = ("admin", "protection")


@dataclass(frozen=True, kw_only=True)
class Pool:
    """All ticked comments of a programme's closed rounds about which no batch has decided yet."""

    programme_id: str
    comments: Sequence[TickedComment]
    needed: int
    number: int  # which batch it would be
    rounds: tuple[int, int]
    names: Names

    @property
    def is_full(self) -> bool:
        return n_people(self.comments) >= self.needed

    def refuse_unless_full(self, kept: Sequence[TickedComment]) -> None:
        if n_people(kept) < self.needed:
            raise RapportError(
                f"Comments are released from {self.needed} people on; "
                "until there are so many they are carried forward to the next rounds."
            )


def state(stores: Stores, *, key: str) -> list[dict[str, Any]]:
    """Each programme's pool, people in steps of five, and its batches; never a comment."""
    with reading(stores.published) as published, reading(stores.raw) as raw:
        pools = [_pool(raw, published, each.programme_id) for each in programmes_kept(raw)]
        batches = [batch.told(each, key) for each in comments.batches_of(published)]
    return [
        {
            "programme": each.programme_id,
            "people": in_steps(n_people(each.comments)),
            "needed": each.needed,
            "is_full": each.is_full,
            "batches": [_told(one) for one in batches if one.programme == each.programme_id],
        }
        for each in pools
    ]


def write_pool(stores: Stores, programme_id: str, path: Path, *, key: str, by: str, now: datetime) -> int:
    """Write a full pool, masked and shuffled, for a person to mark; returns how many comments there are to read."""
    _refuse_unless_trusted(stores, by)
    with reading(stores.published) as published, reading(stores.raw) as raw:
        pool = _pool(raw, published, programme_id)
    pool.refuse_unless_full(pool.comments)
    with writing(stores.access) as connection:
        audit.note(connection, at=now, who=by, action="comments read", about=f"pool of {programme_id}")
    ordered = shuffled(pool.comments, key=key, of=f"pool {pool.number} of {programme_id}")
    sheet.write(path, [(label(each, key=key), mask(each.text, pool.names)) for each in ordered])
    return len(ordered)


def release(stores: Stores, programme_id: str, path: Path, *, key: str, by: str, now: datetime) -> batch.Comments:
    """Freeze what a person kept of a pool; what they dropped is decided, too, and comes to nobody."""
    _refuse_unless_trusted(stores, by)
    marked = sheet.read(path)
    # Published is written last but held first: nobody else numbers a batch meanwhile, and a crash between the two
    # commits leaves comments in the pool, never released twice.
    with writing(stores.published) as published, writing(stores.raw) as raw:
        pool = _pool(raw, published, programme_id)
        new = _batch(pool, marked, key=key, now=now)
        comments.save_batch(published, new)
        comments.decide(raw, new.batch_id, [each.response_id for each in pool.comments])
    with writing(stores.access) as connection:
        audit.note(connection, at=now, who=by.strip(), action="comments released", about=new.batch_id)
    return batch.told(new, key)


def withdraw(stores: Stores, batch_id: str, *, reason: str, by: str, now: datetime) -> None:
    """Take a wrong batch out of sight as a whole; its comments are never released again."""
    with writing(stores.published) as connection:
        kept = comments.withdraw_batch(connection, batch_id, reason=reason, now=now)
    with writing(stores.access) as connection:
        audit.note(connection, at=now, who=by, action="comments withdrawn", about=kept.batch_id)


def _refuse_unless_trusted(stores: Stores, by: str) -> None:
    """Who evaluates the programme reads no comment before it is released, also not to release it."""
    if not by.strip():
        raise RapportError("Comments are read and released by a person; say who with --by.")
    role = Accounts(stores.access).role_of(by)
    if role is not None and role not in MAY_READ:
        raise RapportError(f"{by} signs in as {role}; comments are read and released by {' or '.join(MAY_READ)} only.")


def _pool(raw: Connection, published: Connection, programme_id: str) -> Pool:
    of = programme(raw, programme_id)
    batches = comments.batches_of(published, programme_id)
    decided = {each.batch_id for each in batches}
    last = max((batch.told(each, None).last_round for each in batches), default=0)
    closed = [each.number for each in rounds_of(raw, programme_id) if each.closed_at is not None]
    waiting = [each for each in comments.ticked(raw, programme_id) if each.batch_id not in decided]
    # The span is that of all rounds since the last batch, whoever wrote in which of them.
    newest = max(closed, default=last + 1)
    return Pool(
        programme_id=programme_id,
        comments=waiting,
        needed=comment_n(of.decisions),
        number=len(batches) + 1,
        rounds=(min(last + 1, newest), newest),
        names=names_of((each.name, each.email) for each in people_of(raw, programme_id)),
    )


def _batch(pool: Pool, marked: Any, *, key: str, now: datetime) -> StoredBatch:
    """What is kept of the pool, masked again, since a person may have written a name back in."""
    labelled = {label(each, key=key): each for each in pool.comments}
    if not set(labelled) <= set(marked):
        raise RapportError("Comments have come in since this pool was written; write it again and mark that one.")
    kept = [each for name, each in labelled.items() if marked[name] is not None]
    pool.refuse_unless_full(kept)
    ordered = shuffled(kept, key=key, of=batch.batch_id(pool.programme_id, pool.number))
    return batch.sealed(
        [mask(marked[label(each, key=key)], pool.names) for each in ordered],
        programme_id=pool.programme_id,
        number=pool.number,
        rounds=pool.rounds,
        n_people=n_people(kept),
        comment_n=pool.needed,
        key=key,
        now=now,
    )


def _told(each: batch.Comments) -> dict[str, Any]:
    state_of = "withdrawn" if each.withdrawn_at else "shown" if each.is_shown else "seal broken"
    return {"batch": each.id, "rounds": [each.first_round, each.last_round], "people": each.n_people, "state": state_of}
