"""Turns the text of one cell into a value, or says why it is none; nothing is guessed."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from functools import cache
from zoneinfo import available_timezones

from data.imports.sheet import Layout

Parser = Callable[[str, Layout], object]

MAX_ID = 120
MAX_LINE = 300
YEARS = range(1900, 2101)

_TIME_OF_DAY = r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + _TIME_OF_DAY)
_PARTED = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_SHORT_YEAR = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2}")
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?")
_EMAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[^@\s<>,;:\"()\[\]\\]{1,180}\.[^@\s.<>,;:\"()\[\]\\]{2,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}")
# What turns the reading direction round can make a name look like another.
_UNPRINTABLE = ("Cc", "Zl", "Zp", "Cs")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


class CellError(ValueError):
    """Why a cell cannot be used; the reason never repeats the cell."""


def line(text: str, _layout: Layout) -> str:
    """A text of one line, safe in a mail header."""
    if len(text) > MAX_LINE:
        raise CellError(f"longer than {MAX_LINE} characters")
    if _DIRECTION.search(text) or any(unicodedata.category(sign) in _UNPRINTABLE for sign in text):
        raise CellError("a line break or control character")
    return text


def text_id(text: str, layout: Layout) -> str:
    """An id, which is text: 00123 stays 00123."""
    if len(text) > MAX_ID:
        raise CellError(f"longer than {MAX_ID} characters")
    return line(text, layout)


def day(text: str, layout: Layout) -> date:
    """A date: year first, or in the declared order; two readings are one too many."""
    iso = _ISO.fullmatch(text)
    if iso:
        return _calendar(int(iso[1]), int(iso[3]), int(iso[4]))
    parted = _PARTED.fullmatch(text)
    if parted is None:
        raise CellError("a two-digit year" if _SHORT_YEAR.fullmatch(text) else "not a date")
    first, second, year = int(parted[1]), int(parted[3]), int(parted[4])
    if layout.date_order == "ymd":
        raise CellError("not in the declared date order")
    if layout.date_order is None and first <= 12 and second <= 12 and first != second:
        raise CellError("an ambiguous date; declare the date order")
    is_day_first = layout.date_order == "dmy" or (layout.date_order is None and first > 12)
    return _calendar(year, second, first) if is_day_first else _calendar(year, first, second)


def _calendar(year: int, month: int, number: int) -> date:
    if year not in YEARS:
        raise CellError(f"a year outside {YEARS[0]} to {YEARS[-1]}")
    try:
        return date(year, month, number)
    except ValueError:
        raise CellError("not a day of the calendar") from None


def number(text: str, _layout: Layout) -> float:
    """Digits with a decimal point; a comma could mean two things."""
    if not _NUMBER.fullmatch(text):
        raise CellError("not a number with a decimal point")
    return float(text)


def whole(text: str, layout: Layout) -> int:
    value = number(text, layout)
    if value != int(value):
        raise CellError("not a whole number")
    return int(value)


def email(text: str, _layout: Layout) -> str:
    if len(text) > 254 or not _EMAIL.fullmatch(text) or ".." in text:
        raise CellError("not an e-mail address")
    return line(text, _layout)


def language(text: str, _layout: Layout) -> str:
    if len(text) > 20 or not _LANGUAGE.fullmatch(text):
        raise CellError("not a language tag such as en or de-CH")
    first, *rest = text.replace("_", "-").split("-")
    return "-".join([first.lower(), *rest])


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def time_zone(text: str, _layout: Layout) -> str:
    if text not in _zones():
        raise CellError("not a time zone such as Europe/Berlin")
    return text


def choice(*allowed: str) -> Parser:
    """A parser for one of these words, without regard to case."""

    def chosen(text: str, _layout: Layout) -> str:
        if text.casefold() not in allowed:
            raise CellError(f"not one of {', '.join(allowed)}")
        return text.casefold()

    return chosen
