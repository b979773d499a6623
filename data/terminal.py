"""Opens an installation for one command, and prints what the command found: for people, or as JSON."""

import json
import os
import pwd
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, overload

import typer

from data import settings as reading_settings
from data.errors import RapportError
from data.settings import Settings
from data.store.engine import StoreError, Stores, migrate, open_stores

Moment = Annotated[
    str | None, typer.Option(help="ISO date or time, e.g. 2026-03-02T09:00; UTC where no zone is given.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
QUARANTINED = 3


@dataclass(frozen=True)
class Installation:
    """One home with its settings and opened stores."""

    settings: Settings
    stores: Stores

    @property
    def key(self) -> bytes:
        """The secret that signs seals and pseudonyms."""
        return str(self.settings.secret_key).encode()


@contextmanager
def installation(context: typer.Context) -> Iterator[Installation]:
    """The installation that `--home` names; it must have been made by `rapport init` or `rapport demo`."""
    home: Path | None = context.obj
    settings = reading_settings.load(home)
    if settings.secret_key is None:
        raise RapportError(f"There is no installation in {settings.home}; run `rapport init` first.")
    stores = open_stores(settings)
    try:
        _prepare(stores)
        yield Installation(settings, stores)
    finally:
        stores.dispose()


def _prepare(stores: Stores) -> None:
    try:
        migrate(stores)
    except StoreError as error:
        if isinstance(error, RapportError):
            raise
        if "database is locked" in str(error):
            raise RapportError("The store is busy with other work; nothing was done, try again in a moment.") from None
        said = type(error).__name__
        raise RapportError(f"The store cannot be opened ({said}); does its database run, is its file whole?") from None


@overload
def moment(text: str, option: str) -> datetime: ...
@overload
def moment(text: str | None, option: str) -> datetime | None: ...
def moment(text: str | None, option: str) -> datetime | None:
    """What an option says of a time; raises RapportError naming the option."""
    if text is None:
        return None
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise RapportError(f"{option} expects an ISO date or time such as 2026-03-02T09:00, not {text!r}.") from None
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def operator(by: str | None = None) -> str:
    """Who runs this command, for the audit log: the name they give, and the account of this machine."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # an account without a name, as in a container
        account = f"uid {os.getuid()}"
    return f"{by.strip()} ({account})" if by and by.strip() else account


def say(text: str) -> None:
    """One line for people."""
    typer.echo(text)


def show_json(value: Any) -> None:
    """Canonical enough to compare: sorted keys, real characters."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str))


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as aligned text."""
    cells = [[str(row[column]) if row[column] is not None else "" for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in [list(columns), *cells]) for i in range(len(columns))]
    lines = [list(columns), *cells]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def tell(report: Any, *, as_json: bool) -> None:
    """What became of every row; exit code 3 where some are quarantined."""
    if as_json:
        show_json(report.as_json())
    else:
        say(
            f"{report.file_name}: {report.rows} rows = {report.accepted} accepted + {report.quarantined} quarantined "
            f"+ {report.blank} blank + {report.header} header"
            + (f"; {report.cells} single cells quarantined" if report.cells else "")
            + (f" (batch {report.batch})." if report.batch else " (dry run, nothing written).")
        )
        for reason, n_rows in report.reasons.items():
            say(f"  {n_rows} × {reason}")
        if report.unknown_columns:
            say(f"  Not stored, unknown columns: {', '.join(report.unknown_columns)}")
    if report.quarantined or report.cells:
        raise typer.Exit(QUARANTINED)


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """A function to call with (done, total); draws a bar on a terminal and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _done, _total, _what="": None
        return
    with _bar(what) as step:
        yield step


@contextmanager
def _bar(what: str) -> Iterator[Any]:
    from rich.console import Console  # noqa: PLC0415 - only where a bar is drawn
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total, _what="": bars.update(task, completed=done, total=total)
