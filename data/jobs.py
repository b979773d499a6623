"""Does the work on kept data that the demo and the timetable ask for."""

from pathlib import Path

import pandas as pd

from data import settings as reading_settings
from data.errors import RapportError
from data.imports.load import import_file
from data.imports.report import ImportReport
from data.settings import Settings
from data.store.engine import Stores, migrate, open_stores, reading
from data.store.people import programmes_kept

DEMO_SETTINGS = 'organisation = "Demo Company"\n'


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
