"""A line that breaks, a form of no honest page and a false host name: nothing half is stored, nobody is led away."""

import asyncio
import re
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from data.settings import Settings
from data.store.engine import Stores, reading
from data.tables import responses
from surveys.web import create_app
from tests.conftest import KEY
from tests.support import cast

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def pair(sqlite_stores: Stores) -> cast.Pair:
    return cast.ada_and_ben(sqlite_stores)


@pytest.fixture
def app(sqlite_stores: Stores, home: Path) -> Starlette:
    return create_app(Settings(home=home, secret_key=KEY), sqlite_stores, lambda: cast.NOON)


def stored(stores: Stores) -> int:
    with reading(stores.raw) as connection:
        return int(connection.execute(select(func.count()).select_from(responses)).scalar_one())


def post_that_breaks(app: Starlette, cookie: str, body: bytes) -> list[Message]:
    """What the server sends when the line ends after this part of the body."""
    coming: list[Message] = [{"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"cookie", cookie.encode()), (b"content-type", FORM.encode())]
    scope: Scope = {"type": "http", "method": "POST", "path": "/answer", "query_string": b"", "headers": headers}
    asyncio.run(app(scope, receive, send))
    return sent


def test_half_a_form_is_no_answer_and_does_not_stand_in_the_way_of_the_whole_one(
    app: Starlette, sqlite_stores: Stores, pair: cast.Pair
) -> None:
    phone = TestClient(app, base_url="http://127.0.0.1:8051")
    page = phone.get(f"/a/{pair.mentee_token}").text
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    questions = list(dict.fromkeys(re.findall(r'type="radio" name="(q:[^"]+)"', page)))
    whole = {unescape(name): unescape(value) for name, value in hidden} | {questions[0]: "1", questions[1]: "1"}
    cookie = f"rapport-answer={phone.cookies['rapport-answer']}"
    half = urlencode(whole).rpartition("&")[0].encode()
    assert post_that_breaks(app, cookie, half) == []
    assert stored(sqlite_stores) == 0
    assert phone.post("/answer", data=whole, follow_redirects=False).status_code == 303
    assert stored(sqlite_stores) == 1


def test_a_form_of_a_thousand_fields_is_refused_in_a_sentence(app: Starlette) -> None:
    client = TestClient(app, base_url="http://127.0.0.1:8051")
    response = client.post("/answer", content="a=1&" * 1000, headers={"Content-Type": FORM})
    assert (response.status_code, response.text) == (400, "This form cannot be read.\n")


@pytest.mark.parametrize("path", ["/answer/", "/static"])
def test_a_false_host_name_leads_nowhere(app: Starlette, path: str) -> None:
    client = TestClient(app, base_url="http://127.0.0.1:8051")
    response = client.get(path, headers={"Host": "evil.example"}, follow_redirects=False)
    assert response.status_code == 404
    assert "location" not in response.headers
