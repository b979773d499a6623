"""Turns rows of employment into spells of service, one row a spell, with what does not fit together counted.

Day arithmetic, all of it:

- `left_on` is the last day of service, so somebody with `left_on` the 31st is in service on the 31st.
- What a spell's row with the latest `valid_from` says about leaving holds for the whole spell: an announced leave
  that was withdrawn is none.
- A leave dated after `ends`, the last day that the file knows about, has not happened yet.
- A rehire is a new spell. A spell that begins the day after the one before it ended continues it (a renewed
  contract): nobody left.
- Spells of one person that overlap cannot both be true, and nothing says which one is: none of that person's months
  are used, and the person is counted under `OVERLAP`.
- A leave without its kind is not counted as voluntary, and is counted under `UNKNOWN_LEAVE`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from data.errors import RapportError

ATTRIBUTES = ("department", "location", "grade")
EMPLOYMENT = ("employee_key", "hired_on", "valid_from", "left_on", "leave_type", *ATTRIBUTES)
ENROLMENT = ("person", "side", "started_on")
SIDES = ("mentor", "mentee")

STAYS, VOLUNTARY, OTHER = 0, 1, 2  # what happens to somebody in service during a month

OVERLAP = "people with spells of employment that overlap: none of their months are used"
RENEWED = "spells that continue the one before them from the next day on"
UNKNOWN_LEAVE = "leaves without a kind, which are not counted as voluntary"
STILL_AHEAD = "leaves dated after the end of the data, which do not count yet"


@dataclass(frozen=True)
class Spells:
    """One row is one spell of service: `person`, `hired_on`, `left_on` (NaT while in service), `leave` (0 none,
    1 voluntary, 2 other). `notes`: what was counted on the way, by reason."""

    rows: pd.DataFrame
    notes: Mapping[str, int] = field(default_factory=dict)


def find_spells(*, employment: pd.DataFrame, ends: date) -> Spells:
    """The spells of everybody in the employment file, as known on the day `ends`.

    `employment`: rows as `data.store.employment.read_roster` gives them, one for what held for an employee from
    `valid_from` on. Rows of one `hired_on` are one spell.
    """
    require(employment, EMPLOYMENT, "employment")
    last_day = np.datetime64(ends, "D")
    said = employment[["employee_key", "hired_on", "valid_from", "left_on", "leave_type"]]
    said = said[said["hired_on"] <= pd.Timestamp(ends)].sort_values(["employee_key", "hired_on", "valid_from"])
    latest = said.drop_duplicates(["employee_key", "hired_on"], keep="last")
    left_on = days_of(latest["left_on"])
    ahead = left_on > last_day
    left_on[ahead] = np.datetime64("NaT")
    leave = _leave(latest["leave_type"].to_numpy(dtype=object), left_on)
    spells = pd.DataFrame(
        {
            "person": latest["employee_key"].to_numpy(),
            "hired_on": days_of(latest["hired_on"]).astype("datetime64[s]"),
            "left_on": left_on.astype("datetime64[s]"),
            "leave": leave,
            "is_unknown": ~np.isnat(left_on) & ~latest["leave_type"].isin(["voluntary", "involuntary", "other"]),
        }
    )
    sound, n_overlapping = _without_overlaps(spells)
    joined, n_renewed = _joined(sound)
    notes = {
        OVERLAP: n_overlapping,
        RENEWED: n_renewed,
        UNKNOWN_LEAVE: int(joined["is_unknown"].sum()),
        STILL_AHEAD: int(ahead.sum()),
    }
    return Spells(joined.drop(columns="is_unknown"), {reason: n for reason, n in notes.items() if n})


def find_enrolment(pairings: pd.DataFrame) -> pd.DataFrame:
    """The first day of each person on each side of a pairing: `person`, `side`, `started_on`, one row a person and
    side. `pairings`: `mentor`, `mentee` under the pseudonyms of the employment file, and `started_on`."""
    require(pairings, (*SIDES, "started_on"), "pairings")
    sides = [
        pd.DataFrame({"person": pairings[side], "side": side, "started_on": pd.to_datetime(pairings["started_on"])})
        for side in SIDES
    ]
    first = pd.concat(sides).groupby(["person", "side"], as_index=False)["started_on"].min()
    return first.astype({"person": "str", "side": "str", "started_on": "datetime64[s]"})


def require(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    """Stop where a table has not the columns that its reader needs."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise RapportError(f"The table of {name} has no column {missing[0]}; expected {', '.join(columns)}.")


def days_of(moments: pd.Series) -> np.ndarray:
    """Whole days, as an array that may be written to."""
    days: np.ndarray = pd.to_datetime(moments).to_numpy().astype("datetime64[D]").copy()
    return days


def month_at_or_after(days: np.ndarray) -> np.ndarray:
    """The first calendar month whose first day is not before each day, in months since 1970."""
    months = days.astype("datetime64[M]")
    return months.astype(np.int64) + (months.astype("datetime64[D]") < days)


def month_holding(days: np.ndarray) -> np.ndarray:
    """The calendar month in which each day lies, in months since 1970."""
    return days.astype("datetime64[M]").astype(np.int64)


def _leave(kinds: np.ndarray, left_on: np.ndarray) -> np.ndarray:
    leave = np.where(kinds == "voluntary", VOLUNTARY, OTHER)
    return np.where(np.isnat(left_on), STAYS, leave).astype(np.int8)


def _follows(spells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Whether each row is a later spell of the same person as the row before, and by how many days it follows."""
    is_later = (spells["person"] == spells["person"].shift()).to_numpy()
    gap = (spells["hired_on"] - spells["left_on"].shift()).dt.days
    return is_later, gap.to_numpy(dtype=float, na_value=np.nan)  # NaN: the spell before has no end


def _without_overlaps(spells: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    is_later, gap = _follows(spells)
    clashing = spells.loc[is_later & ~(gap > 0), "person"].unique()
    return spells[~spells["person"].isin(clashing)].reset_index(drop=True), len(clashing)


def _joined(spells: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    is_later, gap = _follows(spells)
    continues = is_later & (gap == 1)
    begins = spells[~continues].reset_index(drop=True)
    ends = spells[~np.append(continues[1:], False)].reset_index(drop=True) if len(spells) else spells
    return begins.assign(**{name: ends[name] for name in ("left_on", "leave", "is_unknown")}), int(continues.sum())
