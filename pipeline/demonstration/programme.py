"""Makes up a programme whose answers nobody gave, round by round, in the shape that a release is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.contracts import Answers, GoalRatings, Goals, Invited, conform
from data.store.people import Programme
from data.store.rounds import Round
from pipeline.ingest import PAIRING, Inputs
from surveys.questionnaire import SIDES, Pulse, Questionnaire, ours

PULSE = "pulse"
ANCHORS = ("trust_honest", "satisfaction_time", "goals_progress", "expectations_shared")
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
WEEKS_APART = 6
ATTRIBUTES = ("cohort", "department", "grade", "location")
NEVER = 10_000
NOISE = 12.0  # of one answer, in points
Codes = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is made up.

    `groups`: by attribute, how large its groups are relative to one another; results are reported by `reported`.
    `nested`: how often the second attribute follows from the first. `mean` and `spread` of people's levels (0–100),
    `between` the first attribute's groups; in `unanimous` of these all say the same. `unchanged`: how often an answer
    is that of the round before. Shares of pairings that join or leave, and of people who are erased before a later
    release. `most_mentees` of one mentor, five of one where `guide_of_five`. `rotating`: how many questions are drawn
    besides the anchors.
    """

    n_pairings: int
    n_rounds: int = 1
    groups: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: {"department": (1.0,) * 4})
    reported: tuple[str, ...] = ("department",)
    nested: float = 0.0
    mean: float = 65.0
    spread: float = 20.0
    between: float = 5.0
    unanimous: float = 0.0
    silent: float = 0.2
    unchanged: float = 1.0
    joining: float = 0.0
    leaving: float = 0.0
    erased: float = 0.0
    most_mentees: int = 1
    guide_of_five: bool = False
    rotating: int = 0


@dataclass(frozen=True, kw_only=True)
class Made:
    """`forms`: contract Invited of all rounds, and the first release that knows nothing of the person (`known_until`).
    `answers`: contract Answers, and the `form` each is on."""

    plan: Plan
    questionnaire: Questionnaire
    forms: pd.DataFrame
    answers: pd.DataFrame
    pairings: pd.DataFrame

    def inputs(self, number: int) -> Inputs:
        """What the release of a round is made from, as the store held it when that round closed."""
        ids = [f"R{k}" for k in range(1, number + 1)]
        forms = self.forms[(self.forms["round_number"] <= number) & (number < self.forms["known_until"])]
        answers = self.answers[self.answers["form"].isin(forms.index[forms["has_answered"]])]
        decisions = {"attributes": list(self.plan.reported)}
        return Inputs(
            programme=Programme(programme_id="P", name="P", created_at=START, decisions=decisions),
            round=_round(number),
            closed_on=closes_on(number),
            questionnaires=dict.fromkeys(ids, self.questionnaire),
            snapshot_ids=dict.fromkeys(ids, "s"),
            closed_days={f"R{k}": closes_on(k) for k in range(1, number + 1)},
            answers=conform(Answers, answers.reset_index(drop=True)),
            invited=conform(Invited, forms.reset_index(drop=True)),
            goal_ratings=conform(GoalRatings, pd.DataFrame(columns=list(GoalRatings.to_schema().columns))),
            goals=conform(Goals, pd.DataFrame(columns=["goal_id", "pairing_id", "set_on"])),
            pairings=self.pairings[self.pairings["started_on"] <= closes_on(number)][PAIRING],
        )


def make(plan: Plan, rng: np.random.Generator) -> Made:
    """One programme; everybody's groups are drawn, and stay."""
    asked = _questionnaire(plan.rotating > 0)
    mentor = _mentors(plan, rng)
    begins, ends = _time(plan, rng)
    people = {side: _people(plan, mentor if side == "mentor" else np.arange(plan.n_pairings), rng) for side in SIDES}
    cohort = rng.integers(0, 2, plan.n_pairings)
    forms = _forms(plan, people, mentor, cohort, (begins, ends), rng)
    return Made(
        plan=plan,
        questionnaire=asked,
        forms=forms,
        answers=_answers(plan, asked, forms, rng),
        pairings=_pairings(mentor, begins, ends),
    )


