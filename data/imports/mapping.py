"""Reads the map that turns someone else's column names and values into ours."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from data.errors import RapportError
from data.imports.sheet import DATE_ORDERS, Layout, normal

SECTIONS = ("file", "columns", "values", "constants", "pad")


@dataclass(frozen=True, kw_only=True)
class FileMap:
    """`columns`: their heading → our column. `values`: our column → their value → ours ("" is nothing).

    `constants`: our column → what every row has; `pad`: our column → how many digits an id has.
    """

    layout: Layout = field(default_factory=Layout)
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    pad: Mapping[str, int] = field(default_factory=dict)

    def said(self, column: str, cell: str | None) -> str:
        """A cell in our words: trimmed, padded, translated."""
        text = (cell or "").strip()
        translated = self.values.get(column, {}).get(normal(text), text) if text else ""
        wanted = self.pad.get(column, 0)
        return translated.zfill(wanted) if translated.isdecimal() else translated


def read_toml(path: Path) -> dict[str, Any]:
    """A map as it stands in its file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError:
        raise RapportError(f"The map {path.name} cannot be read; expected a TOML file there.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RapportError(f"The map {path.name} is not valid TOML: {error}.") from None


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
