"""Counts over many made-up programmes on several processes; the counts do not depend on how many.

Every programme has a seed of its own, made of the run's seed, its number of pairings and its place, so it comes
out the same on any worker.
"""

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np

AT_ONCE = 10  # programmes of a task, so that workers end together
Cell = tuple[str, int]  # what is counted, pairings
Noted = Iterable[tuple[str, bool]]  # what, whether it held
Look = Callable[[int, int, np.random.Generator], Noted]  # pairings, place, chance


@dataclass
class Count:
    """How often something held, of how many looks."""

    held: int = 0
    n: int = 0

    @property
    def share(self) -> float:
        return self.held / self.n

    def add(self, held: int, n: int) -> None:
        self.held += held
        self.n += n


Counts = dict[Cell, Count]


@dataclass(frozen=True)
class Task:
    """Some programmes of one size, each looked at in the same way."""

    look: Look
    size: int
    places: range
    seed: int


def counted(look: Look, sizes: Iterable[int], n_programmes: int, seed: int, *, n_workers: int = 1) -> Counts:
    """`look` at `n_programmes` of every size; the largest first, as they take longest."""
    tasks = [
        Task(look, size, range(start, min(start + AT_ONCE, n_programmes)), seed)
        for size in sorted(sizes, reverse=True)
        for start in range(0, n_programmes, AT_ONCE)
    ]
    counts: Counts = {}
    for found in _done(tasks, n_workers):
        for cell, count in found.items():
            counts.setdefault(cell, Count()).add(count.held, count.n)
    return counts


def count(task: Task) -> Counts:
    """The counts of one task."""
    counts: Counts = {}
    for place in task.places:
        rng = np.random.default_rng([task.seed, task.size, place])
        for what, is_held in task.look(task.size, place, rng):
            counts.setdefault((what, task.size), Count()).add(int(is_held), 1)
    return counts


def _done(tasks: list[Task], n_workers: int) -> Iterator[Counts]:
    if n_workers == 1:
        yield from map(count, tasks)
        return
    started = time.monotonic()
    with ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done, future in enumerate(as_completed([pool.submit(count, task) for task in tasks]), start=1):
            _tell(done / len(tasks), time.monotonic() - started)
            yield future.result()


def _tell(share: float, seconds: float) -> None:
    """Progress on one line of the screen."""
    left = seconds / share - seconds
    sys.stderr.write(f"\r{share:6.1%} done, {seconds:4.0f} s gone, about {left:4.0f} s left ")
    sys.stderr.write("\n" if share == 1 else "")
    sys.stderr.flush()
