"""Kills the real server under load again and again, and holds the store against a ledger kept outside.

`python -m tests.faults.kills --kills 1000` is the long form; `--postgresql` runs it there.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from data import settings as reading_settings
from data.settings import Settings
from data.store.engine import Stores, migrate, open_stores, reading
from data.tables import answers, responses
from surveys.session import Session
from tests.support.crowd import invited
from tests.support.postgresql import Cluster
from tests.support.quick_server import QuickServer
from tests.support.visitors import Reply, Visitor, filled, played

VISITORS = 8
PAIRS = 120
BROKEN = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@dataclass(frozen=True)
class Verdict:
    """What became of every acknowledged answer."""

    kills: int
    acknowledged: int
    repeated: int
    lost: int
    doubled: int
    altered: int
    unknown: int  # stored, but sent by nobody

    @property
    def is_clean(self) -> bool:
        return self.lost == self.doubled == self.altered == self.unknown == 0


@dataclass
class Ledger:
    """What was sent and what was acknowledged; an acknowledgement is on the disk before the next request leaves."""

    path: Path
    sent: dict[str, str] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    repeated: int = 0

    def __post_init__(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def send(self, page_id: str, content: str) -> None:
        self.sent[page_id] = content
        os.write(self._file, json.dumps(["sent", page_id, content]).encode() + b"\n")

    def acknowledge(self, page_id: str) -> None:
        self.repeated += page_id in self.acknowledged
        self.acknowledged.add(page_id)
        os.write(self._file, json.dumps(["acknowledged", page_id]).encode() + b"\n")
        os.fsync(self._file)


class Load:
    """Visitors who answer without end, press again where nothing was confirmed, and double-click."""

    def __init__(self, server: QuickServer, tokens: list[str], ledger: Ledger, settings: Settings, seed: int) -> None:
        self._server = server
        self._ledger = ledger
        self._session = Session.of(settings)
        self._is_up = asyncio.Event()
        self._ends = False
        self._chance = random.Random(seed)
        self._tokens = [tokens[number::VISITORS] for number in range(VISITORS)]

    async def run(self, kills: int) -> None:
        visitors = [asyncio.create_task(self._visit(tokens)) for tokens in self._tokens]
        for _ in range(kills):
            self._server.start()
            self._is_up.set()
            n_before = len(self._ledger.acknowledged)
            await self._until_acknowledged(n_before + self._chance.randrange(1, 3 * VISITORS))
            await asyncio.sleep(self._chance.random() * 0.02)  # so that a kill falls anywhere in a request
            self._is_up.clear()
            self._server.kill()
        self._ends = True
        self._server.start()
        self._is_up.set()
        await asyncio.gather(*visitors)

    async def _until_acknowledged(self, wanted: int) -> None:
        async with asyncio.timeout(60):
            while len(self._ledger.acknowledged) < wanted:
                await asyncio.sleep(0.002)

    async def _visit(self, tokens: list[str]) -> None:
        while not self._ends:
            visitor = Visitor(self._server.port)
            token = self._chance.choice(tokens)
            fields = await self._page(visitor, token)
            await self._press(visitor, fields)
            if self._chance.random() < 0.3:  # back, and once more
                await self._press(visitor, fields)
            visitor.hang_up()

    async def _page(self, visitor: Visitor, token: str) -> dict[str, str]:
        await self._surely(visitor, "GET", f"/a/{token}")
        page = await self._surely(visitor, "GET", "/answer")
        fields = filled(page.text, self._chance.randrange(4))
        fields["comment"] = self._page_id(fields)  # what makes this page's content like no other's
        self._ledger.send(self._page_id(fields), _content(fields))
        return fields

    async def _press(self, visitor: Visitor, fields: dict[str, str]) -> None:
        """Until the server says that it is saved; a double click is two requests at once."""
        twin = Visitor(self._server.port, dict(visitor.cookies))
        if self._chance.random() < 0.3:
            await asyncio.gather(
                self._surely(visitor, "POST", "/answer", fields), self._surely(twin, "POST", "/answer", fields)
            )
            twin.hang_up()
        else:
            await self._surely(visitor, "POST", "/answer", fields)

    async def _surely(self, visitor: Visitor, method: str, path: str, fields: dict[str, str] | None = None) -> Reply:
        while True:
            await self._is_up.wait()
            try:
                reply = await visitor.ask(method, path, fields)
            except BROKEN:
                await asyncio.sleep(0.001)
                continue
            if fields is not None and reply.status == 303:
                self._ledger.acknowledge(self._page_id(fields))
            if reply.status != 503:
                assert reply.status in (200, 303), (reply.status, reply.text)
                return reply

    def _page_id(self, fields: dict[str, str]) -> str:
        return str(self._session.unsign(fields["submission"], "submission")[1])


def _content(fields: dict[str, str]) -> str:
    said = {name[2:]: value for name, value in fields.items() if name.startswith("q:")}
    return json.dumps([said, fields["comment"]], sort_keys=True)


def stored(stores: Stores) -> list[tuple[str, str]]:
    """Page id and content of every response in the store."""
    said: dict[str, dict[str, str]] = {}
    with reading(stores.raw) as connection:
        for row in connection.execute(select(answers)):
            said.setdefault(row.response_id, {})[row.question_id] = row.value
        kept = connection.execute(select(responses.c.response_id, responses.c.submission_id, responses.c.comment)).all()
    return [
        (row.submission_id, json.dumps([said.get(row.response_id, {}), row.comment], sort_keys=True)) for row in kept
    ]


def judge(ledger: Ledger, kept: list[tuple[str, str]], kills: int) -> Verdict:
    """Contents are told apart by themselves, so that a double under another id is found too."""
    contents = Counter(content for _, content in kept)
    by_id = dict(kept)
    return Verdict(
        kills=kills,
        acknowledged=len(ledger.acknowledged),
        repeated=ledger.repeated,
        lost=sum(contents[ledger.sent[page_id]] == 0 for page_id in ledger.acknowledged),
        doubled=sum(n - 1 for n in contents.values()) + len(kept) - len(by_id),
        altered=sum(by_id[page_id] != content for page_id, content in ledger.sent.items() if page_id in by_id),
        unknown=sum(content not in ledger.sent.values() for content in contents),
    )


@contextmanager
def installed(home: Path, database_url: str | None) -> Iterator[tuple[Settings, Stores, list[str]]]:
    """A new installation with an open round."""
    reading_settings.make_home(home)
    if database_url is not None:
        (home / "rapport.toml").write_text(f'database_url = "{database_url}"\n', encoding="utf-8")
    settings = reading_settings.load(home)
    stores = open_stores(settings)
    migrate(stores)
    yield settings, stores, invited(stores, settings, PAIRS, reading_settings.now())
    stores.dispose()


def kill_again_and_again(
    home: Path, *, kills: int, database_url: str | None = None, defect: str | None = None, seed: int = 1
) -> Verdict:
    """The whole harness."""
    with installed(home, database_url) as (settings, stores, tokens):
        ledger = Ledger(home / "ledger.jsonl")
        server = QuickServer(home, defect)
        try:
            played(Load(server, tokens, ledger, settings, seed).run(kills))
        finally:
            server.close()
        return judge(ledger, stored(stores), kills)


def main(arguments: Any = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args(arguments)
    with ExitStack() as stack:
        url = stack.enter_context(Cluster()).new_database() if said.postgresql else None
        home = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "home"
        verdict = kill_again_and_again(home, kills=said.kills, database_url=url, seed=said.seed)
    sys.stdout.write(f"{verdict}\n")
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
