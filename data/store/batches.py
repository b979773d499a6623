"""Keeps what an import changed, row by row, so that it can be told and undone; keeps what it refused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Table, and_, delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from data.errors import RapportError
from data.store.decisions import admitted
from data.tables import UtcTime, answers, batch_changes, batches, goal_ratings, programmes, quarantine, raw, responses

AT_ONCE = 200  # keys compared in one statement
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One stored row before and after; `before` is null where it was new."""

    table: Table
    key: Row
    before: Row | None
    after: Row


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """One refused row, or one refused cell of an accepted row."""

    batch_id: str
    row_number: int
    column: str
    reason: str
    cells: Mapping[str, str]


def start_batch(connection: Connection, *, kind: str, file_name: str, file_sha256: str, now: datetime) -> str:
    """Open the record of one import; returns its id, made of the time and the file."""
    stem = f"{now:%Y%m%d-%H%M%S}-{kind}-{file_sha256[:6]}"
    query = select(batches.c.batch_id).where(batches.c.batch_id.startswith(stem))
    taken = set(connection.execute(query).scalars())
    batch_id = next(name for name in _names(stem) if name not in taken)
    connection.execute(
        insert(batches).values(
            batch_id=batch_id,
            kind=kind,
            file_name=file_name,
            file_sha256=file_sha256,
            counts={},
            imported_at=now,
        )
    )
    return batch_id


def _names(stem: str) -> Iterable[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1


def finish_batch(connection: Connection, batch_id: str, counts: Mapping[str, Any]) -> None:
    """Write down how many rows became of what."""
    connection.execute(update(batches).where(batches.c.batch_id == batch_id).values(counts=dict(counts)))


def write_rows(connection: Connection, table: Table, rows: Sequence[Row], defaults: Row) -> list[Change]:
    """Insert new rows (filled up from `defaults`) and change known ones; equal ones stay untouched."""
    kept = _existing(connection, table, [_key(table, row) for row in rows])
    changes: list[Change] = []
    for row in rows:
        key = _key(table, row)
        before = kept.get(_order(key))
        after = _allowed(connection, table, {**(before or _filled(table, defaults)), **row})
        if after == before:
            continue
        kept[_order(key)] = after
        changes.append(Change(table=table, key=key, before=before, after=after))
    new = [dict(change.after) for change in changes if change.before is None]
    if new:
        connection.execute(insert(table), new)
    for change in changes:
        if change.before is not None:
            connection.execute(update(table).where(_is(table, change.key)).values(change.after))
    return changes


def record_changes(connection: Connection, batch_id: str, changes: Sequence[Change]) -> None:
    """Keep what changed, in order."""
    rows = [
        {
            "batch_id": batch_id,
            "position": position,
            "table_name": change.table.name,
            "key": _plain(change.key),
            "before": None if change.before is None else _plain(change.before),
            "after": _plain(change.after),
        }
        for position, change in enumerate(changes)
    ]
    if rows:
        connection.execute(insert(batch_changes), rows)


def keep_quarantined(connection: Connection, refused: Iterable[Quarantined]) -> None:
    """Keep refused rows with their reasons."""
    rows = [{**vars(entry), "cells": dict(entry.cells)} for entry in refused]
    if rows:
        connection.execute(insert(quarantine), rows)


def list_quarantine(connection: Connection, batch_id: str | None = None) -> list[Quarantined]:
    """Refused rows of one import, or of all that were not undone."""
    query = (
        select(quarantine)
        .join(batches, batches.c.batch_id == quarantine.c.batch_id)
        .order_by(batches.c.imported_at, quarantine.c.batch_id, quarantine.c.row_number, quarantine.c.column)
    )
    if batch_id is None:
        query = query.where(batches.c.undone_at.is_(None))
    else:
        query = query.where(quarantine.c.batch_id == batch_id)
    return [Quarantined(**row) for row in connection.execute(query).mappings()]


def undo_batch(connection: Connection, batch_id: str, now: datetime) -> int:
    """Put back every row that an import changed; returns how many. All of it or, with a sentence, nothing."""
    _refuse_undo(connection, batch_id)
    query = select(batch_changes).where(batch_changes.c.batch_id == batch_id)
    rows = connection.execute(query.order_by(batch_changes.c.position.desc())).mappings().all()
    changes = [_change(dict(row)) for row in rows]
    _refuse_changed_since(connection, changes)
    try:
        for table, group in groupby(changes, key=lambda change: change.table):
            for change in group:
                _put_back(connection, table, change)
    except IntegrityError:
        raise RapportError(
            f"The import {batch_id} cannot be undone: something later depends on it; undo that first."
        ) from None
    connection.execute(update(batches).where(batches.c.batch_id == batch_id).values(undone_at=now))
    return len(changes)


def changed_back(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], as_of: datetime
) -> list[tuple[Any, ...]]:
    """A table's rows as they were before all imports after `as_of`; what is erased since stays erased."""
    later = (
        select(batch_changes)
        .join(batches, batches.c.batch_id == batch_changes.c.batch_id)
        .where(batches.c.imported_at > as_of, batches.c.undone_at.is_(None), batch_changes.c.table_name == table.name)
        .order_by(batches.c.imported_at.desc(), batches.c.batch_id.desc(), batch_changes.c.position.desc())
    )
    names = [column.name for column in table.columns]
    places = [names.index(column.name) for column in table.primary_key.columns]
    kept = {tuple(row[place] for place in places): row for row in rows}
    for found in connection.execute(later).mappings():
        change = _change(dict(found))
        key = tuple(change.key[names[place]] for place in places)
        if key in kept:
            if change.before is None:
                del kept[key]
            else:
                kept[key] = tuple(change.before[name] for name in names)
    return [kept[key] for key in sorted(kept, key=lambda key: tuple(map(str, key)))]


