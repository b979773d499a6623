"""Counts the people and pairings that a programme has reached by the end of a round, in steps of five."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import pandas as pd

from pipeline.disclosure.rounding import STEP, in_steps, told_count

# id → unit
FLOWS: Mapping[str, str] = {
    "flow_eligible": "people",
    "flow_invited": "people",
    "flow_answered": "people",
    "flow_pairings_started": "pairings",
    "flow_pairings_met": "pairings",
    "flow_pairings_active": "pairings",
    "flow_pairings_ended": "pairings",
}


class Meetings(NamedTuple):
    """Of the pairings that were asked about meetings so far, how many have reported one."""

    met: int
    asked: int


def flow(
    invited: pd.DataFrame,
    pairings: pd.DataFrame,
    *,
    on: date,
    meetings: Meetings | None = None,
    n_eligible: int | None = None,
) -> pd.DataFrame:
    """One row a count: side, metric, unit, n. `invited` (contract Invited) of one round; `on` its last day.

    `pairings`: pairing_id, started_on, ended_on (None while they meet). What is None has no row.
    """
    asked = _people(invited)
    answered = _people(invited[invited["has_answered"]], asked)
    started = pairings["started_on"].map(lambda day: day <= on).astype(bool)
    ended = started & pairings["ended_on"].map(lambda day: not pd.isna(day) and day <= on).astype(bool)
    paired = {"started": int(started.sum()), "active": int((started & ~ended).sum()), "ended": int(ended.sum())}
    if meetings is not None:
        paired["met"] = _not_all(meetings.met, meetings.asked)
    counts = {"flow_invited": asked, "flow_answered": answered}
    rows = [(side, metric, n) for metric, people in counts.items() for side, n in _in_steps(people).items()]
    rows += [("both", f"flow_pairings_{name}", in_steps(n)) for name, n in paired.items()]
    rows += [] if n_eligible is None else [("mentee", "flow_eligible", in_steps(n_eligible))]
    flows = pd.DataFrame(rows, columns=["side", "metric", "n"])
    return flows.assign(unit=flows["metric"].map(FLOWS))


def _people(invited: pd.DataFrame, asked: Mapping[str, int] | None = None) -> dict[str, int]:
    """Distinct people by side; of those `asked`, never so many that everybody is known to be among them."""
    counts = {side: invited.loc[invited["side"] == side, "person_id"].nunique() for side in ("mentor", "mentee")}
    return counts if asked is None else {side: _not_all(n, asked[side]) for side, n in counts.items()}


def _not_all(count: int, n: int) -> int:
    """A count of n, never so high that in its step all n are known to be among them."""
    return told_count(count, n) if n > STEP else 0


def _in_steps(people: Mapping[str, int]) -> dict[str, int]:
    """Both is the sum of the steps, so that it tells no more than they do."""
    sides = {side: in_steps(n) for side, n in people.items()}
    return {**sides, "both": sum(sides.values())}
