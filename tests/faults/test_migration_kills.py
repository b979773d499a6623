"""A migration killed at any statement: the next start finds the store as it was and migrates it, with all its data."""

import os
import signal

import pytest
from sqlalchemy import event, insert, inspect, select, text

from data import tables
from data.errors import RapportError
from data.settings import Settings
from data.store.engine import Stores, newest_revision, open_stores, reading, revision, upgrade, writing
from tests.conftest import KEY

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("migrations")]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def fresh(request, tmp_path):
    """Makes settings of a new installation, one for each kill."""
    numbers = iter(range(10_000))

    def make() -> Settings:
        cluster = request.getfixturevalue("cluster") if request.param == "postgresql" else None
        url = cluster.new_database() if cluster else None
        return Settings(home=tmp_path / str(next(numbers)), database_url=url, secret_key=KEY)

    return make


def at_the_first_version(settings: Settings) -> None:
    stores = open_stores(settings)
    with stores.raw.begin() as connection:
        if stores.raw.dialect.name == "postgresql":
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS raw"))
    upgrade(stores.raw, "raw", "0001")
    with writing(stores.raw) as connection:
        connection.execute(insert(tables.people).values(person_id="ben", name="Ben", language="en"))
    stores.dispose()


def upgraded(settings: Settings, kill_at: int | None) -> bool:
    """Migrate in a process of its own, killed before that statement; true where it got to its end."""
    process = os.fork()
    if process == 0:
        stores = open_stores(settings)
        seen = 0

        def count(*_):
            nonlocal seen
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(stores.raw, "before_cursor_execute", count)
        event.listen(stores.raw, "commit", count)
        upgrade(stores.raw, "raw")
        os._exit(0)
    return os.waitpid(process, 0)[1] == 0


def found(stores: Stores) -> tuple[str | None, set[str], list[str]]:
    with reading(stores.raw) as connection:
        names = set(inspect(connection).get_table_names())
        return revision(connection), names, list(connection.execute(select(tables.people.c.name)).scalars())


def test_a_kill_at_any_statement_leaves_a_store_that_migrates(fresh):
    wanted = {*tables.raw.tables, "alembic_version"}
    n_kills = 0
    while True:
        settings = fresh()
        at_the_first_version(settings)
        is_done = upgraded(settings, kill_at=n_kills + 1)
        stores = open_stores(settings)
        if is_done:
            assert found(stores) == (newest_revision("raw"), wanted, ["Ben"])
            stores.dispose()
            break
        n_kills += 1
        assert found(stores)[0] == "0001"
        assert "messages" not in found(stores)[1]
        upgrade(stores.raw, "raw")
        assert found(stores) == (newest_revision("raw"), wanted, ["Ben"])
        stores.dispose()
    assert n_kills > 15


def test_a_store_of_a_newer_version_is_refused(fresh):
    settings = fresh()
    at_the_first_version(settings)
    stores = open_stores(settings)
    with writing(stores.raw) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RapportError, match="newer version"):
        upgrade(stores.raw, "raw")
    stores.dispose()
