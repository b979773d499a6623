"""Says what a programme team may know of each pairing: operational facts, and what may need support.

No answer about trust, fit or satisfaction comes in. A meeting is known once a pairing, never by which side, and only
when the round in which it was reported has closed; without a report nobody knows whether there was one. A request
to be contacted is seen at once, with the name of the person who asked.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from data.store.actions import CONTACT, Action, Told, actions_of, asked_days, names_of, said_yes
from data.store.answers import read_goals
from data.store.engine import Connection
from data.store.people import Pairing, pairings_of
from pipeline.attention import Facts, Rules, needs_support

MET, CONTACT_ME = "met_since", "contact_me"
RULES = Rules()
Row = dict[str, Any]


def pairings_board(connection: Connection, programme_id: str, now: datetime) -> Row:
    """A programme's pairings as the dashboard lists them: plain values, ready for JSON."""
    pairings = pairings_of(connection, programme_id)
    names, done = names_of(connection, programme_id), actions_of(connection, programme_id)
    goals = read_goals(connection, programme_id, now.date())
    met = [each for each in said_yes(connection, programme_id, MET) if each.closed_at is not None]
    asked = said_yes(connection, programme_id, CONTACT_ME)
    asked_on = asked_days(connection, programme_id, MET)
    facts = _facts(pairings, goals, met, asked, done, asked_on)
    flagged = needs_support(facts, today=pd.Timestamp(now.date()), rules=RULES)
    doings: dict[str, list[Row]] = {}
    for one in done:
        if one.kind != CONTACT:
            doings.setdefault(one.pairing_id, []).append(_action(one))
    # Where nobody ever set a goal here, goals are kept elsewhere or not at all: nothing is missing.
    flagged = flagged if len(goals) else flagged[flagged["rule"] != "no_goals"]
    flags = dict(iter(flagged.groupby("pairing_id")))
    n_goals = goals["pairing_id"].value_counts()
    reported = {each.pairing_id: _day(each.closed_at) for each in met}
    return {
        "rules": {
            "days": RULES.days_without_meeting if asked_on else None,
            "week": RULES.weeks_without_goals if len(goals) else None,
        },
        "pairings": [
            {
                **_of(each, names),
                "n_goals": int(n_goals.get(each.pairing_id, 0)),
                "met_reported_on": reported.get(each.pairing_id),
                "support": _rules_standing(flags.get(each.pairing_id)),
                "actions": doings.get(each.pairing_id, []),
            }
            for each in pairings
        ],
        "requests": _requests(asked, done, names, {each.pairing_id: each for each in pairings}),
    }


def _of(pairing: Pairing, names: Mapping[str, str]) -> Row:
    return {
        "pairing": pairing.pairing_id,
        "mentor": names[pairing.mentor_id],
        "mentee": names[pairing.mentee_id],
        "started_on": str(pairing.started_on),
        "planned_end_on": _day(pairing.planned_end_on),
        "ended_on": _day(pairing.ended_on),
    }


def _day(moment: date | datetime | None) -> str | None:
    if moment is None:
        return None
    return str(moment.date() if isinstance(moment, datetime) else moment)


def _action(each: Action) -> Row:
    return {"kind": each.kind, "note": each.note, "on": str(each.done_on), "by": each.noted_by}


def _rules_standing(rows: pd.DataFrame | None) -> list[Row]:
    """The rules that stand for one pairing; a request has a list of its own."""
    if rows is None:
        return []
    kept = rows[rows["rule"] != "contact"]
    return [{"rule": str(row.rule), "since": str(row.since.date())} for row in kept.itertuples()]


def _facts(
    pairings: Sequence[Pairing],
    goals: pd.DataFrame,
    met: Sequence[Told],
    asked: Sequence[Told],
    done: Sequence[Action],
    asked_on: Sequence[date],
) -> Facts:
    handled = {(each.round_id, each.person_id, each.pairing_id): each.done_on for each in done}
    reported = [(each.pairing_id, pd.Timestamp(_day(each.closed_at))) for each in met]
    requests = [
        (each.pairing_id, each.received_at.date(), handled.get((each.round_id, each.person_id, each.pairing_id)))
        for each in asked
    ]
    return Facts(
        pairings=pd.DataFrame(
            [(each.pairing_id, each.started_on, each.ended_on) for each in pairings],
            columns=["pairing_id", "started_on", "ended_on"],
        ),
        meetings=pd.DataFrame(reported, columns=["pairing_id", "reported_on"]).drop_duplicates(),
        goals=goals[["pairing_id", "set_on"]],
        requests=pd.DataFrame(requests, columns=["pairing_id", "requested_on", "handled_on"]),
        asked_on=tuple(pd.Timestamp(day) for day in asked_on),
    )


def _requests(
    asked: Sequence[Told], done: Sequence[Action], names: Mapping[str, str], pairings: Mapping[str, Pairing]
) -> list[Row]:
    """Every request to be contacted, newest last; `answered_on` is missing while it stands."""
    handled = {(each.round_id, each.person_id, each.pairing_id): each for each in done if each.kind == CONTACT}
    rows = []
    for each in asked:
        pairing, by = pairings[each.pairing_id], handled.get((each.round_id, each.person_id, each.pairing_id))
        other = pairing.mentee_id if each.person_id == pairing.mentor_id else pairing.mentor_id
        rows.append(
            {
                "request": f"{each.round_id}/{each.pairing_id}/{each.side}",
                "round": each.round_id,
                "pairing": each.pairing_id,
                "person_id": each.person_id,
                "name": each.name,
                "side": each.side,
                "other": names[other],
                "asked_on": str(each.received_at.date()),
                "answered_on": None if by is None else str(by.done_on),
                "answered_by": None if by is None else by.noted_by,
            }
        )
    return rows
