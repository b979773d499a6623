"""Group-time effects against Callaway and Sant'Anna's published table (mpdta, minimum wage and teen employment)."""

import pandas as pd
import pytest

from pipeline.business_case.group_time import GroupTime, group_time_att
from tests.support.authority import agree, beside

NOT_YET = (-0.039763625623043676, 0.012052424787341894)  # simple ATT and SE, diff-diff 3.13
NAMES = {"outcome": "lemp", "unit": "countyreal", "period": "year", "first_treated": "first.treat"}


@pytest.fixture(scope="module")
def counties() -> pd.DataFrame:
    return pd.read_csv(beside("mpdta.csv"))


def effects(found: GroupTime) -> dict[tuple[int, int], float]:
    return {(row.group, row.period): row.att for row in found.table.itertuples()}


def test_published_rows(counties: pd.DataFrame) -> None:
    found = group_time_att(counties, **NAMES)
    study = found.event_study.set_index("event_time")["att"]
    cells = {f"ATT({group}, {period})": att for (group, period), att in effects(found).items()}
    agree(
        {
            **cells,
            "SE ATT(2004,2004) (published = bootstrap)": found.table["se"][0],
            "simple ATT": found.simple.estimate,
            "simple SE (analytic)": found.simple.se,
            **{f"event study e={time}": att for time, att in study.items()},
            "dynamic overall": found.dynamic.estimate,
            "dynamic overall SE": found.dynamic.se,
            "group overall": found.by_group.estimate,
        },
        "pipeline.business_case.group_time_att",
    )


def test_pre_trends_as_published(counties: pd.DataFrame) -> None:
    """p of the joint test in the did vignette, without covariates and given the counties' population."""
    assert group_time_att(counties, **NAMES).pre_trend.p == pytest.approx(0.16812, abs=5e-6)
    assert group_time_att(counties, **NAMES, covariates="~lpop").pre_trend.p == pytest.approx(0.23267, abs=5e-6)


def test_not_yet_treated_controls_and_covariates(counties: pd.DataFrame) -> None:
    """Against diff-diff 3.13 (its propensity stops at about 1e-5, so the rows with a covariate agree to that)."""
    plain = group_time_att(counties, **NAMES, controls="not-yet")
    assert plain.simple.estimate == pytest.approx(NOT_YET[0], abs=1e-9)
    assert plain.simple.se == pytest.approx(NOT_YET[1], abs=1e-9)
    given = group_time_att(counties, **NAMES, controls="not-yet", covariates=["lpop"])
    assert given.simple.estimate == pytest.approx(-0.04135167, abs=1e-6)
    assert given.simple.se == pytest.approx(0.01142790, abs=1e-6)
    assert given.event_study["att"].tolist() == pytest.approx(
        [0.0269327, -0.0049620, -0.0228598, -0.0201447, -0.0547297, -0.1381918, -0.1069038], abs=1e-5
    )
    assert given.event_study["se"].tolist() == pytest.approx(
        [0.0139136, 0.0128047, 0.0146119, 0.0116323, 0.0164003, 0.0342281, 0.0328865], abs=1e-5
    )
