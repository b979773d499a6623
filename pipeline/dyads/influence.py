"""Estimates what a person's own and their partner's predictor go with on each side of a pairing."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from pipeline.dyads.normal_equations import Fit, fit_pairs, pair_precision
from pipeline.dyads.robust import by_cluster, clustered_covariance
from pipeline.dyads.sides import Sides, side_by_side

Floats = NDArray[np.float64]
COLUMNS = ["estimate", "se", "low", "high", "df"]


@dataclass(frozen=True, kw_only=True)
class Test:
    """A statistic, its degrees of freedom and its p value."""

    __test__ = False  # not for pytest

    statistic: float
    df: int
    p: float


@dataclass(frozen=True, kw_only=True)
class ActorPartner:
    """The effects and what they rest on.

    `table`: index (side, "actor" | "partner"), columns estimate, se, low, high (95 %), df; "actor" is the
    effect of a side's own predictor on its outcome, "partner" that of the other side's predictor. Units:
    outcome per predictor. `intercepts`: the same columns, index side. `correlation` is that of the two
    residuals of a pairing, `residual_sd` their standard deviation by side. Where the sides are not
    distinguished, both carry the same numbers.
    """

    table: pd.DataFrame
    intercepts: pd.DataFrame
    correlation: float
    residual_sd: pd.Series
    log_likelihood: float
    method: str
    n_pairings: int
    n_complete: int
    n_observations: int
    n_left_out: int
    n_mentors: int | None
    has_converged: bool

    @property
    def residual_variance(self) -> pd.Series:
        return self.residual_sd**2

    @property
    def covariance(self) -> float:
        """The covariance of the two residuals of a pairing."""
        return self.correlation * float(self.residual_sd.prod())


def actor_partner(
    pairs: pd.DataFrame,
    *,
    outcome: str,
    predictor: str | None,
    pairing: str,
    side: str,
    distinguishable: bool = True,
    method: str = "REML",
    mentor: str | None = None,
) -> ActorPartner:
    """The actor–partner interdependence model; one row of `pairs` a person and pairing, columns by name.

    y_is = b_s + a_s·x_is + p_s·x_is' + e_is, where s' is the other side, Var(e_is) = σ_s², Corr(e_i1, e_i2) = ρ.
    Sides that are not distinguishable share b, a, p and σ (compound symmetry; ρ may be negative). Without
    a predictor only the intercepts stay. Generalised least squares by (restricted) maximum likelihood.

    Kept: every person whose outcome, own and partner's predictor are known; where one side's outcome is
    missing the other side stays. Assumes that outcomes are missing at random, residuals are normal and
    pairings independent. With `mentor`, pairings that share one may depend: standard errors and degrees of
    freedom are those of the bias-reduced sandwich over mentors (CR2, Satterthwaite); without it they are
    the model's, with N − p degrees. Describes; a cause needs a design.

    Kenny, Kashy & Cook (2006), Dyadic Data Analysis, chapter 7; Pinheiro & Bates (2000), section 5.1;
    Pustejovsky & Tipton (2018).
    """
    names = [outcome] if predictor is None else list(dict.fromkeys([outcome, predictor]))
    sides = side_by_side(pairs, values=names, pairing=pairing, side=side, mentor=mentor)
    level = float(np.nanmean(sides.values[outcome])) if np.isfinite(sides.values[outcome]).any() else 0.0
    scores = sides.values[outcome] - level
    own = None if predictor is None else sides.values[predictor]
    middle = 0.0 if own is None else float(np.nanmean(own)) if np.isfinite(own).any() else 0.0
    design = _design(scores, None if own is None else own - middle, distinguishable)
    fit = fit_pairs(design, scores, is_equal=not distinguishable, method=method)
    covariance, df = _uncertainty(fit, design, scores, None if mentor is None else sides.mentor)
    n_each = 2 if distinguishable else 1
    back = _move_back(design.shape[2], middle, n_each)
    beta, covariance = back @ fit.beta, back @ covariance @ back.T
    beta[:n_each] += level
    df[:n_each] = df.reshape(-1, n_each).min(axis=0)  # an intercept moved to zero mixes three coefficients
    named = _named(beta, np.sqrt(np.diag(covariance)), df, sides.labels, n_each)
    return _result(named, fit, sides, design, scores, method, mentor is not None)


def distinguishability(pairs: pd.DataFrame, *, outcome: str, predictor: str | None, pairing: str, side: str) -> Test:
    """Do the two sides differ in any part of the actor–partner model? A likelihood-ratio test under ML.

    2·(log L of sides with their own intercept, actor, partner effect and variance − log L of sides that share
    them), χ² with 4 degrees of freedom (2 without a predictor). Assumes that both models see the same people.
    Kenny, Kashy & Cook (2006), chapter 7.
    """
    fits = [
        actor_partner(
            pairs,
            outcome=outcome,
            predictor=predictor,
            pairing=pairing,
            side=side,
            distinguishable=each,
            method="ML",
        )
        for each in (True, False)
    ]
    statistic = max(0.0, 2 * (fits[0].log_likelihood - fits[1].log_likelihood))
    df = 2 if predictor is None else 4
    return Test(statistic=statistic, df=df, p=float(stats.chi2.sf(statistic, df)))


def _design(outcome: Floats, own: Floats | None, distinguishable: bool) -> Floats:
    """(n, 2, p): the intercept, own and partner's predictor, each once a side where sides are distinguished."""
    shared = [np.ones_like(outcome)] if own is None else [np.ones_like(outcome), own, own[:, ::-1]]
    if not distinguishable:
        return np.stack(shared, axis=2)
    design = np.zeros((*outcome.shape, 2 * len(shared)))
    for i, column in enumerate(shared):
        for which in (0, 1):
            design[:, which, 2 * i + which] = column[:, which]
    # A person without the partner's predictor is left out by their NaN.
    return design


