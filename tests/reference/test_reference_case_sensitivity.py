"""Sensitivity against the published answers: E-values, exposure to violence in Darfur, lead in children's blood."""

import pandas as pd
import pytest

from pipeline.business_case.rosenbaum import rosenbaum_bound
from pipeline.business_case.sensitivity import benchmark, e_value, linear_effect, partial_r2, robustness_value
from tests.support.authority import agree, beside

MODEL = {
    "outcome": "peacefactor",
    "treatment": "directlyharmed",
    "covariates": "C(village) + female + age + farmer_dar + herder_dar + pastvoted + hhsize_darfur",
}
# Morton et al. (1982): blood lead of children whose parents work with lead, and of their matched controls.
EXPOSED = [38, 23, 41, 18, 37, 36, 23, 62, 31, 34, 24, 14, 21, 17, 16, 20, 15]
EXPOSED += [10, 45, 39, 22, 35, 49, 48, 44, 35, 43, 39, 34, 13, 73, 25, 27]
CONTROL = [16, 18, 18, 24, 19, 11, 10, 15, 16, 18, 18, 13, 19, 10, 16, 16, 24]
CONTROL += [13, 9, 14, 21, 19, 7, 18, 19, 12, 11, 22, 25, 16, 13, 11, 13]


@pytest.fixture(scope="module")
def villagers() -> pd.DataFrame:
    return pd.read_csv(beside("darfur.csv"))


def test_e_values() -> None:
    ratios = {"RR 3.9": 3.9, "CI 1.8": 1.8, "RR 10.73": 10.73, "CI 8.02": 8.02, "RR .80": 0.80, "CI .91": 0.91}
    found = {f"E-value {name}": e_value(ratio) for name, ratio in ratios.items()}
    agree(found, "pipeline.business_case.e_value")


def test_robustness_value(villagers: pd.DataFrame) -> None:
    found = linear_effect(villagers, **MODEL)
    agree(
        {
            "estimate": found.estimate,
            "SE": found.se,
            "t": found.t,
            "partial R2": partial_r2(found.t, found.dof),
            "RV q=1": robustness_value(found.t, found.dof),
            "RV q=1 alpha=.05": robustness_value(found.t, found.dof, alpha=0.05),
        },
        "pipeline.business_case.robustness_value",
    )


def test_a_hidden_cause_as_strong_as_being_female(villagers: pd.DataFrame) -> None:
    """The table of bounds in sensemakr's vignette (Cinelli & Hazlett 2020, section 5)."""
    found = benchmark(villagers, **MODEL, known=["female"])
    assert found["r2_treatment"].tolist() == pytest.approx([0.009164287, 0.018328573, 0.027492860], abs=1e-7)
    assert found["r2_outcome"].tolist() == pytest.approx([0.1246409, 0.2493240, 0.3740494], abs=1e-5)
    assert found["estimate"].tolist() == pytest.approx([0.07522, 0.05292, 0.03040], abs=2e-5)
    assert found["se"].tolist() == pytest.approx([0.021873, 0.020350, 0.018670], abs=2e-5)
    assert found["t"].tolist() == pytest.approx([3.43890, 2.60019, 1.62810], abs=2e-3)
    assert found["low"].tolist() == pytest.approx([0.032283, 0.012969, -0.006254], abs=2e-4)
    assert found["high"].tolist() == pytest.approx([0.118158, 0.092863, 0.067044], abs=2e-4)


def test_rosenbaum_bound_follows_the_book() -> None:
    """Rosenbaum (2002), section 4.3.3: one pair does not differ and stays in the ranking; without it the last three
    would be .0367, .0441 and .0694."""
    differences = [exposed - control for exposed, control in zip(EXPOSED, CONTROL, strict=True)]
    assert differences.count(0) == 1
    found = {gamma: rosenbaum_bound(differences, gamma) for gamma in (1, 2, 3, 4, 4.25, 5)}
    assert found[1] < 0.0001
    del found[1]
    assert found == pytest.approx({2: 0.0018, 3: 0.0136, 4: 0.0388, 4.25: 0.0468, 5: 0.0740}, abs=5.1e-5)
