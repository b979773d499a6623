"""Says what a programme team may know of asking: rounds and their replies, rounds to come, addresses that fail."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from data.store import outbox, people, rounds
from data.store.engine import Connection
from data.store.people import Programme
from data.store.rounds import Round
from surveys.cadence import decided
from surveys.outlook import rounds_ahead

AHEAD = 60  # days
LEAST_ASKED = 30  # people of one side, from which it is told in words how many have answered so far
THIRD, HALF = 1 / 3, 1 / 2
Row = dict[str, Any]


def calendar_boards(connection: Connection, now: datetime) -> dict[str, Row]:
    """The calendar of every programme as the dashboard shows it, by id: plain values, ready for JSON."""
    ahead = rounds_ahead(connection, now, AHEAD)
    failing = outbox.bounced(connection)
    return {
        each.programme_id: _board(connection, each, ahead, failing, now) for each in people.programmes_kept(connection)
    }


def _board(
    connection: Connection, of: Programme, ahead: Sequence[Row], failing: Sequence[outbox.Bounce], now: datetime
) -> Row:
    known = rounds.rounds_of(connection, of.programme_id)
    cadence = decided(of.decisions)
    mine = {each.person_id: each.name for each in people.people_of(connection, of.programme_id)}
    return {
        "programme": of.name,
        "time_zone": cadence.time_zone if cadence else "UTC",
        "asks_by_itself": cadence is not None,
        "rounds": [_round(connection, each, now) for each in known],
        "next": next((_ahead(each) for each in ahead if each["programme"] == of.programme_id), None),
        "bounces": [
            {"name": mine[each.person_id], "address": each.address, "since": str(each.since.date())}
            for each in failing
            if each.person_id in mine
        ],
        "n_people": len(mine),
    }


def _round(connection: Connection, each: Round, now: datetime) -> Row:
    is_open = each.takes_answers(now)
    reply = outbox.reply_to(connection, each.round_id)
    return {
        "round": each.round_id,
        "number": each.number,
        "pulse": each.pulse,
        "opens_on": str(each.opens_at.date()),
        "closes_on": str((each.closed_at or each.closes_at).date()),
        "state": "closed" if each.closed_at else "open" if is_open else "waiting",
        "reply": None if reply is None else {"said": reply.said, "will": reply.will, "by": reply.written_by},
        "so_far": _so_far(connection, each, now) if is_open else {},
    }


def _ahead(row: Row) -> Row:
    return {"pulse": row["pulse"], "opens_on": row["opens_at"], "closes_on": row["closes_at"]}


def _so_far(connection: Connection, each: Round, now: datetime) -> dict[str, str]:
    """How many of a side had answered when the day began, in words: once a day, and only of many people."""
    day_began = datetime.combine(now.date(), time(), tzinfo=now.tzinfo)
    found = rounds.heard_from(connection, each.round_id, day_began)
    return {side: _in_words(n, of) for side, (of, n) in sorted(found.items()) if of >= LEAST_ASKED}


def _in_words(n_answered: int, n_asked: int) -> str:
    share = n_answered / n_asked
    return "under_third" if share < THIRD else "third_to_half" if share <= HALF else "over_half"
