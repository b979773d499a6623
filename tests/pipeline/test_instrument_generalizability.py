"""Variance components against textbook numbers, a dense likelihood and known truth."""

import numpy as np
import pandas as pd
import pytest

from data.errors import RapportError
from pipeline.instrument import generalizability

TRUTH = {"p": 1.0, "t": 0.1, "i": 0.3, "pt": 0.5, "pi": 0.2, "ti": 0.05, "e": 0.8}

# Shrout & Lane (2012): five persons, four rounds, three items; components as printed by R's psych::mlr.
ITEM_1 = [2, 3, 6, 3, 7, 3, 5, 6, 3, 8, 4, 4, 7, 5, 6, 1, 5, 8, 8, 6]
ITEM_2 = [3, 4, 6, 4, 8, 3, 7, 7, 5, 8, 2, 6, 8, 6, 7, 3, 9, 9, 7, 8]
ITEM_3 = [6, 4, 5, 3, 7, 4, 7, 8, 9, 9, 5, 7, 9, 7, 8, 4, 7, 9, 9, 6]
PUBLISHED = {"p": 2.34, "t": 0.38, "i": 0.61, "pt": 0.92, "pi": 0.12, "ti": 0.05, "e": 0.96}
COLUMNS = {"person": "who", "round": "when", "item": "item", "value": "said"}


def shrout_and_lane() -> pd.DataFrame:
    wide = pd.DataFrame({"first": ITEM_1, "second": ITEM_2, "third": ITEM_3, "who": list("ABCDE") * 4})
    return wide.assign(when=np.repeat([1, 2, 3, 4], 5)).melt(["who", "when"], var_name="item", value_name="said")


def simulated(p: int, t: int, i: int, n_asked: int, rng: np.random.Generator) -> pd.DataFrame:
    shapes = {"p": (p, 1, 1), "t": (1, t, 1), "i": (1, 1, i), "pt": (p, t, 1), "pi": (p, 1, i), "ti": (1, t, i)}
    shapes["e"] = (p, t, i)
    said = sum(np.sqrt(TRUTH[name]) * rng.normal(size=shape) for name, shape in shapes.items())
    who, when, item = np.indices((p, t, i))
    asked = (rng.random((p, t, i)).argsort(axis=2) < n_asked).ravel()
    long = pd.DataFrame({"who": who.ravel(), "when": when.ravel(), "item": item.ravel(), "said": np.ravel(said)})
    return long[asked]


def restricted(components: dict[str, float], long: pd.DataFrame) -> float:
    """−2 × restricted log-likelihood from the full covariance matrix."""
    facets = {"p": ["who"], "t": ["when"], "i": ["item"], "pt": ["who", "when"], "pi": ["who", "item"]}
    facets["ti"] = ["when", "item"]
    v = components["e"] * np.eye(len(long))
    for name, columns in facets.items():
        code = long.groupby(columns).ngroup().to_numpy()
        v += components[name] * (code[:, None] == code)
    inverse, said = np.linalg.inv(v), long["said"].to_numpy()
    weight = inverse.sum()
    apart = said - (inverse @ said).sum() / weight
    return float(np.linalg.slogdet(v)[1] + np.log(weight) + apart @ inverse @ apart)


@pytest.mark.parametrize("method", ["auto", "reml", "sums of squares"])
def test_the_published_components_come_out_whatever_the_method(method: str) -> None:
    found = generalizability(shrout_and_lane(), **COLUMNS, method=method)
    assert found.components == pytest.approx(PUBLISHED, abs=0.0051)
    ratios = [found.RkF, found.R1R, found.RkR, found.Rc, found.RkRn, found.Rcn]
    assert ratios == pytest.approx([0.97, 0.60, 0.85, 0.74, 0.85, 0.65], abs=0.0051)
    assert (found.n_persons, found.n_rounds, found.n_items) == (5, 4, 3)


def test_nothing_but_persons_gives_one_component() -> None:
    """Ada, Ben and Cleo say 1, 3 and 8 whatever is asked: σ²p is their variance, all else 0."""
    rows = [
        (who, when, item, said) for who, said in zip("ABC", (1, 3, 8), strict=True) for when in "xy" for item in "mn"
    ]
    found = generalizability(pd.DataFrame(rows, columns=["who", "when", "item", "said"]), **COLUMNS)
    assert found.components == pytest.approx({"p": 13.0, "t": 0, "i": 0, "pt": 0, "pi": 0, "ti": 0, "e": 0}, abs=1e-9)
    assert found.RkF == pytest.approx(1)


def test_a_rotation_is_fitted_at_the_top_of_the_restricted_likelihood() -> None:
    long = simulated(15, 3, 4, 3, np.random.default_rng(0))
    best = generalizability(long, **COLUMNS)
    assert best.method == "reml"
    top = restricted(best.components, long)
    for name in best.components:
        for factor in (0.98, 1.02):
            moved = best.components | {name: best.components[name] * factor + 1e-6}
            assert restricted(moved, long) > top - 1e-9


@pytest.mark.parametrize("method", ["reml", "sums of squares"])
def test_a_rotation_of_items_finds_the_true_components(method: str) -> None:
    rng = np.random.default_rng(11)
    found = [generalizability(simulated(60, 4, 6, 3, rng), **COLUMNS, method=method) for _ in range(25)]
    mean = pd.DataFrame([one.components for one in found]).mean()
    spread = pd.DataFrame([one.components for one in found]).std() / np.sqrt(25)
    assert (np.abs(mean - pd.Series(TRUTH)) < 3.3 * spread + 0.01).all()
    assert np.mean([one.Rc for one in found]) == pytest.approx(0.5 / (0.5 + 0.8 / 6), abs=0.03)


def test_fewer_items_tell_less() -> None:
    long = shrout_and_lane()
    whole, short = generalizability(long, **COLUMNS), generalizability(long, **COLUMNS, n_items=1, n_rounds=2)
    assert short.RkF < whole.RkF
    assert short.Rc == pytest.approx(whole.components["pt"] / (whole.components["pt"] + whole.components["e"]))


def test_a_design_that_cannot_answer_is_refused_in_a_sentence() -> None:
    long = shrout_and_lane()
    with pytest.raises(RapportError, match="two persons, rounds and items"):
        generalizability(long[long["when"] == 1], **COLUMNS)
    with pytest.raises(RapportError, match="one value a person, round and item"):
        generalizability(pd.concat([long, long]), **COLUMNS)
    with pytest.raises(RapportError, match="missing: said"):
        generalizability(long.drop(columns="said"), **COLUMNS)
    with pytest.raises(RapportError, match="balanced"):
        generalizability(long.iloc[1:], **COLUMNS, method="anova")
