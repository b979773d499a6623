"""Turns the TOML files of this room into frozen Question objects: the room's door for the pipeline.

A round keeps the JSON of `Questionnaire.to_json()` as its snapshot, so editing the files after it
opened changes nothing in it.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from data.errors import RapportError

ROOM = Path(__file__).resolve().parent
SIDES = ("mentor", "mentee")
Side = Literal["mentor", "mentee"]
Kind = Literal["scale", "yes_no", "number", "date", "choice", "multiple", "text"]
Placing = Literal["anchor", "rotating", "fixed", "operational"]
SeenBy = Literal["nobody", "programme team"]
ConstructKind = Literal["construct", "outcome", "operational"]
Texts = Mapping[str, str]  # language → text

# What the other side may ever see if its author shares it (confidentiality.md, rule 5).
SHAREABLE_CONSTRUCTS = frozenset({"expectations", "goals"})
DECLINED = "prefer_not_to_say"
LANGUAGES = ("en", "de")  # every text of ours has these; more may be added to a file


@dataclass(frozen=True, kw_only=True)
class Scale:
    """An ordered answer scale; point 1 is the lowest. `labels[language][k]` names point k + 1."""

    id: str
    labels: Mapping[str, tuple[str, ...]]

    @property
    def n_points(self) -> int:
        return len(next(iter(self.labels.values())))


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing asked. `text[side][language]` may hold {other}, the name of the other person."""

    id: str
    construct: str
    kind: Kind
    text: Mapping[str, Texts]
    principles: tuple[str, ...] = ()
    placing: Placing = "rotating"
    scale: str | None = None
    options: tuple[str, ...] = ()
    reverse: bool = False
    may_decline: bool = False
    seen_by: SeenBy = "nobody"
    shareable: bool = False
    source: str = ""
    version: int = 1
    licence: str = "CC-BY-4.0"
    reviewed: Texts = field(default_factory=dict)

    @property
    def sides(self) -> tuple[str, ...]:
        return tuple(side for side in SIDES if side in self.text)

    def means_the_same(self, other: "Question") -> bool:
        """Whether answers to both can be put together: kind, scale, direction, and every wording that both have."""
        mine, theirs = (
            {(side, language): said for side, texts in question.text.items() for language, said in texts.items()}
            for question in (self, other)
        )
        return all(mine[key] == theirs[key] for key in mine.keys() & theirs.keys()) and (
            (self.kind, self.scale, self.options, self.reverse)
            == (other.kind, other.scale, other.options, other.reverse)
        )


@dataclass(frozen=True, kw_only=True)
class Construct:
    """What a group of questions measures; `outcome` constructs are consequences, not quality."""

    id: str
    kind: ConstructKind
    label: Texts


@dataclass(frozen=True, kw_only=True)
class Practice:
    """One small thing that a person can do in the next meeting; it serves one principle.

    `text[language]` may hold {other}, the name of the other person.
    """

    id: str
    principle: str
    side: str
    text: Texts


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """Which questions a kind of round asks; `seats` rotating ones beside the fixed ones.

    `fill` names questions that take a seat left free by a construct with few rotating items.
    """

    id: str
    title: Texts
    max_questions: int
    fixed: Mapping[str, tuple[str, ...]]
    operational: tuple[str, ...] = ()
    seats: int = 0
    fill: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Questionnaire:
    """Everything a round may ask, by id."""

    scales: Mapping[str, Scale]
    constructs: Mapping[str, Construct]
    questions: Mapping[str, Question]
    pulses: Mapping[str, Pulse]
    practices: tuple[Practice, ...] = ()

    def of_construct(self, construct: str, side: str) -> tuple[Question, ...]:
        """The scored questions of a construct that a side is asked, in file order."""
        return tuple(
            question
            for question in self.questions.values()
            if question.construct == construct and side in question.sides and question.kind == "scale"
        )

    def asks_whole(self, pulse: str, construct: str, side: str) -> bool:
        """Whether every scored question of the construct is on this pulse's every form."""
        items = {question.id for question in self.of_construct(construct, side)}
        return bool(items) and items <= set(self.pulses[pulse].fixed.get(side, ()))

    def with_questions(self, foreign: tuple[Question, ...]) -> "Questionnaire":
        """This questionnaire and another tool's questions, whose ids may not be ours."""
        # Fixed, so that no form of ours deals another tool's question.
        added = {question.id: replace(question, placing="fixed") for question in foreign}
        taken = [key for key, question in added.items() if self.questions.get(key, question) != question]
        if taken:
            raise RapportError(
                f"The question id {taken[0]} is already taken with another wording; "
                "give the foreign question an id of its own."
            )
        return replace(self, questions={**self.questions, **added})

    def with_scales(self, scales: tuple[Scale, ...]) -> "Questionnaire":
        return replace(self, scales={**self.scales, **{scale.id: scale for scale in scales}})

    def to_json(self) -> str:
        """Canonical JSON: equal questionnaires give equal bytes."""
        return _canonical(asdict(self))

    @staticmethod
    @lru_cache(maxsize=32)  # every page of a round reads the same snapshot
    def from_json(content: str) -> "Questionnaire":
        raw = json.loads(content)
        return Questionnaire(
            scales={key: _scale(key, value["labels"]) for key, value in raw["scales"].items()},
            constructs={key: Construct(**value) for key, value in raw["constructs"].items()},
            questions={key: _question(value) for key, value in raw["questions"].items()},
            pulses={key: _pulse(value) for key, value in raw["pulses"].items()},
            practices=tuple(Practice(**value) for value in raw["practices"]),
        )


