"""Keeps who takes part: programmes, people, pairings and their goals."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Table, func, insert, or_, select, update

from data.decisions import DEFAULTS
from data.errors import RapportError
from data.store.decisions import admitted
from data.tables import goal_levels, goals, pairings, people, programmes

DEFAULT_PROGRAMME = "programme"
DEFAULT_LANGUAGE = "en"
DEFAULT_DECISIONS = DEFAULTS


@dataclass(frozen=True, kw_only=True)
class Programme:
    """One mentoring programme, with what it decided about its results."""

    programme_id: str
    name: str
    created_at: datetime
    decisions: Mapping[str, Any] = field(default_factory=lambda: dict(DEFAULT_DECISIONS))


@dataclass(frozen=True, kw_only=True)
class Person:
    """Someone who takes part; the reporting attributes are null where unknown."""

    person_id: str
    name: str
    email: str | None = None
    language: str = DEFAULT_LANGUAGE
    time_zone: str | None = None
    department: str | None = None
    location: str | None = None
    grade: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """A mentor and a mentee from a day on; `ended_on` is their last day, null while they meet."""

    pairing_id: str
    programme_id: str
    mentor_id: str
    mentee_id: str
    started_on: date
    cohort: str | None = None
    planned_end_on: date | None = None
    ended_on: date | None = None
    end_reason: str | None = None

    def is_active_on(self, day: date) -> bool:
        return self.started_on <= day and (self.ended_on is None or day <= self.ended_on)

    def person(self, side: str) -> str:
        """The person on one side."""
        return {"mentor": self.mentor_id, "mentee": self.mentee_id}[side]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A pairing's goal; `levels` describes what each level from -2 to 2 would look like."""

    goal_id: str
    pairing_id: str
    position: int
    title: str
    set_on: date
    is_agreed: bool
    levels: Mapping[int, str]


def save_programme(connection: Connection, programme: Programme) -> None:
    """Record a programme, or what is new about it; raises RapportError for a decision that is not allowed any more."""
    decisions = admitted(connection, programme.programme_id, programme.decisions)
    _save(connection, programmes, {**asdict(programme), "decisions": decisions})


def programme(connection: Connection, programme_id: str) -> Programme:
    """One programme; raises RapportError where the id is unknown."""
    row = _one(connection, programmes, programmes.c.programme_id, programme_id)
    if row is None:
        raise RapportError(f"There is no programme {programme_id}; an import of pairings makes one.")
    return Programme(**row)


def programmes_kept(connection: Connection) -> list[Programme]:
    """Every programme, by id."""
    query = select(programmes).order_by(programmes.c.programme_id)
    return [Programme(**row) for row in connection.execute(query).mappings()]


def save_person(connection: Connection, new: Person) -> None:
    """Record a person, or what is new about them."""
    _save(connection, people, asdict(new))


def person(connection: Connection, person_id: str) -> Person:
    """One person; raises RapportError where the id is unknown."""
    row = _one(connection, people, people.c.person_id, person_id)
    if row is None:
        raise RapportError("There is no such person; `rapport import people` brings people in.")
    return Person(**row)


def people_of(connection: Connection, programme_id: str) -> list[Person]:
    """Everyone who is or was in a pairing of the programme, once, by id."""
    of_programme = select(pairings.c.pairing_id).where(
        pairings.c.programme_id == programme_id,
        or_(pairings.c.mentor_id == people.c.person_id, pairings.c.mentee_id == people.c.person_id),
    )
    query = select(people).where(of_programme.exists()).order_by(people.c.person_id)
    return [Person(**row) for row in connection.execute(query).mappings()]


def save_pairing(connection: Connection, new: Pairing) -> None:
    """Record a pairing, or what is new about it."""
    if new.mentor_id == new.mentee_id:
        raise RapportError(f"The pairing {new.pairing_id} has one person on both sides; expected two people.")
    _save(connection, pairings, asdict(new))


def pairing(connection: Connection, pairing_id: str) -> Pairing:
    """One pairing; raises RapportError where the id is unknown."""
    row = _one(connection, pairings, pairings.c.pairing_id, pairing_id)
    if row is None:
        raise RapportError(f"There is no pairing {pairing_id}; `rapport import pairings` brings pairings in.")
    return Pairing(**row)


def pairings_of(connection: Connection, programme_id: str) -> list[Pairing]:
    """Every pairing of a programme, ended ones too, by id."""
    query = select(pairings).where(pairings.c.programme_id == programme_id).order_by(pairings.c.pairing_id)
    return [Pairing(**row) for row in connection.execute(query).mappings()]


def add_goal(
    connection: Connection,
    *,
    pairing_id: str,
    title: str,
    levels: Mapping[int, str],
    set_on: date,
    is_agreed: bool = False,
) -> Goal:
    """Give a pairing its next goal; it is rated only once both sides have agreed."""
    last = connection.execute(select(func.max(goals.c.position)).where(goals.c.pairing_id == pairing_id)).scalar_one()
    position = (last or 0) + 1
    new = Goal(
        goal_id=f"{pairing_id}:{position}",
        pairing_id=pairing_id,
        position=position,
        title=title,
        set_on=set_on,
        is_agreed=is_agreed,
        levels=levels,
    )
    row = {name: getattr(new, name) for name in goals.c.keys()}  # noqa: SIM118 - a column collection
    connection.execute(insert(goals).values(row))
    for level, said in levels.items():
        connection.execute(insert(goal_levels).values(goal_id=new.goal_id, level=level, description=said))
    return new


def agree_goal(connection: Connection, goal_id: str) -> None:
    """Both sides want this goal; from now on it is rated."""
    connection.execute(update(goals).where(goals.c.goal_id == goal_id).values(is_agreed=True))


def goals_of(connection: Connection, pairing_id: str) -> list[Goal]:
    """A pairing's goals in the order they were set."""
    query = (
        select(goal_levels)
        .join(goals, goals.c.goal_id == goal_levels.c.goal_id)
        .where(goals.c.pairing_id == pairing_id)
        .order_by(goal_levels.c.level)
    )
    levels: dict[str, dict[int, str]] = {}
    for row in connection.execute(query):
        levels.setdefault(row.goal_id, {})[row.level] = row.description
    kept = select(goals).where(goals.c.pairing_id == pairing_id).order_by(goals.c.position)
    return [Goal(**row, levels=levels.get(row["goal_id"], {})) for row in connection.execute(kept).mappings()]


def _one(connection: Connection, table: Table, key: Column[Any], value: str) -> RowMapping | None:
    return connection.execute(select(table).where(key == value)).mappings().one_or_none()


def _save(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    key = next(iter(table.primary_key.columns))
    changed = connection.execute(update(table).where(key == row[key.name]).values(row))
    if changed.rowcount == 0:
        connection.execute(insert(table).values(row))
