"""Writes down who did what to whose data, and reads it back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from data.tables import audit


def note(connection: Connection, *, at: datetime, who: str, action: str, about: str) -> None:
    """One entry; never an answer, never a token."""
    connection.execute(insert(audit).values(at=at, who=who, action=action, about=about))


def entries(connection: Connection, limit: int = 200) -> list[Mapping[str, Any]]:
    """The newest entries first."""
    rows = connection.execute(select(audit).order_by(audit.c.entry_id.desc()).limit(limit))
    return [dict(row._mapping) for row in rows]
