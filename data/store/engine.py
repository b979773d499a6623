"""Opens the three stores (raw, published, access) on SQLite or PostgreSQL, durable and migrated."""

import os
import shutil
import sqlite3
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
    "DurabilityError",
    "StoreError",
    "Stores",
    "impatient",
    "is_reachable",
    "is_writable",
    "journal_for",
    "keeps_how",
    "migrate",
    "newest_revision",
    "open_stores",
    "reading",
    "single_looks",
    "revision",
    "sqlite_engine",
    "staging",
    "upgrade",
    "writing",
]

STORES = ("raw", "published", "access")
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
BUSY_TIMEOUT_MS = 5_000
FULL = 2  # of `PRAGMA synchronous`: every commit is synced before it returns
SPARE_BYTES = 16 * 1024 * 1024


class DurabilityError(StoreError, RapportError):
    """The store could lose what it acknowledged; nothing is written to it."""


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
        return Stores(*(sqlite_engine(settings.home / f"{store}.sqlite") for store in STORES))
    return Stores(*(_postgresql(settings.database_url, store) for store in STORES))


def migrate(stores: Stores) -> None:
    """Bring every store to this version's tables; refuses a store that a newer version wrote."""
    for store in STORES:
        engine: Engine = getattr(stores, store)
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:
                connection.execute(CreateSchema(store, if_not_exists=True))
        upgrade(engine, store)


def upgrade(engine: Engine, store: str, to: str = "head") -> None:
    """Bring one store to a revision, in one transaction: killed in between, it is as it was.

    A store that is there already is only read: every verb asks, also while many people answer.
    """
    config = _config(store)
    with reading(engine) as connection:
        if to == "head" and revision(connection) == newest_revision(store):
            return
    with writing(engine) as connection:
        _refuse_downgrade(connection, config, store)
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def revision(connection: Connection) -> str | None:
    """The revision of the store's tables; None where it has none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision(store: str) -> str:
    """The revision that this version brings a store to."""
    return str(ScriptDirectory.from_config(_config(store)).get_current_head())


def staging(folder: Path) -> Engine:
    """A SQLite file of its own, for data on its way from an older version."""
    return sqlite_engine(folder / "staging.sqlite")


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


def sqlite_engine(path: Path | str, busy_timeout_ms: int = BUSY_TIMEOUT_MS, module: Any = sqlite3) -> Engine:
    """A durable SQLite file; `module` is its driver, which a test of power cuts replaces."""
    # Answers are for this account only, from the file's first byte; SQLite's journal takes its mode.
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))
    arguments = {"timeout": busy_timeout_ms / 1000}
    # Hidden: an error that names its parameters would write answers into a log.
    engine = create_engine(f"sqlite:///{path}", module=module, connect_args=arguments, hide_parameters=True)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def impatient(engine: Engine) -> Engine | None:
    """The same SQLite store for single looks that never wait for a lock; None on PostgreSQL, where every read waits.

    Each statement sees one moment of its own, and nothing can be written here.
    """
    if engine.dialect.name != "sqlite":
        return None
    found = sqlite_engine(str(engine.url.database), busy_timeout_ms=0)
    event.remove(found, "begin", _begin)
    event.listen(found, "connect", lambda raw, _record: raw.execute("PRAGMA query_only=ON"))
    return found


def single_looks(engine: Engine) -> Engine:
    """The same store for looks that need no common moment: PostgreSQL then saves two of three round trips."""
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="AUTOCOMMIT")


def journal_for(version: tuple[int, ...]) -> str:
    """WAL where this SQLite resets it safely; earlier ones can corrupt it, so they get a rollback journal.

    https://sqlite.org/wal.html#walresetbug: mended in 3.51.3, and in 3.50.7 and 3.44.6 for their branches.
    """
    is_mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    # Not DELETE: a truncation is synced with the file, an unlinked journal may come back after a power cut.
    return "wal" if is_mended else "truncate"


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    wanted = journal_for(sqlite3.sqlite_version_info)
    cursor = connection.cursor()
    journal = cursor.execute(f"PRAGMA journal_mode={wanted}").fetchone()[0]
    for pragma in ("synchronous=EXTRA", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    if journal != wanted:
        raise DurabilityError(
            f"The store runs with the journal {journal} where {wanted} is safe; close its other programs."
        )
    _refuse_unless_durable(connection)


def _refuse_unless_durable(connection: Any) -> None:
    if connection.execute("PRAGMA synchronous").fetchone()[0] < FULL:
        raise DurabilityError("SQLite runs below synchronous=FULL, so an answer could be lost; nothing is accepted.")


def _begin(connection: Connection) -> None:
    raw: Any = connection.connection.dbapi_connection
    if connection.get_execution_options().get("takes_write_lock", False):
        _refuse_unless_durable(raw)  # read back where it matters: on the connection that is about to write
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        raw.execute("BEGIN")  # takes no lock yet, so it cannot fail; the short way saves half of a read's time


def _postgresql(url: str, store: str) -> Engine:
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    options = {"options": f"-csearch_path={store} -ctimezone=UTC"}
    engine = create_engine(url, connect_args=options, pool_pre_ping=True, hide_parameters=True)
    event.listen(engine, "connect", _refuse_unsafe_postgresql)
    return engine


def _refuse_unsafe_postgresql(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if cursor.execute(f"SHOW {name}").fetchone()[0] == "off":
            raise DurabilityError(f"PostgreSQL runs with {name} off, so an answer could be lost; switch it on.")
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


def is_writable(engine: Engine) -> bool:
    """Whether an answer could be stored now: the store takes a write, and the disk has room. Leaves no trace."""
    try:
        with engine.connect().execution_options(takes_write_lock=True) as connection, connection.begin() as tried:
            if engine.dialect.name == "sqlite":
                version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                connection.exec_driver_sql(
                    f"PRAGMA user_version={version}"
                )  # a page into the journal, as a commit needs
                has_room = shutil.disk_usage(str(engine.url.database)).free >= SPARE_BYTES
            else:
                has_room = connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "off"
            tried.rollback()
    except (StoreError, OSError):
        return False
    return has_room


def keeps_how(engine: Engine) -> str:
    """One sentence on how this store keeps what was acknowledged; raises DurabilityError where it would not."""
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            version = connection.exec_driver_sql("SHOW server_version").scalar_one()
            return f"PostgreSQL {version} with synchronous commits."
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    if journal == "wal":
        return f"SQLite {sqlite3.sqlite_version} with WAL, every commit synced."
    return (
        f"SQLite {sqlite3.sqlite_version} with a rollback journal, every commit synced "
        "(WAL is safe from 3.51.3, 3.50.7 or 3.44.6 on)."
    )
