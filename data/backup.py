"""Writes all three stores into one file while they are in use, and brings them back from it.

The file is a zip of one JSON-lines member a table and a signed manifest. It fits SQLite and PostgreSQL alike and
holds no secret: the key that seals releases and signs links stays apart.
"""

import hashlib
import hmac
import json
import os
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Date, Engine, MetaData, Table, create_engine, func, insert, select
from sqlalchemy.pool import NullPool

from data import tables
from data.errors import RapportError
from data.store.engine import Stores, newest_revision, reading, revision, staging, upgrade, writing

FORMAT = 1
MANIFEST = "manifest.json"
# Whatever raw says of a release, the release is older or made again from it; the other way round it could differ.
ORDER = ("access", "published", "raw")
OWN = ("jobs", "ticks")  # the timetable's, there as soon as it runs
ROWS = 2_000
Progress = Callable[[int, int, str], None]


def backup(stores: Stores, path: Path, *, key: str, now: datetime, progress: Progress | None = None) -> dict[str, int]:
    """Write the stores into `path`, whole or not at all; returns rows by "store/table". Writers wait a moment only."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    _refuse_unwritable(path)
    members: dict[str, dict[str, Any]] = {}
    revisions: dict[str, str | None] = {}
    try:
        with os.fdopen(os.open(half, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                for done, store in enumerate(ORDER):
                    if progress is not None:
                        progress(done, len(ORDER), store)
                    with _one_moment(getattr(stores, store)) as connection:
                        revisions[store] = revision(connection)
                        for table in _tables(store):
                            members[f"{store}/{table.name}"] = _write(archive, connection, store, table)
                manifest = {"format": FORMAT, "made_at": now.isoformat(), "revisions": revisions, "members": members}
                archive.writestr(MANIFEST, json.dumps({**manifest, "seal": _seal(manifest, key)}, indent=1))
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        _sync_folder(path.parent)
    finally:
        half.unlink(missing_ok=True)
    return {name: member["rows"] for name, member in members.items()}


def restore(stores: Stores, path: Path, *, key: str, progress: Progress | None = None) -> dict[str, int]:
    """Fill empty stores from a backup; raises RapportError where anything does not fit, before anything is written."""
    with _opened(path) as archive:
        manifest = _manifest(archive, key)
        _refuse_filled(stores)
        _refuse_damaged(archive, manifest["members"])
        for done, store in enumerate(ORDER):
            if progress is not None:
                progress(done, len(ORDER), store)
            _fill(archive, store, getattr(stores, store), manifest)
    return {name: member["rows"] for name, member in manifest["members"].items()}


def _refuse_unwritable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_right = os.access(path.parent, os.W_OK) and not path.is_dir()
    except OSError:
        is_right = False
    if not is_right:
        raise RapportError(f"A backup cannot be written to {path}; name a .zip in a folder that can be written.")


# --- write -----------------------------------------------------------------------------------------


@contextmanager
def _one_moment(engine: Engine) -> Iterator[Connection]:
    """A connection on which the store stands still, without holding up its writers."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="rapport-", dir=Path(str(engine.url.database)).parent) as folder:
        copy = Path(folder) / "copy.sqlite"
        with reading(engine) as source, sqlite3.connect(copy) as target:
            source.connection.dbapi_connection.backup(target)  # type: ignore[union-attr]
        target.close()
        copied = create_engine(f"sqlite:///{copy}", poolclass=NullPool, hide_parameters=True)
        with copied.connect() as connection:
            yield connection


def _tables(store: str) -> list[Table]:
    """Parents before children."""
    metadata: MetaData = getattr(tables, store)
    return metadata.sorted_tables


