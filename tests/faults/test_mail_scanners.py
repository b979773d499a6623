"""Mail scanners open every link, run every page and send empty forms: nothing changes, and the person then answers."""

import asyncio
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from data import settings as reading_settings
from data.settings import Settings
from data.store.engine import Stores, migrate, open_stores, reading
from data.tables import raw, responses
from tests.support.crowd import invited
from tests.support.quick_server import QuickServer
from tests.support.visitors import HIDDEN, Visitor, answer, played

ADDRESSES = re.compile(r'(?:href|src|action|formaction)="([^"]+)"')
Dump = dict[str, list[tuple[Any, ...]]]


class World:
    """One installation with an open round, and its real server."""

    def __init__(self, home: Path, defect: str | None = None) -> None:
        reading_settings.make_home(home)
        self.settings: Settings = reading_settings.load(home)
        self.stores: Stores = open_stores(self.settings)
        migrate(self.stores)
        self.tokens = invited(self.stores, self.settings, 4, reading_settings.now())
        self.server = QuickServer(home, defect)
        self.server.start()

    @property
    def port(self) -> int:
        return self.server.port

    def close(self) -> None:
        self.server.close()
        self.stores.dispose()

    def everything(self) -> Dump:
        """Every row of every table, as it stands."""
        with reading(self.stores.raw) as connection:
            return {
                table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                for table in raw.sorted_tables
            }

    def responses_after(self, before: Dump) -> list[tuple[Any, ...]]:
        """The responses that came in since, or changed."""
        return [row for row in self.everything()[responses.name] if row not in before[responses.name]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("scanned") / "home")
    yield made
    made.close()


async def look_around(port: int, token: str) -> list[str]:
    """Open the link as a browser does; gives every address on the page."""
    visitor = Visitor(port)
    landed = await visitor.ask("GET", f"/a/{token}")
    page = await visitor.ask("GET", "/answer")
    assert (landed.status, page.status) == (303, 200)
    visitor.hang_up()
    found = [unescape(address) for address in ADDRESSES.findall(page.text)]
    assert len(found) >= 4
    return [f"/a/{token}", "/answer", "/thanks", *found]


def rewritten(token: str) -> list[str]:
    """What link protection makes of an address: escapes in either case, strings appended, a slash at the end."""
    escaped = "".join(f"%{ord(letter):02x}" if place % 3 == 0 else letter for place, letter in enumerate(token))
    return [
        f"/a/{escaped}",
        f"/a/{re.sub('%..', lambda found: found[0].upper(), escaped)}",
        f"/a/{token}?utm_source=scanner&data=05%7C02%7C",
        f"/a/{token}?lang=de&submission=x&withdraw=ask&q%3Amet_since=yes",
        f"/a/{token}/",
        f"/a/{token.swapcase()}",
        f"/a/{token}%20",
        f"/A/{token}",
        "/answer?for=C0&withdraw=ask&q:met_since=yes",
        "/draft?comment=x",
    ]


async def scan(world: World, token: str) -> None:
    """All that scanners were seen to do, from one address at once."""
    addresses = [*await look_around(world.port, token), *rewritten(token)]

    async def fetch(method: str, address: str) -> None:
        visitor = Visitor(world.port, headers={"purpose": "prefetch", "sec-purpose": "prefetch"})
        first = await visitor.ask(method, address)
        assert first.status < 500, (method, address, first.status)
        if first.status == 303:
            await visitor.ask(method, first.headers["location"])
        visitor.hang_up()

    for method in ("HEAD", "OPTIONS", "GET"):
        await asyncio.gather(*(fetch(method, address) for address in addresses))
    await asyncio.gather(*(fetch("GET", f"/a/{token}") for _ in range(20)))
    await send_empty(world, token)


async def send_empty(world: World, token: str) -> None:
    """Every form of the page, sent without a choice; its withdraw button is pressed once too."""
    visitor = Visitor(world.port)
    await visitor.ask("GET", f"/a/{token}")
    page = await visitor.ask("GET", "/answer")
    hidden = {unescape(name): unescape(value) for name, value in HIDDEN.findall(page.text)}
    for path, fields in (
        ("/answer", hidden),
        ("/draft", hidden),
        ("/answer", {}),
        ("/draft", {}),
        ("/answer", {**hidden, "withdraw": "ask"}),
        ("/answer", {**hidden, "withdraw": ""}),
    ):
        assert (await visitor.ask("POST", path, fields)).status in (200, 410, 422)
    visitor.hang_up()


def test_scanning_changes_nothing_and_the_person_answers(world: World) -> None:
    token = world.tokens[0]
    before = world.everything()
    played(scan(world, token))
    assert world.everything() == before
    receipt = played(answer(Visitor(world.port), token))
    assert receipt.status == 200
    assert len(world.responses_after(before)) == 1


def test_scanning_after_an_answer_changes_nothing_and_a_new_one_counts(world: World) -> None:
    token, untouched = world.tokens[1], world.everything()
    played(answer(Visitor(world.port), token))
    before = world.everything()
    played(scan(world, token))
    assert world.everything() == before
    played(answer(Visitor(world.port), token, turn=1))
    counted = responses.c.keys().index("is_counted")
    assert sorted(row[counted] for row in world.responses_after(untouched)) == [False, True]


@pytest.mark.browser
def test_a_browser_that_runs_everything_and_clicks_nothing_changes_nothing(world: World, chromium: Any) -> None:
    token = world.tokens[2]
    before = world.everything()
    page = chromium.new_context().new_page()
    page.goto(f"http://127.0.0.1:{world.port}/a/{token}", wait_until="networkidle")
    assert page.locator("form").count() >= 1
    page.evaluate(
        "for (const name of ['mouseover', 'focus', 'scroll']) document.querySelectorAll('*')"
        ".forEach(part => part.dispatchEvent(new Event(name, {bubbles: true})))"
    )
    page.mouse.wheel(0, 5000)
    page.context.close()
    assert world.everything() == before
    assert played(answer(Visitor(world.port), token)).status == 200


def test_a_server_that_records_who_opened_the_link_is_caught(tmp_path: Path) -> None:
    world = World(tmp_path / "home", "tests.faults.broken_servers.marks_links_that_were_opened")
    before = world.everything()
    played(look_around(world.port, world.tokens[0]))
    after = world.everything()
    world.close()
    assert after != before
