"""Made-up pairings with known truth, and the bounds that a simulated coverage must keep."""

import numpy as np
import pandas as pd
from scipy import stats

ACTOR = {"mentor": 0.4, "mentee": 0.3}
PARTNER = {"mentor": 0.2, "mentee": 0.35}


def is_compatible(count: int, n: int, share: float) -> bool:
    """An exact binomial test does not reject the share at 1 %."""
    return bool(stats.binomtest(count, n, share).pvalue > 0.01)


def shared_mentors(n_mentors: int, rng: np.random.Generator, most: int = 4) -> np.ndarray:
    """The mentor of each pairing; every mentor has one to `most` mentees."""
    return np.repeat(np.arange(n_mentors), rng.integers(1, most, n_mentors, endpoint=True))


def long(columns: dict[str, tuple[np.ndarray, np.ndarray]], mentor: np.ndarray) -> pd.DataFrame:
    """One row a person and pairing from (mentor's, mentee's) values."""
    sides = [
        pd.DataFrame({name: values[i] for name, values in columns.items()}).assign(
            pairing=np.arange(len(mentor)), side=side, mentor=mentor
        )
        for i, side in enumerate(("mentor", "mentee"))
    ]
    return pd.concat(sides, ignore_index=True)


def influenced(n_mentors: int, rng: np.random.Generator, shared: float = 5.0, silent: float = 0.15) -> pd.DataFrame:
    """Scores with the actor and partner effects above; mentors differ, and some people are silent."""
    mentor = shared_mentors(n_mentors, rng)
    n = len(mentor)
    x = 7 * rng.normal(size=n_mentors)[mentor] + 7 * rng.normal(size=n)
    z = 0.3 * x + 10 * rng.normal(size=n)
    own = shared * rng.normal(size=n_mentors)[mentor]
    error = rng.multivariate_normal([0, 0], [[60, 25], [25, 90]], n)
    y = 20 + ACTOR["mentor"] * x + PARTNER["mentor"] * z + own + error[:, 0]
    w = 25 + ACTOR["mentee"] * z + PARTNER["mentee"] * x + own / 2 + error[:, 1]
    pairs = long({"x": (x, z), "y": (y, w)}, mentor)
    pairs.loc[rng.random(len(pairs)) < silent, "y"] = np.nan
    return pairs


def grown(n_mentors: int, n_rounds: int, rng: np.random.Generator, shared: float = 0.0) -> pd.DataFrame:
    """Scores over rounds: mentors start at 60 and gain 1.5 a round, mentees at 65 and lose 0.5; 10 % are missing."""
    mentor = shared_mentors(n_mentors, rng, most=3)
    n, t = len(mentor), np.arange(n_rounds)
    spread = [[60, -3, 25, 0], [-3, 4, 0, 1], [25, 0, 80, -2], [0, 1, -2, 5]]
    u = rng.multivariate_normal(np.zeros(4), spread, n) + shared * rng.normal(size=(n_mentors, 4))[mentor]
    e = rng.multivariate_normal([0, 0], [[50, 20], [20, 70]], (n, n_rounds))
    scores = (
        60 + u[:, [0]] + (1.5 + u[:, [1]]) * t + e[:, :, 0],
        65 + u[:, [2]] + (-0.5 + u[:, [3]]) * t + e[:, :, 1],
    )
    rows = [
        pd.DataFrame(
            {"score": side.ravel(), "round": np.tile(t, n), "pairing": np.repeat(np.arange(n), n_rounds)}
        ).assign(side=name, mentor=np.repeat(mentor, n_rounds))
        for name, side in zip(("mentor", "mentee"), scores, strict=True)
    ]
    whole = pd.concat(rows, ignore_index=True)
    return whole[rng.random(len(whole)) > 0.1].sample(frac=1, random_state=1)
