"""Names this room's jobs: reports of new releases and their readers, reports asked for, the Monday mail."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from dashboard.reports.write import FORMATS, file_name, write
from dashboard.this_week import tasks
from dashboard.words import LANGUAGES, Words
from data.settings import Settings
from data.store.desk import Carrier, Desk, File, Order, Outcome, open_desk
from data.timetable import Job
from pipeline.published import Programme, PublishedStore, Release, open_published

Deliver = Callable[[Path, str], bool]  # a report's file to one reader; true where the mail was accepted
Tell = Callable[[str, str, str, str, datetime], bool]  # to, subject, text, key, now; true where it was accepted
SENT = "sent-to"
EAST = timedelta(hours=14)
MONDAY, MORNING = 0, 7  # weekday; hour where the programme's calendar is kept


def jobs(settings: Settings, deliver: Deliver, tell: Tell) -> list[Job]:
    """A report that is there already is not written again, and no reader gets it twice."""

    def report(_now: datetime) -> str:
        published = open_published(settings)
        written = [path for each in published.programmes() for path in write_new(published, settings, each)]
        sent = sum(send_new(path, settings, deliver) for path in _sendable(published, settings))
        said = [f"wrote {', '.join(path.name for path in written)}"] if written else []
        return "; ".join([*said, *([f"sent {sent} reports"] if sent else [])])

    def monday(now: datetime) -> str:
        sent = send_monday(open_desk(settings), settings, tell, now)
        return f"the Monday mail went to {sent}" if sent else ""

    return [
        Job("send reports", timedelta(minutes=30), report, "outside"),
        Job("Monday mail", timedelta(minutes=30), monday, "outside"),
    ]


def carriers(settings: Settings) -> dict[str, Carrier]:
    """What this room does for the desk: write a report."""

    def make(order: Order, _now: datetime) -> Outcome:
        with TemporaryDirectory() as folder:
            (path,) = write(
                open_published(settings),
                organisation=settings.organisation,
                programme_id=order.programme_id,
                language=order.content["lang"],
                formats=[order.content["format"]],
                out=Path(folder),
            )
            return Outcome(told=path.name, file=File(name=path.name, content=path.read_bytes()))

    return {"report": make}


def send_monday(desk: Desk, settings: Settings, tell: Tell, now: datetime) -> int:
    """Send this week's list to HR on Monday morning; returns to how many. No mail where there is nothing to do."""
    words = Words(settings.report_language)
    lists = {id_: found for id_ in desk.programmes() if (found := _list_of(desk, id_, words, now))}
    sent = 0
    furthest = (now + EAST).date()  # where it is Monday first
    monday = furthest - timedelta(days=furthest.weekday())
    for email, programme_id in desk.monday_readers(monday) if lists else ():
        mine = {id_: lines for id_, lines in lists.items() if programme_id in (None, id_)}
        if mine and desk.note_monday(email, monday):
            is_taken = tell(email, words("monday_subject"), _monday(mine, settings, words), f"monday:{monday}", now)
            sent += is_taken
            if not is_taken:
                desk.forget_monday(email, monday)
    return sent


def _list_of(desk: Desk, programme_id: str, words: Words, now: datetime) -> list[str]:
    """The programme's name and its tasks, from Monday seven o'clock where its calendar is kept until midnight."""
    boards = desk.boards(programme_id)
    calendar, pairings = (boards[name].content if name in boards else {} for name in ("calendar", "pairings"))
    local = now.astimezone(ZoneInfo(str(calendar["time_zone"])))
    if local.weekday() != MONDAY or local.hour < MORNING:
        return []
    found = tasks(calendar, pairings, local.date())
    return [str(calendar["programme"]), *(f"- {each.text(words)}" for each in found)] if found else []


def _monday(lists: dict[str, list[str]], settings: Settings, words: Words) -> str:
    """Counts and days only: names are behind the sign-in."""
    told = ["\n".join(lines) for lines in lists.values()]
    return "\n\n".join([words("monday_text"), *told, f"{settings.public_dashboard_url}/week", words("monday_end")])


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
