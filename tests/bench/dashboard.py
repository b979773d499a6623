"""Measures the dashboard's overview beside the same page in plain Dash with plotly express, on the same made releases.

`python -m tests.bench.dashboard` prints JSON: the servers' processor time for a filter callback; how long fifty
viewers wait for callbacks and pages; bytes and requests of a first visit; time until the charts are drawn in Chromium.
"""

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from data import settings as reading_settings
from data.store.accounts import open_accounts
from data.store.engine import migrate, open_stores
from tests.bench.answering import Running, _children
from tests.dashboard.conftest import PASSWORD, callback
from tests.dashboard.made_releases import make_release, rows_of
from tests.support.browser import find_chromium, launched
from tests.support.serving import _wait_for, free_port
from tests.support.visitors import Reply, Visitor, played
from tests.support.wire import watched

ROUNDS = range(6, 0, -1)
EMAIL = "cleo@cast.example"
CALLBACK = "/_dash-update-component"
THINK = (0.5, 1.5)  # seconds between two clicks of one viewer
# A page is ready when its heading is there and every chart has its points.
READY = """(() => {
  const look = () => {
    const drawings = [...document.querySelectorAll(".drawing")];
    const isDrawn = drawings.length > 0 && drawings.every((each) => each.querySelector(".main-svg .point"));
    if (isDrawn && document.querySelector("#page h1")) window.__ready = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()"""


class Viewer(Visitor):
    """A browser whose posts are callbacks: JSON."""

    def _request(self, method: str, path: str, fields: Mapping[str, Any] | None) -> bytes:
        if path != CALLBACK:
            return super()._request(method, path, fields)
        body = json.dumps(fields).encode()
        head, _, _ = super()._request(method, path, None).partition(b"\r\n\r\n")
        return head + f"\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body

    async def sign_in(self) -> None:
        form = (await self.ask("GET", "/sign-in")).text
        token = re.search(r'name="token" value="([^"]+)"', form)
        assert token is not None
        sent = await self.ask("POST", "/sign-in", {"token": token[1], "email": EMAIL, "password": PASSWORD})
        assert sent.status == 303, sent.status

    async def filter(self, body: Mapping[str, Any]) -> Reply:
        answer = await self.ask("POST", CALLBACK, body)
        assert answer.status == 200, answer.status
        return answer


async def _entered(port: int) -> dict[str, str]:
    """The cookies of a session."""
    viewer = Viewer(port)
    await viewer.sign_in()
    viewer.hang_up()
    return viewer.cookies


