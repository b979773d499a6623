"""A release tells the business case as of its day, whatever HR hands in or decides afterwards."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import delete, select, update

from data.errors import RapportError
from data.imports.load import import_file
from data.settings import Settings
from data.store.batches import undo_batch
from data.store.employment import pseudonym
from data.store.engine import Stores, migrate, open_stores, reading, writing
from data.store.releases import read_release
from data.tables import batches, employment
from pipeline.business_case.plan import CASE, PLAN
from pipeline.case import keep_case
from pipeline.ingest import ingest
from pipeline.published import open_published
from pipeline.run import run_due, verify_release
from pipeline.seal import manifest_of
from tests.pipeline.made_case import company
from tests.pipeline.stored import KEY, ask

CLOSED = datetime(2026, 2, 11, 9, tzinfo=UTC)  # round 1 of `stored.ask`
IMPORTED, RELEASED, LATER = (CLOSED + timedelta(days=days) for days in (-20, 1, 40))
DECIDED = {"offered_to": {"grade": ["G1", "G2", "G3"]}, "min_tenure_months": 4}
PROGRAMME = "careers"
RECENT = date(2025, 4, 1)
OF_PEOPLE = {  # what became of people; money goes with the number of mentees as well
    "case_retention", "case_other_exits", "case_risk_joined", "case_risk_compared", "case_exit_rate",
    "case_engagement", "case_engagement_wave",
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """An installation with a closed round; `release` once it has one."""

    stores: Stores
    home: Path
    release: str = ""

    def importing(self, kind: str, table: pd.DataFrame, now: datetime) -> str:
        path = self.home / f"{kind}.csv"
        table.to_csv(path, index=False)
        report = import_file(self.stores, kind=kind, path=path, now=now, key=KEY.encode())
        assert report.accepted
        return str(report.batch)

    def run(self) -> "Made":
        (made,) = run_due(self.stores, key=KEY, now=RELEASED)
        return replace(self, release=made.release_id)

    def verdict(self) -> str:
        return verify_release(self.stores, self.release, key=KEY)

    def content(self) -> str:
        with reading(self.stores.published) as connection:
            return read_release(connection, self.release).content

    def manifest(self) -> dict[str, Any]:
        with reading(self.stores.published) as connection:
            return manifest_of(read_release(connection, self.release))

    def rows(self) -> list[dict[str, Any]]:
        return [row for row in json.loads(self.content())["rows"] if row["metric"].startswith("case_")]


def employment_file() -> pd.DataFrame:
    return company().employment


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Homes to copy: one asked and imported (`asked`), the same with its release (`released`)."""
    folder = tmp_path_factory.mktemp("case")
    made = opened(folder / "asked")
    staff = company()
    recent = staff.pairings["started_on"] >= RECENT
    pairings = pd.concat([staff.pairings[~recent].iloc[::6], staff.pairings[recent]])
    pairings = pairings.assign(pairing_id=pairings["pairing_id"].str.replace("C", "C-"))
    made.importing("people", staff.people, IMPORTED)
    made.importing("pairings", pairings, IMPORTED)
    keep_case(made.stores, PROGRAMME, DECIDED, by="Cleo", now=IMPORTED)
    ask(made.stores, 1, PROGRAMME)
    made.stores.dispose()
    shutil.copytree(folder / "asked", folder / "handed_in")
    made = opened(folder / "handed_in")
    made.importing("employment", staff.employment, IMPORTED)
    made.importing("engagement", staff.engagement, IMPORTED)
    made.stores.dispose()
    shutil.copytree(folder / "handed_in", folder / "released")
    made = opened(folder / "released").run()
    (folder / "release").write_text(made.release)
    made.stores.dispose()
    return folder


def opened(home: Path) -> Made:
    stores = open_stores(Settings(home=home, secret_key=KEY))
    migrate(stores)
    return Made(stores, home)


def copied(kept: Path, name: str, home: Path) -> Iterator[Made]:
    shutil.copytree(kept / name, home)
    made = opened(home)
    yield replace(made, release=(kept / "release").read_text() if name == "released" else "")
    made.stores.dispose()


@pytest.fixture
def asked(kept: Path, home: Path) -> Iterator[Made]:
    yield from copied(kept, "asked", home)


@pytest.fixture
def handed_in(kept: Path, home: Path) -> Iterator[Made]:
    yield from copied(kept, "handed_in", home)


@pytest.fixture
def released(kept: Path, home: Path) -> Iterator[Made]:
    yield from copied(kept, "released", home)


def test_a_release_tells_its_case_and_can_be_rebuilt(released: Made) -> None:
    shown = {row["metric"] for row in released.rows() if row["shown"]}
    assert {"case_retention", "case_cost", "case_exit_rate", "case_engagement"} <= shown
    told = released.manifest()["case"]
    assert told["plan"]["plan"]["min_tenure_months"] == 4
    assert (told["deviations"], told["data"]["ends"]) == ([], "2025-12-31")
    assert told["registered"]["sha256"] == told["plan"]["sha256"]
    assert told["decided"]["decided"] == {"by": "Cleo", "at": IMPORTED.isoformat()}
    assert released.verdict() == "identical"
    of_door = open_published(Settings(home=released.home, secret_key=KEY)).numbers(PROGRAMME)
    assert shown <= set(of_door["metric"])


