"""Seals a release, and tells later whether it still is what was sealed."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from data.store.releases import StoredRelease


def sealed(content: str, *, key: str, now: datetime) -> StoredRelease:
    """A release ready to be frozen."""
    about = json.loads(content)["manifest"]
    return StoredRelease(
        release_id=about["release"],
        programme_id=about["programme"]["id"],
        round_id=about["round"]["id"],
        made_at=now,
        content=content,
        content_sha256=hashlib.sha256(content.encode()).hexdigest(),
        seal=keyed(key, content),
    )


def is_intact(stored: StoredRelease) -> bool:
    """Whether the content is the one that the stored digest names; anyone can check this."""
    return hashlib.sha256(stored.content.encode()).hexdigest() == stored.content_sha256


def seal_is_valid(stored: StoredRelease, key: str) -> bool:
    """Whether the content is, byte for byte, what was sealed with this key."""
    return is_intact(stored) and hmac.compare_digest(stored.seal, keyed(key, stored.content))


def manifest_of(stored: StoredRelease) -> dict[str, Any]:
    """What a stored release says of itself."""
    about: dict[str, Any] = json.loads(stored.content)["manifest"]
    return about


def keyed(key: str, text: str) -> str:
    """A digest that only who holds the key can make (HMAC, SHA-256)."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
