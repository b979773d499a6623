"""Reads the rows of a sheet as one kind of file: good rows with their values, the others with a reason."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.errors import RapportError
from data.imports.cells import CellError
from data.imports.kinds import Column, Kind
from data.imports.mapping import FileMap
from data.imports.report import Refusal
from data.imports.sheet import RawRow, Sheet, normal, refuse_duplicates

REPEATED = "two rows disagree about the same key"


@dataclass(frozen=True)
class Good:
    """A row that makes sense on its own. `cells`: its known columns as they were written."""

    number: int
    values: Mapping[str, Any]
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Read:
    """What a sheet holds."""

    good: tuple[Good, ...]
    refused: tuple[Refusal, ...]
    n_blank: int
    unknown_columns: tuple[str, ...]


def read_rows(sheet: Sheet, kind: Kind, file_map: FileMap) -> Read:
    """Every row of the sheet, once: good, refused or blank."""
    places, unknown = locate(sheet.header, kind, file_map)
    good: list[Good] = []
    refused: list[Refusal] = []
    filled = [row for row in sheet.rows if not row.is_blank]
    for row in filled:
        outcome = _read_row(row, places, kind, file_map)
        if isinstance(outcome, Good):
            good.append(outcome)
        else:
            refused.append(outcome)
    agreed, disagreeing = without_conflicts(good, kind)
    return Read(tuple(agreed), tuple(refused + disagreeing), len(sheet.rows) - len(filled), unknown)


def locate(header: tuple[str, ...], kind: Kind, file_map: FileMap) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each of our columns stands, and the names of those that nobody asked for."""
    ours = {column.name for column in kind.columns}
    refuse_duplicates(header)
    _refuse_bad_map(header, ours, file_map)
    renamed = set(file_map.columns.values()) | set(file_map.constants)
    places: dict[str, int] = {}
    unknown: list[str] = []
    for place, heading in enumerate(header):
        plain = normal(heading)
        name = file_map.columns.get(plain) or ("" if plain in renamed else plain)
        if name in places:
            raise RapportError(f"Two columns give {name}; expected one. The second is called {heading}.")
        if name in ours:
            places[name] = place
        elif heading:
            unknown.append(heading)
    for column in kind.columns:
        if column.is_required and column.name not in places and column.name not in file_map.constants:
            raise RapportError(f"The file has no column {column.name}; say in a map which one holds it.")
    return places, tuple(unknown)


def _refuse_bad_map(header: tuple[str, ...], ours: set[str], file_map: FileMap) -> None:
    present = {normal(heading) for heading in header}
    for theirs, name in file_map.columns.items():
        if theirs not in present:
            raise RapportError(f'The map names the column "{theirs}", which the file does not have.')
        if name not in ours:
            raise RapportError(f"The map wants a column {name}; expected one of {', '.join(sorted(ours))}.")
    for name in (*file_map.values, *file_map.constants, *file_map.pad):
        if name not in ours:
            raise RapportError(f"The map speaks of {name}; expected one of {', '.join(sorted(ours))}.")


def _read_row(row: RawRow, places: Mapping[str, int], kind: Kind, file_map: FileMap) -> Good | Refusal:
    if row.fault:  # its cells may stand under the wrong heading, so none is kept
        return Refusal(row.number, row.fault)
    cells = {name: row.cells[place] or "" for name, place in places.items()}
    values: dict[str, Any] = {}
    for column in kind.columns:
        if column.name not in places and column.name not in file_map.constants:
            continue
        fault = row.cell_faults.get(places.get(column.name, -1), "")
        try:
            values[column.name] = _value(column, cells.get(column.name), fault, file_map)
        except CellError as bad:
            return Refusal(row.number, str(bad), column.name, cells)
    for name, source in kind.filled_from.items():
        if values.get(name) is None:
            values[name] = values[source]
    reason = kind.sense(values)
    return Refusal(row.number, reason, "", cells) if reason else Good(row.number, values, cells)


def _value(column: Column, cell: str | None, fault: str, file_map: FileMap) -> object:
    if fault:
        raise CellError(fault)
    text = file_map.said(column.name, cell) or file_map.constants.get(column.name, "")
    if text:
        return column.read(text, file_map.layout)
    if column.is_required:
        raise CellError("empty")
    return None


def without_conflicts(good: list[Good], kind: Kind) -> tuple[list[Good], list[Refusal]]:
    """A row said twice is accepted twice; of rows that disagree none may win silently."""
    by_key: dict[tuple[Any, ...], list[Good]] = defaultdict(list)
    for row in good:
        by_key[tuple(row.values.get(name) for name in kind.key)].append(row)
    agreed: list[Good] = []
    refused: list[Refusal] = []
    for rows in by_key.values():
        if all(row.values == rows[0].values for row in rows):
            agreed.extend(rows)
        else:
            refused.extend(Refusal(row.number, REPEATED, "", row.cells) for row in rows)
    return agreed, refused
