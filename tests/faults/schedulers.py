"""Several schedulers on one store, killed at random, under a clock that jumps: everything happens once.

`python -m tests.faults.schedulers --seconds 600 --workers 16` is the long form.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from data import timetable
from data.settings import Settings
from data.store import outbox, people, rounds
from data.store.engine import Stores, migrate, open_stores, reading, writing
from data.store.people import Programme
from data.tables import people as people_table
from data.tables import ticks
from data.timetable import Job
from surveys import cadence, calendar, closing, letters, planning
from surveys.channel import Letter, Outcome
from surveys.invitations import Post
from surveys.questionnaire import ours
from tests.conftest import KEY
from tests.support import cast
from tests.support.postgresql import Cluster

N_PAIRS = 12
SPEED = 12 * 3600  # seconds of the programme in one of ours
SLOWER = 2 * 3600  # in the long form, so that a round stays open for longer than a starved scheduler waits
timetable.KEPT = timedelta(days=3650)  # every time ever done is compared with its effect
JUMP = timedelta(hours=3)
CADENCE = {
    "starts_on": cast.OPENS.date(),
    "every_weeks": 1,
    "open_days": 5,
    "reminders_after_days": [2],
    "closing": False,
}


@dataclass
class Found:
    """What was found when every scheduler had stopped."""

    n_kills: int = 0
    n_messages: int = 0
    n_letters: int = 0
    n_ticks: int = 0
    faults: list[str] = field(default_factory=list)


class Ledger:
    """A channel that writes one line a letter, whole or not at all, before it says that it was accepted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, letter: Letter) -> Outcome:
        with self._path.open("ab", buffering=0) as file:
            file.write(f"{letter.header_id}\n".encode())
        return Outcome(state="accepted", said="written")

    def close(self) -> None:
        """It holds nothing."""


def clock(home: Path, began: float, speed: float) -> Callable[[], datetime]:
    """The programme's time: it runs fast, and jumps when the file beside the store says so."""

    def now() -> datetime:
        jump = float((home / "jump").read_text() or 0)
        return cast.OPENS - timedelta(hours=1) + timedelta(seconds=(time.monotonic() - began) * speed + jump)

    return now


def jobs(stores: Stores, settings: Settings, now: Callable[[], datetime], owner: str) -> list[Job]:
    def plan(connection: Connection, at: datetime) -> str:
        return planning.plan(connection, ours(), at)

    def close(connection: Connection, at: datetime) -> str:
        return " ".join(closing.close_due(connection, at))

    def count(connection: Connection, _at: datetime) -> str:
        row = {"person_id": f"row {uuid4().hex}", "name": "row", "language": "en"}
        connection.execute(insert(people_table).values(row))
        return "a row"

    def send(_at: datetime) -> str:
        channels = {"email": Ledger(settings.home / "ledger")}
        return Post(settings, stores, channels, now, owner, Random()).send_due()

    return [
        Job("close", timedelta(hours=2), close, "inside"),
        Job("plan", timedelta(hours=2), plan, "inside"),
        Job("count", timedelta(minutes=30), count, "inside"),
        Job("send", timedelta(hours=1), send, "outside"),
    ]


def work(settings: Settings, began: float, speed: float, defect: str | None) -> None:
    """One scheduler, until it is killed."""
    if defect is not None:
        DEFECTS[defect]()
    stores = open_stores(settings)
    now = clock(settings.home, began, speed)
    owner = timetable.own_name()
    known = jobs(stores, settings, now, owner)
    while True:
        timetable.tick(stores.raw, known, now, owner)
        time.sleep(0.002)  # as a scheduler rests between two looks


def _claim_nothing() -> None:
    """A defect: messages are taken without asking whether another worker has them."""
    outbox.claim = lambda _connection, ids, **_: set(ids)
    outbox.begin = lambda *_args, **_more: True


def _settle_nothing() -> None:
    """A defect: a job's time is neither held nor written down before its effect."""
    kept = timetable._settle

    def settle(connection, job, tick_at, now, said):
        connection.commit()
        kept(connection, job, tick_at, now, said)

    timetable._take = lambda connection, job, now: connection.execute(
        select(timetable.jobs.c.next_at).where(timetable.jobs.c.job == job.name)
    ).scalar_one()
    timetable._settle = settle


DEFECTS: dict[str, Callable[[], None]] = {"claims nothing": _claim_nothing, "settles nothing": _settle_nothing}


def set_up(settings: Settings) -> None:
    stores = open_stores(settings)
    migrate(stores)
    with writing(stores.raw) as connection:
        decisions = {cadence.DECISION: cadence.kept(cadence.read(CADENCE))}
        new = Programme(programme_id="m", name="M", created_at=cast.OPENS, decisions=decisions)
        people.save_programme(connection, new)
        for number in range(N_PAIRS):
            for side in ("a", "b"):
                people.save_person(connection, cast.person(f"{side}{number:03d}"))
            cast.pair(connection, f"P{number:03d}", f"a{number:03d}", f"b{number:03d}", programme_id="m")
    stores.dispose()
    (settings.home / "jump").write_text("0")
    (settings.home / "ledger").touch()


