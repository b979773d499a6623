"""Subgroups borrow from each other, and a subgroup without an answer stays without."""

import numpy as np
import pytest
from scipy.stats import norm

from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.subgroups import subgroups
from pipeline.claim import ASSOCIATED
from pipeline.pooling import shrink


def effect(estimate: float, se: float) -> Effect:
    low, high = estimate - 1.96 * se, estimate + 1.96 * se
    return Effect(estimate=estimate, low=low, high=high, se=se, n=100, method="made up", claim=ASSOCIATED)


NOTHING = cannot_tell("Only 4 people.", method="made up", claim=ASSOCIATED, n=4)


def test_effects_are_drawn_together_and_gaps_stay() -> None:
    found = subgroups(
        {"care": effect(-0.09, 0.03), "lab": NOTHING, "shop": effect(0.01, 0.03), "yard": effect(0, 0.03)}
    )
    assert found.index.to_list() == ["care", "lab", "shop", "yard"]
    assert -0.09 < found.loc["care", "mean"] < found.loc["yard", "mean"] < found.loc["shop", "mean"] < 0.01
    assert found.loc["care", "p_above"] < 0.3 < found.loc["shop", "p_above"]
    assert found.loc["lab", "reason"] == "Only 4 people."
    assert found.loc["lab", ["mean", "low", "high"]].isna().all()
    expected = shrink([-0.09, 0.01, 0.0], [0.03] * 3)
    assert found["mean"].dropna().to_numpy() == pytest.approx(expected["mean"].to_numpy())


def test_two_subgroups_are_not_enough_to_tell_them_apart() -> None:
    found = subgroups({"care": effect(-0.09, 0.03), "shop": effect(0.01, 0.03), "lab": NOTHING})
    assert found["mean"].isna().all()
    assert found["estimate"].to_list()[:2] == [-0.09, 0.01]
    # two effects: Cochran's Q is the squared z of their difference
    assert found["heterogeneity_p"].iloc[0] == pytest.approx(2 * norm.sf(0.10 / np.hypot(0.03, 0.03)))
    assert subgroups({"lab": NOTHING})["heterogeneity_p"].isna().all()


def test_a_subgroup_that_differs_by_chance_is_not_a_finding() -> None:
    """200 made-up programmes with one effect in 6 subgroups: raw intervals exclude it in some subgroup in a quarter
    of them (1 − .95⁶ = .26), shrunk ones in at most 6 % (tolerances 3.5 and 3 Monte Carlo SE)."""
    rng = np.random.default_rng(4)
    raw = shrunken = 0
    for _ in range(200):
        draws = rng.normal(-0.03, 0.03, 6)
        found = subgroups({str(place): effect(draw, 0.03) for place, draw in enumerate(draws)})
        raw += bool((np.abs(draws + 0.03) > 1.96 * 0.03).any())
        shrunken += bool(((found["low"] > -0.03) | (found["high"] < -0.03)).any())
    assert raw / 200 == pytest.approx(0.26, abs=0.11)
    assert shrunken / 200 <= 0.06 + 0.05