def closes_on(number: int) -> date:
    """The closing day of round 1, 2 …"""
    return (START + timedelta(weeks=WEEKS_APART * (number - 1) + 2)).date()


@cache
def _questionnaire(has_rotation: bool) -> Questionnaire:
    """Ours; without rotation only its anchors, which everyone is asked."""
    if has_rotation:
        return ours()
    pulse = Pulse(id=PULSE, title={"en": PULSE}, max_questions=7, fixed=dict.fromkeys(SIDES, ANCHORS))
    questions = {id_: ours().questions[id_] for id_ in ANCHORS}
    return replace(ours(), questions=questions, pulses={PULSE: pulse})


def _round(number: int) -> Round:
    opens_at = START + timedelta(weeks=WEEKS_APART * (number - 1))
    return Round(
        round_id=f"R{number}",
        programme_id="P",
        number=number,
        pulse=PULSE,
        snapshot_id="s",
        opens_at=opens_at,
        closes_at=opens_at + timedelta(weeks=2),
        closed_at=opens_at + timedelta(weeks=2),
    )


def _mentors(plan: Plan, rng: np.random.Generator) -> Codes:
    """By pairing, the mentor's number."""
    n = plan.n_pairings
    mentor = np.repeat(np.arange(n), rng.integers(1, plan.most_mentees + 1, n))[:n]
    if plan.guide_of_five:
        mentor[:5] = mentor[0]
    return mentor


