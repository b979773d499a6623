"""Reads lists of people and of outcomes, and writes a drawn allocation with its log."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from data.errors import RapportError
from data.imports.delimited import decoded
from data.imports.files import sheet_of, take_in
from data.imports.sheet import Layout, RawRow, normal, refuse_duplicates
from pipeline.business_case.allocation import Allocation, Method

PERSON, PERIOD = "person_id", "period"
COLUMNS = ("person_id", "stratum", "arm", "step")
LOGGED = {"method": str, "places": int, "steps": int, "seed": str, "strata": str, "people": int, "digest": str}
TAKEN_FOR_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
QUOTE = "'"


def read_people(path: Path, strata: Sequence[str]) -> pd.DataFrame:
    """Each person of a list with the columns that strata are made of; RapportError on a row that is not whole."""
    return _read(path, (PERSON, *strata), may_be_empty=())


def read_outcomes(path: Path, outcome: str) -> pd.DataFrame:
    """One row a person, or a person and period: the outcome as a number, NaN where it is not known."""
    with_period = PERIOD in _header(path)
    names = (PERSON, outcome, *((PERIOD,) if with_period else ()))
    read = _read(path, names, may_be_empty=(outcome,))
    found = read.assign(**{outcome: [_number(cell, outcome) for cell in read[outcome]]})
    return found.assign(period=[_whole(cell) for cell in read[PERIOD]]) if with_period else found


def log_beside(path: Path) -> Path:
    return path.with_suffix(".log.json")


def write_allocation(allocation: Allocation, path: Path, *, now: datetime) -> Path:
    """The table as CSV and the log beside it; neither replaces a file, so that nobody draws until it suits them."""
    log_path = log_beside(path)
    for each in (path, log_path):
        if each.exists():
            raise RapportError(f"{each.name} is there already; a draw is made once, and never written over another.")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in allocation.table.itertuples():
        writer.writerow([_safe(str(row.person)), _safe(str(row.stratum)), row.arm, row.step])
    log = {**allocation.log, "drawn_at": now.isoformat()}
    _write(path, text.getvalue())
    _write(log_path, json.dumps(log, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
    return log_path


def read_allocation(path: Path, log_path: Path) -> Allocation:
    """An allocation as it was written; RapportError where the two files are none, or not of one draw."""
    log = _read_log(log_path)
    rows = _read(path, COLUMNS, may_be_empty=("stratum",))
    text = {name: pd.Series([_plain(cell) for cell in rows[name]], dtype="str") for name in ("person_id", "stratum")}
    table = pd.DataFrame(
        {
            "person": text["person_id"],
            "stratum": text["stratum"],
            "arm": pd.Series(list(rows["arm"]), dtype="str"),
            "step": pd.Series([_whole(cell) for cell in rows["step"]], dtype="int64"),
        }
    )
    if len(table) != log["people"] or table["person"].duplicated().any():
        raise RapportError(f"{log_path.name} is the log of {log['people']} people, {path.name} holds {len(table)}.")
    return Allocation(
        table=table,
        method=log["method"],
        places=log["places"],
        steps=log["steps"],
        seed=log["seed"],
        strata=tuple(name for name in log["strata"].split(",") if name),
        digest=log["digest"],
    )


def _read_log(path: Path) -> dict[str, Any]:
    try:
        log = json.loads(decoded(take_in(path).content, "utf-8"))
    except (json.JSONDecodeError, RecursionError):
        log = None
    if not isinstance(log, Mapping) or not all(type(log.get(name)) is kind for name, kind in LOGGED.items()):
        raise RapportError(f"{path.name} is no log of an allocation; expected {', '.join(LOGGED)}.")
    if log["method"] not in get_args(Method):
        raise RapportError(f"{path.name} names the method {log['method']!r}; expected {', '.join(get_args(Method))}.")
    return dict(log)


def _header(path: Path) -> set[str]:
    return {normal(name) for name in sheet_of(take_in(path), Layout()).header}


def _read(path: Path, names: Sequence[str], *, may_be_empty: Sequence[str]) -> pd.DataFrame:
    sheet = sheet_of(take_in(path), Layout())
    refuse_duplicates(sheet.header)
    places = {normal(heading): place for place, heading in enumerate(sheet.header)}
    missing = [name for name in names if normal(name) not in places]
    if missing:
        raise RapportError(f"{path.name} has no column {missing[0]}; expected {', '.join(names)}.")
    rows = [_cells(row, path, names, places, may_be_empty) for row in sheet.rows if not row.is_blank]
    return pd.DataFrame(rows, columns=list(names), dtype=object)


def _cells(
    row: RawRow, path: Path, names: Sequence[str], places: Mapping[str, int], may_be_empty: Sequence[str]
) -> list[str]:
    if row.fault:
        raise RapportError(f"Row {row.number} of {path.name} cannot be read: {row.fault}.")
    cells = []
    for name in names:
        place = places[normal(name)]
        cell = (row.cells[place] or "").strip()
        if place in row.cell_faults:
            raise RapportError(f"Row {row.number} of {path.name} cannot be read: {row.cell_faults[place]}.")
        if not cell and name not in may_be_empty:
            raise RapportError(f"Row {row.number} of {path.name} has no {name}; expected one in every row.")
        cells.append(cell)
    return cells


def _number(cell: str, name: str) -> float:
    if not cell:
        return float("nan")
    try:
        found = float(cell)
    except ValueError:
        found = float("nan")
    if not isfinite(found):
        raise RapportError(f"The column {name} holds {cell!r}; expected numbers such as 0, 1 or 3.5.")
    return found


def _whole(cell: str) -> int:
    if not (cell.isascii() and cell.isdecimal()) or len(cell) > 6:
        raise RapportError(f"{cell!r} is no step or period; expected a whole number.")
    return int(cell)


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, and of which `_plain` makes what it was."""
    return f"{QUOTE}{cell}" if cell.startswith((*TAKEN_FOR_FORMULAS, QUOTE)) else cell


def _plain(cell: str) -> str:
    return cell.removeprefix(QUOTE)


def _write(path: Path, text: str) -> None:
    """For the owner alone: it says who got a place."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        raise RapportError(f"{path.name} cannot be written; expected a folder that is there.") from None
