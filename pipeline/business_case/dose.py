"""Tells whether those who meet often enough in their first months stay more than those who meet less."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.business_case.comparison import effective
from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.regression import logistic
from pipeline.business_case.retention import COVARIATES, FEWEST_EXITS, VOLUNTARY
from pipeline.business_case.terms import columns_used, model_matrix
from pipeline.business_case.weighted import FEWEST, NORMAL_95
from pipeline.claim import ASSOCIATED

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 200
ASSUMPTIONS = ("no_unmeasured_confounding", "positivity", "consistency", "every_meeting_reported")


@dataclass(frozen=True, kw_only=True)
class _Starts:
    """Those who enrolled and have a whole follow-up: people × months since enrolling."""

    exits: Ints  # 0 stays, else the cause of the exit during that month
    in_service: NDArray[np.bool_]  # on the month's first day
    reached: NDArray[np.bool_]  # at least so many meetings by the end of the month
    matrix: Floats  # people·grace × columns, for the chance to reach in that month
    may_reach: NDArray[np.bool_]  # people × grace: in service to the month's end, not there yet


def dose(
    panel: pd.DataFrame,
    *,
    rng: np.random.Generator,
    meetings: str = "meetings",
    at_least: int = 3,
    grace: int = 3,
    horizon: int = 12,
    covariates: str | Sequence[str] = COVARIATES,
    cause: int = VOLUNTARY,
    draws: int = DRAWS,
) -> Effect:
    """Share that leaves for `cause` within `horizon` months of enrolling, under two rules for all who enrol:
    `at_least` meetings in the first `grace` months, minus fewer than that.

    Clone, censor, weight (Hernán 2018, doi:10.1136/bmj.k182; Cain et al. 2010, doi:10.2202/1557-4679.1212).
    Everybody is in both groups from enrolment on. A copy leaves the group "fewer" at the end of the month in which
    its meetings reach the number, and the group "at least" at the end of the grace months if they have not. So
    nobody's months before the number was reached count for the meetings (who leaves in month 1 counts in both).
    Copies that remain weigh by the inverse chance of remaining: a logistic model, month by month, of reaching the
    number then, given month, meetings still missing and covariates of that month. Shares are weighted
    Aalen–Johansen over months with every exit seen; who enrolled too late to be followed is left out.

    panel: as for `retention`, with a count of `meetings` a month. Interval: normal with the standard error of
    `draws` bootstrap samples of people, weights fitted anew in each. Never causal by itself: meetings may follow
    from wanting to stay, so the claim is "associated with".
    """
    if not 0 < grace < horizon:
        raise ValueError(f"{grace} grace months and a horizon of {horizon}: the grace months must end before it")
    method = f"clone-censor-weight, at least {at_least} meetings in {grace} months, {horizon} months"
    starts = _starts(panel, meetings, at_least, grace, horizon, covariates)
    n = len(starts.exits)
    details = _counts(starts, grace, cause)
    reason = _too_little(details, at_least, grace)
    if reason:
        return cannot_tell(reason, method=method, claim=ASSOCIATED, n=n, **details)
    weights = _weights(starts, np.ones(n))
    worth = {name: effective(weight[starts.in_service[:, grace], grace]) for name, weight in weights.items()}
    details |= {f"effective_{name}": value for name, value in worth.items()}
    if min(worth.values()) < FEWEST:
        reason = f"After weighting a group is worth {min(worth.values()):.0f} people; at least {FEWEST} are needed."
        return cannot_tell(reason, method=method, claim=ASSOCIATED, n=n, **details)
    risks = _risks(starts, weights, np.ones(n), cause)
    estimate, se = risks["at_least"] - risks["fewer"], _bootstrap_se(starts, cause, draws, rng)
    return Effect(
        estimate=estimate,
        low=estimate - NORMAL_95 * se,
        high=estimate + NORMAL_95 * se,
        se=se,
        n=n,
        n_effective=sum(worth.values()),
        method=method,
        claim=ASSOCIATED,
        unit="share",
        assumptions=ASSUMPTIONS,
        details=details | {f"risk_{name}": risk for name, risk in risks.items()},
    )


def _starts(
    panel: pd.DataFrame, meetings: str, at_least: int, grace: int, horizon: int, covariates: str | Sequence[str]
) -> _Starts:
    """Lays the months since enrolling side by side, as far as the horizon."""
    rows = panel.sort_values(["person", "month"], kind="stable", ignore_index=True)
    month, codes = rows["month"].to_numpy(), pd.factorize(rows["person"])[0]
    opens = rows["enrols"].to_numpy().astype(bool) & rows["employed"].to_numpy().astype(bool)
    first = np.flatnonzero(opens & (month + horizon - 1 <= month.max()))
    place = np.minimum(first[:, None] + np.arange(horizon), len(rows) - 1)
    is_own = codes[place] == codes[first][:, None]
    is_own &= month[place] == month[first][:, None] + np.arange(horizon)
    exits = np.where(is_own, rows["exit"].to_numpy()[place], 0)
    gone = np.cumsum(exits > 0, axis=1) - (exits > 0) > 0
    in_service = is_own & rows["employed"].to_numpy().astype(bool)[place] & ~gone
    met = np.cumsum(np.where(in_service, rows[meetings].to_numpy()[place], 0)[:, :grace], axis=1)
    met_before = np.column_stack([np.zeros(len(first)), met[:, :-1]])
    stays = in_service[:, :grace] & (exits[:, :grace] == 0)
    seen = rows[columns_used(covariates)].take(place[:, :grace].ravel()).reset_index(drop=True)
    seen["still_missing"] = np.maximum(at_least - met_before, 0).ravel().astype(int).astype(str)
    seen["since_enrolling"] = np.tile(np.arange(grace), len(first)).astype(str)
    may_reach = stays & (met_before < at_least)
    gaps = int(seen[may_reach.ravel()].isna().to_numpy().sum())
    if gaps:
        raise ValueError(f"{gaps} covariates in the first {grace} months are missing; fill or drop those people first")
    extra = ["since_enrolling", "still_missing"]
    written = f"{covariates} + C(since_enrolling) + C(still_missing)"
    return _Starts(
        exits=np.where(in_service, exits, 0),
        in_service=in_service,
        reached=met >= at_least,
        matrix=model_matrix(seen, written if isinstance(covariates, str) else [*covariates, *extra])[1],
        may_reach=may_reach,
    )


def _weights(starts: _Starts, people: Floats) -> dict[str, Floats]:
    """Each group's weights, people × months: 0 once censored, else the inverse chance of not being censored."""
    grace, horizon = starts.reached.shape[1], starts.exits.shape[1]
    at_risk = starts.may_reach.ravel()
    count = np.repeat(people, grace)[at_risk]
    matrix = starts.matrix[at_risk]
    chance = np.zeros(len(at_risk))
    fit = logistic(matrix, count * starts.reached.ravel()[at_risk], count)
    chance[at_risk] = np.clip(fit.probability, 1e-6, 1 - 1e-6)
    by_month = chance.reshape(-1, grace)
    few, many = np.ones((len(people), horizon)), np.ones((len(people), horizon))
    for month in range(grace):
        turns = starts.may_reach[:, month]
        kept = np.where(starts.reached[:, month], 0.0, 1 / (1 - by_month[:, month]))
        few[:, month + 1 :] *= np.where(turns, kept, 1.0)[:, None]
    turns = starts.may_reach[:, -1]
    kept = np.where(starts.reached[:, -1], 1 / np.where(turns, by_month[:, -1], 1.0), 0.0)
    many[:, grace:] *= np.where(turns, kept, 1.0)[:, None]
    return {"at_least": many, "fewer": few}