@contextmanager
def serving(command: list[str], port: int) -> Iterator[Running]:
    environment = {**os.environ, "RAPPORT_DASHBOARD_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", *command], env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/{'readyz' if command[0] == 'rapport' else ''}", process)
        yield Running(port, _children(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=30)


@dataclass(frozen=True)
class Contestant:
    """How it is started, what a filter sends, whether its viewers sign in, and where its page is."""

    command: Callable[[Path, int], list[str]]
    filters: list[dict[str, Any]]
    signs_in: bool


def chosen(number: int) -> dict[str, Any]:
    """What the plain page's choice of the round sends."""
    return {
        "output": "page.children",
        "outputs": {"id": "page", "property": "children"},
        "inputs": [{"id": "round", "property": "value", "value": number}],
        "changedPropIds": ["round.value"],
    }


CONTESTANTS = {
    "rapport": Contestant(
        lambda home, _port: ["rapport", "--home", str(home), "serve", "--only", "dashboard"],
        [callback("/", f"?round=mentoring-{number}&lang={lang}") for lang in ("en", "de") for number in ROUNDS],
        True,
    ),
    "plain": Contestant(
        lambda home, port: ["tests.bench.plain_dash", str(home), str(port)],
        [chosen(number) for number in ROUNDS],
        False,
    ),
}


def make_home(home: Path) -> None:
    """An installation with six releases and one account."""
    reading_settings.make_home(home)
    settings = reading_settings.load(home)
    stores = open_stores(settings)
    migrate(stores)
    for number in range(1, 7):
        assert settings.secret_key
        make_release(stores, number, key=settings.secret_key, rows=rows_of(number, withheld={"feedback": "Operations"}))
    accounts = open_accounts(settings)
    accounts.add(email=EMAIL, role="hr", programme_id=None, password=PASSWORD, now=reading_settings.now())
    stores.dispose()


# --- processor time ------------------------------------------------------------------------------


async def _asked(port: int, cookies: Mapping[str, str], bodies: Iterator[Mapping[str, Any]]) -> int:
    viewer, n = Viewer(port, dict(cookies)), 0
    for body in bodies:
        await viewer.filter(body)
        n += 1
    viewer.hang_up()
    return n


def processor_time(server: Running, contestant: Contestant, cookies: Mapping[str, str], n: int) -> dict[str, float]:
    """Milliseconds a callback: each filter for the first time, and again. The first of all pays for imports."""
    filters = contestant.filters
    played(_asked(server.port, cookies, iter(filters[:1])))
    found = {}
    for name, bodies in (("first_ms", filters[1:]), ("again_ms", list(islice(cycle(filters), n)))):
        before = server.cpu_s()
        count = played(_asked(server.port, cookies, iter(bodies)))
        found[name] = round((server.cpu_s() - before) / count * 1000, 2)
    return found


# --- many viewers --------------------------------------------------------------------------------


async def many(server: Running, filters: list[dict[str, Any]], n: int, seconds: float) -> dict[str, Any]:
    """So many signed-in viewers, each clicking, reading a moment, clicking: how long each answer took."""
    viewers = [Viewer(server.port) for _ in range(n)]
    for each in viewers:
        await each.sign_in()
    took: dict[str, list[float]] = {"callback": [], "page": []}
    before, started = server.cpu_s(), time.perf_counter()
    end = started + seconds

    async def clicks(viewer: Viewer, rng: random.Random) -> None:
        await asyncio.sleep(rng.uniform(0, THINK[1]))
        while time.perf_counter() < end:
            kind = "callback" if rng.random() < 0.7 else "page"
            clicked = time.perf_counter()
            if kind == "callback":
                await viewer.filter(rng.choice(filters))
            else:
                page = await viewer.ask("GET", f"/metric/trust?round=mentoring-{rng.choice(ROUNDS)}")
                assert page.status == 200, page.status
            took[kind].append(time.perf_counter() - clicked)
            await asyncio.sleep(rng.uniform(*THINK))
        viewer.hang_up()

    await asyncio.gather(*(clicks(each, random.Random(seed)) for seed, each in enumerate(viewers)))
    busy = (server.cpu_s() - before) / (time.perf_counter() - started)
    return {**{kind: told(each) for kind, each in took.items()}, "cores_busy": round(busy, 2)}


def told(took: list[float]) -> dict[str, float]:
    ordered = sorted(took)
    found = {f"p{part}_ms": round(ordered[int(len(ordered) * part / 100)] * 1000, 1) for part in (50, 95, 99)}
    return {"n": len(ordered), **found}


# --- in a browser --------------------------------------------------------------------------------


def visits(browser: Any, port: int, cookies: Mapping[str, str], n: int) -> dict[str, float]:
    """Medians of first visits with an empty cache and of the visits after them in the same tab."""
    address = f"http://127.0.0.1:{port}"
    cold, warm, counts = [], [], []
    for _ in range(n):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
        page = context.new_page()
        page.add_init_script(READY)
        wire = watched(page)
        cold.append(_ready(page, address))
        counts.append((wire.total, len(wire.addresses)))
        warm.append(_ready(page, address))
        context.close()
    wire_bytes, requests = (statistics.median(each) for each in zip(*counts, strict=True))
    return {
        "first_visit_bytes": wire_bytes,
        "first_visit_requests": requests,
        "cold_ms": round(statistics.median(cold)),
        "warm_ms": round(statistics.median(warm)),
    }


def _ready(page: Any, address: str) -> float:
    page.goto(f"{address}/", wait_until="load")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (ready := page.evaluate("window.__ready || 0")) > 0:
            page.wait_for_timeout(400)  # what is fetched and kept after that belongs to this visit
            return float(ready)
        page.wait_for_timeout(20)
    raise AssertionError("the page was never ready")


def measure(name: str, home: Path, said: argparse.Namespace, browser: Any | None) -> dict[str, Any]:
    contestant, port = CONTESTANTS[name], free_port()
    with serving(contestant.command(home, port), port) as server:
        cookies = played(_entered(port)) if contestant.signs_in else {}
        found: dict[str, Any] = {"callback": processor_time(server, contestant, cookies, said.callbacks)}
        if browser is not None:
            found["chromium"] = visits(browser, port, cookies, said.visits)
        if contestant.signs_in:
            viewing = many(server, contestant.filters, said.viewers, said.seconds)
            found[f"{said.viewers} viewers"] = played(viewing)
    return found


def ratios(found: Mapping[str, Any]) -> dict[str, float]:
    ours, theirs = found["rapport"], found["plain"]
    compared = {f"cpu a callback, {name}: rapport / plain": ("callback", f"{name}_ms") for name in ("first", "again")}
    if "chromium" in ours:
        names = {"bytes of a first visit": "first_visit_bytes", "cold": "cold_ms", "warm": "warm_ms"}
        compared |= {f"{told_as}: rapport / plain": ("chromium", name) for told_as, name in names.items()}
    return {told_as: round(ours[of][name] / theirs[of][name], 4) for told_as, (of, name) in compared.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callbacks", type=int, default=60)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--visits", type=int, default=5)
    said = parser.parse_args()
    executable = find_chromium()
    found: dict[str, Any] = {"load before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        make_home(home)
        if executable is None:
            found |= {name: measure(name, home, said, None) for name in CONTESTANTS}
        else:
            with launched(executable) as browser:
                found |= {name: measure(name, home, said, browser) for name in CONTESTANTS}
    sys.stdout.write(json.dumps({**found, "ratios": ratios(found)}, indent=2) + "\n")


if __name__ == "__main__":
    main()
