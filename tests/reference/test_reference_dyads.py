"""Two sides against R's nlme and lavaan (Acitelli's couples, motive congruence)."""

import pandas as pd
import pytest

from pipeline.dyads import actor_partner, distinguishability, response_surface
from tests.support.authority import agree, beside

HUSBAND, WIFE = "Husband", "Wife"
NAMES = {"outcome": "Satisfaction_A", "predictor": "OtherPos_A", "pairing": "CoupleID", "side": "Gender_A"}


@pytest.fixture(scope="module")
def couples() -> pd.DataFrame:
    return pd.read_csv(beside("acipair.csv"))


def test_actor_and_partner_effects(couples: pd.DataFrame) -> None:
    empty = actor_partner(couples, **{**NAMES, "predictor": None}, distinguishable=False)
    alike = actor_partner(couples, **NAMES, distinguishable=False)
    apart = actor_partner(couples, **NAMES)
    estimate, se = apart.table["estimate"], apart.table["se"]
    agree(
        {
            "empty-model ICC rho (REML)": empty.correlation,
            "REML logLik empty": empty.log_likelihood,
            "APIM indistinguishable intercept": alike.intercepts.loc[WIFE, "estimate"],
            "APIM indistinguishable actor": alike.table.loc[(WIFE, "actor"), "estimate"],
            "APIM indistinguishable partner": alike.table.loc[(HUSBAND, "partner"), "estimate"],
            "APIM indistinguishable actor SE": alike.table.loc[(HUSBAND, "actor"), "se"],
            "APIM indistinguishable rho": alike.correlation,
            "APIM indistinguishable resid SE": alike.residual_sd[WIFE],
            "APIM indistinguishable REML logLik": alike.log_likelihood,
            "APIM CS covariance (SAS PROC MIXED CS)": alike.covariance,
            "APIM residual variance (SAS)": alike.residual_variance[WIFE] - alike.covariance,
            "APIM distinguishable actor husband": estimate[HUSBAND, "actor"],
            "SE actor husband": se[HUSBAND, "actor"],
            "APIM distinguishable actor wife": estimate[WIFE, "actor"],
            "SE actor wife": se[WIFE, "actor"],
            "APIM distinguishable partner W->H": estimate[HUSBAND, "partner"],
            "SE partner W->H": se[HUSBAND, "partner"],
            "APIM distinguishable partner H->W": estimate[WIFE, "partner"],
            "SE partner H->W": se[WIFE, "partner"],
            "rho": apart.correlation,
            "SD ratio wife/husband": apart.residual_sd[WIFE] / apart.residual_sd[HUSBAND],
            "SUR actor husband": estimate[HUSBAND, "actor"],
        },
        "pipeline.dyads.actor_partner",
    )


def test_distinguishability(couples: pd.DataFrame) -> None:
    test = distinguishability(couples, **NAMES)
    assert test.df == 4
    agree(
        {
            "distinguishability LR chi2 (4 df)": test.statistic,
            "p": test.p,
            "ML logLik dist.": actor_partner(couples, **NAMES, method="ML").log_likelihood,
        },
        "pipeline.dyads.distinguishability",
    )


def test_the_order_of_rows_and_the_type_of_labels_change_nothing(couples: pd.DataFrame) -> None:
    plain = actor_partner(couples, **NAMES)
    turned = couples.sample(frac=1, random_state=1).assign(
        CoupleID=lambda frame: "c" + frame["CoupleID"].astype(str), Gender_A=lambda frame: frame["Gender_A"].eq(WIFE)
    )
    again = actor_partner(turned, **NAMES)
    assert again.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-8)
    assert again.table["se"].to_numpy() == pytest.approx(plain.table["se"].to_numpy(), rel=1e-6)


def test_response_surface() -> None:
    motives = pd.read_csv(beside("motcon.tab"), sep=r"\s+")
    surface = response_surface(motives, outcome="postVA", own="ePow", other="iPow")
    found = {f"RSA {name}": float(getattr(surface, name)) for name in ("a1", "a2", "a3", "a4", "a5")}
    found |= {f"ML SE {name}": surface.se[name] for name in ("a1", "a2", "a3", "a4", "a5")}
    agree(found, "pipeline.dyads.response_surface")
    assert surface.n == 84
    assert not surface.is_enough