Entry = TypeVar("Entry", Question, Pulse, Practice)


def load(room: Path = ROOM) -> Questionnaire:
    """Read `scales.toml`, `questions/*.toml` and `pulses/*.toml`; a bad entry stops with a sentence."""
    files = [_headed(path) for path in sorted((room / "questions").glob("*.toml"))]
    questionnaire = Questionnaire(
        scales={key: _scale(key, value) for key, value in _toml(room / "scales.toml").items()},
        constructs={file["construct"]: _construct(file) for file in files},
        questions=_unique([_authored(file, entry) for file in files for entry in file.get("question", [])]),
        pulses=_unique([_pulse_file(path) for path in sorted((room / "pulses").glob("*.toml"))]),
        practices=tuple(_unique([_practice(entry) for file in files for entry in file.get("practice", [])]).values()),
    )
    _check(questionnaire)
    return questionnaire


@cache
def ours() -> Questionnaire:
    """The questionnaire that this version of Rapport ships."""
    return load()


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RapportError(f"The file {path.name} is missing in {path.parent.name}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RapportError(f"{path.name} is not valid TOML: {error}.") from None


def _headed(path: Path) -> dict[str, Any]:
    """A file of questions, whose head says what they measure."""
    file = _toml(path)
    head = ("construct", "kind", "label", "licence")
    _has_only(path.name, file, needed=head, known=("question", "practice"))
    if file["kind"] not in get_args(ConstructKind):
        raise RapportError(f"{path.name} needs a kind out of {', '.join(get_args(ConstructKind))}.")
    _in_all_languages(f"The label of {path.name}", file["label"])
    return file


def _has_only(name: str, entry: Mapping[str, Any], *, needed: Iterable[str], known: Iterable[str]) -> None:
    if missing := [key for key in needed if key not in entry]:
        raise RapportError(f"{name} needs {' and '.join(missing)}.")
    if strange := [key for key in entry if key not in {*needed, *known}]:
        raise RapportError(f"{name} has {strange[0]}, which is not known; a misspelling?")


def _in_all_languages(name: str, texts: Mapping[str, str]) -> None:
    missing = [language for language in LANGUAGES if not str(texts.get(language, "")).strip()]
    if missing:
        raise RapportError(f"{name} has no text in {' and '.join(missing)}.")


def _scale(key: str, labels: Mapping[str, Any]) -> Scale:
    if len({len(names) for names in labels.values()}) != 1:
        raise RapportError(f"The scale {key} needs equally many labels in every language.")
    return Scale(id=key, labels={language: tuple(names) for language, names in labels.items()})


def _construct(file: dict[str, Any]) -> Construct:
    return Construct(id=file["construct"], kind=file["kind"], label=file["label"])


def _authored(file: dict[str, Any], entry: dict[str, Any]) -> Question:
    """One [[question]] of a file; what its sides read stands in [question.mentor] and [question.mentee]."""
    name = f"The question {entry.get('id', 'without an id')}"
    given = {each.name for each in fields(Question)} - {"construct", "licence", "text"}
    _has_only(name, entry, needed=("id",), known=(*given, *SIDES))
    text = {side: entry[side] for side in SIDES if side in entry}
    for side, texts in text.items():
        _in_all_languages(f"{name} for the {side}", texts)
    rest = {key: value for key, value in entry.items() if key not in SIDES}
    rest.setdefault("kind", "scale")
    return _question({"construct": file["construct"], "licence": file["licence"], "text": text, **rest})


def _question(raw: Mapping[str, Any]) -> Question:
    lists = {name: tuple(raw.get(name, ())) for name in ("principles", "options")}
    return Question(**{**raw, **lists})


def _practice(entry: dict[str, Any]) -> Practice:
    name = f"The practice {entry.get('id', 'without an id')}"
    text = {key: value for key, value in entry.items() if key not in ("id", "principle", "side")}
    _has_only(name, entry, needed=("id", "principle", "side"), known=text)
    if entry["side"] not in SIDES:
        raise RapportError(f"{name} needs a side out of {', '.join(SIDES)}.")
    _in_all_languages(name, text)
    return Practice(id=entry["id"], principle=entry["principle"], side=entry["side"], text=text)


def _pulse_file(path: Path) -> Pulse:
    raw = _toml(path)
    _has_only(
        f"The pulse {path.name}",
        raw,
        needed=("id", "title", "max_questions", "fixed"),
        known=("operational", "seats", "fill"),
    )
    return _pulse(raw)


def _pulse(raw: Mapping[str, Any]) -> Pulse:
    fixed = {side: tuple(ids) for side, ids in raw["fixed"].items()}
    lists = {name: tuple(raw.get(name, ())) for name in ("operational", "fill")}
    return Pulse(**{**raw, "fixed": fixed, **lists})


def _unique(entries: list[Entry]) -> dict[str, Entry]:
    by_id = {entry.id: entry for entry in entries}
    if len(by_id) < len(entries):
        ids = [entry.id for entry in entries]
        twice = next(id_ for id_ in ids if ids.count(id_) > 1)
        raise RapportError(f"The id {twice} is used twice.")
    return by_id


def _check(questionnaire: Questionnaire) -> None:
    for question in questionnaire.questions.values():
        _check_question(questionnaire, question)
    for pulse in questionnaire.pulses.values():
        _check_pulse(questionnaire, pulse)


def _check_pulse(questionnaire: Questionnaire, pulse: Pulse) -> None:
    name = f"The pulse {pulse.id}"
    for question_id in (*chain(*pulse.fixed.values()), *pulse.operational, *pulse.fill):
        if question_id not in questionnaire.questions:
            raise RapportError(f"{name} names {question_id}, which no file defines.")
    for side, ids in pulse.fixed.items():
        for question_id in ids:
            if side not in questionnaire.questions[question_id].sides:
                raise RapportError(f"{name} asks {question_id} of the {side}, for whom it has no text.")
        if len(set(ids)) < len(ids):
            raise RapportError(f"{name} asks the {side} one question twice.")
        if len(ids) + pulse.seats > pulse.max_questions:
            raise RapportError(f"{name} may ask the {side} at most {pulse.max_questions} questions.")


def _check_question(questionnaire: Questionnaire, question: Question) -> None:
    name = f"The question {question.id}"
    if not question.text:
        raise RapportError(f"{name} has no text for any side.")
    if question.kind not in get_args(Kind) or question.placing not in get_args(Placing):
        raise RapportError(f"{name} has an unknown kind or placing.")
    if question.kind == "scale" and question.scale not in questionnaire.scales:
        raise RapportError(f"{name} needs one of the scales {', '.join(questionnaire.scales)}.")
    if question.seen_by not in get_args(SeenBy):
        raise RapportError(f'{name} needs seen_by = "nobody" or "programme team".')
    if question.reverse and question.placing == "anchor":
        raise RapportError(f"{name} may not be reversed: an anchor says what is good.")
    if question.shareable and question.construct not in SHAREABLE_CONSTRUCTS:
        raise RapportError(f"{name} may not be shareable: only expectations and goals are.")
    if question.seen_by == "programme team" and question.placing != "operational":
        raise RapportError(f"{name} may be seen by the programme team only if it is operational.")


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
