"""Decides which stored rows a file's good rows become, and which of them cannot be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from data import tables
from data.imports.first_hour import pairing_id, people_rows, person_id, split_names
from data.imports.kinds import Kind
from data.imports.report import Refusal
from data.imports.rows import Good
from data.imports.snapshot import as_of_day
from data.store.employment import pseudonym
from data.store.people import DEFAULT_DECISIONS, DEFAULT_LANGUAGE, DEFAULT_PROGRAMME

UNKNOWN_PERSON = "a person who is not known; import people first"
OTHER_PEOPLE = "the pairing is known with other people or in another programme"
FIXED_IN_A_PAIRING = ("mentor_id", "mentee_id", "programme_id")


@dataclass(frozen=True)
class Plan:
    """Rows for each table, in the order in which they may be written, and what is refused after all."""

    rows: tuple[tuple[Table, list[dict[str, Any]]], ...]
    refused: tuple[Refusal, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)


def plan_rows(
    connection: Connection,
    kind: Kind,
    good: Sequence[Good],
    key: bytes,
    now: datetime,
    as_of: date | None = None,
) -> Plan:
    """What becomes of the good rows of one file; with `as_of` it is a report of that one day."""
    if kind.name == "people":
        rows = [_with_language(dict(row.values)) for row in good]
        return Plan(((tables.people, rows),), defaults={"language": DEFAULT_LANGUAGE})
    if kind.name == "pairings":
        return _pairings(connection, [(row, _pairing(row)) for row in good], now, ())
    if kind.name == "workbook":
        return _workbook(connection, good, now)
    if kind.is_pseudonymous:
        rows = [_pseudonymous(row, key) for row in good]
        if as_of is not None:
            rows = as_of_day(connection, rows, as_of)
        return Plan(((tables.raw.tables[kind.name], rows),))
    return Plan(((tables.engagement_groups, [dict(row.values) for row in good]),))


def _with_language(row: dict[str, Any]) -> dict[str, Any]:
    if "language" in row and row["language"] is None:
        row["language"] = DEFAULT_LANGUAGE
    return row


def _pseudonymous(row: Good, key: bytes) -> dict[str, Any]:
    values = dict(row.values)
    person = values.pop("person_id")
    return {**values, "employee_key": pseudonym(key, person)}


def _pairing(row: Good) -> dict[str, Any]:
    values = dict(row.values)
    values["programme_id"] = values.pop("programme", None) or DEFAULT_PROGRAMME
    return values


def _workbook(connection: Connection, good: Sequence[Good], now: datetime) -> Plan:
    rows, refused = split_names(good)
    asked = [(row, _paired(row)) for row in rows]
    everyone = [_with_language(row) for row in people_rows(rows)]
    plan = _pairings(connection, asked, now, tuple(row["person_id"] for row in everyone))
    lost = {refusal.row_number for refusal in plan.refused}
    if lost:
        everyone = [_with_language(row) for row in people_rows(row for row in rows if row.number not in lost)]
    programmes, pairings = plan.rows
    written = (programmes, (tables.people, everyone), pairings)
    return Plan(written, (*refused, *plan.refused), {"language": DEFAULT_LANGUAGE})


def _paired(row: Good) -> dict[str, Any]:
    return {
        "pairing_id": pairing_id(row),
        "programme_id": row.values.get("programme") or DEFAULT_PROGRAMME,
        "mentor_id": person_id(row.values["mentor_email"]),
        "mentee_id": person_id(row.values["mentee_email"]),
        "started_on": row.values["started_on"],
    }


def _pairings(
    connection: Connection,
    asked: Sequence[tuple[Good, dict[str, Any]]],
    now: datetime,
    coming: Sequence[str],
) -> Plan:
    people = {*coming, *connection.execute(select(tables.people.c.person_id)).scalars()}
    kept = {row["pairing_id"]: row for row in connection.execute(select(tables.pairings)).mappings()}
    programmes = set(connection.execute(select(tables.programmes.c.programme_id)).scalars())
    rows: list[dict[str, Any]] = []
    refused: list[Refusal] = []
    for source, row in asked:
        before = kept.get(row["pairing_id"])
        if not {row["mentor_id"], row["mentee_id"]} <= people:
            refused.append(Refusal(source.number, UNKNOWN_PERSON, "", source.cells))
        elif before is not None and any(before[name] != row[name] for name in FIXED_IN_A_PAIRING):
            refused.append(Refusal(source.number, OTHER_PEOPLE, "", source.cells))
        else:
            rows.append(row)
    new = sorted({row["programme_id"] for row in rows} - programmes)
    made = [_programme(programme_id, now) for programme_id in new]
    return Plan(((tables.programmes, made), (tables.pairings, rows)), tuple(refused))


def _programme(programme_id: str, now: datetime) -> dict[str, Any]:
    decisions = dict(DEFAULT_DECISIONS)
    name = programme_id[:1].upper() + programme_id[1:].replace("_", " ")
    return {"programme_id": programme_id, "name": name, "decisions": decisions, "created_at": now}
