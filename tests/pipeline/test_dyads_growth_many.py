"""Growth among many pairings: the quick start changes no answer, and the correlation has its interval."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.dyads import Growth, growth
from pipeline.dyads.growth import MANY

ROUNDS, RHO = 4, 0.4
SIDES = ("mentor", "mentee")


def scores(n: int, *, seed: int = 1, own: float = 8.0) -> pd.DataFrame:
    """People differ by `own` in level, the mentors' side rises by 2 a round, good rounds come together."""
    rng = np.random.default_rng(seed)
    days = rng.multivariate_normal([0, 0], [[1, RHO], [RHO, 1]], (n, ROUNDS)) * 10
    level = 60 + own * rng.standard_normal((n, 1, 2)) + np.arange(ROUNDS)[None, :, None] * np.array([2.0, 0.0])
    pairing, number, side = np.meshgrid(np.arange(n), np.arange(ROUNDS), np.arange(2), indexing="ij")
    columns = {"pairing": pairing, "round": number, "side": side, "score": level + days}
    frame = pd.DataFrame({name: values.ravel() for name, values in columns.items()})
    return frame.assign(side=frame["side"].map(dict(enumerate(SIDES))))


def fitted(frame: pd.DataFrame, method: str = "REML") -> Growth:
    return growth(frame, outcome="score", time="round", pairing="pairing", side="side", method=method)


def test_the_same_pairings_twice_give_the_same_curves_and_twice_the_likelihood() -> None:
    """Half of the required number is searched from afar, the whole from the top of a tenth of them."""
    once = scores(MANY // 2)
    twice = pd.concat([once, once.assign(pairing=once["pairing"] + MANY // 2)])
    few, many = (fitted(frame, "ML") for frame in (once, twice))
    assert few.has_converged
    assert many.has_converged
    assert many.log_likelihood == pytest.approx(2 * few.log_likelihood, abs=0.01)
    assert many.table["estimate"].to_numpy() == pytest.approx(few.table["estimate"].to_numpy(), abs=0.01)


def test_without_people_of_their_own_the_interval_is_fishers() -> None:
    frame = scores(150, own=0.0)
    found = fitted(frame)
    wide = frame.pivot(index=["pairing", "round"], columns="side", values="score")
    r, n = np.corrcoef(*(wide[side] - wide[side].groupby("round").transform("mean") for side in SIDES))[0, 1], len(wide)
    half = float(stats.norm.ppf(0.975)) / np.sqrt(n - 3)
    assert found.correlation == pytest.approx(r, abs=0.05)
    width = np.arctanh(found.correlation_high) - np.arctanh(found.correlation_low)
    assert 1.0 <= width / (2 * half) < 1.5  # some of what the sides share could be people's own


def test_the_interval_holds_the_correlation() -> None:
    found = [fitted(scores(60, seed=seed)) for seed in range(40)]
    held = sum(each.correlation_low <= RHO <= each.correlation_high for each in found)
    missed = sum(each.correlation_low <= 0.0 <= each.correlation_high for each in found)
    assert stats.binomtest(held, len(found), 0.95).pvalue > 0.01
    assert missed < len(found) / 4  # it is narrow enough to tell 0.4 from none
