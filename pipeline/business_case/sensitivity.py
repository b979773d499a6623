"""Says how much a cause that nobody measured would have to matter before an effect goes away."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, inf, isfinite, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from data.errors import RapportError
from pipeline.business_case.terms import columns_used, model_matrix

Floats = NDArray[np.float64]
TIMES = (1.0, 2.0, 3.0)


@dataclass(frozen=True, kw_only=True)
class EValue:
    """What a hidden cause must have: with the estimate, and with the limit of its interval nearer to no effect."""

    estimate: float
    limit: float


@dataclass(frozen=True, kw_only=True)
class Linear:
    """One coefficient of a linear regression: estimate, its SE, t and residual degrees of freedom."""

    estimate: float
    se: float
    t: float
    dof: int
    n: int


def e_value(rr: float) -> float:
    """Risk ratio that a hidden cause needs with both treatment and outcome to explain away `rr`: rr + √(rr(rr−1)).

    VanderWeele & Ding (2017, doi:10.7326/M16-2607). A ratio below 1 is turned over; so is a limit of an interval.
    """
    if not (isfinite(rr) and rr > 0):
        raise RapportError(f"Expected a risk ratio above 0, found {rr}.")
    above = max(rr, 1 / rr)
    return above + sqrt(above * (above - 1))


def e_values(*, rr: float, low: float, high: float) -> EValue:
    """The E-value of a risk ratio and of its interval; 1 where the interval holds 1 already."""
    if not low <= rr <= high:
        raise RapportError(f"Expected a risk ratio within its interval, found {rr} in {low} to {high}.")
    nearest = 1.0 if low <= 1 <= high else low if low > 1 else high
    return EValue(estimate=e_value(rr), limit=e_value(nearest))


def partial_r2(t: float, dof: float) -> float:
    """Share of what the other variables leave unexplained that goes with this one: t² / (t² + dof)."""
    return t**2 / (t**2 + dof)


def robustness_value(t: float, dof: float, q: float = 1, alpha: float | None = None) -> float:
    """Share of the rest of both treatment and outcome that a hidden cause must explain to lower an effect by q.

    With f = q|t|/√dof, less t*(α, dof−1)/√(dof−1) where `alpha` asks for significance: ½(√(f⁴+4f²) − f²), 0 for f ≤ 0;
    beyond f > 1 and 1/f < |t*|/√(dof−1) the constraint changes: (f_q² − f*²)/(1 + f_q²). Cinelli & Hazlett (2020,
    doi:10.1111/rssb.12348), section 4.3. `t` of the treatment's coefficient in a linear model, `dof` its residual
    degrees of freedom.
    """
    if dof <= 1 or q < 0 or not isfinite(t) or (alpha is not None and not 0 < alpha < 1):
        raise RapportError("Expected a t value, more than 1 degree of freedom, q from 0 and an alpha between 0 and 1.")
    f_q = q * abs(t) / sqrt(dof)
    f_star = 0.0 if alpha is None else float(stats.t.isf(alpha / 2, dof - 1)) / sqrt(dof - 1)
    f = f_q - f_star
    if f <= 0:
        return 0.0
    if alpha is not None and f_q > 1 / f_star:
        return (f_q**2 - f_star**2) / (1 + f_q**2)
    return (sqrt(f**4 + 4 * f**2) - f**2) / 2


def linear_effect(
    people: pd.DataFrame, *, outcome: str, treatment: str, covariates: str | Sequence[str] = ()
) -> Linear:
    """The treatment's coefficient by least squares with classical SE; people with a gap in a column are left out."""
    y, treated, others = _columns(people, outcome, treatment, covariates)
    return _regress(y, treated, others)


