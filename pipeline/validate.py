"""Turns answers as said into points from 0 to 100, setting aside with a reason what is no answer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.contracts import Rated, conform
from data.errors import RapportError
from surveys.questionnaire import DECLINED, Question, Questionnaire

KEY = ["round_id", "pairing_id", "side", "question_id"]
UNKNOWN = "this round's questionnaire has no such question"
NOT_ASKED = "the question is not one for this side"
OFF_SCALE = "the value is not a point of the question's scale"


@dataclass(frozen=True)
class Validated:
    """`rated` (contract Rated) and the `quarantined` answers: their key and the reason, never the value."""

    rated: pd.DataFrame
    quarantined: pd.DataFrame


def validate(answers: pd.DataFrame, questionnaires: Mapping[str, Questionnaire]) -> Validated:
    """Answers (contract Answers) against the questionnaire that each round froze, by round id.

    "prefer_not_to_say" and the answers to questions without a scale are valid and give no points.
    """
    _refuse_doubled(answers)
    known = answers.merge(_asked(questionnaires), on=["round_id", "question_id"], how="left")
    point = pd.to_numeric(known["value"].where(known["value"].str.fullmatch(r"[1-9][0-9]?")), errors="coerce")
    is_asked = np.where(known["side"] == "mentor", known["asks_mentor"], known["asks_mentee"]) == 1
    is_scored = (known["kind"] == "scale") & (known["value"] != DECLINED)
    reason = pd.Series("", index=known.index)
    reason = reason.mask(is_scored & ~(point <= known["n_points"]), OFF_SCALE)
    reason = reason.mask(~is_asked, NOT_ASKED).mask(known["kind"].isna(), UNKNOWN)
    points = 100 * (point - 1) / (known["n_points"] - 1)
    rated = known.assign(points=points.where(known["is_reversed"] != 1, 100 - points))
    refused = reason != ""
    return Validated(
        rated=conform(Rated, rated[is_scored & ~refused].reset_index(drop=True)),
        quarantined=known.loc[refused, KEY].assign(reason=reason[refused]).reset_index(drop=True),
    )


def _refuse_doubled(answers: pd.DataFrame) -> None:
    if answers.duplicated(KEY).any():
        raise RapportError("The table Answers holds a question twice for one form; expected it once.")


def _asked(questionnaires: Mapping[str, Questionnaire]) -> pd.DataFrame:
    """One row is one question of one round, with what is needed to read an answer to it."""
    described = {id(each): _described(each) for each in questionnaires.values()}
    rows = [(round_id, *row) for round_id, each in questionnaires.items() for row in described[id(each)]]
    names = ["round_id", "question_id", "kind", "construct", "n_points", "is_reversed"]
    asked = pd.DataFrame.from_records(rows, columns=[*names, "asks_mentor", "asks_mentee"])
    texts = dict.fromkeys(["round_id", "question_id", "kind", "construct"], "str")
    return asked.astype({**texts, "n_points": "float"})


def _described(questionnaire: Questionnaire) -> list[tuple[object, ...]]:
    return [_row(questionnaire, question) for question in questionnaire.questions.values()]


def _row(questionnaire: Questionnaire, question: Question) -> tuple[object, ...]:
    is_scale = question.kind == "scale" and question.scale is not None
    n_points = questionnaire.scales[str(question.scale)].n_points if is_scale else np.nan
    sides = (float("mentor" in question.sides), float("mentee" in question.sides))
    return (question.id, question.kind, question.construct, n_points, float(question.reverse), *sides)
