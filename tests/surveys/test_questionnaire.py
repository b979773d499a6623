"""The question bank says what the principles claim, for whom, in every language, and refuses bad entries."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import RapportError
from surveys.catalogue import questions_table
from surveys.forms import forms
from surveys.questionnaire import LANGUAGES, ROOM, SIDES, Question, Questionnaire, load, ours

# Principles by construct; M is asked of the mentor, E of the mentee, B of both.
CLAIMS = """
trust            P01B P02B P03B P04B
expectations     P05B P06B P07B
communication    P08B P09E P10M
feedback         P11E P12M P13B
goals            P14B P15B P16B P17B
preparation      P18M P19E
follow_through   P20B P21B
presence         P22E P23M
learning         P24E P25E P26E P27E P28E P29M
mutual_learning  P30M P31E
network          P32E
recognition      P33E P34M
adaptation       P35B
fit              P36B
satisfaction     P37B
programme        P38B
engagement       P39B
staying          P40B
"""
ASKED = {"M": {"mentor"}, "E": {"mentee"}, "B": {"mentor", "mentee"}}
ANCHORS = {
    "trust_honest": "P01",
    "satisfaction_time": "P37",
    "goals_progress": "P16",
    "expectations_shared": "P05",
}


def claims() -> list[tuple[str, str, set[str]]]:
    """(principle, construct, sides) of all forty."""
    rows = [line.split() for line in CLAIMS.strip().splitlines()]
    return [(claim[:3], row[0], ASKED[claim[3]]) for row in rows for claim in row[1:]]


def every_text(questionnaire: Questionnaire) -> list[tuple[str, str, str]]:
    """(id, language, text) of everything a person may read."""
    asked = [
        (question.id, language, text)
        for question in questionnaire.questions.values()
        for texts in question.text.values()
        for language, text in texts.items()
    ]
    shown = [(entry.id, language, text) for entry in questionnaire.practices for language, text in entry.text.items()]
    return asked + shown


def test_all_forty_principles_are_claimed_once() -> None:
    assert sorted(principle for principle, _, _ in claims()) == [f"P{n:02}" for n in range(1, 41)]


@pytest.mark.parametrize(("principle", "construct", "sides"), claims())
def test_a_principle_reaches_an_item_for_each_side_it_names(principle: str, construct: str, sides: set[str]) -> None:
    items = [question for question in ours().questions.values() if principle in question.principles]
    assert {question.construct for question in items} == {construct}
    assert {side for question in items for side in question.sides} == sides
    assert construct in ours().constructs


@pytest.mark.parametrize(("principle", "construct", "sides"), claims())
def test_a_principle_reaches_a_practice_for_each_side(principle: str, construct: str, sides: set[str]) -> None:
    for_principle = [practice for practice in ours().practices if practice.principle == principle]
    assert {practice.side for practice in for_principle} == set(SIDES)


def test_there_are_sixteen_constructs_two_outcomes_and_the_operational_questions() -> None:
    kinds = [construct.kind for construct in ours().constructs.values()]
    assert (kinds.count("construct"), kinds.count("outcome"), kinds.count("operational")) == (16, 2, 1)


def test_a_claim_about_both_is_put_to_both_in_parallel() -> None:
    both = {principle for principle, _, sides in claims() if len(sides) == 2}
    for question in ours().questions.values():
        if both & set(question.principles):
            assert question.sides == SIDES, question.id


def test_every_text_is_there_in_every_language_and_short() -> None:
    for question in ours().questions.values():
        for texts in question.text.values():
            assert set(texts) == set(LANGUAGES), question.id
            assert all(len(text.split()) <= 20 for text in texts.values()), question.id


def test_texts_keep_to_the_words_of_the_house() -> None:
    unwanted = re.compile(r"partner|at risk|dropped out", re.IGNORECASE)
    assert [told for told in every_text(ours()) if unwanted.search(told[2])] == []
    assert unwanted.search("Deine Partnerin") is not None


def test_a_name_can_always_be_put_in() -> None:
    for text_id, language, text in every_text(ours()):
        assert "{" not in text.format(other="Ben"), text_id
        assert not re.search(r"\{other\}['’s]", text), f"{text_id} ({language}) bends a name"


def test_no_two_questions_read_the_same_to_a_side() -> None:
    for side in SIDES:
        for language in LANGUAGES:
            texts = [q.text[side][language] for q in ours().questions.values() if side in q.sides]
            assert len(set(texts)) == len(texts)


def test_the_four_anchors_are_asked_of_both_sides_in_every_pulse() -> None:
    anchors = {
        question.id: question.principles[0] for question in ours().questions.values() if question.placing == "anchor"
    }
    assert anchors == ANCHORS
    for pulse in ours().pulses.values():
        for side in SIDES:
            assert set(ANCHORS) <= set(pulse.fixed[side])


def test_only_expectations_and_goals_may_be_shared() -> None:
    shareable = {question.construct for question in ours().questions.values() if question.shareable}
    assert shareable == {"expectations", "goals"}


def test_the_programme_team_sees_only_the_operational_answers() -> None:
    seen = {question.id for question in ours().questions.values() if question.seen_by != "nobody"}
    assert seen == {"met_since", "contact_me"}


def test_staying_may_be_declined_and_is_asked_at_kickoff_and_closing_only() -> None:
    staying = [question for question in ours().questions.values() if question.construct == "staying"]
    assert all(question.may_decline and question.placing == "fixed" for question in staying)
    for side in SIDES:
        asking = {pulse.id for pulse in ours().pulses.values() for q in staying if q.id in pulse.fixed[side]}
        assert asking == {"kickoff", "closing"}


def test_no_pulse_asks_more_than_it_may() -> None:
    most = {pulse.id: pulse.max_questions for pulse in ours().pulses.values()}
    assert most == {"kickoff": 18, "pulse": 7, "milestone": 18, "closing": 18}
    for pulse in ours().pulses.values():
        for side in SIDES:
            assert len(pulse.fixed[side]) + pulse.seats <= pulse.max_questions


@pytest.mark.parametrize("side", SIDES)
def test_the_three_long_pulses_together_reach_every_construct(side: str) -> None:
    pulses = ours().pulses
    reached = {
        ours().questions[id_].construct
        for name in ("kickoff", "milestone", "closing")
        for id_ in pulses[name].fixed[side]
    }
    has_items = {q.construct for q in ours().questions.values() if side in q.sides} - {"operational"}
    assert reached == has_items
    for name in ("kickoff", "milestone", "closing"):
        assert ours().asks_whole(name, "mutual_learning", side)


def test_a_snapshot_reads_back_as_it_was_written() -> None:
    again = Questionnaire.from_json(ours().to_json())
    assert again == ours()
    assert again.to_json() == ours().to_json()


def test_a_snapshot_deals_the_same_forms() -> None:
    again = Questionnaire.from_json(ours().to_json())
    assert [forms(again, "pulse", side) for side in SIDES] == [forms(ours(), "pulse", side) for side in SIDES]


def test_the_table_has_one_row_a_question() -> None:
    table = questions_table(ours()).splitlines()
    assert len(table) == 2 + len(ours().questions)
    row = next(line for line in table if "`feedback_invited`" in line)
    assert row == (
        "| `feedback_invited` | feedback | P13 | mentor, mentee | rotating | I ask {other} for feedback on my "
        "mentoring. | {other} asks me for feedback on the mentoring. |"
    )


def test_the_readme_holds_the_table_of_today() -> None:
    readme = (ROOM / "README.md").read_text(encoding="utf-8")
    assert f"<!-- generated:questions -->\n{questions_table(ours())}\n<!-- /generated -->" in readme


def test_a_foreign_question_may_not_take_one_of_our_ids() -> None:
    ours_reworded = replace(ours().questions["trust_honest"], text={"mentor": {"en": "Do you trust Ben?"}})
    with pytest.raises(RapportError, match="trust_honest is already taken"):
        ours().with_questions((ours_reworded,))
    foreign = Question(id="q17", construct="trust", kind="text", text={"mentor": {"en": "Anything else?"}})
    declared = ours().with_questions((foreign,))
    assert declared.questions["q17"] == replace(foreign, placing="fixed")
    assert declared.with_questions((foreign,)) == declared


# Reading the files -------------------------------------------------------------------------------

NEW = """
[[question]]
id = "recognition_credit"
principles = ["P33"]
scale = "agreement"
source = "a test"
reviewed = { en = "author", de = "author" }
[question.mentee]
en = "{other} gives me credit for what I did."
de = "{other} rechnet mir an, was ich getan habe."
"""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A copy of this room's files that a test may edit."""
    for folder in ("questions", "pulses"):
        shutil.copytree(ROOM / folder, tmp_path / folder)
    shutil.copy(ROOM / "scales.toml", tmp_path)
    return tmp_path


