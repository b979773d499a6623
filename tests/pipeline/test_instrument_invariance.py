"""Multi-group factor models on data whose moments are known exactly, and the verdicts read from them."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.multivariate.factor import Factor

from data.errors import RapportError
from pipeline.instrument import comparability, factor_model, invariance, verdict

FACTORS = {"trust": ["a", "b", "c"], "fit": ["d", "e", "f"], "learning": ["g", "h", "i"]}
ITEMS = list("abcdefghi")
LOADING = np.zeros((9, 3))
LOADING[range(9), np.repeat(range(3), 3)] = [1, 0.8, 1.2, 1, 1.1, 0.7, 1, 0.9, 1.3]
FACTOR = np.array([[1.0, 0.4, 0.3], [0.4, 0.8, 0.2], [0.3, 0.2, 1.2]])
RESIDUAL = np.array([0.5, 0.6, 0.7, 0.8, 0.5, 0.9, 0.6, 0.7, 0.4])
STEPS = ["configural", "metric", "scalar", "strict"]


def exact(n: int, mean: np.ndarray, covariance: np.ndarray, seed: int) -> np.ndarray:
    """n rows whose mean and covariance (divided by n) are the given ones to the last digit."""
    raw = np.random.default_rng(seed).normal(size=(n, len(mean)))
    white = (raw - raw.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T, bias=True))).T
    return mean + white @ np.linalg.cholesky(covariance).T


def two_groups(
    loading: np.ndarray = LOADING, shift: np.ndarray | float = 0.0, residual: np.ndarray = RESIDUAL
) -> tuple[pd.DataFrame, list[str]]:
    """Mentees as in the truth; mentors with other factor means and covariances, and what the arguments change."""
    mentees = exact(200, np.full(9, 3.0), LOADING @ FACTOR @ LOADING.T + np.diag(RESIDUAL), 1)
    level, spread = np.array([0.5, -0.3, 0.2]), FACTOR * 0.7
    mentors = exact(160, 3.0 + loading @ level + shift, loading @ spread @ loading.T + np.diag(residual), 2)
    return pd.DataFrame(np.vstack([mentees, mentors]), columns=ITEMS), ["mentee"] * 200 + ["mentor"] * 160


def test_a_strictly_equal_measure_fits_at_every_step() -> None:
    fits = invariance(*two_groups(), FACTORS)
    assert list(fits.index) == STEPS
    assert fits["df"].tolist() == [48, 54, 60, 69]
    assert fits["chi2"].to_numpy() == pytest.approx(np.zeros(4), abs=1e-6)
    assert fits["cfi"].to_numpy() == pytest.approx(np.ones(4))
    assert fits["rmsea"].to_numpy() == pytest.approx(np.zeros(4))


def test_each_step_catches_what_it_holds_equal() -> None:
    steeper = LOADING.copy()
    steeper[1, 0] = 1.3
    shifted = np.where(np.arange(9) == 4, 0.6, 0.0)
    noisier = RESIDUAL * np.where(np.arange(9) == 6, 3.0, 1.0)
    changed = [two_groups(loading=steeper), two_groups(shift=shifted), two_groups(residual=noisier)]
    for step, groups in zip(STEPS[1:], changed, strict=True):
        chi2 = invariance(*groups, FACTORS)["chi2"]
        before = chi2.iloc[: STEPS.index(step)]
        assert before.to_numpy() == pytest.approx(np.zeros(len(before)), abs=1e-6)
        assert chi2[step] > 10


def test_one_group_gives_back_the_true_model() -> None:
    answers = pd.DataFrame(exact(300, np.zeros(9), LOADING @ FACTOR @ LOADING.T + np.diag(RESIDUAL), 3), columns=ITEMS)
    model = factor_model(answers, FACTORS)
    assert model.loading.to_numpy() == pytest.approx(LOADING, abs=1e-5)
    assert model.covariance.to_numpy() == pytest.approx(FACTOR, abs=1e-5)
    assert model.residual.to_numpy() == pytest.approx(RESIDUAL, abs=1e-5)
    assert (model.df, model.n) == (24, 300)
    rows = invariance(answers, ["all"] * 300, FACTORS)
    assert rows["df"].tolist() == [24] * 4


def test_the_fit_indices_follow_their_formulas() -> None:
    answers, group = two_groups(shift=np.where(np.arange(9) == 4, 1.5, 0.0))
    scalar = invariance(answers, group, FACTORS).loc["scalar"]
    n, base, base_df = 360, 0.0, 72
    for label in ("mentee", "mentor"):
        rows = answers[np.array(group) == label].to_numpy()
        correlation = np.corrcoef(rows.T)
        base -= len(rows) * np.linalg.slogdet(correlation)[1]
    assert scalar["cfi"] == pytest.approx(1 - (scalar["chi2"] - 60) / (base - base_df), abs=1e-9)
    assert scalar["rmsea"] == pytest.approx(np.sqrt(2) * np.sqrt((scalar["chi2"] / 60 - 1) / n), abs=1e-9)
    assert scalar["p"] == pytest.approx(stats.chi2.sf(scalar["chi2"], 60))
    expected_tli = (base / base_df - scalar["chi2"] / 60) / (base / base_df - 1)
    assert scalar["tli"] == pytest.approx(expected_tli, abs=1e-9)


def test_one_factor_agrees_with_the_factor_analysis_of_statsmodels() -> None:
    rng = np.random.default_rng(4)
    answers = pd.DataFrame(rng.normal(size=(150, 1)) @ [[1, 0.8, 0.9, 0.6, 0.7]] + rng.normal(size=(150, 5)))
    answers.columns = list("vwxyz")
    model = factor_model(answers, {"one": list("vwxyz")})
    theirs = Factor(answers, n_factor=1, method="ml").fit()
    ours = model.loading["one"] * np.sqrt(model.covariance.loc["one", "one"]) / answers.std(ddof=0)
    assert np.abs(ours.to_numpy()) == pytest.approx(np.abs(theirs.loadings[:, 0]), abs=1e-3)


def test_chi2_averages_its_degrees_of_freedom_when_the_model_is_true() -> None:
    rng = np.random.default_rng(5)
    covariance = LOADING @ FACTOR @ LOADING.T + np.diag(RESIDUAL)
    group, chi2 = np.repeat(["x", "y", "z"], [220, 300, 260]), []
    for _ in range(6):
        answers = pd.DataFrame(rng.multivariate_normal(np.zeros(9), covariance, size=780), columns=ITEMS)
        chi2.append(invariance(answers, group, FACTORS).loc["strict", "chi2"])
    df = 3 * 54 - (6 + 9 + 9 + 3 * 6 + 2 * 3)
    assert np.mean(chi2) == pytest.approx(df, abs=4 * np.sqrt(2 * df / 6))


def test_weak_items_markers_and_scales_do_not_stop_the_fit() -> None:
    """The first item hardly belongs, one is reversed, one is in thousands; fit does not depend on units."""
    rng = np.random.default_rng(6)
    level = rng.normal(size=(400, 1))
    answers = pd.DataFrame(level @ [[0.05, 1, -0.9, 0.8]] + rng.normal(size=(400, 4)) * 0.7, columns=list("pqrs"))
    group = np.where(np.arange(400) % 3 == 0, "de", "en")
    plain = invariance(answers, group, {"one": list("pqrs")})
    scaled = invariance(answers * [1, 1000, 1, 0.01] + 7, group, {"one": list("pqrs")})
    assert plain["is_converged"].all()
    assert scaled["chi2"].to_numpy() == pytest.approx(plain["chi2"].to_numpy(), abs=1e-5)


def test_single_items_cross_loadings_and_four_groups_are_models_too() -> None:
    rng = np.random.default_rng(7)
    loading = np.array([[1, 0.8, 0.6, 0, 0, 0, 0.3], [0, 0, 0.5, 1, 0.9, 0.7, 0.4]])
    answers = pd.DataFrame(rng.normal(size=(800, 2)) @ loading + rng.normal(size=(800, 7)), columns=list("abcdefg"))
    answers.iloc[3, 2] = np.nan
    group = pd.Series(np.repeat(["n", "e", "s", "w"], 200))
    group[5] = None
    factors = {"one": ["a", "b", "c"], "two": ["c", "d", "e", "f"], "single": ["g"]}
    fits = invariance(answers, group, factors)
    assert fits["is_converged"].all()
    assert fits["df"].iloc[0] == 4 * (28 - (5 + 6 + 6))
    assert fits["chi2"].is_monotonic_increasing
    assert fits["n"].iloc[0] == 798


def test_rows_may_come_in_any_order_and_the_group_may_be_a_column() -> None:
    answers, group = two_groups()
    labelled = answers.assign(side=group)
    shuffled = labelled["side"].sample(frac=1, random_state=1)
    by_column = invariance(labelled, "side", FACTORS)  # type: ignore[arg-type]
    assert invariance(answers, shuffled, FACTORS)["chi2"].equals(by_column["chi2"])


def test_nine_items_in_two_groups_take_no_time() -> None:
    groups = two_groups(shift=np.where(np.arange(9) == 4, 0.6, 0.0))
    taken = []
    for _ in range(3):
        start = time.process_time()
        invariance(*groups, FACTORS)
        taken.append(time.process_time() - start)
    assert min(taken) < 2


def test_the_verdict_in_plain_words() -> None:
    same = comparability(*two_groups(), FACTORS)
    assert (same.level, same.is_comparable) == ("strict", True)
    shifted = comparability(*two_groups(shift=np.where(np.arange(9) == 4, 1.0, 0.0)), FACTORS)
    assert (shifted.level, shifted.is_comparable) == ("metric", False)
    assert shifted.sentence == "Links with other answers may be compared between the groups; their means may not."


def test_below_150_a_group_single_questions_are_tested_and_below_30_nothing_is() -> None:
    answers, group = two_groups()
    answers, group = answers.iloc[140:270], group[140:270]
    small = comparability(answers, group, FACTORS)
    assert (small.level, small.is_comparable) == ("items", True)
    planted = answers.assign(d=answers["d"] + np.where(np.array(group) == "mentor", 2.5, 0.0)).round()
    found = comparability(planted, group, FACTORS)
    assert not found.is_comparable
    assert "d" in found.sentence
    few = comparability(answers.iloc[40:80], group[40:80], FACTORS)
    assert (few.level, few.is_comparable) == ("untested", False)
    assert few.sentence == "Comparability not tested: 20 people in the smallest group, 30 are needed."
    assert verdict(invariance(answers, group, FACTORS)).level == "untested"
    assert comparability(answers, None, FACTORS).level == "untested"


def test_models_that_cannot_be_fitted_are_refused_in_a_sentence() -> None:
    answers, group = two_groups()
    with pytest.raises(RapportError, match="at least three items"):
        invariance(answers, group, {"two": ["a", "b"]})
    with pytest.raises(RapportError, match="not found: z"):
        invariance(answers, group, {"one": ["a", "b", "z"]})
    with pytest.raises(RapportError, match="not copies"):
        invariance(answers.assign(b=answers["a"]), group, FACTORS)
    with pytest.raises(RapportError, match="more complete people than items"):
        invariance(answers.iloc[195:205], group[195:205], FACTORS)
