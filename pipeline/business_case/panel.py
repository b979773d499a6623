"""Lays employment and enrolment out by person and calendar month, for everyone eligible and not only participants.

Everything in a row is as of the first day of its month, but for `exit`, which is what happens until the month ends.
So somebody counts as enrolled from the first month that begins on or after their first day in a pairing. Were the
month of that day itself the first one, its days before the enrolment could only be survived by those who enrol, and
a programme without any effect would seem to keep people (immortal time).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from data.errors import RapportError
from pipeline.business_case.roster import (
    ATTRIBUTES,
    ENROLMENT,
    SIDES,
    Spells,
    days_of,
    find_spells,
    month_at_or_after,
    month_holding,
    require,
)

NEVER = np.iinfo(np.int64).max // 2

NO_WHOLE_MONTH = "The data cover no whole calendar month."
NO_ONE_OUTSIDE = "No employment file holds people outside the programme, so there is nobody to compare with."
NO_ONE_INSIDE = "Nobody of the programme is in the employment file; its person ids may be others than the programme's."
NOT_IN_FILE = "participants who are not in the employment file"
NOT_IN_SERVICE = "participants whose first day in a pairing is not a day of their employment"
NOT_COUNTED = "mentees who were not in service when the first month began that would have counted them as enrolled"
BETWEEN_MONTHS = "spells that no first day of a month lies in"
KNOWN_LATER = (
    "people whose department, location or grade is known only from a later month and taken back to earlier ones"
)


@dataclass(frozen=True)
class Panel:
    """`rows`: one row a person and month, every person in service in some month having every month, by person and
    month. `notes`: what was counted on the way, by reason. `reason`: why nothing can be estimated from it, or "".

    Columns: `person` str; `month` int, 0 the first; `employed` bool, in service on the month's first day; `enrolled`
    bool, a mentee by then (for good, also after leaving); `enrols` bool, the first such month; `eligible` bool,
    employed, long enough, offered it and not enrolled a month ago; `exit` int8, 0 stays, 1 leaves by choice,
    2 leaves otherwise, until the month ends; `tenure_months` int, whole months of this spell (0 out of service);
    `department`, `location`, `grade` category ("" unknown or out of service); `is_mentor` and `mentors` bool, as
    `enrolled` and `enrols` for mentors.
    """

    rows: pd.DataFrame
    first_month: date
    n_months: int
    notes: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


def monthly_panel(
    *,
    employment: pd.DataFrame,
    enrolment: pd.DataFrame,
    begins: date,
    ends: date,
    min_tenure_months: int = 0,
    offered_to: Mapping[str, Collection[str]] | None = None,
) -> Panel:
    """The panel of the whole calendar months from `begins` to `ends`, the last day that the employment file knows.

    `employment` as `find_spells` takes it; `enrolment` as `find_enrolment` gives it; `offered_to` says who may enrol,
    such as {"grade": ["G1", "G2"], "location": ["Bonn"]} (None: everyone). Tenure, grade and the other attributes are
    those of each month, never of today.
    """
    require(enrolment, ENROLMENT, "enrolment")
    first = int(month_at_or_after(np.array([begins], "datetime64[D]"))[0])
    n_months = max(int(month_holding(np.array([ends], "datetime64[D]") + 1)[0]) - first, 0)
    spells = find_spells(employment=employment, ends=ends)
    service = _service(spells.rows, first, n_months)
    enrolled = {side: _first_months(enrolment, side, service.people) for side in SIDES}
    attributes, n_later = _attributes(employment, service)
    columns = {**_service_columns(service), **_enrolment_columns(enrolled, service), **attributes}
    columns["eligible"] = _eligible(columns, min_tenure_months, offered_to or {})
    counted = {**_not_fitting(enrolment, spells, enrolled["mentee"], service), KNOWN_LATER: n_later}
    notes = {**spells.notes, **{reason: n for reason, n in counted.items() if n}}
    return Panel(
        pd.DataFrame(columns)[list(COLUMNS)], _month(first), n_months, notes, _reason(columns, service, enrolment)
    )


COLUMNS = (
    "person", "month", "employed", "eligible", "enrolled", "enrols", "exit", "tenure_months",
    *ATTRIBUTES, "is_mentor", "mentors",
)  # fmt: skip


@dataclass(frozen=True)
class _Service:
    """Everybody in service in some month of the window, by person; arrays are people × months, months since 1970."""

    people: np.ndarray
    first: int
    months: np.ndarray
    employed: np.ndarray
    tenure: np.ndarray
    exits: np.ndarray
    n_between: int  # spells that hold no first day of a month

    def long(self, by_person: np.ndarray) -> np.ndarray:
        """A value a person, for each of the person's rows."""
        return np.repeat(by_person, len(self.months))


def _service(spells: pd.DataFrame, first: int, n_months: int) -> _Service:
    """Who is in service when, for how long, and who leaves."""
    left_on = days_of(spells["left_on"])
    starts = month_at_or_after(days_of(spells["hired_on"]))
    stops = np.where(np.isnat(left_on), NEVER, month_holding(left_on))
    is_seen = (starts <= stops) & (starts < first + n_months) & (stops >= first)
    people, owner = np.unique(spells["person"].to_numpy(dtype=object)[is_seen], return_inverse=True)
    seen_from = np.maximum(starts[is_seen] - first, 0)
    seen_to = np.minimum(stops[is_seen] - first, n_months - 1)
    lengths = seen_to - seen_from + 1
    since = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    place = np.repeat(owner * n_months + seen_from, lengths) + since
    employed = np.zeros(len(people) * n_months, bool)
    tenure = np.zeros(employed.size, np.int64)
    exits = np.zeros(employed.size, np.int8)
    employed[place] = True
    tenure[place] = since + np.repeat(first + seen_from - starts[is_seen], lengths)
    leaves = stops[is_seen] < first + n_months
    exits[(owner * n_months + seen_to)[leaves]] = spells["leave"].to_numpy()[is_seen][leaves]
    months = first + np.arange(n_months)
    return _Service(people, first, months, employed, tenure, exits, int((stops < starts).sum()))