def run(
    settings: Settings,
    *,
    n_workers: int,
    seconds: float,
    seed: int,
    defect: str | None = None,
    speed: float = SPEED,
    n_kills: int = 0,
) -> Found:
    """Let them work, kill one every so often and start another, move the clock; then look.

    For so many seconds, and until `n_kills` are done.
    """
    set_up(settings)
    rng, began = random.Random(seed), time.monotonic()
    outcome = Found()
    workers = [_fork(settings, began, speed, defect) for _ in range(n_workers)]
    try:
        while time.monotonic() - began < seconds or outcome.n_kills < n_kills:
            time.sleep(rng.uniform(0.02, 0.25))  # between two blows
            victim = rng.randrange(n_workers)
            _kill(workers[victim])
            outcome.n_kills += 1
            workers[victim] = _fork(settings, began, speed, defect)
            if rng.random() < 0.2:
                jump = rng.uniform(-1, 1) * JUMP.total_seconds()
                (settings.home / "jump.new").write_text(str(jump))
                (settings.home / "jump.new").replace(settings.home / "jump")
    finally:
        for worker in workers:
            _kill(worker)
    (settings.home / "jump").write_text(str(JUMP.total_seconds()))
    look(settings, clock(settings.home, began, speed)(), outcome)
    return outcome


def _fork(settings: Settings, began: float, speed: float, defect: str | None) -> int:
    """A child with everything imported; it opens its own connections."""
    process = os.fork()
    if process:
        return process
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            work(settings, began, speed, defect)
    finally:
        os._exit(1)


def _kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def look(settings: Settings, now: datetime, outcome: Found) -> None:
    """One scheduler does what is left; then the store and the ledger must agree with the calendar."""
    stores = open_stores(settings)
    known = jobs(stores, settings, lambda: now, "the last")
    for _ in range(3):
        timetable.tick(stores.raw, known, lambda: now, "the last")  # noqa: B023
        now += timedelta(hours=3)
    with reading(stores.raw) as connection:
        found = [each.round_id for each in rounds.rounds_of(connection, "m")]
        messages = [message for round_id in found for message in outbox.of_round(connection, round_id)]
        n_ticks = len(connection.execute(select(ticks).where(ticks.c.job == "count")).all())
        n_rows = len(connection.execute(select(people_table).where(people_table.c.name == "row")).all())
        pairings = people.pairings_of(connection, "m")
    lines = Counter((settings.home / "ledger").read_text().split())
    outcome.n_messages, outcome.n_letters, outcome.n_ticks = len(messages), sum(lines.values()), n_ticks
    if n_rows != n_ticks:
        outcome.faults.append(f"{n_rows} effects of {n_ticks} times")
    wanted = _wanted(pairings, now)
    if set(found) != wanted or len(found) != len(set(found)):
        outcome.faults.append(f"rounds {sorted(set(found) ^ wanted)} are missing or too many")
    for message in messages:
        n_letters = lines[letters.header_id(message.message_id, settings)]
        least, most = int(message.state == "accepted"), 1 + min(message.n_unknown, 1)
        if not least <= n_letters <= most:
            outcome.faults.append(f"{message.kind} sent {n_letters} times, {message.n_unknown} times unknown")
        if message.state in ("claimed", "transmitting"):
            outcome.faults.append(f"{message.kind} was left {message.state}")
        if message.kind == "invitation" and message.state not in ("accepted", "planned", "unknown"):
            outcome.faults.append(f"an invitation was {message.state}: {message.outcome}")
    for round_id in wanted & set(found):
        n_invited = sum(message.kind == "invitation" and message.round_id == round_id for message in messages)
        if n_invited != 2 * N_PAIRS:
            outcome.faults.append(f"{round_id} invited {n_invited}")
    stores.dispose()


def _wanted(pairings: list[people.Pairing], now: datetime) -> set[str]:
    """Every round that should have opened, by the calendar."""
    of, found = cadence.read(CADENCE), set()
    day = cast.OPENS.date()
    while day <= calendar.furthest_day(now):
        found |= {slot.round_id for slot in calendar.slots("m", of, pairings, day) if slot.is_worth_opening(day)}
        day += timedelta(days=1)
    return found


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seconds", type=float, default=600)
    words.add_argument("--workers", type=int, default=16)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--postgresql", action="store_true")
    chosen = words.parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(Cluster()).new_database() if chosen.postgresql else None
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(home=home, database_url=url, secret_key=KEY)
        outcome = run(settings, n_workers=chosen.workers, seconds=chosen.seconds, seed=chosen.seed, speed=SLOWER)
    sys.stdout.write(f"{outcome}\n")
    raise SystemExit(1 if outcome.faults else 0)


if __name__ == "__main__":
    main()
