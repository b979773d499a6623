"""What a programme of a size can show: published sample sizes, the design's statements, and brute-force simulation."""

from math import inf, nan

import numpy as np
import pytest
from scipy import stats

from data.errors import RapportError
from pipeline.business_case.design import (
    events_for_hazard,
    people_for_means,
    people_for_rates,
    power,
    power_table,
    what_it_would_take,
)
from tests.support.authority import agree


def test_published_sample_sizes() -> None:
    """Cohen (1988) by G*Power's exact noncentral t; Schoenfeld's events in Collett's hepatitis example."""
    agree(
        {
            "n per group d=.5 a=.05 power=.80": people_for_means(d=0.5),
            "n per group d=.2": people_for_means(d=-0.2),
            "events for HR .57, alpha .05, power .90": events_for_hazard(hazard_ratio=0.57, power=0.9),
        },
        "pipeline.business_case.design",
    )


def test_sample_sizes_that_everyone_knows() -> None:
    assert people_for_means(d=0.5) == 64
    assert people_for_means(d=0.2) == 394
    assert people_for_means(d=0.8) == 26
    assert people_for_rates(rate=0.2, other_rate=0.15) == people_for_rates(rate=0.15, other_rate=0.2) == 906
    assert events_for_hazard(hazard_ratio=0.57, power=0.9) == pytest.approx(133, abs=0.5)
    assert events_for_hazard(hazard_ratio=1 / 0.57, power=0.9) == pytest.approx(133, abs=0.5)
    assert events_for_hazard(hazard_ratio=0.57, power=0.9, share=0.2) == pytest.approx(133.0148 * 0.25 / 0.16)


def test_many_comparisons_save_nearly_half_of_the_mentees() -> None:
    few, many = (people_for_rates(rate=0.15, other_rate=0.2, ratio=ratio) for ratio in (1, 1000))
    assert few / 2 < many < 0.55 * few


def test_what_eighty_mentees_can_show() -> None:
    """With 12 % exits a year and ten or more others for each mentee: 12 → 5 %; three cohorts 12 → 7 %."""
    for others in (10, 25):
        one = power(mentees=80, comparisons=80 * others, base_rate=0.12)
        three = power(mentees=240, comparisons=240 * others, base_rate=0.12)
        assert round(one.smallest_rate, 2) == 0.05
        assert round(three.smallest_rate, 2) == 0.07
        assert one.difference == pytest.approx(one.smallest_rate - 0.12)
    table = power_table(mentees=[80, 500], comparisons=2000, base_rate=0.12, cohorts=(1, 3))
    assert table["people"].tolist() == [80, 240, 500, 1500]
    assert table["smallest_rate"].round(2).tolist() == [0.05, 0.07, 0.08, 0.1]
    half = power_table(mentees=[80], comparisons=2000, base_rate=0.12, cohorts=(1,), effective_share=0.5)
    assert half["smallest_rate"][0] == power(mentees=40, comparisons=1000, base_rate=0.12).smallest_rate


@pytest.mark.parametrize("test", ["interval", "pooled"])
@pytest.mark.parametrize(("mentees", "comparisons", "base", "rate"), [(900, 900, 0.2, 0.15), (400, 4000, 0.2, 0.14)])
def test_power_is_the_share_of_simulated_programmes_that_see_it(
    test: str, mentees: int, comparisons: int, base: float, rate: float
) -> None:
    rng = np.random.default_rng(1)
    treated, others = (
        rng.binomial(mentees, rate, 20_000) / mentees,
        rng.binomial(comparisons, base, 20_000) / comparisons,
    )
    mean = (treated * mentees + others * comparisons) / (mentees + comparisons)
    pooled = np.sqrt(mean * (1 - mean) * (1 / mentees + 1 / comparisons))
    apart = np.sqrt(treated * (1 - treated) / mentees + others * (1 - others) / comparisons)
    seen = np.abs(treated - others) > 1.96 * (pooled if test == "pooled" else apart)
    found = power(mentees=mentees, comparisons=comparisons, base_rate=base, rate=rate, test=test)
    assert found.chance == pytest.approx(seen.mean(), abs=0.03)  # normal theory for counts; Monte Carlo error 0.003
    at = power(mentees=mentees, comparisons=comparisons, base_rate=base, rate=found.smallest_rate, test=test)
    assert at.chance == pytest.approx(0.8, abs=1e-6)


