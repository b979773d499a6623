"""The forecast's numbers against the binomial, against dealt forms, and against programmes that answer."""

from dataclasses import replace
from functools import cache
from random import Random

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.disclosure.thresholds import DEFAULT, Thresholds
from pipeline.forecast import View, at_least, expected, forecast, is_of_pairings
from pipeline.metric import catalogue
from surveys.commands import forms_dealt
from surveys.forms import asked as asked_on
from surveys.forms import assign_forms
from surveys.questionnaire import SIDES, ours
from tests.support.simulated import is_compatible

LIMITS = replace(DEFAULT, attributes=("department",))


def programme(n: int, *, departments: int = 2, shared: int = 0) -> pd.DataFrame:
    """n pairings; departments in turn; the first `shared` pairings share one mentor."""
    rows = []
    for k in range(n):
        for side in SIDES:
            person = f"{side} {0 if side == 'mentor' and k < shared else k}"
            rows.append({"pairing_id": f"P{k}", "side": side, "person_id": person, "department": f"D{k % departments}"})
    return pd.DataFrame(rows).assign(cohort="", location="", grade="")


@cache
def views(n: int, response: float = 0.7, departments: int = 2, limits: Thresholds = LIMITS) -> tuple[View, ...]:
    found = forecast(
        programme(n, departments=departments), questionnaire=ours(), dealt=forms_dealt(), metrics=catalogue(),
        thresholds=limits, response=response,
    )  # fmt: skip
    return tuple(found)


def one(found: tuple[View, ...], metric: str, side: str = "both", group: str = "all", pulse: str = "pulse") -> View:
    (view,) = [
        each for each in found if (each.metric, each.side, each.group, each.pulse) == (metric, side, group, pulse)
    ]
    return view


def test_a_group_reaches_its_minimum_with_the_binomial_probability() -> None:
    found = views(24)
    side = stats.binom.sf(4, 12, 0.7)
    trust = one(found, "trust", "mentor", "D0")
    assert (trust.asked_mentors, trust.n_mentors) == pytest.approx((12, 8.4))
    assert (trust.asked_mentees, trust.least) == (0, 5)
    assert trust.chance == pytest.approx(side)
    assert one(found, "trust", group="D0").chance == pytest.approx(side**2)
    three = stats.binom.sf(4, 12, 1 - 0.3**3)
    assert one(found, "trust", group="D0").chance_over_three == pytest.approx(three**2)
    assert one(found, "trust").chance == pytest.approx(stats.binom.sf(9, 24, 0.7) ** 2)  # ten respondents a side
    assert one(found, "staying", pulse="kickoff").chance == pytest.approx(stats.binom.sf(19, 24, 0.7) ** 2)


def test_precision_is_half_the_interval_at_the_declared_spread() -> None:
    trust = one(views(60), "trust")  # 42 expected a side, told as 40
    assert trust.half_width == pytest.approx(1.959964 * 25 * np.sqrt(1 / 40 + 1 / 40) / 2, rel=1e-5)
    gap = one(views(60), "perception_gap")  # pairings where both answer: 29.4, told as 25, spread 35
    assert gap.half_width == pytest.approx(1.959964 * 35 / np.sqrt(25), rel=1e-5)


def test_a_person_in_three_pairings_is_one_person_and_likelier_to_be_asked() -> None:
    sizes = ((1, 10), (3, 1))
    assert expected(sizes, 0.8, 0.25) == pytest.approx(0.8 * (10 * 0.25 + 1 - 0.75**3))
    exact = [
        stats.binom.pmf(k, 10, 0.2) * stats.bernoulli.pmf(j, 0.8 * (1 - 0.75**3))
        for k in range(11)
        for j in range(2)
        if k + j >= 3
    ]
    assert at_least(sizes, 0.8, 0.25, 3, 1) == pytest.approx(sum(exact))


