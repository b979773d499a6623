"""The made-up company: its true effects can be found, and the naive comparison misses them as it says."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from data.demo import organisation, truth
from data.demo.answering import Respondents

TODAY = date(2026, 11, 22)


def company(pairings: int = 120, size: int = 2000, seed: int = 7) -> organisation.Company:
    return organisation.make(pairings=pairings, today=TODAY, rounds=6, rng=np.random.default_rng(seed), size=size)


@pytest.fixture(scope="module")
def large() -> pd.DataFrame:
    """Employment of 24,000 people with 1,500 mentees: days as numbers, `enrolled` NaN for never."""
    made = company(pairings=1500, size=24_000, seed=0)
    enrolled = made.pairings.groupby("mentee_id")["started_on"].min()
    staff = made.employment.set_index("person_id").assign(ambition=made.ambition)
    days = {name: staff[name].map(_day) for name in ("hired_on", "left_on")}
    return staff.assign(**days, enrolled=enrolled.map(_day).reindex(staff.index))


def _day(moment: object) -> float:
    return float((moment - TODAY).days) if isinstance(moment, date) else np.nan


def exits(staff: pd.DataFrame) -> np.ndarray:
    """Voluntary exits and person-months: [stratum of ambition, mentored or not, exits | months]."""
    stratum = pd.qcut(staff["ambition"], 20, labels=False).to_numpy()
    counts = np.zeros((20, 2, 2))
    for month in range(organisation.MONTHS, 0, -1):
        begins = -30.0 * month
        here = (staff["hired_on"] <= begins) & ~(staff["left_on"] <= begins)
        mentored = (staff["enrolled"] <= begins).astype(int)
        left = here & (staff["left_on"] <= begins + 30) & (staff["leave_type"] == "voluntary")
        np.add.at(counts, (stratum[here], mentored[here], 1), 1)
        np.add.at(counts, (stratum[left], mentored[left], 0), 1)
    return counts


def test_the_true_effect_on_exits_is_there_once_ambition_is_held_equal(large):
    """Mantel–Haenszel over strata of the confounder, which no real evaluator could see."""
    counts = exits(large)
    months = counts[:, :, 1].sum(axis=1)
    treated = (counts[:, 1, 0] * counts[:, 0, 1] / months).sum()
    others = (counts[:, 0, 0] * counts[:, 1, 1] / months).sum()
    # about 120 exits among mentees: the log ratio has a standard error near 0.09
    assert treated / others == pytest.approx(truth.MENTORING_EXIT_RATIO, abs=0.16)


def test_ever_against_never_mentored_flatters_the_programme(large):
    a_year_ago = large[(large["hired_on"] <= -365) & ~(large["left_on"] <= -365)]
    left = (a_year_ago["leave_type"] == "voluntary").groupby(a_year_ago["enrolled"].notna()).mean()
    naive = left[True] / left[False]
    assert naive == pytest.approx(0.25, abs=0.06)
    assert naive < truth.MENTORING_EXIT_RATIO - 0.4


def test_a_naive_comparison_doubles_the_effect_on_engagement():
    made = company(pairings=1500, size=24_000, seed=1)
    enrolled = made.pairings.groupby("mentee_id")["started_on"].min()
    last = made.engagement[made.engagement["measured_on"] == TODAY - timedelta(days=30)]
    is_mentored = last["person_id"].map(enrolled).map(lambda day: isinstance(day, date))
    naive = last.loc[is_mentored, "score"].mean() - last.loc[~is_mentored, "score"].mean()
    assert naive == pytest.approx(0.35, abs=0.07)
    assert naive > truth.MENTORING_ENGAGEMENT + 0.1


def test_the_company_has_everything_that_a_programme_meets():
    made = company()
    per_mentor = made.pairings["mentor_id"].value_counts()
    assert len(made.employment) == 2000
    assert (made.pairings["end_reason"] != "re-matched").sum() == 120
    assert per_mentor.max() >= 3
    assert set(made.pairings["cohort"]) == {"first", "second"}
    assert "left the company" in set(made.pairings["end_reason"])
    assert (made.people["language"] == "de").mean() == pytest.approx(truth.GERMAN_SHARE, abs=0.1)
    named = made.people.set_index("name")["person_id"]
    pair = made.pairings[made.pairings["mentor_id"] == named["Ada Okafor"]]
    assert named["Ben Lindqvist"] in set(pair["mentee_id"])


def test_the_same_seed_makes_the_same_company():
    first, second = company(), company()
    for name in ("people", "pairings", "employment", "engagement"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name))
    assert not company(seed=8).people.equals(first.people)


def test_rounds_are_six_weeks_apart_and_the_last_one_is_open_today():
    days = organisation.round_days(TODAY, 6)
    assert len(days) == 7
    assert days[-1][0] <= TODAY < days[-1][1]
    assert all(closes < TODAY for _, closes in days[:-1])


class Item:
    id, construct, kind, reverse = "item", "trust", "scale", False


class Turned(Item):
    id, reverse = "turned", True


def test_answers_follow_the_true_levels_side_and_direction():
    rng = np.random.default_rng(3)
    said: dict[tuple[str, str], list[float]] = {}
    for number in range(3000):
        respondents = Respondents(rng)
        for side in ("mentor", "mentee"):
            filled = respondents.fill(
                pairing_id=f"P{number}", person_id=f"{side}{number}", side=side, language="en",
                round_number=1, questions=[Item(), Turned()], goal_ids=["g"],
            )  # fmt: skip
            for question_id, value in filled.answers.items() if filled else ():
                said.setdefault((side, question_id), []).append(25.0 * (int(value) - 1))
    mean = {key: float(np.mean(values)) for key, values in said.items()}
    assert mean["mentor", "item"] - mean["mentee", "item"] == pytest.approx(truth.MENTOR_MINUS_MENTEE, abs=1.6)
    assert mean["mentee", "item"] + mean["mentee", "turned"] == pytest.approx(100, abs=4)
    assert len(said["mentee", "item"]) / 3000 == pytest.approx(truth.RESPONSE_RATE["mentee"] * 0.98, abs=0.03)
