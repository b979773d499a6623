"""Reads the map that turns someone else's column names and values into ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from data.errors import RapportError
from data.imports.sheet import DATE_ORDERS, Layout, normal
from data.imports.toml_file import read_toml

SECTIONS = ("file", "columns", "values", "constants", "pad", "events", "snapshot")


@dataclass(frozen=True, kw_only=True)
class Events:
    """How a file with one row a change says who was hired and who left; headings and events as `normal` has them."""

    column: str
    hired: frozenset[str]
    left: frozenset[str]
    sequence: str = ""

    def begins(self, event: str) -> bool:
        return normal(event) in self.hired

    def ends(self, event: str) -> bool:
        return normal(event) in self.left


@dataclass(frozen=True, kw_only=True)
class FileMap:
    """`columns`: their heading → our column. `values`: our column → their value → ours ("" is nothing).

    `constants`: our column → what every row has; `pad`: our column → how many digits an id has. `events`: the file has
    one row a change; `as_of`: it is a report of this one day.
    """

    layout: Layout = field(default_factory=Layout)
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    pad: Mapping[str, int] = field(default_factory=dict)
    events: Events | None = None
    as_of: date | None = None

    def said(self, column: str, cell: str | None) -> str:
        """A cell in our words: trimmed, padded, translated."""
        text = (cell or "").strip()
        translated = self.values.get(column, {}).get(normal(text), text) if text else ""
        wanted = self.pad.get(column, 0)
        return translated.zfill(wanted) if translated.isdecimal() else translated


def read_map(path: Path) -> FileMap:
    """A checked map of columns and values."""
    raw = read_toml(path)
    refuse_unknown(raw, SECTIONS, "The map")
    for section in SECTIONS:
        if not isinstance(raw.get(section, {}), dict):
            raise RapportError(f"The map's {section} is not usable; expected a table [{section}].")
    return FileMap(
        layout=read_layout(raw.get("file", {})),
        columns={normal(theirs): normal(str(ours)) for theirs, ours in raw.get("columns", {}).items()},
        values={normal(column): _values(column, table) for column, table in raw.get("values", {}).items()},
        constants={normal(column): str(value) for column, value in raw.get("constants", {}).items()},
        pad={normal(column): _digits(column, number) for column, number in raw.get("pad", {}).items()},
        events=_events(raw["events"]) if "events" in raw else None,
        as_of=_as_of(raw["snapshot"]) if "snapshot" in raw else None,
    )


def read_layout(raw: Mapping[str, Any]) -> Layout:
    """The [file] section of any map."""
    known = {entry.name: entry for entry in fields(Layout)}
    refuse_unknown(raw, tuple(known), "The map's [file]")
    for name, value in raw.items():
        is_count = name.startswith("skip")
        is_usable = value in range(100) if is_count else isinstance(value, str)
        if not is_usable:
            raise RapportError(f"The map's {name} needs a {'number of rows' if is_count else 'text'}.")
    return checked_order(Layout(**raw))


def checked_order(layout: Layout) -> Layout:
    """The layout, if its date order is one of ours."""
    if layout.date_order not in (None, *DATE_ORDERS):
        raise RapportError(f"The date order is not usable; expected one of {', '.join(DATE_ORDERS)}.")
    return layout


def refuse_unknown(raw: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """A misspelt entry would be silently ignored, so it stops."""
    strange = sorted(set(raw) - set(known))
    if strange:
        raise RapportError(f"{where} has {strange[0]}, which is not known; expected {', '.join(known)}.")


def _values(column: str, table: Any) -> dict[str, str]:
    if not isinstance(table, dict):
        raise RapportError(f'The map needs a table [values.{column}] of "theirs" = "ours".')
    return {normal(theirs): str(ours) for theirs, ours in table.items()}


def _digits(column: str, number: Any) -> int:
    if not isinstance(number, int) or not 1 <= number <= 40:
        raise RapportError(f"The map's pad for {column} is not usable; expected a number of digits.")
    return number


def _events(raw: Mapping[str, Any]) -> Events:
    refuse_unknown(raw, ("column", "sequence", "hired", "left"), "The map's [events]")
    hired, left = (frozenset(normal(str(event)) for event in _listed(raw, name)) for name in ("hired", "left"))
    if not raw.get("column") or hired & left:
        raise RapportError(
            "The map's [events] is not usable; expected a column, and events that hire or leave, not both."
        )
    return Events(
        column=normal(str(raw["column"])), sequence=normal(str(raw.get("sequence", ""))), hired=hired, left=left
    )


def _listed(raw: Mapping[str, Any], name: str) -> list[Any]:
    listed = raw.get(name)
    if not isinstance(listed, list) or not listed:
        raise RapportError(f'The map\'s [events] needs {name}; expected a list such as ["H", "R"].')
    return listed


def _as_of(raw: Mapping[str, Any]) -> date:
    refuse_unknown(raw, ("as_of",), "The map's [snapshot]")
    day = raw.get("as_of")
    if not isinstance(day, date) or isinstance(day, datetime):
        raise RapportError("The map's [snapshot] needs as_of; expected a date without quotes, such as 2026-10-31.")
    return day
