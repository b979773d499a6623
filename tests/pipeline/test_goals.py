"""Goals against published tables, pingouin and hand-computed numbers."""

import numpy as np
import pandas as pd
import pingouin
import pytest

from data.errors import RapportError
from pipeline.goals import (
    agreement,
    attainment,
    attainment_t,
    easy_goals,
    median_time,
    side_agreement,
    time_to_completion,
)

# Shrout & Fleiss (1979), table 2: six targets, four judges.
JUDGED = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)
# Freireich et al. (1963), weeks in remission on 6-MP; True where the remission ended.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
ENDED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def rated() -> pd.DataFrame:
    rows = [
        ("P1", "mentor", "g1", -2, 1, 2.0),
        ("P1", "mentor", "g2", -1, 0, 1.0),
        ("P1", "mentee", "g1", -2, -1, 2.0),
        ("P1", "mentee", "g2", -1, 2, 1.0),
        ("P2", "mentor", "g3", np.nan, 1, 1.0),
        ("P2", "mentee", "g3", -2, np.nan, 1.0),
    ]
    return pd.DataFrame(rows, columns=["pairing", "side", "goal", "before", "now", "weight"])


def scaled() -> pd.DataFrame:
    return attainment(rated(), pairing="pairing", side="side", baseline="before", attained="now", weight="weight")


def test_t_is_fifty_where_everything_went_as_agreed() -> None:
    assert attainment_t([0, 0, 0]) == 50.0
    assert attainment_t([1]) == pytest.approx(60.0)
    assert attainment_t([-2] * 4) == pytest.approx(21.0, abs=0.06)  # Turner-Stokes & Williams (2010)
    assert attainment_t([-1] * 5) == pytest.approx(34.9, abs=0.06)


def test_weights_and_missing_levels() -> None:
    """By hand: weights 2 and 1, levels 1 and 0: 50 + 20 / √(0.7·5 + 0.3·9)."""
    assert attainment_t([1, 0], weights=[2, 1]) == pytest.approx(50 + 20 / np.sqrt(6.2))
    assert attainment_t([1, np.nan, 0], weights=[2, 5, 1]) == pytest.approx(50 + 20 / np.sqrt(6.2))
    assert attainment_t(pd.Series([1, 1]), rho=1.0) == pytest.approx(60)
    assert np.isnan(attainment_t([]))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"levels": [3]}, "levels from -2 to 2"),
        ({"levels": [0, 1], "weights": [1]}, "one weight a goal"),
        ({"levels": [0], "weights": [-1]}, "weights of zero or more"),
        ({"levels": [0], "rho": 2}, "correlation between goals"),
    ],
)
def test_what_is_no_goal_attainment_is_refused(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        attainment_t(**arguments)


def test_each_side_has_its_own_t() -> None:
    t = scaled()
    mentor = t.loc[("P1", "mentor")]
    assert mentor["attained_t"] == pytest.approx(attainment_t([1, 0], [2, 1]))
    assert mentor["baseline_t"] == pytest.approx(attainment_t([-2, -1], [2, 1]))
    assert mentor["change"] == pytest.approx(mentor["attained_t"] - mentor["baseline_t"])
    assert t["share_reached"].to_dict() == {("P1", "mentor"): 1.0, ("P1", "mentee"): 0.5, ("P2", "mentor"): 1.0}
    assert t["n_goals"].to_dict() == {("P1", "mentor"): 2, ("P1", "mentee"): 2, ("P2", "mentor"): 1}


def test_a_goal_without_a_baseline_makes_no_change() -> None:
    row = scaled().loc[("P2", "mentor")]
    assert row["attained_t"] == pytest.approx(60)
    assert np.isnan(row["baseline_t"])
    assert np.isnan(row["change"])


def test_agreement_is_that_of_shrout_and_fleiss() -> None:
    found = agreement(JUDGED)
    assert found.value == pytest.approx(0.29, abs=0.005)
    long = pd.DataFrame(JUDGED).stack().rename_axis(["target", "judge"]).reset_index(name="rating")
    theirs = pingouin.intraclass_corr(long, targets="target", raters="judge", ratings="rating").set_index("Type")
    row = theirs.loc["ICC(A,1)"]
    assert found.value == pytest.approx(row["ICC"], abs=1e-6)
    assert (found.low, found.high) == (
        pytest.approx(row["CI95"][0], abs=0.006),
        pytest.approx(row["CI95"][1], abs=0.006),
    )


def test_two_sides_agree_on_goals_both_rated() -> None:
    goals = pd.DataFrame({"goal": list("abcd") * 2, "side": ["mentor"] * 4 + ["mentee"] * 4})
    alike = side_agreement(goals.assign(level=[-1, 0, 1, 2] * 2), goal="goal", side="side", level="level")
    assert (alike.value, alike.low, alike.n) == (1.0, 1.0, 4)
    generous = side_agreement(goals.assign(level=[0, 1, 2, 2, -2, -1, 0, 0]), goal="goal", side="side", level="level")
    assert generous.value < 0.5
    one_silent = goals.assign(level=[0, 1, np.nan, 2, -2, -1, 0, 0])
    assert side_agreement(one_silent, goal="goal", side="side", level="level").n == 3
    assert np.isnan(side_agreement(goals.assign(level=1), goal="goal", side="side", level="level").value)


def test_goals_that_ask_for_little_are_noticed() -> None:
    assert easy_goals([68, 72, 65, 70, 66]).is_too_easy
    assert not easy_goals([50, 52, 61, 44, 58]).is_too_easy
    assert not easy_goals([70.0, np.nan]).is_too_easy
    assert easy_goals([40, 80]).mean == 60


def test_time_to_completion_is_that_of_the_published_table() -> None:
    """6-MP: survival and its standard error as in Kalbfleisch & Prentice and every survival package."""
    found = time_to_completion(WEEKS, ENDED)
    assert found["time"].tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert (1 - found["share_done"]).to_numpy() == pytest.approx(
        [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4
    )
    assert found["se"].to_numpy() == pytest.approx([0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=6e-5)
    assert found["n_open"].tolist() == [21, 17, 15, 12, 11, 7, 6]
    # survival's conf.type = "log-log" at week 6: 0.620 to 0.952
    assert (1 - found["high"][0], 1 - found["low"][0]) == (
        pytest.approx(0.620, abs=6e-4),
        pytest.approx(0.952, abs=6e-4),
    )
    assert median_time(found) == 23


def test_milestones_by_hand() -> None:
    """Four milestones: done in week 2, open at 3, done at 5, open at 6. 1 − (3/4)·(1/2) are done by week 5."""
    found = time_to_completion([5, 3, 2, 6], [True, False, True, False])
    assert found[["time", "n_open", "n_done"]].to_numpy().tolist() == [[2, 4, 1], [5, 2, 1]]
    assert found["share_done"].tolist() == [0.25, 0.625]
    assert median_time(found) == 5
    assert np.isnan(median_time(time_to_completion([1, 2, 3], [True, False, False])))
    with pytest.raises(RapportError, match="time of zero or more"):
        time_to_completion([-1], [True])
