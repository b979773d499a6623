"""Fixtures that every room's tests share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.settings import Settings
from data.store.engine import STORES, Stores, migrate, open_stores
from tests.support.browser import find_chromium, launched
from tests.support.postgresql import Cluster, find_binaries

KEY = "k" * 48


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real PostgreSQL server of this test run; skips by name where there is no binary."""
    if find_binaries() is None:
        pytest.skip("PostgreSQL is not installed (`apt-get install postgresql`)")
    with Cluster() as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A real browser of this test run; skips by name where there is none."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("Chromium is not installed (`apt-get install chromium`)")
    with launched(executable) as browser:
        yield browser


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def stores(request: pytest.FixtureRequest, home: Path) -> Iterator[Stores]:
    """Three empty, migrated stores, once on SQLite and once on PostgreSQL."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("cluster").new_database()
    opened = open_stores(Settings(home=home, database_url=url, secret_key=KEY))
    migrate(opened)
    assert STORES == ("raw", "published", "access")
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_stores(home: Path) -> Iterator[Stores]:
    """The same on SQLite only, for tests whose subject is not the store."""
    opened = open_stores(Settings(home=home, secret_key=KEY))
    migrate(opened)
    yield opened
    opened.dispose()
