"""Says how long goals take until they are reached, those still open counted for as long as they were watched."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from pipeline.disclosure.rounding import in_steps
from pipeline.disclosure.thresholds import Thresholds
from pipeline.evidence.finding import NOTHING, Finding, Findings, Verdict, attempt, crowd_of, least
from pipeline.evidence.round_facts import RoundFacts
from pipeline.goals import EXPECTED, median_time, time_to_completion

WEEKS = 26.0  # half a year
DAYS = 7
Floats = NDArray[np.float64]
Numbers = tuple[float, float, float]


def milestones(facts: RoundFacts, thresholds: Thresholds) -> Findings:
    """Nothing where no goal was ever rated, or where nothing says when goals were set."""
    rated = _rated(facts.goal_ratings, facts.goals, facts.closed_days)
    if rated.empty:
        return Findings()
    goals = _watched(rated)
    crowd = crowd_of(rated, _end(goals))
    half, share = attempt(_times, goals, _longest_gap(facts.closed_days), otherwise=(NOTHING, NOTHING))
    found = [
        Finding(metric="goal_weeks", side="both", numbers=half, unit="weeks", crowd=crowd, scale=(0.0, 520.0)),
        Finding(metric="goals_in_26_weeks", side="both", numbers=share, unit="share", crowd=crowd, scale=(0.0, 1.0)),
    ]
    return Findings(numbers=tuple(found), verdicts=(_verdict(found[0], thresholds),))


def _rated(ratings: pd.DataFrame, goals: pd.DataFrame, closed_days: Mapping[str, date]) -> pd.DataFrame:
    """Ratings with `weeks`: from the day the goal was set to the closing day of the round that rated it."""
    known = ratings.merge(goals[["goal_id", "set_on"]], on="goal_id")
    closed = pd.to_datetime(known["round_id"].map({id_: pd.Timestamp(day) for id_, day in closed_days.items()}))
    weeks = (closed - known["set_on"]).dt.days / DAYS
    return known.assign(weeks=weeks)[weeks >= 0]


def _watched(rated: pd.DataFrame) -> pd.DataFrame:
    """One row a goal: weeks until reached, or until last rated while still open.

    Reached in the first round after which every side that ever rated it had last seen it where it was agreed or above:
    one side's doubt keeps it open, a side that never rates it does not, and silence changes nobody's mind.
    """
    last_said = rated.pivot(index=["goal_id", "side"], columns="round_number", values="level").ffill(axis=1)
    lowest = last_said.groupby("goal_id").min().stack().rename("lowest").reset_index()
    about = rated.groupby(["goal_id", "round_number"], as_index=False).agg(
        weeks=("weeks", "max"), mentor_id=("mentor_id", "first")
    )
    by_round = about.merge(lowest, on=["goal_id", "round_number"])
    first = by_round[by_round["lowest"] >= EXPECTED].groupby("goal_id")["weeks"].min()
    goals = by_round.groupby("goal_id").agg(last=("weeks", "max"), mentor_id=("mentor_id", "first"))
    is_done = goals.index.isin(first.index)
    return goals.assign(weeks=first.reindex(goals.index).where(is_done, goals["last"]), is_done=is_done)


def _longest_gap(closed_days: Mapping[str, date]) -> float:
    """Weeks between two rounds' closing days, at most."""
    days = sorted(closed_days.values())
    return max(((late - early).days / DAYS for early, late in zip(days, days[1:], strict=False)), default=0.0)


def _end(goals: pd.DataFrame) -> int:
    """1 or -1 where all goals, or none, were ever reached: that would tell it of each of them."""
    return int(bool(goals["is_done"].all())) - int(not goals["is_done"].any())


def _times(goals: pd.DataFrame, gap: float) -> tuple[Numbers, Numbers]:
    """Median weeks and the share within half a year.

    Both are Kaplan–Meier's, whose interval is Greenwood's, widened where the goals of one mentor go together (drop
    in log survival summed by mentor) on the scale of log(−log). The share is told in steps of five goals; the median's
    interval is where the curve's reaches one half (Brookmeyer & Crowley 1982), and begins a round earlier: a goal that
    is seen reached when a round closes was so on some day since the one before.
    """
    curve = time_to_completion(goals["weeks"], goals["is_done"])
    curve = curve.assign(**dict(zip(("low", "high"), _bounds(goals, curve), strict=True)))
    median = (median_time(curve), max(_first(curve, "high") - gap, 0.0), _first(curve, "low"))
    return median, _within(curve, len(goals), float(goals["weeks"].max()))


def _bounds(goals: pd.DataFrame, curve: pd.DataFrame) -> tuple[Floats, Floats]:
    still = 1 - curve["share_done"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = (curve["se"].to_numpy() / still) ** 2
        variance = np.fmax(greenwood, _by_mentor(goals, curve))
        spread = _quantile(goals) * np.sqrt(variance) / np.log(still)
        low, high = 1 - still ** np.exp(spread), 1 - still ** np.exp(-spread)
    return np.where(still > 0, low, curve["share_done"]), np.where(still > 0, high, 1.0)


def _quantile(goals: pd.DataFrame) -> float:
    return float(stats.t.ppf(0.975, max(goals["mentor_id"].nunique() - 1, 1)))


def _by_mentor(goals: pd.DataFrame, curve: pd.DataFrame) -> Floats:
    """The variance of log survival at each time of the curve, the goals of a mentor summed before squaring."""
    at, n_open = curve["time"].to_numpy(), curve["n_open"].to_numpy(dtype=float)
    n_done = curve["n_done"].to_numpy(dtype=float)
    weeks, mentor = goals["weeks"].to_numpy(), np.asarray(pd.factorize(goals["mentor_id"], sort=True)[0])
    expected = np.concatenate([[0.0], np.cumsum(n_done / n_open / np.maximum(n_open - n_done, 1))])
    place = np.searchsorted(at, weeks, side="right")  # how many times of the curve the goal was watched through
    n_mentors = int(mentor.max()) + 1
    own = np.zeros((n_mentors, len(at)))
    for column in range(len(at)):
        watched = np.minimum(place, column + 1)
        drop = -expected[watched]
        is_done = goals["is_done"].to_numpy() & (weeks <= at[column])
        last = place[is_done] - 1
        drop[is_done] += 1 / np.maximum(n_open[last] - n_done[last], 1)
        own[:, column] = np.bincount(mentor, drop, minlength=n_mentors)
    variance: Floats = (own**2).sum(axis=0) * n_mentors / max(n_mentors - 1, 1)
    return variance


def _first(curve: pd.DataFrame, bound: str) -> float:
    """The first time at which a bound of the curve reaches one half; NaN where it never does."""
    return median_time(curve.assign(share_done=curve[bound]))


def _within(curve: pd.DataFrame, n_goals: int, longest: float) -> Numbers:
    """By half a year, where goals were watched for so long; in steps of five goals."""
    reached = curve[curve["time"] <= WEEKS].tail(1)
    n = in_steps(n_goals)
    if longest < WEEKS or reached.empty or n == 0:
        return NOTHING
    share = in_steps(int(reached["share_done"].iloc[0] * n_goals + 1e-9)) / n
    return share, min(float(reached["low"].iloc[0]), share), max(float(reached["high"].iloc[0]), share)


def _verdict(median: Finding, thresholds: Thresholds) -> Verdict:
    enough = median.crowd.has(least(thresholds), "both") and median.crowd.end == 0
    told = "measured" if np.isfinite(median.numbers).all() else "half_not_reached"
    return Verdict(about="milestones", construct="", side="both", verdict=told if enough else "too_few")
