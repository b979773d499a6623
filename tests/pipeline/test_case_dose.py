"""Meeting often against meeting less: known truth, immortal months in the naive comparison, a table by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from pipeline.business_case.dose import dose
from pipeline.business_case.effect import Effect
from pipeline.claim import ASSOCIATED

AT_LEAST, GRACE, HORIZON, MONTHS = 3, 3, 12, 16
LEAVING, DISMISSED = 0.035 * np.exp(-0.5 * np.arange(3)), 0.003
MEETING = 0.5 + 0.4 * np.arange(3)  # a month, by grade: who leaves less meets more


def enrolled_people(seed: int, people: int = 3000, *, ratio: float = 0.6) -> pd.DataFrame:
    """Leaving falls to `ratio` from the month after the third meeting on, if it was within three months."""
    rng = np.random.default_rng(seed)
    grade, starts = rng.integers(0, 3, people), rng.integers(0, 4, people)
    meetings, exits = np.zeros((people, MONTHS), int), np.zeros((people, MONTHS), int)
    employed, met, gone = np.zeros((people, MONTHS), bool), np.zeros(people), np.zeros(people, bool)
    reached = np.zeros(people, bool)
    for month in range(MONTHS):
        employed[:, month] = ~gone
        chance = LEAVING[grade] * np.where(reached, ratio, 1.0)
        drawn = rng.random(people)
        what = np.where(drawn < chance, 1, np.where(drawn < chance + DISMISSED, 2, 0))
        exits[:, month] = np.where(gone, 0, what)
        new = np.where((month >= starts) & ~gone, rng.poisson(MEETING[grade]), 0)
        met += np.where(month < starts + GRACE, new, 0)
        meetings[:, month] = new
        gone |= what > 0
        reached |= (met >= AT_LEAST) & ~gone
    month = np.tile(np.arange(MONTHS), people)
    starts_long = np.repeat(starts, MONTHS)
    return pd.DataFrame(
        {
            "person": np.repeat(np.arange(people), MONTHS),
            "month": month,
            "employed": employed.ravel(),
            "enrolled": month >= starts_long,
            "enrols": (month == starts_long) & employed.ravel(),
            "exit": exits.ravel(),
            "meetings": meetings.ravel(),
            "grade": np.repeat(np.array(["a", "b", "c"])[grade], MONTHS),
        }
    )


def risk(grade: int, reduced_from: int, ratio: float) -> float:
    """12-month risk with the lower hazard from a month on, the other exit competing."""
    hazard = LEAVING[grade] * np.where(np.arange(HORIZON) >= reduced_from, ratio, 1.0)
    staying = np.concatenate([[1.0], np.cumprod(1 - hazard - DISMISSED)[:-1]])
    return float((staying * hazard).sum())


def truth(ratio: float, shares: np.ndarray) -> float:
    """Everybody reaches the number when they would, at the latest in the last grace month, against nobody does."""
    per_grade = []
    for grade in range(3):
        by = [poisson.sf(AT_LEAST - 1, MEETING[grade] * (month + 1)) for month in range(GRACE - 1)] + [1.0]
        chance = np.diff(by, prepend=0.0)
        many = sum(p * risk(grade, month + 1, ratio) for month, p in enumerate(chance))
        per_grade.append(many - risk(grade, HORIZON, ratio))
    return float(shares @ per_grade)


def of(rows: pd.DataFrame, **options: object) -> Effect:
    return dose(rows, rng=np.random.default_rng(1), covariates=["grade"], **options)  # type: ignore[arg-type]


def shares_of(rows: pd.DataFrame) -> np.ndarray:
    """Grades of those who enrol: who left before has never enrolled."""
    return rows.loc[rows["enrols"], "grade"].value_counts(normalize=True).sort_index().to_numpy()


def test_the_truth_is_found_where_counting_meetings_afterwards_misses() -> None:
    rows = enrolled_people(1, 12_000)
    expected = truth(0.6, shares_of(rows))
    found = of(rows, draws=60)
    assert found.estimate == pytest.approx(expected, abs=3.5 * found.se)
    assert found.se < 0.25 * abs(expected)
    assert found.claim == ASSOCIATED
    assert found.details["risk_at_least"] - found.details["risk_fewer"] == found.estimate
    first = rows.assign(start=(rows["month"].where(rows["enrols"])).groupby(rows["person"]).transform("max"))
    inside = first[(first["month"] >= first["start"]) & (first["month"] < first["start"] + HORIZON)]
    many = inside[inside["month"] < inside["start"] + GRACE].groupby("person")["meetings"].sum() >= AT_LEAST
    left = (inside["exit"] == 1).groupby(inside["person"]).any()
    naive = left[many].mean() - left[~many].mean()
    assert naive < expected - 5 * found.se


def test_without_an_effect_nothing_is_found_and_intervals_cover() -> None:
    """30 samples without effect; at most 5 of 30 intervals miss (p < .01 at 5 %), and no bias beyond 3.5 SE."""
    found = [of(enrolled_people(seed, 1500, ratio=1.0), draws=40) for seed in range(30)]
    estimate = np.array([effect.estimate for effect in found])
    assert sum(effect.excludes_zero for effect in found) <= 5
    assert estimate.mean() == pytest.approx(0, abs=3.5 * estimate.std() / np.sqrt(30))
    assert np.mean([effect.se for effect in found]) == pytest.approx(estimate.std(), rel=0.45)


def test_one_grace_month_is_a_comparison_of_shares_and_its_early_exits_count_in_both_groups() -> None:
    """100 people: 10 leave in the first month, 40 of the rest met. Of those met 8 leave later, of the others 25."""
    person, month = np.repeat(np.arange(100), 4), np.tile(np.arange(4), 100)
    leaves = np.full(100, 9)
    leaves[:10], leaves[10:18], leaves[50:75] = 0, 2, 2
    rows = pd.DataFrame({"person": person, "month": month, "employed": month <= leaves[person]})
    rows["exit"] = (month == leaves[person]).astype(int)
    rows["meetings"] = ((person >= 10) & (person < 50) & (month == 0)).astype(int)
    rows["enrols"] = month == 0
    found = dose(rows, rng=np.random.default_rng(2), at_least=1, grace=1, horizon=4, covariates=[], draws=50)
    assert found.details["risk_at_least"] == pytest.approx(0.1 + 0.9 * 8 / 40)
    assert found.details["risk_fewer"] == pytest.approx(0.1 + 0.9 * 25 / 50)
    assert found.n == 100


def test_two_grades_by_hand() -> None:
    """Grade a: 60, 10 leave in the first month, 25 of the other 50 met; b: 40, 10 met. Then 5 and 2 of those who met
    leave by choice, 10 and 15 of the others; five more who met are dismissed, which is no leaving by choice."""
    #       people  met  leaves in month, how
    cells = [("a", 10, 0, 0, 1), ("a", 5, 1, 2, 1), ("a", 20, 1, 9, 0), ("a", 10, 0, 2, 1), ("a", 15, 0, 9, 0)]
    cells += [("b", 2, 1, 2, 1), ("b", 5, 1, 2, 2), ("b", 3, 1, 9, 0), ("b", 15, 0, 2, 1), ("b", 15, 0, 9, 0)]
    people = pd.DataFrame(
        [cell for grade, n, *rest in cells for cell in [(grade, *rest)] * n], columns=["grade", "met", "leaves", "how"]
    )
    rows = people.loc[people.index.repeat(4)].rename_axis("person").reset_index()
    month = np.tile(np.arange(4), 100)
    rows = rows.assign(month=month, employed=month <= rows["leaves"], enrols=month == 0)
    rows["exit"] = rows["how"] * (month == rows["leaves"])
    rows["meetings"] = rows["met"] * (month == 0)
    names = {"at_least": 1, "grace": 1, "horizon": 4, "covariates": ["grade"], "draws": 5}
    found = dose(rows, rng=np.random.default_rng(2), **names)
    # weights: a 2 and 2, b 4 and 4/3; 90 people stay through the first month
    assert found.details["risk_at_least"] == pytest.approx(0.1 + 0.9 * (5 * 2 + 2 * 4) / 90)
    assert found.details["risk_fewer"] == pytest.approx(0.1 + 0.9 * (10 * 2 + 15 * 4 / 3) / 90)


def test_who_enrols_too_late_to_be_followed_is_left_out() -> None:
    rows = enrolled_people(5, 1500)
    assert of(rows, horizon=14, draws=2).n == (rows["enrols"] & (rows["month"] <= 2)).sum()


def test_the_same_seed_says_the_same() -> None:
    rows = enrolled_people(3, 600)
    assert of(rows, draws=20) == of(rows, draws=20)


def test_too_little_is_no_answer() -> None:
    rows = enrolled_people(4, 400)
    nobody = of(rows.assign(meetings=0))
    assert "Only 0 people had at least 3 meetings" in nobody.reason
    assert not nobody.is_answered
    staying = rows.assign(exit=0, employed=True)
    assert "Only 0 people with at least 3 meetings left later" in of(staying).reason
    assert of(rows[rows["month"] < 5]).reason
    with pytest.raises(ValueError, match="grace"):
        of(rows, grace=12)
    with pytest.raises(ValueError, match="missing"):
        of(rows.assign(grade=np.nan))
