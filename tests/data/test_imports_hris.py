"""Files of HR systems come in as they are, and their spells come out as they were."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

import data.imports
from data.errors import RapportError
from data.imports.load import import_file
from data.imports.mapping import read_map
from data.imports.report import ImportReport
from data.imports.rows import REPEATED
from data.store.batches import list_quarantine
from data.store.employment import pseudonym, read_roster
from data.store.engine import Stores, reading
from data.tables import raw
from pipeline.business_case.roster import VOLUNTARY, find_spells

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
KEY = b"k" * 48
MAPS = Path(data.imports.__file__).parent / "maps"
SYSTEMS = ("bamboohr", "personio", "successfactors", "workday")

Bring = Callable[..., ImportReport]


@pytest.fixture
def bring(stores: Stores, tmp_path: Path) -> Bring:
    """Import a text with one of the maps that ship, and what is added to it."""

    def run(system: str, text: str, *, more: str = "", written_in: str = "utf-8", **options: Any) -> ImportReport:
        path, map_path = tmp_path / f"{system}.csv", tmp_path / "map.toml"
        path.write_text(text, encoding=written_in)
        map_path.write_text((MAPS / f"{system}.toml").read_text("utf-8") + more, encoding="utf-8")
        return import_file(stores, kind="employment", path=path, map_path=map_path, now=NOW, key=KEY, **options)

    return run


def told(stores: Stores) -> dict[str, list[tuple[str, ...]]]:
    """What is kept of each of the people with ids 000001 to 000009, without the id."""
    known = {pseudonym(KEY, f"00000{number}"): f"00000{number}" for number in range(1, 10)}
    with reading(stores.raw) as connection:
        roster = read_roster(connection)
    kept: dict[str, list[tuple[str, ...]]] = {}
    for row in roster.itertuples():
        days = ["" if pd.isna(day) else f"{day:%Y-%m-%d}" for day in (row.hired_on, row.valid_from, row.left_on)]
        kept.setdefault(known[row.employee_key], []).append((*days, row.leave_type, row.department, row.grade))
    return kept


def refused(stores: Stores) -> dict[int, str]:
    with reading(stores.raw) as connection:
        return {
            row.row_number: f"{row.column}: {row.reason}" if row.column else row.reason
            for row in list_quarantine(connection)
        }


WORKDAY = """\
All Workers,,,,,,,,,
Run as of,10/31/2026,,,,,,,,
Employee ID,Worker,Original Hire Date,Hire Date,Termination Date,Termination Category,\
Supervisory Organization,Location,Compensation Grade,Salary Band
000001,Ada,10/20/2021,10/20/2021,,,Finance,Bonn,G10,B4
2,Ben,06/13/2022,06/13/2025,01/24/2026,Voluntary,\u00a0finance  ,Bonn,G6,B6
000003 ,Cleo,01/01/2020,01/01/2020,12/31/9999,,FINANCE,Bonn,G6,B6
000004,Dan,01/01/2020,,,,IT,Bonn,G6,B6
000005,Eve,01/01/2020,02/30/2026,,,IT,Bonn,G6,B6
000006,Fay,01/01/2024,01/01/2024,12/31/2023,Voluntary,IT,Bonn,G6,B6
000007,Gus,01/01/2024,01/01/2024,,,IT,Bonn,G6,B6
000007,Gus,01/01/2024,01/01/2024,,,IT,Bonn,G6,B6
000008,Hal,01/01/2024,01/01/2024,,,IT,Bonn,G6,B6
000008,Hal,01/01/2024,01/01/2024,,,Sales,Bonn,G6,B6
000009,Ivo,01/01/2024,01/01/2024,2026-03-05,Involuntary,IT,Bonn,G6,B6
,,,,,,,,,
"""
SPELLING = """
[values.department]
"finance" = "Finance"
"""


def test_workday_is_one_row_a_worker_under_two_title_rows(stores: Stores, bring: Bring) -> None:
    report = bring("workday", "\ufeff" + WORKDAY, more=SPELLING)
    assert (report.rows, report.header, report.blank, report.accepted, report.quarantined) == (15, 3, 1, 6, 5)
    assert report.unknown_columns == ("Worker", "Original Hire Date", "Salary Band")
    assert refused(stores) == {
        7: "hired_on: empty",
        8: "hired_on: not a day of the calendar",
        9: "left_on before hired_on",
        12: REPEATED,
        13: REPEATED,
    }
    assert told(stores) == {
        "000001": [("2021-10-20", "2021-10-20", "", "", "Finance", "G10")],
        "000002": [("2025-06-13", "2025-06-13", "2026-01-24", "voluntary", "Finance", "G6")],
        "000003": [("2020-01-01", "2020-01-01", "", "", "Finance", "G6")],
        "000007": [("2024-01-01", "2024-01-01", "", "", "IT", "G6")],
        "000009": [("2024-01-01", "2024-01-01", "2026-03-05", "involuntary", "IT", "G6")],
    }


PERSONIO = """\
ID;Personalnummer;Vorname;Eintrittsdatum;Austrittsdatum;Letzter Arbeitstag;Art der Kündigung;\
Abteilung;Standort;Stufe;Konfession
8001;000001;Zoë;20.10.2021;24.01.2023;20.01.2023;Eigenkündigung;Finance;Łódź;G10;ev
8002;000001;Zoë;01.02.2024;31.12.9999;;;Finance;Łódź;G10;ev
8003;2;Jörg;13.06.2025;;;Kündigung durch Arbeitgeber;IT;Łódź;G6;rk
8004;000003;Ida;13.06.2025;2026-03-05;;Kündigung durch Arbeitgeber;IT;Łódź;G6;--
"""


def test_personio_is_one_row_a_contract_in_german(stores: Stores, bring: Bring) -> None:
    report = bring("personio", PERSONIO.replace("ë", "é"), written_in="cp1250")
    assert (report.rows, report.header, report.accepted) == (5, 1, 3)
    assert refused(stores) == {4: "a leave_type without left_on"}
    assert told(stores) == {
        "000001": [
            ("2021-10-20", "2021-10-20", "2023-01-24", "voluntary", "Finance", "G10"),  # a rehire is two spells
            ("2024-02-01", "2024-02-01", "", "", "Finance", "G10"),
        ],
        "000003": [("2025-06-13", "2025-06-13", "2026-03-05", "involuntary", "IT", "G6")],
    }
    with reading(stores.raw) as connection:
        kept = str([list(connection.execute(select(table))) for table in raw.sorted_tables])
    assert "Łódź" in kept
    assert not any(text in kept for text in ("Jörg", "'rk'", "'000001'"))


EVENTS_HEADER = """\
"userId","personIdExternal","startDate","endDate","seqNumber","event","eventReason","department","location","payGrade"
"User ID","Person ID","Start Date","End Date","Sequence","Event","Event Reason","Department","Location","Pay Grade"
"""


def events(text: str) -> str:
    """Rows "id startDate seq event reason department grade"."""
    lines = [line.split() for line in text.strip().splitlines()]
    table = [
        (id_, id_, day.strip("-"), "12/31/9999", sequence, event, reason, department, "Bonn", grade)
        for id_, day, sequence, event, reason, department, grade in lines
    ]
    return EVENTS_HEADER + "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in table)


def test_successfactors_is_one_row_a_change(stores: Stores, bring: Bring) -> None:
    text = """
        000001 04/06/2022 1 H NEWHIRE Sales G7
        000001 11/28/2024 1 26 TERVOL-RESIGNATION- Sales G7
        000001 11/23/2025 1 R REHIRE Sales G7
        000001 10/05/2026 2 8 PROMO Sales G8
        000001 10/05/2026 1 16 TRANSFER IT G7
        2 05/01/2024 1 H NEWHIRE IT G5
        2 06/01/2024 1 5 DATACHG Legal G5
        2 06/01/2024 1 5 DATACHG Legal G5
        2 07/01/2024 1 26 TERINV-DISMISSAL Legal G5
        2 08/01/2024 1 5 DATACHG Finance G5
        3 05/01/2024 1 H NEWHIRE IT G5
        3 06/01/2024 1 26 VOLUNTARY IT G5
        3 06/01/2024 1 R REHIRE IT G5
    """
    report = bring("successfactors", events(text))
    assert (report.rows, report.header, report.accepted, report.quarantined) == (15, 2, 13, 0)
    assert told(stores) == {
        "000001": [
            ("2022-04-06", "2022-04-06", "2024-11-27", "voluntary", "Sales", "G7"),  # the day before the event
            ("2022-04-06", "2024-11-28", "2024-11-27", "voluntary", "Sales", "G7"),
            ("2025-11-23", "2025-11-23", "", "", "Sales", "G7"),
            ("2025-11-23", "2026-10-05", "", "", "Sales", "G8"),  # the later of two changes on one day
        ],
        "000002": [
            ("2024-05-01", "2024-05-01", "2024-06-30", "involuntary", "IT", "G5"),
            ("2024-05-01", "2024-06-01", "2024-06-30", "involuntary", "Legal", "G5"),
            ("2024-05-01", "2024-07-01", "2024-06-30", "involuntary", "Legal", "G5"),
            ("2024-05-01", "2024-08-01", "2024-06-30", "involuntary", "Finance", "G5"),  # changed after the leave
        ],
        "000003": [
            ("2024-05-01", "2024-05-01", "2024-05-31", "voluntary", "IT", "G5"),
            ("2024-05-01", "2024-06-01", "2024-05-31", "voluntary", "IT", "G5"),
            ("2024-06-01", "2024-06-01", "", "", "IT", "G5"),  # two events of one day stand as in the file
        ],
    }
    again = bring("successfactors", events(text))
    assert (again.accepted, again.changed) == (13, 0)


CONTRADICTING = "the events of this person contradict one another"
PLACELESS = "another hire or leave of this person has no usable row"
DISMISSED = "26 TERINV-DISMISSAL IT G5"


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        # A change without a day costs itself only; a hire or a leave without one costs the person's history.
        ("1 01/01/2024 1 H X IT G5\n1 - 1 8 X IT G6", {4: "valid_from: empty"}),
        (
            f"1 01/01/2024 1 H X IT G5\n1 02/30/2025 1 {DISMISSED}",
            {3: PLACELESS, 4: "valid_from: not a day of the calendar"},
        ),
        ("1 - 1 H X IT G5\n1 01/01/2025 1 8 X IT G6", {3: "valid_from: empty", 4: PLACELESS}),
        (
            "1 01/01/2024 1 H X IT G5\n1 01/01/2025 1 26 TERNEW IT G5",
            {3: PLACELESS, 4: "leave_type: not one of voluntary, involuntary, other"},
        ),
        # What nobody can put in order is not put in order.
        ("1 01/01/2024 1 8 X IT G5", {3: CONTRADICTING}),
        ("1 01/01/2024 1 H X IT G5\n1 01/01/2025 1 R X IT G6", dict.fromkeys((3, 4), CONTRADICTING)),
        (
            f"1 01/01/2024 1 H X IT G5\n1 01/01/2025 1 {DISMISSED}\n1 01/01/2026 1 {DISMISSED}",
            dict.fromkeys((3, 4, 5), CONTRADICTING),
        ),
        ("1 01/01/2024 1 H X IT G5\n1 01/01/2024 1 H X Sales G5", dict.fromkeys((3, 4), REPEATED)),
        (
            f"1 01/01/2023 1 H X IT G5\n1 01/01/2024 1 {DISMISSED}\n1 01/01/2024 1 26 TERVOL-RETIREMENT IT G5",
            dict.fromkeys((4, 5), REPEATED),
        ),
        (f"1 01/01/2024 1 H X IT G5\n1 01/01/2024 2 {DISMISSED}", dict.fromkeys((3, 4), "left_on before hired_on")),
    ],
)
def test_changes_that_make_no_history_are_refused(
    stores: Stores, bring: Bring, text: str, reasons: dict[int, str]
) -> None:
    report = bring("successfactors", events(text + "\n000009 01/01/2024 1 H NEWHIRE IT G5"))
    assert refused(stores) == reasons
    with reading(stores.raw) as connection:
        kept = {name for row in list_quarantine(connection) for name in row.cells}
    assert kept == {"employee_key", "valid_from", "leave_type", "department", "location", "grade"}
    assert report.accepted + report.quarantined + report.header == report.rows
    assert told(stores)["000009"] == [("2024-01-01", "2024-01-01", "", "", "IT", "G5")]
    assert ("000001" in told(stores)) == (len(reasons) < len(text.splitlines()))


BAMBOO = "Employee #,Hire Date,Termination Date,Termination Type,Department,Location,Job Level,Gender\n"


def snapshot(day: str) -> str:
    return f"[snapshot]\nas_of = {day}\n"


def test_snapshots_in_a_row_keep_what_was_and_say_since_when_it_is_other(stores: Stores, bring: Bring) -> None:
    first = "000001,20/10/2021,,,IT,Bonn,G5,x\n000002,01/09/2026,,,IT,Bonn,G5,x\n000003,01/01/2020,,,IT,Bonn,G5,x\n"
    second = first.replace("000001,20/10/2021,,,IT", "000001,20/10/2021,,,Sales")
    third = second.replace("000003,01/01/2020,,", "000003,01/01/2020,15/10/2026,Resignation (Voluntary)")
    changed = [
        bring("bamboohr", BAMBOO + text, more=snapshot(day)).changed
        for text, day in ((first, "2026-08-31"), (first, "2026-08-31"), (second, "2026-09-30"), (third, "2026-10-31"))
    ]
    assert changed == [3, 0, 1, 1]
    assert told(stores) == {
        "000001": [
            ("2021-10-20", "2026-08-31", "", "", "IT", "G5"),
            ("2021-10-20", "2026-09-30", "", "", "Sales", "G5"),
        ],
        "000002": [("2026-09-01", "2026-09-01", "", "", "IT", "G5")],  # hired after the report
        "000003": [("2020-01-01", "2026-08-31", "2026-10-15", "voluntary", "IT", "G5")],
    }


def test_a_snapshot_that_is_corrected_is_corrected_and_its_own_days_hold(stores: Stores, bring: Bring) -> None:
    row = "000001,20/10/2021,,,{},Bonn,G5,{}\n"
    for department, day in (("IT", "2026-08-31"), ("Sales", "2026-09-30"), ("IT", "2026-09-30")):
        bring("bamboohr", BAMBOO + row.format(department, "x"), more=snapshot(day))
    assert told(stores) == {
        "000001": [("2021-10-20", "2026-08-31", "", "", "IT", "G5"), ("2021-10-20", "2026-09-30", "", "", "IT", "G5")]
    }
    since = BAMBOO.replace("Gender", "valid_from")
    bring("bamboohr", since + row.format("Legal", "15/10/2026"), more=snapshot("2026-10-31"))
    assert told(stores)["000001"][2] == ("2021-10-20", "2026-10-15", "", "", "Legal", "G5")


def test_a_snapshot_without_its_day_rewrites_the_past(stores: Stores, bring: Bring) -> None:
    """Which is why a map can say the day: today's grade is no covariate of last year's trial."""
    bring("bamboohr", BAMBOO + "000001,20/10/2021,,,IT,Bonn,G5,x\n")
    bring("bamboohr", BAMBOO + "000001,20/10/2021,,,Sales,Bonn,G6,x\n")
    assert told(stores) == {"000001": [("2021-10-20", "2021-10-20", "", "", "Sales", "G6")]}


def test_a_dry_run_counts_the_same_and_writes_nothing(stores: Stores, bring: Bring) -> None:
    text = events("000001 04/06/2022 1 H NEWHIRE Sales G7\n000002 - 1 H NEWHIRE Sales G7")
    dry = bring("successfactors", text, dry_run=True)
    assert (dry.batch, told(stores)) == (None, {})
    wet = bring("successfactors", text)
    assert (dry.accepted, dry.quarantined, dry.reasons) == (wet.accepted, wet.quarantined, wet.reasons) == (
        1, 1, {"valid_from: empty": 1},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("[snapshot]\nas_of = '2026-10-31'\n", "needs as_of"),
        ("[snapshot]\nas_of = 2026-10-31T08:00:00\n", "needs as_of"),
        ("[snapshot]\nday = 2026-10-31\n", "has day, which is not known"),
        ("[events]\ncolumn = 'e'\nhired = ['H']\n", "needs left"),
        ("[events]\ncolumn = 'e'\nhired = ['H']\nleft = ['h']\n", "not both"),
        ("[events]\nhired = ['H']\nleft = ['26']\n", "expected a column"),
        ("events = 3\n", "expected a table"),
    ],
)
def test_a_map_that_says_it_badly_is_one_sentence(tmp_path: Path, more: str, sentence: str) -> None:
    (tmp_path / "map.toml").write_text(more, encoding="utf-8")
    with pytest.raises(RapportError, match=sentence):
        read_map(tmp_path / "map.toml")


def test_only_employment_has_changes_and_snapshots(stores: Stores, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("person_id,name\n1,Ada\n", encoding="utf-8")
    (tmp_path / "map.toml").write_text("[snapshot]\nas_of = 2026-10-31\n", encoding="utf-8")
    with pytest.raises(RapportError, match="Only a map for employment"):
        import_file(
            stores, kind="people", path=tmp_path / "people.csv", map_path=tmp_path / "map.toml", now=NOW, key=KEY
        )


def test_every_map_that_ships_can_be_read() -> None:
    assert sorted(path.stem for path in MAPS.glob("*.toml")) == sorted(SYSTEMS)
    for system in SYSTEMS:
        assert "person_id" in read_map(MAPS / f"{system}.toml").columns.values()


# --- against the sample exports ------------------------------------------------------------------------

HRIS = Path(__file__).parents[3] / "shared" / "samples" / "hris"
AS_OF = date(2026, 10, 31)
needs_samples = pytest.mark.skipif(not HRIS.exists(), reason="the sample exports of HR systems are not beside this")
DEPARTMENTS = (
    "Sales", "IT", "Vertrieb & Service", "R&D, Labs", "Finance", "Operations", "Legal", "Engineering",
    "Human Resources",
)  # fmt: skip
SPELLINGS = {"vertrieb und service": "Vertrieb & Service", "rundd labs": "R&D, Labs"}
FILES = {
    "workday_workers.csv": ("workday", ""),
    "successfactors_jobinfo_events.csv": ("successfactors", ""),
    "personio_mitarbeitende.csv": ("personio", ""),
    **{f"bamboohr_snapshot_2026-{month}.csv": ("bamboohr", f"2026-{month}-{day}") for month, day in
       (("08", "31"), ("09", "30"), ("10", "31"))},
}  # fmt: skip
LEAVES = {"": "", "Voluntary": "voluntary", "Involuntary": "involuntary"}
REFUSED = ("conflicting_duplicate", "hire_date_missing", "impossible_date", "termination_before_hire")


def brought(stores: Stores, tmp_path: Path, name: str) -> ImportReport:
    """One sample file, with the map that ships and what somebody who knows the company adds to it."""
    system, day = FILES[name]
    spellings = {**{department.lower(): department for department in DEPARTMENTS}, **SPELLINGS}
    more = "\n[values.department]\n" + "".join(f'"{theirs}" = "{ours}"\n' for theirs, ours in spellings.items())
    more += f"[snapshot]\nas_of = {day}\n" if day else ""
    (tmp_path / "map.toml").write_text((MAPS / f"{system}.toml").read_text("utf-8") + more, encoding="utf-8")
    return import_file(
        stores, kind="employment", path=HRIS / name, map_path=tmp_path / "map.toml", now=NOW, key=KEY
    )  # fmt: skip


def table(name: str) -> list[dict[str, str]]:
    with (HRIS / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def planted(name: str) -> dict[str, set[int]]:
    """The records of a file in which each fault stands."""
    records: dict[str, set[int]] = {}
    for row in table("truth_faults.csv"):
        if row["file"] == name:
            records.setdefault(row["fault"], set()).add(int(row["record"]))
    return records


def people_refused(*names: str) -> set[str]:
    return {row["employee_id"] for row in table("truth_faults.csv") if row["file"] in names and row["fault"] in REFUSED}


Kept = dict[tuple[str, str], tuple[str, ...]]


def true_spells(*, retirement: str = "voluntary", known_on: date = date.max) -> Kept:
    """Person and day of hiring → last day, kind of leave, department, location and grade, as known on a day."""
    spells: Kept = {}
    for row in table("truth_employees.csv"):
        kind = retirement if row["end_reason"] == "Retirement" else LEAVES[row["end_category"]]
        end = (row["end_date"], kind) if row["end_date"] <= known_on.isoformat() else ("", "")
        told = (*end, row["department"], row["location"], row["grade"])
        spells[pseudonym(KEY, row["employee_id"]), row["hire_date"]] = told
    return spells


def kept_spells(stores: Stores) -> Kept:
    """The same, of what is kept: of several rows of one spell the last."""
    with reading(stores.raw) as connection:
        roster = read_roster(connection)
    spells: Kept = {}
    for row in roster.sort_values("valid_from").itertuples():
        left_on = "" if pd.isna(row.left_on) else f"{row.left_on:%Y-%m-%d}"
        told = (left_on, row.leave_type, row.department, row.location, row.grade)
        spells[row.employee_key, f"{row.hired_on:%Y-%m-%d}"] = told
    return spells


COUNTED = {  # rows, header, accepted, quarantined
    "workday_workers.csv": (2016, 3, 1992, 21),
    "successfactors_jobinfo_events.csv": (2825, 2, 2805, 18),
    "personio_mitarbeitende.csv": (2055, 1, 2033, 21),
    "bamboohr_snapshot_2026-08.csv": (1757, 1, 1735, 21),
    "bamboohr_snapshot_2026-09.csv": (1755, 1, 1733, 21),
    "bamboohr_snapshot_2026-10.csv": (1749, 1, 1727, 21),
}


@needs_samples
@pytest.mark.parametrize("name", FILES)
def test_every_row_of_a_sample_export_is_accounted_for(sqlite_stores: Stores, tmp_path: Path, name: str) -> None:
    report = brought(sqlite_stores, tmp_path, name)
    assert (report.rows, report.header, report.accepted, report.quarantined) == COUNTED[name]
    assert report.blank == 0
    faults, reasons = planted(name), refused(sqlite_stores)
    conflicting = {row for row, reason in reasons.items() if reason == REPEATED}
    carried = {row for row, reason in reasons.items() if reason == PLACELESS}
    assert conflicting == faults["conflicting_duplicate"]
    impossible = faults["hire_date_missing"] | faults["impossible_date"] | faults.get("termination_before_hire", set())
    assert set(reasons) - conflicting - carried == impossible
    assert len(carried) == (2 if name.startswith("successfactors") else 0)
    with reading(sqlite_stores.raw) as connection:
        kept = str([list(connection.execute(select(table))) for table in raw.sorted_tables])
    assert not any(f"'{value}'" in kept for value in ("Non-binary", "Female", "PL", "B4", "ev", "rk", "000111"))
    assert "Łódź" in kept


@needs_samples
@pytest.mark.parametrize(
    ("name", "n_lost"),
    [("personio_mitarbeitende.csv", 16), ("successfactors_jobinfo_events.csv", 6), ("workday_workers.csv", 57)],
)
def test_spells_of_a_sample_export_come_out_as_they_were(
    sqlite_stores: Stores, tmp_path: Path, name: str, n_lost: int
) -> None:
    """All but those of rows refused; and a report of today, such as Workday's, holds no spell before a rehire."""
    brought(sqlite_stores, tmp_path, name)
    kept = kept_spells(sqlite_stores)
    truth = true_spells()
    if name.startswith("successfactors"):  # retiring has a code of its own; a leave that is ahead is no event yet
        truth = true_spells(retirement="other", known_on=AS_OF)
    rehired = {spell for spell in truth if any(spell[0] == other[0] and spell[1] < other[1] for other in truth)}
    assert (len(truth), len(rehired)) == (2041, 41)
    assert {spell: told for spell, told in kept.items() if truth[spell] != told} == {}
    missing = set(truth) - set(kept)
    excused = {pseudonym(KEY, id_) for id_ in people_refused(name)}
    unexcused = {spell for spell in missing if spell[0] not in excused}
    assert len(missing) == n_lost
    assert unexcused == ({spell for spell in rehired if spell[0] not in excused} if "workday" in name else set())


