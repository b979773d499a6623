"""Lists the kinds of file that people hand in: their columns, and what one row must make sense of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.errors import RapportError
from data.imports.cells import (
    Parser,
    choice,
    day,
    email,
    language,
    line,
    number,
    text_id,
    time_zone,
    whole,
)

Values = Mapping[str, Any]
LEAVE_TYPES = ("voluntary", "involuntary", "other")
SMALLEST_GROUP = 10  # confidentiality.md, rule 8


@dataclass(frozen=True)
class Column:
    """One column: how its cells are read, and whether a row is nothing without it."""

    name: str
    read: Parser
    is_required: bool = False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of file. `key` tells its rows apart; `sense` says what is wrong with a row, or ""."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    sense: Callable[[Values], str]
    is_pseudonymous: bool = False
    filled_from: Mapping[str, str] = field(default_factory=dict)  # an empty column → the one it follows


def _people(_row: Values) -> str:
    return ""


def _pairings(row: Values) -> str:
    if row["mentor_id"] == row["mentee_id"]:
        return "mentor and mentee are one person"
    return _order(row, "started_on", "ended_on") or _order(row, "started_on", "planned_end_on")


def _employment(row: Values) -> str:
    if row.get("leave_type") and not row.get("left_on"):
        return "a leave_type without left_on"
    return _order(row, "hired_on", "left_on") or _order(row, "hired_on", "valid_from")


def _engagement(row: Values) -> str:
    if row["scale_max"] <= 0 or not 0 <= row["score"] <= row["scale_max"]:
        return "a score outside 0 to scale_max"
    return ""


def _engagement_groups(row: Values) -> str:
    if row["n"] < SMALLEST_GROUP:
        return f"a group of fewer than {SMALLEST_GROUP} people"
    if row["scale_max"] <= 0 or not 0 <= row["mean"] <= row["scale_max"]:
        return "a mean outside 0 to scale_max"
    return "a negative sd" if row["sd"] < 0 else ""


def _workbook(row: Values) -> str:
    if row["mentor_email"].casefold() == row["mentee_email"].casefold():
        return "mentor and mentee are one person"
    return ""


def _order(row: Values, first: str, second: str) -> str:
    if row.get(second) is not None and row[second] < row[first]:
        return f"{second} before {first}"
    return ""


PEOPLE = Kind(
    name="people",
    key=("person_id",),
    sense=_people,
    columns=(
        Column("person_id", text_id, True),
        Column("name", line, True),
        Column("email", email),
        Column("language", language),
        Column("time_zone", time_zone),
        Column("department", line),
        Column("location", line),
        Column("grade", line),
    ),
)
PAIRINGS = Kind(
    name="pairings",
    key=("pairing_id",),
    sense=_pairings,
    columns=(
        Column("pairing_id", text_id, True),
        Column("programme", text_id),
        Column("cohort", line),
        Column("mentor_id", text_id, True),
        Column("mentee_id", text_id, True),
        Column("started_on", day, True),
        Column("planned_end_on", day),
        Column("ended_on", day),
        Column("end_reason", line),
    ),
)
EMPLOYMENT = Kind(
    name="employment",
    key=("person_id", "hired_on", "valid_from"),
    sense=_employment,
    is_pseudonymous=True,
    filled_from={"valid_from": "hired_on"},
    columns=(
        Column("person_id", text_id, True),
        Column("hired_on", day, True),
        Column("left_on", day),
        Column("leave_type", choice(*LEAVE_TYPES)),
        Column("department", line),
        Column("location", line),
        Column("grade", line),
        Column("valid_from", day),
    ),
)
ENGAGEMENT = Kind(
    name="engagement",
    key=("person_id", "measured_on"),
    sense=_engagement,
    is_pseudonymous=True,
    columns=(
        Column("person_id", text_id, True),
        Column("measured_on", day, True),
        Column("score", number, True),
        Column("scale_max", number, True),
    ),
)
ENGAGEMENT_GROUPS = Kind(
    name="engagement-groups",
    key=("group", "measured_on"),
    sense=_engagement_groups,
    columns=(
        Column("group", line, True),
        Column("measured_on", day, True),
        Column("n", whole, True),
        Column("mean", number, True),
        Column("sd", number, True),
        Column("scale_max", number, True),
    ),
)
WORKBOOK = Kind(
    name="workbook",
    key=("mentor_email", "mentee_email", "started_on"),
    sense=_workbook,
    columns=(
        Column("mentor_name", line, True),
        Column("mentor_email", email, True),
        Column("mentee_name", line, True),
        Column("mentee_email", email, True),
        Column("started_on", day, True),
        Column("department", line),
        Column("language", language),
        Column("programme", text_id),
    ),
)
KINDS = {kind.name: kind for kind in (PEOPLE, PAIRINGS, EMPLOYMENT, ENGAGEMENT, ENGAGEMENT_GROUPS, WORKBOOK)}


def kind_named(name: str) -> Kind:
    if name not in KINDS:
        raise RapportError(f"There is no kind of file called {name}; expected one of {', '.join(KINDS)}.")
    return KINDS[name]
