"""Tells how far two groups differ once they are weighted to look alike, or that they cannot be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.business_case.comparison import Arms, Comparison, Estimand, compare, effective
from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.terms import columns_used, model_matrix
from pipeline.claim import ASSOCIATED

NORMAL_95 = 1.959963984540054
FEWEST = 20  # people in an arm, counted and effective: below, one person moves the mean by more than a fifth of an SD
BALANCED = 0.1  # SD between the weighted arms up to which they count as alike (Austin 2009, doi:10.1002/sim.3697)
PEOPLE_A_COLUMN = 5  # in an arm, for a model of the outcome: a free parameter for every five people is the most
APART = 0.25  # SD beyond which regression cannot mend it either (Stuart 2010, doi:10.1214/09-STS313)
ASSUMPTIONS = ("no_unmeasured_confounding", "positivity", "no_interference", "consistency")


def weighted_effect(
    frame: pd.DataFrame,
    *,
    treated: str,
    outcome: str,
    covariates: str | Sequence[str],
    estimand: Estimand = "ATO",
    augmented: bool = True,
    cluster: str | None = None,
    claim: str = ASSOCIATED,
) -> Effect:
    """Difference of mean outcome between treated and control, weighted by a logistic propensity e(x).

    Weights: ATE 1/e and 1/(1−e), everybody; ATT 1 and e/(1−e), people like the treated; ATO 1−e and e, people
    who could be in either group (Li, Morgan & Zaslavsky 2018, doi:10.1080/01621459.2016.1260466), with exactly
    equal covariate means. With target h(x) = 1, e, e(1−e), and m₁, m₀ linear outcome models of each arm:

        Σh(m₁ − m₀)/Σh + Σw₁(y − m₁)/Σw₁ − Σw₀(y − m₀)/Σw₀      (augmented; without, m₁ = m₀ = 0)

    Standard error: sandwich of the stacked estimating equations of propensity, outcome models and means, summed
    within `cluster`, times G/(G − 1) for G clusters. Assumes no unmeasured confounding, positivity, no
    interference, consistency. Rows with a gap in a column that is used are left out (`details["left_out"]`).
    Outcome in any unit; the estimate has the same. Covariates: see `terms.model_matrix`.

    Cannot tell where an arm has, or is worth, fewer than 20 people, where propensities do not overlap, and where
    a covariate stays more than 0.25 SD apart. Beyond 0.1 SD, and where some covariates tell exactly who is treated
    (separated data), the claim falls to "associated with". An arm with fewer than five people a column of the model
    gets no outcome model.
    """
    used = [treated, outcome, *columns_used(covariates), *([cluster] if cluster else [])]
    whole = frame[list(dict.fromkeys(used))].dropna()
    arms = Arms(
        matrix=model_matrix(whole, covariates)[1],
        pattern=np.arange(len(whole)),
        treated=whole[treated].to_numpy().astype(bool),
        outcome=whole[outcome].to_numpy(dtype=float),
        cluster=pd.factorize(whole[cluster])[0] if cluster else np.arange(len(whole)),
    )
    augmented = augmented and bears_outcome_models(arms)
    method = f"{estimand}, {'augmented weighting' if augmented else 'weighting'}"
    effect = conclude(arms, estimand=estimand, augmented=augmented, method=method, claim=claim)
    return with_details(effect, {"left_out": float(len(frame) - len(whole))})


def bears_outcome_models(arms: Arms) -> bool:
    """Whether each arm has people enough for a linear model of the outcome; with fewer it bends to chance."""
    needed = PEOPLE_A_COLUMN * int(arms.matrix.shape[1])
    return all(_people(arms, arm) >= needed for arm in (True, False))


def conclude(arms: Arms, *, estimand: Estimand, augmented: bool, method: str, claim: str) -> Effect:
    """The effect between two arms, or why it cannot be told."""
    n = int(arms.cluster.max()) + 1 if len(arms.cluster) else 0
    details = {name: float(_people(arms, arm)) for name, arm in (("n_treated", True), ("n_control", False))}
    reason = _too_few(arms)
    if reason:
        return cannot_tell(reason, method=method, claim=claim, n=n, **details)
    found = compare(arms, estimand=estimand, augmented=augmented)
    details |= _diagnostics(found)
    reason = _thin(found)
    if reason:
        return cannot_tell(reason, method=method, claim=claim, n=n, **details)
    return Effect(
        estimate=found.difference,
        low=found.difference - NORMAL_95 * found.se,
        high=found.difference + NORMAL_95 * found.se,
        se=found.se,
        n=n,
        n_effective=details["effective_treated"] + details["effective_control"],
        method=method,
        claim=claim if found.largest_difference <= BALANCED and not found.is_penalised else ASSOCIATED,
        assumptions=ASSUMPTIONS,
        details=details,
    )


def with_details(effect: Effect, more: Mapping[str, float]) -> Effect:
    """The same effect with further numbers."""
    return replace(effect, details={**effect.details, **more})


def _people(arms: Arms, arm: bool) -> int:
    return len(np.unique(arms.cluster[arms.treated == arm]))


def _diagnostics(found: Comparison) -> dict[str, float]:
    numbers = {"largest_difference": found.largest_difference, "is_penalised": float(found.is_penalised)}
    for name, arm in (("treated", found.treated), ("control", found.control)):
        numbers |= {
            f"mean_{name}": arm.mean,
            f"effective_{name}": effective(arm.held),
            f"largest_share_{name}": float(arm.held.max() / arm.held.sum()),
            f"propensity_{name}_low": arm.propensity[0],
            f"propensity_{name}_high": arm.propensity[1],
        }
    return numbers


def _too_few(arms: Arms) -> str:
    for arm, name in ((True, "treated"), (False, "control")):
        n = _people(arms, arm)
        if n < FEWEST:
            return f"Only {n} people are in the {name} group; at least {FEWEST} are needed."
    if np.ptp(arms.outcome) == 0:
        return f"The outcome is the same ({arms.outcome[0]:g}) in all {len(arms.outcome)} rows."
    return ""


def _thin(found: Comparison) -> str:
    treated, control = found.treated, found.control
    if max(treated.propensity[0], control.propensity[0]) > min(treated.propensity[1], control.propensity[1]):
        return (
            f"The groups do not overlap: propensities run from {treated.propensity[0]:.2f} to"
            f" {treated.propensity[1]:.2f} among treated, {control.propensity[0]:.2f} to"
            f" {control.propensity[1]:.2f} among controls."
        )
    for arm, name in ((treated, "treated"), (control, "control")):
        if effective(arm.held) < FEWEST:
            worth = effective(arm.held)
            return f"After weighting the {name} group is worth {worth:.0f} people; at least {FEWEST} are needed."
    if not found.largest_difference <= APART:
        return (
            f"After weighting the groups still differ by {found.largest_difference:.2f} standard deviations;"
            f" at most {APART} can be mended."
        )
    return ""
