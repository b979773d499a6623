"""Keeps what HR knows of everyone eligible, under pseudonyms: employment and engagement."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, delete, func, insert, select, tuple_

from data.store.batches import changed_back
from data.tables import batches, employment, engagement, engagement_groups

AT_ONCE = 200  # keys compared in one statement


def pseudonym(key: bytes, person_id: str) -> str:
    """HMAC-SHA256 of a person's id: always the same for a person, and not to be made without the key."""
    return hmac.new(key, person_id.encode(), hashlib.sha256).hexdigest()


def save_employment(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Record spells of employment; one row is one person, day of hiring and day from which it holds."""
    _save(connection, employment, rows)


def save_engagement(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Record engagement scores; one row is one person and day."""
    _save(connection, engagement, rows)


def save_engagement_groups(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Record engagement of groups; one row is one group and day."""
    _save(connection, engagement_groups, rows)


def read_roster(connection: Connection, as_of: datetime | None = None) -> pd.DataFrame:
    """One row is what held for one employee from `valid_from` on; text is "" where unknown.

    `as_of`: without what was imported after that time.
    """
    return _frame(connection, employment, ["hired_on", "valid_from", "left_on"], as_of)


def read_engagement(connection: Connection, as_of: datetime | None = None) -> pd.DataFrame:
    """One row is one employee's engagement on one day, on a scale that ends at `scale_max`; `as_of` as above."""
    return _frame(connection, engagement, ["measured_on"], as_of)


def last_import(connection: Connection, as_of: datetime | None = None) -> datetime | None:
    """When an employment file was imported last; None where none was."""
    query = select(func.max(batches.c.imported_at)).where(
        batches.c.kind == employment.name, batches.c.undone_at.is_(None)
    )
    if as_of is not None:
        query = query.where(batches.c.imported_at <= as_of)
    found: datetime | None = connection.execute(query).scalar()
    return found


def read_engagement_groups(connection: Connection) -> pd.DataFrame:
    """One row is one group's engagement on one day: n people, mean and standard deviation."""
    return _frame(connection, engagement_groups, ["measured_on"])


def _frame(connection: Connection, table: Table, dates: list[str], as_of: datetime | None = None) -> pd.DataFrame:
    key = list(table.primary_key.columns)
    rows = [tuple(row) for row in connection.execute(select(table).order_by(*key))]
    if as_of is not None:
        rows = changed_back(connection, table, rows, as_of)
    frame = pd.DataFrame.from_records(rows, columns=[column.name for column in table.columns])
    for name in dates:
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    texts = [column.name for column in table.columns if column.type.python_type is str]
    frame[texts] = frame[texts].fillna("").astype("str")
    return frame


def _save(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    names = [column.name for column in table.columns]
    complete = [{name: row.get(name) for name in names} for row in rows]
    key = list(table.primary_key.columns)
    keys = [tuple(row[column.name] for column in key) for row in complete]
    for start in range(0, len(keys), AT_ONCE):
        connection.execute(delete(table).where(tuple_(*key).in_(keys[start : start + AT_ONCE])))
    if complete:
        connection.execute(insert(table), complete)
