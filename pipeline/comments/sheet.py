"""Writes a pool of comments as a sheet to read and mark, and takes the marked sheet back."""

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from data.errors import RapportError
from data.imports.files import sheet_of, take_in
from data.imports.sheet import Layout, normal

COLUMNS = ("id", "decision", "comment")
KEEP, DROP = "keep", "drop"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(path: Path, comments: Iterable[tuple[str, str]]) -> None:
    """One row a comment (label, masked text), the decision left open; for this account only."""
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow(COLUMNS)
    rows.writerows((label, "", f"'{text}" if text.startswith(FORMULA) else text) for label, text in comments)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            target.write(file.getvalue().encode("utf-8-sig"))  # spreadsheets know UTF-8 by its mark
        half.replace(path)
    except OSError:
        raise RapportError(f"The pool cannot be written to {path}; name a .csv in a folder that is there.") from None
    finally:
        half.unlink(missing_ok=True)


def read(path: Path) -> Mapping[str, str | None]:
    """Label → the text to release, None where the comment was dropped; every row must say keep or drop."""
    sheet = sheet_of(take_in(path), Layout())
    header = [normal(name) for name in sheet.header]
    if any(header.count(name) != 1 for name in COLUMNS):
        raise RapportError(f"{path.name} has the columns {', '.join(sheet.header)}; expected {', '.join(COLUMNS)}.")
    places = [header.index(name) for name in COLUMNS]
    marked: dict[str, str | None] = {}
    for row in (each for each in sheet.rows if not each.is_blank):
        if row.fault or row.cell_faults:
            raise RapportError(f"Row {row.number} of {path.name} cannot be read; write the pool again.")
        label, decision, text = ((row.cells[place] or "").strip() for place in places)
        if normal(decision) not in (KEEP, DROP):
            raise RapportError(
                f"Row {row.number} of {path.name} is not decided; write {KEEP} or {DROP} for each comment."
            )
        if label in marked:
            raise RapportError(f"Row {row.number} of {path.name} repeats a comment; write the pool again.")
        marked[label] = _said(text) if normal(decision) == KEEP else None
    return marked


def _said(text: str) -> str | None:
    own = text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
    return own.strip() or None
