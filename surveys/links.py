"""Makes and reads signed personal links: a 256-bit token of which only the SHA-256 is stored."""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Literal

from data.store import rounds
from data.store.engine import Connection
from data.store.rounds import Link, Round

Purpose = Literal["answer", "view", "unsubscribe"]
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def make(connection: Connection, *, purpose: Purpose, person_id: str, of: Round, now: datetime) -> str:
    """A new token for one purpose, person and round, valid until the round closes."""
    token = secrets.token_urlsafe(32)
    rounds.keep_link(
        connection,
        {
            "token_sha256": digest(token),
            "purpose": purpose,
            "person_id": person_id,
            "round_id": of.round_id,
            "made_at": now,
            "expires_at": of.closes_at,
        },
    )
    return token


def read(connection: Connection, token: str, *, purpose: Purpose, now: datetime) -> Link | None:
    """The link that a token opens, or None: unknown, of another purpose, expired or revoked look the same."""
    if not TOKEN.fullmatch(token):
        return None
    return usable(connection, digest(token), purpose=purpose, now=now)


def usable(connection: Connection, token_sha256: str, *, purpose: Purpose, now: datetime) -> Link | None:
    """The same for a digest, as the answering cookie carries it."""
    link = rounds.find_link(connection, token_sha256)
    if link is None or link.purpose != purpose or link.revoked_at is not None or link.expires_at <= now:
        return None
    return link


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
