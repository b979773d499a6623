"""Checks one submitted form against the questions it asked, then stores it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from data.store import answers, rounds, visits
from data.store.answers import Receipt, Submission
from data.store.engine import Connection
from data.store.people import Goal
from data.store.rounds import Ask, Round
from surveys.forms import asked
from surveys.questionnaire import DECLINED, Question, Questionnaire

MAX_COMMENT = 2_000
LEVELS = range(-2, 3)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class Form:
    """One page: an ask with the questions and goals that it shows."""

    ask: Ask
    round: Round
    questionnaire: Questionnaire
    questions: tuple[Question, ...]
    operational: tuple[Question, ...]
    goals: tuple[Goal, ...]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a submitted form said; `problems` names the fields that could not be read."""

    answers: Mapping[str, str] = field(default_factory=dict)
    goal_levels: Mapping[str, int] = field(default_factory=dict)
    comment: str | None = None
    is_comment_for_release: bool = False
    problems: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.answers or self.goal_levels or self.comment)


class Snapshot:
    """A questionnaire that a round froze, with the forms dealt from it so far."""

    def __init__(self, content: str) -> None:
        self.questionnaire = Questionnaire.from_json(content)
        self._dealt: dict[tuple[str, str, int], tuple[Question, ...]] = {}

    def asked(self, pulse: str, side: str, form: int) -> tuple[Question, ...]:
        key = (pulse, side, form)
        if key not in self._dealt:
            self._dealt[key] = asked(self.questionnaire, *key)
        return self._dealt[key]


MOST_SNAPSHOTS = 32
_read: dict[str, Snapshot] = {}  # a snapshot's id is the hash of its content, so it never changes


def snapshot(connection: Connection, snapshot_id: str) -> Snapshot:
    """The questionnaire with that id, read from the store once."""
    found = _read.get(snapshot_id)
    if found is None:
        found = Snapshot(visits.snapshot(connection, snapshot_id))
        if len(_read) >= MOST_SNAPSHOTS:
            _read.clear()
        _read[snapshot_id] = found
    return found


def prepare(connection: Connection, ask: Ask, of: Round | None = None, *, has_goals: bool = True) -> Form:
    """The form of one ask, from the questionnaire that its round froze; saves looks where the caller knows."""
    of = of or rounds.read_round(connection, ask.round_id)
    frozen = snapshot(connection, of.snapshot_id)
    questionnaire = frozen.questionnaire
    return Form(
        ask=ask,
        round=of,
        questionnaire=questionnaire,
        questions=frozen.asked(of.pulse, ask.side, ask.form),
        operational=tuple(questionnaire.questions[id_] for id_ in questionnaire.pulses[of.pulse].operational),
        goals=visits.agreed_goals(connection, ask.pairing_id) if has_goals else (),
    )


def allowed(questionnaire: Questionnaire, question: Question) -> tuple[str, ...]:
    """The values that a control of this question can send."""
    n_points = questionnaire.scales[question.scale].n_points if question.scale is not None else 0
    return _values(question.kind, n_points, question.options, question.may_decline)


@cache
def _values(kind: str, n_points: int, options: tuple[str, ...], may_decline: bool) -> tuple[str, ...]:
    decline = (DECLINED,) if may_decline else ()
    if kind == "scale" and n_points:
        return (*(str(point) for point in range(1, n_points + 1)), *decline)
    if kind == "yes_no":
        return ("yes", "no", *decline)
    return (*options, *decline)


def check(form: Form, fields: Mapping[str, str]) -> Checked:
    """Read the fields of a submitted page; an empty field is no answer, an impossible one a problem."""
    said: dict[str, str] = {}
    problems: list[str] = []
    for question in (*form.questions, *form.operational):
        value = fields.get(f"q:{question.id}", "")
        if value in allowed(form.questionnaire, question):
            said[question.id] = value
        elif value:
            problems.append(question.id)
    levels: dict[str, int] = {}
    for goal in form.goals:
        value = fields.get(f"goal:{goal.goal_id}", "")
        if value in {str(level) for level in LEVELS}:
            levels[goal.goal_id] = int(value)
        elif value:
            problems.append(goal.goal_id)
    comment = CONTROL.sub("", fields.get("comment", "")).replace("\r\n", "\n").strip()
    if len(comment) > MAX_COMMENT:
        problems.append("comment")
    return Checked(
        answers=said,
        goal_levels=levels,
        comment=comment or None,
        is_comment_for_release=bool(comment) and fields.get("release") == "yes",
        problems=tuple(problems),
    )


def filled_in(form: Form, fields: Mapping[str, str]) -> dict[str, str]:
    """What a page holds of this form's own fields, right or not: a draft is kept as it stands."""
    names = [f"q:{question.id}" for question in (*form.questions, *form.operational)]
    names += [f"goal:{goal.goal_id}" for goal in form.goals]
    kept = {name: CONTROL.sub("", fields[name]) for name in (*names, "comment", "release") if fields.get(name)}
    return kept if set(kept) - {"release"} else {}


def submit(
    connection: Connection, form: Form, checked: Checked, *, submission_id: str, language: str, now: datetime
) -> Receipt:
    """Store a checked form; the caller acknowledges only after its transaction has committed."""
    return answers.store_response(
        connection,
        Submission(
            invitation_id=form.ask.invitation_id,
            submission_id=submission_id,
            received_at=now,
            source="web",
            language=language,
            answers=checked.answers,
            goal_levels=checked.goal_levels,
            comment=checked.comment,
            is_comment_for_release=checked.is_comment_for_release,
        ),
        only_while_open=True,
    )
