"""Makes up a large company over several years, month by month: who is hired, enrols, mentors and leaves.

Within a month, leaving and enrolling are drawn independently, each with a day; whoever leaves before the day of
enrolment does not enrol. Mentoring takes effect from the first month that begins after the first day in a pairing,
which is never a month's first, so the panel (`pipeline.business_case.panel`) and this generator speak of the same
months.
"""

from dataclasses import dataclass, field

import numpy as np

from data.demo.organisation import DEPARTMENT_SHARES, DEPARTMENTS, GRADES
from data.demo.truth import WorkforceTruth

LOCATIONS = ("Leeds", "Ghent", "Turin")
LOCATION_SHARES = (0.40, 0.35, 0.25)
GRADE_SHARES = (0.27, 0.30, 0.23, 0.13, 0.07)
MENTEE_GRADES, MENTOR_GRADES = ("G1", "G2", "G3"), ("G4", "G5")
MIN_TENURE_MONTHS = 4  # on the first of the month that counts a mentee as enrolled
MENTOR_TENURE_MONTHS = 12
JOIN_LATER = 0.30  # of all people, hired while the data run
LONGEST_BEFORE = 96  # months of service at the start
MOVERS = 0.10  # change department once while the data run
NEVER = 10_000  # a month after all months


@dataclass(frozen=True)
class Staff:
    """What is fixed about everybody: codes of attributes, and months counted from the first month of data.

    `hired` is the first month on whose first day a person is in service, `hired_back` how many days before that day
    the person was hired; `moves` the month from which on `department_after` holds.
    """

    hired: np.ndarray
    hired_back: np.ndarray
    grade: np.ndarray
    location: np.ndarray
    department_before: np.ndarray
    department_after: np.ndarray
    moves: np.ndarray
    ambition: np.ndarray

    def department(self, who: np.ndarray, month: np.ndarray | int) -> np.ndarray:
        """The department's code on the first day of a month."""
        codes: np.ndarray = np.where(month >= self.moves[who], self.department_after[who], self.department_before[who])
        return codes


@dataclass(frozen=True)
class History:
    """What happened to everybody: months, counted from the first month of data, NEVER where it did not.

    `enrolled_in` and `left_in` are the months of those days; `left_day` and `enrolled_day` days of the month;
    `is_voluntary` the kind of exit. `mentee` and `mentor` are the people of each pairing, by its start.
    """

    staff: Staff
    n_months: int
    left_in: np.ndarray
    left_day: np.ndarray
    is_voluntary: np.ndarray
    enrolled_in: np.ndarray
    enrolled_day: np.ndarray
    mentee: np.ndarray
    mentor: np.ndarray
    truth: WorkforceTruth = field(repr=False)


@dataclass(frozen=True)
class TrueEffect:
    """Chances of leaving by choice within `horizon` months, for the trials that `estimand` weighs, `n` of them.

    `enrolled`: enrolled at the start. `not_then`: not enrolled at the start, perhaps later; the comparison of a
    target trial by intention to treat. `never`: not at all.
    """

    estimand: str
    horizon: int
    n: int
    enrolled: float
    not_then: float
    never: float

    @property
    def difference(self) -> float:
        """By intention to treat; negative where mentoring keeps people."""
        return self.enrolled - self.not_then


def simulate(*, people: int, years: int, rng: np.random.Generator, truth: WorkforceTruth) -> History:
    """The history of `people` people over `years` years of calendar months."""
    n_months = 12 * years
    staff = _staff(people, n_months, rng)
    everyone = np.arange(people)
    left_in, left_day, enrolled_in, enrolled_day = (np.full(people, NEVER) for _ in range(4))
    is_voluntary = np.zeros(people, bool)
    mentors_from = np.full(people, NEVER)
    pairs: list[np.ndarray] = []
    for month in range(n_months):
        here = (staff.hired <= month) & (left_in == NEVER)
        leaves, by_choice = _leaving(staff, everyone, month, enrolled_in, mentors_from, here, rng, truth)
        left_in[leaves], is_voluntary[leaves] = month, by_choice[leaves]
        left_day[leaves] = rng.integers(1, 29, leaves.sum())
        day = rng.integers(2, 29, people)
        chance = enrolment_chance(staff, everyone, month, truth)
        wants = here & (enrolled_in == NEVER) & (rng.random(people) < chance) & (day <= left_day)
        mentees, mentors = _paired(staff, np.flatnonzero(wants), month, here & (left_in == NEVER), rng)
        enrolled_in[mentees], enrolled_day[mentees] = month, day[mentees]
        mentors_from[mentors] = np.minimum(mentors_from[mentors], month)
        pairs.append(np.stack([mentees, mentors]))
    mentee, mentor = np.concatenate(pairs, axis=1)
    return History(
        staff, n_months, left_in, left_day, is_voluntary, enrolled_in, enrolled_day, mentee, mentor, truth
    )  # fmt: skip


def exit_chances(
    staff: Staff, who: np.ndarray, month: np.ndarray | int, truth: WorkforceTruth
) -> tuple[np.ndarray, np.ndarray]:
    """Chances of leaving by choice and otherwise in a month, without mentoring."""
    ratio = (
        truth.exit_ratio_a_year ** ((month - staff.hired[who]) / 12) * truth.ambition_exit_ratio ** staff.ambition[who]
    )
    for names, codes in _codes(staff, who, month):
        ratio *= np.array([truth.exit_ratio_of.get(name, 1.0) for name in names])[codes]
    return truth.exit * ratio, truth.other_exit * np.sqrt(ratio)


