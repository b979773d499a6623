"""Brings the calendar's wishes into the store: opens the rounds that are due and plans everyone's messages."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from data.store import outbox, people, replanning, rounds
from data.store.engine import Connection
from data.store.outbox import Message, Planned
from data.store.people import Person, Programme
from data.store.rounds import Round, Turn
from surveys import cadence as cadences
from surveys import calendar
from surveys import rounds as opening
from surveys.cadence import Cadence
from surveys.calendar import Due, Recipient, Slot
from surveys.questionnaire import Questionnaire

ASKED_ANYWAY = ("kickoff", "milestone", "closing")  # of pairings that have fallen silent
AFTERWARDS = timedelta(days=7)  # how long after its end a round's thanks are still planned
SENT = ("accepted", "unknown")
PLAN = "plan rounds"  # the job
LOCAL = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, kw_only=True)
class Programmed:
    """A programme that asks by itself, with its cadence and its people."""

    programme: Programme
    cadence: Cadence
    people: Mapping[str, Person]

    @property
    def programme_id(self) -> str:
        return self.programme.programme_id

    def zone(self, person_id: str) -> str:
        """Where a person lives, as far as it is known."""
        own = self.people[person_id].time_zone
        return own if own and cadences.is_zone(own) else self.cadence.time_zone


def programmed(connection: Connection) -> list[Programmed]:
    """Every programme that has decided on a cadence, by id."""
    found = []
    for programme in people.programmes_kept(connection):
        cadence = cadences.decided(programme.decisions)
        if cadence is not None:
            known = {person.person_id: person for person in people.people_of(connection, programme.programme_id)}
            found.append(Programmed(programme=programme, cadence=cadence, people=known))
    return found


def plan(connection: Connection, questionnaire: Questionnaire, now: datetime) -> str:
    """Open what is due and plan messages, for every programme with a cadence; says what changed."""
    opened, planned = [], 0
    for of in programmed(connection):
        wanted = {slot.round_id: slot for slot in _slots(connection, of, now)}
        opened += _open(connection, of, questionnaire, wanted.values(), now)
        for each in rounds.rounds_of(connection, of.programme_id):
            if each.closed_at is None and now < each.closes_at:
                planned += _plan_asks(connection, of, each, wanted.get(each.round_id), now)
            elif each.closed_at is not None and now < each.closed_at + AFTERWARDS:
                planned += _plan_farewells(connection, of, each, now)
    said = [f"opened {', '.join(opened)}"] if opened else []
    return "; ".join([*said, *([f"planned {planned} messages"] if planned else [])])


# --- rounds ----------------------------------------------------------------------------------------


def _slots(connection: Connection, of: Programmed, now: datetime) -> list[Slot]:
    pairings = people.pairings_of(connection, of.programme_id)
    return calendar.slots(of.programme_id, of.cadence, pairings, calendar.furthest_day(now))


def _open(
    connection: Connection, of: Programmed, questionnaire: Questionnaire, wanted: Iterable[Slot], now: datetime
) -> list[str]:
    """Make the rounds that are not there yet; add to those that are the pairings whose day came since."""
    known = {each.round_id: each for each in rounds.rounds_of(connection, of.programme_id)}
    opened = []
    for slot in wanted:
        there = known.get(slot.round_id)
        asked = set(slot.ask_on) - _dormant(connection, of, slot.pulse)
        if there is not None:
            if there.takes_answers(now):
                opening.invite_more(connection, there, asked)
        elif asked and slot.is_worth_opening(calendar.furthest_day(now)):
            opening.open_round(
                connection,
                questionnaire=questionnaire,
                round_id=slot.round_id,
                programme_id=of.programme_id,
                pulse=slot.pulse,
                opens_at=calendar.opens_at(slot.opens_on),
                closes_at=calendar.closes_at(of.cadence, slot.closes_on),
                pairing_ids=asked,
            )
            opened.append(slot.round_id)
    return opened


def _dormant(connection: Connection, of: Programmed, pulse: str) -> set[str]:
    """Pairings that are left in peace: neither side answered the last rounds that asked them."""
    if pulse in ASKED_ANYWAY:
        return set()
    answered: dict[str, dict[str, bool]] = defaultdict(dict)
    for turn in _turns(connection, _closed(connection, of)):
        row = answered[turn.pairing_id]
        row[turn.round_id] = row.get(turn.round_id, False) or turn.has_answered
    return {id_ for id_, row in answered.items() if calendar.is_dormant(list(row.values()), of.cadence)}


def _closed(connection: Connection, of: Programmed) -> list[str]:
    return [each.round_id for each in rounds.rounds_of(connection, of.programme_id) if each.closed_at is not None]


def _turns(connection: Connection, round_ids: list[str]) -> list[Turn]:
    """In the order of the rounds given, oldest first."""
    return sorted(rounds.turns_of(connection, round_ids), key=lambda turn: round_ids.index(turn.round_id))


# --- messages --------------------------------------------------------------------------------------


def _plan_asks(connection: Connection, of: Programmed, each: Round, slot: Slot | None, now: datetime) -> int:
    """Everyone's invitation and reminders; a round opened by hand asks from its own day on, planned once."""
    anew = replanning.invite_anew(connection, each.round_id, now)
    kept = outbox.of_round(connection, each.round_id)
    if slot is None and kept:
        return anew
    zone = ZoneInfo(of.cadence.time_zone)
    by_hand = each.opens_at.astimezone(zone).date()
    ask_on: dict[str, date] = {}
    for invitation in rounds.invitations_of(connection, each.round_id):
        day = slot.ask_on.get(invitation.pairing_id, slot.opens_on) if slot is not None else by_hand
        ask_on[invitation.person_id] = min(day, ask_on.get(invitation.person_id, day))
    to = _recipients(connection, of, each, ask_on, kept)
    due = calendar.asks(
        of.cadence,
        round_id=each.round_id,
        pulse=each.pulse,
        ask_on=ask_on,
        closes_on=each.closes_at.astimezone(zone).date(),
        to=to,
    )
    wanted = [_planned(one, of.cadence) for one in due]
    replanning.drop_unwanted(connection, wanted, kept, now)
    return anew + outbox.plan(connection, wanted, kept, now)


