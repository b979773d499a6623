"""Turns what another tool wrote for an answer into the answer as we store it, or says why it is none."""

from collections.abc import Mapping

from data.errors import RapportError
from data.imports.cells import CellError, day, number
from data.imports.sheet import Layout, normal
from surveys.exchange.form import ForeignQuestion
from surveys.questionnaire import DECLINED, Question, Questionnaire

YES_NO = ("yes", "no")


def stored_value(
    questionnaire: Questionnaire,
    question: Question,
    foreign: ForeignQuestion,
    said: str | None,
    layout: Layout,
) -> str | None:
    """The answer as stored, None where nothing was said; a CellError says what is wrong with it."""
    if said is None or not said.strip():
        return None
    if question.kind == "text":
        return None if said in foreign.no_answer else _storable(said)
    known = readings(questionnaire, question, foreign)
    if question.kind == "multiple" and "" in foreign.columns:
        return _several(said, known)
    plain = normal(said)
    if plain in known:
        return known[plain] or None
    if question.kind == "number":
        value = number(said.strip(), layout)
        return str(int(value)) if value == int(value) else repr(value)
    if question.kind == "date":
        return day(said.strip(), layout).isoformat()
    raise CellError(_expected(questionnaire, question))


def _several(said: str, known: Mapping[str, str]) -> str:
    values = [known.get(normal(part), "") for part in said.split(",")]
    if not all(values):
        raise CellError("none of the answers that the question has")
    return ",".join(values)


def joined(options: Mapping[str, str | None]) -> str | None:
    """The answer to a question with several options: those that were ticked, in order."""
    ticked = [option for option, value in options.items() if value is not None]
    return ",".join(ticked) or None


def readings(questionnaire: Questionnaire, question: Question, foreign: ForeignQuestion) -> dict[str, str]:
    """Every way to write an answer → our value; "" where it means that nothing was said."""
    known: dict[str, str] = {}
    told = [(theirs, ours) for ours, ways in foreign.values.items() for theirs in ways]
    empty = [(theirs, "") for theirs in foreign.no_answer]
    for theirs, ours in [*_own(questionnaire, question), *told, *empty]:
        if known.setdefault(normal(theirs), ours) != ours:
            raise RapportError(f'The map gives "{theirs}" two meanings in the question {question.id}.')
    return known


def _own(questionnaire: Questionnaire, question: Question) -> list[tuple[str, str]]:
    own = [(value, value) for value in (*question.options, *((DECLINED,) if question.may_decline else ()))]
    if question.kind == "yes_no":
        own += [(value, value) for value in YES_NO]
    if question.kind == "scale" and question.scale is not None:
        for names in questionnaire.scales[question.scale].labels.values():
            for point, name in enumerate(names, start=1):
                own += [(str(point), str(point)), (name, str(point))]
    return own


def _storable(said: str) -> str:
    if "\0" in said or any("\ud800" <= sign <= "\udfff" for sign in said):
        raise CellError("a character that no text can hold")
    return said


def _expected(questionnaire: Questionnaire, question: Question) -> str:
    if question.kind == "scale" and question.scale is not None:
        return f"not a point from 1 to {questionnaire.scales[question.scale].n_points}, nor a label of the scale"
    return "none of the answers that the question has"
