"""Checks wall time in every IANA zone against the C library's `zdump`, at and around every change of the clock.

`python -m tests.faults.zones` is the long form: every zone, every day from 2020 to 2035 at six wall times.
"""

import re
import subprocess
import sys
import zoneinfo
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import tzdata

from surveys.calendar import utc_of

FIRST, LAST = 2020, 2035
LINE = re.compile(r"\w{3} (\w{3} +\d+ [\d:]+ \d{4}) UT = .* gmtoff=(-?\d+)$")
EDGE = timedelta(hours=3)
STEP = timedelta(minutes=15)
AT = ("00:00", "00:30", "02:00", "02:30", "09:00", "23:59")


@dataclass
class Counts:
    """What was compared, and what was wrong."""

    zones: int = 0
    times: int = 0
    wrong: int = 0  # not the moment that zdump's offsets give
    other_date: int = 0
    twice: int = 0

    @property
    def faults(self) -> int:
        return self.wrong + self.other_date + self.twice


@dataclass(frozen=True)
class Zone:
    """Offsets from UTC in seconds, each from a moment on, as zdump prints them."""

    name: str
    starts: tuple[datetime, ...]  # UTC, without zone; the first is the beginning of time
    offsets: tuple[int, ...]

    def moment(self, local: datetime) -> datetime:
        """The first moment at which a wall clock shows `local`; where none does, the next change of the clock."""
        ends = (*self.starts[1:], datetime.max)
        for start, end, offset in zip(self.starts, ends, self.offsets, strict=True):
            moment = local - timedelta(seconds=offset)
            if moment < start:  # the clock jumped over it
                return start
            if moment < end:
                return moment
        raise AssertionError("no offset holds for ever")


def zones() -> list[str]:
    return sorted(
        name for name in zoneinfo.available_timezones() if name != "localtime" and not name.startswith("posix")
    )


def distinct() -> list[str]:
    """One name of each set of zones with the same rules."""
    by_rules = {_file(name).read_bytes(): name for name in reversed(zones())}
    return sorted(by_rules.values())


def _file(name: str) -> Path:
    """The file that Python reads for a zone: the system's, else the package's."""
    folders = [Path(folder) for folder in zoneinfo.TZPATH] + [Path(tzdata.__file__).parent / "zoneinfo"]
    return next(folder / name for folder in folders if (folder / name).is_file())


def read(name: str) -> Zone:
    """A zone's offsets from 2019 to 2036, by zdump."""
    said = subprocess.run(
        ["zdump", "-v", "-c", f"{FIRST - 1},{LAST + 2}", str(_file(name))], check=True, capture_output=True, text=True
    ).stdout
    found = [match for line in said.splitlines() if (match := LINE.search(line))]
    if not found:
        return Zone(name, (datetime.min,), (_fixed(name),))
    at = [(datetime.strptime(match[1], "%b %d %H:%M:%S %Y"), int(match[2])) for match in found]
    changes = [(after, offset) for (_, _), (after, offset) in zip(at[::2], at[1::2], strict=True)]
    return Zone(name, (datetime.min, *(c[0] for c in changes)), (at[0][1], *(c[1] for c in changes)))


def _fixed(name: str) -> int:
    """The offset of a zone whose clock never changes, by the C library's `date`."""
    said = subprocess.run(
        ["date", "-d", "2026-01-01T00:00:00Z", "+%z"], env={"TZ": f":{_file(name)}"}, check=True,
        capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    sign = -1 if said[0] == "-" else 1
    return sign * (int(said[1:3]) * 3600 + int(said[3:5]) * 60)


def around_changes(zone: Zone) -> list[datetime]:
    """Wall times every quarter of an hour around each change."""
    found = []
    for start, (before, after) in zip(zone.starts[1:], pairwise(zone.offsets), strict=True):
        if not FIRST <= start.year <= LAST:
            continue
        local = start + timedelta(seconds=min(before, after)) - EDGE
        end = start + timedelta(seconds=max(before, after)) + EDGE
        while local <= end:
            found.append(local.replace(second=0))
            local += STEP
    return found


def compare(zone: Zone, locals_: list[datetime], counts: Counts) -> None:
    """Ours against theirs; a time that the clock shows twice or never must still give one moment of that date."""
    counts.zones += 1
    for local in locals_:
        ours = utc_of(local, zone.name)
        counts.times += 1
        counts.wrong += ours.replace(tzinfo=None) != zone.moment(local)
        shown = ours.astimezone(zoneinfo.ZoneInfo(zone.name))
        # In Greenland the day of the change ends at 23:00: what falls after it has no moment of that date.
        day_ends_early = shown.time() == time(0) and zone.moment(local) in zone.starts
        counts.other_date += shown.date() != local.date() and not day_ends_early
        counts.twice += shown.fold == 1 and _is_shown_earlier(zone, local, ours)


def _is_shown_earlier(zone: Zone, local: datetime, ours: datetime) -> bool:
    """Whether the clock showed this time before, so that a message would have gone twice."""
    return any(
        ours.replace(tzinfo=None) > local - timedelta(seconds=offset) == zone.moment(local) for offset in zone.offsets
    )


def every_day(at: str) -> list[datetime]:
    hour, minute = map(int, at.split(":"))
    day, found = date(FIRST, 1, 1), []
    while day <= date(LAST, 12, 31):
        found.append(datetime(day.year, day.month, day.day, hour, minute))
        day += timedelta(days=1)
    return found


def main() -> None:
    counts = Counts()
    for number, name in enumerate(zones(), 1):
        zone = read(name)
        compare(zone, around_changes(zone) + [local for at in AT for local in every_day(at)], counts)
        if number % 25 == 0:
            sys.stdout.write(f"{counts}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{counts}\n")
    raise SystemExit(1 if counts.faults else 0)


if __name__ == "__main__":
    main()
