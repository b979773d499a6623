"""Actor and partner effects against dense algebra, plain regression and known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from data.errors import RapportError
from pipeline.dyads import actor_partner, distinguishability
from tests.support.simulated import ACTOR, PARTNER, influenced, is_compatible

NAMES = {"outcome": "y", "predictor": "x", "pairing": "pairing", "side": "side"}


def pairs_of(n_mentors: int = 40, seed: int = 2, **more: float) -> pd.DataFrame:
    return influenced(n_mentors, np.random.default_rng(seed), **more)


def dense(pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, design, side, pairing and mentor of the people used; effects in the order mentor, mentee."""
    partner = pairs.assign(side=pairs["side"].map({"mentor": "mentee", "mentee": "mentor"}))
    joined = pairs.merge(partner[["pairing", "side", "x"]], on=["pairing", "side"], suffixes=("", "_partner")).dropna()
    is_mentor = (joined["side"] == "mentor").to_numpy(dtype=float)
    shared = np.column_stack([np.ones(len(joined)), joined["x"], joined["x_partner"]])
    design = np.hstack([shared * is_mentor[:, None], shared * (1 - is_mentor)[:, None]])
    return joined["y"].to_numpy(), design, is_mentor, joined["pairing"].to_numpy(), joined["mentor"].to_numpy()


def covariance(theta: np.ndarray, is_mentor: np.ndarray, pairing: np.ndarray) -> np.ndarray:
    sd = np.exp(np.where(is_mentor == 1, theta[0], theta[1]))
    together = np.where(pairing[:, None] == pairing[None, :], np.tanh(theta[2]), 0.0)
    np.fill_diagonal(together, 1.0)
    return np.outer(sd, sd) * together


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_one_side_alone_counts_as_dense_algebra_says(method: str) -> None:
    pairs = pairs_of(12)
    y, x, is_mentor, pairing, _ = dense(pairs)

    def loss(theta: np.ndarray) -> float:
        v = covariance(theta, is_mentor, pairing)
        information = x.T @ np.linalg.solve(v, x)
        beta = np.linalg.solve(information, x.T @ np.linalg.solve(v, y))
        likelihood = stats.multivariate_normal(x @ beta, v).logpdf(y)
        correction = 3 * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(information)[1] if method == "REML" else 0.0
        return -(likelihood + correction)

    best = optimize.minimize(loss, [2.0, 2.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10})
    found = actor_partner(pairs, **NAMES, method=method)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert found.correlation == pytest.approx(np.tanh(best.x[2]), abs=1e-4)
    assert found.residual_sd[["mentor", "mentee"]].to_numpy() == pytest.approx(np.exp(best.x[:2]), rel=1e-4)
    assert (found.n_observations, found.n_left_out) == (len(y), 0)
    assert found.n_complete < found.n_pairings


def test_with_both_sides_it_is_a_regression_of_each_side() -> None:
    """Same predictors on both sides and nobody missing: generalised equals ordinary least squares."""
    pairs = pairs_of(30, silent=0.0)
    y, x, is_mentor, *_ = dense(pairs)
    ordinary = np.linalg.lstsq(x, y, rcond=None)[0]
    found = actor_partner(pairs, **NAMES)
    effects = [("mentor", "actor"), ("mentor", "partner"), ("mentee", "actor"), ("mentee", "partner")]
    assert found.table.loc[effects, "estimate"].to_numpy() == pytest.approx(ordinary[[1, 2, 4, 5]], rel=1e-6)
    assert found.intercepts.loc[["mentor", "mentee"], "estimate"].to_numpy() == pytest.approx(
        ordinary[[0, 3]], rel=1e-6
    )
    assert is_mentor.mean() == 0.5


def test_the_clustered_errors_are_those_of_the_textbook() -> None:
    """CR2 and Satterthwaite degrees of freedom written out with n × n matrices (Pustejovsky & Tipton 2018)."""
    pairs = pairs_of(10)
    y, x, is_mentor, pairing, mentor = dense(pairs)
    found = actor_partner(pairs, **NAMES, mentor="mentor")
    sd = found.residual_sd
    v = covariance(np.array([*np.log(sd[["mentor", "mentee"]]), np.arctanh(found.correlation)]), is_mentor, pairing)
    half = np.linalg.inv(np.linalg.cholesky(v))
    x, y = half @ x, half @ y
    bread = np.linalg.inv(x.T @ x)
    hat = np.eye(len(y)) - x @ bread @ x.T
    target = bread[1]  # the mentors' actor effect
    parts = []
    for who in np.unique(mentor):
        inside = np.flatnonzero(mentor == who)
        values, vectors = np.linalg.eigh(hat[np.ix_(inside, inside)])
        lift = np.where(values > 1e-9, 1 / np.sqrt(np.where(values > 1e-9, values, 1)), 0)
        row = np.zeros(len(y))
        row[inside] = vectors @ np.diag(lift) @ vectors.T @ x[inside] @ target
        parts.append(hat @ row)
    seen = np.array(parts) @ y
    gram = np.array(parts) @ np.array(parts).T
    assert found.table.loc[("mentor", "actor"), "se"] == pytest.approx(np.sqrt((seen**2).sum()), rel=1e-5)
    assert found.table.loc[("mentor", "actor"), "df"] == pytest.approx(np.trace(gram) ** 2 / (gram**2).sum(), rel=1e-5)
    assert found.n_mentors == len(np.unique(mentor))


