"""Measures how many lines a text takes in Arial, whose letters are as wide as Helvetica's."""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import accumulate, takewhile
from pathlib import Path

import matplotlib

METRICS = Path(matplotlib.get_data_path()) / "fonts" / "afm"
FILES = {False: "phvr8a.afm", True: "phvb8a.afm"}  # Helvetica and Helvetica Bold, with matplotlib
WIDTH_OF_A_LETTER = re.compile(r"^C (\d+) ; WX (\d+) ;", re.MULTILINE)
OTHER, WIDE = 667, 1000  # a letter that the file does not number: as wide as a capital; one of East Asia is square
FIRST_WIDE = 0x2E80
BLANK = " \t"
SLACK = 1.03  # programs hint and space letters a little differently
WORDS = re.compile(r"[^ \t]+[ \t]*")  # a space that does not break is a letter here


@cache
def _widths(is_bold: bool) -> Mapping[str, int]:
    """Thousandths of the size by letter."""
    text = (METRICS / FILES[is_bold]).read_text(encoding="latin-1")
    found = {chr(int(code)): int(width) for code, width in WIDTH_OF_A_LETTER.findall(text) if int(code) < 127}
    return {**found, "\u00a0": found[" "], "\u200b": 0}


def width_of(text: str, size: float, *, is_bold: bool = False) -> float:
    """Points that a text is wide on one line."""
    known = _widths(is_bold)
    units = sum(known.get(letter, WIDE if ord(letter) >= FIRST_WIDE else OTHER) for letter in text)
    return units * size * SLACK / 1000


@lru_cache(maxsize=20_000)  # a plan tries several sizes and heights of the same texts
def lines_of(text: str, size: float, width: float, *, is_bold: bool = False) -> int:
    """How many lines a text takes in a box of a width."""
    return sum(1 for line in text.splitlines() or [""] for _ in wrapped(line, size, width, is_bold=is_bold))


def words_of(text: str) -> list[str]:
    """What no line breaks."""
    return [word.rstrip(BLANK) for line in text.splitlines() for word in WORDS.findall(line)]


def wrapped(text: str, size: float, width: float, *, is_bold: bool = False) -> Iterator[str]:
    """A text's lines; a word that is wider than the box breaks where it must."""
    line, reached = "", 0.0
    for word in WORDS.findall(text):
        needed = width_of(word.rstrip(BLANK), size, is_bold=is_bold)
        if line and reached + needed > width:
            yield line
            line, reached = "", 0.0
        while needed > width and len(word) > 1:
            n = _fitting(word, size, width, is_bold)
            yield word[:n]
            word = word[n:]
            needed = width_of(word.rstrip(BLANK), size, is_bold=is_bold)
        line += word
        reached += width_of(word, size, is_bold=is_bold)
    yield line


def _fitting(text: str, size: float, width: float, is_bold: bool) -> int:
    """How many letters fit, at least one."""
    reached = accumulate(width_of(letter, size, is_bold=is_bold) for letter in text)
    return max(1, sum(1 for _ in takewhile(lambda each: each <= width, reached)))
