"""The short form of `make calibrate`: coverage, false findings and power at the counts that fit the suite."""

import numpy as np
import pytest
from scipy import stats

from tests.calibration.table import Count, changes, counted, gaps_found, verdicts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("calibration")]


def test_every_interval_holds_the_truth_as_often_as_it_says():
    table = verdicts(counted(n_programmes=24, seed=3))
    assert set(table["kind"]) == {"programme mean", "group mean", "perception gap"}
    assert list(table.loc[~table["is_compatible"], "kind"]) == []


def test_intervals_that_are_too_narrow_or_too_wide_are_caught():
    narrow, wide = Count(held=870, n=1000), Count(held=990, n=1000)
    table = verdicts(
        {("perception gap", 60): narrow, ("programme mean", 300): wide, ("group mean", 300): Count(held=948, n=1000)}
    )
    assert dict(zip(table["kind"], table["is_compatible"], strict=True)) == {
        "group mean": True,
        "perception gap": False,
        "programme mean": False,
    }


def test_a_gap_that_is_not_there_is_rarely_found_and_a_planted_one_mostly():
    nothing, planted = (gaps_found(60, 5, gap=gap) for gap in (0.0, 9.0))
    assert stats.binomtest(nothing.held, nothing.n, 0.06, alternative="greater").pvalue > 0.01
    assert planted.held / planted.n > 0.8


def test_a_rotation_of_easy_and_hard_questions_makes_no_trend():
    still, rising = (changes(40, 7, trend=trend) for trend in (0.0, 1.5))
    error = still.std(ddof=1) / np.sqrt(len(still))
    assert abs(still.mean()) < 3 * error
    assert abs(rising.mean() - 3.0) < 3 * error
