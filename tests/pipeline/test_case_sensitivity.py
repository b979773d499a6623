"""Sensitivity of an effect to what nobody measured, against brute force and simulated truth."""

from itertools import product
from math import inf, nan, sqrt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from data.errors import RapportError
from pipeline.business_case.effect import Effect
from pipeline.business_case.falsification import EVERYONE, leave_one_out, negative_control, placebo_dates
from pipeline.business_case.rosenbaum import gamma_that_explains, rosenbaum_bound
from pipeline.business_case.sensitivity import (
    benchmark,
    e_value,
    e_values,
    linear_effect,
    partial_r2,
    robustness_value,
)
from pipeline.claim import ASSOCIATED, CAUSAL


def test_e_value_of_ratios_below_and_above_one() -> None:
    assert e_value(1) == 1
    assert e_value(2) == pytest.approx(2 + sqrt(2))
    assert e_value(0.5) == pytest.approx(e_value(2))


def test_e_value_of_an_interval_takes_the_limit_nearer_to_no_effect() -> None:
    assert e_values(rr=0.8, low=0.71, high=0.91).limit == pytest.approx(1.428571, abs=1e-6)
    assert e_values(rr=3.9, low=1.8, high=8.7).limit == pytest.approx(3.0)
    assert e_values(rr=0.8, low=0.6, high=1.1).limit == 1
    assert e_values(rr=0.8, low=0.71, high=0.91).estimate == e_value(0.8)


def test_an_e_value_is_enough_to_make_a_ratio_from_nothing() -> None:
    """A hidden cause with RR e on both sides biases by e·e/(2e − 1) at most (Ding & VanderWeele 2016): the ratio."""
    for ratio in (1.2, 2.0, 7.5):
        strength = e_value(ratio)
        assert strength**2 / (2 * strength - 1) == pytest.approx(ratio)


def bias_adjusted_t(t: float, dof: float, q: float, of_treatment: float, of_outcome: float) -> float:
    """t of (estimate − (1 − q)·estimate) after a hidden cause with these partial R² (Cinelli & Hazlett 2020, eq. 4)."""
    left = q * abs(t) - sqrt(dof) * sqrt(of_outcome * of_treatment / (1 - of_treatment))
    return left / sqrt((1 - of_outcome) / (1 - of_treatment) * dof / (dof - 1))


@pytest.mark.parametrize(("t", "dof", "q", "alpha"), list(product((2.5, 4.18, 30.0), (7, 783), (1, 0.5), (0.05, 0.2))))
def test_a_robustness_value_is_just_enough(t: float, dof: int, q: float, alpha: float) -> None:
    """Brute force: no hidden cause below it takes the effect's significance away, one at it does."""
    value = robustness_value(t, dof, q=q, alpha=alpha)
    threshold = stats.t.isf(alpha / 2, dof - 1)
    grid = np.linspace(0, 1, 400)

    def least(strength: float) -> float:
        return min(bias_adjusted_t(t, dof, q, strength, strength * share) for share in grid)

    if value == 0:
        assert q * t / sqrt(dof) <= threshold / sqrt(dof - 1)
        return
    assert least(value * 0.99) > threshold
    assert least(min(value * 1.01, 1 - 1e-9)) < threshold


def test_a_robustness_value_without_significance() -> None:
    value = robustness_value(4.18, 783)
    assert bias_adjusted_t(4.18, 783, 1, value, value) == pytest.approx(0, abs=1e-10)
    assert robustness_value(0, 100) == 0
    assert robustness_value(-4.18, 783) == value
    assert robustness_value(1.5, 783, alpha=0.05) == 0
    assert partial_r2(4.18, 783) == pytest.approx(4.18**2 / (4.18**2 + 783))


def confounded(n: int = 500) -> pd.DataFrame:
    """A measured cause `known` and a hidden one exactly as strong (in this very sample), and no effect at all."""
    draws = np.column_stack([np.ones(n), np.random.default_rng(1).normal(size=(n, 5))])
    known, hidden, other, noise, chance = np.linalg.qr(draws)[0][:, 1:].T
    treated = 0.5 * known + 0.5 * hidden + 0.2 * other + noise
    outcome = known + hidden + 0.1 * other + chance
    return pd.DataFrame({"known": known, "hidden": hidden, "other": other, "treated": treated, "outcome": outcome})


