"""Seals comments released together, and tells later whether they still are what was sealed."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from data.store.comments import StoredBatch
from pipeline.disclosure.rounding import in_steps

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Comments:
    """Comments released together, as HR reads them: of whom and when is not in it, but for the rounds' span.

    `n_people` is in steps of five; `seal_valid` is None where no key was given to check it with.
    """

    id: str
    programme: str
    number: int
    first_round: int
    last_round: int
    n_people: int
    comments: tuple[str, ...]
    seal_valid: bool | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None

    @property
    def is_shown(self) -> bool:
        return self.withdrawn_at is None and self.seal_valid is not False


def batch_id(programme_id: str, number: int) -> str:
    """Readable, and the same for the same place in a programme's batches."""
    digest = hashlib.sha256(json.dumps([programme_id, "comments", number]).encode()).hexdigest()
    return f"{programme_id[:80]}-comments-{number}-{digest[:8]}"


def sealed(
    comments: Sequence[str],
    *,
    programme_id: str,
    number: int,
    rounds: tuple[int, int],
    n_people: int,
    comment_n: int,
    key: str,
    now: datetime,
) -> StoredBatch:
    """A batch ready to be frozen; the people behind it are counted in steps of five."""
    id_ = batch_id(programme_id, number)
    said = {
        "format": FORMAT,
        "batch": id_,
        "programme": programme_id,
        "number": number,
        "rounds": list(rounds),
        "n_people": in_steps(n_people),
        "comment_n": comment_n,
        "comments": list(comments),
    }
    content = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return StoredBatch(
        batch_id=id_,
        programme_id=programme_id,
        number=number,
        made_at=now,
        content=content,
        content_sha256=_sha256(content),
        seal=_seal(content, key),
    )


def told(stored: StoredBatch, key: str | None) -> Comments:
    """What a stored batch says; without a valid seal, or withdrawn, it says no comment."""
    content = json.loads(stored.content)
    is_intact = _sha256(stored.content) == stored.content_sha256 and content["batch"] == stored.batch_id
    valid = is_intact and (key is None or hmac.compare_digest(stored.seal, _seal(stored.content, key)))
    is_shown = valid and stored.withdrawn_at is None
    return Comments(
        id=stored.batch_id,
        programme=stored.programme_id,
        number=stored.number,
        first_round=content["rounds"][0],
        last_round=content["rounds"][1],
        n_people=content["n_people"],
        comments=tuple(content["comments"]) if is_shown else (),
        seal_valid=None if valid and key is None else valid,
        withdrawn_at=stored.withdrawn_at,
        withdrawn_reason=stored.withdrawn_reason,
    )


def _sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _seal(content: str, key: str) -> str:
    return hmac.new(f"comments {key}".encode(), content.encode(), "sha256").hexdigest()
