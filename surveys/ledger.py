"""Remembers every question id ever used, so that no id is reused and no answered wording changes.

`python -m surveys.ledger` adds new ids and languages, and marks ids that are gone as retired. A
recorded meaning is never changed.
"""

import hashlib
import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from data.errors import RapportError
from surveys.questionnaire import ROOM, Question, Questionnaire, load

FILE = ROOM / "ledger.toml"
COMMAND = "python -m surveys.ledger"
HEAD = f"# Every question id ever used, with its meaning by language. Written by `{COMMAND}`; do not edit.\n"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One id: language → hash of what gives an answer in that language its meaning."""

    meaning: Mapping[str, str]
    is_retired: bool = False


Ledger = Mapping[str, Entry]


def read(path: Path = FILE) -> Ledger:
    if not path.exists():
        return {}
    lines = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        question_id: Entry(meaning=line["meaning"], is_retired=line.get("retired", False))
        for question_id, line in lines.items()
    }


def written(ledger: Ledger) -> str:
    """The ledger as its file holds it: one line an id, sorted."""
    return HEAD + "".join(f"{id_} = {_line(ledger[id_])}\n" for id_ in sorted(ledger))


def check(questionnaire: Questionnaire, ledger: Ledger) -> list[str]:
    """One sentence for each way in which the questions and the ledger disagree."""
    said = [
        sentence
        for question in questionnaire.questions.values()
        if (sentence := _disagreement(questionnaire, question, ledger.get(question.id)))
    ]
    gone = [id_ for id_ in ledger if id_ not in questionnaire.questions and not ledger[id_].is_retired]
    return said + [f"The question {id_} is gone from the files; run `{COMMAND}`." for id_ in gone]


def updated(questionnaire: Questionnaire, ledger: Ledger) -> Ledger:
    """The ledger with new ids and languages added and ids that are gone retired."""
    kept = {
        id_: entry if id_ in questionnaire.questions else replace(entry, is_retired=True)
        for id_, entry in ledger.items()
    }
    for question in questionnaire.questions.values():
        known = kept.get(question.id, Entry(meaning={}))
        kept[question.id] = replace(known, meaning={**meaning(questionnaire, question), **known.meaning})
    return kept


def meaning(questionnaire: Questionnaire, question: Question) -> dict[str, str]:
    """Language → hash of kind, wording for each side, answer labels, options and direction."""
    languages = sorted({language for texts in question.text.values() for language in texts})
    return {language: _hash(questionnaire, question, language) for language in languages}


def _hash(questionnaire: Questionnaire, question: Question, language: str) -> str:
    wording = {side: texts.get(language) for side, texts in question.text.items()}
    labels = questionnaire.scales[question.scale].labels.get(language) if question.scale else None
    told = [question.kind, wording, labels, question.options, question.reverse]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def _disagreement(questionnaire: Questionnaire, question: Question, entry: Entry | None) -> str | None:
    if entry is None:
        return f"The question {question.id} is not in the ledger; run `{COMMAND}`."
    if entry.is_retired:
        return f"The id {question.id} is retired and is never used again; give the question a new id."
    now = meaning(questionnaire, question)
    if changed := _changed(now, entry):
        return f"The question {question.id} has changed its meaning ({changed}); give the new one its own id."
    if set(now) - set(entry.meaning):
        return f"The question {question.id} has a language that is not in the ledger; run `{COMMAND}`."
    return None


def _changed(now: Mapping[str, str], entry: Entry) -> str:
    return ", ".join(sorted(lang for lang in now if entry.meaning.get(lang, now[lang]) != now[lang]))


def _line(entry: Entry) -> str:
    told = ", ".join(f'{language} = "{entry.meaning[language]}"' for language in sorted(entry.meaning))
    return f"{{ meaning = {{ {told} }}{', retired = true' if entry.is_retired else ''} }}"


def main(path: Path = FILE, room: Path = ROOM) -> None:
    """Bring the ledger up to date, or stop with what must be put right by hand first."""
    questionnaire = load(room)
    ledger = updated(questionnaire, read(path))
    if wrong := check(questionnaire, ledger):
        raise RapportError(" ".join(wrong))
    path.write_text(written(ledger), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except RapportError as error:
        sys.exit(str(error))