def benchmark(
    people: pd.DataFrame,
    *,
    outcome: str,
    treatment: str,
    covariates: str | Sequence[str],
    known: str | Sequence[str],
    times: Sequence[float] = TIMES,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """What would be left if a hidden cause were 1, 2, 3 times as strong as covariates that were measured.

    `known` (among `covariates`, taken together where several) is the yardstick. Rows by `times`: r2_treatment and
    r2_outcome, the bounds on the hidden cause's partial R² with treatment and with outcome, and what is left of the
    effect: estimate, se, t, low, high. Cinelli & Hazlett (2020, doi:10.1111/rssb.12348), section 4.4; linear model.
    A row is NaN where nothing can be that many times as strong.
    """
    y, treated, others = _columns(people, outcome, treatment, covariates)
    used = people.loc[_complete(people, outcome, treatment, covariates)]
    without = _without(used, covariates, known)
    full = _regress(y, treated, others)
    of_treatment = _explained(treated, others, without)
    of_outcome = _explained(y, np.column_stack([others, treated]), np.column_stack([without, treated]))
    rows = [_bound(full, of_treatment, of_outcome, strength, alpha) for strength in times]
    columns = ["r2_treatment", "r2_outcome", "estimate", "se", "t", "low", "high"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(times, name="times"))


def _bound(full: Linear, of_treatment: float, of_outcome: float, times: float, alpha: float) -> list[float]:
    """`of_treatment`, `of_outcome`: partial R² of the yardstick."""
    r2_treatment = times * of_treatment / (1 - of_treatment)
    shared = times * of_treatment**2 / ((1 - times * of_treatment) * (1 - of_treatment))
    if not (r2_treatment < 1 and 0 <= shared < 1):
        return [np.nan] * 7
    eta = (sqrt(times) + sqrt(shared)) / sqrt(1 - shared)
    r2_outcome = float(np.clip(eta**2 * of_outcome / (1 - of_outcome), 0.0, 1.0))
    bias = full.se * sqrt(full.dof) * sqrt(r2_outcome * r2_treatment / (1 - r2_treatment))
    estimate = copysign(abs(full.estimate) - bias, full.estimate)
    se = full.se * sqrt((1 - r2_outcome) / (1 - r2_treatment) * full.dof / (full.dof - 1))
    width = float(stats.t.isf(alpha / 2, full.dof - 1)) * se
    return [r2_treatment, r2_outcome, estimate, se, _t(estimate, se), estimate - width, estimate + width]


def _columns(
    people: pd.DataFrame, outcome: str, treatment: str, covariates: str | Sequence[str]
) -> tuple[Floats, Floats, Floats]:
    used = people.loc[_complete(people, outcome, treatment, covariates)]
    _, others = model_matrix(used, covariates) if len(covariates) else ([], np.ones((len(used), 1)))
    y, treated = (used[name].to_numpy(dtype=float) for name in (outcome, treatment))
    if len(used) < np.linalg.matrix_rank(others) + 3:
        raise RapportError("Expected more people than the covariates use up.")
    return y, treated, others


def _complete(people: pd.DataFrame, outcome: str, treatment: str, covariates: str | Sequence[str]) -> NDArray[np.bool_]:
    names = [outcome, treatment, *columns_used(covariates)]
    missing = [name for name in names if name not in people.columns]
    if missing:
        raise RapportError(f"The table of people has no column {missing[0]}.")
    return people[names].notna().all(axis=1).to_numpy()  # type: ignore[no-any-return]


def _without(used: pd.DataFrame, covariates: str | Sequence[str], known: str | Sequence[str]) -> Floats:
    """The model's columns that do not stem from the yardstick."""
    names, columns = model_matrix(used, covariates)
    own, _ = model_matrix(used, known)
    kept = [place for place, name in enumerate(names) if place == 0 or name not in own]
    if len(kept) + len(own) - 1 != len(names) or len(own) < 2:
        raise RapportError("Expected a yardstick among the covariates.")
    return columns[:, kept]


def _regress(y: Floats, treated: Floats, others: Floats) -> Linear:
    rest_of_treated, rest_of_y = treated - _fit(others, treated), y - _fit(others, y)
    varies = float(rest_of_treated @ rest_of_treated)
    if varies <= 1e-12 * max(float(treated @ treated), 1e-300):
        raise RapportError("Expected a treatment that the covariates do not determine.")
    estimate = float(rest_of_treated @ rest_of_y / varies)
    dof = len(y) - int(np.linalg.matrix_rank(others)) - 1
    residual = rest_of_y - estimate * rest_of_treated
    se = sqrt(float(residual @ residual) / dof / varies)
    return Linear(estimate=estimate, se=se, t=_t(estimate, se), dof=dof, n=len(y))


def _t(estimate: float, se: float) -> float:
    return estimate / se if se > 0 else copysign(inf, estimate)


def _explained(target: Floats, columns: Floats, fewer: Floats) -> float:
    """Partial R² of the columns that `fewer` lacks."""
    with_all, without = target - _fit(columns, target), target - _fit(fewer, target)
    return 1 - float(with_all @ with_all) / float(without @ without)


def _fit(columns: Floats, target: Floats) -> Floats:
    return columns @ np.linalg.lstsq(columns, target, rcond=None)[0]
