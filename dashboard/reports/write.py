"""Writes the report of one programme's newest release into files, one a format."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from dashboard.findings import Numbers, numbers_of
from dashboard.reports.report import Report, report_of
from dashboard.words import LANGUAGES
from data.errors import RapportError
from pipeline.published import Programme, PublishedStore

Render = Callable[[Report], bytes]


def _of(name: str) -> Render:
    """The renderer of one format, loaded when it is asked for: a PDF needs none of what slides need."""

    def render(report: Report) -> bytes:
        written: bytes = import_module(f"dashboard.reports.{name}").render(report)
        return written

    return render


FORMATS: Mapping[str, Render] = {name: _of(name) for name in ("html", "pdf", "pptx", "xlsx")}


def write(
    published: PublishedStore,
    *,
    organisation: str,
    programme_id: str | None,
    language: str,
    formats: Sequence[str],
    out: Path,
) -> list[Path]:
    """The files written. The same release gives the same bytes."""
    _refuse_unknown(formats)
    if language not in LANGUAGES:
        raise RapportError(f"--lang expects {' or '.join(LANGUAGES)}, not {language}.")
    numbers = _newest(published, _chosen(published.programmes(), programme_id))
    report = report_of(numbers, organisation=organisation, language=language)
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for each in formats:
        path = out / file_name(f"rapport-{report.release}-{language}.{each}")
        half = path.with_name(f".{path.name}")  # the timetable sends what is there: whole, or not yet
        half.write_bytes(FORMATS[each](report))
        half.replace(path)
        written.append(path)
    return written


def file_name(text: str) -> str:
    """A name that stays in its folder, whatever an organisation calls its programme."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in text)


def _refuse_unknown(formats: Sequence[str]) -> None:
    unknown = [each for each in formats if each not in FORMATS]
    if unknown or not formats:
        *first, last = FORMATS
        what = f", not {' or '.join(unknown)}" if unknown else ""
        raise RapportError(f"A report can be written as {', '.join(first)} and {last}{what}.")


def _chosen(programmes: Sequence[Programme], programme_id: str | None) -> Programme:
    """The programme named, or the only one there is."""
    if not programmes:
        raise RapportError("There is no release yet, so there is nothing to report; `rapport run` makes one.")
    known = {each.id: each for each in programmes}
    if programme_id is None and len(known) == 1:
        return programmes[0]
    if programme_id not in known:
        raise RapportError(f"--programme expects one of {', '.join(known)}.")
    return known[programme_id]


def _newest(published: PublishedStore, programme: Programme) -> Numbers:
    numbers = numbers_of(programme, published.releases(programme.id), published.numbers(programme.id))
    if not numbers.releases:
        raise RapportError(f"The programme {programme.name} has no release that may be shown.")
    return numbers