@pytest.mark.parametrize("metric", ["trust", "presence", "mutual_learning", "bidirectionality", "network"])
def test_the_rotation_asks_as_many_as_the_forecast_says(metric: str) -> None:
    """Forms are really dealt to 600 pairings; those who got an item of the construct are counted."""
    found, n = views(600, departments=1), 600
    names = {name.partition("/")[0] for name in catalogue()[metric].constructs}
    for side in catalogue()[metric].sides:
        if side == "both":
            continue
        dealt = assign_forms(ours(), "pulse", side, [f"P{k}" for k in range(n)], 3, Random(5))
        forms = [asked_on(ours(), "pulse", side, form) for form in dealt.values()]
        count = sum(any(question.construct in names for question in form) for form in forms)
        view = one(found, metric, side)
        assert getattr(view, f"asked_{side}s") == pytest.approx(count, abs=3)


def test_simulated_answers_reach_the_minimum_as_often_as_forecast() -> None:
    """Two thousand programmes of 16 pairings in which everybody answers or not by a coin."""
    rng, view = np.random.default_rng(3), one(views(16, 0.6), "trust", group="D0")
    answers = rng.random((2000, 2, 16)) < 0.6
    in_group = answers[:, :, ::2].sum(axis=2)
    shown = (in_group >= 5).all(axis=1)
    assert is_compatible(int(shown.sum()), 2000, stats.binom.sf(4, 8, 0.6) ** 2)
    programme_too = shown & (answers.sum(axis=2) >= 10).all(axis=1)
    assert programme_too.mean() <= view.chance + 0.03  # the forecast is the most that can be
    assert view.chance == pytest.approx(min(stats.binom.sf(4, 8, 0.6) ** 2, stats.binom.sf(9, 16, 0.6) ** 2))


def test_no_number_is_likelier_than_those_it_rests_on() -> None:
    found = {(each.pulse, each.view, each.group, each.side, each.metric): each for each in views(30)}
    for key, view in found.items():
        pulse, of, group, side, metric = key
        assert 0 <= view.chance <= 1
        assert view.is_possible or view.chance == 0
        if side == "both" and (pulse, of, group, "mentor", metric) in found:
            assert view.chance <= found[pulse, of, group, "mentor", metric].chance + 1e-12
        if of == "department":
            assert view.chance <= found[pulse, "all", "all", side, metric].chance + 1e-12
            assert view.chance_over_three is not None
            assert view.chance_over_three >= view.chance - 1e-12


def test_eight_pairings_can_show_no_score_at_all() -> None:
    found = views(8, 1.0)
    assert {each.unit for each in found if each.is_possible} == {"share"}
    assert any(each.is_possible for each in views(10, 1.0) if each.unit == "points")


def test_higher_thresholds_show_less() -> None:
    strict = views(40, limits=replace(LIMITS, score_n=12))
    for view in views(40):
        assert one(strict, view.metric, view.side, view.group, view.pulse).chance <= view.chance + 1e-12
    assert one(strict, "trust", group="D0").chance < one(views(40), "trust", group="D0").chance


def test_two_way_cells_need_ten_a_side() -> None:
    rows = programme(80).assign(location=[f"L{k // 2 // 2 % 2}" for k in range(160)])
    limits = replace(LIMITS, attributes=("department", "location"))
    found = forecast(
        rows, questionnaire=ours(), dealt=forms_dealt(), metrics=catalogue(), thresholds=limits, response=0.7
    )
    cell = one(tuple(found), "trust", group="D0 × L1")
    assert (cell.least, cell.view) == (10, "department × location")
    assert cell.chance == pytest.approx(stats.binom.sf(9, 20, 0.7) ** 2)
    assert cell.chance_over_three is None


def test_a_metric_says_itself_whether_it_is_one_of_pairings() -> None:
    of_pairings = {name for name, each in catalogue().items() if is_of_pairings(each)}
    assert of_pairings == {"perception_gap", "expectation_alignment"}
