"""Covariances from answers with gaps, and Little's test, against direct maximisation and known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from data.errors import RapportError
from pipeline.instrument import em_covariance, little_mcar, log_likelihood

TRUTH = 0.5 * np.ones((5, 5)) + np.diag([0.5, 0.7, 0.9, 1.1, 1.3])
MEAN = np.array([3.0, 2.0, 4.0, 1.0, 5.0])

# Ada, Ben and others about two questions; the second was not always asked.
SAID = pd.DataFrame(
    {
        "first": [1.0, 2.0, 2.5, 3.0, 4.0, 4.5, 5.0, 2.0, 3.5, 4.0],
        "second": [1.2, 1.9, np.nan, 3.3, np.nan, 4.1, 5.2, np.nan, 3.0, np.nan],
    }
)


def planned(n: int, n_asked: int, rng: np.random.Generator) -> pd.DataFrame:
    answers = rng.multivariate_normal(MEAN, TRUTH, size=n)
    return pd.DataFrame(answers).where(rng.random((n, 5)).argsort(axis=1) < n_asked)


def test_without_gaps_it_is_the_covariance_divided_by_n() -> None:
    answers = pd.DataFrame({"a": [1, 2, 3, 4], "b": [2, 1, 4, 3]})
    mean, covariance = em_covariance(answers)
    assert mean.to_dict() == pytest.approx({"a": 2.5, "b": 2.5})
    assert covariance.to_numpy() == pytest.approx(np.array([[1.25, 0.75], [0.75, 1.25]]))
    assert list(covariance.columns) == ["a", "b"]


def test_gaps_in_one_question_have_a_closed_form() -> None:
    """Anderson (1957): the mean and variance of all first answers, then the regression of those asked both."""
    both = SAID.dropna()
    slope = np.cov(both.T, bias=True)[0, 1] / both["first"].var(ddof=0)
    apart = both["second"] - both["second"].mean() - slope * (both["first"] - both["first"].mean())
    mean, covariance = em_covariance(SAID)
    variance = SAID["first"].var(ddof=0)
    assert mean["first"] == pytest.approx(SAID["first"].mean())
    assert mean["second"] == pytest.approx(
        both["second"].mean() + slope * (SAID["first"].mean() - both["first"].mean()), abs=1e-7
    )
    assert covariance.loc["first", "first"] == pytest.approx(variance, abs=1e-7)
    assert covariance.loc["first", "second"] == pytest.approx(slope * variance, abs=1e-7)
    assert covariance.loc["second", "second"] == pytest.approx((apart**2).mean() + slope**2 * variance, abs=1e-7)


def test_no_nearby_answer_is_likelier() -> None:
    answers = planned(80, 3, np.random.default_rng(1))
    mean, covariance = em_covariance(answers)
    best = log_likelihood(answers, mean, covariance)
    lower = np.tril_indices(5)

    def objective(step: np.ndarray) -> float:
        root = np.linalg.cholesky(covariance.to_numpy())
        root[lower] += step[5:]
        return -log_likelihood(answers, mean.to_numpy() + step[:5], root @ root.T)

    found = optimize.minimize(objective, np.zeros(20), method="L-BFGS-B", options={"maxiter": 30})
    assert -found.fun == pytest.approx(best, abs=1e-5)
    direct = sum(
        stats.multivariate_normal.logpdf(row[seen], mean[seen], covariance.to_numpy()[np.ix_(seen, seen)])
        for row, seen in zip(answers.to_numpy(), answers.notna().to_numpy(), strict=True)
    )
    assert best == pytest.approx(direct, abs=1e-8)


def test_a_planned_rotation_gives_back_the_true_covariances() -> None:
    mean, covariance = em_covariance(planned(20_000, 3, np.random.default_rng(2)))
    assert mean.to_numpy() == pytest.approx(MEAN, abs=0.04)
    assert covariance.to_numpy() == pytest.approx(TRUTH, abs=0.06)


def test_gaps_that_follow_an_answer_given_do_no_harm_to_the_mean() -> None:
    """The second question is asked only after a high first answer: the plain mean is far off, EM's is not."""
    answers = pd.DataFrame(np.random.default_rng(3).multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], size=20_000))
    answers.loc[answers[0] < 0.3, 1] = np.nan
    assert answers[1].mean() > 0.7
    assert em_covariance(answers)[0][1] == pytest.approx(0, abs=0.05)


def test_littles_statistic_by_hand() -> None:
    """Two patterns: Σ n_j (ȳ_j − μ̂)² / σ̂² over what each pattern answered, 3 + … − 2 degrees of freedom."""
    mean, covariance = em_covariance(SAID)
    both, alone = SAID.dropna(), SAID[SAID["second"].isna()]["first"]
    gap = both.mean() - mean
    expected = len(both) * gap @ np.linalg.inv(covariance) @ gap
    expected += len(alone) * (alone.mean() - mean["first"]) ** 2 / covariance.loc["first", "first"]
    found = little_mcar(SAID)
    assert (found.statistic, found.df) == (pytest.approx(expected), 1)
    assert found.p == pytest.approx(stats.chi2.sf(expected, 1))


def test_little_finds_gaps_that_go_with_answers_and_is_calm_about_random_ones() -> None:
    rng = np.random.default_rng(4)
    p = [little_mcar(planned(300, 4, rng)).p for _ in range(60)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    answers = pd.DataFrame(rng.multivariate_normal(MEAN, TRUTH, size=300))
    answers.loc[answers[0] > 3.5, 1] = np.nan
    assert little_mcar(answers).p < 1e-6


def test_nothing_missing_leaves_nothing_to_test() -> None:
    found = little_mcar(SAID.dropna())
    assert (found.statistic, found.df, np.isnan(found.p)) == (0.0, 0, True)


def test_questions_never_asked_together_have_no_covariance() -> None:
    apart = pd.DataFrame({"kept": [1.0, 2.0, np.nan, np.nan], "clear": [np.nan, np.nan, 3.0, 4.0]})
    with pytest.raises(RapportError, match="both kept and clear"):
        em_covariance(apart)
    with pytest.raises(RapportError, match="vary"):
        em_covariance(pd.DataFrame({"kept": [1, 1, 1], "clear": [1, 2, 3]}))