def edited(room: Path, file: str, old: str, new: str) -> Path:
    path = room / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return room


def added(room: Path, entry: str, file: str = "recognition") -> Path:
    with (room / "questions" / f"{file}.toml").open("a", encoding="utf-8") as writing:
        writing.write(entry)
    return room


def refusal(room: Path) -> str:
    with pytest.raises(RapportError) as refused:
        load(room)
    return str(refused.value)


def test_one_entry_adds_a_question_to_the_questionnaire_and_its_forms(room: Path) -> None:
    with_new = load(added(room, NEW))
    assert set(with_new.questions) - set(ours().questions) == {"recognition_credit"}
    dealt = {id_ for form in forms(with_new, "pulse", "mentee") for id_ in form}
    assert "recognition_credit" in dealt
    assert "recognition_credit" not in {id_ for form in forms(with_new, "pulse", "mentor") for id_ in form}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("recognition_credit", "trust_honest", "The id trust_honest is used twice."),
        ('"agreement"', '"stars"', "The question recognition_credit needs one of the scales agreement."),
        (
            "source =",
            "shareable = true\nsource =",
            "The question recognition_credit may not be shareable: only expectations and goals are.",
        ),
        ('de = "{other} rechnet mir an, was ich getan habe."\n', "",
         "The question recognition_credit for the mentee has no text in de."),
        (NEW[NEW.index("[question.mentee]"):], "", "The question recognition_credit has no text for any side."),
        ("source =", "colour = 1\nsource =",
         "The question recognition_credit has colour, which is not known; a misspelling?"),
        ('id = "recognition_credit"\n', "", "The question without an id needs id."),
        ("source =", 'placing = "sometimes"\nsource =',
         "The question recognition_credit has an unknown kind or placing."),
        ("source =", 'seen_by = "everyone"\nsource =',
         'The question recognition_credit needs seen_by = "nobody" or "programme team".'),
        ("source =", 'seen_by = "programme team"\nsource =',
         "The question recognition_credit may be seen by the programme team only if it is operational."),
        ("source =", 'placing = "anchor"\nreverse = true\nsource =',
         "The question recognition_credit may not be reversed: an anchor says what is good."),
    ],
)  # fmt: skip
def test_a_bad_entry_stops_with_one_sentence(room: Path, old: str, new: str, sentence: str) -> None:
    assert old in NEW
    assert refusal(added(room, NEW.replace(old, new, 1))) == sentence


