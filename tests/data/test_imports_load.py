"""Files come in whole: every row accepted, quarantined with a reason, blank or header."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Connection, insert, select, update

from data.errors import RapportError
from data.imports.load import import_file
from data.imports.report import ImportReport
from data.store import people
from data.store.batches import list_quarantine, undo_batch
from data.store.employment import pseudonym, read_engagement, read_engagement_groups, read_roster
from data.store.engine import Stores, reading, writing
from data.tables import batch_changes, batches, invitations, quarantine, raw, rounds, snapshots

NOW = datetime(2026, 4, 1, 8, tzinfo=UTC)
LATER = datetime(2026, 4, 2, 8, tzinfo=UTC)
KEY = b"k" * 48

PEOPLE = """\
person_id,name,email,language,time_zone,department,location,grade
001,Ada,ada@example.org,en,Europe/Berlin,"R&D, Labs",Bonn,G6
002,Ben,ben@example.org,de_CH,,Sales,,
"""
PAIRINGS = """\
pairing_id,programme,cohort,mentor_id,mentee_id,started_on,planned_end_on,ended_on,end_reason
0001,north,2026-H1,001,002,2026-03-01,2026-12-01,,
"""

Import = Callable[..., ImportReport]


@pytest.fixture
def importing(stores: Stores, tmp_path: Path) -> Import:
    """Import a text as one kind of file."""

    def run(kind: str, text: str, **options: Any) -> ImportReport:
        path = tmp_path / f"{kind}.csv"
        path.write_text(text, encoding=options.pop("written_in", "utf-8"))
        if "map_text" in options:
            options["map_path"] = tmp_path / "map.toml"
            options["map_path"].write_text(options.pop("map_text"), encoding="utf-8")
        return import_file(stores, kind=kind, path=path, key=KEY, **{"now": NOW, **options})

    return run


def everything(stores: Stores) -> dict[str, list[tuple[Any, ...]]]:
    with reading(stores.raw) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in raw.sorted_tables
            if table not in (batches, batch_changes, quarantine)
        }


def reasons(report: ImportReport) -> dict[str, int]:
    return dict(report.reasons)


def test_people_and_pairings_come_in(stores: Stores, importing: Import) -> None:
    first = importing("people", PEOPLE)
    assert first.as_json() == {
        "rows": 3, "accepted": 2, "quarantined": 0, "blank": 0, "header": 1, "cells": 0, "reasons": {},
        "batch": first.batch, "changed": 2, "unknown_columns": [],
    }  # fmt: skip
    second = importing("pairings", PAIRINGS)
    assert (second.accepted, second.changed) == (1, 2)
    with reading(stores.raw) as connection:
        assert people.person(connection, "001") == people.Person(
            person_id="001", name="Ada", email="ada@example.org", language="en", time_zone="Europe/Berlin",
            department="R&D, Labs", location="Bonn", grade="G6",
        )  # fmt: skip
        assert people.person(connection, "002").language == "de-CH"
        assert people.pairing(connection, "0001") == people.Pairing(
            pairing_id="0001", programme_id="north", cohort="2026-H1", mentor_id="001", mentee_id="002",
            started_on=date(2026, 3, 1), planned_end_on=date(2026, 12, 1),
        )  # fmt: skip
        assert people.programme(connection, "north").decisions == people.DEFAULT_DECISIONS


def test_a_dry_run_counts_the_same_and_writes_nothing(stores: Stores, importing: Import) -> None:
    before = everything(stores)
    dry = importing("people", PEOPLE + "003,,,,,,,\n", dry_run=True)
    assert (dry.accepted, reasons(dry), dry.batch) == (2, {"name: empty": 1}, None)
    assert everything(stores) == before
    with reading(stores.raw) as connection:
        assert connection.execute(select(batches)).all() == []
        assert list_quarantine(connection) == []


def test_what_is_unchanged_is_accepted_and_changes_nothing(stores: Stores, importing: Import) -> None:
    importing("people", PEOPLE)
    before = everything(stores)
    again = importing("people", PEOPLE, now=LATER)
    assert (again.accepted, again.quarantined, again.changed) == (2, 0, 0)
    assert everything(stores) == before
    with reading(stores.raw) as connection:
        assert connection.execute(select(batch_changes).where(batch_changes.c.batch_id == again.batch)).all() == []


def test_a_file_with_fewer_columns_leaves_the_others_alone(stores: Stores, importing: Import) -> None:
    importing("people", PEOPLE)
    report = importing("people", "Person_ID ;NAME\n001;Ada L.\n", now=LATER)
    assert report.changed == 1
    with reading(stores.raw) as connection:
        ada = people.person(connection, "001")
    assert (ada.name, ada.email, ada.language, ada.department) == (
        "Ada L.",
        "ada@example.org",
        "en",
        "R&D, Labs",
    )


def test_unknown_columns_are_named_and_never_stored(stores: Stores, importing: Import) -> None:
    text = (
        "person_id,name,email,Salary Band,language\n"
        "001,Ada,ada@example.org,SECRET-BAND,en\n"
        "002,Ben,nope,SECRET-BAND,en\n"
    )
    report = importing("people", text)
    assert (report.accepted, report.unknown_columns) == (1, ("Salary Band",))
    with reading(stores.raw) as connection:
        kept = [list(connection.execute(select(table))) for table in raw.sorted_tables]
        refused = list_quarantine(connection)
    assert "SECRET-BAND" not in str(kept)
    assert [(row.row_number, row.column, row.reason) for row in refused] == [(3, "email", "not an e-mail address")]
    assert dict(refused[0].cells) == {"person_id": "002", "name": "Ben", "email": "nope", "language": "en"}


def test_a_shifted_row_keeps_no_cell_because_it_may_stand_under_the_wrong_name(
    stores: Stores, importing: Import
) -> None:
    report = importing("people", "person_id,salary,name\n001,SECRET,Ada,x\n002,SECRET,Ben,y\n")
    assert (report.accepted, reasons(report)) == (0, {"too many cells": 2})
    with reading(stores.raw) as connection:
        assert [dict(row.cells) for row in list_quarantine(connection, report.batch)] == [{}, {}]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("person_id=", "person_id: empty"),
        ("name=Ada\nBcc: x", "name: a line break or control character"),
        ("name=Ada\u202eX", "name: a line break or control character"),
        ("email=ada@", "email: not an e-mail address"),
        ("language=english!", "language: not a language tag such as en or de-CH"),
        ("time_zone=Berlin", "time_zone: not a time zone such as Europe/Berlin"),
    ],
)
def test_bad_cells_of_people(importing: Import, cell: str, reason: str) -> None:
    row = {"person_id": "001", "name": "Ada", "email": "", "language": "", "time_zone": ""}
    column, value = cell.split("=", 1)
    row[column] = value
    text = ",".join(row) + "\n" + ",".join(f'"{said}"' for said in row.values()) + "\n\n"
    report = importing("people", text, dry_run=True)
    assert (report.rows, report.quarantined, report.blank, reasons(report)) == (3, 1, 1, {reason: 1})


@pytest.mark.parametrize(
    ("started", "ended", "order", "reason"),
    [
        ("03/04/2026", "", None, "started_on: an ambiguous date; declare the date order"),
        ("03/04/2026", "", "dmy", ""),
        ("03/04/2026", "2026-05-01", "mdy", ""),
        ("13/04/2026", "", "mdy", "started_on: not a day of the calendar"),
        ("2026-04-03", "", "dmy", ""),
        ("2026-02-30", "", None, "started_on: not a day of the calendar"),
        ("03.04.26", "", "dmy", "started_on: a two-digit year"),
        ("31.12.9999", "", "dmy", "started_on: a year outside 1900 to 2100"),
        ("soon", "", None, "started_on: not a date"),
        ("03/04/2026", "", "ymd", "started_on: not in the declared date order"),
        ("2026-04-03", "2026-04-02", None, "ended_on before started_on"),
    ],
)
def test_dates_of_pairings(importing: Import, started: str, ended: str, order: str | None, reason: str) -> None:
    importing("people", PEOPLE)
    text = f"pairing_id,mentor_id,mentee_id,started_on,ended_on\n1,001,002,{started},{ended}\n"
    report = importing("pairings", text, date_order=order)
    assert reasons(report) == ({reason: 1} if reason else {})


def test_a_declared_order_decides_the_day(stores: Stores, importing: Import) -> None:
    importing("people", PEOPLE)
    text = "pairing_id,mentor_id,mentee_id,started_on\n{id},001,002,03/04/2026\n"
    importing("pairings", text.format(id="d"), date_order="dmy")
    importing("pairings", text.format(id="m"), date_order="mdy")
    with reading(stores.raw) as connection:
        assert [pairing.started_on for pairing in people.pairings_of(connection, "programme")] == [
            date(2026, 4, 3),
            date(2026, 3, 4),
        ]


def test_pairings_need_two_known_people_who_stay(importing: Import) -> None:
    importing("people", PEOPLE + "003,Eve,,,,,,\n")
    importing("pairings", PAIRINGS)
    text = "pairing_id,programme,mentor_id,mentee_id,started_on\n"
    report = importing(
        "pairings",
        text
        + "2,north,001,001,2026-03-01\n3,north,001,999,2026-03-01\n0001,north,003,002,2026-03-01\n"
        + "0001,south,001,002,2026-03-01\n",
    )
    assert (report.accepted, report.changed) == (0, 0)
    assert reasons(report) == {
        "mentor and mentee are one person": 1,
        "a person who is not known; import people first": 1,
        "two rows disagree about the same key": 2,
    }
    moved = importing("pairings", text + "0001,north,003,002,2026-03-01\n")
    assert reasons(moved) == {"the pairing is known with other people or in another programme": 1}


def test_rows_said_twice_are_accepted_and_rows_that_disagree_are_both_refused(
    stores: Stores, importing: Import
) -> None:
    text = "person_id,name\n001,Ada\n001,Ada\n002,Ben\n002,Benjamin\n"
    report = importing("people", text)
    assert (report.accepted, report.changed, reasons(report)) == (
        2,
        1,
        {"two rows disagree about the same key": 2},
    )
    with reading(stores.raw) as connection:
        assert [row.row_number for row in list_quarantine(connection)] == [4, 5]


def test_employment_is_kept_under_pseudonyms_only(stores: Stores, importing: Import) -> None:
    text = (
        "person_id,name,hired_on,left_on,leave_type,department,location,grade,valid_from\n"
        "E-0042,Person Forty-two,2020-01-01,2026-02-01,Voluntary,Sales,Bonn,G3,\n"
        "E-0043,Person Forty-three,2020-01-01,,,Sales,Bonn,G4,2025-01-01\n"
        "E-0044,Person Forty-four,2020-01-01,2019-01-01,voluntary,,,,\n"
        "E-0045,Person Forty-five,2020-01-01,,voluntary,,,,\n"
        "E-0046,Person Forty-six,2020-01-01,2021-01-01,fired,,,,\n"
    )
    report = importing("employment", text)
    assert (report.accepted, report.unknown_columns) == (2, ("name",))
    assert reasons(report) == {
        "left_on before hired_on": 1,
        "a leave_type without left_on": 1,
        "leave_type: not one of voluntary, involuntary, other": 1,
    }
    with reading(stores.raw) as connection:
        kept = str([list(connection.execute(select(table))) for table in raw.sorted_tables])
        roster = read_roster(connection)
        refused = list_quarantine(connection)
    assert "E-004" not in kept
    assert "Forty" not in kept
    assert [row.cells["employee_key"] for row in refused] == [pseudonym(KEY, f"E-004{number}") for number in (4, 5, 6)]
    ben = roster.set_index("employee_key").loc[pseudonym(KEY, "E-0042")]
    assert ben.to_dict() == {
        "hired_on": datetime(2020, 1, 1), "valid_from": datetime(2020, 1, 1), "left_on": datetime(2026, 2, 1),
        "leave_type": "voluntary", "department": "Sales", "location": "Bonn", "grade": "G3",
    }  # fmt: skip


def test_engagement_of_people_and_of_groups(stores: Stores, importing: Import) -> None:
    scores = importing(
        "engagement",
        'person_id,measured_on,score,scale_max\n1,2026-01-01,3.5,5\n2,2026-01-01,9,5\n3,2026-01-01,"3,5",5\n',
    )
    assert reasons(scores) == {
        "a score outside 0 to scale_max": 1,
        "score: not a number with a decimal point": 1,
    }
    groups = importing(
        "engagement-groups",
        "group,measured_on,n,mean,sd,scale_max\nSales,2026-01-01,12,3.4,0.8,5\nIT,2026-01-01,9,3,1,5\n",
    )
    assert reasons(groups) == {"a group of fewer than 10 people": 1}
    with reading(stores.raw) as connection:
        assert read_engagement(connection)["score"].to_list() == [3.5]
        assert read_engagement_groups(connection)[["group", "n", "mean"]].to_numpy().tolist() == [["Sales", 12, 3.4]]


MAP = """\
[file]
encoding = "cp1252"
separator = "semicolon"
skip_rows = 1
date_order = "dmy"
[columns]
"Personalnummer" = "person_id"
"Eintrittsdatum" = "hired_on"
"Austrittsdatum" = "left_on"
"Art der Kündigung" = "leave_type"
"Abteilung" = "department"
[values.leave_type]
"Eigenkündigung" = "voluntary"
[values.left_on]
"31.12.9999" = ""
[values.department]
"Hum. Resources" = "Human Resources"
[pad]
person_id = 6
"""


def test_a_map_brings_another_systems_file_in(stores: Stores, importing: Import) -> None:
    text = (
        "Alle Mitarbeitenden;;;;;\n"
        "Personalnummer;Vorname;Eintrittsdatum;Austrittsdatum;Art der Kündigung;Abteilung\n"
        "37;Uwe;20.10.2021;;;Hum. Resources\u00a0\n"
        "000111;Zoë;13.06.2025;24.01.2026;Eigenkündigung;IT\n"
        "000148;Max;01.02.2025;31.12.9999;;IT\n"
    )
    report = importing("employment", text, map_text=MAP, written_in="cp1252")
    assert (report.rows, report.header, report.accepted, report.unknown_columns) == (5, 2, 3, ("Vorname",))
    with reading(stores.raw) as connection:
        roster = read_roster(connection).set_index("employee_key")
    assert roster.loc[pseudonym(KEY, "000037"), "department"] == "Human Resources"
    assert roster.loc[pseudonym(KEY, "000111"), "leave_type"] == "voluntary"
    assert roster["left_on"].isna().sum() == 2


@pytest.mark.parametrize(
    ("map_text", "sentence"),
    [
        ('[colums]\n"a" = "b"\n', "has colums, which is not known"),
        ('[columns]\n"Nr" = "person_id"\n', 'names the column "nr", which the file does not have'),
        ('[columns]\n"name" = "salary"\n', "wants a column salary"),
        ('[file]\ndate_order = "ddmm"\n', "date order is not usable"),
        ('[file]\nskip_rows = "two"\n', "needs a number of rows"),
        ('[values]\ndepartment = "x"\n', "needs a table"),
        ("[pad]\nperson_id = 0\n", "number of digits"),
        ("[columns\n", "not valid TOML"),
    ],
)
def test_a_bad_map_is_one_sentence(importing: Import, map_text: str, sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        importing("people", PEOPLE, map_text=map_text)


def test_a_file_that_cannot_be_one_is_one_sentence(stores: Stores, importing: Import, tmp_path: Path) -> None:
    with pytest.raises(RapportError, match="no column name"):
        importing("people", "person_id\n001\n")
    with pytest.raises(RapportError, match='"Name" twice|"name" twice'):
        importing("people", "person_id,name,Name\n001,a,b\n")
    with pytest.raises(RapportError, match="no kind of file called staff"):
        importing("staff", PEOPLE)
    with pytest.raises(RapportError, match="cannot be read"):
        import_file(stores, kind="people", path=tmp_path / "absent.csv", now=NOW, key=KEY)


FIRST_HOUR = [
    ["mentor_name", "mentor_email", "mentee_name", "mentee_email", "started_on", "department", "language"],
    ["Ada", "ada@example.org", "Ben", "ben@example.org", date(2026, 3, 1), "Sales", "de"],
    ["Ada", "ADA@example.org", "Fay", "fay@example.org", date(2026, 3, 1), "IT", "de"],
    ["Gus", "gus@example.org", "Hal", "hal@example.org", date(2026, 3, 1), "IT", ""],
    ["Gus", "gus@example.org", "Gus", "gus@example.org", date(2026, 3, 1), "IT", ""],
    ["Ivo", "ivo@example.org", "Ken", "ken@example.org", date(2026, 3, 1), "", ""],
    ["Leo", "leo@example.org", "Ivan", "ivo@example.org", date(2026, 3, 1), "", ""],
]


def test_the_first_hours_sheet_makes_people_and_pairings(stores: Stores, tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for row in FIRST_HOUR:
        made.active.append(row)
    made.save(tmp_path / "first.xlsx")
    told: dict[str, Any] = {"kind": "workbook", "path": tmp_path / "first.xlsx", "key": KEY}
    report = import_file(stores, now=NOW, **told)
    assert (report.accepted, reasons(report)) == (
        3, {"one e-mail address with two names": 2, "mentor and mentee are one person": 1},
    )  # fmt: skip
    again = import_file(stores, now=LATER, **told)
    assert (again.accepted, again.changed) == (3, 0)
    with reading(stores.raw) as connection:
        pairings = people.pairings_of(connection, "programme")
        known = {person.name: person for person in people.people_of(connection, "programme")}
    assert sorted(known) == ["Ada", "Ben", "Fay", "Gus", "Hal"]
    assert {pairing.mentor_id for pairing in pairings} == {known["Ada"].person_id, known["Gus"].person_id}
    assert (known["Ada"].department, known["Ada"].language) == (None, "de")
    assert (known["Ben"].department, known["Gus"].department, known["Hal"].language) == ("Sales", "IT", "en")


# --- undo ------------------------------------------------------------------------------------------


def undo(stores: Stores, batch: str | None) -> int:
    with writing(stores.raw) as connection:
        return undo_batch(connection, str(batch), LATER)


def test_undo_puts_everything_back(stores: Stores, importing: Import) -> None:
    importing("people", PEOPLE)
    importing("pairings", PAIRINGS)
    before = everything(stores)
    changed = importing("pairings", PAIRINGS.replace(",,\n", ",2026-03-31,moved\n") + "2,east,,002,001,2026-03-02,,,\n")
    assert changed.changed == 3
    assert everything(stores) != before
    assert undo(stores, changed.batch) == 3
    assert everything(stores) == before
    with pytest.raises(RapportError, match="undone already"):
        undo(stores, changed.batch)
    with pytest.raises(RapportError, match="no import nothing"):
        undo(stores, "nothing")


def test_undo_is_refused_after_a_later_change_and_after_a_release(stores: Stores, importing: Import) -> None:
    first = importing("people", PEOPLE)
    second = importing("people", PEOPLE.replace("Sales", "IT"), now=LATER)
    with pytest.raises(RapportError, match="changed since"):
        undo(stores, first.batch)
    undo(stores, second.batch)
    with writing(stores.raw) as connection:
        connection.execute(update(batches).values(used_by_release="release-1"))
    with pytest.raises(RapportError, match="release-1 has used it"):
        undo(stores, first.batch)


def test_undo_is_refused_when_something_later_stands_on_it(stores: Stores, importing: Import) -> None:
    importing("people", PEOPLE)
    pairings = importing("pairings", PAIRINGS)
    with writing(stores.raw) as connection:
        _invite_ada(connection)
    before = everything(stores)
    with pytest.raises(RapportError, match="something later depends on it"):
        undo(stores, pairings.batch)
    assert everything(stores) == before


def _invite_ada(connection: Connection) -> None:
    connection.execute(insert(snapshots).values(snapshot_id="s", content="{}"))
    connection.execute(
        insert(rounds).values(
            round_id="r1",
            programme_id="north",
            number=1,
            pulse="pulse",
            snapshot_id="s",
            opens_at=NOW,
            closes_at=LATER,
        )
    )
    connection.execute(
        insert(invitations).values(
            invitation_id="i", round_id="r1", pairing_id="0001", side="mentor", person_id="001", form=0,
            cohort="", department="", location="", grade="",
        )
    )  # fmt: skip


# --- HR systems' shapes ------------------------------------------------------------------------------

HRIS = Path(__file__).parents[3] / "shared" / "samples" / "hris"
BAMBOO = """\
[file]
date_order = "dmy"
[columns]
"Employee #" = "person_id"
"Hire Date" = "hired_on"
"Termination Date" = "left_on"
"Termination Type" = "leave_type"
"Job Level" = "grade"
[values.leave_type]
"Resignation (Voluntary)" = "voluntary"
"Termination (Involuntary)" = "involuntary"
[values.left_on]
"00.00.0000" = ""
"-" = ""
[pad]
person_id = 6
"""


@pytest.mark.skipif(not HRIS.exists(), reason="the sample exports of HR systems are not beside this checkout")
def test_a_sample_export_comes_in_with_every_planted_fault_told(sqlite_stores: Stores, tmp_path: Path) -> None:
    name = "bamboohr_snapshot_2026-08.csv"
    (tmp_path / "map.toml").write_text(BAMBOO, encoding="utf-8")
    report = import_file(
        sqlite_stores, kind="employment", path=HRIS / name, map_path=tmp_path / "map.toml", now=NOW, key=KEY
    )
    assert report.rows == 1757
    with (HRIS / "truth_faults.csv").open(encoding="utf-8") as file:
        faults = [row for row in csv.DictReader(file) if row["file"] == name]
    with reading(sqlite_stores.raw) as connection:
        refused = {row.row_number: row.reason for row in list_quarantine(connection)}
        kept = str([list(connection.execute(select(table))) for table in raw.sorted_tables])
        roster = set(read_roster(connection)["employee_key"])
    planted: dict[str, set[int]] = {}
    for row in faults:
        planted.setdefault(row["fault"], set()).add(int(row["record"]))
    disagreeing = {row for row, reason in refused.items() if reason == "two rows disagree about the same key"}
    assert disagreeing == planted["conflicting_duplicate"]
    assert set(refused) - disagreeing == (
        planted["termination_before_hire"] | planted["impossible_date"] | planted["hire_date_missing"]
    )
    mended = [row for row in faults if row["fault"] in ("leading_zeros_lost_in_id", "trailing_space_in_id")]
    assert {pseudonym(KEY, row["employee_id"]) for row in mended} <= roster
    assert "Non-binary" not in kept
