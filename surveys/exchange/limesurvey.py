"""Reads LimeSurvey's exports of responses: CSV, XLSX, VV and JSON, from the screen and RemoteControl."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from data.errors import RapportError
from data.imports.files import HandedIn, sheet_of
from data.imports.sheet import Limits, RawRow, Sheet, normal
from surveys.exchange.form import ForeignFile, ForeignMap
from surveys.exchange.wide import Unmask, find, responses_of
from surveys.questionnaire import Questionnaire

NOT_SHOWN = "{question_not_shown}"
ESCAPED = {"newline": "\n", "cr": "\r", "tab": "\t", "quote": '"', "lbrace": "{"}  # of the VV export
_ESCAPE = re.compile("{(" + "|".join(ESCAPED) + ")}")
_CODE = re.compile(r"(\w+)(?:\[(\w+)\])?")
_CODE_AND_TEXT = re.compile(r"(\w+(?:\[\w+\])?)\. ")


def read(handed_in: HandedIn, told: ForeignMap, _questionnaire: Questionnaire, limits: Limits) -> ForeignFile:
    """The responses of one export, whatever its headings: codes, texts or both."""
    if handed_in.content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        return responses_of(_from_json(handed_in.content), told, spelled, lambda cell: cell)
    sheet = sheet_of(handed_in, told.layout, limits)
    if _is_vv(sheet, told):
        return responses_of(_without_texts(sheet), told, spelled, _unescaped)
    return responses_of(sheet, told, spelled, _unmasking(told.equations_masked))


def spelled(heading: str) -> set[str]:
    """rel[open], rel_open and "rel[open]. I can talk openly" are one column."""
    code_and_text = _CODE_AND_TEXT.match(heading)
    code = _CODE.fullmatch(code_and_text[1] if code_and_text else heading.strip())
    names = {normal(heading)}
    if code:
        names.add(normal(code[0]))
        names.add(normal(f"{code[1]}_{code[2]}" if code[2] else code[1]))
    return names


def _unmasking(masked: bool) -> Unmask:
    """LimeSurvey writes '=1+1 for an answer =1+1, so that a spreadsheet does not run it."""

    def unmask(cell: str | None) -> str | None:
        return cell[1:] if masked and cell is not None and cell.startswith("'=") else cell

    return unmask


# --- VV: a row of texts, then the row of codes ---------------------------------------------------


def _is_vv(sheet: Sheet, told: ForeignMap) -> bool:
    if not sheet.rows or not any(NOT_SHOWN in row.cells for row in sheet.rows):
        return False
    try:
        find([cell or "" for cell in sheet.rows[0].cells], told, spelled)
    except RapportError:
        return False
    return True


def _without_texts(sheet: Sheet) -> Sheet:
    codes = tuple(cell or "" for cell in sheet.rows[0].cells)
    rows = (replace(row, cells=tuple(map(_shown, row.cells))) for row in sheet.rows[1:])
    return Sheet(codes, tuple(rows), sheet.n_header + 1)


def _shown(cell: str | None) -> str | None:
    return None if cell == NOT_SHOWN else cell


def _unescaped(cell: str | None) -> str | None:
    return None if cell is None else _ESCAPE.sub(lambda match: ESCAPED[match[1]], cell)


# --- RemoteControl's JSON ------------------------------------------------------------------------


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys as they stand, equal ones too."""

    def first(self, name: str) -> Any:
        return next((value for key, value in self if key == name), None)


def _from_json(content: bytes) -> Sheet:
    whole = _parsed(content)
    if isinstance(whole.first("result"), str):  # the reply as sent
        try:
            whole = _parsed(base64.b64decode(whole.first("result"), validate=True))
        except ValueError:
            raise RapportError("The reply holds no responses; expected base64 text in its result.") from None
    responses = whole.first("responses")
    if not isinstance(responses, list) or not all(isinstance(entry, _Pairs) for entry in responses):
        raise RapportError('The file is not an export of responses; expected {"responses": [...]}.')
    header = tuple(key for key, _ in responses[0]) if responses else ()
    rows = tuple(_row(number, header, entry) for number, entry in enumerate(responses, start=1))
    return Sheet(header, rows, 0)


def _parsed(content: bytes) -> _Pairs:
    try:
        whole = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise RapportError("The file is not JSON as LimeSurvey writes it; export it again.") from None
    if not isinstance(whole, _Pairs):
        raise RapportError('The file is not an export of responses; expected {"responses": [...]}.')
    return whole


def _row(number: int, header: tuple[str, ...], entry: _Pairs) -> RawRow:
    if tuple(key for key, _ in entry) != header:
        return RawRow(number, (), "other questions than the first response")
    faults: Mapping[int, str] = {
        place: "neither text nor number"
        for place, (_, value) in enumerate(entry)
        if isinstance(value, bool | float | list)
    }
    cells = tuple(None if value is None else str(value) for _, value in entry)
    return RawRow(number, cells, "", faults)
