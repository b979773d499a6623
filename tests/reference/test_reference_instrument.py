"""Every published number of an instrument, reproduced within its tolerance."""

from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest

from pipeline import instrument

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference"
pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the published references are not beside the checkout")

FACTORS = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}

# Shrout & Lane (2012): 4 rounds of 5 persons, three items.
ITEM_1 = [2, 3, 6, 3, 7, 3, 5, 6, 3, 8, 4, 4, 7, 5, 6, 1, 5, 8, 8, 6]
ITEM_2 = [3, 4, 6, 4, 8, 3, 7, 7, 5, 8, 2, 6, 8, 6, 7, 3, 9, 9, 7, 8]
ITEM_3 = [6, 4, 5, 3, 7, 4, 7, 8, 9, 9, 5, 7, 9, 7, 8, 4, 7, 9, 9, 6]


def published() -> list[tuple[str, str, str, float, float]]:
    if not REFERENCE.is_dir():
        return []
    rows = pd.read_csv(REFERENCE / "published.csv")
    rows = rows[rows["function"].str.startswith("pipeline.instrument", na=False)]
    return list(rows[["id", "function", "statistic", "published", "tolerance"]].itertuples(index=False, name=None))


def pupils() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "HolzingerSwineford1939.csv")


def reproduced(function: str, statistic: str) -> float:
    """The project's number for a row; a row that is not known here is an error, not a skip."""
    word = statistic.split()
    if function.endswith("generalizability"):
        wide = pd.DataFrame({"a": ITEM_1, "b": ITEM_2, "c": ITEM_3, "who": [1, 2, 3, 4, 5] * 4})
        long = wide.assign(when=np.repeat([1, 2, 3, 4], 5)).melt(["who", "when"], var_name="item", value_name="said")
        return instrument.generalizability(long, person="who", round="when", item="item", value="said").components[
            word[-1]
        ]
    if function.endswith("instrument.alpha"):
        answers = pingouin.read_dataset("cronbach_alpha").pivot(index="Subj", columns="Items", values="Scores")
        return instrument.alpha(answers).value
    if word[0] == "omega":
        return instrument.composite_omegas(pupils(), FACTORS)[word[1]].value
    if word[0] == "alpha":
        return instrument.alpha(pupils()[FACTORS[word[1]]]).value
    model = instrument.factor_model(pupils(), FACTORS)
    if word[0] == "loading":
        return float(model.loading.loc[word[1]].sum())
    assert word[:2] == ["3-factor", "CFA"]
    return float(getattr(model, word[2].lower()))


@pytest.mark.parametrize(("row", "function", "statistic", "value", "tolerance"), published())
def test_a_published_number_comes_out(row: str, function: str, statistic: str, value: float, tolerance: float) -> None:
    assert reproduced(function, statistic) == pytest.approx(value, abs=tolerance), row


def test_the_two_schools_come_out_as_in_semtools() -> None:
    """measurementInvariance(HS.model, HolzingerSwineford1939, group = "school") of R's semTools."""
    fits = instrument.invariance(pupils(), pupils()["school"], FACTORS)
    assert list(fits.index) == ["configural", "metric", "scalar", "strict"]
    assert fits["chi2"].to_numpy() == pytest.approx([115.851, 124.044, 164.103, 181.511], abs=0.001)
    assert fits["df"].tolist() == [48, 54, 60, 69]
    assert fits["cfi"].to_numpy()[:3] == pytest.approx([0.923, 0.921, 0.882], abs=0.0006)
    assert fits["rmsea"].to_numpy()[:3] == pytest.approx([0.097, 0.093, 0.107], abs=0.0006)
    single = instrument.invariance(pupils(), ["one school"] * len(pupils()), FACTORS)
    assert single["chi2"].to_numpy() == pytest.approx([85.306] * 4, abs=0.001)


def test_the_ratios_of_shrout_and_lane_come_out() -> None:
    """RkF … Rcn as printed by psych::mlr for the same data."""
    wide = pd.DataFrame({"a": ITEM_1, "b": ITEM_2, "c": ITEM_3, "who": [1, 2, 3, 4, 5] * 4})
    long = wide.assign(when=np.repeat([1, 2, 3, 4], 5)).melt(["who", "when"], var_name="item", value_name="said")
    found = instrument.generalizability(long, person="who", round="when", item="item", value="said")
    ratios = [found.RkF, found.R1R, found.RkR, found.Rc, found.RkRn, found.Rcn]
    assert ratios == pytest.approx([0.97, 0.60, 0.85, 0.74, 0.85, 0.65], abs=0.0051)
