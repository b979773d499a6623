"""Plays people who answer: keep-alive connections that walk from the link to the receipt."""

import asyncio
import gzip
import re
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from typing import Any, TypeVar
from urllib.parse import urlencode

Found = TypeVar("Found")
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
RADIO = re.compile(r'type="radio" name="([^"]+)" value="([^"]*)"')
COOKIE = re.compile(r"([^=;]+)=([^;]*)")


@dataclass(frozen=True)
class Reply:
    """What the server said to one request."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    raw: bytes

    @property
    def text(self) -> str:
        body = gzip.decompress(self.raw) if self.headers.get("content-encoding") == "gzip" else self.raw
        return body.decode()


@dataclass
class Visitor:
    """One browser without scripts: a connection that stays open, and its cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    _line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> Reply:
        """One request; raises OSError or IncompleteReadError where the line breaks."""
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._line
        try:
            writer.write(self._request(method, path, fields))
            return self._keep(await _reply(reader, method))
        except BaseException:
            self.hang_up()
            raise

    def hang_up(self) -> None:
        if self._line is not None:
            self._line[1].transport.abort()
            self._line = None

    def _request(self, method: str, path: str, fields: Mapping[str, str] | None) -> bytes:
        head = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{self.port}", "accept-encoding: gzip"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.cookies:
            head.append("cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        body = b""
        if fields is not None:
            body = urlencode(fields).encode()
            head += ["content-type: application/x-www-form-urlencoded", f"content-length: {len(body)}"]
        return "\r\n".join([*head, "", ""]).encode() + body

    def _keep(self, reply: Reply) -> Reply:
        self.cookies.update(reply.cookies)
        return reply


async def _reply(reader: asyncio.StreamReader, method: str) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    for line in head[1:-2]:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
        if name.lower() == "set-cookie" and (found := COOKIE.match(value)):
            cookies[found[1]] = found[2]
    length = 0 if method == "HEAD" else int(headers.get("content-length", 0))
    return Reply(int(head[0].split(" ")[1]), headers, cookies, await reader.readexactly(length))


def filled(page: str, turn: int = 0) -> dict[str, str]:
    """What a browser sends of a page on which somebody tapped one choice everywhere; `turn` varies which."""
    fields = {unescape(name): unescape(value) for name, value in HIDDEN.findall(page)}
    choices: dict[str, list[str]] = {}
    for name, value in RADIO.findall(page):
        choices.setdefault(unescape(name), []).append(unescape(value))
    tapped = {name: values[(turn + place) % len(values)] for place, (name, values) in enumerate(choices.items())}
    return fields | tapped


async def answer(visitor: Visitor, token: str, turn: int = 0) -> Reply:
    """The whole way: link, page, answers, receipt; returns the receipt's page."""
    await visitor.ask("GET", f"/a/{token}")
    page = await visitor.ask("GET", "/answer")
    sent = await visitor.ask("POST", "/answer", filled(page.text, turn))
    assert (sent.status, sent.headers.get("location")) == (303, "/thanks"), (sent.status, sent.text)
    return await visitor.ask("GET", "/thanks")


def played(part: Coroutine[Any, Any, Found]) -> Found:
    """Runs it in a thread of its own: where a browser is under test, this one has an event loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, part).result()
