"""Asks how strongly a hidden cause of enrolment would have to act before a matched comparison could be chance."""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from data.errors import RapportError

STRONGEST = 1e6


def rosenbaum_bound(differences: ArrayLike, gamma: float) -> float:
    """Greatest one-sided p of Wilcoxon's signed rank test if hidden bias multiplies the odds of treatment by ≤ Γ.

    `differences` treated less control, one a matched pair; the test is against "no effect, or a lower outcome". With
    r the ranks of |difference| (ties share their mean rank), p⁺ = Γ/(1+Γ) and T the rank sum of the positive ones:
    z = (T − p⁺ Σr) / √(p⁺(1−p⁺) Σr²), sums over pairs that differ. A pair without a difference keeps its rank and
    adds nothing to the sums: Rosenbaum, Observational Studies (2002), sections 2.4.4 and 4.3.3 (R's rbounds drops
    it). Γ = 1 is the test without hidden bias. Normal approximation, without continuity correction.
    """
    if not 1 <= gamma < np.inf:
        raise RapportError(f"Expected a gamma of 1 or more, found {gamma}.")
    apart = np.asarray(differences, dtype=float).ravel()
    if not len(apart) or not np.isfinite(apart).all():
        raise RapportError("Expected a difference for every pair.")
    ranks = np.where(apart == 0, 0.0, stats.rankdata(np.abs(apart)))
    if not ranks.any():
        return 1.0
    chance = gamma / (1 + gamma)
    expected = chance * ranks.sum()
    spread = sqrt(chance * (1 - chance) * (ranks**2).sum())
    return float(stats.norm.sf((ranks[apart > 0].sum() - expected) / spread))


def gamma_that_explains(differences: ArrayLike, *, alpha: float = 0.05) -> float:
    """The smallest Γ at which the bound exceeds `alpha`: 1 where chance alone does, infinite where none does."""
    low, high = 1.0, STRONGEST
    if rosenbaum_bound(differences, low) > alpha:
        return low
    if rosenbaum_bound(differences, high) <= alpha:
        return float("inf")
    while high / low > 1 + 1e-9:
        middle = sqrt(low * high)
        low, high = (low, middle) if rosenbaum_bound(differences, middle) > alpha else (middle, high)
    return high
