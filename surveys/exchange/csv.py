"""Reads answers from a plain table: a response a row, or an answer a row."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from data.errors import RapportError
from data.imports.files import HandedIn, sheet_of
from data.imports.report import Refusal
from data.imports.sheet import Limits, RawRow, Sheet, normal, refuse_duplicates
from surveys.exchange.form import ForeignFile, ForeignMap, ForeignQuestion, ForeignResponse
from surveys.exchange.wide import NO_TIME, language_of, moment, plainly, respondent, responses_of
from surveys.questionnaire import Questionnaire

LONG = ("pairing_id", "side", "submitted_at", "question_id", "value")
OF_ONE_RESPONSE = ("pairing_id", "side", "submitted_at", "response_id")
META = {
    "pairing_id": ("pairing_id",),
    "side": ("side",),
    "submitted_at": ("submitted_at",),
    "response": ("response_id",),
    "language": ("language",),
}
TWICE = "an answer to a question that the response has answered already"
UNKNOWN_QUESTION = "a question that the round does not have"


def read(handed_in: HandedIn, told: ForeignMap, questionnaire: Questionnaire, limits: Limits) -> ForeignFile:
    """Columns pairing_id, side, submitted_at and then a column a question id, or question_id and value."""
    sheet = sheet_of(handed_in, told.layout, limits)
    refuse_duplicates(sheet.header)
    header = {normal(heading) for heading in sheet.header}
    if set(LONG) <= header and not told.questions:
        return _long(sheet, told, questionnaire)
    columns = [ways for question in told.questions for ways in question.columns.values()]
    free = header - {normal(heading) for ways in columns for heading in ways}
    declared = {question.id for question in told.questions}
    ours = [id_ for id_ in questionnaire.questions if normal(id_) in free and id_ not in declared]
    plain = tuple(ForeignQuestion(id=id_, columns={"": (id_,)}) for id_ in ours)
    whole = replace(told, columns={**META, **told.columns}, questions=(*told.questions, *plain))
    if not whole.questions:
        raise RapportError("The file has no column that is a question of the round; expected question ids.")
    return responses_of(sheet, whole, plainly, lambda cell: cell)


def _long(sheet: Sheet, told: ForeignMap, questionnaire: Questionnaire) -> ForeignFile:
    places = {normal(heading): place for place, heading in enumerate(sheet.header)}
    known = {*LONG, "response_id", "language"}
    filled = [row for row in sheet.rows if not row.is_blank]
    refused = [Refusal(row.number, row.fault) for row in filled if row.fault]
    groups: dict[tuple[str, ...], list[tuple[RawRow, dict[str, str]]]] = defaultdict(list)
    for row in filled:
        if not row.fault:
            cells = {name: row.cells[place] or "" for name, place in places.items() if name in known}
            who = tuple(cells.get(name, "").strip() for name in OF_ONE_RESPONSE)
            groups[who].append((row, cells))
    responses = []
    for rows in groups.values():
        response = _gathered(rows, told, questionnaire, refused)
        if response is not None:
            responses.append(response)
    return ForeignFile(
        responses=tuple(responses),
        refused=tuple(refused),
        n_rows=sheet.n_rows,
        n_header=sheet.n_header,
        n_blank=len(sheet.rows) - len(filled),
        unknown_columns=tuple(heading for heading in sheet.header if heading and normal(heading) not in known),
    )


def _gathered(
    rows: list[tuple[RawRow, dict[str, str]]],
    told: ForeignMap,
    questionnaire: Questionnaire,
    refused: list[Refusal],
) -> ForeignResponse | None:
    """One response out of its rows; what cannot be part of it is added to `refused`."""
    meta = {name: cell.strip() for name, cell in rows[0][1].items()}
    who = respondent(meta, told)
    submitted_at = moment(meta["submitted_at"], told.time_zone)
    if isinstance(who, str) or isinstance(submitted_at, str):
        reason = who if isinstance(who, str) else NO_TIME
        refused.extend(Refusal(row.number, reason) for row, _ in rows)
        return None
    cells: dict[str, str | None] = {}
    row_of: dict[str, int] = {}
    for row, said in rows:
        question_id = said["question_id"].strip()
        if question_id not in questionnaire.questions or question_id in cells:
            refused.append(Refusal(row.number, TWICE if question_id in cells else UNKNOWN_QUESTION))
            continue
        cells[question_id], row_of[question_id] = said["value"], row.number
    if not cells:
        return None
    return ForeignResponse(
        row_numbers=tuple(row_of.values()),
        pairing_id=who[0],
        side=who[1],
        response_key=meta.get("response_id", ""),
        submitted_at=submitted_at,
        last_action_at=None,
        language=language_of(meta.get("language", "")),
        cells=cells,
        row_of=row_of,
        faults=dict(_faults(rows, row_of)),
    )


def _faults(rows: Iterable[tuple[RawRow, dict[str, str]]], row_of: dict[str, int]) -> Iterable[tuple[str, str]]:
    by_number = {row.number: row for row, _ in rows}
    for question_id, number in row_of.items():
        for reason in by_number[number].cell_faults.values():
            yield question_id, reason