def enrolment_chance(staff: Staff, who: np.ndarray, month: np.ndarray | int, truth: WorkforceTruth) -> np.ndarray:
    """The chance of enrolling in a month, of somebody in service who has not: 0 where not eligible."""
    tenure = month - staff.hired[who]
    odds = np.log(truth.enrols / (1 - truth.enrols)) + truth.enrols_a_year * tenure / 12
    odds += truth.ambition_enrols * staff.ambition[who]
    for names, codes in _codes(staff, who, month):
        odds += np.array([truth.enrols_of.get(name, 0.0) for name in names])[codes]
    is_eligible = (tenure >= MIN_TENURE_MONTHS - 1) & (staff.grade[who] < len(MENTEE_GRADES))
    chance: np.ndarray = is_eligible / (1 + np.exp(-odds))
    return chance


def true_effect(history: History, *, horizon: int = 12, estimand: str = "ATT") -> TrueEffect:
    """The effect on voluntary exits, from the hazards and not from luck.

    "ATT": those who enrolled and were in service on the first of the next month. "ATO": everybody eligible on the
    first of any month, weighted by e(1 − e) of their chance of having enrolled in the month before. Both with a
    whole horizon before the data end.
    """
    if estimand not in ("ATT", "ATO"):
        raise ValueError(f"{estimand!r} is not an estimand of this generator; expected ATT or ATO")
    who, month, weight = (_enrolled if estimand == "ATT" else _eligible)(history, horizon)
    risks = _risks(history, who, month, horizon)
    enrolled, not_then, never = (float(np.average(risk, weights=weight)) for risk in risks)
    return TrueEffect(estimand, horizon, len(who), enrolled, not_then, never)


def _staff(people: int, n_months: int, rng: np.random.Generator) -> Staff:
    later = rng.random(people) < JOIN_LATER
    department = rng.choice(len(DEPARTMENTS), people, p=DEPARTMENT_SHARES)
    moves = np.where(rng.random(people) < MOVERS, rng.integers(1, n_months, people), NEVER)
    hired = np.where(later, rng.integers(1, n_months, people), -rng.integers(0, LONGEST_BEFORE, people))
    return Staff(
        hired=hired,
        hired_back=rng.integers(0, 28, people),
        grade=rng.choice(len(GRADES), people, p=GRADE_SHARES),
        location=rng.choice(len(LOCATIONS), people, p=LOCATION_SHARES),
        department_before=department,
        department_after=(department + rng.integers(1, len(DEPARTMENTS), people)) % len(DEPARTMENTS),
        moves=np.where(moves > hired, moves, NEVER),
        ambition=rng.standard_normal(people),
    )


def _codes(staff: Staff, who: np.ndarray, month: np.ndarray | int) -> tuple[tuple[tuple[str, ...], np.ndarray], ...]:
    return (
        (GRADES, staff.grade[who]),
        (LOCATIONS, staff.location[who]),
        (DEPARTMENTS, staff.department(who, month)),
    )


def _leaving(
    staff: Staff,
    everyone: np.ndarray,
    month: int,
    enrolled_in: np.ndarray,
    mentors_from: np.ndarray,
    here: np.ndarray,
    rng: np.random.Generator,
    truth: WorkforceTruth,
) -> tuple[np.ndarray, np.ndarray]:
    """Who leaves this month, and who of them by choice."""
    voluntary, other = exit_chances(staff, everyone, month, truth)
    voluntary = voluntary * np.where(enrolled_in < month, truth.exit_ratio, 1.0)
    voluntary *= np.where(mentors_from < month, truth.mentor_exit_ratio, 1.0)
    luck = rng.random(len(everyone))
    return here & (luck < voluntary + other), luck < voluntary


def _paired(
    staff: Staff, mentees: np.ndarray, month: int, stays: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A mentor for everybody who wants one, while there are enough seniors."""
    seniors = np.flatnonzero(
        stays & (staff.grade >= len(MENTEE_GRADES)) & (month - staff.hired >= MENTOR_TENURE_MONTHS)
    )
    n = min(len(mentees), len(seniors))
    return mentees[:n], rng.choice(seniors, n, replace=False)


def _enrolled(history: History, horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    month = history.enrolled_in + 1
    who = np.flatnonzero((month + horizon <= history.n_months) & (history.left_in >= month))
    return who, month[who], np.ones(len(who))


def _eligible(history: History, horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    staff = history.staff
    months = np.arange(1, history.n_months - horizon + 1)
    stays = np.minimum(history.left_in, history.enrolled_in + 1)[:, None] >= months
    here = (staff.hired[:, None] <= months - MIN_TENURE_MONTHS) & stays
    here &= (staff.grade < len(MENTEE_GRADES))[:, None]
    who, place = np.nonzero(here)
    chance = enrolment_chance(staff, who, months[place] - 1, history.truth)
    return who, months[place], chance * (1 - chance)


def _risks(history: History, who: np.ndarray, month: np.ndarray, horizon: int) -> tuple[np.ndarray, ...]:
    """Chances of a voluntary exit: enrolled at the start, not then, never."""
    staff, truth = history.staff, history.truth
    enrolled, never, waiting = (np.ones(len(who)) for _ in range(3))
    later = np.zeros(len(who))
    risk_enrolled, risk_never, risk_not_then = (np.zeros(len(who)) for _ in range(3))
    for step in range(horizon):
        voluntary, other = exit_chances(staff, who, month + step, truth)
        less = truth.exit_ratio * voluntary
        risk_enrolled += enrolled * less
        risk_never += never * voluntary
        risk_not_then += waiting * voluntary + later * less
        enrolled *= 1 - less - other
        never *= 1 - voluntary - other
        chance = enrolment_chance(staff, who, month + step, truth)
        stays = waiting * (1 - voluntary - other)
        later = later * (1 - less - other) + stays * chance
        waiting = stays * (1 - chance)
    return risk_enrolled, risk_not_then, risk_never
