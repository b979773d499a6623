"""Retention by sequential trials: known truth, immortal time, selection, no effect, and when there is no answer."""

import numpy as np
import pandas as pd
import pytest

from pipeline.business_case.protocol import retention_protocol
from pipeline.business_case.retention import ever_against_never, mentors_retention, retention
from pipeline.claim import ASSOCIATED, CAUSAL
from tests.pipeline.simulated_staff import Staff, simulate_staff


@pytest.fixture(scope="module")
def staff() -> Staff:
    return simulate_staff(seed=1)


def people(n: int, *, joined: int, months: int = 13, left_treated: int, left_control: int) -> pd.DataFrame:
    """One trial in month 0: `joined` people enrol at once; the first so many of each side leave in month 5."""
    who, month = np.repeat(np.arange(n), months), np.tile(np.arange(months), n)
    is_in = who < joined
    leaves = np.where(is_in, who < left_treated, who - joined < left_control)
    return pd.DataFrame(
        {
            "person": [f"p{i}" for i in who],
            "month": month,
            "employed": ~(leaves & (month > 5)),
            "eligible": ~(leaves & (month > 5)) & (~is_in | (month == 0)),
            "enrolled": is_in,
            "enrols": is_in & (month == 0),
            "exit": np.where(leaves & (month == 5), 1, 0),
            "tenure_months": 7,
            "department": "lab",
        }
    )


def test_one_month_of_trials_is_a_difference_of_two_shares() -> None:
    rows = people(200, joined=100, left_treated=10, left_control=25)
    found = retention(rows, covariates=["tenure_months"])
    assert found.estimate == pytest.approx(0.10 - 0.25)
    assert found.se == pytest.approx(np.sqrt(0.1 * 0.9 / 100 + 0.25 * 0.75 / 100))
    details = found.details
    assert (details["risk_treated"], details["risk_control"]) == (pytest.approx(0.1), pytest.approx(0.25))
    assert details["risk_ratio"] == pytest.approx(0.4)
    assert (details["n_trials"], details["exits_treated"], details["exits_control"]) == (1, 10, 25)
    assert (found.n, found.claim, found.unit) == (200, CAUSAL, "share")
    unadjusted = retention(rows, covariates=[])
    assert (unadjusted.estimate, unadjusted.claim) == (pytest.approx(found.estimate), ASSOCIATED)


def test_months_are_compared_within_themselves() -> None:
    """Month 0: 100 of 200 join, 10 % and 25 % leave. Month 1: 20 of 200, 30 % and 40 %. Weights n·e(1 − e): 50, 18."""
    first = people(200, joined=100, left_treated=10, left_control=25)
    second = people(200, joined=20, months=14, left_treated=6, left_control=72)
    second["person"] = "q" + second["person"]
    second["enrols"] = second["enrolled"] & (second["month"] == 1)
    second["enrolled"] &= second["month"] > 0
    rows = pd.concat([first.assign(eligible=first["month"] == 0), second.assign(eligible=second["month"] == 1)])
    whole = rows[rows["month"] < 13]
    for covariates in (["tenure_months"], "tenure_months"):
        found = retention(whole, horizon=9, covariates=covariates)
        assert found.details["n_trials"] == 2
        assert found.estimate == pytest.approx((50 * -0.15 + 18 * -0.10) / 68)


def test_leaving_otherwise_competes() -> None:
    """A dismissal in month 3 comes first and is no exit by choice; asked for, it is the outcome."""
    rows = people(200, joined=100, left_treated=10, left_control=25)
    dismissed = (rows["person"].isin([f"p{i}" for i in range(50, 80)])) & (rows["month"] == 3)
    rows["exit"] = np.where(dismissed, 2, rows["exit"])
    assert retention(rows, covariates=[]).details["risk_treated"] == pytest.approx(0.1)
    rows["exit"] = np.where(rows["person"].isin([f"p{i}" for i in range(4)]) & (rows["month"] == 3), 2, rows["exit"])
    assert retention(rows, covariates=[]).details["risk_treated"] == pytest.approx(0.06)
    other = retention(rows.assign(exit=rows["exit"].replace({1: 2, 2: 1})), covariates=[], cause=2)
    assert other.details["risk_treated"] == pytest.approx(0.06)


