"""Says how far the pairings' goals were reached, as both sides rate them in a round."""

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.disclosure.rounding import in_steps
from pipeline.disclosure.thresholds import Thresholds
from pipeline.estimate import clustered
from pipeline.evidence.finding import NOTHING, Finding, Findings, Verdict, attempt, crowd_of, end_of, least
from pipeline.evidence.quality import share_of
from pipeline.evidence.round_facts import RoundFacts
from pipeline.goals import EXPECTED, HIGHEST, LOWEST, agreement, attainment, easy_goals

SIDES = ("mentor", "mentee")
LEAST_SPREAD = 1.0  # of T: no interval says that all pairings came equally far
T_SCALE, LEVELS = (0.0, 100.0), (float(LOWEST), float(HIGHEST))
Numbers = tuple[float, float, float]


def goals_reached(facts: RoundFacts, thresholds: Thresholds) -> Findings:
    """Nothing where no goal was ever rated: this programme does not work with goals."""
    if facts.goal_ratings.empty:
        return Findings()
    rated = facts.now(facts.goal_ratings)
    each = _each(rated)
    crowds = {side: crowd_of(of, end_of(of["mean_level"], LEVELS)) for side, of in _by_row(each).items()}
    means = [
        Finding(
            metric="goal_attainment",
            side=side,
            numbers=attempt(_mean, of, otherwise=NOTHING),
            unit="t_score",
            crowd=crowds[side],
            scale=T_SCALE,
        )
        for side, of in _by_row(each).items()
    ]
    numbers, pairs = attempt(_agreed, rated, otherwise=(NOTHING, rated.head(0)))
    shares = Finding(
        metric="goals_met", side="both", numbers=_met(rated), unit="share", crowd=crowds["both"], scale=(0.0, 1.0)
    )
    agreed = Finding(
        metric="goal_agreement",
        side="both",
        numbers=numbers,
        unit="coefficient",
        crowd=crowd_of(pairs, crowds["both"].end),
        scale=(-1.0, 1.0),
    )
    return Findings(numbers=(*means, shares, agreed), verdicts=(_ease(each, thresholds),))


def _each(rated: pd.DataFrame) -> pd.DataFrame:
    """One row a side of a pairing: its T and mean level over the goals that it rated."""
    columns = {"pairing": "pairing_id", "side": "side", "baseline": "before", "attained": "level"}
    t = attainment(rated.assign(before=np.nan), **columns)["attained_t"].reset_index()  # type: ignore[arg-type]
    keys = ["pairing_id", "side"]
    level = rated.groupby([*keys, "person_id", "mentor_id"], as_index=False)["level"].mean()
    return level.rename(columns={"level": "mean_level"}).merge(t, on=keys).sort_values(keys, ignore_index=True)


def _by_row(each: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {**{side: each[each["side"] == side] for side in SIDES}, "both": each}


def _mean(each: pd.DataFrame) -> Numbers:
    """The mean over sides of the mean over people, who count once; mentors' pairings go together."""
    person = each.groupby(["side", "person_id"], as_index=False).agg(
        t=("attained_t", "mean"), mentor_id=("mentor_id", "first")
    )
    parts, clusters = (np.asarray(pd.factorize(person[name], sort=True)[0]) for name in ("side", "mentor_id"))
    found = clustered(person["t"].to_numpy(dtype=float), parts, clusters)
    if found is None:
        return NOTHING
    sizes = np.array([max(in_steps(int(n)), 1) for n in np.bincount(parts)])
    se = max(found.se, LEAST_SPREAD * float(np.sqrt((1 / sizes).sum())) / len(sizes))
    half = float(stats.t.ppf(0.975, found.df)) * se
    return found.value, found.value - half, found.value + half


def _met(rated: pd.DataFrame) -> Numbers:
    """Of the goals that people rated, those at what was agreed or above; every count in steps, side by side."""
    by_side = [of for _, of in rated.groupby("side")]
    n = sum(in_steps(len(of)) for of in by_side)
    met = sum(in_steps(int((of["level"] >= EXPECTED).sum())) for of in by_side)
    return share_of(met, n, sum(in_steps(of["person_id"].nunique()) for of in by_side))


def _agreed(rated: pd.DataFrame) -> tuple[Numbers, pd.DataFrame]:
    """ICC(A,1) over goals that both rated, and their ratings.

    Goals of one mentor go together: the interval drops one mentor at a time, on Fisher's scale.
    """
    both = rated[rated.groupby("goal_id")["side"].transform("nunique") == len(SIDES)]
    if both.empty:
        return NOTHING, both
    wide = both.pivot(index="goal_id", columns="side", values="level").sort_index()
    mentor = both.drop_duplicates("goal_id").set_index("goal_id")["mentor_id"].reindex(wide.index)
    x, y = (wide[side].to_numpy(dtype=float) for side in SIDES)
    sums = np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y])
    code = np.asarray(pd.factorize(mentor, sort=True)[0])
    by_mentor = np.column_stack([np.bincount(code, column) for column in sums.T])
    value = agreement(np.column_stack([x, y])).value
    n = len(by_mentor)
    left_out = np.arctanh(np.clip(_icc(by_mentor.sum(axis=0) - by_mentor), -1 + 1e-9, 1 - 1e-9))
    se = float(np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()))
    half, middle = float(stats.t.ppf(0.975, n - 1)) * se, float(np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9)))
    return (value, float(np.tanh(middle - half)), float(np.tanh(middle + half))), both


def _icc(sums: np.ndarray) -> np.ndarray:
    """ICC(A,1) of two raters from n, Σx, Σy, Σx², Σy², Σxy, one row a set of goals."""
    n, x, y, xx, yy, xy = sums.T
    between, spread = (xy - x * y / n) / (n - 1), (xx - x * x / n + yy - y * y / n) / (n - 1)
    icc: np.ndarray = 2 * between / (spread + ((x - y) / n) ** 2 - (spread - 2 * between) / n)
    return icc


def _ease(each: pd.DataFrame, thresholds: Thresholds) -> Verdict:
    """Whether goals were set too easy, from pairings' T, both sides averaged."""
    if not crowd_of(each).has(least(thresholds), "both"):
        verdict = "too_few"
    else:
        found = easy_goals(each.groupby("pairing_id")["attained_t"].mean().to_numpy())
        verdict = "too_easy" if found.is_too_easy else "fine"
    return Verdict(about="easy_goals", construct="", side="both", verdict=verdict)
