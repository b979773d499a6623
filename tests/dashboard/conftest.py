"""A dashboard over six sealed releases: Cleo is HR, Dan leads, Eve's HR belongs to another programme."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.app import create_app
from dashboard.findings import numbers_of
from dashboard.reports.report import Report, report_of
from data.settings import Settings
from data.store.accounts import Accounts, open_accounts
from data.store.engine import migrate, open_stores
from pipeline.published import PublishedStore, open_published
from tests.dashboard.made_releases import NOW, make_release, rows_of

KEY = "k" * 48
PASSWORD = "a long password for tests"
PEOPLE = {
    "cleo@cast.example": ("hr", "mentoring"),
    "dan@cast.example": ("leader", None),
    "eve-hr@cast.example": ("hr", "elsewhere"),
    "new-hr@cast.example": ("hr", "not-yet"),
    "rita@cast.example": ("safe-contact", None),
}


@dataclass(frozen=True)
class Made:
    """One installation with releases and accounts."""

    settings: Settings
    published: PublishedStore
    accounts: Accounts
    server: Flask


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    settings = Settings(home=tmp_path_factory.mktemp("dashboard"), secret_key=KEY, organisation="Example Ltd")
    stores = open_stores(settings)
    migrate(stores)
    for number in range(1, 7):
        rows = rows_of(number, withheld={"feedback": "Operations"})
        make_release(stores, number, key=KEY, rows=rows)
    make_release(stores, 1, key=KEY, programme="elsewhere", name="Elsewhere")
    accounts = open_accounts(settings)
    for email, (role, programme) in PEOPLE.items():
        accounts.add(email=email, role=role, programme_id=programme, password=PASSWORD, now=NOW)
    published = open_published(settings)
    server = create_app(settings, published, accounts, clock=lambda: NOW).server
    yield Made(settings, published, accounts, server)
    stores.dispose()


@dataclass(frozen=True)
class Reader:
    """Somebody at the dashboard, without a browser."""

    client: FlaskClient

    def page(self, path: str = "/", search: str = "") -> Any:
        """What Dash's callback answers for an address."""
        return self.client.post("/_dash-update-component", json=callback(path, search))

    def text(self, path: str = "/", search: str = "") -> str:
        answer = self.page(path, search)
        assert answer.status_code == 200
        return str(answer.get_data(as_text=True))


def callback(path: object, search: object) -> dict[str, object]:
    inputs = [
        {"id": "address", "property": "pathname", "value": path},
        {"id": "address", "property": "search", "value": search},
    ]
    return {
        "output": "page.children",
        "outputs": {"id": "page", "property": "children"},
        "inputs": inputs,
        "changedPropIds": ["address.pathname"],
    }


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> Any:
    form = client.get("/sign-in").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', form)
    assert token is not None
    return client.post("/sign-in", data={"token": token[1], "email": email, "password": password, **more})


@pytest.fixture
def visitor(made: Made) -> FlaskClient:
    """Somebody who has not signed in."""
    return made.server.test_client()


@pytest.fixture
def as_reader(made: Made) -> Callable[[str], Reader]:
    def enter(email: str) -> Reader:
        client = made.server.test_client()
        assert sign_in(client, email).status_code == 303
        return Reader(client)

    return enter


@pytest.fixture
def cleo(as_reader: Callable[[str], Reader]) -> Reader:
    return as_reader("cleo@cast.example")


def report_of_made(made: Made, language: str = "en", *, organisation: str) -> Report:
    """The report of the programme that was made."""
    programme = next(each for each in made.published.programmes() if each.id == "mentoring")
    numbers = numbers_of(programme, made.published.releases("mentoring"), made.published.numbers("mentoring"))
    return report_of(numbers, organisation=organisation, language=language)
