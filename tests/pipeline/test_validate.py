"""Answers become points, or are set aside with a reason."""

import pytest

from data.errors import RapportError
from pipeline.validate import NOT_ASKED, OFF_SCALE, UNKNOWN, validate
from tests.pipeline.made_up import answers_of, question, questionnaire

FROZEN = questionnaire(
    [
        question("honest", "trust"),
        question("guarded", "trust", reverse=True),
        question("gives", "mutual_learning", sides=("mentee",)),
        question("future", "staying", may_decline=True),
        question("met", "operational", kind="yes_no"),
    ],
    {"pulse": ("honest",)},
)


def told(question_id: str, value: object, side: str = "mentee") -> dict[str, object]:
    return {"pairing": "P1", "side": side, "question": question_id, "value": value}


def test_four_of_five_is_75_and_a_reversed_question_turns_round() -> None:
    said = [told("honest", 4), told("guarded", 5), told("gives", 1)]
    rated = validate(answers_of(said), {"R1": FROZEN}).rated
    points = dict(zip(rated["question_id"], rated["points"], strict=True))
    assert points == {"honest": 75.0, "guarded": 0.0, "gives": 0.0}
    assert set(rated["construct"]) == {"trust", "mutual_learning"}


@pytest.mark.parametrize(
    ("question_id", "value", "reason"),
    [
        ("honest", "6", OFF_SCALE),
        ("honest", "0", OFF_SCALE),
        ("honest", "-1", OFF_SCALE),
        ("honest", "3.5", OFF_SCALE),
        ("honest", "", OFF_SCALE),
        ("honest", "agree", OFF_SCALE),
        ("honest", "nan", OFF_SCALE),
        ("honest", "٤", OFF_SCALE),
        ("elsewhere", "4", UNKNOWN),
    ],
)
def test_what_is_no_answer_is_quarantined_with_its_reason(question_id: str, value: str, reason: str) -> None:
    validated = validate(answers_of([told(question_id, value), told("guarded", 3)]), {"R1": FROZEN})
    assert validated.rated["question_id"].tolist() == ["guarded"]
    assert validated.quarantined.to_dict("records") == [
        {"round_id": "R1", "pairing_id": "P1", "side": "mentee", "question_id": question_id, "reason": reason}
    ]


def test_a_question_of_the_other_side_is_quarantined() -> None:
    validated = validate(answers_of([told("gives", 4, side="mentor")]), {"R1": FROZEN})
    assert validated.quarantined["reason"].tolist() == [NOT_ASKED]
    assert validated.rated.empty


def test_declining_and_questions_without_a_scale_give_no_points_and_are_no_mistake() -> None:
    said = [told("future", "prefer_not_to_say"), told("met", "Y"), told("honest", 3)]
    validated = validate(answers_of(said), {"R1": FROZEN})
    assert validated.rated["question_id"].tolist() == ["honest"]
    assert validated.quarantined.empty


def test_each_round_is_read_by_the_questionnaire_that_it_froze() -> None:
    later = questionnaire([question("brand_new", "trust")], {"pulse": ()})
    said = [told("honest", 2), {**told("honest", 4), "number": 2}, {**told("brand_new", 5), "number": 2}]
    validated = validate(answers_of(said), {"R1": FROZEN, "R2": later})
    kept = zip(validated.rated["round_id"], validated.rated["question_id"], strict=True)
    assert set(kept) == {("R1", "honest"), ("R2", "brand_new")}
    assert validated.quarantined[["round_id", "reason"]].values.tolist() == [["R2", UNKNOWN]]


def test_no_answers_at_all_are_no_crash() -> None:
    validated = validate(answers_of([]), {"R1": FROZEN})
    assert validated.rated.empty
    assert validated.quarantined.empty


def test_a_doubled_answer_stops_the_run_and_echoes_nothing() -> None:
    with pytest.raises(RapportError, match="holds a question twice") as raised:
        validate(answers_of([told("honest", 4), told("honest", 2)]), {"R1": FROZEN})
    assert "P1" not in str(raised.value)
