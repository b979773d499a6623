"""Alpha and omega against pingouin, an independent factor analysis, closed forms and known truth."""

import numpy as np
import pandas as pd
import pingouin
import pytest
from statsmodels.multivariate.factor import Factor

from data.errors import RapportError
from pipeline.instrument import alpha, composite_omegas, omega

LOADING = np.array([0.6, 0.7, 0.8, 0.5, 0.65, 0.75])
TRUE_COVARIANCE = np.outer(LOADING, LOADING) + np.diag(1 - LOADING**2)
TRUE_OMEGA = LOADING.sum() ** 2 / TRUE_COVARIANCE.sum()
TRUE_ALPHA = 6 / 5 * (1 - 6 / TRUE_COVARIANCE.sum())

FORM = pd.DataFrame(
    {
        "heard": [4, 5, 3, 2, 4, 1, 5, 3, 2, 4],
        "asked": [4, 4, 3, 2, 5, 2, 5, 2, 2, 4],
        "clear": [3, 5, 4, 1, 4, 1, 4, 3, 3, 5],
        "kept": [5, 5, 2, 2, 4, 2, 4, 3, 1, 4],
    }
)


def sample(n: int, rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(rng.multivariate_normal(np.zeros(6), TRUE_COVARIANCE, size=n))


def rotated(answers: pd.DataFrame, n_asked: int, rng: np.random.Generator) -> pd.DataFrame:
    return answers.where(rng.random(answers.shape).argsort(axis=1) < n_asked)


def test_alpha_and_its_interval_are_pingouins() -> None:
    value, interval = pingouin.cronbach_alpha(FORM)
    found = alpha(FORM)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert [found.low, found.high] == pytest.approx(interval, abs=0.0006)  # pingouin rounds to three digits
    assert (found.n, found.n_items) == (10, 4)


def test_alpha_by_hand_where_items_are_parallel() -> None:
    """Two halves of the people differ by 2 on each of three items: every covariance equals every variance."""
    assert alpha(pd.DataFrame({"a": [1, 3], "b": [2, 4], "c": [3, 5]})).value == pytest.approx(1.0)


def test_missing_answers_are_left_out_pair_by_pair_as_in_pingouin() -> None:
    gaps = FORM.astype("Int64")
    gaps.iloc[0, 1], gaps.iloc[3, 0], gaps.iloc[7, 2] = pd.NA, pd.NA, pd.NA
    value, _ = pingouin.cronbach_alpha(gaps.astype(float))
    assert alpha(gaps).value == pytest.approx(value, abs=1e-12)


def test_two_items_are_spearman_brown() -> None:
    two = FORM[["heard", "asked"]]
    r = two.corr().iloc[0, 1]
    assert alpha(two).value == omega(two).value == pytest.approx(2 * r / (1 + r), abs=1e-12)


def test_omega_of_three_items_has_a_closed_form() -> None:
    three = FORM[["heard", "asked", "clear"]]
    s = three.cov().to_numpy()
    first = np.sqrt(s[0, 1] * s[0, 2] / s[1, 2])
    total = first + s[0, 1] / first + s[0, 2] / first
    assert omega(three).value == pytest.approx(total**2 / s.sum(), abs=1e-7)


def test_omega_agrees_with_the_factor_analysis_of_statsmodels() -> None:
    answers = sample(200, np.random.default_rng(1)) * [1, 2, 1, 3, 1, 0.5]
    loading = Factor(answers, n_factor=1, method="ml").fit().loadings[:, 0] * answers.std().to_numpy()
    assert omega(answers).value == pytest.approx(loading.sum() ** 2 / answers.cov().to_numpy().sum(), abs=1e-4)


def test_omega_in_a_model_of_one_factor_is_omega() -> None:
    answers = sample(120, np.random.default_rng(2)).rename(columns=str)
    inside = composite_omegas(answers, {"fit": list(answers.columns)})["fit"]
    assert inside.value == pytest.approx(omega(answers).value, abs=1e-6)


def test_a_planned_rotation_neither_raises_nor_lowers_reliability() -> None:
    rng = np.random.default_rng(3)
    half = rotated(sample(4000, rng), 3, rng)
    assert alpha(half).value == pytest.approx(TRUE_ALPHA, abs=0.02)
    assert omega(half).value == pytest.approx(TRUE_OMEGA, abs=0.02)
    assert omega(half).low < TRUE_OMEGA < omega(half).high


def test_items_never_asked_together_still_have_an_alpha_and_an_omega() -> None:
    answers = sample(3000, np.random.default_rng(4))
    answers.iloc[:1500, 0] = np.nan
    answers.iloc[1500:, 5] = np.nan
    assert alpha(answers).value == pytest.approx(TRUE_ALPHA, abs=0.03)
    assert omega(answers).value == pytest.approx(TRUE_OMEGA, abs=0.03)


@pytest.mark.parametrize("n_asked", [6, 4])
def test_intervals_hold_the_truth_19_times_in_20(n_asked: int) -> None:
    rng, n_samples = np.random.default_rng(5), 200
    held = np.zeros(3)
    for _ in range(n_samples):
        answers = rotated(sample(60, rng), n_asked, rng)
        found = [alpha(answers), alpha(answers, rng=rng, n_draws=200), omega(answers)]
        truth = [TRUE_ALPHA, TRUE_ALPHA, TRUE_OMEGA]
        held += [one.low <= true <= one.high for one, true in zip(found, truth, strict=True)]
    assert (held / n_samples > 0.905).all()
    assert (held / n_samples < 0.995).all()


def test_two_rows_of_one_pairing_widen_the_interval() -> None:
    """Every row twice says nothing new: over pairings the interval stays that of one row a pairing."""
    single = sample(100, np.random.default_rng(6))
    twice = pd.concat([single, single], ignore_index=True)
    pairing = [*range(100), *range(100)]

    def width(**how: object) -> float:
        found = alpha(twice, rng=np.random.default_rng(7), **how)  # type: ignore[arg-type]
        return found.high - found.low

    once = alpha(single, rng=np.random.default_rng(7))
    assert width(cluster=pairing) == pytest.approx(once.high - once.low, rel=0.03)
    assert width() < 0.8 * width(cluster=pairing)
    gaps = twice.mask(np.tile(np.random.default_rng(8).random((100, 6)) < 0.2, (2, 1)))
    clustered = omega(gaps, cluster=pairing, rng=np.random.default_rng(7))
    assert clustered.high - clustered.low > 1.3 * (omega(gaps).high - omega(gaps).low)


def test_where_there_is_no_answer_it_says_why() -> None:
    assert "single item" in alpha(FORM[["heard"]]).why
    assert np.isnan(omega(FORM.assign(kept=3)).value)
    assert omega(FORM.assign(kept=3)).why == "An item does not vary."
    assert np.isnan(alpha(FORM.astype(float) * np.nan).value)
    with pytest.raises(RapportError, match="bootstrap"):
        alpha(FORM, cluster=list("abcdefghij"))
    with pytest.raises(RapportError, match="column of numbers"):
        alpha(pd.DataFrame({"a": ["yes", "no"], "b": [1, 2]}))
