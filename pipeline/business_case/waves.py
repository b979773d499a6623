"""Lays engagement scores out by person and survey wave, with the wave from which on each person is a mentee.

A survey stays open for days or weeks, so scores taken close together are one wave. A wave counts somebody as
treated who had started in a pairing by the day of their own answer (by the wave's first day, where they gave none).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from pipeline.business_case.roster import ATTRIBUTES, EMPLOYMENT, ENROLMENT, days_of, require

ENGAGEMENT = ("employee_key", "measured_on", "score", "scale_max")
FULL = 100.0

ONE_WAVE = "Engagement was measured in fewer than two waves, so no change can be seen."
NO_ONE_AFTER = "No mentee has an engagement score from after the first day in a pairing, so no effect can be seen."
ONLY_MENTEES = "Engagement is known of mentees only, so there is nobody to compare with."
NOT_EMPLOYED = "people with an engagement score who are not in the employment file"
TREATED_FIRST = "people who were mentees before the first wave, whose change cannot be seen"


@dataclass(frozen=True)
class Waves:
    """`rows`: one row a person and wave in which the person was asked. `opened_on`: the first day of each wave, from
    wave 1. `notes`: what was counted, by reason. `reason`: why nothing can be estimated from it, or "".

    Columns: `person` str; `wave` int from 1; `score` 0–100, as a share of the scale's end; `first_treated` int, the
    first wave at or after the person's first day as a mentee, 0 for never and one past the last wave where that day
    came after it; at baseline, the person's first wave: `tenure_months` float (NaN unknown), `department`,
    `location`, `grade` category ("" unknown).
    """

    rows: pd.DataFrame
    opened_on: tuple[date, ...]
    notes: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


def engagement_waves(
    *, engagement: pd.DataFrame, enrolment: pd.DataFrame, employment: pd.DataFrame, quiet_days: int = 45
) -> Waves:
    """The engagement panel. `engagement` and `employment` as the store gives them, `enrolment` as `find_enrolment`
    does; a wave ends where no score was taken for more than `quiet_days` days. Two scores of one person in one wave
    are averaged, and so are their days."""
    for table, columns, name in (
        (engagement, ENGAGEMENT, "engagement"),
        (enrolment, ENROLMENT, "enrolment"),
        (employment, EMPLOYMENT, "employment"),
    ):
        require(table, columns, name)
    opened, wave = _waves(days_of(engagement["measured_on"]), quiet_days)
    scored = pd.DataFrame(
        {
            "person": engagement["employee_key"],
            "wave": wave,
            "score": FULL * engagement["score"] / engagement["scale_max"],
            "day": days_of(engagement["measured_on"]).astype(np.int64).astype(float),
        }
    )
    rows = scored.groupby(["person", "wave"], as_index=False).mean()
    rows["first_treated"] = _first_treated(rows, opened, enrolment)
    baseline = rows.drop_duplicates("person")
    known = _baseline(baseline, employment)
    rows = rows.drop(columns="day").merge(known, on="person", how="left").astype({"person": "str"})
    notes = {
        NOT_EMPLOYED: int(known["tenure_months"].isna().sum()),
        TREATED_FIRST: int((baseline["first_treated"] == 1).sum()),
    }
    days = tuple(opened.astype("datetime64[D]").astype(object))
    return Waves(rows, days, {why: n for why, n in notes.items() if n}, _reason(baseline["first_treated"], len(days)))


def _waves(days: np.ndarray, quiet_days: int) -> tuple[np.ndarray, np.ndarray]:
    """The first day of each wave, and the wave, from 1, in which each day lies."""
    asked = np.unique(days.astype(np.int64))
    is_first = np.append(True, np.diff(asked) > quiet_days)[: len(asked)]
    opened = asked[is_first]
    return opened, np.searchsorted(opened, days.astype(np.int64), side="right")


def _first_treated(rows: pd.DataFrame, opened: np.ndarray, enrolment: pd.DataFrame) -> np.ndarray:
    """The first wave by whose day each row's person was a mentee."""
    mentees = enrolment[enrolment["side"] == "mentee"]
    started = mentees.groupby("person")["started_on"].min()
    people, owner = np.unique(rows["person"].to_numpy(dtype=object), return_inverse=True)
    first_day = days_of(started.reindex(people))
    asked_on = np.tile(opened.astype(float), (len(people), 1))
    asked_on[owner, rows["wave"].to_numpy() - 1] = rows["day"].to_numpy()
    is_treated = asked_on >= first_day.astype(np.int64)[:, None]
    first = np.where(is_treated.any(axis=1), is_treated.argmax(axis=1), len(opened)) + 1
    first_treated: np.ndarray = np.where(np.isnat(first_day), 0, first)[owner]
    return first_treated


def _baseline(baseline: pd.DataFrame, employment: pd.DataFrame) -> pd.DataFrame:
    """Tenure and attributes on the day of each person's first wave; of what is known only later, the first."""
    asked = baseline[["person", "day"]].assign(asked_on=pd.to_datetime(baseline["day"], unit="D"))
    held = asked.merge(employment, left_on="person", right_on="employee_key", how="left")
    held = held.assign(is_later=held["valid_from"] > held["asked_on"])
    # Held already: the latest row. Held only later: the earliest. Either way the last one of its person.
    since = (held["asked_on"] - held["valid_from"]).dt.days.abs()
    held = held.assign(since=since).sort_values(["person", "is_later", "since"], ascending=[True, False, False])
    held = held.drop_duplicates("person", keep="last")
    months = held["asked_on"].dt.year * 12 + held["asked_on"].dt.month - 1
    months -= held["hired_on"].dt.year * 12 + held["hired_on"].dt.month - 1
    months -= held["asked_on"].dt.day < held["hired_on"].dt.day
    known = pd.DataFrame({"person": held["person"], "tenure_months": months.astype(float).clip(lower=0)})
    texts = {name: held[name].astype("str").fillna("").astype("category") for name in ATTRIBUTES}
    return known.assign(**texts)


def _reason(first_treated: pd.Series, n_waves: int) -> str:
    if n_waves < 2:
        return ONE_WAVE
    if not first_treated.between(1, n_waves).any():
        return NO_ONE_AFTER
    return "" if (first_treated == 0).any() else ONLY_MENTEES
