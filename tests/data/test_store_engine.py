"""The stores: durable, migrated as the tables say, and closed to an older version."""

import sqlite3

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from data import tables
from data.errors import RapportError
from data.settings import Settings
from data.store import engine
from data.store.engine import STORES, migrate, open_stores, reading, writing


@pytest.mark.parametrize("store", STORES)
def test_the_migrations_make_exactly_the_tables(stores, store):
    with reading(getattr(stores, store)) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, getattr(tables, store)) == []


def test_migrating_again_changes_nothing(stores):
    migrate(stores)
    with reading(stores.raw) as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1


def test_asking_an_up_to_date_store_for_its_version_waits_for_no_writer(sqlite_stores):
    """Every verb asks; while somebody answers it would else be told that the store is locked."""
    impatient = engine.sqlite_engine(str(sqlite_stores.raw.url.database), busy_timeout_ms=50)
    with writing(sqlite_stores.raw):
        engine.upgrade(impatient, "raw")


def test_a_store_of_a_newer_version_is_refused(stores):
    with writing(stores.raw) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RapportError, match="newer version"):
        migrate(stores)


def test_sqlite_syncs_every_commit_and_keeps_references(sqlite_stores):
    with reading(sqlite_stores.raw) as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    wanted = engine.journal_for(sqlite3.sqlite_version_info)
    assert pragmas == {"journal_mode": wanted, "synchronous": 3, "foreign_keys": 1}


@pytest.mark.postgresql
def test_a_postgresql_that_may_lose_a_commit_is_refused(cluster, home):
    url = cluster.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{url.rsplit("/", 1)[1]}" SET synchronous_commit = off')
    stores = open_stores(Settings(home=home, database_url=url))
    with pytest.raises(RapportError, match="synchronous_commit off"):
        migrate(stores)
    stores.dispose()


def test_two_writers_take_turns(sqlite_stores):
    """The second writer waits for the lock at its BEGIN, not half-way through."""
    impatient = engine.sqlite_engine(str(sqlite_stores.raw.url.database), busy_timeout_ms=50)
    entered = writing(impatient)
    with writing(sqlite_stores.raw), pytest.raises(OperationalError, match="locked"):
        entered.__enter__()


def test_a_failed_transaction_leaves_nothing(stores):
    from datetime import UTC, datetime

    from data.store.people import Programme, programmes_kept, save_programme

    def fail_half_way():
        with writing(stores.raw) as connection:
            save_programme(
                connection, Programme(programme_id="p", name="P", created_at=datetime(2026, 1, 1, tzinfo=UTC))
            )
            raise ValueError("power cut")

    with pytest.raises(ValueError, match="power cut"):
        fail_half_way()
    with reading(stores.raw) as connection:
        assert programmes_kept(connection) == []


def test_moments_come_back_in_utc(stores):
    from datetime import UTC, datetime, timedelta, timezone

    from data.store.people import Programme, programme, save_programme

    said = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5)))
    with writing(stores.raw) as connection:
        save_programme(connection, Programme(programme_id="p", name="P", created_at=said))
    with reading(stores.raw) as connection:
        kept = programme(connection, "p").created_at
    assert kept == said
    assert kept.utcoffset() == timedelta(0)
    assert kept == datetime(2026, 3, 1, 7, tzinfo=UTC)
