"""Gives each row of a report of one day the day from which on it holds, so that a move does not rewrite the past.

A report of everyone as they are on one day says nothing of when that became so. Held against what is kept: a spell
whose department, location and grade are as they were keeps its row, so only its end may be new; one that differs gets
a row from the report's day on; one that is not known yet gets its first row from that day on, too.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from data.tables import employment

ATTRIBUTES = ("department", "location", "grade")
Spell = tuple[str, date]


def as_of_day(connection: Connection, rows: Sequence[dict[str, Any]], as_of: date) -> list[dict[str, Any]]:
    """The rows, each with its `valid_from`; one that names a later day than its hiring keeps it."""
    kept = _kept(connection, as_of)
    return [row if row["valid_from"] != row["hired_on"] else _placed(row, kept, as_of) for row in rows]


def _placed(row: dict[str, Any], kept: dict[Spell, dict[str, Any]], as_of: date) -> dict[str, Any]:
    before = kept.get((row["employee_key"], row["hired_on"]))
    if before is not None and all(row.get(name, before[name]) == before[name] for name in ATTRIBUTES):
        return {**row, "valid_from": before["valid_from"]}
    return {**row, "valid_from": max(as_of, row["hired_on"])}


def _kept(connection: Connection, as_of: date) -> dict[Spell, dict[str, Any]]:
    """What held for each spell on the day: its row with the latest `valid_from` up to then."""
    query = select(employment).where(employment.c.valid_from <= as_of).order_by(employment.c.valid_from)
    rows: Iterable[Any] = connection.execute(query).mappings()
    return {(row["employee_key"], row["hired_on"]): dict(row) for row in rows}