@needs_samples
def test_three_snapshots_in_a_row_hold_who_was_there_and_who_left_since(sqlite_stores: Stores, tmp_path: Path) -> None:
    """A fault of one report is mended by the next; who had left 400 days before is in none; and the one whose leave
    stands in a refused row is kept as in service until that row is mended."""
    for name in sorted(name for name in FILES if name.startswith("bamboohr")):
        brought(sqlite_stores, tmp_path, name)
    truth, kept = true_spells(known_on=AS_OF), kept_spells(sqlite_stores)
    wrong = {spell[0] for spell, told in kept.items() if truth[spell] != told}
    assert wrong == {pseudonym(KEY, "011433")}
    assert "011433" in people_refused("bamboohr_snapshot_2026-10.csv")
    long_gone = {spell for spell, told in truth.items() if told[0] and told[0] < "2025-07-27"}
    assert set(truth) - set(kept) <= long_gone
    with reading(sqlite_stores.raw) as connection:
        roster = read_roster(connection)
    assert len(roster) == len(kept)  # nobody moved, so three reports are one row a spell
    spells = find_spells(employment=roster, ends=AS_OF)
    assert (len(spells.rows), dict(spells.notes)) == (len(kept), {})
    assert (spells.rows["leave"] == VOLUNTARY).sum() == sum(told[1] == "voluntary" for told in kept.values())
