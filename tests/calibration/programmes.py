"""Makes up programmes whose truth is known, in the shape that the pipeline reads.

Points are drawn on the 0–100 scale without rounding to five points, so that the truth of a mean is the
mean that was put in. People who share a mentor are alike; forms rotate; some people are silent. Satisfaction
follows from what the two people of a pairing tell of trust.

Every round is a pulse, so that the mix of items stays. Where a programme opens with another mix (a kickoff
asks two items of trust), later scores are told at that mix and the error of the items' effects enters them,
which no interval of a mean knows of: 93 instead of 95 % at 300 pairings (`opening` makes such programmes).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveys.forms import asked, assign_forms, forms
from surveys.questionnaire import SIDES, ours

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

CENTRE = 50.0
MENTOR_SD, PAIRING_SD, PERSON_SD, OCCASION_SD, ANSWER_SD = 4.0, 5.0, 5.0, 4.0, 8.0
ITEM_SD = 6.0
SILENT = 0.25
GROUPS = tuple("ABCDEFGH")
CONSTRUCT, OUTCOME = "trust", "satisfaction"
PULSE = "pulse"
SIGN = {"mentor": 0.5, "mentee": -0.5}

GOALS = (1, 2, 3)  # goals of a pairing, equally likely
GOAL_MEAN = {"mentor": 0.3, "mentee": 0.1}  # before it is cut into levels −2 … +2
GOAL_MENTOR_SD, GOAL_PAIRING_SD, GOAL_SD, RATING_SD = 0.3, 0.5, 0.6, 0.6
FALLEN = 10  # every tenth mentee, where any fall
CUTS = (-1.5, -0.5, 0.5, 1.5)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`gap` mentor minus mentee, `trend` points a round, `group_sd` how much departments differ.

    `actor` and `partner`: points of satisfaction a point of one's own, and of the other's, trust as told.
    `fall`: points of trust that one mentee in ten loses in the last round.
    """

    n_pairings: int
    n_rounds: int
    gap: float = 4.0
    trend: float = 1.0
    group_sd: float = 4.0
    actor: float = 0.4
    partner: float = 0.2
    fall: float = 0.0
    opening: str = PULSE


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What was put in for the last round, told at the first round's items.

    `level` of a side with departments as drawn; `group` each side's departments apart; `n_items` how many
    items of the construct each form of a side asked, over all rounds.
    """

    level: dict[str, float]
    group: dict[str, Floats]
    n_items: dict[str, Codes]

    def mean(self, side: str) -> float:
        """What programmes like this have: everybody is drawn into a department."""
        return self.level[side] + float(self.group[side].mean())

    @property
    def gap(self) -> float:
        return self.mean("mentor") - self.mean("mentee")


@dataclass(frozen=True, kw_only=True)
class Made:
    """Contracts Rated and Invited of all rounds, GoalRatings of the last, with the truth."""

    plan: Plan
    rated: pd.DataFrame
    invited: pd.DataFrame
    goal_ratings: pd.DataFrame
    easy: pd.Series
    truth: Truth


class _Pairings(NamedTuple):
    """One entry a pairing: its mentor's number, and by side who it is and in which department."""

    mentor: Codes
    unit: dict[str, Codes]
    department: dict[str, Codes]


class _Told(NamedTuple):
    """One side's round: `said` pairings × items with NaN where not asked, `told` its mean without the items'."""

    said: Floats
    told: Floats
    n_items: Codes
    items: tuple[str, ...]


