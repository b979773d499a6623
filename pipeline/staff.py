"""Reads what HR handed in of everyone eligible, and who of them takes part, under the same pseudonyms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from data.store.employment import last_import, pseudonym, read_engagement, read_roster
from data.store.engine import Connection
from data.store.people import Pairing
from pipeline.business_case.assumptions import Assumptions
from pipeline.business_case.plan import Plan
from pipeline.business_case.roster import find_enrolment

SIDES = ("mentor", "mentee")


@dataclass(frozen=True, kw_only=True)
class Staff:
    """Everyone eligible as known on a day. `employment` and `engagement` as the store gives them; `enrolment` as
    `find_enrolment` does; `grades` the grade of each mentee who takes part that day ("" unknown); `n_mentors`."""

    employment: pd.DataFrame
    engagement: pd.DataFrame
    enrolment: pd.DataFrame
    known_on: date
    grades: Mapping[str, int]
    n_mentors: int
    plan: Plan
    assumptions: Assumptions

    @property
    def tables(self) -> tuple[pd.DataFrame, ...]:
        return self.employment, self.engagement, self.enrolment


def read_staff(
    connection: Connection,
    pairings: Iterable[Pairing],
    *,
    key: str,
    closed_on: date,
    as_of: datetime | None,
    plan: Plan,
    assumptions: Assumptions,
) -> Staff | None:
    """None where no employment file was imported by `as_of` (None: by now)."""
    employment = read_roster(connection, as_of)
    if employment.empty:
        return None
    imported = last_import(connection, as_of)
    begun = [each for each in pairings if each.started_on <= closed_on]
    active = [each for each in begun if each.ended_on is None or each.ended_on > closed_on]
    pseudonyms = {id_: pseudonym(key.encode(), id_) for each in begun for id_ in (each.mentor_id, each.mentee_id)}
    mentees = {pseudonyms[each.mentee_id] for each in active}
    return Staff(
        employment=employment,
        engagement=read_engagement(connection, as_of),
        enrolment=find_enrolment(_named(begun, pseudonyms)),
        known_on=min(closed_on, imported.date()) if imported is not None else closed_on,
        grades=_grades(employment, mentees),
        n_mentors=len({each.mentor_id for each in active}),
        plan=plan,
        assumptions=assumptions,
    )


def _named(begun: list[Pairing], pseudonyms: Mapping[str, str]) -> pd.DataFrame:
    rows = [(pseudonyms[each.mentor_id], pseudonyms[each.mentee_id], each.started_on) for each in begun]
    named = pd.DataFrame(rows, columns=[*SIDES, "started_on"])
    return named.assign(started_on=pd.to_datetime(named["started_on"]).astype("datetime64[s]"))


def _grades(employment: pd.DataFrame, people: set[str]) -> dict[str, int]:
    """How many of these people have which grade; those who are in no file have none."""
    latest = employment.sort_values(["employee_key", "hired_on", "valid_from"]).drop_duplicates(
        "employee_key", keep="last"
    )
    known = latest[latest["employee_key"].isin(people)]
    counts = {str(grade): int(n) for grade, n in known["grade"].value_counts().sort_index().items()}
    missing = len(people) - len(known)
    return {**counts, "": counts.get("", 0) + missing} if missing or "" in counts else counts
