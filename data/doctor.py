"""Says in words what is wrong with an installation: settings, disk, stores, backups, the timetable."""

import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from data import timetable
from data.errors import RapportError
from data.settings import LOOPBACK, Settings
from data.store import outbox
from data.store.engine import STORES, StoreError, Stores, is_writable, keeps_how, reading

SPARE = 500 * 1024 * 1024
STALE_TICK = timedelta(hours=1)
STALE_BACKUP = timedelta(days=2)
RECENT = timedelta(days=14)
READERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line: green is well, red is wrong and says what to do, unknown cannot be told from here."""

    what: str
    verdict: Literal["green", "red", "unknown"]
    said: str


def examine(stores: Stores, settings: Settings, now: datetime) -> list[Finding]:
    """Everything that this room can tell."""
    return [
        _home(settings),
        _disk(settings),
        _way_in(settings),
        *(_store(stores, store) for store in STORES),
        _timetable(stores, now),
        *_failing(stores),
        _messages(stores, now),
        _backups(settings, now),
    ]


def _home(settings: Settings) -> Finding:
    """Whether others on this machine can read answers or the key."""
    kept = [settings.home, *settings.home.glob("*.sqlite"), settings.home / "secret.key"]
    exposed = [path.name for path in kept if path.exists() and path.stat().st_mode & READERS]
    if exposed:
        said = f"Other accounts of this machine may read {', '.join(exposed)}; `chmod go-rwx` takes that away."
        return Finding(what="home", verdict="red", said=said)
    return Finding(what="home", verdict="green", said=f"{settings.home} is for this account only.")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free
    if free < SPARE:
        said = f"Only {free // 2**20} MB are free where answers are kept; below 16 MB none is accepted."
        return Finding(what="disk", verdict="red", said=said)
    return Finding(what="disk", verdict="green", said=f"{free // 2**30} GB are free.")


def _way_in(settings: Settings) -> Finding:
    is_open = settings.host not in LOOPBACK
    if is_open and not settings.behind_proxy:
        said = f"The servers would not start on {settings.host} without TLS in front; set behind_proxy when there is."
        return Finding(what="TLS", verdict="red", said=said)
    if settings.behind_proxy and settings.answers_url is None:
        return Finding(what="TLS", verdict="red", said="Links in mails need answers_url, the public https address.")
    said = "A proxy ends TLS in front." if settings.behind_proxy else "The servers listen on this machine only."
    return Finding(what="TLS", verdict="green", said=said)


def _store(stores: Stores, store: str) -> Finding:
    engine = getattr(stores, store)
    try:
        how = keeps_how(engine)
    except (StoreError, RapportError) as error:
        said = str(error) if isinstance(error, RapportError) else f"The store does not answer ({type(error).__name__})."
        return Finding(what=f"{store} store", verdict="red", said=said)
    if not is_writable(engine):
        return Finding(what=f"{store} store", verdict="red", said="The store can be read, but not written.")
    return Finding(what=f"{store} store", verdict="green", said=how)


def _timetable(stores: Stores, now: datetime) -> Finding:
    """Whether somebody runs `rapport work`, or cron `rapport tick`."""
    known = timetable.state(stores.raw)
    done = [each.last_done_at for each in known if each.last_done_at is not None]
    if not done:
        said = "The timetable has never run; keep `rapport work` running, or let cron call `rapport tick` every minute."
        return Finding(what="timetable", verdict="red", said=said)
    ago = now - max(done)
    if ago > STALE_TICK:
        said = f"The timetable last ran {_hours(ago)} ago; is `rapport work` running?"
        return Finding(what="timetable", verdict="red", said=said)
    return Finding(what="timetable", verdict="green", said=f"{len(known)} jobs, the last done {_hours(ago)} ago.")


def _failing(stores: Stores) -> list[Finding]:
    return [
        Finding(
            what=f"job {each.job}",
            verdict="red",
            said=f"It failed {each.n_failed} times in a row, last with: {each.last_said}",
        )
        for each in timetable.state(stores.raw)
        if each.n_failed
    ]


def _messages(stores: Stores, now: datetime) -> Finding:
    with reading(stores.raw) as connection:
        counts = outbox.by_state(connection)
        n_bounced = len(outbox.bounced(connection))
        n_unknown = outbox.n_unknown_since(connection, now - RECENT)
    wrong = []
    if n_bounced:
        wrong.append(f"{n_bounced} addresses do not work (`rapport mail bounces`)")
    if n_unknown:
        wrong.append(f"of {n_unknown} messages nobody knows whether they arrived")
    if wrong:
        return Finding(what="messages", verdict="red", said=f"{'; '.join(wrong)}.")
    said = f"{counts.get('accepted', 0)} sent, {counts.get('planned', 0)} planned."
    return Finding(what="messages", verdict="green", said=said)


def _backups(settings: Settings, now: datetime) -> Finding:
    made = [path.stat().st_mtime for path in backups(settings.home)]
    if not made:
        said = "There is no backup in the home's backups folder yet; the timetable makes one a day."
        return Finding(what="backup", verdict="red", said=said)
    ago = now - datetime.fromtimestamp(max(made), UTC)
    verdict: Literal["green", "red"] = "red" if ago > STALE_BACKUP else "green"
    return Finding(what="backup", verdict=verdict, said=f"The newest is {_hours(ago)} old. Keep a copy elsewhere.")


def backups(home: Path) -> list[Path]:
    """The daily backups, oldest first."""
    return sorted((home / "backups").glob("rapport-*.zip"))


def _hours(span: timedelta) -> str:
    minutes = max(int(span.total_seconds() // 60), 0)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
