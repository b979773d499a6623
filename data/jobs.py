"""Does the work on kept data that the demo and the timetable ask for."""

from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from data import settings as reading_settings
from data.backup import backup
from data.doctor import backups
from data.errors import RapportError
from data.imports.load import import_file
from data.imports.report import ImportReport
from data.keeping import keep_access_times, keep_times
from data.settings import Settings
from data.store.engine import Connection, Stores, migrate, open_stores, reading
from data.store.people import programmes_kept
from data.timetable import Job

DEMO_SETTINGS = 'organisation = "Demo Company"\n'


KEPT_BACKUPS = 14
NIGHT = timedelta(hours=1)  # UTC


def jobs(stores: Stores, settings: Settings) -> list[Job]:
    """What this room does by the timetable: once a night, delete what has had its time, then back up."""

    def keep(connection: Connection, now: datetime) -> str:
        return keep_times(connection, now)

    def keep_access(now: datetime) -> str:
        return keep_access_times(stores, now)

    def back_up(now: datetime) -> str:
        path = settings.home / "backups" / f"rapport-{now:%Y-%m-%d}.zip"
        rows = backup(stores, path, key=str(settings.secret_key), now=now)
        for old in backups(settings.home)[:-KEPT_BACKUPS]:
            old.unlink()
        return f"{sum(rows.values())} rows in {path.name}"

    return [
        Job("keep times", timedelta(days=1), keep, "inside", NIGHT),
        Job("keep access times", timedelta(days=1), keep_access, "outside", NIGHT),
        Job("back up", timedelta(days=1), back_up, "outside", NIGHT),
    ]


def prepare(home: Path | None) -> tuple[Settings, Stores]:
    """A home with its settings, secret and migrated stores, for the demo."""
    where = reading_settings.load(home).home
    if reading_settings.make_home(where):
        with (where / "rapport.toml").open("a", encoding="utf-8") as file:
            file.write(DEMO_SETTINGS)
    settings = reading_settings.load(where)
    stores = open_stores(settings)
    migrate(stores)
    return settings, stores


def refuse_unless_empty(stores: Stores) -> None:
    """The demo never mixes with somebody's programme."""
    with reading(stores.raw) as connection:
        known = programmes_kept(connection)
    if known:
        raise RapportError(
            f"This home already holds the programme {known[0].programme_id}; the demo needs an empty one (--home DIR)."
        )


def import_tables(
    settings: Settings, stores: Stores, folder: Path, tables: dict[str, pd.DataFrame]
) -> dict[str, ImportReport]:
    """Write each table as a CSV file into the folder and import it as anybody would."""
    folder.mkdir(parents=True, exist_ok=True)
    reports = {}
    for kind, rows in tables.items():
        path = folder / f"{kind}.csv"
        rows.to_csv(path, index=False)
        reports[kind] = import_file(
            stores, kind=kind, path=path, now=reading_settings.now(), key=str(settings.secret_key).encode()
        )
    return reports
