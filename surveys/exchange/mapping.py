"""Reads the map of another tool's export: its columns, its respondents, its questions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from data.errors import RapportError
from data.imports.files import sheet_of, take_in
from data.imports.mapping import read_layout, refuse_unknown
from data.imports.sheet import Layout, normal
from data.imports.toml_file import read_toml
from surveys.exchange.form import Alternatives, ForeignMap, ForeignQuestion
from surveys.questionnaire import SIDES, Construct, Question, Scale

SECTIONS = (
    "file", "export", "columns", "sides", "respondents", "scales", "values", "construct", "question",
)  # fmt: skip
META = ("response", "submitted_at", "last_action_at", "language", "token", "pairing_id", "side")
FOREIGN = ("columns", "values", "no_answer")  # what an entry says beside the question itself


def read_foreign_map(path: Path) -> ForeignMap:
    """A checked map; the participants file that it names stands beside it."""
    raw = read_toml(path)
    refuse_unknown(raw, SECTIONS, "The map")
    export, columns = _table(raw, "export"), _table(raw, "columns")
    refuse_unknown(export, ("time_zone", "equations_masked", "no_answer"), "The map's [export]")
    refuse_unknown(columns, META, "The map's [columns]")
    sides = {normal(theirs): str(ours) for theirs, ours in _table(raw, "sides").items()}
    empty = _several(export.get("no_answer", ()))
    return ForeignMap(
        layout=read_layout(_table(raw, "file")),
        time_zone=_zone(export.get("time_zone", "UTC")),
        equations_masked=export.get("equations_masked") is True,
        columns={name: _several(said) for name, said in columns.items()},
        sides=sides,
        respondents=_respondents(path.parent, _table(raw, "respondents"), sides) if "respondents" in raw else None,
        questions=tuple(_entry(entry, _table(raw, "values"), empty) for entry in raw.get("question", ())),
        scales=tuple(_scale(id_, labels) for id_, labels in _table(raw, "scales").items()),
        constructs=tuple(_construct(entry) for entry in raw.get("construct", ())),
    )


def side_of(said: str, sides: Mapping[str, str]) -> str | None:
    """The side that a cell names, in our word or in a translated one."""
    side = sides.get(normal(said), normal(said))
    return side if side in SIDES else None


def _table(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = raw.get(name, {})
    if not isinstance(table, dict):
        raise RapportError(f"The map's {name} is not usable; expected a table [{name}].")
    return table


def _several(said: Any) -> Alternatives:
    if isinstance(said, str):
        return (said,)
    if not isinstance(said, list | tuple) or not all(isinstance(entry, str) for entry in said):
        raise RapportError("The map has an entry that is neither a text nor a list of texts.")
    return tuple(said)


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise RapportError(f"The map's time_zone {name} is not known; expected, for example, Europe/Berlin.") from None


def _respondents(folder: Path, raw: Mapping[str, Any], sides: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    known = ("file", "token", "pairing_id", "side")
    refuse_unknown(raw, known, "The map's [respondents]")
    if set(raw) != set(known):
        raise RapportError(f"The map's [respondents] needs {', '.join(known)}.")
    sheet = sheet_of(take_in(folder / str(raw["file"])), Layout())
    headings = [normal(heading) for heading in sheet.header]
    places = {}
    for name in known[1:]:
        if headings.count(normal(str(raw[name]))) != 1:
            raise RapportError(f"The file {raw['file']} needs one column {raw[name]}.")
        places[name] = headings.index(normal(str(raw[name])))
    found: dict[str, tuple[str, str]] = {}
    for row in sheet.rows:
        if row.is_blank or row.fault:
            continue
        token, pairing_id, said = ((row.cells[places[name]] or "").strip() for name in known[1:])
        side = side_of(said, sides)
        if not token or side is None:
            continue
        if found.get(token, (pairing_id, side)) != (pairing_id, side):
            raise RapportError(f"The file {raw['file']} gives one token to two respondents (row {row.number}).")
        found[token] = (pairing_id, side)
    return found


def _scale(id_: str, labels: Any) -> Scale:
    if not isinstance(labels, dict) or not labels:
        raise RapportError(f'The map\'s scale {id_} needs its labels: en = ["lowest", …, "highest"].')
    by_language = {language: _several(names) for language, names in labels.items()}
    if len({len(names) for names in by_language.values()}) != 1:
        raise RapportError(f"The map's scale {id_} has another number of points in another language.")
    return Scale(id=id_, labels=by_language)


def _construct(entry: Mapping[str, Any]) -> Construct:
    try:
        return Construct(**entry)
    except TypeError:
        raise RapportError("A [[construct]] of the map needs id, kind and label, and nothing else.") from None


def _entry(entry: Mapping[str, Any], named: Mapping[str, Any], empty: Alternatives) -> ForeignQuestion:
    id_ = str(entry.get("id", ""))
    columns = entry.get("columns", ())
    if not id_ or not columns:
        raise RapportError(f"The question {id_ or 'without id'} of the map needs an id and columns.")
    values = entry.get("values", {})
    if isinstance(values, str):
        if values not in named:
            raise RapportError(f"The question {id_} uses the values {values}, which the map does not list.")
        values = named[values]
    by_option = columns if isinstance(columns, dict) else {"": columns}
    return ForeignQuestion(
        id=id_,
        columns={option: _several(headings) for option, headings in by_option.items()},
        values={ours: _several(theirs) for ours, theirs in values.items()},
        # In a text, "N/A" may be what someone said; only the entry itself can declare it nothing.
        no_answer=(*(() if entry.get("kind") == "text" else empty), *_several(entry.get("no_answer", ()))),
        question=_question(id_, {name: said for name, said in entry.items() if name not in FOREIGN}),
    )


def _question(id_: str, said: Mapping[str, Any]) -> Question | None:
    if set(said) == {"id"}:
        return None
    text = {side: said[side] for side in SIDES if side in said}
    rest = {name: value for name, value in said.items() if name not in SIDES}
    for name in ("options", "principles"):
        rest[name] = tuple(rest.get(name, ()))
    try:
        return Question(text=text, placing=rest.pop("placing", "fixed"), **rest)
    except TypeError:
        raise RapportError(
            f"The question {id_} of the map needs construct, kind and a text for a side, and nothing unknown."
        ) from None