def _time(plan: Plan, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """The first round of each pairing, and the first after its last."""
    n = plan.n_pairings
    begins = np.where(rng.random(n) < plan.joining, rng.integers(1, plan.n_rounds + 1, n), 1)
    ends = np.where(rng.random(n) < plan.leaving, rng.integers(2, plan.n_rounds + 2, n), NEVER)
    return begins, np.maximum(ends, begins + 1)


def _pairings(mentor: Codes, begins: Codes, ends: Codes) -> pd.DataFrame:
    is_over = ends < NEVER
    rows = {
        "pairing_id": _ids("P", np.arange(len(mentor))),
        "mentor_id": _ids("mentor", mentor),
        "mentee_id": _ids("mentee", np.arange(len(mentor))),
        "started_on": [closes_on(int(number)) - timedelta(weeks=4) for number in begins],
        "planned_end_on": None,
        "ended_on": [
            closes_on(int(end)) - timedelta(weeks=4) if over else None for end, over in zip(ends, is_over, strict=True)
        ],
        "end_reason": None,
    }
    return pd.DataFrame(rows, columns=PAIRING, dtype=object)


def _ids(what: str, codes: Codes) -> list[str]:
    return [f"{what} {code:05d}" for code in codes]


def _people(plan: Plan, unit: Codes, rng: np.random.Generator) -> pd.DataFrame:
    """By pairing, one side's person: their number, level, and the number of their group in each attribute."""
    n = plan.n_pairings
    groups: dict[str, Codes] = {}
    for k, (name, sizes) in enumerate(plan.groups.items()):
        share = np.array(sizes) / sum(sizes)
        drawn = rng.choice(len(sizes), n, p=share)
        follows = rng.random(n) < plan.nested
        before = next(iter(groups.values()), drawn)
        groups[name] = np.where(follows & (k == 1), before % len(sizes), drawn)
    first = next(iter(groups.values()), np.zeros(n, dtype=np.int64))
    own = plan.mean + plan.spread * rng.standard_normal(n) + plan.between * rng.standard_normal(n)[first]
    same = np.where(rng.random(n) < plan.unanimous, 25.0 * rng.integers(0, 5, n), np.nan)[first]
    level = np.where(np.isnan(same), own, same)
    made = pd.DataFrame({"unit": unit, "level": level, "is_same": ~np.isnan(same), **groups})
    return made.iloc[unit].reset_index(drop=True).assign(unit=unit)


def _forms(
    plan: Plan,
    people: Mapping[str, pd.DataFrame],
    mentor: Codes,
    cohort: Codes,
    time: tuple[Codes, Codes],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """One row a side of a pairing in each round that asks it."""
    begins, ends = time
    rows = []
    gone = {side: _erased_in(plan, rng) for side in SIDES}
    for number in range(1, plan.n_rounds + 1):
        at = np.flatnonzero((begins <= number) & (number < ends))
        for side, of in people.items():
            unit = of["unit"].to_numpy()[at]
            about = {
                "programme_id": "P",
                "round_id": f"R{number}",
                "round_number": number,
                "pulse": PULSE,
                "pairing_id": _ids("P", at),
                "side": side,
                "person_id": _ids(side, unit),
                "mentor_id": _ids("mentor", mentor[at]),
                "has_answered": rng.random(len(at)) >= plan.silent,
                "known_until": gone[side][unit],
                "level": of["level"].to_numpy()[at],
                "is_same": of["is_same"].to_numpy()[at],
                "pairing": at,
            }
            rows.append(pd.DataFrame({**about, **_groups(plan, of.iloc[at], cohort[at])}))
    forms = pd.concat(rows, ignore_index=True)
    return forms[forms["round_number"] < forms["known_until"]].reset_index(drop=True)


def _erased_in(plan: Plan, rng: np.random.Generator) -> Codes:
    """By person, the first release that knows nothing of them any more."""
    later = rng.integers(2, plan.n_rounds + 2, plan.n_pairings)
    return np.where(rng.random(plan.n_pairings) < plan.erased, later, NEVER)


def _groups(plan: Plan, people: pd.DataFrame, cohort: Codes) -> dict[str, list[str]]:
    named = {name: [f"{name} {code + 1}" for code in people[name]] for name in plan.groups if name != "cohort"}
    named["cohort"] = [("spring", "autumn")[code] for code in cohort]
    return {name: named.get(name, [""] * len(people)) for name in ATTRIBUTES}


def _answers(plan: Plan, asked: Questionnaire, forms: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Of every form that was answered: the anchors, and some rotating questions drawn for it."""
    answered = forms[forms["has_answered"]]
    rows = [_told(plan, answered, id_, rng) for id_ in ANCHORS]
    for side in SIDES:
        of_side = answered[answered["side"] == side]
        rotating = sorted(
            id_ for id_, each in asked.questions.items() if each.placing == "rotating" and side in each.sides
        )
        if plan.rotating and rotating:
            drawn = rng.random((len(of_side), len(rotating))).argsort(axis=1)[:, : plan.rotating]
            for place, id_ in enumerate(rotating):
                rows.append(_told(plan, of_side[(drawn == place).any(axis=1)], id_, rng))
    return pd.concat(rows, ignore_index=True)


def _told(plan: Plan, forms: pd.DataFrame, question_id: str, rng: np.random.Generator) -> pd.DataFrame:
    """What was tapped, 1 to 5: often what the same person tapped the round before."""
    noise = np.where(forms["is_same"], 0.0, NOISE * rng.standard_normal(len(forms)))
    points = np.clip(np.round((forms["level"].to_numpy() + noise) / 25), 0, 4).astype(int) + 1
    told = forms.assign(form=forms.index, points=points, is_kept=rng.random(len(forms)) < plan.unchanged)
    told = told.sort_values(["side", "pairing_id", "round_number"])
    is_first = told["pairing_id"] + told["side"] != (told["pairing_id"] + told["side"]).shift()
    value = told["points"].where(is_first | ~told["is_kept"]).ffill().astype(int).astype(str)
    columns = [*Answers.to_schema().columns, "form"]
    return told.assign(question_id=question_id, value=value)[columns]