def _recipients(
    connection: Connection, of: Programmed, each: Round, person_ids: Iterable[str], kept: Iterable[Message]
) -> list[Recipient]:
    """People with their zone, and the days on which this and other rounds invite them."""
    sent = {message.person_id: message for message in kept if message.kind == "invitation" and message.state in SENT}
    since = (each.opens_at - calendar.MONTH).strftime(LOCAL)
    elsewhere: dict[str, list[date]] = defaultdict(list)
    for person_id, round_id, due_local in outbox.invited_days(connection, since):
        if round_id != each.round_id:
            elsewhere[person_id].append(datetime.strptime(due_local, LOCAL).date())  # noqa: DTZ007 - wall time
    return [
        Recipient(
            person_id=person_id,
            time_zone=of.zone(person_id),
            invited_on=tuple(sorted(elsewhere[person_id])),
            was_invited_on=_sent_on(sent.get(person_id)),
        )
        for person_id in person_ids
    ]


def _sent_on(message: Message | None) -> date | None:
    """The day, where the person lives, on which a message left."""
    return None if message is None else message.changed_at.astimezone(ZoneInfo(message.time_zone)).date()


def _plan_farewells(connection: Connection, of: Programmed, each: Round, now: datetime) -> int:
    """Thanks to those who answered this round; a question to those who have now missed several in a row."""
    closes_on = each.closes_at.astimezone(ZoneInfo(of.cadence.time_zone)).date()
    rows: dict[str, dict[str, bool]] = defaultdict(dict)
    closed = _closed(connection, of)
    for turn in _turns(connection, closed[: closed.index(each.round_id) + 1]):
        row = rows[turn.person_id]
        row[turn.round_id] = row.get(turn.round_id, False) or turn.has_answered
    due = []
    for person_id, row in rows.items():
        if list(row)[-1:] != [each.round_id]:
            continue
        missed = calendar.has_missed(list(row.values()), of.cadence)
        if row[each.round_id] or missed:
            recipient = Recipient(person_id=person_id, time_zone=of.zone(person_id))
            kind = "missed" if missed else "thanks"
            due.append(
                calendar.farewell(
                    of.cadence, round_id=each.round_id, closes_on=closes_on, recipient=recipient, kind=kind
                )
            )
    kept = outbox.of_round(connection, each.round_id)
    return outbox.plan(connection, [_planned(one, of.cadence) for one in due], kept, now)


def _planned(due: Due, cadence: Cadence) -> Planned:
    return Planned(
        round_id=due.round_id,
        person_id=due.person_id,
        kind=due.kind,
        sequence=due.sequence,
        channel=cadence.channel,
        due_local=due.due_local.strftime(LOCAL),
        time_zone=due.time_zone,
        why=due.why,
    )
