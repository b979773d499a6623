"""Measures one contestant in a process of its own: processor time, wall time and peak memory of its work."""

import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """Medians over the runs, seconds; peak memory in MB of the process that did the work, data included."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    runs: int


def _work(prepare: Callable[[], Any], run: Callable[[Any], Any], runs: int, results: Any) -> None:
    prepared = prepare()
    if runs > 1:
        run(prepared)  # the first run pays for imports and caches; a contestant that takes minutes does not feel it
    cpu, wall = [], []
    for _ in range(runs):
        before, started = time.process_time(), time.perf_counter()
        run(prepared)
        cpu.append(time.process_time() - before)
        wall.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results.send(asdict(Cost(statistics.median(cpu), statistics.median(wall), peak, runs)))


def cost(prepare: Callable[[], Any], run: Callable[[Any], Any], *, runs: int = 3) -> Cost:
    """`prepare` makes the data in the contestant's own form, uncounted; `run` is counted."""
    context = multiprocessing.get_context("spawn")
    results, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(prepare, run, runs, sender))
    process.start()
    sender.close()  # so that a contestant that dies ends the wait
    found: dict[str, Any] = results.recv()
    process.join()
    return Cost(**found)


def told(costs: dict[str, Cost], ratios: dict[str, float]) -> str:
    """The JSON that `make bench` prints."""
    rounded = {name: {key: round(value, 3) for key, value in asdict(each).items()} for name, each in costs.items()}
    return json.dumps({"costs": rounded, "ratios": {key: round(value, 4) for key, value in ratios.items()}}, indent=2)
