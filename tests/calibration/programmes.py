"""Makes up programmes whose truth is known, in the shape that the pipeline reads.

Points are drawn on the 0–100 scale without rounding to five points, so that the truth of a mean is the
mean that was put in. People who share a mentor are alike; forms rotate; some people are silent.
"""

from dataclasses import dataclass
from random import Random

import numpy as np
import pandas as pd

from surveys.forms import asked, assign_forms
from surveys.questionnaire import SIDES, ours

CENTRE = 60.0
MENTOR_SD, PAIRING_SD, PERSON_SD, OCCASION_SD, ANSWER_SD = 4.0, 5.0, 5.0, 4.0, 8.0
ITEM_SD = 6.0
SILENT = 0.25
GROUPS = tuple("ABCDEFGH")
CONSTRUCT = "trust"
PULSE = "pulse"


@dataclass(frozen=True)
class Truth:
    """What was put in for the last round, at the first round's items: each group's mean, and each pairing's gap."""

    gap: dict[str, float]
    group: dict[tuple[str, str], float]


@dataclass(frozen=True)
class Made:
    """Contracts Rated (all rounds) and Invited (the last round), with the truth."""

    rated: pd.DataFrame
    invited: pd.DataFrame
    truth: Truth


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`gap` mentor minus mentee, `trend` points a round, `group_sd` how much departments differ."""

    n_pairings: int
    n_rounds: int
    gap: float = 4.0
    trend: float = 1.0
    group_sd: float = 4.0


def make(plan: Plan, rng: np.random.Generator) -> Made:
    """One programme; everybody's department is drawn, and stays."""
    n = plan.n_pairings
    mentor = np.repeat(np.arange(n), rng.integers(1, 4, n))[:n]
    department = {side: rng.integers(0, len(GROUPS), n) for side in SIDES}
    department["mentor"] = department["mentor"][mentor]  # a mentor has one, whoever the mentee is
    group = {side: plan.group_sd * rng.standard_normal(len(GROUPS)) for side in SIDES}
    shared = MENTOR_SD * rng.standard_normal(n)[mentor] + PAIRING_SD * rng.standard_normal(n)
    easy = {question: ITEM_SD * rng.standard_normal() for question in ours().questions}
    rows, invited = [], []
    truth = Truth(dict.fromkeys(_ids(n), 0.0), {})
    for side, sign in (("mentor", 0.5), ("mentee", -0.5)):
        unit = mentor if side == "mentor" else np.arange(n)
        own = PERSON_SD * rng.standard_normal(n)[unit] + shared
        base = CENTRE + sign * plan.gap + group[side][department[side]] + own
        for number in range(1, plan.n_rounds + 1):
            now = base + plan.trend * (number - 1) + OCCASION_SD * rng.standard_normal(n)
            answers = rng.random(n) > SILENT
            rows.append(_answers(side, number, now, answers, easy, mentor, unit, rng))
        invited.append(_invited(side, plan.n_rounds, answers, department[side], mentor, unit))
        level = CENTRE + sign * plan.gap + plan.trend * (plan.n_rounds - 1) + _level(rows[-plan.n_rounds], easy)
        for pairing, effect in zip(_ids(n), group[side][department[side]], strict=True):
            truth.gap[pairing] += (level + effect) * (1 if side == "mentor" else -1)
        truth.group.update({(side, name): level + effect for name, effect in zip(GROUPS, group[side], strict=True)})
    return Made(pd.concat(rows, ignore_index=True), pd.concat(invited, ignore_index=True), truth)


def _answers(
    side: str,
    number: int,
    now: np.ndarray,
    answers: np.ndarray,
    easy: dict[str, float],
    mentor: np.ndarray,
    unit: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """One round's answers of one side, each person on the form that the round dealt them."""
    ids = _ids(len(now))
    seed = Random(int(rng.integers(2**31)))
    form = assign_forms(ours(), PULSE, side, ids, number, seed)
    items = {code: _items(side, code) for code in set(form.values())}
    entries = [
        (ids[place], place, question) for place in np.flatnonzero(answers) for question in items[form[ids[place]]]
    ]
    place = np.array([entry[1] for entry in entries])
    points = now[place] + np.array([easy[entry[2]] for entry in entries]) + ANSWER_SD * rng.standard_normal(len(place))
    return pd.DataFrame(
        {
            "round_id": f"R{number}",
            "round_number": number,
            "pulse": PULSE,
            "pairing_id": [entry[0] for entry in entries],
            "side": side,
            "person_id": [f"{side}{who}" for who in unit[place]],
            "mentor_id": [f"mentor{who}" for who in mentor[place]],
            "question_id": [entry[2] for entry in entries],
            "construct": CONSTRUCT,
            "points": np.clip(points, 0, 100),
        }
    )


def _ids(n_pairings: int) -> list[str]:
    return [f"P{place:05d}" for place in range(n_pairings)]


def _items(side: str, form: int) -> list[str]:
    return [question.id for question in asked(ours(), PULSE, side, form) if question.construct == CONSTRUCT]


def _level(first: pd.DataFrame, easy: dict[str, float]) -> float:
    """How easy the mix of items was that the side's first round asked: the level at which scores are told."""
    return float(first["question_id"].map(easy).groupby(first["pairing_id"]).mean().mean())


def _invited(
    side: str, number: int, answers: np.ndarray, department: np.ndarray, mentor: np.ndarray, unit: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "programme_id": "p",
            "round_id": f"R{number}",
            "round_number": number,
            "pulse": PULSE,
            "pairing_id": _ids(len(unit)),
            "side": side,
            "person_id": [f"{side}{who}" for who in unit],
            "mentor_id": [f"mentor{who}" for who in mentor],
            "has_answered": answers,
            "cohort": "",
            "department": [GROUPS[code] for code in department],
            "location": "",
            "grade": "",
        }
    )
