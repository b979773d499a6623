"""Imports one file: reads it, plans it and writes it in one transaction, with every row accounted for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from data.errors import RapportError
from data.imports.events import read_events
from data.imports.files import HandedIn, sheet_of, take_in
from data.imports.kinds import EMPLOYMENT, Kind, kind_named
from data.imports.mapping import FileMap, checked_order, read_map
from data.imports.plan import Plan, plan_rows
from data.imports.report import ImportReport, Refusal, reasons_of
from data.imports.rows import Read, read_rows
from data.imports.sheet import LIMITS, Limits, Sheet
from data.store import batches
from data.store.batches import Change, Quarantined
from data.store.employment import pseudonym
from data.store.engine import Stores, reading, writing


def import_file(
    stores: Stores,
    *,
    kind: str,
    path: Path,
    now: datetime,
    key: bytes,
    map_path: Path | None = None,
    date_order: str | None = None,
    dry_run: bool = False,
    limits: Limits = LIMITS,
) -> ImportReport:
    """Import people, pairings, employment, engagement, engagement-groups or the first hour's workbook.

    `key` makes the pseudonyms of employment and engagement. A dry run counts and writes nothing.
    """
    wanted = kind_named(kind)
    file_map = read_map(map_path) if map_path else FileMap()
    if date_order:
        layout = checked_order(replace(file_map.layout, date_order=date_order))
        file_map = replace(file_map, layout=layout)
    handed_in = take_in(path, limits)
    sheet = sheet_of(handed_in, file_map.layout, limits)
    read = _read(sheet, wanted, file_map)
    if dry_run:
        with reading(stores.raw) as connection:
            plan = plan_rows(connection, wanted, read.good, key, now, file_map.as_of)
        return _report(wanted, handed_in, sheet, read, plan)
    with writing(stores.raw) as connection:
        plan = plan_rows(connection, wanted, read.good, key, now, file_map.as_of)
        report = _report(wanted, handed_in, sheet, read, plan)
        return _write(connection, report, handed_in, read, plan, key if wanted.is_pseudonymous else None, now)


def _read(sheet: Sheet, kind: Kind, file_map: FileMap) -> Read:
    if kind is not EMPLOYMENT and (file_map.events is not None or file_map.as_of is not None):
        raise RapportError("Only a map for employment may have [events] or [snapshot]; take them out of this one.")
    return (
        read_rows(sheet, kind, file_map) if file_map.events is None else read_events(sheet, file_map, file_map.events)
    )


def _report(kind: Kind, handed_in: HandedIn, sheet: Sheet, read: Read, plan: Plan) -> ImportReport:
    refused = [*read.refused, *plan.refused]
    return ImportReport(
        kind=kind.name,
        file_name=handed_in.name,
        rows=sheet.n_rows,
        accepted=len(read.good) - len(plan.refused),
        quarantined=len(refused),
        blank=read.n_blank,
        header=sheet.n_header,
        reasons=reasons_of(refused),
        unknown_columns=read.unknown_columns,
    )


def _write(
    connection: Connection,
    report: ImportReport,
    handed_in: HandedIn,
    read: Read,
    plan: Plan,
    key: bytes | None,
    now: datetime,
) -> ImportReport:
    batch_id = batches.start_batch(
        connection, kind=report.kind, file_name=handed_in.name, file_sha256=handed_in.sha256, now=now
    )
    changes: list[Change] = []
    for table, rows in plan.rows:
        changes += batches.write_rows(connection, table, rows, plan.defaults)
    batches.record_changes(connection, batch_id, changes)
    keep_refused(connection, batch_id, [*read.refused, *plan.refused], key)
    finished = replace(report, batch=batch_id, changed=len(changes))
    batches.finish_batch(connection, batch_id, finished.as_json())
    return finished


def keep_refused(connection: Connection, batch_id: str, refused: Sequence[Refusal], key: bytes | None = None) -> None:
    """Quarantine rows with their reasons; with a key, people in them stand under their pseudonym."""
    batches.keep_quarantined(
        connection,
        [
            Quarantined(
                batch_id=batch_id,
                row_number=refusal.row_number,
                column=refusal.column,
                reason=refusal.reason,
                cells=_pseudonymised(refusal.cells, key) if key else refusal.cells,
            )
            for refusal in refused
        ],
    )


def _pseudonymised(cells: Mapping[str, str], key: bytes) -> dict[str, str]:
    kept = {name: cell for name, cell in cells.items() if name != "person_id"}
    person_id = cells.get("person_id", "").strip()
    return {**kept, "employee_key": pseudonym(key, person_id)} if person_id else kept
