"""Says what each kind of interval should hold, from what a made-up programme was made of."""

from functools import cache

import numpy as np
from scipy import stats

from tests.calibration.programmes import (
    ANSWER_SD,
    CUTS,
    GOAL_MEAN,
    GOAL_MENTOR_SD,
    GOAL_PAIRING_SD,
    GOAL_SD,
    GOALS,
    MENTOR_SD,
    OCCASION_SD,
    PAIRING_SD,
    PERSON_SD,
    RATING_SD,
    Made,
    Truth,
)

SHARED = MENTOR_SD**2 + PAIRING_SD**2
OWN = PERSON_SD**2 + OCCASION_SD**2
DRAWN = 50_000  # pairings of the population that stands for "programmes like this"
RHO = 0.3
LEVELS = np.arange(-2, 3)


def tipping(made: Made, side: str, shift: float) -> float:
    """The mean if the silent of this round were `shift` standard deviations lower.

    People count once, with the mean of their pairings, which differs less where it is a mean of several.
    """
    now = made.invited[(made.invited["round_number"] == made.plan.n_rounds) & (made.invited["side"] == side)]
    answered = now.groupby("person_id")["has_answered"].sum()
    silent, apart = float((answered == 0).mean()), float((1 / answered[answered > 0]).mean())
    noise = ANSWER_SD**2 * float((1 / made.truth.n_items[side]).mean())
    of_person = MENTOR_SD**2 + PERSON_SD**2 + float(made.truth.group[side].var())
    of_pairing = PAIRING_SD**2 + OCCASION_SD**2 + noise
    return made.truth.mean(side) - silent * shift * float(np.sqrt(of_person + apart * of_pairing))


def alpha(truth: Truth, side: str, n_items: int) -> float:
    """Of items that are all alike: k·c / (k·c + error)."""
    common = SHARED + OWN + float(truth.group[side].var())
    return n_items * common / (n_items * common + ANSWER_SD**2)


def two_sides(truth: Truth, noise: float) -> tuple[float, float]:
    """Rank agreement of the two sides' scores, and the share of pairings whose gap is beyond the noise."""
    rng = np.random.default_rng(1)
    shared = np.sqrt(SHARED) * rng.standard_normal(DRAWN)
    first, second = (
        shared
        + np.sqrt(OWN) * rng.standard_normal(DRAWN)
        + truth.level[side]
        + rng.choice(truth.group[side], DRAWN)
        + ANSWER_SD / np.sqrt(rng.choice(truth.n_items[side], DRAWN)) * rng.standard_normal(DRAWN)
        for side in ("mentor", "mentee")
    )
    ranks = [np.argsort(np.argsort(each)) for each in (first, second)]
    return float(np.corrcoef(*ranks)[0, 1]), float((np.abs(first - second) > noise).mean())


@cache
def goal_attainment(side: str) -> float:
    """The mean T: each number of goals is as likely as another."""
    if side == "both":
        return float(np.mean([goal_attainment(each) for each in GOAL_MEAN]))
    n = np.array(GOALS)
    return float(50 + 10 * _level_moments(side)[0] * (n / np.sqrt((1 - RHO) * n + RHO * n**2)).mean())


@cache
def goals_met() -> float:
    """The share of ratings at what was agreed or above."""
    spread = np.sqrt(GOAL_MENTOR_SD**2 + GOAL_PAIRING_SD**2 + GOAL_SD**2 + RATING_SD**2)
    return float(np.mean([stats.norm.sf(CUTS[1], mean, spread) for mean in GOAL_MEAN.values()]))


@cache
def goal_agreement() -> float:
    """ICC(A,1) of the two sides' levels of one goal: 2·cov / (var + var + difference²)."""
    moments = [_level_moments(side) for side in GOAL_MEAN]
    nodes, weight = np.polynomial.hermite_e.hermegauss(200)
    weight = weight / weight.sum()
    shared = np.sqrt(GOAL_MENTOR_SD**2 + GOAL_PAIRING_SD**2 + GOAL_SD**2) * nodes
    expected = [_chances(GOAL_MEAN[side] + shared, RATING_SD) @ LEVELS for side in GOAL_MEAN]
    covariance = float(weight @ (expected[0] * expected[1])) - moments[0][0] * moments[1][0]
    apart = moments[0][0] - moments[1][0]
    return 2 * covariance / (moments[0][1] + moments[1][1] + apart**2)


def _level_moments(side: str) -> tuple[float, float]:
    """Mean and variance of a level."""
    spread = float(np.sqrt(GOAL_MENTOR_SD**2 + GOAL_PAIRING_SD**2 + GOAL_SD**2 + RATING_SD**2))
    chance = _chances(np.array([GOAL_MEAN[side]]), spread)[0]
    mean = float(chance @ LEVELS)
    return mean, float(chance @ LEVELS**2) - mean**2


def _chances(mean: np.ndarray, spread: float) -> np.ndarray:
    """How likely each level is, one row a mean."""
    below = stats.norm.cdf((np.array(CUTS) - mean[:, None]) / spread)
    ends = np.column_stack([np.zeros(len(mean)), below, np.ones(len(mean))])
    chances: np.ndarray = np.diff(ends, axis=1)
    return chances