def test_a_benchmark_recovers_a_hidden_cause_as_strong_as_a_known_one() -> None:
    people = confounded()
    names = {"outcome": "outcome", "treatment": "treated"}
    short = linear_effect(people, **names, covariates=["known", "other"])
    whole = linear_effect(people, **names, covariates=["known", "other", "hidden"])
    assert short.estimate == pytest.approx(0.4)
    assert whole.estimate == pytest.approx(0, abs=1e-12)
    bounds = benchmark(people, **names, covariates="known + other", known="known", times=(0.5, 1, 10))
    assert bounds.loc[1, "r2_treatment"] == pytest.approx(0.2)
    assert bounds.loc[1, "estimate"] == pytest.approx(0, abs=1e-9)
    assert bounds.loc[1, "se"] == pytest.approx(whole.se)
    assert 0 < bounds.loc[0.5, "estimate"] < short.estimate
    assert bounds.loc[10].isna().all()


def test_a_benchmark_is_exact_where_the_hidden_cause_is_known() -> None:
    """With its true partial R² put in by hand, the adjusted estimate and SE are those of the full regression."""
    people = volunteers(np.random.default_rng(2), n=500).assign(
        hidden=lambda rows: -3 * rows["left"] + rows["left_before"]
    )
    whole = linear_effect(people, outcome="left", treatment="mentored", covariates=["month", "hidden"])
    short = linear_effect(people, outcome="left", treatment="mentored", covariates=["month"])
    of_outcome = linear_effect(people, outcome="left", treatment="hidden", covariates=["month", "mentored"])
    of_treatment = linear_effect(people, outcome="mentored", treatment="hidden", covariates=["month"])
    left = bias_adjusted_t(
        short.t, short.dof, 1, partial_r2(of_treatment.t, of_treatment.dof), partial_r2(of_outcome.t, of_outcome.dof)
    )
    assert left == pytest.approx(whole.t * np.sign(short.t), rel=1e-9)


def test_a_linear_effect_leaves_gaps_out_and_says_what_it_needs() -> None:
    people = pd.DataFrame({"y": [1.0, 2, 4, 8, nan], "d": [0.0, 0, 1, 1, 1], "x": [1.0, 2, 1, 2, 1]})
    found = linear_effect(people, outcome="y", treatment="d")
    assert (found.estimate, found.dof, found.n) == (pytest.approx(4.5), 2, 4)
    assert found.se == pytest.approx(sqrt(((0.5**2 * 2) + (2**2 * 2)) / 2 * (1 / 2 + 1 / 2)))
    names = {"outcome": "y", "treatment": "d"}
    with pytest.raises(RapportError, match="no column z"):
        linear_effect(people, **names, covariates=["z"])
    with pytest.raises(RapportError, match="do not determine"):
        linear_effect(pd.concat([people, people]).assign(x=lambda rows: rows["d"]), **names, covariates=["x"])
    with pytest.raises(RapportError, match="more people"):
        linear_effect(people.head(3), **names, covariates=["x"])
    many = pd.concat([people] * 3)
    with pytest.raises(RapportError, match="yardstick among the covariates"):
        benchmark(many.assign(w=1.0), **names, covariates=["x"], known=["w"])


def test_without_hidden_bias_the_bound_is_wilcoxons_test() -> None:
    rng = np.random.default_rng(3)
    differences = rng.normal(0.3, 1, 40)
    expected = stats.wilcoxon(differences, alternative="greater", method="asymptotic", correction=False).pvalue
    assert rosenbaum_bound(differences, 1) == pytest.approx(expected, abs=1e-12)


def test_a_zero_difference_keeps_its_rank_and_counts_nowhere_else() -> None:
    """By hand at Γ = 1: ranks 1 (the zero), 2.5, 2.5, 4; z = (6.5 − 4.5) / √(28.5/4)."""
    z = (6.5 - 4.5) / sqrt(28.5 / 4)
    assert rosenbaum_bound([0, 1, -1, 2], 1) == pytest.approx(stats.norm.sf(z))
    assert rosenbaum_bound([0, 1, -1, 2], 3) == pytest.approx(stats.norm.sf((6.5 - 0.75 * 9) / sqrt(28.5 * 3 / 16)))
    assert rosenbaum_bound([0, 0], 2) == 1.0


def test_the_bound_holds_against_the_worst_hidden_cause() -> None:
    """Each pair's positive sign has odds Γ = 2 under no effect: p below .05 in at most 5 % (Monte Carlo 3 SE)."""
    rng = np.random.default_rng(4)
    rejected = {1: 0, 2: 0}
    for _ in range(1000):
        differences = np.abs(rng.normal(size=80)) * np.where(rng.random(80) < 2 / 3, 1, -1)
        for gamma in rejected:
            rejected[gamma] += rosenbaum_bound(differences, gamma) < 0.05
    assert rejected[2] <= 50 + 3 * sqrt(1000 * 0.05 * 0.95)
    assert rejected[2] > 20
    assert rejected[1] > 500


