"""Questions that work differently in groups: an independent fit, a planted one, and none."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from pipeline.instrument import differential_items
from pipeline.instrument.differential import holm
from pipeline.instrument.ordinal import proportional_odds


def answered(
    n: int, rng: np.random.Generator, *, shift: float = 0.0, gap: float = 0.0, turn: float = 1.0
) -> tuple[pd.DataFrame, np.ndarray]:
    """Six five-point questions; in the second group the first is `shift` easier and `turn` times as steep."""
    group = np.repeat(["mentee", "mentor"], n // 2)
    is_second = group == "mentor"
    steep = np.full((n, 6), 1.6)
    steep[is_second, 0] *= turn
    said = steep * (rng.normal(size=n) + gap * is_second)[:, None] + rng.logistic(size=(n, 6))
    said[is_second, 0] += shift
    return pd.DataFrame(np.digitize(said, [-2.5, -1, 0.5, 2]) + 1, columns=[f"q{i}" for i in range(1, 7)]), group


def test_the_ordered_model_is_that_of_statsmodels() -> None:
    answers, group = answered(150, np.random.default_rng(1), shift=1.0)
    columns = np.column_stack([answers["q2"] - 3, group == "mentor"]).astype(float)
    ours = proportional_odds(answers["q1"].to_numpy() - 1, columns)
    theirs = OrderedModel(answers["q1"].to_numpy(), columns, distr="logit").fit(method="bfgs", disp=False)
    assert ours.converged
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-4)
    assert ours.slope == pytest.approx(theirs.params[:2], abs=2e-3)


def test_perfect_separation_stays_finite() -> None:
    answer, column = np.repeat([0, 1, 2], 20), np.repeat([-1.0, 0.0, 1.0], 20)[:, None]
    found = proportional_odds(answer, column)
    assert np.isfinite(found.slope).all()
    assert found.log_likelihood == pytest.approx(0, abs=0.5)


def test_a_planted_question_is_found_and_named() -> None:
    tested = differential_items(*answered(140, np.random.default_rng(2), shift=2.0))
    assert tested.index[tested["is_flagged"]].tolist() == ["q1"]
    assert tested.loc["q1", "shift"] == pytest.approx(2.0, abs=1.0)
    assert tested.loc["q1", "uniform_p"] < 0.001


def test_a_question_that_tells_levels_apart_in_one_group_only_is_found() -> None:
    tested = differential_items(*answered(1000, np.random.default_rng(3), turn=0.0))
    assert tested["nonuniform_p"].idxmin() == "q1"
    assert tested.loc["q1", "is_flagged"]


@pytest.mark.parametrize("gap", [0.0, 0.6])
def test_where_there_is_none_one_instrument_in_twenty_is_flagged(gap: float) -> None:
    """Also where mentors stand higher than mentees: a gap is not a difference between questions."""
    rng = np.random.default_rng(4)
    flagged = [differential_items(*answered(100, rng, gap=gap))["is_flagged"].any() for _ in range(60)]
    assert np.mean(flagged) < 0.14  # 99.5 % of samples of 60 at 5 %


def test_gaps_thin_groups_and_factors() -> None:
    rng = np.random.default_rng(5)
    answers, group = answered(120, rng, shift=2.5)
    gaps = answers.where(rng.random(answers.shape) < 0.7).astype("Int64")
    factors = {"one": ["q1", "q2", "q3"], "two": ["q4", "q5", "q6"]}
    tested = differential_items(gaps, group, factors=factors)
    assert tested.index.tolist() == list(answers.columns)
    assert tested.loc["q1", "is_flagged"]
    assert tested["n"].lt(120).all()
    thin = differential_items(answers.iloc[:65], group[:65])
    assert thin["uniform_p"].isna().all()
    assert not thin["is_flagged"].any()
    constant = differential_items(answers.assign(q6=3), group)
    assert np.isnan(constant.loc["q6", "uniform_p"])


def test_holm_by_hand() -> None:
    """Three tests: .01 × 3, .02 × 2, .04 × 1, never falling; a missing one is none."""
    assert holm(np.array([0.04, 0.01, np.nan, 0.02])) == pytest.approx([0.04, 0.03, np.nan, 0.04], nan_ok=True)
