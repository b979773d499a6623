"""Reads who will be asked, and keeps what a programme decides about its results before its first round."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from data import decisions
from data.errors import RapportError
from data.imports.toml_file import read_toml
from data.store import audit, people
from data.store.decisions import change, is_locked
from data.store.engine import Connection, Stores, reading, writing
from data.store.people import Pairing, Person, Programme
from pipeline.disclosure.thresholds import Thresholds, thresholds
from pipeline.forecast import Dealt, View, forecast
from pipeline.grouping import Proposal, propose
from pipeline.metric import catalogue
from surveys.questionnaire import SIDES, ours

NOT_STATED = "not stated"  # what a release calls those without a value
COLUMNS = ["pairing_id", "side", "person_id", *decisions.ATTRIBUTES]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What holds for a programme's results, who decided it, and whether it may still change."""

    programme: Programme
    thresholds: Thresholds
    groups: decisions.Groups
    told: Mapping[str, Mapping[str, str]]
    is_locked: bool


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What can be shown of a programme with the people who are in it today."""

    decided: Decided
    response: float
    n_pairings: int
    mentors: int
    mentees: int
    views: tuple[View, ...]
    proposals: tuple[Proposal, ...]


def decided(stores: Stores, programme_id: str | None) -> Decided:
    """What a programme decided, of the only programme where none is named."""
    with reading(stores.raw) as connection:
        return _decided(connection, programme_id)


def outlook(stores: Stores, programme_id: str | None, *, dealt: Dealt, response: float, today: date) -> Outlook:
    """The forecast of a programme; it reads no answer."""
    with reading(stores.raw) as connection:
        found = _decided(connection, programme_id)
        asked = _asked(connection, found.programme.programme_id, today)
    names = found.thresholds.attributes
    grouped = asked.assign(
        **{
            name: [decisions.group_of(found.groups, name, value) or NOT_STATED for value in asked[name]]
            for name in names
        }
    )
    views = forecast(
        grouped,
        questionnaire=ours(),
        dealt=dealt,
        metrics=catalogue(),
        thresholds=found.thresholds,
        response=response,
    )
    n_people = asked.groupby("side")["person_id"].nunique()
    return Outlook(
        decided=found,
        response=response,
        n_pairings=asked["pairing_id"].nunique(),
        mentors=int(n_people["mentor"]),
        mentees=int(n_people["mentee"]),
        views=tuple(views),
        proposals=() if found.is_locked else tuple(propose(asked, name) for name in names),
    )


def proposals(stores: Stores, programme_id: str, today: date) -> list[Proposal]:
    """Groups for every attribute that the programme reports by."""
    with reading(stores.raw) as connection:
        asked = _asked(connection, programme_id, today)
        return [propose(asked, name) for name in _decided(connection, programme_id).thresholds.attributes]


def keep_thresholds(
    stores: Stores, programme_id: str, changed: Mapping[str, Any], *, by: str, now: datetime
) -> Decided:
    """Decide on thresholds or attributes; groups of an attribute that is reported by no more are dropped."""
    with reading(stores.raw) as connection:
        kept = people.programme(connection, programme_id).decisions
    reported = changed.get("attributes", kept.get("attributes", ()))
    groups = {name: values for name, values in kept.get("groups", {}).items() if name in reported}
    return _keep(stores, programme_id, {**changed, "groups": groups or None}, "thresholds", by=by, now=now)


def keep_groups(stores: Stores, programme_id: str, groups: decisions.Groups, *, by: str, now: datetime) -> Decided:
    """Decide on the reporting groups of every attribute; one that is left out is reported as it is."""
    reported = decided(stores, programme_id).thresholds.attributes
    strange = [name for name in groups if name not in reported]
    if strange:
        raise RapportError(
            f"The programme {programme_id} does not report by {strange[0]}; expected groups for "
            f"{', '.join(reported) or 'no attribute'}."
        )
    return _keep(stores, programme_id, {"groups": {**groups}}, "groups", by=by, now=now)


def read_groups(path: Path) -> dict[str, dict[str, str]]:
    """A TOML of groups: a table an attribute, in it a line a value: "Sales North" = "Sales"."""
    groups: dict[str, dict[str, str]] = decisions.settled({"groups": read_toml(path)})["groups"]
    return groups


def _keep(
    stores: Stores, programme_id: str, changed: Mapping[str, Any], what: str, *, by: str, now: datetime
) -> Decided:
    """The audit entry is written first: nothing changes without one."""
    with writing(stores.raw) as connection:
        told = people.programme(connection, programme_id).decisions.get(decisions.DECIDED, {})
        new = {**told, what: {"by": by, "at": now.isoformat()}}
        change(connection, programme_id, {**changed, decisions.DECIDED: new})
        with writing(stores.access) as access:
            audit.note(access, at=now, who=by, action=f"{what} decided", about=programme_id)
        return _decided(connection, programme_id)


def _decided(connection: Connection, programme_id: str | None) -> Decided:
    programme = people.programme(connection, programme_id or _only(connection))
    return Decided(
        programme=programme,
        thresholds=thresholds(programme.decisions),
        groups=decisions.settled(programme.decisions)["groups"],
        told=programme.decisions.get(decisions.DECIDED, {}),
        is_locked=is_locked(connection, programme.programme_id),
    )


def _only(connection: Connection) -> str:
    known = [each.programme_id for each in people.programmes_kept(connection)]
    if len(known) != 1:
        found = f"are {', '.join(known)}" if known else "is none yet"
        raise RapportError(f"Say which programme; there {found}.")
    return known[0]


def _asked(connection: Connection, programme_id: str, today: date) -> pd.DataFrame:
    """One row a side of each pairing that has not ended, with the person's attributes as they stand today."""
    known = {person.person_id: person for person in people.people_of(connection, programme_id)}
    pairings = [each for each in people.pairings_of(connection, programme_id) if not _has_ended(each, today)]
    if not pairings:
        raise RapportError(
            f"The programme {programme_id} has no pairings yet; `rapport import pairings` brings them in."
        )
    rows = [_row(pairing, side, known[pairing.person(side)]) for pairing in pairings for side in SIDES]
    return pd.DataFrame(rows, columns=COLUMNS)


def _has_ended(pairing: Pairing, today: date) -> bool:
    return pairing.ended_on is not None and pairing.ended_on < today


def _row(pairing: Pairing, side: str, person: Person) -> list[str]:
    values = {"cohort": pairing.cohort, "department": person.department}
    values |= {"location": person.location, "grade": person.grade}
    own = [values[name] or decisions.NOT_STATED for name in decisions.ATTRIBUTES]
    return [pairing.pairing_id, side, person.person_id, *own]
