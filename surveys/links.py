"""Makes and reads signed personal links: a 256-bit token of which only the SHA-256 is stored."""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Literal

from data.store import rounds
from data.store.engine import Connection
from data.store.rounds import Link, Round

Purpose = Literal["answer", "view", "unsubscribe"]
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def make(
    connection: Connection,
    *,
    purpose: Purpose,
    person_id: str,
    of: Round,
    now: datetime,
    token: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """A new token for one purpose, person and round, valid until the round closes unless said otherwise."""
    token = token or secrets.token_urlsafe(32)
    rounds.keep_link(
        connection,
        {
            "token_sha256": digest(token),
            "purpose": purpose,
            "person_id": person_id,
            "round_id": of.round_id,
            "made_at": now,
            "expires_at": expires_at or of.closes_at,
        },
    )
    return token


def derived(key: str, nonce: str, purpose: Purpose) -> str:
    """The token of a message: as good as random without the key, and the same whenever the message is sent again."""
    made = hmac.digest(key.encode(), f"link:{purpose}:{nonce}".encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def read(connection: Connection, token: str, *, purpose: Purpose, now: datetime) -> Link | None:
    """The link that a token opens, or None: unknown, of another purpose, expired or revoked look the same."""
    if not is_token(token):
        return None
    return usable(connection, digest(token), purpose=purpose, now=now)


def usable(connection: Connection, token_sha256: str, *, purpose: Purpose, now: datetime) -> Link | None:
    """The same for a digest, as the answering cookie carries it."""
    link = rounds.find_link(connection, token_sha256)
    return link if link is not None and opens(link, purpose=purpose, now=now) else None


def opens(link: Link, *, purpose: Purpose, now: datetime) -> bool:
    """Whether a link serves this purpose now."""
    return link.purpose == purpose and link.revoked_at is None and now < link.expires_at


def is_token(text: str) -> bool:
    """Whether this could be a token at all; saves the store a look."""
    return TOKEN.fullmatch(text) is not None


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
