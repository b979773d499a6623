"""The verbs of this room: set up, import, quarantine, accounts."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from data import settings as reading_settings
from data.terminal import Json, installation, progress, say, show_json, table, tell

importing = typer.Typer(help="Bring in people, pairings, HR files and answers; undo a batch.", no_args_is_help=True)
account = typer.Typer(help="Who may sign in to the dashboard.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]
DateOrder = Annotated[str | None, typer.Option(help="ymd, dmy or mdy: how the file writes dates.")]
Map = Annotated[Path | None, typer.Option("--map", exists=True, dir_okay=False, help="TOML: their columns to ours.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count and explain; write nothing.")]


def init(context: typer.Context) -> None:
    """A commented rapport.toml, a secret key and empty, migrated stores."""
    home: Path | None = context.obj
    where = reading_settings.load(home).home
    is_new = reading_settings.make_home(where)
    with installation(context):
        say(f"{'Made' if is_new else 'Found'} an installation in {where}.")


def backup(context: typer.Context, file: Annotated[Path, typer.Argument(help="A .zip to write.")]) -> None:
    """All three stores into one file, while they are in use. secret.key is not in it: keep that apart."""
    from data import backup as backups

    with installation(context) as opened, progress("Backing up") as step:
        rows = backups.backup(
            opened.stores, file, key=str(opened.settings.secret_key), now=reading_settings.now(), progress=step
        )
    say(f"{file}: {sum(rows.values())} rows of {len(rows)} tables. The secret key is not in it.")


def restore(context: typer.Context, file: File) -> None:
    """Fill an empty installation from a backup; its secret.key must be in place."""
    from data import backup as backups

    with installation(context) as opened, progress("Restoring") as step:
        rows = backups.restore(opened.stores, file, key=str(opened.settings.secret_key), progress=step)
    say(f"{sum(rows.values())} rows of {len(rows)} tables are back; `rapport verify` checks the releases.")


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """What is wrong with this installation, in words; exit code 1 where something is."""
    from data import doctor as examiner

    with installation(context) as opened:
        rows = [vars(each) for each in examiner.examine(opened.stores, opened.settings, reading_settings.now())]
    if as_json:
        show_json(rows)
    else:
        say(table(rows, ["what", "verdict", "said"]))
    if any(row["verdict"] == "red" for row in rows):
        raise typer.Exit(1)


def _verb(kind: str, help_text: str) -> None:
    """One import verb; they differ in nothing but the kind of file."""

    def run(
        context: typer.Context,
        file: File,
        date_order: DateOrder = None,
        map_file: Map = None,
        dry_run: DryRun = False,
        as_json: Json = False,
    ) -> None:
        from data.imports.load import import_file
        from data.imports.sheet import limits_of

        with installation(context) as opened, progress(f"Reading {file.name}"):
            report = import_file(
                opened.stores,
                kind=kind,
                path=file,
                now=reading_settings.now(),
                key=opened.key,
                map_path=map_file,
                date_order=date_order,
                dry_run=dry_run,
                limits=limits_of(opened.settings),
            )
        tell(report, as_json=as_json)

    importing.command(kind, help=help_text)(run)


for _kind, _help in {
    "workbook": "The first hour: one sheet of pairs, by name and e-mail address.",
    "people": "Who takes part.",
    "pairings": "Who mentors whom, since when.",
    "employment": "Everyone eligible: hired, left, why. Stored under a pseudonym.",
    "engagement": "Each person's engagement score. Stored under a pseudonym.",
    "engagement-groups": "Engagement of groups of ten or more, where persons' scores are not available.",
}.items():
    _verb(_kind, _help)


@importing.command("undo")
def undo(context: typer.Context, batch: str) -> None:
    """Put back everything that a batch changed, unless a release has used it."""
    from data.store.batches import undo_batch
    from data.store.engine import writing

    with installation(context) as opened, writing(opened.stores.raw) as connection:
        n_changes = undo_batch(connection, batch, reading_settings.now())
    say(f"Batch {batch} is undone: {n_changes} rows are as they were before.")


def quarantine(
    context: typer.Context,
    batch: Annotated[str | None, typer.Option(help="Only of this batch.")] = None,
    as_json: Json = False,
) -> None:
    """Every row that was not taken, with its reason."""
    from data.store.batches import list_quarantine
    from data.store.engine import reading

    with installation(context) as opened, reading(opened.stores.raw) as connection:
        rows = [
            {"batch": row.batch_id, "row": row.row_number, "column": row.column, "reason": row.reason}
            | {"cells": dict(row.cells)}
            for row in list_quarantine(connection, batch)
        ]
    if as_json:
        show_json(rows)
    else:
        say(table(rows, ["batch", "row", "column", "reason"]) if rows else "Nothing is in quarantine.")


@account.command("add")
def add(
    context: typer.Context,
    email: str,
    role: Annotated[str, typer.Option(help="hr, leader, employee-rep, protection, admin or safe-contact")],
    programme: Annotated[str | None, typer.Option(help="Without one: every programme.")] = None,
) -> None:
    """Make an account; its first password is printed once."""
    with installation(context) as opened:
        password = add_account(opened.settings, email, role, programme)
    say(f"Account for {email} ({role}). First password: {password}")


def add_account(settings: reading_settings.Settings, email: str, role: str, programme: str | None) -> str:
    """The account's first password, made up here and stored only as its hash."""
    from data.store.accounts import open_accounts

    password = secrets.token_urlsafe(12)
    accounts = open_accounts(settings)
    accounts.add(email=email, role=role, programme_id=programme, password=password, now=reading_settings.now())
    return password
