"""Does the pipeline's work that commands, the demo and the timetable ask for."""

from collections.abc import Callable
from datetime import datetime, timedelta

from data.settings import Settings
from data.store.engine import Stores, reading
from data.store.releases import releases_of
from data.store.rounds import read_round
from data.timetable import Job
from pipeline.run import run_due as run_every_due_round
from pipeline.run import run_round, verify_release

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


def jobs(stores: Stores, settings: Settings) -> list[Job]:
    """Compute the release of every round that has closed. A second worker finds it there and makes no other."""

    def compute(now: datetime) -> str:
        made = run_due(stores, key=str(settings.secret_key), now=now)
        return f"released {', '.join(made)}" if made else ""

    return [Job("run the pipeline", timedelta(minutes=15), compute, "outside")]