def make(plan: Plan, rng: np.random.Generator) -> Made:
    """One programme; everybody's department is drawn, and stays."""
    pairings = _pairings(plan.n_pairings, rng)
    easy = {each.id: ITEM_SD * rng.standard_normal() for each in ours().questions.values()}
    group = {side: plan.group_sd * rng.standard_normal(len(GROUPS)) for side in SIDES}
    usual = _usual(plan, pairings, group, rng)
    content = _content(pairings, rng)
    rated, invited, level, n_items = [], [], {}, {side: [] for side in SIDES}
    for number in range(1, plan.n_rounds + 1):
        pulse = plan.opening if number == 1 else PULSE
        trusts = {side: _trust(plan, side, number, pulse, usual[side], easy, rng) for side in SIDES}
        for side, other in (("mentor", "mentee"), ("mentee", "mentor")):
            answers = rng.random(plan.n_pairings) > SILENT
            pleased = _pleased(plan, side, number, pulse, (trusts[side].told, trusts[other].told), content, easy, rng)
            for construct, told in ((CONSTRUCT, trusts[side]), (OUTCOME, pleased)):
                rated.append(_rated(construct, side, number, pulse, told, answers, pairings))
            invited.append(_invited(side, number, pulse, answers, pairings))
            n_items[side].append(trusts[side].n_items)
            if number == 1:
                level[side] = _level(trusts[side], answers, easy)
    last = {each["side"].iloc[0]: each["has_answered"].to_numpy() for each in invited[-2:]}
    shown = {side: CENTRE + SIGN[side] * plan.gap + plan.trend * (plan.n_rounds - 1) + level[side] for side in SIDES}
    return Made(
        plan=plan,
        rated=pd.concat(rated, ignore_index=True),
        invited=pd.concat(invited, ignore_index=True),
        goal_ratings=_goal_ratings(plan, pairings, last, rng),
        easy=pd.Series(easy),
        truth=Truth(level=shown, group=group, n_items={side: np.concatenate(of) for side, of in n_items.items()}),
    )


def _pairings(n: int, rng: np.random.Generator) -> _Pairings:
    """A mentor has one to three mentees, and one department, whoever the mentee is."""
    mentor = np.repeat(np.arange(n), rng.integers(1, 4, n))[:n]
    department = {side: rng.integers(0, len(GROUPS), n) for side in SIDES}
    department["mentor"] = department["mentor"][mentor]
    return _Pairings(mentor, {"mentor": mentor, "mentee": np.arange(n)}, department)


def _usual(plan: Plan, pairings: _Pairings, group: dict[str, Floats], rng: np.random.Generator) -> dict[str, Floats]:
    """Everybody's trust but for the round: the two of a pairing share a part, so do pairings of one mentor."""
    n = plan.n_pairings
    shared = MENTOR_SD * rng.standard_normal(n)[pairings.mentor] + PAIRING_SD * rng.standard_normal(n)
    return {
        side: CENTRE
        + SIGN[side] * plan.gap
        + group[side][pairings.department[side]]
        + PERSON_SD * rng.standard_normal(n)[pairings.unit[side]]
        + shared
        for side in SIDES
    }


def _content(pairings: _Pairings, rng: np.random.Generator) -> dict[str, Floats]:
    """What satisfaction has of its own, which pairings and mentors share as well."""
    n = len(pairings.mentor)
    shared = MENTOR_SD * rng.standard_normal(n)[pairings.mentor] + PAIRING_SD * rng.standard_normal(n)
    return {side: shared + PERSON_SD * rng.standard_normal(n)[pairings.unit[side]] for side in SIDES}


def _trust(
    plan: Plan, side: str, number: int, pulse: str, usual: Floats, easy: dict[str, float], rng: np.random.Generator
) -> _Told:
    now = usual + plan.trend * (number - 1) + OCCASION_SD * rng.standard_normal(plan.n_pairings)
    if side == "mentee" and number == plan.n_rounds:
        now[::FALLEN] -= plan.fall
    return _answered(CONSTRUCT, side, number, pulse, now, easy, rng)


def _pleased(
    plan: Plan,
    side: str,
    number: int,
    pulse: str,
    trusts: tuple[Floats, Floats],
    content: dict[str, Floats],
    easy: dict[str, float],
    rng: np.random.Generator,
) -> _Told:
    own, other = (told - CENTRE for told in trusts)
    now = CENTRE + plan.actor * own + plan.partner * other + content[side]
    return _answered(OUTCOME, side, number, pulse, now, easy, rng)


