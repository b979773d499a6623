"""Gives screens and reports their words and numbers in the reader's language; percent is written only here."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parent / "words.toml"
LANGUAGES = ("en", "de")
FALLBACK = "en"
MONTHS_DE = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
NBSP = "\u00a0"


@cache
def _all() -> Mapping[str, Mapping[str, str]]:
    """Language → key → text."""
    texts: Mapping[str, Mapping[str, str]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return texts


def best(*wanted: str | None) -> str:
    """The first wanted language that we speak ("de-AT,de;q=0.9" finds "de"), else English."""
    for tags in wanted:
        for tag in (tags or "").split(","):
            primary = tag.split(";")[0].split("-")[0].strip().lower()
            if primary in LANGUAGES:
                return primary
    return FALLBACK


class Words:
    """Texts, numbers and dates in one language."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else FALLBACK
        self._texts = _all()[self.language]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with its values filled in."""
        return self._texts[key].format(**values)

    def pick(self, texts: Mapping[str, str]) -> str:
        """A label or definition in this language, else in English."""
        return texts.get(self.language) or texts[FALLBACK]

    def listed(self, parts: Iterable[str]) -> str:
        """ "a, b and c"."""
        names = list(parts)
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self('and')} {names[-1]}"

    def inside(self, label: str) -> str:
        """A label inside a sentence: English writes it small, German keeps its noun."""
        return label[:1].lower() + label[1:] if self.language == "en" else label

    def number(self, value: float, unit: str, *, places: int = 0) -> str:
        """A number with its unit's sign: 78, 78.4, 86%, 120."""
        if is_currency(unit):
            return self.money(value, unit)
        is_share = unit == "share"
        shown = value * 100 if is_share else value
        text = f"{shown + 0.0:.{places}f}".replace("-", "\u2212")
        if self.language == "de":
            text = text.replace(".", ",")
        return f"{text}{self._percent}" if is_share else text

    def bounds(self, low: float, high: float, unit: str, *, places: int = 0) -> str:
        """ "74 to 82", "80 to 90%"."""
        first, last = self.number(low, unit, places=places), self.number(high, unit, places=places)
        return self("bounds", low=first.removesuffix(self._percent), high=last)

    def at_least(self, count: float) -> str:
        """Counts are rounded down to steps of five: "95 or more"."""
        return self("at_least", n=f"{count:.0f}")

    def money(self, value: float, currency: str) -> str:
        """An amount with its currency, in thousands: EUR 930,000, 930.000 EUR."""
        sign, text = "\u2212" if value < 0 else "", f"{abs(value):,.0f}"
        if self.language == "de":
            return f"{sign}{text.replace(',', '.')}{NBSP}{currency}"
        return f"{sign}{currency}{NBSP}{text}"

    def unit(self, unit: str) -> str:
        """A unit's name; a currency is its own."""
        return unit if is_currency(unit) else self(f"unit_{unit}")

    def day(self, on: date) -> str:
        """A date as a sentence says it."""
        if self.language == "de":
            return f"{on.day}.{NBSP}{MONTHS_DE.split()[on.month - 1]} {on.year}"
        return f"{on.day}{NBSP}{on:%B} {on.year}"

    @property
    def _percent(self) -> str:
        return f"{NBSP}%" if self.language == "de" else "%"


def is_currency(unit: str) -> bool:
    """Whether a unit is a currency's code, such as EUR."""
    return len(unit) == 3 and unit.isupper()


def places_of(numbers: Iterable[float], unit: str) -> int:
    """How many decimals the released numbers carry, after percent."""
    if unit == "coefficient":
        return 2
    scaled = [number * 100 if unit == "share" else number for number in numbers]
    return int(any(abs(number - round(number)) > 0.005 for number in scaled))