def test_only_months_with_a_whole_follow_up_start_a_trial() -> None:
    rows = people(200, joined=100, months=15, left_treated=10, left_control=25)
    assert retention(rows, covariates=[], horizon=15).details["n_trials"] == 1
    assert "No month has 16 months" in retention(rows, covariates=[], horizon=16).reason
    late = rows.assign(
        enrols=rows["enrols"].shift(5, fill_value=False), enrolled=rows["enrolled"] & (rows["month"] > 4)
    )
    late["eligible"] = ~late["enrolled"] | late["enrols"]
    assert "No month has 12 months" in retention(late, covariates=[]).reason


def test_a_control_may_join_later_and_stays_a_control() -> None:
    """Ben is a control in months 0–3 and joins in 4: five rows, one person, treated in one of them."""
    rows = simulate_staff(seed=5, people=3000).panel
    found = retention(rows, covariates=["grade"])
    whole = rows[(rows["month"] <= 30 - 12) & rows["employed"]]
    treated = whole["enrols"] & whole["eligible"]
    control = whole["eligible"] & ~whole["enrolled"]
    assert found.details["n_treated"] == treated.sum()
    assert found.details["n_control"] == whole.loc[control, "person"].nunique()
    assert found.details["n_person_trials"] + found.details["without_counterpart"] == treated.sum() + control.sum()


def test_the_truth_is_found_where_ever_against_never_misses(staff: Staff) -> None:
    """The naive difference is about eight times the truth: months survived before joining, and who joins."""
    found, naive = retention(staff.panel), ever_against_never(staff.panel)
    assert found.low < staff.truth < found.high
    assert found.excludes_zero
    assert found.claim == CAUSAL
    assert naive.estimate < 6 * staff.truth
    assert naive.high < found.low
    assert naive.claim == ASSOCIATED
    ever = staff.panel.groupby("person")["enrolled"].max()
    assert naive.details["n_treated"] == ever.sum()


def test_immortal_months_alone_fool_the_naive_comparison() -> None:
    """No effect, nobody selected: who joins has by that survived until then; the trials see nothing."""
    made = simulate_staff(seed=7, ratio=1.0)
    rng = np.random.default_rng(1)
    rows = made.panel.sort_values(["person", "month"]).reset_index(drop=True)
    chosen = rng.random(len(rows)) < 0.012
    rows["enrolled"] = (chosen & rows["employed"]).groupby(rows["person"]).cummax()
    before = rows["enrolled"].groupby(rows["person"]).shift(1, fill_value=False)
    rows["enrols"] = rows["enrolled"] & ~before
    rows["eligible"] = rows["employed"] & ~before
    found, naive = retention(rows), ever_against_never(rows)
    assert abs(found.estimate) < 2.5 * found.se
    assert naive.high < -0.05


def test_short_form_of_the_calibration() -> None:
    """40 workforces of 6,000: unbiased within 3.5 Monte Carlo SE, and at most 6 of 40 intervals miss (p < .01 at 5 %).

    The long form, 342 workforces of 20,000 at each of two truths, is in the docstring of `retention`.
    """
    made = [simulate_staff(seed=100 + seed, people=6_000) for seed in range(40)]
    found = [retention(one.panel) for one in made]
    truth = np.mean([one.truth for one in made])
    estimate = np.array([effect.estimate for effect in found])
    assert estimate.mean() == pytest.approx(truth, abs=3.5 * estimate.std() / np.sqrt(40))
    assert sum(effect.low <= truth <= effect.high for effect in found) >= 34
    errors = np.array([effect.se for effect in found])
    assert errors.mean() == pytest.approx(estimate.std(), rel=0.4)  # 3.5 SE of an SD from 40 draws


def test_those_who_joined_may_be_asked_about(staff: Staff) -> None:
    found = retention(staff.panel, estimand="ATT", augmented=False)
    assert found.low < staff.truth_of_joiners < found.high
    assert "ATT" in found.method
    with pytest.raises(ValueError, match="could join"):
        retention(staff.panel, estimand="ATE")


