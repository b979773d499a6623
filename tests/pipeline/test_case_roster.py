"""The roster holds everyone eligible, month by month, and says what did not fit together."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.errors import RapportError
from pipeline.business_case import panel as panels
from pipeline.business_case import roster, waves
from pipeline.business_case.panel import Panel, monthly_panel
from pipeline.business_case.roster import find_enrolment, find_spells
from pipeline.business_case.waves import engagement_waves

BEGINS, ENDS = date(2025, 1, 1), date(2025, 6, 30)


def employment(text: str) -> pd.DataFrame:
    """Rows "who hired_on left_on leave_type [department [valid_from]]"; "-" is nothing."""
    rows = [line.split() for line in text.strip().splitlines()]
    rows = [[*row, *["-"] * (6 - len(row))] for row in rows]
    table = pd.DataFrame(
        rows, columns=["employee_key", "hired_on", "left_on", "leave_type", "department", "valid_from"]
    )
    table = table.replace("-", "")
    table["valid_from"] = table["valid_from"].where(table["valid_from"] != "", table["hired_on"])
    for name in ("hired_on", "left_on", "valid_from"):
        table[name] = pd.to_datetime(table[name].replace("", None)).astype("datetime64[s]")
    return table.assign(location="Bonn", grade="G1").astype({"employee_key": "str", "location": "str", "grade": "str"})


def enrolment(text: str) -> pd.DataFrame:
    """Rows "mentor mentee started_on"."""
    rows = [line.split() for line in text.strip().splitlines()]
    return find_enrolment(pd.DataFrame(rows, columns=["mentor", "mentee", "started_on"]))


ADA_MENTORS_BEN = enrolment("Ada Ben 2025-03-10")


def panel_of(text: str, enrolled: pd.DataFrame = ADA_MENTORS_BEN, **options: object) -> Panel:
    return monthly_panel(**{
        "employment": employment(text), "enrolment": enrolled, "begins": BEGINS, "ends": ENDS, **options,
    })  # fmt: skip


def months(panel: Panel, person: str, column: str) -> str:
    """What a column says of a person, a sign a month."""
    said = panel.rows.loc[panel.rows["person"] == person, column]
    return "".join(str(int(value)) for value in said)


COMPANY = """
Ada 2019-05-01
Ben 2024-11-15 2025-05-20 voluntary
Cleo 2025-02-10 2025-03-31 involuntary
Dan 2025-03-01
Eve 2020-01-01 2024-12-31 voluntary
"""


def test_the_panel_says_of_everyone_what_held_on_the_first_of_each_month():
    panel = panel_of(COMPANY)
    assert (panel.first_month, panel.n_months, panel.notes, panel.reason) == (date(2025, 1, 1), 6, {}, "")
    assert list(panel.rows["person"].unique()) == ["Ada", "Ben", "Cleo", "Dan"]  # Eve left the day before
    assert list(panel.rows["month"]) == list(range(6)) * 4
    told = {
        person: [months(panel, person, name) for name in ("employed", "enrolled", "enrols", "eligible", "exit")]
        for person in ("Ada", "Ben", "Cleo", "Dan")
    }
    assert told == {
        "Ada": ["111111", "000000", "000000", "111111", "000000"],
        "Ben": ["111110", "000111", "000100", "111100", "000010"],  # started 10 March: counted from 1 April
        "Cleo": ["001000", "000000", "000000", "001000", "002000"],  # her last day is the month's last
        "Dan": ["001111", "000000", "000000", "001111", "000000"],  # hired on the first: in service that day
    }
    assert months(panel, "Ben", "tenure_months") == "123450"
    assert months(panel, "Dan", "tenure_months") == "000123"
    assert (months(panel, "Ada", "is_mentor"), months(panel, "Ada", "mentors")) == ("000111", "000100")


@pytest.mark.parametrize(
    ("started", "enrols", "note"),
    [
        ("2025-03-01", "001000", {}),  # on the first of a month: counted from that day
        ("2025-03-31", "000100", {}),
        ("2024-12-31", "100000", {}),
        ("2024-11-30", "000000", {}),  # enrolled before the first month: never at risk of enrolling
        ("2025-05-19", "000001", {panels.NOT_COUNTED: 1}),  # gone on 20 May, so never seen as enrolled in service
        ("2025-05-20", "000001", {panels.NOT_COUNTED: 1}),  # the last day of service is a day of service
        ("2025-05-21", "000001", {panels.NOT_COUNTED: 1, panels.NOT_IN_SERVICE: 1}),
    ],
)
def test_nobody_is_given_days_that_only_those_who_enrol_could_survive(
    started: str, enrols: str, note: dict[str, int]
) -> None:
    panel = panel_of(COMPANY, enrolment(f"Ada Ben {started}"))
    assert months(panel, "Ben", "enrols") == enrols
    assert panel.notes == note
    at_risk = panel.rows[panel.rows["enrols"] & panel.rows["eligible"]]
    assert at_risk["employed"].all()
    assert len(at_risk) == (0 if "2025-05" in started or "2024-11" in started else 1)


def test_an_exit_in_the_month_of_enrolment_counts_in_the_months_before_it():
    """Ben enrols on 10 March and leaves on 28 March: an exit, of someone not yet counted as enrolled."""
    panel = panel_of("Ada 2019-05-01\nBen 2024-01-01 2025-03-28 voluntary\nDan 2020-01-01")
    assert (months(panel, "Ben", "exit"), months(panel, "Ben", "enrols")) == ("001000", "000100")
    assert panel.notes == {panels.NOT_COUNTED: 1}


def test_a_rehire_is_a_new_spell_and_a_renewed_contract_is_none():
    panel = panel_of("""
        Ada 2019-05-01
        Ben 2024-01-01 2025-01-20 voluntary
        Ben 2025-04-01
        Dan 2024-01-01 2025-01-31 other
        Dan 2025-02-01
    """)
    assert (months(panel, "Ben", "employed"), months(panel, "Ben", "exit")) == ("100111", "100000")
    assert list(panel.rows.loc[panel.rows["person"] == "Ben", "tenure_months"]) == [12, 0, 0, 0, 1, 2]
    assert (months(panel, "Dan", "employed"), months(panel, "Dan", "exit")) == ("111111", "000000")
    assert list(panel.rows.loc[panel.rows["person"] == "Dan", "tenure_months"])[-1] == 17
    assert panel.notes == {roster.RENEWED: 1, panels.NOT_IN_SERVICE: 1}


def test_what_has_not_happened_by_the_end_of_the_data_has_not_happened():
    panel = panel_of("Ada 2019-05-01\nBen 2024-01-01 2025-07-01 voluntary\nCleo 2025-07-02")
    assert months(panel, "Ben", "exit") == "000000"
    assert panel.notes == {roster.STILL_AHEAD: 1}
    assert set(panel.rows["person"]) == {"Ada", "Ben"}
    on_the_last_day = panel_of("Ada 2019-05-01\nBen 2024-01-01 2025-06-30 voluntary\nCleo 2020-01-01")
    assert (months(on_the_last_day, "Ben", "exit"), on_the_last_day.notes) == ("000001", {})
    text = "Ada 2019-05-01\nBen 2024-01-01 2025-06-10 voluntary\nCleo 2025-07-02"
    to_mid_june = panel_of(text, ends=date(2025, 6, 29))
    assert to_mid_june.n_months == 5  # June is not whole, so what happened in it is not in the panel
    assert months(to_mid_june, "Ben", "exit") == "00000"
    early = find_spells(employment=employment(text), ends=date(2025, 6, 9)).rows
    assert list(early["person"]) == ["Ada", "Ben"]
    assert early["left_on"].isna().all()


def test_the_first_of_several_pairings_counts_on_each_side():
    found = enrolment("Ada Ben 2025-03-10\nCleo Ben 2025-01-10\nBen Dan 2025-02-10")
    told = {(row.person, row.side): f"{row.started_on:%m-%d}" for row in found.itertuples()}
    assert told == {
        ("Ada", "mentor"): "03-10", ("Ben", "mentee"): "01-10", ("Ben", "mentor"): "02-10", ("Cleo", "mentor"): "01-10",
        ("Dan", "mentee"): "02-10",
    }  # fmt: skip


def test_spells_that_cannot_both_be_true_are_counted_and_not_used():
    text = """
        Ada 2019-05-01
        Ben 2024-01-01
        Ben 2025-02-01
        Cleo 2020-01-01 2025-03-15 other
        Cleo 2025-03-15
        Dan 2020-01-01
    """
    panel = panel_of(text)
    assert set(panel.rows["person"]) == {"Ada", "Dan"}
    assert panel.notes[roster.OVERLAP] == 2


def test_the_latest_row_of_a_spell_says_whether_its_person_leaves():
    text = """
        Ada 2019-05-01
        Ben 2024-01-01 2025-02-28 voluntary IT 2024-01-01
        Ben 2024-01-01 - - Sales 2025-03-02
        Dan 2024-01-01 - - IT 2024-01-01
        Dan 2024-01-01 2025-04-30 - IT 2025-04-30
    """
    panel = panel_of(text)
    assert months(panel, "Ben", "exit") == "000000"  # an announced leave that was withdrawn
    assert months(panel, "Dan", "exit") == "000200"  # a leave without its kind is not called voluntary
    assert panel.notes == {roster.UNKNOWN_LEAVE: 1}
    assert list(panel.rows.loc[panel.rows["person"] == "Ben", "department"]) == ["IT"] * 3 + ["Sales"] * 3
    assert panel.rows["department"].dtype == "category"


def test_attributes_are_those_of_the_month_and_not_of_today():
    text = """
        Ada 2019-05-01
        Ben 2020-01-01 - - IT 2020-01-01
        Ben 2020-01-01 - - Sales 2025-02-01
        Ben 2020-01-01 - - Legal 2025-03-15
        Ben 2020-01-01 - - Finance 2025-03-20
        Cleo 2020-01-01 2025-02-01 other IT 2025-02-01
        Dan 2020-01-01
    """
    panel = panel_of(text)
    of = {person: list(rows) for person, rows in panel.rows.groupby("person")["department"]}
    assert of["Ben"] == ["IT", "Sales", "Sales", "Finance", "Finance", "Finance"]
    assert of["Cleo"] == ["IT", "IT", "", "", "", ""]  # known from February; out of service after
    assert of["Dan"] == [""] * 6
    assert panel.notes == {panels.KNOWN_LATER: 1}


def test_who_may_enrol_is_a_matter_of_tenure_and_of_whom_it_is_offered_to():
    assert months(panel_of(COMPANY, min_tenure_months=2), "Dan", "eligible") == "000011"
    assert months(panel_of(COMPANY, min_tenure_months=2), "Ben", "eligible") == "011100"
    assert not panel_of(COMPANY, offered_to={"grade": ["G2"]}).rows["eligible"].any()
    bonn = panel_of(COMPANY, offered_to={"grade": ["G1", "G2"], "location": ["Bonn"]})
    assert months(bonn, "Dan", "eligible") == "001111"
    with pytest.raises(RapportError, match="cannot be offered by salary"):
        panel_of(COMPANY, offered_to={"salary": ["high"]})


def test_without_people_outside_or_inside_there_is_no_panel_to_estimate_from():
    assert panel_of("Ada 2019-05-01\nBen 2024-01-01").reason == panels.NO_ONE_OUTSIDE
    assert panel_of("Cleo 2019-05-01\nDan 2024-01-01").reason == panels.NO_ONE_INSIDE
    assert panel_of("Cleo 2019-05-01\nDan 2024-01-01").notes == {panels.NOT_IN_FILE: 2}
    assert panel_of(COMPANY, ends=date(2025, 1, 30)).reason == panels.NO_WHOLE_MONTH
    nobody = panel_of("Ada 2030-01-01")
    assert (len(nobody.rows), nobody.reason) == (0, panels.NO_ONE_INSIDE)
    with pytest.raises(RapportError, match="has no column left_on"):
        find_spells(employment=employment(COMPANY).drop(columns="left_on"), ends=ENDS)


def test_the_panel_agrees_with_a_day_by_day_reading():
    """Each cell against a slow reading of a random company, straight from the definitions."""
    rng = np.random.default_rng(5)
    lines = ["Ada 2019-05-01"]
    for number in range(80):
        hired = np.datetime64("2024-06-01") + rng.integers(0, 400)
        left = hired + rng.integers(0, 300)
        lines.append(f"P{number:02d} {hired} {left} {rng.choice(['voluntary', 'other'])}")
    started = {f"P{number:02d}": np.datetime64("2024-12-01") + rng.integers(0, 200) for number in range(0, 80, 3)}
    enrolled = enrolment("\n".join(f"Ada {person} {day}" for person, day in started.items()))
    panel = panel_of("\n".join(lines), enrolled)
    spells = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    for row in panel.rows[panel.rows["person"] != "Ada"].itertuples():
        hired, left, kind = spells[row.person]
        first = np.datetime64("2025-01") + row.month
        day, after = (moment.astype("datetime64[D]") for moment in (first, first + 1))
        employed = np.datetime64(hired) <= day <= np.datetime64(left)
        leaves = employed and day <= np.datetime64(left) < after
        assert row.employed == employed
        assert row.exit == (leaves * (1 if kind == "voluntary" else 2))
        assert row.enrolled == (row.person in started and started[row.person] <= day)
        assert row.enrols == (row.enrolled and started[row.person] > (first - 1).astype("datetime64[D]"))
    expected = sum(
        any(np.datetime64(h) <= np.datetime64(f"2025-0{m}-01") <= np.datetime64(end) for m in range(1, 7))
        for h, end, _ in spells.values()
    )
    assert panel.rows["person"].nunique() == expected + 1


# --- engagement ---------------------------------------------------------------------------------------

SCORES = """
Ada 2024-01-10 4
Ben 2024-01-12 3
Ben 2025-01-20 5
Cleo 2024-02-01 2
Cleo 2025-02-10 1
Dan 2025-01-15 4
Dan 2026-01-15 2
Eve 2024-01-15 3
Eve 2024-01-17 4
Eve 2025-01-15 4
"""


def scores(text: str = SCORES) -> pd.DataFrame:
    rows = [line.split() for line in text.strip().splitlines()]
    table = pd.DataFrame(rows, columns=["employee_key", "measured_on", "score"]).assign(scale_max=5.0)
    return table.astype({"measured_on": "datetime64[s]", "score": float, "employee_key": "str"})


STAFF = """
Ada 2019-05-15 - - IT 2019-05-15
Ada 2019-05-15 - - Legal 2024-01-10
Ben 2022-01-13 - - IT 2022-01-13
Ben 2022-01-13 - - Sales 2024-06-01
Cleo 2024-01-01 - - HR 2025-01-01
Dan 2025-01-01 - - IT
"""


def test_waves_are_scores_taken_close_together_and_treatment_is_by_the_day_of_the_answer():
    enrolled = enrolment("Ada Ben 2025-01-16\nAda Cleo 2024-02-01\nAda Dan 2026-02-01")
    asked = engagement_waves(engagement=scores(), enrolment=enrolled, employment=employment(STAFF))
    assert asked.opened_on == (date(2024, 1, 10), date(2025, 1, 15), date(2026, 1, 15))
    rows = asked.rows.set_index(["person", "wave"])
    assert rows["score"].to_dict() == {
        ("Ada", 1): 80, ("Ben", 1): 60, ("Ben", 2): 100, ("Cleo", 1): 40, ("Cleo", 2): 20, ("Dan", 2): 80,
        ("Dan", 3): 40, ("Eve", 1): 70, ("Eve", 2): 80,
    }  # fmt: skip
    first = rows["first_treated"].groupby("person").agg(set).to_dict()
    # Ben answered on the 20th; Cleo on her first day; Dan came after the last wave; Ada is a mentor only.
    assert first == {"Ada": {0}, "Ben": {2}, "Cleo": {1}, "Dan": {4}, "Eve": {0}}
    assert asked.notes == {waves.NOT_EMPLOYED: 1, waves.TREATED_FIRST: 1}
    assert asked.reason == ""
    known = asked.rows.drop_duplicates("person").set_index("person")
    assert known["department"].to_dict() == {"Ada": "Legal", "Ben": "IT", "Cleo": "HR", "Dan": "IT", "Eve": ""}
    assert known["tenure_months"].fillna(-1).to_dict() == {"Ada": 55, "Ben": 23, "Cleo": 1, "Dan": 0, "Eve": -1}


def test_engagement_that_cannot_be_compared_says_so():
    nobody = enrolment("Ada Zoe 2024-06-01")
    everybody = enrolment("\n".join(f"Zoe {name} 2024-06-01" for name in ("Ada", "Ben", "Cleo", "Dan", "Eve")))
    too_late = enrolment("Ada Ben 2026-06-01")
    for enrolled, expected in (
        (nobody, waves.NO_ONE_AFTER), (too_late, waves.NO_ONE_AFTER), (everybody, waves.ONLY_MENTEES),
    ):  # fmt: skip
        table = engagement_waves(engagement=scores(), enrolment=enrolled, employment=employment(STAFF))
        assert table.reason == expected
    once = engagement_waves(
        engagement=scores("Ada 2024-01-10 4\nBen 2024-01-12 3"), enrolment=everybody, employment=employment(STAFF)
    )
    assert once.reason == waves.ONE_WAVE
