"""Turns a file of changes, one row an event, into rows of employment with the day of hiring and of leaving.

A row holds from its day on. A hire begins a spell, a leave ends it on the day before, anything else changes what is
known; every row of a spell carries the spell's end. Where somebody's events contradict one another, or one that
begins or ends a spell has no usable row, nothing says which spells are true, and all rows of that person are refused.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from data.imports.cells import day, line, text_id, whole
from data.imports.kinds import EMPLOYMENT, LEAVE_TYPES, Column, Kind, Values
from data.imports.mapping import Events, FileMap
from data.imports.report import Refusal
from data.imports.rows import Good, Read, read_rows, without_conflicts
from data.imports.sheet import Sheet

CONTRADICTION = "the events of this person contradict one another"
UNPLACED = "another hire or leave of this person has no usable row"
UNKNOWN_LEAVE = f"leave_type: not one of {', '.join(LEAVE_TYPES)}"
OWN = ("event", "sequence")  # read, and not kept

COLUMNS = (
    Column("person_id", text_id, True),
    Column("valid_from", day, True),
    Column("event", line, True),
    Column("sequence", whole),
    *(Column(name, line) for name in ("leave_type", "department", "location", "grade")),
)

Place = tuple[date, int, str]  # day, sequence and event


@dataclass
class _Spell:
    hired_on: date
    left_on: date | None = None
    leave_types: set[str | None] = field(default_factory=set)


def read_events(sheet: Sheet, file_map: FileMap, events: Events) -> Read:
    """Every row of the sheet, once: good, refused or blank, as `read_rows` gives them for employment."""
    read = read_rows(sheet, _kind(events), _with_event_columns(file_map, events))
    lost = {
        file_map.said("person_id", row.cells.get("person_id"))
        for row in read.refused
        if events.begins(row.cells.get("event", "")) or events.ends(row.cells.get("event", ""))
    }
    by_person: dict[str, list[Good]] = defaultdict(list)
    for row in read.good:
        by_person[row.values["person_id"]].append(row)
    good: list[Good] = []
    refused: list[Refusal] = list(read.refused)
    for person, rows in by_person.items():
        spells = None if person in lost else _spells(rows, events)
        if spells is None:
            reason = UNPLACED if person in lost else CONTRADICTION
            refused += [Refusal(row.number, reason, "", row.cells) for row in rows]
        else:
            good += [_in_spell(row, spells[_place(row)], events) for row in _last_of_each_day(rows, spells)]
    sensible, odd = _sensible(good)
    agreed, disagreeing = without_conflicts(sensible, EMPLOYMENT)
    kept = tuple(sorted(agreed, key=lambda row: row.number))
    return replace(read, good=kept, refused=tuple(_told(row) for row in (*refused, *odd, *disagreeing)))


def _kind(events: Events) -> Kind:
    def sense(row: Values) -> str:
        leave_type = row.get("leave_type")
        is_known = leave_type is None or leave_type.casefold() in LEAVE_TYPES
        return "" if is_known or not events.ends(row["event"]) else UNKNOWN_LEAVE

    # Everything is key, so that rows may disagree until it is known to which spell they belong.
    return Kind(name=EMPLOYMENT.name, columns=COLUMNS, key=tuple(column.name for column in COLUMNS), sense=sense)


def _with_event_columns(file_map: FileMap, events: Events) -> FileMap:
    own = {events.column: "event"} | ({events.sequence: "sequence"} if events.sequence else {})
    return replace(file_map, columns={**file_map.columns, **own})


def _place(row: Good) -> Place:
    return row.values["valid_from"], row.values.get("sequence") or 0, row.values["event"]


def _spells(rows: Sequence[Good], events: Events) -> dict[Place, _Spell] | None:
    """The spell of each event; None where no order of hires and leaves makes sense of them."""
    spells: dict[Place, _Spell] = {}
    now: _Spell | None = None
    for row in sorted(rows, key=lambda row: (_place(row)[:2], row.number)):
        place = _place(row)
        is_in_service = now is not None and now.left_on is None
        if place in spells:  # said twice
            pass
        elif events.begins(place[2]) and not is_in_service:
            now = _Spell(place[0])
        elif events.ends(place[2]) and now is not None and is_in_service:
            now.left_on = place[0] - timedelta(days=1)
        elif now is None or events.begins(place[2]) or events.ends(place[2]):
            return None
        spell = spells.setdefault(place, now) if now is not None else None
        if spell is not None and events.ends(place[2]):
            spell.leave_types.add(row.values.get("leave_type"))
    return spells


def _last_of_each_day(rows: Sequence[Good], spells: Mapping[Place, _Spell]) -> Iterable[Good]:
    """Rows of one day and spell say what the last of them in sequence says."""

    def when(row: Good) -> tuple[date, date]:
        return spells[_place(row)].hired_on, row.values["valid_from"]

    last: dict[tuple[date, date], Good] = {}
    for row in sorted(rows, key=_place):
        last[when(row)] = row
    for row in rows:
        final = last[when(row)]
        is_over = _place(row)[1] < _place(final)[1]
        yield replace(row, values=final.values) if is_over else row


def _in_spell(row: Good, spell: _Spell, events: Events) -> Good:
    known = spell.leave_types
    leave_type = row.values.get("leave_type") if events.ends(row.values["event"]) else None
    if leave_type is None and len(known) == 1:
        leave_type = next(iter(known))
    values: dict[str, Any] = {name: value for name, value in row.values.items() if name not in OWN}
    values |= {
        "hired_on": spell.hired_on,
        "left_on": spell.left_on,
        "leave_type": leave_type and leave_type.casefold(),
    }
    return Good(row.number, values, row.cells)


def _sensible(rows: Iterable[Good]) -> tuple[list[Good], list[Refusal]]:
    good: list[Good] = []
    refused: list[Refusal] = []
    for row in rows:
        reason = EMPLOYMENT.sense(row.values)
        if reason:
            refused.append(Refusal(row.number, reason, "", row.cells))
        else:
            good.append(row)
    return good, refused


def _told(row: Refusal) -> Refusal:
    return replace(row, cells={name: cell for name, cell in row.cells.items() if name not in OWN})