def _risks(starts: _Starts, weights: dict[str, Floats], people: Floats, cause: int) -> dict[str, float]:
    """Each group's weighted cumulative incidence at the horizon."""
    risks = {}
    for name, weight in weights.items():
        held = weight * people[:, None] * starts.in_service
        at_risk = np.maximum(held.sum(axis=0), 1e-12)
        hazard = (held * (starts.exits == cause)).sum(axis=0) / at_risk
        leaving = (held * (starts.exits > 0)).sum(axis=0) / at_risk
        staying = np.concatenate([[1.0], np.cumprod(1 - leaving)[:-1]])
        risks[name] = float((staying * hazard).sum())
    return risks


def _bootstrap_se(starts: _Starts, cause: int, draws: int, rng: np.random.Generator) -> float:
    """Standard deviation of the difference over samples of people, models fitted anew in each."""
    n = len(starts.exits)
    differences = []
    for people in rng.multinomial(n, np.full(n, 1 / n), size=draws).astype(float):
        risks = _risks(starts, _weights(starts, people), people, cause)
        differences.append(risks["at_least"] - risks["fewer"])
    return float(np.std(differences, ddof=1))


def _counts(starts: _Starts, grace: int, cause: int) -> dict[str, float]:
    if not len(starts.exits):
        return {"n_at_least": 0.0, "n_fewer": 0.0, "exits_at_least": 0.0, "exits_fewer": 0.0}
    stays = starts.in_service[:, grace - 1] & (starts.exits[:, grace - 1] == 0)
    left = (starts.exits[:, grace:] == cause).any(axis=1)
    sides = {"at_least": stays & starts.reached[:, -1], "fewer": stays & ~starts.reached[:, -1]}
    counts = {f"n_{name}": float(inside.sum()) for name, inside in sides.items()}
    return counts | {f"exits_{name}": float((inside & left).sum()) for name, inside in sides.items()}


def _too_little(details: dict[str, float], at_least: int, grace: int) -> str:
    for name, words in (("at_least", f"at least {at_least}"), ("fewer", f"fewer than {at_least}")):
        n, exits = int(details[f"n_{name}"]), int(details[f"exits_{name}"])
        if n < FEWEST:
            return f"Only {n} people had {words} meetings in {grace} months; at least {FEWEST} are needed."
        if exits < FEWEST_EXITS:
            return f"Only {exits} people with {words} meetings left later; at least {FEWEST_EXITS} are needed."
    return ""
