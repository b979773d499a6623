"""One suggestion, chosen from what this person has just said."""

from surveys.practice import suggest
from surveys.questionnaire import DECLINED, SIDES, ours


def principle(side: str, answers: dict[str, str]) -> str | None:
    chosen = suggest(ours(), side, answers)
    return chosen.principle if chosen else None


def test_the_lowest_answer_decides() -> None:
    assert principle("mentee", {"trust_honest": "4", "goals_progress": "2", "fit_match": "3"}) == "P16"


def test_of_equals_the_first_asked_decides() -> None:
    assert principle("mentor", {"goals_progress": "3", "trust_honest": "3"}) == "P16"
    assert principle("mentor", {"trust_honest": "3", "goals_progress": "3"}) == "P01"


def test_a_reversed_question_counts_from_its_good_end() -> None:
    assert principle("mentee", {"trust_honest": "3", "communication_rushing": "5"}) == "P09"
    assert principle("mentee", {"trust_honest": "3", "communication_rushing": "1"}) == "P01"


def test_someone_for_whom_all_is_well_gets_one_too() -> None:
    assert principle("mentee", {"trust_honest": "5", "goals_progress": "5"}) == "P01"


def test_a_suggestion_is_for_the_side_that_answered() -> None:
    for side in SIDES:
        chosen = suggest(ours(), side, {"trust_honest": "1"})
        assert chosen is not None
        assert (chosen.side, chosen.id) == (side, f"practice_trust_honest_{side}")


def test_what_is_no_point_of_a_scale_decides_nothing() -> None:
    said = {"contact_me": "no", "staying_future": DECLINED, "trust_honest": "0", "nobody_asked": "1"}
    assert suggest(ours(), "mentee", said) is None
    assert principle("mentee", {**said, "goals_progress": "5"}) == "P16"


def test_every_question_leads_to_a_suggestion_for_whoever_answers_it() -> None:
    for question in ours().questions.values():
        for side in question.sides if question.kind == "scale" else ():
            assert principle(side, {question.id: "3"}) == question.principles[0]
