"""Plays power cuts under the real store code: what was not synced is dropped, torn or reordered.

The store takes submissions on a disk that writes down every step. A cut is a place in that record; what the disk
then holds is drawn: of the steps since a file's last sync, each write may be there, missing, or torn at a sector;
a truncation or a deletion may have happened or not. Stock SQLite opens what is left.

`python -m tests.faults.power_cuts --cuts 100000` is the long form.
"""

import argparse
import hashlib
import json
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from data.store.answers import Submission, store_response
from data.store.engine import Stores, sqlite_engine, upgrade, writing
from tests.support import cast
from tests.support.recording_sqlite import Driver, Recording, Step

SECTOR = 512
N_SUBMISSIONS = 40
BASE = "raw.sqlite"
Take = Callable[[Engine, Recording, Submission], None]


@dataclass
class Outcome:
    """What was found after the cuts: submissions that were confirmed and are gone, databases that do not open."""

    n_cuts: int = 0
    lost: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.altered or self.corrupt)


def acknowledge_after_commit(engine: Engine, recording: Recording, submission: Submission) -> None:
    """As the answering server does it."""
    with writing(engine) as connection:
        store_response(connection, submission)
    recording.say(submission.submission_id)


def acknowledge_early(engine: Engine, recording: Recording, submission: Submission) -> None:
    """A defect: the person is told before the commit."""
    with writing(engine) as connection:
        store_response(connection, submission)
        recording.say(submission.submission_id)


def recorded(
    folder: Path, *, seed: int, take: Take = acknowledge_after_commit, synchronous: str | None = None
) -> Recording:
    """Everything that the disk saw while people answered, from a store that was there before."""
    recording = Recording()
    engine = sqlite_engine(folder / BASE, module=Driver(recording, synchronous=synchronous))
    upgrade(engine, "raw")
    stores = Stores(engine, engine, engine)
    cast.ada_and_ben(stores)
    start = len(recording.steps)
    rng = random.Random(seed)
    for number in range(N_SUBMISSIONS):
        take(engine, recording, _submission(number, rng))
    engine.dispose()
    recording.steps[:start] = [_as_it_was(recording.steps[:start])]
    return recording


def _as_it_was(steps: list[Step]) -> Step:
    content = bytearray()
    for step in steps:
        if step.name == BASE:
            _apply(content, step, len(step.data))
    return Step("base", BASE, data=bytes(content))


def _submission(number: int, rng: random.Random) -> Submission:
    answers = {f"Q{place:02d}": rng.choice("12345") for place in range(rng.randint(1, 7))}
    return Submission(
        invitation_id=rng.choice(("R1:P1:mentor", "R1:P1:mentee")),
        submission_id=f"s{number:03d}",
        received_at=cast.NOON + timedelta(minutes=number),
        source="page",
        answers=answers,
        comment="x" * rng.choice((0, 40, 1500)) or None,
    )


# --- the cut -----------------------------------------------------------------------------------


def left_on_disk(steps: list[Step], cut: int, rng: random.Random) -> dict[str, bytes]:
    """One state that the files may be in when the power goes before step `cut`."""
    files: dict[str, bytearray] = {}
    unsynced: dict[str, list[Step]] = {}
    for step in steps[:cut]:
        if step.what == "base":
            files[step.name] = bytearray(step.data)
        elif step.what == "sync":
            for each in unsynced.pop(step.name, []):
                _apply(files.setdefault(step.name, bytearray()), each, len(each.data))
        elif step.what == "delete" and step.offset:  # its folder was synced
            files.pop(step.name, None)
            unsynced.pop(step.name, None)
        elif step.what != "said":
            unsynced.setdefault(step.name, []).append(step)
    for name, pending in unsynced.items():
        _survive(files, name, pending, rng)
    return {name: bytes(content) for name, content in files.items()}


def _survive(files: dict[str, bytearray], name: str, pending: list[Step], rng: random.Random) -> None:
    """Each unsynced step by itself: there, missing, or torn. Some cuts keep nearly all, some nearly none."""
    chance = rng.choice((0.05, 0.5, 0.95))
    for step in pending:
        if rng.random() > chance:
            continue
        if step.what == "delete":
            files.pop(name, None)
            continue
        whole = len(step.data)
        kept = whole if rng.random() < 0.7 else rng.randrange(0, whole + 1, SECTOR) if whole else 0
        _apply(files.setdefault(name, bytearray()), step, kept)


def _apply(content: bytearray, step: Step, kept: int) -> None:
    if step.what == "truncate":
        del content[step.offset :]
    elif step.what == "write" and kept:
        if len(content) < step.offset:
            content.extend(bytes(step.offset - len(content)))
        content[step.offset : step.offset + kept] = step.data[:kept]


# --- what is left ------------------------------------------------------------------------------


def look(folder: Path, files: dict[str, bytes]) -> dict[str, str] | None:
    """Submission → digest of what it said, as stock SQLite finds it; None where the database is broken."""
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        with sqlite3.connect(folder / BASE) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return None
            return dict(_said(connection))
    except sqlite3.DatabaseError:
        return None
    finally:
        connection.close()


def _said(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Recomputed from the rows, so that half a response shows."""
    rows = connection.execute(
        "SELECT r.submission_id, r.content_sha256, r.comment, r.is_comment_for_release, r.is_complete, "
        "(SELECT json_group_object(question_id, value) FROM answers a WHERE a.response_id = r.response_id) "
        "FROM responses r"
    )
    for submission_id, digest, comment, for_release, complete, said in rows:
        content = [json.loads(said), {}, comment, bool(for_release), bool(complete)]
        found = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        yield submission_id, digest if digest == found else "altered"


def play(recording: Recording, folder: Path, *, n_cuts: int, seed: int) -> Outcome:
    """Cut the power `n_cuts` times at places drawn over the record, and look at what is left."""
    rng = random.Random(seed)
    outcome = Outcome()
    steps = recording.steps
    for _ in range(n_cuts):
        cut = rng.randint(1, len(steps))
        confirmed = [step.name for step in steps[:cut] if step.what == "said"]
        found = look(folder, left_on_disk(steps, cut, rng))
        outcome.n_cuts += 1
        if found is None:
            outcome.corrupt.append(f"before step {cut}")
            continue
        outcome.lost += [f"{name} before step {cut}" for name in confirmed if name not in found]
        outcome.altered += [name for name, digest in found.items() if digest == "altered"]
    return outcome


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--cuts", type=int, default=100_000)
    words.add_argument("--seed", type=int, default=1)
    chosen = words.parse_args()
    total = Outcome()
    each = 5_000
    for number in range(-(-chosen.cuts // each)):
        with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory(dir=_memory()) as folder:
            recording = recorded(Path(made), seed=chosen.seed + number)
            found = play(recording, Path(folder), n_cuts=each, seed=chosen.seed + number)
        total.n_cuts += found.n_cuts
        total.lost += found.lost
        total.altered += found.altered
        total.corrupt += found.corrupt
        sys.stdout.write(
            f"{total.n_cuts} cuts: {len(total.lost)} lost, {len(total.altered)} altered, {len(total.corrupt)} corrupt\n"
        )
        sys.stdout.flush()
    raise SystemExit(0 if total.is_clean else 1)


def _memory() -> str | None:
    """Files that need not outlive the test are kept in memory where there is such a folder."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


if __name__ == "__main__":
    main()
