"""Fits a random intercept to 48,000 pairings of two people: Rapport against statsmodels, at equal log-likelihood.

`python -m tests.bench.random_intercept` prints the costs, their ratios and the two log-likelihoods.
"""

import sys
from typing import Any

import numpy as np

from tests.bench.measure import cost, told

PAIRINGS = 48_000


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, pairing and the design (an intercept and the side), one entry a person."""
    rng = np.random.default_rng(9)
    pairing = np.repeat(np.arange(PAIRINGS), 2)
    side = np.tile([0.0, 1.0], PAIRINGS)
    outcome = 60 + 4 * side + 8 * rng.standard_normal(PAIRINGS)[pairing] + 12 * rng.standard_normal(2 * PAIRINGS)
    return outcome, pairing, np.column_stack([np.ones_like(side), side])


def ours(prepared: Any) -> float:
    from pipeline.dyads import random_intercept

    outcome, pairing, design = prepared
    return float(random_intercept(outcome=outcome, group=pairing, design=design).log_likelihood)


def theirs(prepared: Any) -> float:
    from statsmodels.regression.mixed_linear_model import MixedLM

    outcome, pairing, design = prepared
    return float(MixedLM(outcome, design, groups=pairing).fit(reml=True).llf)


def main() -> None:
    costs = {"rapport": cost(data, ours, runs=5), "statsmodels": cost(data, theirs, runs=1)}
    ratios = {
        "cpu: statsmodels / rapport": costs["statsmodels"].cpu_s / costs["rapport"].cpu_s,
        "wall: statsmodels / rapport": costs["statsmodels"].wall_s / costs["rapport"].wall_s,
        "log-likelihood: rapport - statsmodels": ours(data()) - theirs(data()),
    }
    sys.stdout.write(told(costs, ratios) + "\n")


if __name__ == "__main__":
    main()
