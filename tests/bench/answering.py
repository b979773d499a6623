"""Measures complete answers (link, page, answers, receipt): Rapport's server beside a plain Flask and SQLAlchemy one.

`python -m tests.bench.answering` prints JSON: completions a second, the servers' processor time for each, and how
long sending a filled page takes at a steady rate; `--postgresql` on PostgreSQL. LimeSurvey is quoted, not run.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from data import settings as reading_settings
from data.store.engine import keeps_how, migrate, open_stores
from tests.support.crowd import invited
from tests.support.postgresql import Cluster
from tests.support.quick_server import QuickServer
from tests.support.serving import _wait_for, free_port
from tests.support.visitors import Visitor, filled

VISITORS = 64
LIMESURVEY = {"completions_per_s": [17, 20], "cpu_ms": [64, 82]}


@dataclass(frozen=True)
class Running:
    """A server under test: where it listens, and which processes work for it."""

    port: int
    pids: list[int]

    def cpu_s(self) -> float:
        """User and system time of its processes so far."""
        return sum(_cpu_s(pid) for pid in self.pids)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found = [
        int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()
    ]
    return [pid, *(deeper for child in found for deeper in _children(child))]


@contextmanager
def rapport(home: Path) -> Iterator[Running]:
    server = QuickServer(home)
    try:
        server.start()
        yield Running(server.port, server.pids())
    finally:
        server.close()


@contextmanager
def flask(home: Path) -> Iterator[Running]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.plain_flask", str(home), str(port)])
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield Running(port, _children(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=30)


CONTESTANTS: dict[str, Callable[[Path], Any]] = {"rapport": rapport, "flask": flask}


async def complete(visitor: Visitor, token: str, turn: int) -> float:
    """One person from the link to the receipt; gives the seconds that sending took."""
    visitor.cookies.clear()
    await visitor.ask("GET", f"/a/{token}")
    page = await visitor.ask("GET", "/answer")
    fields = filled(page.text, turn)
    assert len(fields) >= 10, page.status
    before = time.perf_counter()
    sent = await visitor.ask("POST", "/answer", fields)
    took = time.perf_counter() - before
    thanks = await visitor.ask("GET", "/thanks")
    assert (sent.status, thanks.status) == (303, 200), (sent.status, thanks.status)
    return took


async def as_fast_as_it_goes(port: int, tokens: list[str]) -> float:
    """Seconds until everybody has answered, some of them at once."""
    left = list(enumerate(tokens))

    async def visit() -> None:
        visitor = Visitor(port)
        while left:
            turn, token = left.pop()
            await complete(visitor, token, turn)
        visitor.hang_up()

    before = time.perf_counter()
    await asyncio.gather(*(visit() for _ in range(VISITORS)))
    return time.perf_counter() - before


async def opened(port: int, tokens: list[str], n: int) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Cookies and filled fields of so many pages, each opened by somebody who will send it later."""
    found: list[tuple[dict[str, str], dict[str, str]]] = []
    left = list(zip(range(n), cycle(tokens), strict=False))

    async def open_some() -> None:
        visitor = Visitor(port)
        while left:
            turn, token = left.pop()
            visitor.cookies.clear()
            await visitor.ask("GET", f"/a/{token}")
            page = await visitor.ask("GET", "/answer")
            found.append((dict(visitor.cookies), filled(page.text, turn)))
        visitor.hang_up()

    await asyncio.gather(*(open_some() for _ in range(8)))
    return found


async def at_a_steady_rate(port: int, tokens: list[str], per_s: float, seconds: float) -> tuple[list[float], float]:
    """How long each sending took, and the seconds of all; people send when their time comes, however slow it goes."""
    pages = await opened(port, tokens, int(per_s * seconds))
    free: list[Visitor] = []
    took: list[float] = []

    async def one(cookies: dict[str, str], fields: dict[str, str]) -> None:
        visitor = free.pop() if free else Visitor(port)
        visitor.cookies = cookies
        before = time.perf_counter()
        sent = await visitor.ask("POST", "/answer", fields)
        took.append(time.perf_counter() - before)
        assert sent.status == 303, sent.status
        free.append(visitor)

    started, running = time.perf_counter(), []
    for turn, (cookies, fields) in enumerate(pages):
        await asyncio.sleep(max(started + turn / per_s - time.perf_counter(), 0))
        running.append(asyncio.create_task(one(cookies, fields)))
    await asyncio.gather(*running)
    whole = time.perf_counter() - started
    for visitor in free:
        visitor.hang_up()
    return took, whole


def measure(name: str, url: str | None, people: int, per_s: float, seconds: float) -> dict[str, Any]:
    """One contestant over a new installation."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        reading_settings.make_home(home)
        if url is not None:
            (home / "rapport.toml").write_text(f'database_url = "{url}"\n', encoding="utf-8")
        settings = reading_settings.load(home)
        stores = open_stores(settings)
        migrate(stores)
        how = keeps_how(stores.raw)
        tokens = invited(stores, settings, people // 2, reading_settings.now())
        stores.dispose()
        with CONTESTANTS[name](home) as server:
            asyncio.run(as_fast_as_it_goes(server.port, tokens[:50]))  # the first ones pay for caches
            cpu = server.cpu_s()
            took = asyncio.run(as_fast_as_it_goes(server.port, tokens[50:]))
            cpu = server.cpu_s() - cpu
            found = {
                "store": how,
                "completions_per_s": round((len(tokens) - 50) / took, 1),
                "cpu_ms": round(cpu / (len(tokens) - 50) * 1000, 3),
            }
            if seconds:
                found |= _steady(server, tokens, per_s, seconds)
    return found


def _steady(server: Running, tokens: list[str], per_s: float, seconds: float) -> dict[str, Any]:
    times, whole = asyncio.run(at_a_steady_rate(server.port, tokens, per_s, seconds))
    took = sorted(times)
    return {
        "submits_asked_per_s": per_s,
        "submits_kept_per_s": round(len(took) / whole, 1),
        "submit_p50_ms": round(statistics.median(took) * 1000, 1),
        "submit_p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--postgresql", action="store_true")
    said = parser.parse_args()
    found: dict[str, Any] = {}
    if said.postgresql:
        with Cluster() as cluster:
            for name in CONTESTANTS:
                seconds = said.seconds if name == "rapport" else 0
                found[name] = measure(name, cluster.new_database(), said.people, said.rate, seconds)
    else:
        for name in CONTESTANTS:
            seconds = said.seconds if name == "rapport" else 0
            found[name] = measure(name, None, said.people, said.rate, seconds)
    ours, theirs = found["rapport"], found["flask"]
    ratios = {
        "completions: rapport / flask": round(ours["completions_per_s"] / theirs["completions_per_s"], 2),
        "cpu: flask / rapport": round(theirs["cpu_ms"] / ours["cpu_ms"], 2),
        "completions: rapport / LimeSurvey": round(ours["completions_per_s"] / LIMESURVEY["completions_per_s"][1], 1),
        "cpu: LimeSurvey / rapport": round(LIMESURVEY["cpu_ms"][0] / ours["cpu_ms"], 1),
    }
    sys.stdout.write(json.dumps({**found, "LimeSurvey (quoted)": LIMESURVEY, "ratios": ratios}, indent=2) + "\n")


if __name__ == "__main__":
    main()