def test_planted_effects_are_covered_where_mentors_are_shared() -> None:
    """Each programme is asked for one effect in turn, so that programmes are independent trials."""
    rng = np.random.default_rng(11)
    truth = [((side, "actor"), ACTOR[side]) for side in ACTOR] + [
        ((side, "partner"), PARTNER[side]) for side in PARTNER
    ]
    covered, n = 0, 120
    for i in range(n):
        effect, value = truth[i % 4]
        row = actor_partner(influenced(14, rng, shared=8.0), **NAMES, mentor="mentor").table.loc[effect]
        covered += row["low"] <= value <= row["high"]
    assert is_compatible(covered, n, 0.95)
    large = actor_partner(influenced(3000, rng), **NAMES, mentor="mentor").table
    for effect, value in truth:
        assert large.loc[effect, "estimate"] == pytest.approx(value, abs=5 * large.loc[effect, "se"])
        assert large.loc[effect, "se"] < 0.02


def test_negative_dependence_is_shown() -> None:
    rng = np.random.default_rng(4)
    shared = 3 * rng.normal(size=80)
    rows = [
        (i, side, sign * shared[i] + rng.normal()) for i in range(80) for side, sign in (("mentor", 1), ("mentee", -1))
    ]
    pairs = pd.DataFrame(rows, columns=["pairing", "side", "y"])
    found = actor_partner(pairs, outcome="y", predictor=None, pairing="pairing", side="side", distinguishable=False)
    assert found.correlation < -0.8
    assert found.table.empty
    assert found.has_converged


def test_a_missing_partner_leaves_out_the_person_and_says_so() -> None:
    pairs = pairs_of(20, silent=0.0)
    gone = pairs.drop(index=pairs.index[pairs["side"] == "mentee"][:3])
    found = actor_partner(gone, **NAMES)
    whole = pairs["pairing"].nunique()
    assert (found.n_left_out, found.n_pairings, found.n_complete) == (3, whole - 3, whole - 3)
    silent = pairs.assign(y=pairs["y"].mask(pairs.index < 3))
    kept = actor_partner(silent, **NAMES)
    assert (kept.n_left_out, kept.n_pairings, kept.n_complete, kept.n_observations) == (
        0,
        whole,
        whole - 3,
        2 * whole - 3,
    )


def two_alike(n: int, rng: np.random.Generator) -> pd.DataFrame:
    x = rng.normal(size=(n, 2))
    y = 0.5 * x + 0.2 * x[:, ::-1] + rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n)
    return pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "pairing": np.repeat(np.arange(n), 2), "side": ["a", "b"] * n})


def test_sides_that_do_not_differ_are_told_apart_in_one_of_twenty() -> None:
    """With 200 pairings; the test's χ² is a large-sample one and says so a little too often with few."""
    rng = np.random.default_rng(8)
    n = 120
    found = sum(distinguishability(two_alike(200, rng), **NAMES).p < 0.05 for _ in range(n))
    assert is_compatible(found, n, 0.05)
    pairs = two_alike(60, rng)
    test = distinguishability(pairs.assign(y=pairs["y"] + (pairs["side"] == "a")), **NAMES)
    assert test.df == 4
    assert test.p < 0.001


def test_units_move_estimates_and_nothing_else() -> None:
    pairs = pairs_of(25)
    plain, moved = actor_partner(pairs, **NAMES), actor_partner(pairs.assign(x=pairs["x"] * 1000 + 1e6), **NAMES)
    assert (moved.table["estimate"] * 1000).to_numpy() == pytest.approx(plain.table["estimate"].to_numpy(), rel=1e-5)
    assert moved.correlation == pytest.approx(plain.correlation, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"x": 1.0}, "predictor that varies"),
        ({"side": "mentor"}, "two sides"),
        ({"pairing": 1}, "one row a person"),
        ({"y": np.nan}, "pairings with both sides"),
        ({"y": "often"}, "numbers in the column y"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        actor_partner(pairs_of(10).assign(**change), **NAMES)


def test_a_missing_column_and_an_unknown_method_are_named() -> None:
    with pytest.raises(RapportError, match="columns z"):
        actor_partner(pairs_of(10), **{**NAMES, "predictor": "z"})
    with pytest.raises(RapportError, match="REML or ML"):
        actor_partner(pairs_of(10), **NAMES, method="OLS")
    with pytest.raises(RapportError, match="one mentor a pairing"):
        actor_partner(pairs_of(10).assign(mentor=lambda frame: frame.index), **NAMES, mentor="mentor")
