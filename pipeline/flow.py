"""Counts the people asked and the pairings under way in a round, in steps of five."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from pipeline.disclosure.rounding import STEP, in_steps, told_count

# id → unit
FLOWS: Mapping[str, str] = {
    "flow_invited": "people",
    "flow_answered": "people",
    "flow_pairings_started": "pairings",
    "flow_pairings_active": "pairings",
    "flow_pairings_ended": "pairings",
}


def flow(invited: pd.DataFrame, pairings: pd.DataFrame, *, on: date) -> pd.DataFrame:
    """One row a count: side, metric, unit, n. `invited` (contract Invited) of one round; `on` its last day.

    `pairings`: pairing_id, started_on, ended_on (None while they meet).
    """
    asked = _people(invited)
    answered = _people(invited[invited["has_answered"]], asked)
    started = pairings["started_on"].map(lambda day: day <= on).astype(bool)
    ended = started & pairings["ended_on"].map(lambda day: not pd.isna(day) and day <= on).astype(bool)
    paired = {"started": started, "active": started & ~ended, "ended": ended}
    counts = {"flow_invited": asked, "flow_answered": answered}
    rows = [(side, metric, n) for metric, people in counts.items() for side, n in _in_steps(people).items()]
    rows += [("both", f"flow_pairings_{name}", in_steps(int(which.sum()))) for name, which in paired.items()]
    flows = pd.DataFrame(rows, columns=["side", "metric", "n"])
    return flows.assign(unit=flows["metric"].map(FLOWS))


def _people(invited: pd.DataFrame, asked: Mapping[str, int] | None = None) -> dict[str, int]:
    """Distinct people by side; of those `asked`, never so many that everybody is known to be among them."""
    counts = {side: invited.loc[invited["side"] == side, "person_id"].nunique() for side in ("mentor", "mentee")}
    if asked is None:
        return counts
    return {side: told_count(n, asked[side]) if asked[side] > STEP else 0 for side, n in counts.items()}


def _in_steps(people: Mapping[str, int]) -> dict[str, int]:
    """Both is the sum of the steps, so that it tells no more than they do."""
    sides = {side: in_steps(n) for side, n in people.items()}
    return {**sides, "both": sum(sides.values())}
