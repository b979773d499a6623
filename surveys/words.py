"""Gives the answering pages their words, in the reader's language."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parent / "words.toml"
FALLBACK = "en"
RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
MONTHS_DE = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"


@cache
def all_words() -> Mapping[str, Mapping[str, str]]:
    """Language → key → text."""
    languages: Mapping[str, Mapping[str, str]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return languages


def languages() -> tuple[str, ...]:
    return tuple(all_words())


def best(*wanted: str | None) -> str:
    """The first wanted language that we speak ("de-AT" finds "de"), else English."""
    for tag in wanted:
        primary = (tag or "").split("-")[0].split(",")[0].strip().lower()
        if primary in all_words():
            return primary
    return FALLBACK


def pick(texts: Mapping[str, str], language: str) -> str:
    """A question's or practice's text in that language, else in English, else in whichever there is."""
    return texts.get(language) or texts.get(FALLBACK) or next(iter(texts.values()))


def day(moment: datetime, language: str) -> str:
    """A date as a sentence says it."""
    if language == "de":
        return f"{moment.day}. {MONTHS_DE.split()[moment.month - 1]} {moment.year}"
    return f"{moment.day} {moment:%B %Y}"


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each {key} replaced; one pass, so that a name holding "{date}" stays a name."""
    parts = text.split("{")
    found = [parts[0]]
    for part in parts[1:]:
        key, brace, rest = part.partition("}")
        found.append(values[key] + rest if brace and key in values else "{" + part)
    return "".join(found)
