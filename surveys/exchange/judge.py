"""Judges foreign responses by the round they answer: what is taken, what is refused, and why."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from data.imports.cells import CellError
from data.imports.report import Refusal
from data.imports.sheet import Layout
from data.store.rounds import Round
from surveys.exchange.form import ForeignFile, ForeignMap, ForeignQuestion, ForeignResponse
from surveys.exchange.value import joined, stored_value
from surveys.exchange.wide import cell_key
from surveys.questionnaire import Questionnaire

UNKNOWN_PAIRING = "a pairing that the round's programme does not have"
NO_TIME = "no time at which it was answered"
LATE = "late"
EARLY = "before the round opened"
NOTHING = "no answer in it"
NOT_ASKED = "a question that this side is not asked"


@dataclass(frozen=True)
class Taken:
    """A response with its good answers, and what its bad cells were."""

    response: ForeignResponse
    answered_at: datetime
    answers: Mapping[str, str]
    bad: Mapping[str, str] = field(default_factory=dict)

    @property
    def row_numbers(self) -> tuple[int, ...]:
        """The rows that were accepted: where an answer has its own row, a bad one is not among them."""
        lost = {self.response.row_of[name] for name in self.bad if name in self.response.row_of}
        return tuple(number for number in self.response.row_numbers if number not in lost)


@dataclass(frozen=True)
class Judgement:
    """A whole file: `taken` in the order in which it may be stored, refused rows, refused cells."""

    taken: tuple[Taken, ...]
    rows: tuple[Refusal, ...]
    cells: tuple[Refusal, ...]


def judge(
    file: ForeignFile,
    *,
    told: ForeignMap,
    questionnaire: Questionnaire,
    of_round: Round,
    pairings: Collection[str],
) -> Judgement:
    """Every response of a file, taken or refused."""
    declared = {question.id: question for question in told.questions}
    taken: list[Taken] = []
    rows = list(file.refused)
    cells: list[Refusal] = []
    for response in file.responses:
        reason = _reason(response, of_round, pairings)
        if reason or response.answered_at is None:
            rows += [Refusal(number, reason) for number in response.row_numbers]
            continue
        answers, bad = _answers(response, declared, questionnaire, told.layout)
        entry = Taken(response, response.answered_at, answers, bad)
        for name, why in bad.items():
            own_row = response.row_of.get(name)
            refusal = Refusal(own_row or response.row_numbers[0], why, name)
            (cells if own_row is None else rows).append(refusal)
        if answers:
            taken.append(entry)
        else:
            rows += [Refusal(number, NOTHING) for number in entry.row_numbers]
    taken.sort(key=lambda entry: (entry.response.is_complete, entry.answered_at, entry.response.row_numbers))
    return Judgement(tuple(taken), tuple(rows), tuple(cells))


def submission_id(tool: str, round_id: str, entry: Taken) -> str:
    """The same response imported again has the same id; one that went on answering has another."""
    response = entry.response
    said = [
        tool, round_id, response.pairing_id, response.side, response.response_key,
        response.is_complete, entry.answered_at.isoformat(), sorted(entry.answers.items()),
    ]  # fmt: skip
    return f"{tool}:{hashlib.sha256(json.dumps(said).encode()).hexdigest()}"


def _reason(response: ForeignResponse, of_round: Round, pairings: Collection[str]) -> str:
    if response.pairing_id not in pairings:
        return UNKNOWN_PAIRING
    at = response.answered_at
    if at is None:
        return NO_TIME
    if at < of_round.opens_at:
        return EARLY
    ends = min(of_round.closes_at, of_round.closed_at or of_round.closes_at)
    return LATE if at >= ends else ""


def _answers(
    response: ForeignResponse,
    declared: Mapping[str, ForeignQuestion],
    questionnaire: Questionnaire,
    layout: Layout,
) -> tuple[dict[str, str], dict[str, str]]:
    answers: dict[str, str] = {}
    bad: dict[str, str] = {}
    for question_id in dict.fromkeys(name.partition("[")[0] for name in response.cells):
        told = declared.get(question_id) or ForeignQuestion(id=question_id, columns={"": (question_id,)})
        try:
            value = _value(response, told, questionnaire, layout)
        except CellError as error:
            bad[question_id] = str(error)
            continue
        if value is not None:
            answers[question_id] = value
    return answers, bad


def _value(
    response: ForeignResponse, told: ForeignQuestion, questionnaire: Questionnaire, layout: Layout
) -> str | None:
    question = questionnaire.questions[told.id]
    read: dict[str, str | None] = {}
    for option in told.columns:
        key = cell_key(told.id, option)
        if key in response.faults:
            raise CellError(response.faults[key])
        read[option] = stored_value(questionnaire, question, told, response.cells.get(key), layout)
    value = joined(read) if question.kind == "multiple" and "" not in read else read.get("")
    if value is not None and response.side not in question.sides:
        raise CellError(NOT_ASKED)
    return value
