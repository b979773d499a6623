"""Writes the demonstration as one HTML file for a works council: styles inside, no script, nothing fetched."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.demonstration.demonstrate import Demonstration

ROOM = Path(__file__).resolve().parent


def languages() -> tuple[str, ...]:
    return tuple(_words())


def render(found: Demonstration, *, language: str, version: str) -> str:
    """The page; the same demonstration gives the same bytes."""
    filled = _filled(found, language, version)
    words = {key: text.format_map(filled) for key, text in _words()[language].items() if key != "table_scroll"}
    scroll = {
        key: _words()[language]["table_scroll"].format(caption=words[key]) for key in ("table_caption", "tried_caption")
    }
    rows = [
        (_words()[language]["table_answers"].format(n=found.n_answers), found.plain.n_answers, found.gate.n_answers),
        (_words()[language]["table_low"].format(n=found.n_low), found.plain.n_low, found.gate.n_low),
    ]
    tried = [(words[f"attack_{attack.replace(' ', '_')}"], n) for attack, n in found.found.items()]
    page = _template().get_template("page.html")
    return page.render(language=language, words=words, rows=rows, tried=tried, scroll=scroll)


def _filled(found: Demonstration, language: str, version: str) -> Mapping[str, object]:
    exact, rounded = found.exact, found.rounded
    n_six = len(exact.scores)
    numbers = {
        "six": exact.mean_of_six,
        "sum_six": exact.mean_of_six * n_six,
        "five": exact.mean_of_five,
        "sum_five": exact.mean_of_five * (n_six - 1),
        "answer": exact.low,
        "six_rounded": rounded.mean_of_six,
        "five_rounded": rounded.mean_of_five,
        "low": rounded.low,
        "high": rounded.high,
    }
    counts = {
        name: getattr(found, name) for name in ("seed", "n_people", "n_answers", "n_low", "n_shown", "n_withheld")
    }
    arms = {
        f"{arm}_{what}": getattr(getattr(found, arm), f"n_{what}")
        for arm in ("plain", "gate")
        for what in ("answers", "low")
    }
    return {
        **{name: _number(value, language) for name, value in numbers.items()},
        **counts,
        **arms,
        "version": version,
        "n": "",
    }


def _number(value: float, language: str) -> str:
    """With one decimal where it has any, and the language's comma."""
    text = f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"
    return text.replace(".", ",") if language == "de" else text


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    """Language → key → text."""
    found: Mapping[str, Mapping[str, str]] = tomllib.loads((ROOM / "words.toml").read_text(encoding="utf-8"))
    return found


@cache
def _template() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOM), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
