"""A SQLite driver for SQLAlchemy that writes down every write, truncation and sync, so that power cuts can be played.

It looks like the `sqlite3` module; below it is apsw, because only there a file system can be put in between.
"""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

VERSION = sqlite3.sqlite_version_info  # the one whose journal the store chooses by


@dataclass(frozen=True)
class Step:
    """One thing that happened to a file, or ("said", submission_id): a person was told that it is saved."""

    what: str  # write, truncate, sync, delete, said
    name: str
    offset: int = 0
    data: bytes = b""


@dataclass
class Recording:
    """Everything that was done to the files of a folder, in order."""

    steps: list[Step] = field(default_factory=list)

    def say(self, submission_id: str) -> None:
        self.steps.append(Step("said", submission_id))


class Disk(apsw.VFS):
    """The real file system, written down."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.name = f"recording-{id(recording)}"
        super().__init__(self.name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 - apsw's name
        return File(self.recording, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:  # noqa: N802
        super().xDelete(name, sync_folder)
        self.recording.steps.append(Step("delete", Path(name).name, offset=int(sync_folder)))


class File(apsw.VFSFile):
    def __init__(self, recording: Recording, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._name = Path(name.filename() if hasattr(name, "filename") else str(name)).name
        self._recording = recording

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._recording.steps.append(Step("write", self._name, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        super().xTruncate(size)
        self._recording.steps.append(Step("truncate", self._name, size))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._recording.steps.append(Step("sync", self._name))


class Driver:
    """What SQLAlchemy takes for the `sqlite3` module. `synchronous` is what the disk really gets, whatever is asked."""

    paramstyle = "qmark"
    threadsafety = 1
    apilevel = "2.0"
    sqlite_version_info = VERSION
    sqlite_version = sqlite3.sqlite_version
    Error = sqlite3.Error
    DatabaseError = sqlite3.DatabaseError
    OperationalError = sqlite3.OperationalError
    IntegrityError = sqlite3.IntegrityError
    InterfaceError = sqlite3.InterfaceError
    InternalError = sqlite3.InternalError
    ProgrammingError = sqlite3.ProgrammingError
    NotSupportedError = sqlite3.NotSupportedError
    DataError = sqlite3.DataError
    Warning = sqlite3.Warning
    Binary = memoryview
    PARSE_DECLTYPES = PARSE_COLNAMES = 0

    def __init__(self, recording: Recording, *, synchronous: str | None = None) -> None:
        self._disk = Disk(recording)
        self._synchronous = synchronous

    def connect(self, path: str, timeout: float = 5.0, **_: Any) -> "Connection":
        return Connection(path, timeout, self._disk.name, self._synchronous)


class Connection:
    def __init__(self, path: str, timeout: float, disk: str, synchronous: str | None) -> None:
        self.apsw = apsw.Connection(path, vfs=disk)
        self.apsw.set_busy_timeout(int(timeout * 1000))
        self.isolation_level: str | None = ""
        self._synchronous = synchronous

    def cursor(self) -> "Cursor":
        return Cursor(self, self._synchronous)

    def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
        return self.cursor().execute(sql, parameters)

    def create_function(self, name: str, n: int, function: Any, **_: Any) -> None:
        self.apsw.create_scalar_function(name, function, n)

    def commit(self) -> None:
        if self.apsw.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.apsw.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self.apsw.close()


class Cursor:
    arraysize = 1

    def __init__(self, connection: Connection, synchronous: str | None) -> None:
        self._connection, self._synchronous = connection, synchronous
        self._rows: list[tuple[Any, ...]] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid = 0

    def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
        if self._synchronous is not None and sql.startswith("PRAGMA synchronous"):
            # A disk that promises and does not keep.
            self._rows = [(3,)] if "=" not in sql else []
            sql = f"PRAGMA synchronous={self._synchronous}" if "=" in sql else "SELECT 3"
        cursor = self._connection.apsw.cursor()
        self.description = None
        cursor.exec_trace = self._described
        try:
            self._rows = list(cursor.execute(sql, tuple(parameters)))
        except apsw.ConstraintError as error:
            raise sqlite3.IntegrityError(str(error)) from error
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error
        self.rowcount = self._connection.apsw.changes() if self.description is None else -1
        self.lastrowid = self._connection.apsw.last_insert_rowid()
        return self

    def _described(self, cursor: Any, _sql: str, _bindings: Any) -> bool:
        columns = cursor.get_description()
        self.description = [(column[0], None, None, None, None, None, None) for column in columns] or None
        return True

    def executemany(self, sql: str, many: Any) -> "Cursor":
        for parameters in many:
            self.execute(sql, parameters)
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        self._rows = []

    def __iter__(self) -> Any:
        return iter(self.fetchall())