def _write(archive: zipfile.ZipFile, connection: Connection, store: str, table: Table) -> dict[str, Any]:
    digest, n_rows = hashlib.sha256(), 0
    ordered = select(table).order_by(*table.primary_key.columns)
    with archive.open(f"{store}/{table.name}.jsonl", "w", force_zip64=True) as member:
        for row in connection.execution_options(yield_per=ROWS).execute(ordered).mappings():
            line = json.dumps({key: _plain(value) for key, value in row.items()}, ensure_ascii=False).encode() + b"\n"
            digest.update(line)
            member.write(line)
            n_rows += 1
    return {"rows": n_rows, "sha256": digest.hexdigest()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value


def _seal(manifest: Mapping[str, Any], key: str) -> str:
    said = json.dumps(manifest, sort_keys=True).encode()
    return hmac.new(f"backup {key}".encode(), said, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """The new name survives a power cut, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- read ------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        raise RapportError(f"{path.name} cannot be read as a backup ({type(error).__name__}).") from None


def _manifest(archive: zipfile.ZipFile, key: str) -> dict[str, Any]:
    """What the backup says of itself; refused where the seal does not fit this installation's key."""
    try:
        said: dict[str, Any] = json.loads(archive.read(MANIFEST))
        seal = said.pop("seal")
    except (KeyError, ValueError):
        raise RapportError("This file is no backup of Rapport: its manifest is missing.") from None
    if not hmac.compare_digest(str(seal), _seal(said, key)):
        raise RapportError(
            "The backup was changed, or was made with another secret key; put that secret.key in place first."
        )
    if said["format"] != FORMAT:
        raise RapportError("The backup was written by a newer version of Rapport; install that version.")
    return said


def _refuse_damaged(archive: zipfile.ZipFile, members: Mapping[str, Any]) -> None:
    """A store is filled in one transaction, three are not: so every member is read once before the first."""
    for name, expected in members.items():
        digest = hashlib.sha256()
        try:
            with archive.open(f"{name}.jsonl") as member:
                while part := member.read(1 << 20):
                    digest.update(part)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError):
            raise _damaged(name) from None
        if digest.hexdigest() != expected["sha256"]:
            raise _damaged(name)


def _damaged(name: str) -> RapportError:
    return RapportError(f"The backup is damaged in {name}; nothing was restored.")


def _refuse_filled(stores: Stores) -> None:
    for store in ORDER:
        with reading(getattr(stores, store)) as connection:
            for table in _tables(store):
                if table.name not in OWN and connection.execute(select(func.count()).select_from(table)).scalar_one():
                    raise RapportError("A backup is restored into an empty installation; this one holds data already.")


def _fill(archive: zipfile.ZipFile, store: str, engine: Engine, manifest: Mapping[str, Any]) -> None:
    """Straight in; from an older version by way of a store at its revision, which is then migrated."""
    of, members = manifest["revisions"][store], manifest["members"]
    if of == newest_revision(store):
        with writing(engine) as connection:
            _load(archive, connection, store, members)
        return
    with tempfile.TemporaryDirectory(prefix="rapport-") as folder:
        older = staging(Path(folder))
        upgrade(older, store, of)
        with writing(older) as connection:
            _load(archive, connection, store, members)
        upgrade(older, store)
        with reading(older) as source, writing(engine) as target:
            for table in _tables(store):
                _empty(target, table)
                rows = source.execution_options(yield_per=ROWS).execute(select(table)).mappings()
                for part in rows.partitions(ROWS):
                    target.execute(insert(table), [dict(row) for row in part])
        older.dispose()


def _load(archive: zipfile.ZipFile, connection: Connection, store: str, members: Mapping[str, Any]) -> None:
    for table in _tables(store):
        if f"{store}/{table.name}" in members:  # others are younger than the backup
            _empty(connection, table)
            _read(archive, connection, f"{store}/{table.name}", table, members[f"{store}/{table.name}"])


def _empty(connection: Connection, table: Table) -> None:
    """The timetable fills its own tables as soon as it runs."""
    if table.name in OWN:
        connection.execute(table.delete())


def _read(
    archive: zipfile.ZipFile, connection: Connection, name: str, table: Table, expected: Mapping[str, Any]
) -> None:
    """One table's rows, checked against the manifest before the transaction ends."""
    digest, n_rows = hashlib.sha256(), 0
    rows: list[dict[str, Any]] = []
    with archive.open(f"{name}.jsonl") as member:
        for line in member:
            digest.update(line)
            n_rows += 1
            rows.append(_typed(json.loads(line), table))
            if len(rows) == ROWS:
                connection.execute(insert(table), rows)
                rows = []
    if rows:
        connection.execute(insert(table), rows)
    if (n_rows, digest.hexdigest()) != (expected["rows"], expected["sha256"]):
        raise _damaged(name)


def _typed(row: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """Dates and times as such again; everything else is JSON already."""
    typed = dict(row)
    for column in table.columns:
        value = row.get(column.name)
        if isinstance(value, str) and isinstance(column.type, tables.UtcTime):
            typed[column.name] = datetime.fromisoformat(value)
        elif isinstance(value, str) and isinstance(column.type, Date):
            typed[column.name] = date.fromisoformat(value)
    return typed
