"""Opens the three stores (raw, published, access) on SQLite or PostgreSQL, durable and migrated."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError as StoreError
from sqlalchemy.schema import CreateSchema

from data.errors import RapportError
from data.settings import Settings

# The other rooms name these by this module: SQL is spoken only in data.
__all__ = [
    "STORES",
    "Connection",
    "Engine",
    "StoreError",
    "Stores",
    "is_reachable",
    "migrate",
    "open_stores",
    "reading",
    "writing",
]

STORES = ("raw", "published", "access")
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
BUSY_TIMEOUT_MS = 5_000


@dataclass(frozen=True)
class Stores:
    """One engine a store. On SQLite a file each, on PostgreSQL a schema each."""

    raw: Engine
    published: Engine
    access: Engine

    def dispose(self) -> None:
        for engine in (self.raw, self.published, self.access):
            engine.dispose()


def open_stores(settings: Settings) -> Stores:
    """Engines for an existing installation; `migrate` makes or updates the tables."""
    if settings.database_url is None:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Stores(*(_sqlite(settings.home / f"{store}.sqlite") for store in STORES))
    return Stores(*(_postgresql(settings.database_url, store) for store in STORES))


def migrate(stores: Stores) -> None:
    """Bring every store to this version's tables; refuses a store that a newer version wrote."""
    for store in STORES:
        engine: Engine = getattr(stores, store)
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:
                connection.execute(CreateSchema(store, if_not_exists=True))
        config = _config(store)
        with writing(engine) as connection:
            _refuse_downgrade(connection, config, store)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A write transaction that takes its lock at once, so that it never fails half-way for another writer."""
    with engine.connect().execution_options(takes_write_lock=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A read transaction: everything read inside belongs to one moment."""
    with engine.connect() as connection, connection.begin():
        yield connection


def _sqlite(path: Path | str, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    # Answers are for this account only, from the file's first byte; SQLite's journal takes its mode.
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))
    arguments = {"timeout": busy_timeout_ms / 1000}
    # Hidden: an error that names its parameters would write answers into a log.
    engine = create_engine(f"sqlite:///{path}", connect_args=arguments, hide_parameters=True)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    # A rollback journal, not WAL: SQLite before 3.51.3 can corrupt a WAL file on reset.
    for pragma in ("journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    if cursor.execute("PRAGMA synchronous").fetchone()[0] < 2:
        raise RapportError("SQLite refused synchronous=FULL, so an answer could be lost; nothing is accepted.")
    cursor.close()


def _begin(connection: Connection) -> None:
    takes_lock = connection.get_execution_options().get("takes_write_lock", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if takes_lock else "BEGIN")


def _postgresql(url: str, store: str) -> Engine:
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    options = {"options": f"-csearch_path={store} -ctimezone=UTC"}
    engine = create_engine(url, connect_args=options, pool_pre_ping=True, hide_parameters=True)
    event.listen(engine, "first_connect", _refuse_unsafe_postgresql)
    return engine


def _refuse_unsafe_postgresql(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if cursor.execute(f"SHOW {name}").fetchone()[0] == "off":
            raise RapportError(f"PostgreSQL runs with {name} off, so an answer could be lost; switch it on.")
    connection.rollback()


def _config(store: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / store))
    config.set_main_option("path_separator", "os")
    config.attributes["store"] = store
    return config


def _refuse_downgrade(connection: Connection, config: Config, store: str) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise RapportError(f"The {store} store was written by a newer version of Rapport; install that version.")


def is_reachable(engine: Engine) -> bool:
    """Whether the store answers; for the servers' /readyz."""
    try:
        with reading(engine) as connection:
            connection.execute(text("SELECT 1"))
    except StoreError:
        return False
    return True