def _first_months(enrolment: pd.DataFrame, side: str, people: np.ndarray) -> np.ndarray:
    """The first month that counts each person as enrolled on a side, in months since 1970."""
    of_side = enrolment[enrolment["side"] == side]
    started = of_side.groupby("person")["started_on"].min().reindex(people)
    days = days_of(started)
    return np.where(np.isnat(days), NEVER, month_at_or_after(days))


def _service_columns(service: _Service) -> dict[str, object]:
    person = pd.Series(service.long(service.people), dtype="str")
    month = np.tile(service.months - service.first, len(service.people))
    return {
        "person": person,
        "month": month,
        "employed": service.employed,
        "tenure_months": service.tenure,
        "exit": service.exits,
    }


def _enrolment_columns(enrolled: Mapping[str, np.ndarray], service: _Service) -> dict[str, np.ndarray]:
    month = np.tile(service.months, len(service.people))
    mentee, mentor = (service.long(enrolled[side]) for side in ("mentee", "mentor"))
    return {
        "enrolled": month >= mentee,
        "enrols": month == mentee,
        "is_mentor": month >= mentor,
        "mentors": month == mentor,
    }


def _attributes(employment: pd.DataFrame, service: _Service) -> tuple[dict[str, object], int]:
    """What the row with the latest `valid_from` up to a month's first day says; before the first row, what it says."""
    known = employment[employment["employee_key"].isin(service.people)]
    known = known.sort_values(["employee_key", "valid_from"], kind="stable")
    owner = np.searchsorted(service.people, known["employee_key"].to_numpy(dtype=object))
    n_months = len(service.months)
    people = np.arange(len(service.people))
    holds_from = month_at_or_after(days_of(known["valid_from"])) - service.first
    holds_from = np.clip(holds_from, -1, n_months)
    step = n_months + 2  # apart enough that a row is never found from the next person's months
    asked = (people[:, None] * step + np.arange(n_months)).ravel()
    row = np.searchsorted(owner * step + holds_from, asked, side="right") - 1
    first_row = service.long(np.searchsorted(owner, people))
    is_later = (service.employed & (row < first_row)).reshape(len(people), n_months).any(axis=1)
    taken = np.maximum(row, first_row)
    return {name: _categories(known[name], taken, service.employed) for name in ATTRIBUTES}, int(is_later.sum())


def _categories(said: pd.Series, row: np.ndarray, employed: np.ndarray) -> pd.Categorical:
    codes, levels = pd.factorize(pd.concat([pd.Series([""], dtype="str"), said.astype("str")]), sort=True)
    unknown = codes[0]
    taken = np.where(employed, codes[1:][row], unknown) if len(row) else np.zeros(0, np.int64)
    return pd.Categorical.from_codes(taken, categories=pd.Index(levels, dtype="str"))


def _eligible(
    columns: Mapping[str, object], min_tenure_months: int, offered_to: Mapping[str, Collection[str]]
) -> np.ndarray:
    """Whom this month's trial may take: `enrols` is still eligible, because enrolling is what the trial is about."""
    was_enrolled = np.asarray(columns["enrolled"]) & ~np.asarray(columns["enrols"])
    long_enough = np.asarray(columns["tenure_months"]) >= min_tenure_months
    eligible: np.ndarray = np.asarray(columns["employed"]) & ~was_enrolled & long_enough
    for name, values in offered_to.items():
        if name not in ATTRIBUTES:
            raise RapportError(f"A programme cannot be offered by {name}; expected one of {', '.join(ATTRIBUTES)}.")
        eligible &= pd.Series(columns[name]).isin(list(values)).to_numpy()
    return eligible


def _not_fitting(enrolment: pd.DataFrame, spells: Spells, mentee: np.ndarray, service: _Service) -> dict[str, int]:
    first_day = enrolment.groupby("person")["started_on"].min()
    is_known = first_day.index.isin(spells.rows["person"])
    served = spells.rows.merge(first_day.rename("started_on"), left_on="person", right_index=True)
    is_service = (served["hired_on"] <= served["started_on"]) & ~(served["left_on"] < served["started_on"])
    in_service = served.loc[is_service, "person"].nunique()
    month = mentee[:, None] == service.months
    gone = month & ~service.employed.reshape(month.shape)
    return {
        NOT_IN_FILE: int((~is_known).sum()),
        NOT_IN_SERVICE: int(is_known.sum()) - in_service,
        NOT_COUNTED: int(gone.sum()),
        BETWEEN_MONTHS: service.n_between,
    }


def _reason(columns: Mapping[str, object], service: _Service, enrolment: pd.DataFrame) -> str:
    if not len(service.months):
        return NO_WHOLE_MONTH
    inside = np.asarray(columns["enrolled"]) | np.asarray(columns["is_mentor"])
    if not (service.employed & inside).any():
        return NO_ONE_INSIDE
    # Whoever joins after the data end is no outsider: had they left before, they would not be in such a file.
    return NO_ONE_OUTSIDE if np.isin(service.people, enrolment["person"].to_numpy(dtype=object)).all() else ""


def _month(number: int) -> date:
    day: date = np.datetime64(number, "M").astype("datetime64[D]").astype(object)
    return day
