"""Makes up a company: its people, who leaves when, who is mentored by whom."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from data.demo import truth

DEPARTMENTS = ("Engineering", "Sales", "Operations", "Finance", "People", "Research")
DEPARTMENT_SHARES = (0.30, 0.20, 0.20, 0.10, 0.08, 0.12)
LOCATIONS = ("Lisbon", "Leipzig", "Lyon")
LOCATION_SHARES = (0.40, 0.35, 0.25)
GRADES = ("G1", "G2", "G3", "G4", "G5")
GRADE_SHARES = (0.25, 0.30, 0.25, 0.13, 0.07)
ZONES = {"Lisbon": "Europe/Lisbon", "Leipzig": "Europe/Berlin", "Lyon": "Europe/Paris"}
FIRST_NAMES = """
Alva Bruno Carla Dario Elif Femke Goran Hana Ivo Jana Kofi Lena Milan Nora Olek Pia Quinn Rafa Sana Tomas
Uma Viktor Wanda Xenia Yara Zeno Amal Bela Ciara Dunja Emil Frida Gita Hugo Ines Joris Kaja Luca Mira Nils
"""
LAST_NAMES = """
Abend Birke Castell Dahlen Eichhof Fontane Garbe Holm Iversen Jarosz Kessel Lindau Morava Nordby Okster
Palma Quist Rosend Salger Tamber Ulmen Varga Westen Xaver Yldun Zander Almeida Brandal Corvin Delmar
"""
MONTHS = 30  # of history before today
COHORT_SHARES = {"first": 0.6, "second": 0.4}
SALARIES = {"G1": 38_000, "G2": 46_000, "G3": 57_000, "G4": 74_000, "G5": 96_000}  # made up, EUR a year
# What the made-up organisation decided for its business case, as `rapport programme case` takes it.
SIGNED = {
    "by_grade": SALARIES,
    "unit": "EUR per year",
    "date": "2026-01-15",
    "source": "Made-up payroll of the demo",
    "owner": "Finance (demo)",
    "signed_by": "Finance (demo)",
}
CASE = {
    "offered_to": {"location": list(LOCATIONS), "grade": ["G1", "G2", "G3"]},
    "min_tenure_months": 2,
    "assumptions": {"salary": SIGNED},
}


@dataclass(frozen=True)
class Company:
    """The tables that an organisation would hand in, and what only the generator knows (`ambition`)."""

    people: pd.DataFrame
    pairings: pd.DataFrame
    employment: pd.DataFrame
    engagement: pd.DataFrame
    ambition: pd.Series = field(repr=False)


def make(*, pairings: int, today: date, rounds: int, rng: np.random.Generator, size: int = 2000) -> Company:
    """A company of `size` people with one programme; rounds are six weeks apart and end before today."""
    staff = _staff(size, today, rng)
    programme = _pairings(staff, pairings, today, rounds, rng)
    enrolled_on = programme.groupby("mentee_id")["started_on"].min()
    staff = _leave(staff, enrolled_on, today, rng)
    programme = _end_with_leavers(programme, staff)
    programme = _rematch(programme, staff, today)
    staff = _introduce(staff, programme)
    taking_part = set(programme["mentor_id"]) | set(programme["mentee_id"])
    people = staff[staff["person_id"].isin(taking_part)]
    columns = ["person_id", "name", "email", "language", "time_zone", "department", "location", "grade"]
    return Company(
        people=people[columns].reset_index(drop=True),
        pairings=programme.reset_index(drop=True),
        employment=_employment(staff),
        engagement=_engagement(staff, enrolled_on, today, rng),
        ambition=staff.set_index("person_id")["ambition"],
    )


def _introduce(staff: pd.DataFrame, programme: pd.DataFrame) -> pd.DataFrame:
    """The first running pairing is Ada and Ben, so that a guide can name them."""
    pair = programme[programme["ended_on"].isna()].iloc[0]
    named = {pair["mentor_id"]: "Ada Okafor", pair["mentee_id"]: "Ben Lindqvist"}
    return staff.assign(name=staff["person_id"].map(named).fillna(staff["name"]))


def round_days(today: date, rounds: int) -> list[tuple[date, date]]:
    """Opening and closing day of each closed round and of the open one, oldest first."""
    opens = [today - timedelta(days=2 + 42 * (rounds - number)) for number in range(rounds + 1)]
    return [(day, day + timedelta(days=14)) for day in opens]


def _staff(size: int, today: date, rng: np.random.Generator) -> pd.DataFrame:
    start = today - timedelta(days=30 * MONTHS)
    hired = [start - timedelta(days=int(days)) for days in rng.integers(30, 3650, size)]
    joins_later = rng.random(size) < 0.25
    later = [start + timedelta(days=int(days)) for days in rng.integers(0, 30 * (MONTHS - 8), size)]
    location = rng.choice(LOCATIONS, size, p=LOCATION_SHARES)
    names = [_name(number, rng) for number in range(size)]
    return pd.DataFrame(
        {
            "person_id": [f"E{number:05d}" for number in range(1, size + 1)],
            "name": names,
            "email": [f"{_slug(name)}.{n}@demo.example" for n, name in enumerate(names, 1)],
            "language": np.where((location == "Leipzig") & (rng.random(size) < truth.GERMAN_SHARE / 0.35), "de", "en"),
            "time_zone": [ZONES[place] for place in location],
            "department": rng.choice(DEPARTMENTS, size, p=DEPARTMENT_SHARES),
            "location": location,
            "grade": rng.choice(GRADES, size, p=GRADE_SHARES),
            "hired_on": [
                after if late else before for after, before, late in zip(later, hired, joins_later, strict=True)
            ],
            "ambition": rng.standard_normal(size),
        }
    )


def _name(number: int, rng: np.random.Generator) -> str:
    firsts, lasts = FIRST_NAMES.split(), LAST_NAMES.split()
    last = lasts[(number * 7 + int(rng.integers(len(lasts)))) % len(lasts)]
    return f"{firsts[int(rng.integers(len(firsts)))]} {last}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z]+", ".", name.lower())


def _pairings(staff: pd.DataFrame, n_pairings: int, today: date, rounds: int, rng: np.random.Generator) -> pd.DataFrame:
    """Two cohorts: the first starts before round 1, the second after the middle round."""
    days = round_days(today, rounds)
    starts = {"first": days[0][0] - timedelta(days=14), "second": days[rounds // 2][0] - timedelta(days=14)}
    first = round(n_pairings * COHORT_SHARES["first"])
    sizes = {"first": first, "second": n_pairings - first}
    seniors = staff[staff["grade"].isin(["G4", "G5"]) & (staff["hired_on"] < starts["first"] - timedelta(days=365))]
    juniors = staff[staff["grade"].isin(["G1", "G2", "G3"])]
    taken: set[str] = set()
    rows = []
    for cohort, start in starts.items():
        free = juniors[(juniors["hired_on"] < start - timedelta(days=60)) & ~juniors["person_id"].isin(taken)]
        mentees = _enrol(free, sizes[cohort], rng)
        taken |= set(mentees)
        mentors = _mentors(seniors, sizes[cohort], rng)
        for mentor, mentee in zip(mentors, mentees, strict=True):
            day = start + timedelta(days=int(rng.integers(0, 10)))
            rows.append({"cohort": cohort, "mentor_id": mentor, "mentee_id": mentee, "started_on": day})
    pairings = pd.DataFrame(rows)
    pairings.insert(0, "pairing_id", [f"P{number:04d}" for number in range(1, len(rows) + 1)])
    pairings["programme"] = "mentoring"
    pairings["planned_end_on"] = [day + timedelta(days=365) for day in pairings["started_on"]]
    return pairings.assign(ended_on=None, end_reason=None).astype({"ended_on": object, "end_reason": object})


def _enrol(free: pd.DataFrame, n: int, rng: np.random.Generator) -> list[str]:
    """Volunteers: the ambitious come first, which is what misleads a naive comparison."""
    weight = np.exp(truth.AMBITION_ENROLS * free["ambition"].to_numpy())
    chosen = rng.choice(free["person_id"].to_numpy(), n, replace=False, p=weight / weight.sum())
    return [str(person) for person in chosen]


def _mentors(seniors: pd.DataFrame, n: int, rng: np.random.Generator) -> list[str]:
    """About every sixth mentor has two or three mentees."""
    order = [str(person) for person in rng.permutation(seniors["person_id"].to_numpy())]
    mentors: list[str] = []
    for position, mentor in enumerate(order):
        mentors += [mentor] * (3 if position % 18 == 0 else 2 if position % 6 == 0 else 1)
    if len(mentors) < n:  # a small company: everybody takes one more
        mentors = (mentors * (n // len(mentors) + 1))[:n]
    return mentors[:n]


def _leave(staff: pd.DataFrame, enrolled_on: pd.Series, today: date, rng: np.random.Generator) -> pd.DataFrame:
    """Month by month, who leaves: ambition and mentoring both keep people, by the ratios in truth.py."""
    enrolled = staff["person_id"].map(enrolled_on)
    hazard = truth.MONTHLY_EXIT * truth.AMBITION_EXIT_RATIO ** staff["ambition"].to_numpy()
    left = np.full(len(staff), None, dtype=object)
    kind = np.full(len(staff), None, dtype=object)
    for month in range(MONTHS, 0, -1):
        begins = today - timedelta(days=30 * month)
        is_mentored = np.array([isinstance(day, date) and day <= begins for day in enrolled])
        will_enrol = np.array([isinstance(day, date) and day > begins for day in enrolled])
        is_here = (left == None) & np.array([day <= begins for day in staff["hired_on"]])  # noqa: E711
        may_go = is_here & ~will_enrol  # who enrols later is, by that, still there
        by_choice = rng.random(len(staff)) < hazard * np.where(is_mentored, truth.MENTORING_EXIT_RATIO, 1.0)
        otherwise = rng.random(len(staff)) < truth.MONTHLY_OTHER_EXIT
        goes = may_go & (by_choice | otherwise)
        days = rng.integers(1, 28, len(staff))
        left[goes] = [begins + timedelta(days=int(day)) for day in days[goes]]
        kind[goes] = np.where(
            by_choice[goes], "voluntary", np.where(rng.random(goes.sum()) < 0.6, "involuntary", "other")
        )
    return staff.assign(left_on=left, leave_type=kind)


def _end_with_leavers(pairings: pd.DataFrame, staff: pd.DataFrame) -> pd.DataFrame:
    """A pairing ends when one of the two leaves the company."""
    left_on: dict[str, date | None] = dict(zip(staff["person_id"], staff["left_on"], strict=True))
    ended = pairings.copy()
    for row in pairings.itertuples():
        days = [left_on[str(person)] for person in (row.mentor_id, row.mentee_id)]
        after = [day for day in days if day is not None and day >= row.started_on]
        if after:
            ended.loc[row.Index, ["ended_on", "end_reason"]] = [min(after), "left the company"]
    return ended


def _rematch(pairings: pd.DataFrame, staff: pd.DataFrame, today: date) -> pd.DataFrame:
    """One mentee whose match did not fit gets another mentor four months in."""
    running = pairings[pairings["ended_on"].isna() & (pairings["cohort"] == "first")]
    if len(running) < 3:
        return pairings
    old = running.iloc[2]
    left = set(staff.loc[staff["left_on"].notna(), "person_id"])
    others = [mentor for mentor in running["mentor_id"] if mentor != old["mentor_id"] and mentor not in left]
    day = min(old["started_on"] + timedelta(days=120), today - timedelta(days=20))
    ended = pairings.copy()
    ended.loc[old.name, ["ended_on", "end_reason"]] = [day, "re-matched"]
    new = {**old.to_dict(), "pairing_id": f"P{len(pairings) + 1:04d}", "mentor_id": others[0]}
    new |= {"started_on": day + timedelta(days=7), "ended_on": None, "end_reason": None}
    return pd.concat([ended, pd.DataFrame([new]).astype({"ended_on": object, "end_reason": object})])


def _employment(staff: pd.DataFrame) -> pd.DataFrame:
    columns = ["person_id", "hired_on", "left_on", "leave_type", "department", "location", "grade"]
    return staff[columns].assign(valid_from=staff["hired_on"]).reset_index(drop=True)


def _engagement(staff: pd.DataFrame, enrolled_on: pd.Series, today: date, rng: np.random.Generator) -> pd.DataFrame:
    """Three yearly-ish surveys of everyone employed; whole points of a five-point scale."""
    parts = []
    for back in (720, 360, 30):
        day = today - timedelta(days=back)
        here = staff[
            [
                start <= day and (end is None or end > day)
                for start, end in zip(staff["hired_on"], staff["left_on"], strict=True)
            ]
        ]
        here = here[rng.random(len(here)) < 0.82]
        enrolled = here["person_id"].map(enrolled_on)
        is_mentored = np.array([isinstance(start, date) and start <= day for start in enrolled])
        score = (
            truth.ENGAGEMENT_MEAN
            + truth.AMBITION_ENGAGEMENT * here["ambition"].to_numpy()
            + truth.MENTORING_ENGAGEMENT * is_mentored
            + truth.ENGAGEMENT_SD * rng.standard_normal(len(here))
        )
        said = np.clip(np.round(score * 2) / 2, 1, 5)
        parts.append(pd.DataFrame({"person_id": here["person_id"], "measured_on": day, "score": said, "scale_max": 5}))
    return pd.concat(parts, ignore_index=True)
