"""Does the work on kept data that the demo and the timetable ask for."""

import logging
from collections.abc import Callable, Mapping, Sequence
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
from data.store import actions
from data.store.desk import DONE, REFUSED, Carrier, Desk, Order, Outcome
from data.store.engine import Connection, StoreError, Stores, migrate, open_stores, reading, writing
from data.store.people import pairing, programmes_kept
from data.timetable import Job, hurry

DEMO_SETTINGS = 'organisation = "Demo Company"\n'


CARRY_OUT = "carry out orders"
KEPT_BACKUPS = 14
NIGHT = timedelta(hours=1)  # UTC
LOOK = 1.0  # seconds between two looks at the desk
Wait = Callable[[float], bool]
log = logging.getLogger("rapport.desk")


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


def orders_job(stores: Stores, carriers: Mapping[str, Carrier], then: Sequence[str]) -> Job:
    """Carries out what people at the dashboard asked for, oldest first; afterwards the jobs in `then` hurry.

    An order that was begun when its worker died is begun again, so a carrier does no harm when it repeats itself.
    """
    desk = Desk(stores.access)

    def carry_out(now: datetime) -> str:
        n_orders = 0
        while (order := desk.take()) is not None:
            state, outcome = _carry_out(order, carriers, now)
            desk.finish(order, state=state, told=outcome.told, now=now, file=outcome.file)
            n_orders += 1
        if n_orders:
            with writing(stores.raw) as connection:
                for name in then:
                    hurry(connection, name, now)
        return f"{n_orders} orders carried out" if n_orders else ""

    return Job(CARRY_OUT, timedelta(minutes=1), carry_out, "outside")


def _carry_out(order: Order, carriers: Mapping[str, Carrier], now: datetime) -> tuple[str, Outcome]:
    """No order holds up those behind it; a store that does not answer holds up all of them."""
    try:
        if order.kind not in carriers:
            raise RapportError(f"Nobody knows how to do {order.kind}.")
        return DONE, carriers[order.kind](order, now)
    except StoreError:
        raise
    except RapportError as error:
        return REFUSED, Outcome(told=str(error))
    except Exception as error:
        log.error("the order %s (%s) failed: %s", order.order_id, order.kind, type(error).__name__)
        return REFUSED, Outcome(told="It could not be done; the worker's log says why.")


def until_ordered(stores: Stores, wait: Callable[[float], bool], clock: Callable[[], datetime]) -> Wait:
    """Waits as `wait` does, in short looks, and ends early where an order waits: who asked sees it done at once."""
    desk = Desk(stores.access)

    def patient(seconds: float) -> bool:
        for _ in range(max(1, round(seconds / LOOK))):
            if wait(min(LOOK, seconds)):
                return True
            if desk.has_waiting():
                with writing(stores.raw) as connection:
                    hurry(connection, CARRY_OUT, clock())
                return False
        return False

    return patient


def carriers(stores: Stores) -> dict[str, Carrier]:
    """What this room does for the desk: notes on a pairing, and answers to people who asked to be contacted."""

    def note(order: Order, now: datetime) -> Outcome:
        said = order.content
        with writing(stores.raw) as connection:
            of = pairing(connection, said["pairing"])
            if of.programme_id != order.programme_id:
                raise RapportError("There is no such pairing.")
            doing = actions.Action(
                action_id=f"order-{order.order_id}",
                pairing_id=of.pairing_id,
                person_id=said.get("person"),
                round_id=said.get("round"),
                kind=said["kind"],
                note=said["note"].strip(),
                done_on=now.date(),
                noted_by=order.asked_by,
            )
            actions.note(connection, doing)
        return Outcome()

    return {"action": note, "contact": note}


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
