"""Weighted comparisons against exact tables, brute-force sandwiches, statsmodels and known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from pipeline.business_case.regression import logistic
from pipeline.business_case.terms import FormulaError, columns_used, model_matrix
from pipeline.business_case.weighted import weighted_effect
from pipeline.claim import ASSOCIATED, CAUSAL

NAMES = {"treated": "joined", "outcome": "stays", "covariates": "grade + tenure + C(place)"}


def people(seed: int, n: int = 1000, *, effect: float = 1.0, pull: float = 0.8) -> pd.DataFrame:
    """Grade and tenure move both joining and staying; staying rises by `effect` for who joins."""
    rng = np.random.default_rng(seed)
    grade, tenure = rng.normal(size=n), rng.exponential(size=n)
    place = rng.choice(["east", "north", "west"], size=n)
    chance = expit(pull * grade - 0.4 * tenure + 0.5 * (place == "west") - 0.2)
    joined = rng.random(n) < chance
    stays = 2 + grade + 0.5 * tenure - (place == "west") + effect * joined + rng.normal(size=n)
    return pd.DataFrame({"grade": grade, "tenure": tenure, "place": place, "joined": joined, "stays": stays})


@pytest.mark.parametrize(
    ("estimand", "expected"),
    # Two strata: risks .2 and .5 treated, .4 and .6 control; 30 of 100 and 120 of 160 treated.
    [
        ("ATE", (100 * -0.2 + 160 * -0.1) / 260),
        ("ATT", (30 * -0.2 + 120 * -0.1) / 150),
        ("ATO", (100 * 0.3 * 0.7 * -0.2 + 160 * 0.75 * 0.25 * -0.1) / (100 * 0.3 * 0.7 + 160 * 0.75 * 0.25)),
    ],
)
@pytest.mark.parametrize("augmented", [True, False])
def test_a_two_by_two_table_by_hand(estimand: str, expected: float, augmented: bool) -> None:
    cells = [("a", 1, 30, 6), ("a", 0, 70, 28), ("b", 1, 120, 60), ("b", 0, 40, 24)]
    rows = [(s, t, int(i < left)) for s, t, n, left in cells for i in range(n)]
    table = pd.DataFrame(rows, columns=["stratum", "treated", "left"])
    found = weighted_effect(
        table, treated="treated", outcome="left", covariates=["stratum"], estimand=estimand, augmented=augmented
    )
    assert found.estimate == pytest.approx(expected, abs=1e-12)
    assert (found.n, found.details["n_treated"], found.details["n_control"]) == (260, 150, 110)
    assert found.claim == ASSOCIATED


@pytest.mark.parametrize("augmented", [True, False])
@pytest.mark.parametrize("estimand", ["ATO", "ATT", "ATE"])
def test_the_error_is_the_sandwich_of_the_stacked_equations(estimand: str, augmented: bool) -> None:
    """All estimating equations written out and differentiated numerically: A⁻¹BA⁻ᵀ."""
    staff = people(4, n=300)
    x = model_matrix(staff, NAMES["covariates"])[1]
    z, y, k = staff["joined"].to_numpy().astype(float), staff["stays"].to_numpy(), x.shape[1]

    def equations(theta: np.ndarray) -> np.ndarray:
        gamma, one, zero, (top, treated, control) = theta[:k], theta[k : 2 * k], theta[2 * k : 3 * k], theta[3 * k :]
        e = expit(x @ gamma)
        h = {"ATO": e * (1 - e), "ATT": e, "ATE": np.ones_like(e)}[estimand]
        fitted = [x @ one, x @ zero] if augmented else [np.zeros(len(e))] * 2
        models = [(z * (y - x @ one))[:, None] * x, ((1 - z) * (y - x @ zero))[:, None] * x]
        means = [
            h * (fitted[0] - fitted[1] - top),
            z * h / e * (y - fitted[0] - treated),
            (1 - z) * h / (1 - e) * (y - fitted[1] - control),
        ]
        return np.column_stack([(z - e)[:, None] * x, *models, *means])

    theta = np.concatenate([logistic(x, z, np.ones(len(z))).coefficients, np.zeros(2 * k + 3)])
    for arm, place in ((z == 1, slice(k, 2 * k)), (z == 0, slice(2 * k, 3 * k))):
        theta[place] = np.linalg.lstsq(x[arm], y[arm], rcond=None)[0]
    for last in (-3, -2, -1):  # each mean solves its own linear equation
        theta[last] = 0.0
        at_zero = equations(theta).sum(axis=0)[last]
        theta[last] = 1.0
        theta[last] = at_zero / (at_zero - equations(theta).sum(axis=0)[last])
    steps = np.eye(len(theta)) * 1e-6
    bread = np.column_stack([(equations(theta + s) - equations(theta - s)).sum(axis=0) / 2e-6 for s in steps])
    meat = equations(theta)
    covariance = np.linalg.solve(bread, np.linalg.solve(bread, meat.T @ meat).T)
    contrast = np.zeros(len(theta))
    contrast[-3:] = 1, 1, -1
    found = weighted_effect(staff, **NAMES, estimand=estimand, augmented=augmented)
    assert found.estimate == pytest.approx(contrast @ theta, abs=1e-9)
    assert found.se == pytest.approx(np.sqrt(contrast @ covariance @ contrast), rel=1e-5)


def test_overlap_weights_make_covariate_means_exactly_equal() -> None:
    found = weighted_effect(people(1), **NAMES)
    assert found.details["largest_difference"] < 1e-9
    assert found.details["effective_control"] < found.details["n_control"]


def test_rows_of_one_person_count_once() -> None:
    """Everybody five times over is no more information: same estimate, the error of five times fewer rows."""
    staff = people(2).assign(who=np.arange(1000))
    once = weighted_effect(staff, **NAMES)
    five = weighted_effect(pd.concat([staff] * 5), **NAMES, cluster="who")
    assert five.estimate == pytest.approx(once.estimate, abs=1e-9)
    assert five.se == pytest.approx(once.se * np.sqrt(1000 / 999), rel=1e-6)
    assert (five.n, five.n_effective) == (1000, pytest.approx(once.n_effective))


@pytest.mark.parametrize("estimand", ["ATO", "ATT", "ATE"])
def test_truth_is_found_and_covered_where_the_plain_difference_misses(estimand: str) -> None:
    """150 samples: coverage within 3.5 Monte Carlo SE (.018) of .95; bias within 3.5 SE of the mean."""
    found = [weighted_effect(people(seed, 1200, pull=0.6), **NAMES, estimand=estimand) for seed in range(150)]
    assert all(effect.is_answered for effect in found)
    estimate = np.array([effect.estimate for effect in found])
    covered = np.mean([effect.low <= 1.0 <= effect.high for effect in found])
    assert estimate.mean() == pytest.approx(1.0, abs=3.5 * estimate.std() / np.sqrt(150))
    assert covered >= 0.95 - 0.062
    staff = people(0, 100_000)
    plain = staff.loc[staff["joined"], "stays"].mean() - staff.loc[~staff["joined"], "stays"].mean()
    assert plain > 1.3


def test_one_of_the_two_models_may_be_wrong() -> None:
    """Staying depends on a square; the propensity knows it, or the outcome model could not: still unbiased."""
    rng = np.random.default_rng(8)
    n = 40_000
    grade = rng.normal(size=n)
    joined = rng.random(n) < expit(0.8 * grade)
    stays = np.exp(grade / 2) + joined + rng.normal(size=n) * 0.1
    staff = pd.DataFrame({"grade": grade, "joined": joined, "stays": stays})
    found = weighted_effect(staff, treated="joined", outcome="stays", covariates="grade", estimand="ATE")
    assert found.estimate == pytest.approx(1.0, abs=4 * found.se)
    assert found.se < 0.02


def test_thin_support_is_no_answer() -> None:
    staff = people(3, 300)
    few = staff.assign(joined=np.arange(300) < 12)
    assert "12 people are in the treated group" in weighted_effect(few, **NAMES).reason
    same = weighted_effect(staff.assign(stays=1.0), **NAMES)
    assert "same (1) in all 300" in same.reason
    with np.errstate(divide="raise", invalid="raise"):
        apart = weighted_effect(staff.assign(joined=staff["grade"] > 0), **NAMES, estimand="ATE")
    assert "do not overlap" in apart.reason
    assert apart.details["is_penalised"] == 1
    assert np.isnan(apart.estimate)
    assert not apart.is_answered


def test_many_controls_who_are_worth_few_are_no_answer() -> None:
    """200 controls, 10 of them in the stratum that nearly all who joined are in: worth 40,000 / 3,802 = 11."""
    cells = [("a", 1, 5), ("a", 0, 190), ("b", 1, 195), ("b", 0, 10)]
    rows = [(stratum, joined, i % 2) for stratum, joined, n in cells for i in range(n)]
    table = pd.DataFrame(rows, columns=["stratum", "joined", "left"])
    found = weighted_effect(table, treated="joined", outcome="left", covariates=["stratum"], estimand="ATT")
    assert found.reason == "After weighting the control group is worth 11 people; at least 20 are needed."
    assert found.details["effective_control"] == pytest.approx(40_000 / (190 * (5 / 190) ** 2 + 10 * 19.5**2))


def test_an_outcome_model_needs_people() -> None:
    """Four columns and 25 or 15 people an arm: five people a column are there, or they are not."""
    staff = people(2, 400)
    enough = pd.concat([staff[staff["joined"]].head(25), staff[~staff["joined"]].head(60)])
    names = {**NAMES, "covariates": "grade + tenure + I(grade**2)"}
    assert weighted_effect(enough, **names).method == "ATO, augmented weighting"
    five = {**NAMES, "covariates": "grade + tenure + I(grade**2) + I(tenure**2) + grade:tenure"}
    found = weighted_effect(enough, **five)
    assert found.method == "ATO, weighting"
    assert found.estimate == weighted_effect(enough, **five, augmented=False).estimate


def test_separated_data_are_never_causal() -> None:
    """Nobody in the lab joined: the weights ignore them, and the label says that the groups are no like for like."""
    staff = people(12, 800)
    staff["lab"] = np.where((np.arange(800) % 9 == 0) & ~staff["joined"], 1, 0)
    found = weighted_effect(staff, **{**NAMES, "covariates": "grade + lab"}, claim=CAUSAL)
    assert found.details["is_penalised"] == 1
    assert found.is_answered
    assert found.claim == ASSOCIATED


def test_covariates_that_stay_apart_are_no_answer() -> None:
    found = weighted_effect(people(24, 400, pull=1.2), **NAMES, estimand="ATT")
    assert "still differ by 0.27 standard deviations; at most 0.25" in found.reason


def test_left_over_imbalance_costs_the_causal_label() -> None:
    staff = people(9, 400, pull=1.2)
    att = weighted_effect(staff, **NAMES, estimand="ATT", claim=CAUSAL)
    assert 0.1 < att.details["largest_difference"] <= 0.25
    assert att.claim == ASSOCIATED
    assert weighted_effect(staff, **NAMES, claim=CAUSAL).claim == CAUSAL


def test_rows_with_gaps_are_left_out_and_counted() -> None:
    staff = people(6)
    holes = staff.assign(grade=staff["grade"].where(np.arange(1000) >= 50))
    found = weighted_effect(holes, **NAMES)
    whole = weighted_effect(staff.iloc[50:], **NAMES)
    assert (found.n, found.details["left_out"]) == (950, 50)
    assert found.estimate == pytest.approx(whole.estimate)


def test_logistic_agrees_with_statsmodels() -> None:
    import statsmodels.api as sm

    staff = people(7)
    names, x = model_matrix(staff, "grade*tenure + I(tenure**2) + C(place)")
    fit = logistic(x, staff["joined"].to_numpy().astype(float), np.ones(1000))
    other = sm.Logit(staff["joined"].astype(float), x).fit(disp=0)
    assert fit.coefficients == pytest.approx(other.params.to_numpy(), abs=1e-7)
    assert np.sqrt(np.diag(fit.inverse_information)) == pytest.approx(other.bse.to_numpy(), rel=1e-5)
    assert names == ["intercept", "grade", "tenure", "grade:tenure", "tenure ** 2", "place=north", "place=west"]


def test_separated_data_are_penalised_as_firth_says() -> None:
    """Saturated 2×2: Firth adds one half to every cell (Heinze & Schemper 2002)."""
    x = np.column_stack([np.ones(2), [0.0, 1.0]])
    fit = logistic(x, np.array([0.0, 7.0]), np.array([10.0, 20.0]))
    assert fit.is_penalised
    assert fit.probability == pytest.approx([0.5 / 11, 7.5 / 21], abs=1e-7)
    residual = np.array([0.0, 7.0]) - np.array([10.0, 20.0]) * (fit.probability - fit.pull)
    assert x.T @ residual == pytest.approx([0, 0], abs=1e-6)  # the penalised equations are solved
    sound = logistic(x, np.array([3.0, 7.0]), np.array([10.0, 20.0]))
    assert not sound.is_penalised
    assert sound.probability == pytest.approx([0.3, 0.35], abs=1e-9)


@pytest.mark.parametrize(
    "formula", ["grade", "grade*C(place)", "C(place):tenure", "I(grade**2 - tenure/2) + log1p(tenure) + C(place)"]
)
def test_formulas_span_the_same_columns_as_patsy(formula: str) -> None:
    patsy = pytest.importorskip("patsy")
    staff = people(9, 60)
    ours = model_matrix(staff, formula)[1]
    theirs = np.asarray(patsy.dmatrix(formula.replace("log1p", "np.log1p"), staff))
    both = np.column_stack([ours, theirs])
    assert np.linalg.matrix_rank(ours) == np.linalg.matrix_rank(theirs) == np.linalg.matrix_rank(both)


def test_a_list_and_a_formula_say_the_same() -> None:
    staff = people(9, 60)
    assert columns_used("~ grade + I(tenure^2) + C(place) + log1p(tenure)") == ["grade", "tenure", "place"]
    listed, written = model_matrix(staff, ["grade", "place"]), model_matrix(staff, "grade + C(place)")
    assert listed[0] == written[0] == ["intercept", "grade", "place=north", "place=west"]
    assert (listed[1] == written[1]).all()
    assert model_matrix(staff, "I(tenure^2)")[1][:, 1] == pytest.approx(staff["tenure"].to_numpy() ** 2)


@pytest.mark.parametrize("formula", ["grade +", "grade - tenure", "poly(grade, 2)", "I(grade.sum())", "(a + b):c"])
def test_what_is_no_formula_is_refused(formula: str) -> None:
    with pytest.raises(FormulaError):
        model_matrix(people(9, 60).assign(a=1, b=2, c=3), formula)
