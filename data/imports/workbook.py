"""Reads the first visible sheet of an XLSX file as text, after checking what opening it would cost."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Any

import openpyxl

from data.errors import RapportError
from data.imports.delimited import SHOWN_OF_A_LONG_CELL, TOO_LONG
from data.imports.sheet import LIMITS, Limits, RawRow

MAX_ENTRIES = 2_000
MAX_UNPACKED_BYTES = 300_000_000
MAX_RATIO = 200
SMALL_ENTRY_BYTES = 1_000_000  # below this a high ratio costs nothing
EXACT_UP_TO = 10**15  # a spreadsheet keeps 15 digits

UNREADABLE = "The workbook cannot be read; save it again as XLSX."
TOO_MANY = "The sheet has more cells than are accepted; delete empty rows and columns, or hand it in as CSV."
NO_RESULT = "a formula without a stored result"
LONG_NUMBER = "a number of more than 15 digits has lost its last ones; format the column as text"
ERROR_VALUE = "a spreadsheet error"

_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s")
_HIDDEN = re.compile(rb"<(?:\w+:)?(?:row|col)\s[^>]*\bhidden=[\"'](?:1|true)[\"']")


def is_workbook(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def read_workbook(content: bytes, limits: Limits = LIMITS) -> Iterator[RawRow]:
    """Every row of the first visible sheet, dates as ISO, whole numbers without a point."""
    _refuse_bomb(content)
    results, formulas = _opened(content, data_only=True), _opened(content, data_only=False)
    sheet = _first_visible(results)
    _refuse_hidden(content, sheet)
    formulas_sheet = formulas[sheet.title]
    formulas_sheet.reset_dimensions()
    rows = _rows(sheet, formulas_sheet, limits)
    width = max((len(row.cells) for row in rows), default=0)
    if width * len(rows) > limits.max_cells:
        raise RapportError(TOO_MANY)
    for row in rows:  # a sheet has no short rows: what is not written is empty
        padding = (None,) * (width - len(row.cells))
        yield RawRow(row.number, row.cells + padding, row.fault, row.cell_faults)


def _refuse_bomb(content: bytes) -> None:
    try:
        entries = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except zipfile.BadZipFile:
        raise RapportError("The workbook is damaged; save it again as XLSX.") from None
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise RapportError("The workbook unpacks to more than is accepted; hand in the one sheet as CSV.")
    for entry in entries:
        if entry.file_size > max(SMALL_ENTRY_BYTES, MAX_RATIO * entry.compress_size):
            raise RapportError("The workbook is packed too tightly to be safe; hand in the sheet as CSV.")


def _opened(content: bytes, *, data_only: bool) -> Any:
    try:
        file = io.BytesIO(content)
        return openpyxl.load_workbook(file, read_only=True, data_only=data_only, keep_links=False)
    except Exception:  # whatever is wrong inside, the person needs one sentence
        raise RapportError(UNREADABLE) from None


def _first_visible(workbook: Any) -> Any:
    for sheet in workbook.worksheets:
        if sheet.sheet_state == "visible":
            sheet.reset_dimensions()  # what a file says of its own size is not trusted
            return sheet
    raise RapportError("The workbook has no visible sheet.")


def _refuse_hidden(content: bytes, sheet: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = archive.read(sheet._worksheet_path)
    if _MERGED.search(part):
        raise RapportError(f'The sheet "{sheet.title}" has merged cells; unmerge them.')
    if _HIDDEN.search(part):
        raise RapportError(f'The sheet "{sheet.title}" has hidden rows or columns; show or delete them.')


def _rows(sheet: Any, formulas_sheet: Any, limits: Limits) -> list[RawRow]:
    pairs = zip(sheet.iter_rows(), formulas_sheet.iter_rows(), strict=True)
    numbered = islice(enumerate(pairs, start=1), limits.max_rows + 1)
    rows: list[RawRow] = []
    n_cells = 0
    try:
        for number, (shown, said) in numbered:  # one far cell makes a whole row of empty ones
            n_cells += len(shown)
            if n_cells > limits.max_cells:
                raise RapportError(TOO_MANY)
            rows.append(_row(number, shown, said, limits))
        return rows
    except RapportError:
        raise
    except Exception:  # a cell that the format does not have
        raise RapportError(UNREADABLE) from None


def _row(number: int, shown: tuple[Any, ...], said: tuple[Any, ...], limits: Limits) -> RawRow:
    cells: list[str | None] = []
    faults: dict[int, str] = {}
    for place, (result, source) in enumerate(zip(shown, said, strict=True)):
        text, fault = _text(result.value, source.value, is_formula=source.data_type == "f")
        if result.data_type == "e":
            text, fault = None, ERROR_VALUE
        if text is not None and len(text) > limits.max_cell_chars:
            text, fault = text[:SHOWN_OF_A_LONG_CELL] + "…", TOO_LONG
        cells.append(text)
        if fault:
            faults[place] = fault
    return RawRow(number, tuple(cells), "", faults)


def _text(value: Any, source: Any, *, is_formula: bool) -> tuple[str | None, str]:
    if value is None or value == "":
        return (str(source), NO_RESULT) if is_formula else (None, "")
    if isinstance(value, bool):
        return str(value).upper(), ""
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return (str(value.date()) if value.time() == time() else value.isoformat(sep=" ")), ""
    if isinstance(value, date):
        return value.isoformat(), ""
    return str(value), ""


def _number(value: int | float) -> tuple[str, str]:
    if abs(value) >= EXACT_UP_TO:
        return str(value), LONG_NUMBER
    return (str(int(value)) if value == int(value) else repr(value)), ""