def _answered(
    construct: str,
    side: str,
    number: int,
    pulse: str,
    now: Floats,
    easy: dict[str, float],
    rng: np.random.Generator,
) -> _Told:
    """What everybody would say, each on the form that the round dealt them."""
    ids = _ids(len(now))
    dealt = assign_forms(ours(), pulse, side, ids, number, Random(int(rng.integers(2**31))))
    items, asks = _asks(construct, side, pulse)
    mask = asks[[dealt[id_] for id_ in ids]]
    noise = ANSWER_SD * rng.standard_normal(mask.shape)
    n_items = mask.sum(axis=1)
    told = now + np.where(mask, noise, 0.0).sum(axis=1) / n_items
    said = np.clip(now[:, None] + np.array([easy[item] for item in items]) + noise, 0, 100)
    return _Told(np.where(mask, said, np.nan), told, n_items, items)


@cache
def _asks(construct: str, side: str, pulse: str) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """The items of a construct, and which of them each form asks; every form asks at least one."""
    items = tuple(each.id for each in ours().of_construct(construct, side))
    of_form = [
        {each.id for each in asked(ours(), pulse, side, form)} for form in range(len(forms(ours(), pulse, side)))
    ]
    return items, np.array([[item in form for item in items] for form in of_form])


@cache
def _ids(n_pairings: int) -> list[str]:
    return [f"P{place:05d}" for place in range(n_pairings)]


def _named(prefix: str, codes: Iterable[int]) -> list[str]:
    return [f"{prefix}{code}" for code in codes]


def _level(first: _Told, answers: NDArray[np.bool_], easy: dict[str, float]) -> float:
    """How easy the mix of items was that the side's first round asked: the level at which scores are told."""
    effect = np.array([easy[item] for item in first.items])
    asks = np.isfinite(first.said[answers])
    return float((asks @ effect / asks.sum(axis=1)).mean()) if len(asks) else 0.0


def _rated(
    construct: str,
    side: str,
    number: int,
    pulse: str,
    told: _Told,
    answers: NDArray[np.bool_],
    pairings: _Pairings,
) -> pd.DataFrame:
    place, item = np.nonzero(np.isfinite(told.said) & answers[:, None])
    return pd.DataFrame(
        {
            "round_id": f"R{number}",
            "round_number": number,
            "pulse": pulse,
            "pairing_id": np.array(_ids(len(answers)), dtype=object)[place],
            "side": side,
            "person_id": _named(side, pairings.unit[side][place]),
            "mentor_id": _named("mentor", pairings.mentor[place]),
            "question_id": np.array(told.items, dtype=object)[item],
            "construct": construct,
            "points": told.said[place, item],
        }
    )


def _invited(side: str, number: int, pulse: str, answers: NDArray[np.bool_], pairings: _Pairings) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "programme_id": "p",
            "round_id": f"R{number}",
            "round_number": number,
            "pulse": pulse,
            "pairing_id": _ids(len(answers)),
            "side": side,
            "person_id": _named(side, pairings.unit[side]),
            "mentor_id": _named("mentor", pairings.mentor),
            "has_answered": answers,
            "cohort": "",
            "department": [GROUPS[code] for code in pairings.department[side]],
            "location": "",
            "grade": "",
        }
    )


def _goal_ratings(
    plan: Plan, pairings: _Pairings, answers: dict[str, NDArray[np.bool_]], rng: np.random.Generator
) -> pd.DataFrame:
    """Both sides' levels of every goal in the last round, of those who answer."""
    n = plan.n_pairings
    place = np.repeat(np.arange(n), rng.choice(GOALS, n))
    shared = GOAL_MENTOR_SD * rng.standard_normal(n)[pairings.mentor] + GOAL_PAIRING_SD * rng.standard_normal(n)
    goal = shared[place] + GOAL_SD * rng.standard_normal(len(place))
    rows = []
    for side in SIDES:
        rating = GOAL_MEAN[side] + goal + RATING_SD * rng.standard_normal(len(place))
        kept = answers[side][place]
        of = place[kept]
        columns = {
            "round_id": f"R{plan.n_rounds}",
            "round_number": plan.n_rounds,
            "pairing_id": np.array(_ids(n), dtype=object)[of],
            "side": side,
            "person_id": _named(side, pairings.unit[side][of]),
            "mentor_id": _named("mentor", pairings.mentor[of]),
            "goal_id": _named("G", np.flatnonzero(kept)),
            "level": np.searchsorted(CUTS, rating)[kept] - 2,
        }
        rows.append(pd.DataFrame(columns))
    return pd.concat(rows, ignore_index=True)