def test_a_formula_of_covariates_says_the_same_as_a_list(staff: Staff) -> None:
    few = staff.panel[staff.panel["person"] < "p05000"]
    listed = retention(few, covariates=["grade", "department"])
    written = retention(few, covariates="C(grade) + C(department)")
    assert written.estimate == pytest.approx(listed.estimate, abs=1e-9)
    assert written.se == pytest.approx(listed.se, rel=1e-6)


def test_leaving_a_confounder_out_shows(staff: Staff) -> None:
    """Without grade the difference grows: the covariates do the work and not the trials alone."""
    without = retention(staff.panel, covariates=["tenure_months", "department", "location"])
    assert without.estimate < retention(staff.panel).estimate - 0.01


def test_who_joins_is_counted_once_however_many_trials_they_are_in(staff: Staff) -> None:
    """Copies of everybody under the same names change nothing but under new names halve the variance."""
    few = staff.panel[staff.panel["person"] < "p04000"]
    once = retention(few)
    renamed = few.assign(person="q" + few["person"])
    twice = retention(pd.concat([few, renamed]))
    assert twice.estimate == pytest.approx(once.estimate, abs=1e-9)
    assert twice.se == pytest.approx(once.se / np.sqrt(2), rel=1e-3)


def test_departments_where_nobody_joins_say_nothing(staff: Staff) -> None:
    few = staff.panel[staff.panel["person"] < "p04000"]
    extra = few.assign(person="q" + few["person"], department="far away", enrolled=False, enrols=False)
    extra["exit"] = 1 * (extra["month"] == 3) * extra["employed"]
    found = retention(pd.concat([few.astype({"department": "str"}), extra]))
    assert found.details["without_counterpart"] > 0
    assert found.estimate == pytest.approx(retention(few).estimate, abs=1e-9)
    both = pd.concat([few.astype({"department": "str"}), extra])
    coded = both.assign(code=pd.factorize(both["department"])[0])
    listed, written = retention(coded, covariates=["department"]), retention(coded, covariates="C(code)")
    assert written.estimate == pytest.approx(listed.estimate, abs=1e-9)
    assert written.details["without_counterpart"] == listed.details["without_counterpart"] > 0


def test_becoming_a_mentor_is_asked_the_same_way(staff: Staff) -> None:
    rows = staff.panel.rename(columns={"enrolled": "is_mentor", "enrols": "mentors"})
    rows = rows.assign(enrolled=False, enrols=False, eligible=False)
    as_mentee = retention(staff.panel.assign(eligible=staff.panel["employed"]))
    assert mentors_retention(rows).estimate == pytest.approx(as_mentee.estimate, abs=1e-12)


def test_too_little_is_no_answer() -> None:
    few = retention(people(200, joined=100, left_treated=3, left_control=25), covariates=[])
    assert few.reason == "Only 3 of those who joined left within 12 months; at least 5 are needed."
    assert few.claim == ASSOCIATED
    small = retention(people(200, joined=12, left_treated=6, left_control=25), covariates=[])
    assert "12 people are in the treated group" in small.reason
    nobody = retention(people(200, joined=0, left_treated=0, left_control=25), covariates=[])
    assert "No month has" in nobody.reason
    assert np.isnan(nobody.estimate)
    assert ever_against_never(people(20, joined=0, left_treated=0, left_control=3)).reason


def test_many_lost_from_sight_cost_the_causal_label() -> None:
    rows = people(200, joined=100, left_treated=10, left_control=25)
    lost = rows["person"].isin([f"p{i}" for i in range(80, 100)]) & (rows["month"] > 2)
    found = retention(rows[~lost], covariates=["tenure_months"])
    assert (found.details["lost"], found.claim) == (20, ASSOCIATED)
    assert found.details["risk_treated"] == pytest.approx(10 / 80)
    hardly = rows["person"].isin(["p90", "p91"]) & (rows["month"] > 2)
    assert retention(rows[~hardly], covariates=["tenure_months"]).claim == CAUSAL


def test_the_protocol_says_what_was_done() -> None:
    said = retention_protocol(horizon=9, covariates=("tenure_months", "grade"), estimand="ATO", side="mentor")
    assert "9 months" in said.follow_up
    assert "not a mentor before" in said.eligibility
    assert "tenure months, grade, month" in said.analysis
    assert "overlap" in said.contrast
