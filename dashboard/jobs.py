"""Names this room's job: write the reports of new releases, and send them to their readers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from dashboard.reports.write import FORMATS, file_name, write
from dashboard.words import LANGUAGES
from data.settings import Settings
from data.timetable import Job
from pipeline.published import Programme, PublishedStore, Release, open_published

Deliver = Callable[[Path, str], bool]  # a report's file to one reader; true where the mail was accepted
SENT = "sent-to"


def jobs(settings: Settings, deliver: Deliver) -> list[Job]:
    """A report that is there already is not written again, and no reader gets it twice."""

    def report(_now: datetime) -> str:
        published = open_published(settings)
        written = [path for each in published.programmes() for path in write_new(published, settings, each)]
        sent = sum(send_new(path, settings, deliver) for path in _sendable(published, settings))
        said = [f"wrote {', '.join(path.name for path in written)}"] if written else []
        return "; ".join([*said, *([f"sent {sent} reports"] if sent else [])])

    return [Job("send reports", timedelta(minutes=30), report, "outside")]


def write_new(published: PublishedStore, settings: Settings, programme: Programme) -> list[Path]:
    """The report of a programme's newest release, in every format and language that is not there yet."""
    newest = _newest(published, programme)
    missing = [
        (language, kind)
        for language in LANGUAGES
        for kind in FORMATS
        if newest is not None and not _path(settings, newest, language, kind).exists()
    ]
    return [
        path
        for language, kind in missing
        for path in write(
            published,
            organisation=settings.organisation,
            programme_id=programme.id,
            language=language,
            formats=[kind],
            out=_folder(settings),
        )
    ]


def send_new(path: Path, settings: Settings, deliver: Deliver) -> int:
    """Send a report to the readers that it has not reached; what the mail server took is written down at once."""
    kept = path.with_suffix(f".{SENT}")
    reached = set(kept.read_text(encoding="utf-8").split()) if kept.exists() else set()
    sent = 0
    for reader in dict.fromkeys(settings.readers):
        if reader not in reached and deliver(path, reader):
            with kept.open("a", encoding="utf-8") as file:
                file.write(f"{reader}\n")
            sent += 1
    return sent


def _sendable(published: PublishedStore, settings: Settings) -> list[Path]:
    """The report of each programme's newest release; an older one, or a withdrawn one, is not sent any more."""
    newest = [_newest(published, programme) for programme in published.programmes()]
    paths = [_path(settings, each, settings.report_language, "pdf") for each in newest if each is not None]
    return [path for path in paths if path.exists()]


def _newest(published: PublishedStore, programme: Programme) -> Release | None:
    shown = [each for each in published.releases(programme.id) if not each.is_withdrawn]
    return shown[-1] if shown else None


def _path(settings: Settings, release: Release, language: str, kind: str) -> Path:
    return _folder(settings) / file_name(f"rapport-{release.id}-{language}.{kind}")


def _folder(settings: Settings) -> Path:
    return settings.home / "reports"
