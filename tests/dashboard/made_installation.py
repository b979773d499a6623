"""Makes an installation of its own for a test: releases of one programme, Cleo who is HR, Dan who leads."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dashboard.app import create_app
from dashboard.findings import Numbers, numbers_of
from data.settings import Settings
from data.store.accounts import open_accounts
from data.store.engine import Stores, migrate, open_stores
from pipeline.published import open_published
from tests.dashboard.conftest import KEY, PASSWORD, Made, Reader, sign_in
from tests.dashboard.made_releases import NOW

PEOPLE = {"cleo@cast.example": "hr", "dan@cast.example": "leader", "rita@cast.example": "safe-contact"}


@contextmanager
def installed(home: Path, release: Callable[[Stores], None]) -> Iterator[Made]:
    """A running dashboard over the releases that `release` puts into the stores."""
    settings = Settings(home=home, secret_key=KEY, organisation="Example Ltd")
    stores = open_stores(settings)
    migrate(stores)
    release(stores)
    accounts = open_accounts(settings)
    for email, role in PEOPLE.items():
        accounts.add(email=email, role=role, programme_id="mentoring", password=PASSWORD, now=NOW)
    published = open_published(settings)
    yield Made(settings, published, accounts, create_app(settings, published, accounts, clock=lambda: NOW).server)
    stores.dispose()


@dataclass(frozen=True)
class PlainReader(Reader):
    """A reader whose pages can be searched in any language."""

    def text(self, path: str = "/", search: str = "") -> str:
        answer = json.loads(super().text(path, search))
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def entered(made: Made, email: str = "cleo@cast.example") -> Reader:
    """Somebody who has signed in."""
    client = made.server.test_client()
    assert sign_in(client, email).status_code == 303
    return PlainReader(client)


def numbers_in(made: Made) -> Numbers:
    programme = next(each for each in made.published.programmes() if each.id == "mentoring")
    return numbers_of(programme, made.published.releases("mentoring"), made.published.numbers("mentoring"))
