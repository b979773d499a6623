"""Says which pairings may need support from operational facts alone, and how well that worked before.

No answer about trust, fit or satisfaction comes in; nothing is learned about anyone. A date is any pandas date.
The facts: pairings (pairing_id, started_on, ended_on or missing), meetings (pairing_id, reported_on: the day a
meeting became known), goals (pairing_id, set_on), requests (pairing_id, requested_on, handled_on or missing),
asked_on (the days on which reports of meetings become known: a round that asked for them closes).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from data.errors import RapportError
from pipeline.estimate import wilson

MONTH = 30.4375  # days
SIX = 6  # values from which on two of them hold the median 95 times in a hundred
SAID = {
    "no_meeting": "No meeting reported for {days} days. They may have met: silence is unknown.",
    "no_goals": "No goals set by week {week}.",
    "contact": "Contact requested.",
}
COLUMNS = ["pairing_id", "rule", "raised_on", "cleared_on"]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """After how many days without a reported meeting, and from which week without goals."""

    days_without_meeting: int = 30
    weeks_without_goals: int = 6


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The operational facts of pairings, one frame each, in the columns that the module names.

    Where `asked_on` is None, a meeting may become known on any day; without a day in it, none ever does.
    """

    pairings: pd.DataFrame
    meetings: pd.DataFrame
    goals: pd.DataFrame
    requests: pd.DataFrame
    asked_on: tuple[pd.Timestamp, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class RulesMeasured:
    """How the rules did on past pairings, with 95 % intervals; NaN where there was nothing to count.

    `recall`: of pairings that ended badly, those flagged in the `horizon` days before they did. `false_alarms`: alarms
    that no bad end followed within the horizon, per 100 pairing-months. `lead_days`: median days from the first
    alarm within the horizon to the bad end.
    """

    recall: float
    recall_low: float
    recall_high: float
    false_alarms: float
    false_alarms_low: float
    false_alarms_high: float
    lead_days: float
    lead_low: float
    lead_high: float
    n_pairings: int
    n_ended_badly: int
    n_alarms: int
    pairing_months: float
    horizon: int


def alarms(facts: Facts, *, until: pd.Timestamp, rules: Rules | None = None) -> pd.DataFrame:
    """Every alarm up to a day: pairing_id, rule, raised_on, cleared_on (missing while it stands).

    Uses at each moment only what was known by then. A pairing that has ended raises nothing more.
    """
    rules = rules or Rules()
    pairings = _dated(facts.pairings, ["started_on", "ended_on"])
    pairings = pairings[pairings["started_on"] <= until]
    raised = pd.concat(
        [
            _without_meeting(pairings, _dated(facts.meetings, ["reported_on"]), facts.asked_on, until, rules),
            _without_goals(pairings, _dated(facts.goals, ["set_on"]), until, rules),
            _requests(pairings, _dated(facts.requests, ["requested_on", "handled_on"])),
        ],
        ignore_index=True,
    )
    raised = raised.merge(pairings[["pairing_id", "ended_on"]], on="pairing_id")
    end = raised["ended_on"].fillna(until + pd.Timedelta(days=1))
    kept = raised[(raised["raised_on"] <= until) & (raised["raised_on"] < end)]
    cleared = kept[["cleared_on", "ended_on"]].min(axis=1)
    kept = kept.assign(cleared_on=cleared.where(cleared <= until))
    return kept.sort_values(["pairing_id", "raised_on", "rule"], ignore_index=True)[COLUMNS]


def needs_support(facts: Facts, *, today: pd.Timestamp, rules: Rules | None = None) -> pd.DataFrame:
    """The list as of a day: pairing_id, rule, since, reason, one row a pairing and rule that stands."""
    rules = rules or Rules()
    standing = alarms(facts, until=today, rules=rules)
    standing = standing[standing["cleared_on"].isna()].drop_duplicates(["pairing_id", "rule"])
    words = {"days": rules.days_without_meeting, "week": rules.weeks_without_goals}
    reason = standing["rule"].map({rule: said.format(**words) for rule, said in SAID.items()})
    listed = standing.assign(since=standing["raised_on"], reason=reason)
    return listed[["pairing_id", "rule", "since", "reason"]].reset_index(drop=True)


def measure_rules(
    facts: Facts, *, ended_badly: pd.Series, until: pd.Timestamp, rules: Rules | None = None, horizon: int = 90
) -> RulesMeasured:
    """The rules on past programmes: recall, false alarms per 100 pairing-months and lead time.

    `ended_badly`: the pairing_ids that ended early for a reason support could have met. Everything is counted up to
    `until`; an alarm within `horizon` days of it in a pairing that still runs is not yet known to be false and does
    not count. Intervals treat pairings as independent: recall's is Wilson's, that of false alarms a ratio of sums over
    pairings, that of the lead time lies between the order statistics that hold a median 95 times in a hundred.
    """
    pairings = _dated(facts.pairings, ["started_on", "ended_on"])
    pairings = pairings[pairings["started_on"] <= until]
    end = pairings["ended_on"].where(pairings["ended_on"] <= until)
    is_bad = pairings["pairing_id"].isin(ended_badly) & end.notna()
    frame = pairings.assign(end=end, is_bad=is_bad)[["pairing_id", "end", "is_bad"]]
    raised = alarms(facts, until=until, rules=rules).merge(frame, on="pairing_id")
    ahead = (raised["end"] - raised["raised_on"]).dt.days
    is_hit = raised["is_bad"] & (ahead <= horizon)
    is_open = raised["end"].isna() & ((until - raised["raised_on"]).dt.days < horizon)
    lead = ahead[is_hit].groupby(raised["pairing_id"]).max()
    n_bad = int(is_bad.sum())
    months = ((end.fillna(until) - pairings["started_on"]).dt.days / MONTH).set_axis(pairings["pairing_id"])
    low, high = wilson(len(lead), n_bad) if n_bad else (float("nan"), float("nan"))
    n_false = raised.loc[~is_hit & ~is_open, "pairing_id"].value_counts().reindex(months.index, fill_value=0)
    false_alarms, half = _rate(n_false, months)
    lead_low, lead_high = _median_bounds(lead)
    return RulesMeasured(
        recall=len(lead) / n_bad if n_bad else float("nan"),
        recall_low=low,
        recall_high=high,
        false_alarms=false_alarms,
        false_alarms_low=max(false_alarms - half, 0.0),
        false_alarms_high=false_alarms + half,
        lead_days=float(lead.median()) if len(lead) else float("nan"),
        lead_low=lead_low,
        lead_high=lead_high,
        n_pairings=len(pairings),
        n_ended_badly=n_bad,
        n_alarms=len(raised),
        pairing_months=float(months.sum()),
        horizon=horizon,
    )


def _rate(counts: pd.Series, months: pd.Series) -> tuple[float, float]:
    """Per 100 months, and half its interval's width: the linearised ratio of two sums over pairings."""
    total = float(months.sum())
    if total <= 0 or len(counts) < 2:
        return float("nan"), float("nan")
    rate = float(counts.sum()) / total
    rest = counts - rate * months
    se = float(np.sqrt((rest**2).sum() * len(counts) / (len(counts) - 1))) / total
    return 100 * rate, 100 * float(stats.t.ppf(0.975, len(counts) - 1)) * se


def _median_bounds(values: pd.Series) -> tuple[float, float]:
    """NaN below six values, which hold no median so surely."""
    n = len(values)
    below = int(stats.binom.ppf(0.025, n, 0.5)) if n >= SIX else 0
    if below < 1:
        return float("nan"), float("nan")
    ordered = values.sort_values()
    return float(ordered.iloc[below - 1]), float(ordered.iloc[n - below])


def _dated(facts: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The facts with real dates; an optional end that nobody recorded is missing."""
    if "pairing_id" not in facts.columns or columns[0] not in facts.columns:
        raise RapportError(f"Expected the columns pairing_id and {columns[0]}.")
    dates = {name: facts[name] if name in facts.columns else pd.Series(pd.NaT, index=facts.index) for name in columns}
    whole = facts.assign(**{name: pd.to_datetime(column).astype("datetime64[us]") for name, column in dates.items()})
    return whole[whole[columns[0]].notna()]


def _without_meeting(
    pairings: pd.DataFrame,
    meetings: pd.DataFrame,
    asked_on: Sequence[pd.Timestamp] | None,
    until: pd.Timestamp,
    rules: Rules,
) -> pd.DataFrame:
    """Raised where the next report is further away than the rule allows; cleared by that report.

    Between two rounds nobody can report anything, so an alarm waits for the day on which a report could have come.
    """
    starts = pairings.rename(columns={"started_on": "reported_on"})[["pairing_id", "reported_on"]]
    known = meetings[(meetings["reported_on"] <= until) & meetings["pairing_id"].isin(pairings["pairing_id"])]
    begun = known.merge(pairings[["pairing_id", "started_on"]], on="pairing_id")
    begun = begun[begun["reported_on"] >= begun["started_on"]][["pairing_id", "reported_on"]]
    seen = pd.concat([starts, begun]).drop_duplicates().sort_values(["pairing_id", "reported_on"])
    upcoming = seen.groupby("pairing_id")["reported_on"].shift(-1)
    raised = _next_asked(seen["reported_on"] + pd.Timedelta(days=rules.days_without_meeting), asked_on)
    is_raised = upcoming.isna() | (upcoming > raised)
    framed = seen.assign(rule="no_meeting", raised_on=raised, cleared_on=upcoming)
    return framed.loc[is_raised & raised.notna(), COLUMNS]


def _next_asked(days: pd.Series, asked_on: Sequence[pd.Timestamp] | None) -> pd.Series:
    """Each day, moved to the next on which reports become known; missing where there is none yet."""
    if asked_on is None:
        return days
    known = pd.Series(sorted(asked_on), dtype="datetime64[us]")
    at = known.searchsorted(days)
    return known.reindex(at).set_axis(days.index)


def _without_goals(pairings: pd.DataFrame, goals: pd.DataFrame, until: pd.Timestamp, rules: Rules) -> pd.DataFrame:
    """Raised once at the week named, cleared by the first goal."""
    first = goals[goals["set_on"] <= until].groupby("pairing_id")["set_on"].min()
    set_on = first.reindex(pairings["pairing_id"]).set_axis(pairings.index)
    raised = pairings["started_on"] + pd.Timedelta(weeks=rules.weeks_without_goals)
    framed = pairings.assign(rule="no_goals", raised_on=raised, cleared_on=set_on)
    return framed.loc[set_on.isna() | (set_on > raised), COLUMNS]


def _requests(pairings: pd.DataFrame, requests: pd.DataFrame) -> pd.DataFrame:
    """Raised by each request, cleared by whoever handled it; a pairing asks once, whichever side it was."""
    asked = requests[requests["pairing_id"].isin(pairings["pairing_id"])]
    framed = asked.assign(rule="contact", raised_on=asked["requested_on"], cleared_on=asked["handled_on"])
    return framed[COLUMNS]