def test_without_an_employment_file_there_is_no_case_and_nothing_is_registered(asked: Made) -> None:
    made = asked.run()
    assert made.rows() == []
    assert made.manifest()["case"] is None
    assert PLAN not in ingest(made.stores.raw, programme_id=PROGRAMME, round_id=f"{PROGRAMME}-R1").programme.decisions
    made.importing("employment", employment_file(), LATER)
    assert made.verdict() == "identical"  # what came later was not there


def test_the_plan_is_registered_before_the_release_that_first_reads_an_outcome(handed_in: Made) -> None:
    made = handed_in.run()
    keep_case(made.stores, PROGRAMME, {"min_tenure_months": 6}, by="Cleo", now=LATER)
    ask(made.stores, 2, PROGRAMME)
    made = made.run()
    told = made.manifest()["case"]
    assert told["registered"]["registered_at"] == RELEASED.isoformat()
    assert told["deviations"] == ["min_tenure_months: 4 → 6", 'offered_to: {"grade": ["G1", "G2", "G3"]} → –']


def test_what_hr_hands_in_later_leaves_an_earlier_release_as_it_is(released: Made) -> None:
    """New people, another story of those known, and a wave of engagement."""
    known = employment_file()
    chosen = known["leave_type"] == "voluntary"
    gone = known.assign(leave_type=known["leave_type"].mask(chosen, "involuntary"))
    new = known.head(50).assign(person_id=[f"N{number}" for number in range(50)])
    released.importing("employment", pd.concat([gone, new]), LATER)
    released.importing("engagement", company().engagement.assign(score=1.0), LATER)
    assert released.verdict() == "identical"
    ask(released.stores, 2, PROGRAMME)
    before = {(row["metric"], row["view"], row["group"], row["side"]): row["value"] for row in released.rows()}
    (second,) = run_due(released.stores, key=KEY, now=LATER + timedelta(days=1))
    after = replace(released, release=second.release_id).rows()
    assert any(before.get((row["metric"], row["view"], row["group"], row["side"])) != row["value"] for row in after)


def test_what_is_decided_later_leaves_an_earlier_release_as_it_is(released: Made) -> None:
    later = {"offered_to": {"grade": ["G1"]}, "min_tenure_months": 12, "data_from": "2024-01-01"}
    keep_case(released.stores, PROGRAMME, later, by="Dan", now=LATER)
    assert released.verdict() == "identical"


def test_an_employee_who_is_erased_is_told_as_erased(released: Made) -> None:
    outsider = employment_file()["person_id"].iloc[0]
    with writing(released.stores.raw) as connection:
        key = pseudonym(KEY.encode(), str(outsider))
        gone = connection.execute(delete(employment).where(employment.c.employee_key == key)).rowcount
    assert gone
    assert released.verdict() == f"inputs since erased ({gone}); seal valid"


def test_a_roster_that_was_changed_behind_the_imports_differs(released: Made) -> None:
    with writing(released.stores.raw) as connection:
        connection.execute(update(employment).values(grade="G1"))
    assert released.verdict() == "differs"


def test_what_a_release_used_of_the_staff_cannot_be_undone(released: Made) -> None:
    with reading(released.stores.raw) as connection:
        query = select(batches.c.batch_id, batches.c.kind).where(batches.c.kind.in_(("employment", "engagement")))
        used = dict(tuple(row) for row in connection.execute(query))
    assert set(used.values()) == {"employment", "engagement"}
    for batch in used:
        with pytest.raises(RapportError, match="has used it"), writing(released.stores.raw) as connection:
            undo_batch(connection, batch, LATER)
    later = released.importing("employment", employment_file().head(9).assign(grade="G9"), LATER)
    with writing(released.stores.raw) as connection:
        assert undo_batch(connection, later, LATER + timedelta(hours=1)) > 0
    assert released.verdict() == "identical"


def test_no_small_count_of_anybody_is_in_it(released: Made) -> None:
    """Neither in the rows nor in what the release says of itself: whole numbers of people are steps of five."""
    told = released.manifest()["case"]
    counts = [row["n"] for row in released.rows() if row["shown"]] + list(told["notes"].values())
    assert {count % 5 for count in counts} == {0}
    assert min(counts) >= 5
    for sentence in ("at least 5 are needed", "Only ", "of those who joined"):
        assert sentence not in released.content()
    ids = set(employment_file()["person_id"].head(200)) | {pseudonym(KEY.encode(), "W000001")}
    assert not any(each in json.dumps([told, released.rows()]) for each in ids)


def test_two_rounds_in_one_quarter_tell_the_same_case(released: Made) -> None:
    """The file is the same, the rounds are a month apart: nothing new is known of anybody."""
    ask(released.stores, 2, PROGRAMME)
    (second,) = run_due(released.stores, key=KEY, now=RELEASED + timedelta(days=40))
    other = replace(released, release=second.release_id)
    told, before = ([(row["metric"], row["side"], row["group"], row["value"], row["low"]) for row in each.rows()
                     if row["metric"] in OF_PEOPLE] for each in (other, released))  # fmt: skip
    assert len(told) > len(OF_PEOPLE)
    assert told == before


def test_a_bad_decision_that_slipped_in_stops_the_run_with_a_sentence(handed_in: Made) -> None:
    from data.store.decisions import change

    with writing(handed_in.stores.raw) as connection:
        change(connection, PROGRAMME, {CASE: {"min_tenure_months": "four"}})
    with pytest.raises(RapportError, match="min_tenure_months expects whole months"):
        handed_in.run()
