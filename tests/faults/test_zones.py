"""Wall time in every zone: no moment in a gap, none twice, none on another date; and broken arithmetic is caught."""

import shutil
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.faults import zones
from tests.faults.zones import Counts, around_changes, compare, read

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("zdump") is None, reason="zdump (of the C library) is not installed"),
]


def test_every_zone_and_every_change_until_2035():
    counts = Counts()
    for name in zones.distinct():
        zone = read(name)
        compare(zone, around_changes(zone), counts)
    assert counts.zones > 300
    assert counts.times > 100_000
    assert (counts.wrong, counts.other_date, counts.twice) == (0, 0, 0)


def later_of_two(local: datetime, name: str) -> datetime:
    return local.replace(tzinfo=ZoneInfo(name), fold=1).astimezone(UTC)


def offset_of_the_season(local: datetime, name: str) -> datetime:
    offset = datetime(local.year, 1, 1, tzinfo=ZoneInfo(name)).utcoffset() or timedelta()
    return (local - offset).replace(tzinfo=UTC)


@pytest.mark.parametrize("broken", [later_of_two, offset_of_the_season])
def test_broken_arithmetic_is_caught(monkeypatch, broken):
    monkeypatch.setattr(zones, "utc_of", broken)
    counts = Counts()
    zone = read("Europe/Berlin")
    compare(zone, around_changes(zone), counts)
    assert counts.faults > 0
