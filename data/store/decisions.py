"""Keeps what a programme decided about its results, and fixes it when the first round opens.

Every way in passes here: saving a programme, imports and their undoing, opening a round, inviting.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from data import decisions
from data.errors import RapportError
from data.tables import employment, invitations, people, programmes, rounds

BY_FIRST_ROUND = "the first round"


def is_locked(connection: Connection, programme_id: str) -> bool:
    """Whether a round of the programme has opened: its thresholds and groups stay as they are."""
    query = select(rounds.c.round_id).where(rounds.c.programme_id == programme_id).limit(1)
    return connection.execute(query).first() is not None


def admitted(connection: Connection, programme_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The decisions to keep of those wanted; raises RapportError for one that is not allowed, or not any more.

    Once a round has opened, leaving a fixed entry out changes nothing.
    """
    kept = _held(connection, programme_id)
    if kept is None or not is_locked(connection, programme_id):
        decisions.settled(wanted)
        return dict(wanted)
    fixed = decisions.fixed_part(kept)
    told = decisions.fixed_part(wanted)
    if told != {name: value for name, value in fixed.items() if name in told} and _differs(kept, told):
        raise RapportError(
            f"The thresholds and reporting groups of {programme_id} are locked since its first round opened; "
            "nothing was changed."
        )
    return {**{name: value for name, value in wanted.items() if name not in decisions.FIXED}, **fixed}


def change(connection: Connection, programme_id: str, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Decide anew on some entries (None takes one away) and leave the others; returns all that is kept now."""
    kept = _held(connection, programme_id)
    if kept is None:
        raise RapportError(f"There is no programme {programme_id}; an import of pairings makes one.")
    wanted = {name: value for name, value in {**kept, **changed}.items() if value is not None}
    new = admitted(connection, programme_id, wanted)
    connection.execute(update(programmes).where(programmes.c.programme_id == programme_id).values(decisions=new))
    return new


def lock(connection: Connection, programme_id: str, at: datetime) -> None:
    """Fix thresholds and groups as they stand; where no groups were accepted, to the values known today.

    Does nothing once a round has opened. Cohorts are not listed: each new one is a group of new pairings.
    """
    kept = _held(connection, programme_id)
    if kept is None or is_locked(connection, programme_id):
        return
    found = decisions.settled(kept)
    listed = {name: _values(connection, name) for name in found["attributes"] if name != "cohort"}
    groups = {**{name: {value: value for value in values} for name, values in listed.items()}, **found["groups"]}
    told = {"groups": {"by": BY_FIRST_ROUND, "at": at.isoformat()}, **kept.get(decisions.DECIDED, {})}
    locked = {**kept, "groups": groups, decisions.DECIDED: told}
    connection.execute(update(programmes).where(programmes.c.programme_id == programme_id).values(decisions=locked))


def in_groups(connection: Connection, asked: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of invitations with every reporting attribute replaced by its group.

    A pairing stays in the cohort that it was first asked in.
    """
    rows = [dict(row) for row in asked]
    of_round = _of_rounds(connection, {row["round_id"] for row in rows})
    by_cohort = {programme_id for programme_id, own in of_round.values() if "cohort" in own.get("attributes", ())}
    cohorts = _cohorts(connection, by_cohort)
    for row in rows:
        _, own = of_round.get(row["round_id"], ("", {}))
        if "groups" in own:  # a programme that opened its first round without any keeps what it has
            asked_in = cohorts.get((row["pairing_id"], row["side"]))
            row.update({name: decisions.group_of(own["groups"], name, row[name]) for name in decisions.ATTRIBUTES})
            row["cohort"] = row["cohort"] if asked_in is None else asked_in
    return rows


def _held(connection: Connection, programme_id: str) -> dict[str, Any] | None:
    """What is kept, held until the transaction ends: nobody opens a round or decides in between."""
    query = select(programmes.c.decisions).where(programmes.c.programme_id == programme_id).with_for_update()
    kept: dict[str, Any] | None = connection.execute(query).scalar_one_or_none()
    return kept


def _differs(kept: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Whether an entry that is told means something else than what is kept; 5 said aloud is the 5 of the defaults."""
    if told.get(decisions.DECIDED, kept.get(decisions.DECIDED)) != kept.get(decisions.DECIDED):
        return True
    try:
        before, after = decisions.settled(kept), decisions.settled({**kept, **told})
    except RapportError:
        return True
    return before != after


def _values(connection: Connection, attribute: str) -> list[str]:
    """Every value of an attribute that anybody has, among those who take part or could."""
    found = {
        value
        for table in (people, employment)
        for value in connection.execute(select(table.c[attribute]).distinct()).scalars()
    }
    return sorted(value for value in found if value)


def _of_rounds(connection: Connection, round_ids: set[str]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Round → its programme, and what that decided."""
    query = (
        select(rounds.c.round_id, rounds.c.programme_id, programmes.c.decisions)
        .join(programmes, programmes.c.programme_id == rounds.c.programme_id)
        .where(rounds.c.round_id.in_(round_ids))
    )
    return {row.round_id: (row.programme_id, row.decisions) for row in connection.execute(query)}


def _cohorts(connection: Connection, programme_ids: set[str]) -> dict[tuple[str, str], str]:
    """Pairing and side → the cohort it was first asked in."""
    query = (
        select(invitations.c.pairing_id, invitations.c.side, invitations.c.cohort)
        .join(rounds, rounds.c.round_id == invitations.c.round_id)
        .where(rounds.c.programme_id.in_(programme_ids))
        .order_by(rounds.c.number.desc())
    )
    return {(row.pairing_id, row.side): row.cohort for row in connection.execute(query)} if programme_ids else {}
