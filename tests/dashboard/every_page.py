"""Looks at every page of a demo in Chromium, as each reader, language, colour scheme and width.

The suite looks at a covering set; `python -m tests.dashboard.every_page` looks at every combination.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from dashboard.app import create_app
from data import settings as reading_settings
from data.store.accounts import open_accounts
from data.store.engine import open_stores
from data.timetable import tick
from pipeline import jobs as pipeline_jobs
from pipeline.published import open_published
from surveys import jobs as surveys_jobs
from tests.support.browser import find_chromium, launched, served

FOR_ALL = (
    "/",
    "/metric",
    "/metric/trust",
    "/metric/trust?by=department",
    "/metric/participation",
    "/two-sides",
    "/participation",
    "/business-case",
    "/quality",
    "/method",
    "/releases",
    "/help",
    "/account",
    "/metric/nonsense",
)
FOR_HR = ("/week", "/pairings", "/pairings?find=zz", "/comments")
ROLES = ("hr", "leader")
LANGUAGES = ("en", "de")
SCHEMES = ("light", "dark")
WIDTHS = (1440, 768, 390)


@dataclass(frozen=True)
class Look:
    """One page, seen by one reader in one way."""

    path: str
    role: str
    lang: str
    scheme: str
    width: int

    @property
    def address(self) -> str:
        return f"{self.path}{'&' if '?' in self.path else '?'}lang={self.lang}"


def every_look() -> list[Look]:
    return [
        Look(path, role, lang, scheme, width)
        for role in ROLES
        for path in (*FOR_ALL, *(FOR_HR if role == "hr" else ()))
        for lang, scheme, width in product(LANGUAGES, SCHEMES, WIDTHS)
    ]


def covering_looks() -> list[Look]:
    """Each page at each width; languages, schemes and readers turn, so that every width meets all of them."""
    ways = list(product(LANGUAGES, SCHEMES))
    return [
        Look(path, "hr" if path in FOR_HR or (at + turn) % 2 else "leader", *ways[(at + turn) % len(ways)], width)
        for at, path in enumerate((*FOR_ALL, *FOR_HR))
        for turn, width in enumerate(WIDTHS)
    ]


@contextmanager
def demo_served(folder: Path) -> Iterator[tuple[str, dict[str, tuple[str, str]]]]:
    """A small demo whose timetable has laid out its views: its address, and who signs in how."""
    command = [sys.executable, "-m", "rapport", "--home", str(folder)]
    subprocess.run(
        [*command, "demo", "--pairings", "60", "--rounds", "3", "--no-serve"], check=True, capture_output=True
    )
    card = (folder / "demo-card.txt").read_text(encoding="utf-8")
    signing_in = {
        role: (email, password) for role, email, password in re.findall(r"as (hr|leader) +(\S+) +(\S+)", card)
    }
    settings = reading_settings.load(folder)
    stores = open_stores(settings)
    known = [*surveys_jobs.jobs(stores, settings, reading_settings.now), *pipeline_jobs.jobs(stores, settings)]
    views = [job for job in known if job.name in (surveys_jobs.SHOW, pipeline_jobs.SHOW)]
    tick(stores.raw, views, lambda: datetime.now(UTC))
    app = create_app(settings, open_published(settings), open_accounts(settings))
    with served(app.server) as address:
        yield address, signing_in
    stores.dispose()


def look_at_all(browser: Any, address: str, signing_in: dict[str, tuple[str, str]], looks: Sequence[Look]) -> list[str]:
    """Everything that is wrong, one line each; one sign-in for each reader, scheme and width."""
    wrong = []
    for role, scheme, width in dict.fromkeys((each.role, each.scheme, each.width) for each in looks):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        page = context.new_page()
        said = listen(page, address)
        sign_in(page, address, *signing_in[role])
        for each in looks:
            if (each.role, each.scheme, each.width) == (role, scheme, width):
                wrong += [f"{each}: {fault}" for fault in (*faults(page, address, each), *said)]
                said.clear()
        context.close()
    return wrong


def listen(page: Any, address: str) -> list[str]:
    """What the console says, and every request that goes elsewhere."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((address, "data:")) else said.append(request.url))
    return said


def sign_in(page: Any, address: str, email: str, password: str) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.wait_for_selector("main h1")


def faults(page: Any, address: str, look: Look) -> list[str]:
    """What is wrong with one page."""
    page.goto(address + look.address)
    page.wait_for_selector("main h1")
    for drawing in page.query_selector_all(".drawing"):
        drawing.wait_for_selector(".main-svg", state="attached")
    found = violations(page)
    checks = {
        "not one heading of the first level": "document.querySelectorAll('h1').length === 1",
        "the page scrolls sideways": "document.documentElement.scrollWidth <= innerWidth",
        f"it does not say lang={look.lang}": f"document.documentElement.lang === '{look.lang}'",
        "something moves": "document.getAnimations().length === 0",
        "a chart has no name": "[...document.querySelectorAll('.drawing')].every(d => (d.ariaLabel || '').length > 20)",
        "a chart has no table": "[...document.querySelectorAll('figure')].every(f => f.querySelector('table'))",
        "a target is lower than 24 px": SMALL_TARGETS,
        "nothing is there": "document.querySelector('main').innerText.length > 60",
    }
    return [*found, *(fault for fault, holds in checks.items() if not page.evaluate(f"() => {holds}"))]


# Links inside a sentence are exempt (WCAG 2.2, 2.5.8).
SMALL_TARGETS = """[...document.querySelectorAll('button, input:not([type=hidden]), summary, nav a')]
  .filter(e => e.checkVisibility() && !e.closest('.hidden') && !e.matches('input[type=radio]'))
  .every(e => e.getBoundingClientRect().height >= 24)"""


def violations(page: Any) -> list[str]:
    """What axe finds; it comes in by the debugger, since the policy forbids scripts that are not ours."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


def main() -> int:
    """Every combination; ends with 1 where anything is wrong."""
    executable = find_chromium()
    if executable is None:
        sys.stderr.write("Chromium is not installed.\n")
        return 1
    looks = every_look()
    with (
        tempfile.TemporaryDirectory() as folder,
        demo_served(Path(folder)) as (address, signing_in),
        launched(executable) as browser,
    ):
        wrong = look_at_all(browser, address, signing_in, looks)
    sys.stdout.write("\n".join([*wrong, f"{len(looks)} looks, {len(wrong)} faults"]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
