"""Real tenures of 1,129 employees, some of whom had a coach (E. Babushkin): read, described, compared, not causal."""

import pandas as pd
import pytest

from pipeline.business_case.survival import kaplan_meier
from pipeline.business_case.tenure import OTHER_GROUP, compare_tenures, read_tenures
from pipeline.claim import ASSOCIATED
from tests.support.authority import beside, published

COVARIATES = ("age", "gender", "greywage", "anxiety")


def turnover() -> pd.DataFrame:
    return pd.read_csv(beside("turnover.csv"))


def test_the_file_holds_the_exits_and_the_median_that_were_published() -> None:
    expected = published("background")
    table = turnover()
    curve = kaplan_meier(duration=table["stag"], event=table["event"])
    median = float(curve.loc[curve["value"] <= 0.5, "time"].iloc[0])
    events, _ = expected["events"]
    value, tolerance = expected["KM median months"]
    assert table["event"].sum() == events
    assert median == pytest.approx(value, abs=tolerance)


def test_having_a_coach_goes_with_no_longer_stay_and_proves_nothing() -> None:
    """The published Cox model has coached people leave a little sooner, with an interval that holds no difference."""
    read = read_tenures(
        turnover(), duration="stag", event="event", group="coach", treated=["yes"], control=["no"],
        covariates=COVARIATES,
    )  # fmt: skip
    assert (len(read.rows), read.rows["treated"].sum(), read.notes) == (815, 132, {OTHER_GROUP: 314})
    found = compare_tenures(read, horizon=36)
    assert found.weighted.estimate < 0
    assert not found.weighted.excludes_zero
    assert found.weighted.details["largest_difference"] < 0.1
    assert {found.unadjusted.claim, found.weighted.claim} == {ASSOCIATED}
