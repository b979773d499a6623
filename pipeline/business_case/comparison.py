"""Weighs two groups to look alike and measures how far their means lie apart."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.business_case.regression import Logistic, linear, logistic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Estimand = Literal["ATO", "ATT", "ATE"]

CERTAIN = 1e-9  # so close to 0 or 1 a propensity says "impossible"; its weight stays finite, to be refused later


@dataclass(frozen=True, kw_only=True)
class Arms:
    """Two groups. A row is a person (or a person's trial); rows with equal covariates share one row of `matrix`."""

    matrix: Floats  # patterns × columns, the intercept first
    pattern: Ints  # row → pattern
    treated: NDArray[np.bool_]
    outcome: Floats
    cluster: Ints  # row → person (or whatever is drawn independently), 0 … clusters − 1

    def count(self, of: Floats | NDArray[np.bool_]) -> Floats:
        """Sums a column of rows within each pattern."""
        return sum_by(self.pattern, of, size=len(self.matrix))


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What one arm's rows weigh, by pattern, and how weight and target move with the linear predictor."""

    weight: Floats
    weight_slope: Floats
    target: Floats  # the population that the estimand asks about
    target_slope: Floats


@dataclass(frozen=True, kw_only=True)
class ArmMean:
    """One arm's mean in the target population."""

    mean: float
    influence: Floats  # a row's influence on the mean, the propensity held fixed
    gradient: Floats  # how the mean moves with the propensity's coefficients
    held: Floats  # the weight that each cluster holds
    column_means: Floats  # of the matrix, weighted
    propensity: tuple[float, float]  # lowest and highest


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the weighted arms show; `influence` has one row a cluster."""

    treated: ArmMean
    control: ArmMean
    influence: Floats
    largest_difference: float  # of a column's means between the weighted arms, in SD before weighting
    is_penalised: bool

    @property
    def difference(self) -> float:
        return self.treated.mean - self.control.mean

    @property
    def se(self) -> float:
        """Root of the sum of squared influences over the clusters, which are drawn independently."""
        return float(np.sqrt((self.influence**2).sum()))


def compare(arms: Arms, *, estimand: Estimand, augmented: bool) -> Comparison:
    """The difference between the weighted arms and each cluster's influence on it.

    The influence function solves the stacked estimating equations of propensity, outcome models and weighted
    means by substitution, which is the sandwich of Stefanski & Boos (2002), doi:10.1198/000313002753631330,
    without its matrices: so 700,000 rows need no more memory than their columns.
    """
    people, joined = arms.count(np.ones(len(arms.pattern))), arms.count(arms.treated)
    propensity = logistic(arms.matrix, joined, people)
    weights = _weigh(propensity.probability, estimand)
    treated, control = (
        _arm_mean(arms, weights[arm], propensity, inside=arms.treated == (arm == 0), people=people, augmented=augmented)
        for arm in (0, 1)
    )
    along = arms.matrix @ (propensity.inverse_information @ (treated.gradient - control.gradient))
    surprise = arms.treated - (propensity.probability - propensity.pull)[arms.pattern]
    influence = treated.influence - control.influence + surprise * along[arms.pattern]
    return Comparison(
        treated=treated,
        control=control,
        influence=_sum_within(arms.cluster, influence),
        largest_difference=_largest(arms, joined, people, np.abs(treated.column_means - control.column_means)),
        is_penalised=propensity.is_penalised,
    )


def sum_by(code: Ints, value: Floats | NDArray[np.bool_], size: int = 0) -> Floats:
    """Sums of the values of each code 0, 1, 2 …, at least `size` of them."""
    return np.bincount(code, weights=value, minlength=size).astype(float)


def effective(held: Floats) -> float:
    """What unequally weighted people are worth in equally weighted ones: (Σw)²/Σw² (Kish 1965)."""
    return float(held.sum() ** 2 / (held**2).sum()) if held.any() else 0.0


def _weigh(e: Floats, estimand: Estimand) -> tuple[Weights, Weights]:
    """Weights of treated and control; slopes are derivatives by the linear predictor, where de = e(1 − e)."""
    e = np.clip(e, CERTAIN, 1 - CERTAIN)
    one, zero, both = np.ones_like(e), np.zeros_like(e), e * (1 - e)
    odds, against = e / (1 - e), (1 - e) / e
    if estimand == "ATO":
        target, slope, parts = both, both * (1 - 2 * e), ((1 - e, -both), (e, both))
    elif estimand == "ATT":
        target, slope, parts = e, both, ((one, zero), (odds, odds))
    elif estimand == "ATE":
        target, slope, parts = one, zero, ((1 + against, -against), (1 + odds, odds))
    else:
        raise ValueError(f"{estimand!r} is not an estimand; expected ATO, ATT or ATE")
    treated, control = (Weights(weight=w, weight_slope=s, target=target, target_slope=slope) for w, s in parts)
    return treated, control


def _arm_mean(
    arms: Arms, weights: Weights, propensity: Logistic, *, inside: NDArray[np.bool_], people: Floats, augmented: bool
) -> ArmMean:
    """Σh·m/Σh + Σw(y − m)/Σw over one arm, and what moves it."""
    pattern, count = arms.pattern, arms.count(inside)
    held = count * weights.weight
    share, target = weights.weight / held.sum(), weights.target / float(people @ weights.target)
    fitted, model_influence = np.zeros(len(arms.matrix)), np.zeros(len(arms.matrix))
    if augmented:
        coefficients, inverse = linear(arms.matrix, arms.count(inside * arms.outcome), count)
        fitted = arms.matrix @ coefficients
        model_influence = arms.matrix @ (inverse @ (arms.matrix.T @ (people * target - count * share)))
    residual = np.where(inside, arms.outcome - fitted[pattern], 0.0)
    centre, rest = float(people @ (target * fitted)), float(share[pattern] @ residual)
    off = np.where(inside, residual - rest, 0.0)
    influence = share[pattern] * off + (target * (fitted - centre))[pattern] + model_influence[pattern] * residual
    slope = weights.target_slope / float(people @ weights.target)
    moved = people * slope * (fitted - centre) + weights.weight_slope / held.sum() * arms.count(off)
    on_side = propensity.probability[count > 0]
    return ArmMean(
        mean=centre + rest,
        influence=influence,
        gradient=arms.matrix.T @ moved,
        held=sum_by(arms.cluster, np.where(inside, weights.weight[pattern], 0.0)),
        column_means=held @ arms.matrix / held.sum(),
        propensity=(float(on_side.min()), float(on_side.max())),
    )


def _largest(arms: Arms, joined: Floats, people: Floats, apart: Floats) -> float:
    """The largest of differences between columns, in the arms' pooled SD before weighting."""
    variances = []
    for count in (joined, people - joined):
        mean = count @ arms.matrix / count.sum()
        variances.append(count @ (arms.matrix - mean) ** 2 / (count.sum() - 1))
    spread = np.sqrt((variances[0] + variances[1]) / 2)
    standardised = np.divide(apart, spread, out=np.zeros_like(spread), where=spread > 1e-9)
    return float(standardised.max())


def _sum_within(cluster: Ints, influence: Floats) -> Floats:
    """Influence of each cluster; widened by G/(G − 1) where rows share one."""
    summed = sum_by(cluster, influence)
    if len(summed) == len(influence):
        return summed
    widened: Floats = summed * np.sqrt(len(summed) / (len(summed) - 1))
    return widened
