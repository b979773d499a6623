"""The larger company holds the effects that it says, hidden behind the selection and the immortal time that it says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.demo.truth import WorkforceTruth
from data.demo.workforce import (
    DEPARTMENTS,
    GRADES,
    LOCATIONS,
    MENTEE_GRADES,
    MIN_TENURE_MONTHS,
    Staff,
    enrolment_chance,
    true_effect,
)
from data.demo.workforce_tables import Workforce, make_workforce
from data.imports.load import import_file
from data.store.employment import read_engagement, read_roster
from data.store.engine import Stores, reading
from pipeline.business_case.panel import monthly_panel
from pipeline.business_case.roster import VOLUNTARY, find_enrolment
from pipeline.business_case.waves import engagement_waves

TODAY = date(2026, 11, 22)
HORIZON = 12
TRUTH = WorkforceTruth()


def made(truth: WorkforceTruth = TRUTH, people: int = 20_000, seed: int = 1) -> Workforce:
    return make_workforce(today=TODAY, rng=np.random.default_rng(seed), people=people, truth=truth)


def roster_of(workforce: Workforce) -> pd.DataFrame:
    """Employment as the store gives it back, with the ids themselves for pseudonyms."""
    rows = workforce.employment.rename(columns={"person_id": "employee_key"})
    for name in ("hired_on", "left_on", "valid_from"):
        rows[name] = pd.to_datetime(rows[name]).astype("datetime64[s]")
    return rows.fillna({"leave_type": ""}).astype({"leave_type": "str"})


def enrolment_of(workforce: Workforce) -> pd.DataFrame:
    return find_enrolment(workforce.pairings.rename(columns={"mentor_id": "mentor", "mentee_id": "mentee"}))


def panel_of(workforce: Workforce) -> pd.DataFrame:
    panel = monthly_panel(
        employment=roster_of(workforce),
        enrolment=enrolment_of(workforce),
        begins=workforce.begins,
        ends=workforce.ends,
        min_tenure_months=MIN_TENURE_MONTHS,
        offered_to={"grade": MENTEE_GRADES},
    )
    assert panel.reason == ""
    assert panel.n_months == 48
    return panel.rows


def trials(workforce: Workforce, kind: int = VOLUNTARY, staff: Staff | None = None) -> pd.DataFrame:
    """One row a person and month in which the person could have enrolled: `enrols`, `left` within twelve months by an
    exit of a kind, and the true `chance` of enrolling, which no real evaluator knows (of `staff`, where given)."""
    rows = panel_of(workforce)
    n_months = 48
    exits = (rows["exit"].to_numpy() == kind).reshape(-1, n_months).astype(int)
    until = np.concatenate([np.zeros((len(exits), 1), int), exits.cumsum(axis=1)], axis=1)
    left = until[:, HORIZON:] - until[:, :-HORIZON]
    asked = (
        rows["eligible"].to_numpy() & (rows["month"] > 0).to_numpy() & (rows["month"] <= n_months - HORIZON).to_numpy()
    )
    who = rows.loc[asked, "person"].str[1:].astype(int).to_numpy() - 1
    month = rows.loc[asked, "month"].to_numpy()
    place = np.flatnonzero(asked) // n_months
    chance = enrolment_chance(staff or workforce.history.staff, who, month - 1, workforce.history.truth)
    enrols = rows.loc[asked, "enrols"].to_numpy()
    return pd.DataFrame({"who": who, "enrols": enrols, "left": left[place, month], "chance": chance})


def risks(trial: pd.DataFrame, weights: Callable[[pd.DataFrame], pd.Series]) -> tuple[float, float]:
    """The share who left: of those who enrolled, and of the others as weighted."""
    enrols = trial["enrols"]
    others = trial[~enrols]
    return trial.loc[enrols, "left"].mean(), float(np.average(others["left"], weights=weights(others)))


def alike(others: pd.DataFrame) -> pd.Series:
    return others["chance"] / (1 - others["chance"])


def crude(others: pd.DataFrame) -> pd.Series:
    return others["chance"] * 0 + 1


@pytest.fixture(scope="module")
def workforce() -> Workforce:
    return made()


def test_the_written_effect_is_what_happens_once_those_compared_are_alike(workforce):
    """Against the simulated exits: about 2,300 mentees, so a risk has a standard error near 0.006."""
    truth = true_effect(workforce.history)
    seen, others = risks(trials(workforce), alike)
    assert truth.n == trials(workforce)["enrols"].sum()
    assert truth.n == pytest.approx(2300, abs=200)
    assert seen == pytest.approx(truth.enrolled, abs=0.018)
    assert others == pytest.approx(truth.not_then, abs=0.007)  # its own is near 0.002: many others, each in many trials
    assert truth.enrolled / truth.never == pytest.approx(TRUTH.exit_ratio, abs=0.02)
    assert truth.difference == pytest.approx(-0.023, abs=0.002)
    overlap = true_effect(workforce.history, estimand="ATO")
    assert overlap.difference == pytest.approx(truth.difference, abs=0.001)  # few enrol in any one month


def test_comparisons_that_flatter_the_programme_do_so_as_it_says(workforce):
    truth = true_effect(workforce.history)
    seen, others = risks(trials(workforce), crude)
    assert seen / others == pytest.approx(0.60, abs=0.09)  # selection alone: who enrols would have stayed anyway
    rows = panel_of(workforce)
    rows = rows[rows["grade"].isin(MENTEE_GRADES)]
    first_year = rows[rows["month"] < HORIZON]
    people = first_year[first_year["employed"] & (first_year["month"] == 0)]["person"]
    ever = rows[rows["enrolled"]]["person"].unique()
    left = people.isin(first_year.loc[first_year["exit"] == VOLUNTARY, "person"])
    naive = left[people.isin(ever)].mean() / left[~people.isin(ever)].mean()
    assert naive == pytest.approx(0.07, abs=0.035)  # immortal time: who enrols in year three has not left in year one
    assert truth.enrolled / truth.not_then == pytest.approx(0.77, abs=0.01)


def test_without_an_effect_there_is_none_and_the_naive_comparison_sees_one_all_the_same():
    none = made(replace(TRUTH, exit_ratio=1.0, engagement=0.0), seed=2)
    for estimand in ("ATT", "ATO"):
        assert true_effect(none.history, estimand=estimand).difference == pytest.approx(0, abs=1e-12)
    trial = trials(none)
    seen, others = risks(trial, alike)
    assert seen - others == pytest.approx(0, abs=0.02)
    naive_seen, naive_others = risks(trial, crude)
    assert naive_seen - naive_others < -0.025


def test_other_exits_are_confounded_alike_and_not_affected(workforce):
    trial = trials(workforce, kind=2)
    seen, others = risks(trial, alike)
    assert seen == pytest.approx(others, abs=0.012)
    assert risks(trial, crude)[1] > others + 0.003


def test_an_ambition_that_no_file_holds_survives_every_adjustment():
    hidden = made(replace(TRUTH, ambition_exit_ratio=0.6, ambition_enrols=0.8, exit_ratio=1.0), seed=3)
    seen, others = risks(trials(hidden), alike)
    assert seen == pytest.approx(others, abs=0.02)  # whoever could see the ambition would see that nothing happened
    in_the_file = replace(hidden.history.staff, ambition=np.zeros(20_000))
    seen, others = risks(trials(hidden, staff=in_the_file), alike)
    assert seen - others < -0.03


def test_engagement_rises_by_the_written_points(workforce):
    """Before and after of mentees against those never mentored over the same two waves."""
    table = engagement_waves(
        engagement=workforce.engagement.rename(columns={"person_id": "employee_key"}),
        enrolment=enrolment_of(workforce),
        employment=roster_of(workforce),
    )
    assert (table.reason, len(table.opened_on)) == ("", 8)
    wide = table.rows.pivot(index="person", columns="wave", values="score")
    first = table.rows.groupby("person")["first_treated"].first()
    effects = []
    for wave in range(2, 9):
        change = wide[wave] - wide[wave - 1]
        effects.append(change[first == wave].mean() - change[first == 0].mean())
    assert np.mean(effects) == pytest.approx(20 * TRUTH.engagement, abs=0.8)  # 20: points of 5 to points of 100
    spread = wide.mean()
    assert spread.is_monotonic_increasing  # everybody's drift, which a before-and-after comparison would claim


def test_engagement_is_higher_from_the_first_day_in_a_pairing_and_asked_of_those_in_service():
    calm = replace(TRUTH, engagement=0.5, engagement_person_sd=0.0, engagement_occasion_sd=0.0, engagement_drift=0.0)
    made_calm = made(calm, people=3000)
    started = made_calm.pairings.set_index("mentee_id")["started_on"]
    spells = made_calm.employment.drop_duplicates("person_id").set_index("person_id")
    asked = made_calm.engagement
    days = list(zip(asked["person_id"], asked["measured_on"], strict=True))
    is_mentored = np.array([person in started and started[person] <= day for person, day in days])
    assert asked["score"].to_numpy() == pytest.approx(np.where(is_mentored, 3.8, 3.3))
    left = spells["left_on"].where(spells["left_on"].notna(), date.max)
    assert all(spells["hired_on"][person] <= day <= left[person] for person, day in days)


def test_files_of_the_larger_company_come_in_whole(stores: Stores, tmp_path: Path):
    small = made(people=300)
    for kind in ("people", "pairings", "employment", "engagement"):
        table: pd.DataFrame = getattr(small, kind)
        table.to_csv(tmp_path / f"{kind}.csv", index=False)
        report = import_file(
            stores, kind=kind, path=tmp_path / f"{kind}.csv", now=datetime(2026, 11, 22, tzinfo=UTC), key=b"k" * 48
        )
        assert (report.accepted, report.quarantined, report.unknown_columns) == (len(table), 0, ())
    with reading(stores.raw) as connection:
        assert len(read_roster(connection)) == len(small.employment)
        assert len(read_engagement(connection)) == len(small.engagement)


def test_the_larger_company_has_what_a_company_has(workforce):
    staff = workforce.employment
    assert staff["person_id"].nunique() == 20_000
    assert len(staff) > 21_000  # moves between departments
    assert all(row.left_on is None or row.valid_from <= row.left_on for row in staff.itertuples())
    assert [set(staff[name]) for name in ("department", "location", "grade")] == [
        set(DEPARTMENTS), set(LOCATIONS), set(GRADES),
    ]  # fmt: skip
    assert (workforce.begins, workforce.ends) == (date(2022, 11, 1), date(2026, 10, 31))
    pairings = workforce.pairings
    taking_part = set(pairings["mentor_id"]) | set(pairings["mentee_id"])
    assert set(workforce.people["person_id"]) == taking_part
    assert pairings["mentee_id"].is_unique
    assert pairings["mentor_id"].value_counts().max() >= 3
    assert set(pairings["end_reason"].dropna()) == {"completed", "left the company"}
    assert all(
        end is None or start <= end for start, end in zip(pairings["started_on"], pairings["ended_on"], strict=True)
    )
    months = workforce.meetings.groupby("pairing_id").size()
    assert months.max() <= 13
    assert workforce.meetings["meetings"].mean() == pytest.approx(1.3, abs=0.1)


def test_the_same_seed_makes_the_same_larger_company():
    first, second = made(people=500), made(people=500)
    for name in ("people", "pairings", "employment", "engagement", "meetings"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    assert not made(people=500, seed=9).employment.equals(first.employment)


def test_an_estimand_that_is_not_known_is_refused(workforce):
    with pytest.raises(ValueError, match="expected ATT or ATO"):
        true_effect(workforce.history, estimand="ATE")
