"""No id is used twice, and no wording changes under an id that has been answered."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import RapportError
from surveys import ledger
from surveys.ledger import Entry, check, read, updated, written
from surveys.questionnaire import ROOM, Question, Questionnaire, Scale, ours

HONEST = Question(
    id="honest",
    construct="trust",
    kind="scale",
    scale="agreement",
    text={"mentor": {"en": "I can be honest with {other}."}},
)


def asking(*questions: Question, low: str = "No") -> Questionnaire:
    scale = Scale(id="agreement", labels={"en": (low, "Yes"), "de": ("Nein", "Ja")})
    return Questionnaire(
        scales={"agreement": scale},
        constructs={},
        questions={question.id: question for question in questions},
        pulses={},
    )


KEPT = updated(asking(HONEST), {})


def test_our_ledger_agrees_with_our_questions() -> None:
    assert check(ours(), read()) == []
    assert len(read()) >= len(ours().questions)


def test_a_new_id_is_missed_until_it_is_entered() -> None:
    new = replace(HONEST, id="open")
    questionnaire = asking(HONEST, new)
    assert check(questionnaire, KEPT) == ["The question open is not in the ledger; run `python -m surveys.ledger`."]
    assert check(questionnaire, updated(questionnaire, KEPT)) == []


@pytest.mark.parametrize(
    "changed",
    [
        replace(HONEST, text={"mentor": {"en": "I can be frank with {other}."}}),
        replace(HONEST, text={**HONEST.text, "mentee": {"en": "I can be honest with {other}."}}),
        replace(HONEST, reverse=True),
        replace(HONEST, kind="yes_no"),
        replace(HONEST, options=("a", "b")),
    ],
)
def test_a_changed_meaning_is_caught_and_cannot_be_entered(changed: Question) -> None:
    told = ["The question honest has changed its meaning (en); give the new one its own id."]
    assert check(asking(changed), KEPT) == told
    assert check(asking(changed), updated(asking(changed), KEPT)) == told


def test_renamed_answer_labels_change_the_meaning() -> None:
    assert check(asking(HONEST, low="Never"), KEPT) == [
        "The question honest has changed its meaning (en); give the new one its own id."
    ]


def test_what_does_not_touch_the_meaning_may_change() -> None:
    touched = replace(HONEST, principles=("P01",), reviewed={"en": "native speaker"}, placing="anchor")
    assert check(asking(touched), KEPT) == []


def test_a_language_may_be_added_and_is_then_kept() -> None:
    german = replace(HONEST, text={"mentor": {**HONEST.text["mentor"], "de": "Ich bin ehrlich."}})
    assert check(asking(german), KEPT) == [
        "The question honest has a language that is not in the ledger; run `python -m surveys.ledger`."
    ]
    kept = updated(asking(german), KEPT)
    assert kept["honest"].meaning["en"] == KEPT["honest"].meaning["en"]
    reworded = replace(HONEST, text={"mentor": {**HONEST.text["mentor"], "de": "Ich bin offen."}})
    assert check(asking(reworded), kept) == [
        "The question honest has changed its meaning (de); give the new one its own id."
    ]


def test_an_id_that_is_gone_is_retired_and_never_used_again() -> None:
    assert check(asking(), KEPT) == ["The question honest is gone from the files; run `python -m surveys.ledger`."]
    kept = updated(asking(), KEPT)
    assert kept["honest"] == replace(KEPT["honest"], is_retired=True)
    assert check(asking(), kept) == []
    told = ["The id honest is retired and is never used again; give the question a new id."]
    assert check(asking(HONEST), kept) == told
    assert check(asking(HONEST), updated(asking(HONEST), kept)) == told


def test_the_file_reads_back_and_keeps_its_old_lines(tmp_path: Path) -> None:
    path = tmp_path / "ledger.toml"
    kept = {"b": Entry(meaning={"en": "01", "de": "02"}), "a": Entry(meaning={"en": "03"}, is_retired=True)}
    path.write_text(written(kept), encoding="utf-8")
    assert read(path) == kept
    assert written(read(path)) == path.read_text(encoding="utf-8")
    more = written(updated(ours(), read()) | kept).splitlines()
    assert set(written(read()).splitlines()) <= set(more)


def test_a_ledger_not_yet_written_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path / "ledger.toml") == {}


def test_the_command_enters_new_ids_and_stops_before_it_loses_a_meaning(tmp_path: Path) -> None:
    for folder in ("questions", "pulses"):
        shutil.copytree(ROOM / folder, tmp_path / folder)
    shutil.copy(ROOM / "scales.toml", tmp_path)
    path = tmp_path / "ledger.toml"
    ledger.main(path, tmp_path)
    first = path.read_bytes()
    ledger.main(path, tmp_path)
    assert path.read_bytes() == first
    fit = tmp_path / "questions" / "fit.toml"
    fit.write_text(fit.read_text(encoding="utf-8").replace("a good match.", "a fine match."), encoding="utf-8")
    with pytest.raises(RapportError, match="fit_match has changed its meaning"):
        ledger.main(path, tmp_path)
    assert path.read_bytes() == first