def _usable(design: Floats, outcome: Floats) -> NDArray[np.bool_]:
    usable: NDArray[np.bool_] = np.isfinite(design).all(axis=2) & np.isfinite(outcome)
    return usable


def _uncertainty(fit: Fit, design: Floats, outcome: Floats, cluster: NDArray[np.int64] | None) -> tuple[Floats, Floats]:
    n_parameters = design.shape[2]
    if cluster is None:
        return fit.covariance, np.full(n_parameters, float(fit.n_observations - n_parameters))
    usable = _usable(design, outcome)
    x = np.where(usable[:, :, None], design, 0.0)
    residual = np.where(usable, outcome, 0.0) - x @ fit.beta
    weighted = np.einsum("nst,ntp->nsp", pair_precision(fit, usable), x)
    score = np.einsum("nsp,ns->np", weighted, residual * usable)
    information = np.einsum("nsp,nsq->npq", weighted, x)
    present = usable.any(axis=1)
    cluster = np.unique(cluster[present], return_inverse=True)[1]
    return clustered_covariance(by_cluster(information[present], cluster), by_cluster(score[present], cluster))


def _move_back(n_parameters: int, middle: float, n_each: int) -> Floats:
    """From a predictor counted from its mean to one counted from zero: only intercepts move."""
    back = np.eye(n_parameters)
    for i in range(n_parameters - n_each):
        back[i % n_each, n_each + i] = -middle
    return back


def _named(
    beta: Floats, se: Floats, df: Floats, labels: tuple[Hashable, Hashable], n_each: int
) -> dict[str, pd.DataFrame]:
    """One frame for each of intercept, actor and partner; index side."""
    half = stats.t.ppf(0.975, df) * se
    rows = np.column_stack([beta, se, beta - half, beta + half, df]).reshape(-1, n_each, len(COLUMNS))
    index = pd.Index(list(labels), name="side")
    names = ["intercept", "actor", "partner"][: len(rows)]
    return {
        name: pd.DataFrame(np.broadcast_to(row, (2, len(COLUMNS))), index=index, columns=COLUMNS)
        for name, row in zip(names, rows, strict=True)
    }


def _result(
    named: dict[str, pd.DataFrame],
    fit: Fit,
    sides: Sides,
    design: Floats,
    outcome: Floats,
    method: str,
    is_clustered: bool,
) -> ActorPartner:
    usable = _usable(design, outcome)
    effects = [
        frame.set_index(pd.MultiIndex.from_product([frame.index, [name]], names=["side", "effect"]))
        for name, frame in named.items()
        if name != "intercept"
    ]
    nothing = pd.DataFrame(
        columns=COLUMNS, index=pd.MultiIndex.from_arrays([[], []], names=["side", "effect"]), dtype=float
    )
    return ActorPartner(
        table=pd.concat(effects).sort_index() if effects else nothing,
        intercepts=named["intercept"],
        correlation=fit.correlation,
        residual_sd=pd.Series(fit.sd, index=named["intercept"].index, name="residual_sd"),
        log_likelihood=fit.log_likelihood,
        method=method,
        n_pairings=int(usable.any(axis=1).sum()),
        n_complete=int(usable.all(axis=1).sum()),
        n_observations=fit.n_observations,
        n_left_out=int((np.isfinite(outcome) & ~usable).sum()),
        n_mentors=len(np.unique(sides.mentor[usable.any(axis=1)])) if is_clustered else None,
        has_converged=fit.has_converged,
    )
