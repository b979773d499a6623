"""Compares a file of published numbers that somebody holds with the frozen releases that it names.

A file is only ever compared: nothing in it is computed with, followed or opened.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from data.contracts import Published
from data.errors import RapportError
from data.imports.delimited import read_delimited
from data.imports.sheet import LIMITS, Layout, Limits, RawRow, lay_out
from data.store.engine import Engine, reading
from data.store.releases import StoredRelease, releases_of
from pipeline.published import as_csv, as_json, rows_of
from pipeline.release import DIFFERS, IDENTICAL
from pipeline.seal import seal_is_valid

KEY = ("release", "view", "group", "side", "metric")
SHOWN = 60  # characters of a cell that a message repeats
EXPECTED = "expected what `rapport published` prints, as CSV or JSON, or a report as HTML, PDF, PPTX or XLSX"
Cells = Mapping[str, str]
Row = tuple[int, Cells]  # its place in the file, and its cells


@dataclass(frozen=True)
class Held:
    """A release as it is kept: its rows in the file's own form, by key; why it cannot be compared, or ""."""

    rows: Mapping[tuple[str, ...], Cells]
    fault: str = ""
    is_withdrawn: bool = False


def compare(source: Engine, content: bytes, *, key: str, limits: Limits = LIMITS) -> dict[str, Any]:
    """By release that the file names "identical" or "differs", and the first difference in words.

    Raises RapportError for a file that holds no published rows.
    """
    is_json = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{")
    rows = list(_of_json(content) if is_json else _of_csv(content, limits))
    if not rows:
        raise RapportError(f"The file holds no row of a release; {EXPECTED}.")
    by_release: dict[str, list[Row]] = {}
    for row in rows:
        by_release.setdefault(_release(row[1], is_json=is_json), []).append(row)
    verdicts: dict[str, str] = {}
    first: str | None = None
    for name, of_release in by_release.items():
        held = _held(source, name, key=key, is_json=is_json)
        difference = held.fault or _difference(of_release, held.rows)
        verdicts[name] = DIFFERS if difference else f"{IDENTICAL}; withdrawn since" if held.is_withdrawn else IDENTICAL
        first = first or (f"{_short(name)}: {difference}" if difference else None)
    return {"releases": verdicts, "first_difference": first}


def _difference(rows: list[Row], held: Mapping[tuple[str, ...], Cells]) -> str:
    """The first row of the file that the release does not have so, else a row that the file lacks; "" for none."""
    seen: set[tuple[str, ...]] = set()
    for place, cells in rows:
        of = tuple(cells[name] for name in KEY)
        kept = held.get(of)
        if kept is None or of in seen:
            return f"row {place} ({_about(cells)}) {'stands twice' if of in seen else 'is not in the release'}"
        odd = next((name for name in cells if cells[name] != kept[name]), None)
        if odd is not None:
            return f"row {place} ({_about(cells)}) has {odd} {_short(cells[odd])}, the release has {_short(kept[odd])}"
        seen.add(of)
    missing = next((cells for of, cells in held.items() if of not in seen), None)
    return f"the release has a row that the file lacks ({_about(missing)})" if missing else ""


def _held(source: Engine, name: str, *, key: str, is_json: bool) -> Held:
    with reading(source) as connection:
        stored = next((each for each in releases_of(connection) if each.release_id == name), None)
        if stored is None:
            return Held({}, "there is no such release here")
        if not seal_is_valid(stored, key):
            return Held({}, "the seal of the release here does not hold")
    rows = _as_published(stored, is_json=is_json)
    by_key = {tuple(cells[each] for each in KEY): cells for _, cells in rows}
    return Held(by_key, is_withdrawn=stored.withdrawn_at is not None)


def _as_published(stored: StoredRelease, *, is_json: bool) -> list[Row]:
    """The frozen rows as `rapport published` prints them, withdrawn or not."""
    frame = rows_of([stored])
    return list(_of_json(as_json(frame).encode()) if is_json else _of_csv(as_csv(frame).encode(), LIMITS))


# --- what the file says ----------------------------------------------------------------------------


def _of_csv(content: bytes, limits: Limits) -> Iterator[Row]:
    sheet = lay_out(read_delimited(content, Layout(separator="comma"), limits), Layout(), limits)
    _refuse_other_columns(sheet.header)
    for row in sheet.rows:
        if not row.is_blank:
            yield row.number, dict(zip(sheet.header, _texts(row), strict=True))


def _texts(row: RawRow) -> list[str]:
    if row.fault:
        raise RapportError(f"Row {row.number} cannot be read: {row.fault}; {EXPECTED}.")
    return [cell or "" for cell in row.cells]


def _of_json(content: bytes) -> Iterator[Row]:
    """Rows whose values are written as JSON again, so that 1 is not true and a text is not a number."""
    try:
        rows = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RapportError(f"The file is not valid JSON; {EXPECTED}.") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RapportError(f"The file is not a list of rows; {EXPECTED}.")
    for place, row in enumerate(rows, start=1):
        _refuse_other_columns(tuple(row))
        yield place, {name: json.dumps(value, ensure_ascii=False) for name, value in row.items()}


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_other_columns(found: tuple[str, ...]) -> None:
    wanted = tuple(Published.to_schema().columns)
    if found != wanted:
        raise RapportError(f"The file has other columns than {', '.join(wanted)}; {EXPECTED}.")


def _release(cells: Cells, *, is_json: bool) -> str:
    name = json.loads(cells["release"]) if is_json else cells["release"]
    return str(name)


def _about(cells: Cells) -> str:
    return ", ".join(_short(cells[name]) for name in ("metric", "side", "view", "group"))


def _short(text: str) -> str:
    """A cell as a message may repeat it: one line, no control characters, not long."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in text)
    return (plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}…") or "nothing"