def test_with_few_exits_the_interval_is_bolder_than_the_score_test() -> None:
    """The warning in the docstring: no effect, 80 mentees, 2,000 others, 12 % exits in both."""
    rng = np.random.default_rng(3)
    treated, others = rng.binomial(80, 0.12, 200_000) / 80, rng.binomial(2000, 0.12, 200_000) / 2000
    mean = (80 * treated + 2000 * others) / 2080
    apart = np.sqrt(treated * (1 - treated) / 80 + others * (1 - others) / 2000)
    pooled = np.sqrt(mean * (1 - mean) * (1 / 80 + 1 / 2000))
    assert (treated - others < -1.96 * apart).mean() == pytest.approx(0.058, abs=0.002)
    assert (treated - others < -1.96 * pooled).mean() == pytest.approx(0.017, abs=0.002)


def test_means_need_as_many_people_as_simulation_says() -> None:
    rng = np.random.default_rng(2)
    n = people_for_means(d=0.8)
    seen = [
        np.mean(stats.ttest_ind(rng.normal(0.8, 1, (4000, size)), rng.normal(0, 1, (4000, size)), axis=1).pvalue < 0.05)
        for size in (n - 4, n)
    ]
    assert seen[0] < 0.8 - 0.015
    assert seen[1] == pytest.approx(0.8, abs=0.025)


def test_too_few_mentees_show_nothing_at_all() -> None:
    assert np.isnan(power(mentees=20, comparisons=20, base_rate=0.05, test="pooled").smallest_rate)
    assert power(mentees=20, comparisons=inf, base_rate=0.05, test="interval").smallest_rate < 0.05


def test_what_it_would_take_counts_people_and_months() -> None:
    """12 → 7 % needs three cohorts of 80 with ten others each; the third starts after 24 months, is followed for 12."""
    arguments = {"base_rate": 0.12, "rate": 0.07, "mentees": 80, "comparisons": 800}
    found = what_it_would_take(**arguments)
    assert (found.cohorts, found.mentees, found.comparisons, found.months) == (3, 240, 2400, 36)
    assert found.is_possible
    assert power(mentees=160, comparisons=1600, base_rate=0.12, rate=0.07).chance < 0.8
    assert power(mentees=240, comparisons=2400, base_rate=0.12, rate=0.07).chance >= 0.8
    halved = what_it_would_take(**arguments, effective_share=0.5, months_between=6)
    assert (halved.cohorts, halved.months) == (6, 42)
    even = {**arguments, "comparisons": 80, "rate": 0.05}
    whole, part = what_it_would_take(**even), what_it_would_take(**even, effective_share=0.25)
    assert 4 * (whole.cohorts - 1) < part.cohorts <= 4 * whole.cohorts
    never = what_it_would_take(**{**arguments, "rate": 0.1199})
    assert not never.is_possible
    assert never.reason == "More than 50 cohorts of this size would be needed."


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: power(mentees=80, comparisons=0, base_rate=0.1), "both sides"),
        (lambda: power(mentees=80, comparisons=80, base_rate=12), "rate from 0 to 1, found 12"),
        (lambda: power(mentees=80, comparisons=80, base_rate=nan), "rate from 0 to 1"),
        (lambda: people_for_rates(rate=0.1, other_rate=0.1), "two different rates"),
        (lambda: people_for_means(d=0), "other than zero"),
        (lambda: people_for_means(d=1e-6), "No number of people"),
        (lambda: events_for_hazard(hazard_ratio=1), "other than 1"),
        (lambda: what_it_would_take(base_rate=0.1, rate=0.1, mentees=1, comparisons=1), "two different rates"),
    ],
)
def test_what_makes_no_sense_is_refused(call: object, sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        call()
