"""Reads delimited text strictly, as RFC 4180 has it: nothing guessed, nothing swallowed, nothing shifted."""

import codecs
import re
from collections.abc import Iterator
from functools import cache

from data.errors import RapportError
from data.imports.sheet import LIMITS, Layout, Limits, RawRow

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
NAMED = {name: sign for sign, name in SEPARATORS.items()}
TOO_LONG = "a cell is too long"
AFTER_QUOTE = "text after a closing quote"
SHOWN_OF_A_LONG_CELL = 200


def read_delimited(content: bytes, layout: Layout, limits: Limits = LIMITS) -> Iterator[RawRow]:
    """Every record of the file, the header among them."""
    text = decoded(content, layout.encoding)
    if not text.strip():
        raise RapportError("The file is empty; expected a header row and rows below it.")
    separator = NAMED.get(layout.separator or "", layout.separator) or _detected(text, layout.skip_rows)
    if separator not in SEPARATORS:
        raise RapportError("The separator is not usable; expected comma, semicolon or tab.")
    return _records(text, separator, limits)


def decoded(content: bytes, encoding: str) -> str:
    """The text of a file; a byte that its encoding does not have refuses the whole file."""
    try:
        name = codecs.lookup(encoding).name
        text = content.decode("utf-8-sig" if name == "utf-8" else name)
    except LookupError:
        raise RapportError(f"The encoding {encoding} is not known; expected utf-8 or cp1252.") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RapportError(
            f"The file is not {encoding} (line {line}); save it as UTF-8 or declare its encoding."
        ) from None
    if "\0" in text:
        raise RapportError(f"The file holds zero bytes, so it is not {encoding} text; save it as UTF-8.")
    return text


@cache
def _cell(separator: str) -> re.Pattern[str]:
    sign = re.escape(separator)
    # Possessive: a cell is read once and never reconsidered, so the time is linear in the file.
    quoted = r'"(?P<quoted>[^"]*+(?:""[^"]*+)*+)"'
    plain = rf'(?P<plain>(?!")[^{sign}\r\n]*+)'
    return re.compile(rf"(?:{quoted}|{plain})(?P<end>{sign}|\r\n|\n|\r|\Z)?")


_REST_OF_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\n|\r|\Z)")


def _records(text: str, separator: str, limits: Limits) -> Iterator[RawRow]:
    pattern, place, number = _cell(separator), 0, 0
    while place < len(text):
        number += 1
        row, place = _record(text, place, number, pattern, limits)
        yield row


def _record(text: str, place: int, number: int, pattern: re.Pattern[str], limits: Limits) -> tuple[RawRow, int]:
    cells: list[str | None] = []
    fault = ""
    while True:
        match = pattern.match(text, place)
        if match is None:
            raise RapportError(f"Row {number} opens a quote that is never closed.")
        cell = _value(match)
        if cell is not None and len(cell) > limits.max_cell_chars:
            cell, fault = cell[:SHOWN_OF_A_LONG_CELL] + "…", TOO_LONG
        cells.append(cell)
        if len(cells) > 10 * limits.max_columns:  # no table looks like this; reading on would only cost memory
            raise RapportError(f"Row {number} has more than {10 * limits.max_columns} cells; expected a table.")
        place, end = match.end(), match["end"]
        if end is None:  # text after a closing quote: this record ends with its line
            rest = _REST_OF_LINE.match(text, place)
            place = rest.end() if rest else len(text)
            return RawRow(number, tuple(cells), AFTER_QUOTE), place
        if end in ("", "\n", "\r\n", "\r"):
            return RawRow(number, tuple(cells), fault), place


def _value(match: re.Match[str]) -> str | None:
    quoted = match["quoted"]
    return quoted.replace('""', '"') if quoted is not None else match["plain"] or None


def _detected(text: str, skip_rows: int) -> str:
    """The sign that parts the header into most cells; a tie is not guessed."""
    widths = {sign: _header_width(text, sign, skip_rows) for sign in SEPARATORS}
    widest = max(widths.values())
    found = [sign for sign, width in widths.items() if width == widest]
    if widest == 1:
        return ","
    if len(found) > 1:
        names = " or ".join(SEPARATORS[sign] for sign in found)
        raise RapportError(f"The separator could be {names}; declare it in the map under [file].")
    return found[0]


def _header_width(text: str, separator: str, skip_rows: int) -> int:
    try:
        for number, row in enumerate(_records(text, separator, LIMITS)):
            if number == skip_rows:
                return 0 if row.fault else len(row.cells)
    except RapportError:
        return 0
    return 1