def test_the_gamma_that_explains_is_where_the_bound_crosses() -> None:
    differences = np.arange(1, 31) - 4.0
    gamma = gamma_that_explains(differences)
    assert rosenbaum_bound(differences, gamma) == pytest.approx(0.05, abs=1e-6)
    assert gamma > 2
    assert gamma_that_explains([1, -1, 1, -1]) == 1.0
    assert gamma_that_explains(np.arange(1, 31), alpha=1e-300) == 1.0
    assert rosenbaum_bound(np.arange(1, 31), 1e6) > 0.4
    assert gamma_that_explains(np.arange(1, 31), alpha=0.9) == inf


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: e_value(0), "risk ratio above 0"),
        (lambda: e_values(rr=2, low=3, high=4), "within its interval"),
        (lambda: robustness_value(2, 1), "degree of freedom"),
        (lambda: robustness_value(2, 10, alpha=1.5), "alpha"),
        (lambda: rosenbaum_bound([1], 0.5), "gamma of 1 or more"),
        (lambda: rosenbaum_bound([], 1), "a difference for every pair"),
        (lambda: rosenbaum_bound([nan, 1], 1), "a difference for every pair"),
    ],
)
def test_what_makes_no_sense_is_refused(call: object, sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        call()


def mean_difference(people: pd.DataFrame) -> Effect:
    found = linear_effect(people, outcome="left", treatment="mentored")
    width = 1.96 * found.se
    return Effect(
        estimate=found.estimate,
        low=found.estimate - width,
        high=found.estimate + width,
        se=found.se,
        n=found.n,
        method="mean difference",
        claim=CAUSAL,
    )


def volunteers(rng: np.random.Generator, n: int = 4000) -> pd.DataFrame:
    """Loyal people volunteer and stay; mentoring does nothing. Each also has an exit from an earlier employer."""
    loyal = rng.random(n) < 0.5
    return pd.DataFrame(
        {
            "mentored": (rng.random(n) < np.where(loyal, 0.4, 0.1)).astype(float),
            "left": (rng.random(n) < np.where(loyal, 0.1, 0.3)).astype(float),
            "left_before": (rng.random(n) < np.where(loyal, 0.1, 0.3)).astype(float),
            "born_even": (rng.random(n) < 0.5).astype(float),
            "department": rng.choice(["Sales", "Works", "Lab"], n),
            "month": rng.integers(1, 13, n),
        }
    )


def test_a_negative_control_uncovers_who_volunteers() -> None:
    people = volunteers(np.random.default_rng(5))
    before = people.copy()
    assert mean_difference(people).excludes_zero
    found = negative_control(people, estimator=mean_difference, outcome="left", impossible="left_before")
    assert found.excludes_zero
    assert found.claim == ASSOCIATED
    assert found.method == "mean difference; negative control left_before"
    assert not negative_control(people, estimator=mean_difference, outcome="left", impossible="born_even").excludes_zero
    pd.testing.assert_frame_equal(people, before)


def test_placebo_dates_make_a_row_each() -> None:
    people = volunteers(np.random.default_rng(6))
    found = placebo_dates(
        people, estimator=lambda rows, month: mean_difference(rows[rows["month"] <= month]), dates=[3, 12]
    )
    assert found["date"].tolist() == [3, 12]
    assert found["n"].tolist() == [(people["month"] <= 3).sum(), 4000]
    assert found["estimate"][1] == mean_difference(people).estimate
    assert found["excludes_zero"].tolist() == [True, True]


def test_one_department_that_makes_the_whole_effect_is_seen() -> None:
    rng = np.random.default_rng(7)
    people = volunteers(rng)
    people["left"] = (rng.random(4000) < 0.3).astype(float)
    lab = (people["department"] == "Lab") & (people["mentored"] == 1)
    people.loc[lab, "left"] = (rng.random(lab.sum()) < 0.05).astype(float)
    people.loc[:9, "department"] = np.nan
    found = leave_one_out(people, estimator=mean_difference, group="department").set_index("left_out")
    assert found.index.tolist() == [EVERYONE, "Lab", "Sales", "Works"]
    assert found["changes_answer"].to_dict() == {EVERYONE: False, "Lab": True, "Sales": False, "Works": False}
    assert found.loc["Lab", "n"] == 4000 - (people["department"] == "Lab").sum()
    with pytest.raises(RapportError, match="no column site"):
        leave_one_out(people, estimator=mean_difference, group="site")
