"""Makes up who answers, and what: one answer a question around each pairing's true level."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from data.demo import truth

COMMENTS = {
    "en": (
        "We meet every other week and it works.",
        "More time together would help.",
        "The checklist for the first meeting was useful.",
        "Hard to find a slot in both calendars.",
        "I got an honest view of how decisions are made.",
    ),
    "de": (
        "Wir treffen uns alle zwei Wochen, das passt gut.",
        "Ein gemeinsamer Termin ist schwer zu finden.",
        "Die Fragenliste für das erste Treffen hat geholfen.",
    ),
}
GOALS = (
    (
        "Lead a project meeting",
        ("avoids it", "joins in", "leads one", "leads three", "coaches others to lead"),
    ),
    (
        "Build a network in another department",
        ("knows nobody", "one contact", "three contacts", "five contacts", "a shared project"),
    ),
    (
        "Give clear feedback",
        ("puts it off", "gives it when asked", "gives it monthly", "gives it weekly", "is asked for it"),
    ),
    (
        "Prepare for the next role",
        ("no plan", "a rough plan", "a plan with steps", "first step done", "role agreed"),
    ),
    (
        "Present to the management team",
        ("never did", "prepared a draft", "presented once", "presented twice", "invited again"),
    ),
)


class Asked(Protocol):
    """What the generator needs to know of a question; `surveys.questionnaire.Question` has it."""

    @property
    def id(self) -> str: ...
    @property
    def construct(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def reverse(self) -> bool: ...


@dataclass(frozen=True)
class Filled:
    """One made-up form. `day` is days after the round opened."""

    answers: Mapping[str, str]
    goal_levels: Mapping[str, int]
    comment: str | None
    is_comment_for_release: bool
    day: float


@dataclass
class Respondents:
    """Everyone's true levels, drawn once and kept over the rounds."""

    rng: np.random.Generator
    _levels: dict[tuple[str, ...], float] = field(default_factory=dict)

    def fill(
        self,
        *,
        pairing_id: str,
        person_id: str,
        side: str,
        language: str,
        round_number: int,
        questions: Iterable[Asked],
        goal_ids: Sequence[str],
    ) -> Filled | None:
        """A filled form, or None where this person stays silent in this round."""
        if self.rng.random() > truth.RESPONSE_RATE[side]:
            return None
        level = self._level(pairing_id, person_id, side, round_number)
        answers = {q.id: self._answer(q, level) for q in questions if self.rng.random() > 0.02}
        progress = -1.6 + 0.35 * round_number + 0.02 * (level - truth.TRUST_FIRST_ROUND)
        levels = {goal: int(np.clip(round(progress + 0.6 * self.rng.standard_normal()), -2, 2)) for goal in goal_ids}
        comment = None
        if self.rng.random() < truth.COMMENT_SHARE:
            comment = str(self.rng.choice(COMMENTS[language]))
        return Filled(
            answers=answers,
            goal_levels=levels,
            comment=comment,
            is_comment_for_release=comment is not None and bool(self.rng.random() < 0.7),
            day=float(np.clip(self.rng.exponential(3.5), 0.05, 13.9)),
        )

    def _level(self, pairing_id: str, person_id: str, side: str, round_number: int) -> float:
        return (
            truth.TRUST_FIRST_ROUND
            + truth.CHANGE_A_ROUND * (round_number - 1)
            + (truth.MENTOR_MINUS_MENTEE if side == "mentor" else 0.0)
            + self._drawn(truth.PAIRING_SD, "pairing", pairing_id)
            + self._drawn(truth.PERSON_SD, "person", person_id)
            + truth.OCCASION_SD * self.rng.standard_normal()
        )

    def _drawn(self, sd: float, *key: str) -> float:
        if key not in self._levels:
            self._levels[key] = sd * self.rng.standard_normal()
        return self._levels[key]

    def _answer(self, question: Asked, level: float) -> str:
        if question.kind == "yes_no":
            rare = 0.03 if question.id == "contact_me" else 0.88
            return "yes" if self.rng.random() < rare else "no"
        point = level + truth.CONSTRUCT_SHIFT.get(question.construct, 0.0)
        point += self._drawn(truth.ITEM_SD, "question", question.id) + truth.ANSWER_SD * self.rng.standard_normal()
        tapped = int(np.clip(round(point / 25), 0, 4)) + 1
        return str(6 - tapped if question.reverse else tapped)
