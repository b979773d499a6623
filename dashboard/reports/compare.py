"""Compares a report's file with what the release that it names says, by writing the report again.

The file is never parsed: it is searched for the id of a release, compared byte by byte, and where it differs
line by line, with its tags taken out. An office file is unpacked for that, within bounds.
"""

import re
from collections.abc import Iterator, Mapping
from html import escape, unescape
from itertools import zip_longest
from typing import Any

from dashboard.findings import Numbers, numbers_of
from dashboard.reports.office_zip import parts_of
from dashboard.reports.report import report_of
from dashboard.reports.write import FORMATS
from dashboard.words import LANGUAGES, Words
from data.errors import RapportError
from pipeline.published import PublishedStore, Release

IDENTICAL, DIFFERS = "identical", "differs"
ZIP = b"PK\x03\x04"
SHOWN = 120  # characters of a line that a message repeats
TAG = re.compile(r"<[^<>]*+>")
SPOKEN = re.compile(r"^(?:ppt/(?:slides|charts|notesSlides)|xl/(?:sharedStrings|worksheets|charts))\b.*\.xml$")
WITHDRAWN = "Since it was written, {ids} was withdrawn; a report draws on earlier rounds, too."
OTHER_HAND = "Another version of Rapport, or another name of the organisation, writes other words around the numbers."


def compare(published: PublishedStore, content: bytes, *, organisation: str) -> dict[str, Any]:
    """ "identical" or "differs" by the release's id, and the first difference; as `rapport verify` prints it."""
    kind, parts = _kind(content), parts_of(content) if content.startswith(ZIP) else {}
    release = _named(published.releases(), content + b"".join(parts.values()))
    numbers = _as_of(published, release)
    if numbers is None:
        return _differs(release, "it is withdrawn or its seal does not hold, so nothing of it is shown any more")
    rebuilt = {
        language: FORMATS[kind](report_of(numbers, organisation=organisation, language=language))
        for language in sorted(LANGUAGES, key=lambda each: not _is_in(each, content, parts))
    }
    if content in rebuilt.values():
        return {"releases": {release.id: IDENTICAL}, "first_difference": None}
    where, likely = "the file is not the report that is written of it here", next(iter(rebuilt.values()))
    if kind == "html":
        where = _first(_lines(content), _lines(likely))
    elif parts:
        where = _first(_lines_of(parts), _lines_of(parts_of(likely)))
    return _differs(release, f"{where}. {_perhaps(published.releases(release.programme), release)}")


def _kind(content: bytes) -> str:
    if content.startswith(ZIP):
        return "pptx" if b"ppt/presentation.xml" in content else "xlsx"
    return "pdf" if content.startswith(b"%PDF-") else "html"


def _is_in(language: str, content: bytes, parts: Mapping[str, bytes]) -> bool:
    """Whether a file looks as if it were in a language; all are tried, the likeliest first."""
    title = Words(language)("report_title").encode()
    return any(title in each for each in parts.values()) or f'lang="{language}"'.encode() in content[:200]


def _named(releases: list[Release], content: bytes) -> Release:
    """The newest release whose id stands in the file: a report shows earlier rounds, too."""
    found = [each for each in releases if any(name in content for name in _names(each.id))]
    if not found:
        raise RapportError("The report names no release of this installation, so there is nothing to compare it with.")
    return max(found, key=lambda each: each.number)


def _names(release_id: str) -> set[bytes]:
    """As it stands in a PDF, in HTML and in an office file's XML."""
    return {each.encode() for each in (release_id, escape(release_id), escape(release_id, quote=False))}


def _as_of(published: PublishedStore, release: Release) -> Numbers | None:
    """The numbers as they stood when the release was the newest; None where it may not be shown."""
    programme = next(each for each in published.programmes() if each.id == release.programme)
    numbers = numbers_of(programme, published.releases(programme.id), published.numbers(programme.id))
    return numbers.until(release.round)


def _perhaps(releases: list[Release], release: Release) -> str:
    """What may be behind it although nobody changed the file."""
    gone = [each.id for each in releases if each.is_withdrawn and each.number < release.number]
    return WITHDRAWN.format(ids=", ".join(gone)) if gone else OTHER_HAND


def _differs(release: Release, difference: str) -> dict[str, Any]:
    return {"releases": {release.id: DIFFERS}, "first_difference": f"{release.id}: {difference}"}


def _first(file: Iterator[str], release: Iterator[str]) -> str:
    """The first row or line that is not the same, on both sides."""
    for said, expected in zip_longest(file, release, fillvalue=""):
        if said != expected:
            return f"the file says {_short(said)}, the release {_short(expected)}"
    return "only its mark-up or a drawing differs"


def _lines(content: bytes, between: str = " ") -> Iterator[str]:
    for line in TAG.sub(between, content.decode("utf-8", "replace")).splitlines():
        if text := " ".join(unescape(line).split()):
            yield text


def _lines_of(parts: Mapping[str, bytes]) -> Iterator[str]:
    """What slides, sheets, charts and notes say, part by part: in XML every text has an element of its own."""
    for name in sorted(parts, key=_order):
        if SPOKEN.match(name):
            yield from _lines(parts[name], between="\n")


def _order(name: str) -> tuple[list[int], str]:
    """The second slide before the tenth."""
    return [int(digits) for digits in re.findall(r"\d+", name)], name


def _short(text: str) -> str:
    plain = "".join(sign if sign.isprintable() else "?" for sign in text)
    return f"“{plain[:SHOWN]}…”" if len(plain) > SHOWN else f"“{plain}”" if plain else "nothing"
