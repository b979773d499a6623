"""Defines what all tables share: the three stores, UTC times and how columns are named.

Column conventions: `_id` text keys, `_at` UTC time, `_on` date, `n_` counts, `is_` flags.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, DateTime, MetaData, String, TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, on every database: SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:  # noqa: ARG002
        if value is None or value.tzinfo is not None:
            return value  # type: ignore[no-any-return]
        return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]


NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

raw = MetaData(naming_convention=NAMING)
published = MetaData(naming_convention=NAMING)
access = MetaData(naming_convention=NAMING)

SIDES = "side in ('mentor', 'mentee')"


def id_(name: str, *more: object, **options: object) -> Column[str]:
    return Column(name, String(120), *more, **options)  # type: ignore[arg-type]


def at_(name: str, **options: object) -> Column[object]:
    return Column(name, UtcTime(), **options)  # type: ignore[arg-type]
