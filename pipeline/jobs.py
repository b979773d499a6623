"""Does the pipeline's work that commands, the demo and the timetable ask for."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from data.imports.files import take_in
from data.imports.sheet import limits_of
from data.imports.workbook import is_workbook
from data.settings import Settings
from data.store import audit
from data.store.desk import Desk
from data.store.engine import Stores, reading, writing
from data.store.people import programmes_kept
from data.store.releases import releases_of, withdraw_release
from data.store.rounds import read_round
from data.timetable import Job
from pipeline.case import keep_case
from pipeline.comparing import compare
from pipeline.operations import pairings_board
from pipeline.run import run_due as run_every_due_round
from pipeline.run import run_round, verify_release

SHOW = "show the pairings"
Progress = Callable[[int, int, str], None]


def run_due(stores: Stores, *, key: str, now: datetime, progress: Progress | None = None) -> list[str]:
    """A release for every closed round that has none; returns their ids."""
    made = run_every_due_round(stores, key=key, now=now, progress=progress)
    return [each.release_id for each in made]


def run_one(stores: Stores, round_id: str, *, key: str, now: datetime) -> str:
    """The release of one closed round; returns its id."""
    with reading(stores.raw) as connection:
        programme_id = read_round(connection, round_id).programme_id
    return run_round(stores, programme_id=programme_id, round_id=round_id, key=key, now=now).release_id


def verify_releases(stores: Stores, release_id: str | None, *, key: str) -> dict[str, str]:
    """What became of one release, or of every one: identical, inputs since erased, or differs."""
    with reading(stores.published) as connection:
        known = [each.release_id for each in releases_of(connection)]
    return {each: verify_release(stores, each, key=key) for each in ([release_id] if release_id else known)}


def file_named(stores: Stores, what: str | None) -> Path | None:
    """The file that an argument names; None where it is a release's id, or nothing that is there."""
    with reading(stores.published) as connection:
        if what is None or what in {each.release_id for each in releases_of(connection)}:
            return None
    try:
        return Path(what) if Path(what).is_file() else None
    except OSError:  # no name that a file could have
        return None


def compare_file(
    stores: Stores, settings: Settings, path: Path, compare_report: Callable[[Settings, bytes], dict[str, Any]]
) -> dict[str, Any]:
    """By release that a file of numbers or a report names, whether it holds what was frozen."""
    content = take_in(path, limits_of(settings)).content
    start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if is_workbook(content) or start.startswith((b"%pdf-", b"<!doctype html", b"<html")):
        return compare_report(settings, content)
    return compare(stores.published, content, key=str(settings.secret_key), limits=limits_of(settings))


def decide_case(stores: Stores, programme_id: str, told: Mapping[str, Any], *, by: str, now: datetime) -> None:
    """What a programme's business case rests on."""
    keep_case(stores, programme_id, told, by=by, now=now)


def withdraw(stores: Stores, release_id: str, *, reason: str, by: str, now: datetime) -> None:
    """Take a release out of sight for good. Nothing happens without an audit entry, so that is committed first."""
    with writing(stores.published) as connection:
        withdraw_release(connection, release_id, reason=reason, now=now)
        with writing(stores.access) as access:
            audit.note(access, at=now, who=by, action="release withdrawn", about=f"{release_id}: {reason.strip()}")


def jobs(stores: Stores, settings: Settings) -> list[Job]:
    """Show the pairings, and compute the release of every round that has closed.

    A second worker finds a release there and makes no other.
    """

    def compute(now: datetime) -> str:
        made = run_due(stores, key=str(settings.secret_key), now=now)
        return f"released {', '.join(made)}" if made else ""

    def show(now: datetime) -> str:
        desk = Desk(stores.access)
        with reading(stores.raw) as connection:
            known = [each.programme_id for each in programmes_kept(connection)]
        for programme_id in known:
            with reading(stores.raw) as connection:
                board = pairings_board(connection, programme_id, now)
            desk.lay_out(programme_id, "pairings", board, now)
        return ""

    return [
        Job(SHOW, timedelta(minutes=10), show, "outside"),
        Job("run the pipeline", timedelta(minutes=15), compute, "outside"),
    ]
