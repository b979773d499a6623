"""Writes the larger company down as the files that an organisation would hand in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from data.demo.organisation import DEPARTMENTS, FIRST_NAMES, GRADES, LAST_NAMES, SIGNED
from data.demo.truth import WorkforceTruth
from data.demo.workforce import (
    LOCATIONS,
    MENTEE_GRADES,
    MIN_TENURE_MONTHS,
    NEVER,
    History,
    simulate,
)

ZONES = {"Leeds": "Europe/London", "Ghent": "Europe/Brussels", "Turin": "Europe/Rome"}
PROGRAMME = "careers"
PAIRING_DAYS = 365
MONTHS_BETWEEN_WAVES = 6
FIRST_WAVE = 2
RESPONSE_RATE = 0.82
MEETINGS_A_MONTH = 1.3


@dataclass(frozen=True)
class Workforce:
    """The tables as `rapport import` takes them, with what only the generator knows.

    `people` holds those in the programme only, `employment` everybody. `meetings`: one row a pairing and month in
    which it ran, `pairing_id`, `month` (its first day), `meetings`. `begins` and `ends`: first and last day of data.
    """

    people: pd.DataFrame
    pairings: pd.DataFrame
    employment: pd.DataFrame
    engagement: pd.DataFrame
    meetings: pd.DataFrame
    begins: date
    ends: date
    history: History = field(repr=False)

    def files(self) -> dict[str, pd.DataFrame]:
        """By kind of file, as `rapport import` takes them."""
        return {
            "people": self.people,
            "pairings": self.pairings,
            "employment": self.employment,
            "engagement": self.engagement,
        }


def case_decided(company: Workforce) -> dict[str, Any]:
    """What the made-up organisation decided for this programme, as `rapport programme case` takes it."""
    return {
        "offered_to": {"location": list(LOCATIONS), "grade": list(MENTEE_GRADES)},
        "min_tenure_months": MIN_TENURE_MONTHS,
        "data_from": company.begins.isoformat(),
        "assumptions": {"salary": SIGNED},
    }


def make_workforce(
    *,
    today: date,
    rng: np.random.Generator,
    people: int = 20_000,
    years: int = 4,
    truth: WorkforceTruth | None = None,
) -> Workforce:
    """A company of `people` people in all, with one programme over the `years` years before this month."""
    history = simulate(people=people, years=years, rng=rng, truth=truth or WorkforceTruth())
    end = np.datetime64(today, "M")
    begin = end - history.n_months
    ids = np.array([f"W{number:06d}" for number in range(1, people + 1)], dtype=object)
    pairings = _pairings(history, ids, begin, today)
    return Workforce(
        people=_people(history, ids, rng),
        pairings=pairings,
        employment=_employment(history, ids, begin),
        engagement=_engagement(history, ids, begin, rng),
        meetings=_meetings(pairings, history, begin, rng),
        begins=_day(begin),
        ends=_day(end) - timedelta(days=1),
        history=history,
    )


def _day(month: np.datetime64) -> date:
    day: date = month.astype("datetime64[D]").astype(object)
    return day


def _days(begin: np.datetime64, months: np.ndarray, day_of_month: np.ndarray) -> np.ndarray:
    """Days as dates, None where the month is NEVER."""
    first = (begin + np.where(months == NEVER, 0, months)).astype("datetime64[D]")
    days: np.ndarray = (first + np.where(months == NEVER, 0, day_of_month - 1)).astype(object)
    days[months == NEVER] = None
    return days


def _people(history: History, ids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    staff = history.staff
    who = np.unique(np.concatenate([history.mentee, history.mentor]))
    firsts, lasts = rng.choice(FIRST_NAMES.split(), len(who)), rng.choice(LAST_NAMES.split(), len(who))
    names = [f"{first} {last}" for first, last in zip(firsts, lasts, strict=True)]
    location = _named(LOCATIONS, staff.location[who])
    return pd.DataFrame(
        {
            "person_id": ids[who],
            "name": names,
            "email": [
                f"{name.lower().replace(' ', '.')}.{id_.lower()}@demo.example"
                for name, id_ in zip(names, ids[who], strict=True)
            ],
            "language": "en",
            "time_zone": [ZONES[place] for place in location],
            "department": _named(DEPARTMENTS, staff.department(who, history.n_months)),
            "location": location,
            "grade": _named(GRADES, staff.grade[who]),
        }
    )


def _named(names: Sequence[str], codes: np.ndarray) -> np.ndarray:
    named: np.ndarray = np.array(names, dtype=object)[codes]
    return named


def _pairings(history: History, ids: np.ndarray, begin: np.datetime64, today: date) -> pd.DataFrame:
    mentee, mentor = history.mentee, history.mentor
    started = _days(begin, history.enrolled_in[mentee], history.enrolled_day[mentee])
    planned = np.array([day + timedelta(days=PAIRING_DAYS) for day in started], dtype=object)
    left = [_days(begin, history.left_in[side], history.left_day[side]) for side in (mentee, mentor)]
    ends = [_end(*days, today) for days in zip(planned, left[0], left[1], strict=True)]
    return pd.DataFrame(
        {
            "pairing_id": [f"C{number:05d}" for number in range(1, len(mentee) + 1)],
            "programme": PROGRAMME,
            "cohort": [f"{day:%Y}-H{(day.month + 5) // 6}" for day in started],
            "mentor_id": ids[mentor],
            "mentee_id": ids[mentee],
            "started_on": started,
            "planned_end_on": planned,
            "ended_on": pd.Series([day for day, _ in ends], dtype=object),
            "end_reason": pd.Series([reason for _, reason in ends], dtype=object),
        }
    )


def _end(
    planned: date, mentee_left: date | None, mentor_left: date | None, today: date
) -> tuple[date | None, str | None]:
    """The last day of a pairing that has ended, and why it ended."""
    left = min((day for day in (mentee_left, mentor_left) if day is not None), default=None)
    if left is not None and left < planned:
        return left, "left the company"
    return (planned, "completed") if planned < today else (None, None)


def _employment(history: History, ids: np.ndarray, begin: np.datetime64) -> pd.DataFrame:
    staff = history.staff
    everyone = np.arange(len(ids))
    hired = _days(begin, staff.hired, 1 - staff.hired_back)
    spell = {
        "person_id": ids,
        "hired_on": hired,
        "left_on": _days(begin, history.left_in, history.left_day),
        "leave_type": _kinds(history),
        "department": _named(DEPARTMENTS, staff.department_before),
        "location": _named(LOCATIONS, staff.location),
        "grade": _named(GRADES, staff.grade),
        "valid_from": hired,
    }  # fmt: skip
    moved = everyone[(staff.moves < history.n_months) & (staff.moves <= history.left_in)]
    after = {name: column[moved] for name, column in spell.items()}
    after["department"] = _named(DEPARTMENTS, staff.department_after[moved])
    after["valid_from"] = _days(begin, staff.moves[moved], np.ones(len(moved), int))
    rows = pd.concat([pd.DataFrame(spell), pd.DataFrame(after)], ignore_index=True)
    return rows.sort_values(["person_id", "valid_from"], ignore_index=True)


def _kinds(history: History) -> np.ndarray:
    kinds = np.where(history.is_voluntary, "voluntary", "involuntary").astype(object)
    kinds[history.left_in == NEVER] = None
    return kinds


def _engagement(history: History, ids: np.ndarray, begin: np.datetime64, rng: np.random.Generator) -> pd.DataFrame:
    """A survey of everybody in service twice a year, in the first two weeks of a month."""
    staff, truth = history.staff, history.truth
    own = truth.engagement_person_sd * rng.standard_normal(len(ids)) + truth.ambition_engagement * staff.ambition
    parts = []
    for wave, month in enumerate(range(FIRST_WAVE, history.n_months, MONTHS_BETWEEN_WAVES)):
        here = (staff.hired <= month) & (history.left_in > month) & (rng.random(len(ids)) < RESPONSE_RATE)
        who = np.flatnonzero(here)
        day = rng.integers(1, 15, len(who))
        started = (history.enrolled_in[who] < month) | (
            (history.enrolled_in[who] == month) & (history.enrolled_day[who] <= day)
        )
        score = truth.engagement_mean + truth.engagement_drift * wave + own[who] + truth.engagement * started
        score += truth.engagement_occasion_sd * rng.standard_normal(len(who))
        measured = _days(begin, np.full(len(who), month), day)
        said = np.clip(np.round(score, 1), 1, 5)
        parts.append(pd.DataFrame({"person_id": ids[who], "measured_on": measured, "score": said, "scale_max": 5}))
    return pd.concat(parts, ignore_index=True)


def _meetings(pairings: pd.DataFrame, history: History, begin: np.datetime64, rng: np.random.Generator) -> pd.DataFrame:
    """How often each pairing met: some meet often and some hardly, drawn once a pairing."""
    first = _months(pairings["started_on"])
    ended = pairings["ended_on"].where(pairings["ended_on"].notna(), _day(begin + history.n_months - 1))
    last = np.minimum(_months(ended), (begin + history.n_months - 1).astype(int))
    lengths = np.maximum(last - first + 1, 0)
    row = np.repeat(np.arange(len(pairings)), lengths)
    month = np.repeat(first, lengths) + np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rate = MEETINGS_A_MONTH * rng.gamma(2.0, 0.5, len(pairings))
    return pd.DataFrame(
        {
            "pairing_id": pairings["pairing_id"].to_numpy()[row],
            "month": month.astype("datetime64[M]").astype("datetime64[D]").astype(object),
            "meetings": rng.poisson(rate[row]),
        }
    )


def _months(days: pd.Series) -> np.ndarray:
    months: np.ndarray = np.array(list(days), dtype="datetime64[M]").astype(int)
    return months
