"""Weighting against hand-computed tables, scikit-learn and programmes with known silence."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from data.errors import RapportError
from pipeline.weighting import average, effective_n, propensity, rake, response_weights
from tests.support.simulated import is_compatible, shared_mentors


def people() -> pd.DataFrame:
    return pd.DataFrame({"site": list("aaabbb"), "grade": [1, 1, 2, 1, 2, 2], "weight": [1.0, 1, 1, 1, 1, 2]})


def programme(n_mentors: int, rng: np.random.Generator, tilt: float = 0.0) -> pd.DataFrame:
    """Everyone invited; those of site b score 20 lower and, with a tilt, answer less."""
    mentor = shared_mentors(n_mentors, rng)
    is_b = rng.random(len(mentor)) < 0.5
    truth = 60 - 20 * is_b + 6 * rng.normal(size=n_mentors)[mentor] + 10 * rng.normal(size=len(mentor))
    answered = rng.random(len(mentor)) < 0.65 - tilt * (is_b - 0.5)
    frame = pd.DataFrame({"mentor": mentor, "site": np.where(is_b, "b", "a"), "truth": truth, "answered": answered})
    return frame.assign(score=frame["truth"].where(answered))


def test_one_margin_is_post_stratification() -> None:
    weights = rake(people(), weight="weight", margins={"site": {"a": 60, "b": 40}})
    assert weights.tolist() == pytest.approx([20, 20, 20, 10, 10, 20])


def test_two_margins_are_met_and_the_odds_kept() -> None:
    """Iterative fitting leaves the cross-product ratio of the table as it was (Deming & Stephan 1940)."""
    sample = people()
    weights = rake(sample, margins={"site": {"a": 70, "b": 30}, "grade": {1: 45, 2: 55}})
    table = weights.groupby([sample["site"], sample["grade"]]).sum().unstack()
    assert table.sum(axis=1).to_dict() == pytest.approx({"a": 70, "b": 30})
    assert table.sum(axis=0).to_dict() == pytest.approx({1: 45, 2: 55})
    assert table.loc["a", 1] * table.loc["b", 2] / (table.loc["a", 2] * table.loc["b", 1]) == pytest.approx(4)


def test_raking_keeps_rows_and_types_apart() -> None:
    sample = people().set_index(pd.Index([9, 8, 7, 6, 5, 4])).assign(grade=lambda frame: pd.Categorical(frame["grade"]))
    weights = rake(sample, weight=np.ones(6), margins={"grade": {2: 0.5, 1: 0.5}})
    assert weights.index.tolist() == [9, 8, 7, 6, 5, 4]
    assert weights.to_numpy() == pytest.approx([1 / 6] * 6)


@pytest.mark.parametrize(
    ("margins", "sentence"),
    [
        ({"site": {"a": 60}}, "none for b"),
        ({"site": {"a": 60, "b": 20, "c": 20}}, "nobody in c"),
        ({"site": {"a": 60, "b": 40}, "grade": {1: 60, 2: 60}}, "same total"),
        ({"floor": {1: 3}}, "column floor"),
        ({}, "at least one margin"),
    ],
)
def test_margins_that_do_not_fit_are_told(margins: dict[str, dict[object, float]], sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        rake(people(), margins=margins)


def test_margins_that_contradict_the_sample_are_told() -> None:
    twins = pd.DataFrame({"site": list("aabb"), "hall": list("xxyy")})
    with pytest.raises(RapportError, match="fit together"):
        rake(twins, margins={"site": {"a": 60, "b": 40}, "hall": {"x": 40, "y": 60}})


def test_propensities_are_those_of_scikit_learn() -> None:
    """On standardised numbers and indicators; their C is one over the penalty."""
    rng = np.random.default_rng(1)
    invited = pd.DataFrame({"age": rng.normal(40, 8, 300), "site": rng.choice(list("abc"), 300)})
    answered = rng.random(300) < 1 / (1 + np.exp(-(invited["age"] - 40) / 8 + (invited["site"] == "b")))
    found = propensity(invited.assign(answered=answered), responded="answered", covariates=["age", "site"], penalty=2.0)
    x = np.column_stack(
        [(invited["age"] - invited["age"].mean()) / invited["age"].std(ddof=0), pd.get_dummies(invited["site"])]
    )
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=5000).fit(x, answered).predict_proba(x)[:, 1]
    assert found.to_numpy() == pytest.approx(theirs, abs=1e-5)
    assert found.mean() == pytest.approx(answered.mean())


def test_separation_and_missing_covariates_stay_finite() -> None:
    invited = pd.DataFrame(
        {"site": list("aaaabbbb"), "age": [30.0, np.nan, 50, 40] * 2, "answered": [True] * 4 + [False] * 4}
    )
    found = propensity(invited, responded="answered", covariates=["site", "age"])
    assert (found[:4] > 0.7).all()
    assert (found[4:] < 0.3).all()
    assert propensity(invited[:4], responded="answered", covariates=["site"]).tolist() == [1.0] * 4
    with pytest.raises(RapportError, match="yes or no"):
        propensity(invited, responded="age", covariates=["site"])


def test_no_answer_speaks_for_more_than_three() -> None:
    weights = response_weights([0.9] * 30 + [0.01])
    assert weights.max() == pytest.approx(3.0)
    assert weights.mean() == pytest.approx(1.0)
    assert response_weights([0.5, 0.25]).tolist() == pytest.approx([2 / 3, 4 / 3])
    with pytest.raises(RapportError, match="above 0"):
        response_weights([0.0, 0.5])


def test_effective_n_of_kish() -> None:
    assert effective_n([1, 1, 1, 1]) == 4
    assert effective_n([3, 1]) == pytest.approx(16 / 10)


def test_where_all_answered_these_people_are_known() -> None:
    invited = programme(20, np.random.default_rng(2)).assign(score=lambda frame: frame["truth"])
    found = average(invited, value="score", mentor="mentor")
    assert found.these_people.se == pytest.approx(0, abs=1e-9)
    assert found.programmes_like_this.se > 0.5
    assert found.weighted == found.unweighted == pytest.approx(invited["truth"].mean())
    assert found.tipping == pytest.approx({0.25: found.weighted, 0.5: found.weighted})


def test_the_tipping_point_by_hand() -> None:
    invited = pd.DataFrame({"mentor": [1, 1, 2, 2], "score": [50.0, 70, 60, np.nan]})
    found = average(invited, value="score", mentor="mentor")
    assert found.tipping == pytest.approx({0.25: 60 - 0.25 * 0.25 * 10, 0.5: 60 - 0.25 * 0.5 * 10})
    assert (found.n, found.n_invited, found.n_mentors) == (3, 4, 2)


def test_both_intervals_cover_what_they_name() -> None:
    rng = np.random.default_rng(4)
    n, these, such = 300, 0, 0
    for _ in range(n):
        invited = programme(25, rng)
        found = average(invited, value="score", mentor="mentor")
        these += found.these_people.low <= invited["truth"].mean() <= found.these_people.high
        such += found.programmes_like_this.low <= 50 <= found.programmes_like_this.high
    assert is_compatible(these, n, 0.95)
    assert is_compatible(such, n, 0.95)


def test_weights_correct_a_silent_site() -> None:
    """Unhappy site b answers half as often: the plain mean flatters by 3.8, the weighted one by far less."""
    rng = np.random.default_rng(5)
    plain, weighted = [], []
    for _ in range(60):
        invited = programme(60, rng, tilt=0.5)
        chances = propensity(invited, responded="answered", covariates=["site"])
        invited["weight"] = response_weights(chances[invited["answered"]])
        found = average(invited, value="score", mentor="mentor", weight="weight")
        plain.append(found.unweighted - invited["truth"].mean())
        weighted.append(found.weighted - invited["truth"].mean())
        assert found.n_eff < found.n
    assert np.mean(plain) == pytest.approx(20 * (0.9 / 1.3 - 0.5), abs=0.8)
    assert abs(np.mean(weighted)) < 0.7
