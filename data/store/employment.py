"""Keeps what HR knows of everyone eligible, under pseudonyms: employment and engagement."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, delete, insert, select, tuple_

from data.tables import employment, engagement, engagement_groups

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


def read_roster(connection: Connection) -> pd.DataFrame:
    """One row is what held for one employee from `valid_from` on; text is "" where unknown."""
    return _frame(connection, employment, ["hired_on", "valid_from", "left_on"])


def read_engagement(connection: Connection) -> pd.DataFrame:
    """One row is one employee's engagement on one day, on a scale that ends at `scale_max`."""
    return _frame(connection, engagement, ["measured_on"])


def read_engagement_groups(connection: Connection) -> pd.DataFrame:
    """One row is one group's engagement on one day: n people, mean and standard deviation."""
    return _frame(connection, engagement_groups, ["measured_on"])


def _frame(connection: Connection, table: Table, dates: list[str]) -> pd.DataFrame:
    key = list(table.primary_key.columns)
    rows = connection.execute(select(table).order_by(*key)).all()
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
