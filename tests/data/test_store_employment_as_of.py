"""What the employment file said on an earlier day can be read again, whatever was imported, undone or erased since."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import delete, select

from data.errors import RapportError
from data.imports.load import import_file
from data.store.batches import undo_batch
from data.store.employment import last_import, pseudonym, read_engagement, read_roster
from data.store.engine import Stores, reading, writing
from data.store.releases import mark_batches_used
from data.tables import batches, employment

KEY = b"k" * 48
MARCH = datetime(2026, 3, 1, 8, tzinfo=UTC)
APRIL, MAY, JUNE = (MARCH + timedelta(days=days) for days in (31, 61, 92))
HEADER = "person_id,hired_on,left_on,leave_type,department,location,grade,valid_from\n"
ADA, BEN = "ada,2020-01-01,,,Labs,Bonn,G6,2020-01-01\n", "ben,2021-05-01,,,Sales,Bonn,G2,2021-05-01\n"
BEN_LEFT = "ben,2021-05-01,2026-03-20,voluntary,Sales,Bonn,G2,2021-05-01\n"
BEN_LEFT_OTHERWISE = "ben,2021-05-01,2026-03-20,involuntary,Sales,Bonn,G2,2021-05-01\n"
CLEO = "cleo,2026-04-01,,,Labs,Bonn,G3,2026-04-01\n"
SCORES = "person_id,measured_on,score,scale_max\n"

Import = Callable[..., str]


@pytest.fixture
def importing(stores: Stores, tmp_path: Path) -> Import:
    """Import a text as one kind of file at a time; returns the batch's id."""

    def run(kind: str, text: str, now: datetime) -> str:
        path = tmp_path / f"{kind}.csv"
        path.write_text(text, encoding="utf-8")
        report = import_file(stores, kind=kind, path=path, key=KEY, now=now)
        assert report.quarantined == 0
        return str(report.batch)

    return run


def said(stores: Stores, as_of: datetime | None = None) -> dict[str, tuple[str, str]]:
    """Who is in the file, with the day and the kind of their leaving."""
    with reading(stores.raw) as connection:
        roster = read_roster(connection, as_of)
    names = {pseudonym(KEY, name): name for name in ("ada", "ben", "cleo")}
    left = roster["left_on"].dt.strftime("%Y-%m-%d").fillna("")
    return dict(zip(roster["employee_key"].map(names), zip(left, roster["leave_type"], strict=True), strict=True))


def test_rows_that_came_or_changed_later_are_as_they_were(stores: Stores, importing: Import) -> None:
    importing("employment", HEADER + ADA + BEN, MARCH)
    importing("employment", HEADER + BEN_LEFT + CLEO, APRIL)
    importing("employment", HEADER + BEN_LEFT_OTHERWISE, MAY)
    in_service = {"ada": ("", ""), "ben": ("", "")}
    left = {"ada": ("", ""), "ben": ("2026-03-20", "voluntary"), "cleo": ("", "")}
    assert said(stores, MARCH) == said(stores, MARCH + timedelta(days=1)) == in_service
    assert said(stores, APRIL) == left
    assert said(stores, MAY) == said(stores) == {**left, "ben": ("2026-03-20", "involuntary")}
    assert said(stores, MARCH - timedelta(seconds=1)) == {}


def test_both_readings_have_the_same_columns_types_and_order(stores: Stores, importing: Import) -> None:
    importing("employment", HEADER + ADA + BEN, MARCH)
    with reading(stores.raw) as connection:
        before = read_roster(connection)
    importing("employment", HEADER + BEN_LEFT + CLEO, APRIL)
    with reading(stores.raw) as connection:
        pd.testing.assert_frame_equal(read_roster(connection, MARCH), before)
        pd.testing.assert_frame_equal(read_roster(connection, JUNE), read_roster(connection))


def test_an_import_that_was_undone_is_nowhere(stores: Stores, importing: Import) -> None:
    importing("employment", HEADER + ADA + BEN, MARCH)
    wrong = importing("employment", HEADER + BEN_LEFT, APRIL)
    with writing(stores.raw) as connection:
        undo_batch(connection, wrong, MAY)
    assert said(stores, MARCH) == said(stores, APRIL) == said(stores)
    with reading(stores.raw) as connection:
        assert last_import(connection) == MARCH


def test_who_is_erased_stays_erased_and_the_others_are_as_they_were(stores: Stores, importing: Import) -> None:
    importing("employment", HEADER + ADA + BEN, MARCH)
    importing("employment", HEADER + BEN_LEFT + CLEO, APRIL)
    with writing(stores.raw) as connection:
        connection.execute(delete(employment).where(employment.c.employee_key == pseudonym(KEY, "ben")))
    assert said(stores, MARCH) == {"ada": ("", "")}
    assert said(stores) == {"ada": ("", ""), "cleo": ("", "")}


def test_engagement_of_an_earlier_day_too(stores: Stores, importing: Import) -> None:
    importing("engagement", SCORES + "ada,2026-02-01,3.5,5\n", MARCH)
    importing("engagement", SCORES + "ada,2026-02-01,4.5,5\nben,2026-04-01,2,5\n", APRIL)
    with reading(stores.raw) as connection:
        assert read_engagement(connection, MARCH)["score"].tolist() == [3.5]
        assert sorted(read_engagement(connection)["score"]) == [2.0, 4.5]
        assert read_engagement(connection, MARCH)["measured_on"].dt.date.tolist() == [date(2026, 2, 1)]


def test_the_last_import_of_employment_is_known_as_of_a_day(stores: Stores, importing: Import) -> None:
    with reading(stores.raw) as connection:
        assert last_import(connection) is None
    importing("employment", HEADER + ADA, MARCH)
    importing("employment", HEADER + BEN, MAY)
    importing("engagement", SCORES + "ada,2026-02-01,3.5,5\n", JUNE)
    with reading(stores.raw) as connection:
        asked = {when: last_import(connection, when) for when in (MARCH - timedelta(days=1), APRIL, MAY, JUNE)}
    assert list(asked.values()) == [None, MARCH, MAY, MAY]


def test_a_release_that_used_employment_and_engagement_keeps_both_from_being_undone(
    stores: Stores, importing: Import
) -> None:
    used = [
        importing("employment", HEADER + ADA, MARCH),
        importing("engagement", SCORES + "ada,2026-02-01,3.5,5\n", MARCH),
    ]
    unused = importing("people", "person_id,name\nada,Ada\n", MARCH)
    with writing(stores.raw) as connection:
        marked = mark_batches_used(connection, "R", round_ids=[], kinds=("employment", "engagement"))
        query = select(batches.c.batch_id).where(batches.c.used_by_release == "R")
        assert set(connection.execute(query).scalars()) == set(used)
    assert marked == 2
    for batch in used:
        with pytest.raises(RapportError, match="the release R has used it"), writing(stores.raw) as connection:
            undo_batch(connection, batch, MAY)
    with writing(stores.raw) as connection:
        assert undo_batch(connection, unused, MAY) == 1
