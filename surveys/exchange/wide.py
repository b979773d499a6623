"""Reads a sheet with one response a row, wherever its tool put which column."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from data.errors import RapportError
from data.imports.cells import YEARS, CellError, language
from data.imports.report import Refusal
from data.imports.sheet import Layout, RawRow, Sheet, normal
from surveys.exchange.form import Alternatives, ForeignFile, ForeignMap, ForeignQuestion, ForeignResponse
from surveys.exchange.mapping import side_of

Spelling = Callable[[str], set[str]]  # a heading → the ways to name it, in normal spelling
Unmask = Callable[[str | None], str | None]

NO_TIME = "a time that cannot be read"
UNKNOWN_TOKEN = "a token that the respondents' file does not have"  # noqa: S105 - a reason, not a secret
UNKNOWN_SIDE = "neither mentor nor mentee"
OPTIONAL = ("response", "last_action_at", "language")


@dataclass(frozen=True)
class Places:
    """Where everything stands: meta column → place, (question, option) → place."""

    meta: Mapping[str, int]
    answers: Mapping[tuple[str, str], int]
    unknown: tuple[str, ...]


def responses_of(sheet: Sheet, told: ForeignMap, spelling: Spelling, unmask: Unmask) -> ForeignFile:
    """Every row of the sheet as a response, or refused."""
    places = find(sheet.header, told, spelling)
    responses: list[ForeignResponse] = []
    refused: list[Refusal] = []
    filled = [row for row in sheet.rows if not row.is_blank]
    for row in filled:
        outcome = Refusal(row.number, row.fault) if row.fault else _response(row, places, told, unmask)
        if isinstance(outcome, Refusal):
            refused.append(outcome)
        else:
            responses.append(outcome)
    return ForeignFile(
        responses=tuple(responses),
        refused=tuple(refused),
        n_rows=sheet.n_rows,
        n_header=sheet.n_header,
        n_blank=len(sheet.rows) - len(filled),
        unknown_columns=places.unknown,
    )


def find(header: Iterable[str], told: ForeignMap, spelling: Spelling) -> Places:
    """The place of every column that the map names; a question that is not there would be lost silently."""
    headings = list(header)
    spelled = [spelling(heading) for heading in headings]
    meta = {name: _place(headings, spelled, ways, spelling) for name, ways in told.columns.items()}
    answers = {
        (question.id, option): _place(headings, spelled, ways, spelling)
        for question in told.questions
        for option, ways in question.columns.items()
    }
    for (id_, option), place in answers.items():
        if place is None:
            raise RapportError(f"The file has no column for the question {' '.join((id_, option)).strip()}.")
    for name in _needed(told):
        if meta.get(name) is None:
            raise RapportError(f"The file has no column for {name}; name it in the map under [columns].")
    taken = {place for place in (*meta.values(), *answers.values()) if place is not None}
    unknown = tuple(name for place, name in enumerate(headings) if name and place not in taken)
    return Places(
        {name: place for name, place in meta.items() if place is not None},
        {key: place for key, place in answers.items() if place is not None},
        unknown,
    )


def _needed(told: ForeignMap) -> tuple[str, ...]:
    who = ("token",) if told.respondents is not None else ("pairing_id", "side")
    return (*who, "submitted_at")


def _place(headings: list[str], spelled: list[set[str]], ways: Alternatives, spelling: Spelling) -> int | None:
    wanted = {way for alternative in ways for way in spelling(alternative)}
    found = [place for place, names in enumerate(spelled) if names & wanted]
    if len(found) > 1:
        raise RapportError(
            f'The columns "{headings[found[0]]}" and "{headings[found[1]]}" could both be "{ways[0]}"; '
            "name one of them exactly in the map."
        )
    return found[0] if found else None


def _response(row: RawRow, places: Places, told: ForeignMap, unmask: Unmask) -> ForeignResponse | Refusal:
    meta = {name: (row.cells[place] or "").strip() for name, place in places.meta.items()}
    who = respondent(meta, told)
    if isinstance(who, str):
        return Refusal(row.number, who)
    submitted_at = moment(meta.get("submitted_at", ""), told.time_zone)
    last_action_at = moment(meta.get("last_action_at", ""), told.time_zone)
    if isinstance(submitted_at, str) or isinstance(last_action_at, str):
        return Refusal(row.number, NO_TIME)
    cells, faults = _answers(row, places, told.questions, unmask)
    return ForeignResponse(
        row_numbers=(row.number,),
        pairing_id=who[0],
        side=who[1],
        response_key=meta.get("response", ""),
        submitted_at=submitted_at,
        last_action_at=last_action_at,
        language=language_of(meta.get("language", "")),
        cells=cells,
        faults=faults,
    )


def _answers(
    row: RawRow, places: Places, questions: Iterable[ForeignQuestion], unmask: Unmask
) -> tuple[dict[str, str | None], dict[str, str]]:
    cells: dict[str, str | None] = {}
    faults: dict[str, str] = {}
    for question in questions:
        for option in question.columns:
            place = places.answers[question.id, option]
            key = cell_key(question.id, option)
            cells[key] = unmask(row.cells[place])
            if place in row.cell_faults:
                faults[key] = row.cell_faults[place]
    return cells, faults


def cell_key(question_id: str, option: str) -> str:
    """The name of one cell: a question, or one option of a question that has several columns."""
    return f"{question_id}[{option}]" if option else question_id


def respondent(meta: Mapping[str, str], told: ForeignMap) -> tuple[str, str] | str:
    """Pairing and side, or why they are not to be had."""
    if told.respondents is not None:
        return told.respondents.get(meta.get("token", ""), UNKNOWN_TOKEN)
    side = side_of(meta.get("side", ""), told.sides)
    return (meta.get("pairing_id", ""), side) if side else UNKNOWN_SIDE


def moment(text: str, zone: tzinfo) -> datetime | str | None:
    """A time with its zone; None for nothing, "" for what cannot be read."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return ""
    if read.year not in YEARS:
        return ""
    return read if read.tzinfo else read.replace(tzinfo=zone)


def language_of(text: str) -> str | None:
    """The language of a response, where it is named in a usable way."""
    try:
        return language(text, Layout())
    except CellError:
        return None


def plainly(heading: str) -> set[str]:
    """A heading has one way to be named."""
    return {normal(heading)}
