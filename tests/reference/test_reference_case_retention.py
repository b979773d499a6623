"""The retention side of the business case against PSweight, TrialEmulation and R's survival."""

import pandas as pd
import pytest

from pipeline.business_case.survival import kaplan_meier
from pipeline.business_case.trials import censoring_weights, cumulative_weight, expand_trials
from pipeline.business_case.weighted import weighted_effect
from tests.support.authority import agree, beside

# The propensity model of PSweight's vignette (Zhou et al. 2022): any qualification against none.
QUALIFIED = (
    "white + maemp + C(scht) + C(qmab) + C(qmab2) + C(qvab) + C(qvab2)"
    " + paed_u + maed_u + agepa + agema + sib_u + paed_u*agepa + maed_u*agema"
)
NAMES = {"person": "id", "period": "period", "treatment": "treatment"}
OUTCOMES = {**NAMES, "eligible": "eligible", "outcome": "outcome"}


def test_overlap_and_inverse_probability_weights_of_wages_by_qualification() -> None:
    people = pd.read_csv(beside("NCDS.csv"))
    names = {"treated": "Dany", "outcome": "wage", "covariates": QUALIFIED}
    plain = {kind: weighted_effect(people, **names, estimand=kind, augmented=False) for kind in ("ATE", "ATO", "ATT")}
    robust = {kind: weighted_effect(people, **names, estimand=kind) for kind in ("ATE", "ATO")}
    agree(
        {
            "ATE (IPW Hajek)": plain["ATE"].estimate,
            "ATO (overlap weights)": plain["ATO"].estimate,
            "ATT": plain["ATT"].estimate,
            "ATO augmented (DR)": robust["ATO"].estimate,
            "ATE augmented (AIPW Hajek)": robust["ATE"].estimate,
            "ATO sandwich SE (PS estimated)": plain["ATO"].se,
            "ATE sandwich SE (PS estimated)": plain["ATE"].se,
        },
        "pipeline.business_case.weighted_effect",
    )


def test_censoring_weights_come_from_the_published_models() -> None:
    panel = pd.read_csv(beside("data_censored.csv"))
    found = censoring_weights(panel, **NAMES, censored="censored", numerator="x2", denominator="x2 + x1")
    models = found.models
    agree(
        {
            "IPCW model num intercept": models["num"]["intercept"],
            "IPCW model num x2": models["num"]["x2"],
            "IPCW model den0 intercept": models["den0"]["intercept"],
            "IPCW model den0 x2": models["den0"]["x2"],
            "IPCW model den0 x1": models["den0"]["x1"],
            "IPCW model den1 intercept": models["den1"]["intercept"],
            "IPCW model den1 x1": models["den1"]["x1"],
        },
        "pipeline.business_case (censoring weights)",
    )


@pytest.mark.parametrize(
    ("name", "until_switch", "rows"),
    [
        # per protocol: vignettes new-interface and Getting-Started of TrialEmulation, "observations in expanded data"
        ("data_censored.csv", True, 500),
        ("trial_example.csv.gz", True, 963_883),
    ],
)
def test_the_trials_have_as_many_rows_as_published(name: str, until_switch: bool, rows: int) -> None:
    panel = pd.read_csv(beside(name))
    assert len(expand_trials(panel, **OUTCOMES, until_switch=until_switch)) == rows


def test_intention_to_treat_keeps_every_later_row_of_everyone_eligible() -> None:
    """Counted here a second way: from each eligible row on, the rows that a person still has."""
    panel = pd.read_csv(beside("data_censored.csv"))
    left = [
        (rows["period"] >= start).sum()
        for _, rows in panel.groupby("id")
        for start in rows.loc[rows["eligible"] == 1, "period"]
    ]
    expanded = expand_trials(panel, **OUTCOMES)
    assert len(expanded) == sum(left) == 1558


def test_a_trials_weight_starts_at_one_and_multiplies_on() -> None:
    panel = pd.read_csv(beside("data_censored.csv"))
    found = censoring_weights(panel, **NAMES, censored="censored", numerator="x2", denominator="x2 + x1")
    panel = panel.assign(weight=found.weight)
    expanded = expand_trials(panel, **OUTCOMES)
    weight = cumulative_weight(expanded, panel, person="id", period="period", weight="weight")
    assert weight[expanded["followup_time"] == 0] == pytest.approx(1.0)
    one = panel[(panel["id"] == 1)].set_index("period")["weight"]
    row = (expanded["person"] == 1) & (expanded["trial_period"] == 0) & (expanded["followup_time"] == 3)
    assert weight[row][0] == pytest.approx(one[1] * one[2] * one[3])


def test_staying_of_real_employees() -> None:
    """E. Babushkin's turnover data: 571 of 1,129 left, median 50.7 months (R survival 3.5-3)."""
    staff = pd.read_csv(beside("turnover.csv"), encoding="latin-1")
    curve = kaplan_meier(duration=staff["stag"], event=staff["event"])
    assert curve["exits"].sum() == 571
    assert curve.loc[curve["value"] <= 0.5, "time"].iloc[0] == pytest.approx(50.7, abs=0.05)
