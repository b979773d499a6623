"""A file of tenures is described and compared, and never called causal."""

import numpy as np
import pandas as pd
import pytest

from data.errors import RapportError
from pipeline.business_case import tenure
from pipeline.business_case.survival import restricted_mean
from pipeline.business_case.tenure import compare_tenures, pseudo_months, read_tenures
from pipeline.claim import ASSOCIATED

HORIZON = 24.0


def tenures_of(table: pd.DataFrame, covariates: tuple[str, ...] = ("grade",)) -> tenure.Tenures:
    return read_tenures(
        table, duration="months", event="gone", group="coach", treated=["yes"], control=["no"], covariates=covariates
    )


def staff(n: int = 4000, seed: int = 4) -> pd.DataFrame:
    """Coaching changes nothing; people of grade A stay longer and are coached more often. Some are still there."""
    rng = np.random.default_rng(seed)
    is_senior = rng.random(n) < 0.5
    stays = rng.exponential(np.where(is_senior, 60.0, 20.0))
    seen = rng.uniform(0, 60, n)
    coached = rng.random(n) < np.where(is_senior, 0.6, 0.2)
    return pd.DataFrame(
        {
            "months": np.minimum(stays, seen),
            "gone": (stays <= seen).astype(int),
            "coach": np.where(coached, "yes", "no"),
            "grade": np.where(is_senior, "A", "B"),
        }
    )


def test_rows_that_say_nothing_usable_are_left_out_and_counted():
    table = pd.DataFrame(
        {
            "months": ["3", "", "-1", "4", "5", "6.5"],
            "gone": ["1", "0", "0", "2", "0", "0"],
            "coach": ["yes", "yes", "no", "no", "my head", "no"],
            "grade": list("ABABAB"),
        }
    )
    read = tenures_of(table)
    assert read.rows.to_dict("list") == {
        "duration": [3.0, 6.5], "left": [True, False], "treated": [True, False], "grade": ["A", "B"],
    }  # fmt: skip
    assert read.notes == {tenure.UNUSABLE: 3, tenure.OTHER_GROUP: 1}
    with pytest.raises(RapportError, match="no column salary"):
        tenures_of(table, ("salary",))
    with pytest.raises(RapportError, match="treated and control"):
        read_tenures(table, duration="months", event="gone", group="coach", treated=["no"], control=["no"])


def test_a_pseudo_month_is_what_a_person_adds():
    """Without censoring it is the months themselves up to the horizon; with it, the jackknife's to order 1/n."""
    whole = pseudo_months(duration=[1, 2, 2, 30], event=[1, 1, 1, 1], horizon=HORIZON)
    assert whole == pytest.approx([1, 2, 2, 24])
    table = staff(300)
    months, gone = table["months"].to_numpy(), table["gone"].to_numpy()

    def mean(keep: np.ndarray) -> float:
        # the second group is the same people, so that the arm's own mean can be read
        found = restricted_mean(
            duration=np.tile(months[keep], 2),
            event=np.tile(gone[keep], 2),
            group=np.repeat([1, 0], keep.sum()),
            horizon=HORIZON,
        )
        return found.details["mean_treated"]

    everybody = np.ones(len(months), bool)
    pseudo = pseudo_months(duration=months, event=gone, horizon=HORIZON)
    assert pseudo.mean() == pytest.approx(mean(everybody))
    jackknife = []
    for person in range(len(months)):
        keep = everybody.copy()
        keep[person] = False
        jackknife.append(len(months) * mean(everybody) - keep.sum() * mean(keep))
    assert pseudo == pytest.approx(jackknife, abs=0.3)
    assert np.std(pseudo) == pytest.approx(np.std(jackknife), rel=0.01)


def test_weighting_takes_the_difference_away_that_the_grades_made():
    found = compare_tenures(tenures_of(staff()), horizon=HORIZON)
    assert found.unadjusted.low > 1.5  # who is coached stays longer, for other reasons
    assert found.weighted.estimate == pytest.approx(0, abs=3 * found.weighted.se)
    assert found.weighted.se == pytest.approx(0.3, abs=0.05)
    assert not found.weighted.excludes_zero
    assert list(found.staying["group"].unique()) == ["treated", "control"]
    last = found.staying.groupby("group")["value"].min()
    assert last["treated"] > last["control"]


def test_groups_that_are_lost_from_sight_at_different_times_are_still_compared_rightly():
    """Coached people stay longer and were followed for a shorter time: what each adds is made within their group."""
    rng = np.random.default_rng(8)
    coached = np.arange(6000) % 2 == 0
    stays = rng.exponential(np.where(coached, 60.0, 12.0))
    seen = rng.uniform(0, np.where(coached, 30.0, 300.0))
    table = pd.DataFrame(
        {
            "months": np.minimum(stays, seen),
            "gone": (stays <= seen).astype(int),
            "coach": np.where(coached, "yes", "no"),
            "grade": rng.choice(["A", "B"], 6000),
        }
    )
    found = compare_tenures(tenures_of(table), horizon=HORIZON)
    truth = 60 * (1 - np.exp(-HORIZON / 60)) - 12 * (1 - np.exp(-HORIZON / 12))
    assert found.weighted.estimate == pytest.approx(truth, abs=3 * 0.27)
    assert found.weighted.estimate == pytest.approx(found.unadjusted.estimate, abs=0.05)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """200 files of 600 people with no effect: 95 % ± 3 standard errors of 1.5 points."""
    held = [
        not compare_tenures(tenures_of(staff(600, seed)), horizon=HORIZON).weighted.excludes_zero for seed in range(200)
    ]
    assert 0.90 <= np.mean(held) <= 0.995


def test_no_file_of_tenures_is_ever_causal():
    findings = [
        compare_tenures(tenures_of(staff()), horizon=HORIZON),
        compare_tenures(tenures_of(staff(), ()), horizon=HORIZON),
        compare_tenures(tenures_of(staff(), ("grade",)), horizon=HORIZON, estimand="ATT"),
        compare_tenures(tenures_of(staff().assign(coach="yes")), horizon=HORIZON),
    ]
    assert {effect.claim for found in findings for effect in (found.unadjusted, found.weighted)} == {ASSOCIATED}
    assert {found.reason for found in findings} == {tenure.NO_DAY_OF_ENROLMENT}
    assert "No covariate" in findings[1].weighted.reason
    assert findings[2].weighted.is_answered
    assert "0 people are in the control group" in findings[3].weighted.reason
    assert list(findings[3].staying["group"].unique()) == ["treated"]
