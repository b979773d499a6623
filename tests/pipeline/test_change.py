"""Change against published examples, scipy and simulated people who do or do not change."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from data.errors import RapportError
from pipeline.change import cusum, ewma, false_discovery, predictive_deviation, reliable_change
from tests.support.simulated import is_compatible

QUIET = [50.0, 51, 49, 50, 51, 49, 50, 50]


def told(n_people: int, rng: np.random.Generator, moved: float = 0.0, n_rounds: int = 5) -> pd.DataFrame:
    """People who differ (SD 8) and vary (SD 6) in rounds that differ; the first one moves in the last round."""
    scores = (
        60
        + 8 * rng.normal(size=(n_people, 1))
        + 3 * rng.normal(size=n_rounds)
        + 6 * rng.normal(size=(n_people, n_rounds))
    )
    scores[0, -1] += moved
    rows = [(i, t, scores[i, t]) for i in range(n_people) for t in range(n_rounds) if rng.random() > 0.15 or i == 0]
    return pd.DataFrame(rows, columns=["who", "round", "score"])


def deviations(scores: pd.DataFrame) -> pd.DataFrame:
    return predictive_deviation(scores, person="who", round="round", score="score")


def test_reliable_change_of_jacobson_and_truax() -> None:
    assert reliable_change(before=32.5, after=47.5, sd=7.5, reliability=0.80).tolist() == [
        pytest.approx(3.16, abs=0.006)
    ]
    before, after = (
        pd.Series({"ada": 50.0, "ben": 60.0, "eve": np.nan}),
        pd.Series({"ben": 50.0, "ada": 50.0, "eve": 1.0}),
    )
    index = reliable_change(before=before, after=after, sd=10, reliability=0.5)
    assert index[["ada", "ben"]].tolist() == pytest.approx([0.0, -1.0])
    assert np.isnan(index["eve"])


@pytest.mark.parametrize(("sd", "reliability"), [(0, 0.8), (5, 1.0), (5, -0.1), (np.nan, 0.8)])
def test_reliable_change_needs_an_error_of_measurement(sd: float, reliability: float) -> None:
    with pytest.raises(RapportError, match="reliability from 0"):
        reliable_change(before=1, after=2, sd=sd, reliability=reliability)


def test_ewma_by_hand() -> None:
    chart = ewma(pd.Series([*QUIET, 60.0], index=range(1, 10)), center=50, sigma=1, lam=0.5, limit=3)
    assert chart["ewma"].tolist()[:3] == [50.0, 50.5, 49.75]
    assert chart["ucl"].tolist() == pytest.approx([50 + 3 * np.sqrt(1 / 3)] * 9)
    assert chart["is_signal"].tolist() == [False] * 8 + [True]
    assert chart.index.tolist() == list(range(1, 10))


def test_cusum_by_hand() -> None:
    chart = cusum([*QUIET, 53.0, 53.0], target=50, sigma=2, k=0.5, h=1.5)
    assert chart["s_h"].tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 2.0, 4.0]
    assert chart["s_l"].tolist() == [0.0] * 10
    assert chart["is_signal"].tolist() == [False] * 9 + [True]


def test_a_missing_round_changes_no_chart_and_short_series_make_none() -> None:
    holed = [50.0, 51, np.nan, 49, 50, 51, 49, 50, 50]
    assert ewma(holed, center=50, sigma=1, lam=0.3, limit=3)["ewma"].dropna().iloc[-1] == pytest.approx(
        ewma(QUIET, center=50, sigma=1, lam=0.3, limit=3)["ewma"].iloc[-1]
    )
    assert cusum(holed, target=50, sigma=1, k=0.5, h=5)["s_h"].iloc[2] == 0.5
    for chart in (
        lambda values: ewma(values, center=50, sigma=1, lam=0.3, limit=3),
        lambda values: cusum(values, target=50, sigma=1, k=0.5, h=5),
    ):
        with pytest.raises(RapportError, match="at least 8 values, found 7"):
            chart([*QUIET[:7], np.nan])


def test_false_discovery_is_that_of_scipy() -> None:
    p = pd.Series([0.03, 0.001, 0.2, np.nan, 0.012, 0.9, 0.04], index=list("abcdefg"))
    adjusted = false_discovery(p)
    assert adjusted.dropna().to_numpy() == pytest.approx(stats.false_discovery_control(p.dropna()))
    assert adjusted.isna().tolist() == p.isna().tolist()
    assert false_discovery([]).empty
    with pytest.raises(RapportError, match="from 0 to 1"):
        false_discovery([1.2])


def test_false_discoveries_are_held() -> None:
    """Twenty of a hundred tests have something to find; of what is found at most 5 % is false on average."""
    rng = np.random.default_rng(1)
    shares, found = [], 0
    for _ in range(400):
        q = false_discovery(stats.norm.sf(rng.normal(size=100) + 4 * (np.arange(100) < 20)))
        shares.append((q[20:] < 0.05).sum() / max(1, (q < 0.05).sum()))
        found += (q[:20] < 0.05).sum()
    assert np.mean(shares) < 0.05
    assert found / 400 > 15


def test_people_who_stay_the_same_are_rarely_said_to_change() -> None:
    rng = np.random.default_rng(2)
    n = 250
    several = [deviations(told(20, rng)) for _ in range(n)]
    assert is_compatible(sum((each["q"] < 0.05).any() for each in several), n, 0.05)
    outside = [abs(each["deviation"].iloc[0]) > 1.96 for each in several]
    assert is_compatible(sum(outside), n, 0.05)


def test_a_planted_change_is_found() -> None:
    rng = np.random.default_rng(3)
    found = [deviations(told(40, rng, moved=-35)).loc[0] for _ in range(40)]
    assert np.mean([row["q"] < 0.05 and row["deviation"] < 0 for row in found]) > 0.9
    assert np.mean([row["expected"] - row["score"] for row in found]) == pytest.approx(35, abs=4)


def test_a_change_of_everybody_is_nobodys() -> None:
    scores = told(30, np.random.default_rng(4))
    fallen = scores.assign(score=scores["score"] - 20 * (scores["round"] == 4))
    assert deviations(fallen)["deviation"].to_numpy() == pytest.approx(
        deviations(scores)["deviation"].to_numpy(), abs=1e-6
    )


def test_too_little_history_says_nothing() -> None:
    scores = told(30, np.random.default_rng(5))
    assert deviations(scores[scores["round"] < 2]).empty
    assert deviations(scores[scores["who"] < 4]).empty
    assert list(deviations(scores).columns) == list(deviations(scores[scores["round"] < 2]).columns)
    with pytest.raises(RapportError, match="one score a who"):
        deviations(pd.concat([scores, scores]))
