"""Reads a file of tenures, one row an employee with months in service and a group, which no causal claim can rest on.

Such a file says who was in the group (had a coach, was ever a mentee) and not from when on. Nobody's months before
and after can be told apart, so whoever stayed longer had longer to get into the group (immortal time), and whatever is
weighed, the claim stays "associated with". A retention estimate needs the day of enrolment: `panel.monthly_panel`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from data.errors import RapportError
from pipeline.business_case.comparison import Estimand
from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.survival import kaplan_meier, life_table, restricted_mean
from pipeline.business_case.weighted import weighted_effect
from pipeline.claim import ASSOCIATED

NO_DAY_OF_ENROLMENT = (
    "The file does not say since when each person was in the group, so months before and after cannot be told apart"
    " and nothing causal can be said."
)
UNUSABLE = "rows without a tenure of 0 months or more, or without an event of 0 or 1"
OTHER_GROUP = "rows of neither group"


@dataclass(frozen=True)
class Tenures:
    """`rows`: one row an employee: `duration` months in service so far, `left` bool, `treated` bool, and the
    covariates. `notes`: rows that were left out, by reason."""

    rows: pd.DataFrame
    covariates: tuple[str, ...]
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TenureFindings:
    """`staying`: Kaplan–Meier of each group, with `group` "treated" or "control" as its first column. `unadjusted`
    and `weighted`: months in service gained up to the horizon, treated minus control. `reason`: why neither is
    causal, for the report to print beside them."""

    staying: pd.DataFrame
    unadjusted: Effect
    weighted: Effect
    reason: str = NO_DAY_OF_ENROLMENT


def read_tenures(
    table: pd.DataFrame,
    *,
    duration: str,
    event: str,
    group: str,
    treated: Collection[str],
    control: Collection[str],
    covariates: Sequence[str] = (),
) -> Tenures:
    """The usable rows of a table whose columns are named by the arguments.

    `duration` months in service; `event` 1 left, 0 still there; `treated` and `control` the values of `group` that
    are compared, any other being left out.
    """
    for name in (duration, event, group, *covariates):
        if name not in table.columns:
            raise RapportError(f"The table of tenures has no column {name}; expected one for every argument.")
    if set(treated) & set(control):
        raise RapportError("A group cannot be treated and control; expected different values.")
    months = pd.to_numeric(table[duration], errors="coerce")
    left = pd.to_numeric(table[event], errors="coerce")
    is_usable = np.isfinite(months) & (months >= 0) & left.isin([0, 1])
    is_asked = table[group].isin([*treated, *control])
    rows = pd.DataFrame(
        {"duration": months, "left": left == 1, "treated": table[group].isin(list(treated)), **table[list(covariates)]}
    )
    notes = {UNUSABLE: int((~is_usable).sum()), OTHER_GROUP: int((is_usable & ~is_asked).sum())}
    kept = rows[is_usable & is_asked].reset_index(drop=True)
    return Tenures(kept, tuple(covariates), {reason: n for reason, n in notes.items() if n})


def compare_tenures(tenures: Tenures, *, horizon: float, estimand: Estimand = "ATO") -> TenureFindings:
    """Months kept up to `horizon` by each group, as they are and with people weighted to be alike."""
    rows = tenures.rows
    unadjusted = restricted_mean(
        duration=rows["duration"], event=rows["left"], group=rows["treated"], horizon=horizon
    )  # fmt: skip
    curves = [
        kaplan_meier(duration=rows.loc[inside, "duration"], event=rows.loc[inside, "left"]).assign(group=name)
        for name, inside in (("treated", rows["treated"]), ("control", ~rows["treated"]))
        if inside.any()
    ]
    staying = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=["group"])
    ordered = staying[["group", *(name for name in staying.columns if name != "group")]]
    return TenureFindings(ordered, unadjusted, _weighted(tenures, unadjusted, horizon, estimand))


def pseudo_months(*, duration: ArrayLike, event: ArrayLike, horizon: float) -> NDArray[np.float64]:
    """What each person adds to the restricted mean, so that a censored tenure can be an outcome of any regression.

    θ + IFᵢ, the infinitesimal jackknife of θ = ∫₀^τ S(t)dt: with A(u) = ∫ᵤ^τ S(t)dt, dⱼ exits and nⱼ at risk at tⱼ,

        IFᵢ = −n·(leftᵢ·A(tᵢ)/(nᵢ − dᵢ) − Σ_{tⱼ ≤ tᵢ} A(tⱼ)dⱼ/(nⱼ(nⱼ − dⱼ))),

    which is the months themselves up to τ where nobody is censored, and agrees with the jackknife's nθ − (n−1)θ₍₋ᵢ₎
    to order 1/n (Andersen, Klein & Rosthøj 2003, doi:10.1093/biomet/90.1.15). Their mean is θ. Assumes that being
    censored has to do with neither group nor covariates. One value a person, in the unit of duration.
    """
    times, left = np.asarray(duration, dtype=float), np.asarray(event) != 0
    table = life_table(times, left)
    place = np.searchsorted(table.time, times)
    edges = np.minimum(np.concatenate([[0.0], table.time, [max(horizon, table.time[-1])]]), horizon)
    areas = np.concatenate([[1.0], table.staying]) * np.diff(edges)
    beyond = areas[::-1].cumsum()[::-1]
    spare = table.at_risk - table.exits  # where nobody is left A is 0, too
    each = np.divide(beyond[1:], spare, out=np.zeros_like(spare), where=spare > 0)
    met = np.cumsum(each * table.exits / table.at_risk)
    influence = -len(times) * (np.where(left, each[place], 0.0) - met[place])
    pseudo: NDArray[np.float64] = beyond[0] + influence
    return pseudo


def _weighted(tenures: Tenures, unadjusted: Effect, horizon: float, estimand: Estimand) -> Effect:
    """Pseudo-months are made within each group, because people of the two groups may be censored differently."""
    if not tenures.covariates or not unadjusted.is_answered:
        reason = unadjusted.reason or "No covariate was given, so nothing can be held equal."
        return cannot_tell(reason, method=f"{estimand}, weighting", claim=ASSOCIATED, n=len(tenures.rows))
    rows = tenures.rows
    months = np.empty(len(rows))
    for inside in (rows["treated"].to_numpy(), ~rows["treated"].to_numpy()):
        months[inside] = pseudo_months(
            duration=rows["duration"][inside], event=rows["left"][inside], horizon=horizon
        )  # fmt: skip
    return weighted_effect(
        rows.assign(months=months),
        treated="treated",
        outcome="months",
        covariates=list(tenures.covariates),
        estimand=estimand,
        claim=ASSOCIATED,
    )