def test_a_trust_question_can_never_be_made_shareable(room: Path) -> None:
    edited(room, "questions/trust.toml", "shareable = false", "shareable = true")
    assert refusal(room) == "The question trust_honest may not be shareable: only expectations and goals are."


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("pulses/pulse.toml", '"trust_honest"', '"trust_hones"',
         "The pulse pulse names trust_hones, which no file defines."),
        ("pulses/pulse.toml", "seats = 3", "seats = 4",
         "The pulse pulse may ask the mentor at most 7 questions."),
        ("pulses/pulse.toml", '"goals_progress"', '"trust_honest"',
         "The pulse pulse asks the mentor one question twice."),
        ("pulses/pulse.toml", '"trust_honest"', '"network_connections"',
         "The pulse pulse asks network_connections of the mentor, for whom it has no text."),
        ("pulses/pulse.toml", '"mutual_learning_gives"', '"mutual_gives"',
         "The pulse pulse names mutual_gives, which no file defines."),
        ("pulses/pulse.toml", "seats", "chairs",
         "The pulse pulse.toml has chairs, which is not known; a misspelling?"),
        ("scales.toml", '"Strongly disagree", ', "",
         "The scale agreement needs equally many labels in every language."),
        ("questions/trust.toml", 'licence = "CC-BY-4.0"\n', "", "trust.toml needs licence."),
        ("questions/trust.toml", 'kind = "construct"', 'kind = "feeling"',
         "trust.toml needs a kind out of construct, outcome, operational."),
        ("questions/trust.toml", 'de = "Vertrauen"', 'de = ""',
         "The label of trust.toml has no text in de."),
        ("questions/trust.toml", 'side = "mentor"', 'side = "boss"',
         "The practice practice_trust_honest_mentor needs a side out of mentor, mentee."),
        ("questions/trust.toml", "practice_trust_honest_mentee", "practice_trust_honest_mentor",
         "The id practice_trust_honest_mentor is used twice."),
    ],
)  # fmt: skip
def test_a_bad_file_stops_with_one_sentence(room: Path, file: str, old: str, new: str, sentence: str) -> None:
    assert refusal(edited(room, file, old, new)) == sentence


def test_a_file_that_is_not_toml_is_named(room: Path) -> None:
    (room / "questions" / "trust.toml").write_text("construct = trust", encoding="utf-8")
    assert refusal(room).startswith("trust.toml is not valid TOML: ")


def test_a_missing_file_is_named(room: Path) -> None:
    (room / "scales.toml").unlink()
    assert refusal(room) == f"The file scales.toml is missing in {room.name}."
