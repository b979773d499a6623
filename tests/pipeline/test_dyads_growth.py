"""Growth and random intercepts against dense algebra, published numbers, statsmodels and known truth."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from statsmodels.formula.api import mixedlm

from data.errors import RapportError
from pipeline.dyads import growth, random_intercept
from pipeline.dyads.growth_likelihood import evaluate, gather
from tests.support.simulated import grown, is_compatible

NAMES = {"outcome": "score", "time": "round", "pairing": "pairing", "side": "side"}
SLOPES = {"mentor": 1.5, "mentee": -0.5}
# Davies (1947), yield of dyestuff, six batches of five; lme4's fit of it is in Bates et al. (2015).
DYESTUFF = [1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495, 1595, 1550, 1605, 1510, 1560]
DYESTUFF += [1445, 1440, 1595, 1465, 1545, 1595, 1630, 1515, 1635, 1625, 1520, 1455, 1450, 1480, 1445]


def made(n_groups: int, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), 6)
    scores = pd.DataFrame({"group": group, "x": rng.normal(size=len(group))})
    own = 5 * rng.normal(size=n_groups)
    scores["y"] = 70 + 2 * scores["x"] + own[group] + 9 * rng.normal(size=len(group))
    return scores[rng.random(len(group)) > 0.2]


def fitted(scores: pd.DataFrame, method: str = "REML"):
    design = np.column_stack([np.ones(len(scores)), scores["x"]])
    return random_intercept(outcome=scores["y"], group=scores["group"], design=design, method=method)


def test_the_dyestuff_comes_out_as_published() -> None:
    fit = random_intercept(outcome=DYESTUFF, group=np.repeat(list("ABCDEF"), 5))
    assert fit.coefficients[0] == pytest.approx(1527.5, abs=0.01)
    assert (fit.between, fit.within) == (pytest.approx(1764.05, abs=0.1), pytest.approx(2451.25, abs=0.02))
    assert -2 * fit.log_likelihood == pytest.approx(319.6543, abs=1e-4)
    assert (fit.n, fit.n_groups) == (30, 6)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_statsmodels_finds_the_same_and_takes_sixty_times_as_long(method: str) -> None:
    scores = made(1200)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = mixedlm("y ~ x", scores, groups="group").fit(reml=method == "REML")
    middle = time.process_time()
    ours = fitted(scores, method)
    end = time.process_time()
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-3)
    assert ours.coefficients == pytest.approx(theirs.params[["Intercept", "x"]].to_numpy(), abs=1e-4)
    assert ours.se == pytest.approx(theirs.bse[["Intercept", "x"]].to_numpy(), rel=1e-2)
    assert (middle - start) / (end - middle) > 60


def test_48_000_pairings_take_a_moment() -> None:
    scores = made(48_000)
    start = time.process_time()
    fit = fitted(scores)
    assert time.process_time() - start < 2
    assert fit.coefficients == pytest.approx([70, 2], abs=0.15)
    assert fit.between == pytest.approx(25, rel=0.05)


def test_no_variance_between_groups_is_an_answer() -> None:
    fit = random_intercept(outcome=[1.0, 2.0, 3.0, 3.0, 2.0, 1.0], group=list("aaabbb"))
    assert fit.between == 0.0
    assert fit.within == pytest.approx(np.var([1, 2, 3, 3, 2, 1], ddof=1))
    with pytest.raises(RapportError, match="two groups or more"):
        random_intercept(outcome=[1.0, 2.0, 4.0], group=list("abc"))


@pytest.mark.parametrize(("n_rounds", "method"), [(4, "REML"), (4, "ML"), (2, "REML")])
def test_growth_is_what_dense_algebra_says(n_rounds: int, method: str) -> None:
    scores = grown(12, n_rounds, np.random.default_rng(1))
    found = growth(scores, **NAMES, method=method)
    is_mentor = (scores["side"] == "mentor").to_numpy(dtype=float)
    t, y = scores["round"].to_numpy(dtype=float), scores["score"].to_numpy()
    one = np.column_stack([np.ones(len(t)), t])
    z = np.hstack([one * (1 - is_mentor)[:, None], one * is_mentor[:, None]])  # mentee first, as sorted
    pairing = scores["pairing"].to_numpy()
    is_same = pairing[:, None] == pairing[None, :]
    sd = found.residual_sd[scores["side"]].to_numpy()
    noise = (
        np.outer(sd, sd)
        * is_same
        * (t[:, None] == t[None, :])
        * np.where(is_mentor[:, None] == is_mentor, 1, found.correlation)
    )
    v = z @ found.random.to_numpy() @ z.T * is_same + noise
    information = z.T @ np.linalg.solve(v, z)
    beta = np.linalg.solve(information, z.T @ np.linalg.solve(v, y))
    expected = stats.multivariate_normal(z @ beta, v).logpdf(y)
    expected += 2 * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(information)[1] if method == "REML" else 0.0
    assert found.log_likelihood == pytest.approx(expected, abs=1e-5)
    assert found.table["estimate"].to_numpy() == pytest.approx(beta, rel=1e-5)
    assert found.table["se"].to_numpy() == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information))), rel=1e-5)
    assert found.has_random_slopes == (n_rounds > 2)
    assert found.has_converged


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize(("has_slopes", "n"), [(True, 13), (False, 6)])
def test_the_gradient_is_that_of_the_likelihood(has_slopes: bool, n: int, method: str) -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(60, 2))
    values[rng.random((60, 2)) < 0.2] = np.nan
    known = gather(values, np.tile([-1.0, 0.0, 1.0], 20), np.repeat(np.arange(20), 3))
    theta = 0.4 * rng.normal(size=n)
    slope = optimize.approx_fprime(theta, lambda at: evaluate(known, at, has_slopes, method)[0], 1e-6)
    assert evaluate(known, theta, has_slopes, method)[1] == pytest.approx(slope, abs=1e-3)


def test_planted_slopes_are_covered_where_mentors_are_shared() -> None:
    rng = np.random.default_rng(9)
    covered, n = 0, 80
    for i in range(n):
        side = ("mentor", "mentee")[i % 2]
        row = growth(grown(20, 4, rng, shared=2.0), **NAMES, mentor="mentor").table.loc[(side, "slope")]
        covered += row["low"] <= SLOPES[side] <= row["high"]
    assert is_compatible(covered, n, 0.95)


def test_a_large_programme_shows_what_was_planted() -> None:
    found = growth(grown(1500, 5, np.random.default_rng(2)), **NAMES)
    for side, slope in SLOPES.items():
        assert found.table.loc[(side, "slope"), "estimate"] == pytest.approx(slope, abs=0.2)
    assert found.correlation == pytest.approx(20 / np.sqrt(50 * 70), abs=0.05)
    assert found.random.loc[("mentor", "intercept"), ("mentee", "intercept")] == pytest.approx(25, abs=6)


def test_growth_needs_two_rounds() -> None:
    scores = grown(10, 3, np.random.default_rng(1))
    with pytest.raises(RapportError, match="two rounds"):
        growth(scores[scores["round"] == 1], **NAMES)
    with pytest.raises(RapportError, match="there are none"):
        growth(scores.assign(score=np.nan), **NAMES)