def _refuse_undo(connection: Connection, batch_id: str) -> None:
    row = connection.execute(select(batches).where(batches.c.batch_id == batch_id)).one_or_none()
    if row is None:
        raise RapportError(f"There is no import {batch_id}; the report of an import names it.")
    if row.undone_at is not None:
        raise RapportError(f"The import {batch_id} is undone already.")
    if row.used_by_release is not None:
        release = row.used_by_release
        raise RapportError(f"The import {batch_id} cannot be undone: the release {release} has used it.")


def _refuse_changed_since(connection: Connection, changes: Sequence[Change]) -> None:
    by_table: dict[str, list[Change]] = {}
    for change in changes:
        by_table.setdefault(change.table.name, []).append(change)
    for of_table in by_table.values():
        table = of_table[0].table
        kept = _existing(connection, table, [change.key for change in of_table])
        for change in of_table:
            now_there = kept.get(_order(change.key))
            if now_there is None or any(now_there[name] != value for name, value in change.after.items()):
                raise RapportError(
                    f"The import cannot be undone: a row of {table.name} that it wrote was changed since; "
                    "undo the later import first."
                )


def _put_back(connection: Connection, table: Table, change: Change) -> None:
    if change.before is not None:
        before = _allowed(connection, table, change.before)
        connection.execute(update(table).where(_is(table, change.key)).values(before))
        return
    if table is responses:
        _forget_said(connection, change.key["response_id"])
    connection.execute(delete(table).where(_is(table, change.key)))


def _allowed(connection: Connection, table: Table, row: Row) -> Row:
    """The row as it may be written: what a programme decided is fixed once it asks."""
    if table is not programmes:
        return row
    return {**row, "decisions": admitted(connection, row["programme_id"], row["decisions"])}


def _forget_said(connection: Connection, response_id: str) -> None:
    """What hangs on a response goes with it; the version that counted before counts again."""
    for table in (answers, goal_ratings):
        connection.execute(delete(table).where(table.c.response_id == response_id))
    this = connection.execute(select(responses).where(responses.c.response_id == response_id)).one()
    others = select(responses.c.response_id).where(
        responses.c.invitation_id == this.invitation_id,
        responses.c.response_id != response_id,
        responses.c.withdrawn_at.is_(None),
    )
    best = connection.execute(
        others.order_by(responses.c.is_complete.desc(), responses.c.version.desc()).limit(1)
    ).scalar()
    if this.is_counted and best is not None:
        connection.execute(update(responses).where(responses.c.response_id == best).values(is_counted=True))


# --- rows, keys and their JSON ------------------------------------------------------------------


def _existing(connection: Connection, table: Table, keys: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    columns = list(table.primary_key.columns)
    wanted = [tuple(key[column.name] for column in columns) for key in keys]
    found: dict[tuple[Any, ...], Row] = {}
    for start in range(0, len(wanted), AT_ONCE):
        query = select(table).where(tuple_(*columns).in_(wanted[start : start + AT_ONCE]))
        for row in connection.execute(query).mappings():
            found[_order(_key(table, dict(row)))] = dict(row)
    return found


def _filled(table: Table, defaults: Row) -> dict[str, Any]:
    return {column.name: defaults.get(column.name) for column in table.columns}


def _key(table: Table, row: Row) -> dict[str, Any]:
    return {column.name: row[column.name] for column in table.primary_key.columns}


def _order(key: Row) -> tuple[Any, ...]:
    return tuple(key[name] for name in sorted(key))


def _is(table: Table, key: Row) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in key.items()))


def _plain(row: Row) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _change(row: Row) -> Change:
    table = raw.tables[row["table_name"]]
    before = None if row["before"] is None else _typed(table, row["before"])
    key, after = _typed(table, row["key"]), _typed(table, row["after"])
    return Change(table=table, key=key, before=before, after=after)


def _typed(table: Table, row: Row) -> dict[str, Any]:
    return {name: _typed_cell(table.c[name].type, value) for name, value in row.items()}


def _typed_cell(kind: object, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if isinstance(kind, UtcTime) else value
