"""Chooses the one small practice that answers what a person has just said.

It reads that person's own answers and nothing else; the other's never reach it.
"""

from collections.abc import Mapping

from surveys.questionnaire import Practice, Question, Questionnaire


def suggest(questionnaire: Questionnaire, side: str, answers: Mapping[str, str]) -> Practice | None:
    """A practice for the principle that this side rated lowest; of equals, the one asked first."""
    rated = [
        (points, question)
        for question_id, value in answers.items()
        if (question := questionnaire.questions.get(question_id)) is not None
        and (points := _points(questionnaire, question, value)) is not None
    ]
    lowest_first = sorted(rated, key=lambda pair: pair[0])
    found = (_practice(questionnaire, side, question) for _, question in lowest_first)
    return next((practice for practice in found if practice is not None), None)


def _points(questionnaire: Questionnaire, question: Question, value: str) -> float | None:
    """The answer from 0 to 1, higher is better; None where it is no point of the scale."""
    if question.kind != "scale" or question.scale is None:
        return None
    top = questionnaire.scales[question.scale].n_points
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= top):
        return None
    share = (int(value) - 1) / (top - 1)
    return 1 - share if question.reverse else share


def _practice(questionnaire: Questionnaire, side: str, question: Question) -> Practice | None:
    for entry in questionnaire.practices:
        if entry.side == side and entry.principle in question.principles:
            return entry
    return None
