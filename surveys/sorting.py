"""Sorts messages whose time has come into what is sent, what waits and what is not needed any more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from data.settings import Settings
from data.store import outbox, people, rounds
from data.store.engine import Connection
from data.store.outbox import Message
from data.store.rounds import Ask, Round
from surveys import calendar
from surveys.planning import LOCAL, SENT, Programmed, programmed

ASKING = ("invitation", "reminder")
GIVEN_UP_AFTER = timedelta(days=7)  # thanks are no use later
AGAIN = timedelta(hours=1)  # a reminder looks whether the invitation has left by now


@dataclass(frozen=True)
class SortedOut:
    """Messages to send now, in order; those not needed any more, by why; those that wait, by until when."""

    send: Sequence[Message]
    skip: Mapping[str, list[str]]
    wait: Mapping[datetime, list[str]]


@dataclass(frozen=True)
class Circumstances:
    """What decides about messages of one round."""

    of: Programmed
    round: Round
    asks: Mapping[str, list[Ask]]
    invitations: Mapping[str, Message]
    silent: set[str]  # unsubscribed
    bounced: Mapping[str, str]  # person → address


def sort_out(connection: Connection, messages: Sequence[Message], settings: Settings, now: datetime) -> SortedOut:
    """Sort messages whose time has come into what is sent, what waits, and what is not needed any more."""
    send: list[Message] = []
    skip: dict[str, list[str]] = {}
    wait: dict[datetime, list[str]] = {}
    programmes = {of.programme_id: of for of in programmed(connection)}
    for round_id, of_one_round in _by_round(messages):
        of_round = rounds.read_round(connection, round_id)
        of = programmes.get(of_round.programme_id)
        if of is None:
            skip.setdefault("the programme does not write by itself any more", []).extend(
                message.message_id for message in of_one_round
            )
            continue
        circumstances = _circumstances(connection, of, of_round, of_one_round, now)
        for message in of_one_round:
            reason = _not_needed(message, circumstances, settings, now)
            until = _waits_until(message, circumstances, now)
            if reason is not None:
                skip.setdefault(reason, []).append(message.message_id)
            elif until is not None:
                wait.setdefault(until, []).append(message.message_id)
            else:
                send.append(message)
    return SortedOut(send, skip, wait)


def has_come(message: Message, now: datetime) -> bool:
    """Whether it is due where the person lives, by the zone's rules of today."""
    return calendar.utc_of(datetime.strptime(message.due_local, LOCAL), message.time_zone) <= now  # noqa: DTZ007


def _by_round(messages: Sequence[Message]) -> Iterator[tuple[str, list[Message]]]:
    for round_id in dict.fromkeys(message.round_id for message in messages):
        yield round_id, [message for message in messages if message.round_id == round_id]


def _circumstances(
    connection: Connection, of: Programmed, of_round: Round, messages: Sequence[Message], now: datetime
) -> Circumstances:
    person_ids = [message.person_id for message in messages]
    return Circumstances(
        of=of,
        round=of_round,
        asks={id_: _active_asks(connection, of_round, id_, now) for id_ in person_ids},
        invitations={each.person_id: each for each in outbox.invitations_to(connection, of_round.round_id, person_ids)},
        silent=outbox.unsubscribed_people(connection, person_ids),
        bounced={bounce.person_id: bounce.address for bounce in outbox.bounced(connection)},
    )


def _active_asks(connection: Connection, of_round: Round, person_id: str, now: datetime) -> list[Ask]:
    """What a person is asked about; while the round is open, without pairings that have ended since."""
    asks = rounds.asks_of(connection, of_round.round_id, person_id)
    if of_round.closed_at is not None:
        return asks
    ends = {ask.pairing_id: people.pairing(connection, ask.pairing_id).ended_on for ask in asks}
    return [ask for ask in asks if (end := ends[ask.pairing_id]) is None or end >= now.date()]


def _not_needed(message: Message, found: Circumstances, settings: Settings, now: datetime) -> str | None:
    """Why a message is not sent at all, or None."""
    person = found.of.people.get(message.person_id)
    if person is None or not person.email:
        return "no address"
    if message.person_id in found.silent:
        return "unsubscribed"
    if found.bounced.get(message.person_id) == person.email:
        return "the address does not work"
    if not may_write_to(person.email, settings):
        return "not among the addresses that may be written to"
    asks = found.asks[message.person_id]
    if not asks:
        return "the pairing has ended"
    if message.kind not in ASKING:
        return "too late" if now > found.round.closes_at + GIVEN_UP_AFTER else None
    if found.round.closed_at is not None or now >= found.round.closes_at:
        return "the round is over"
    if all(ask.has_answered for ask in asks):
        return "answered"
    return _without_invitation(message, found)


def _without_invitation(message: Message, found: Circumstances) -> str | None:
    invitation = found.invitations.get(message.person_id)
    if message.kind == "reminder" and (invitation is None or invitation.state in ("refused", "skipped")):
        return "never invited"
    return None


def may_write_to(address: str, settings: Settings) -> bool:
    """Whether a staging installation may write there; without a list, to everyone."""
    allowed = [each.strip().lower() for each in settings.mail_only_to.split(",") if each.strip()]
    return not allowed or any(
        address.lower() == each or each[0] == "@" and address.lower().endswith(each) for each in allowed
    )


def _waits_until(message: Message, found: Circumstances, now: datetime) -> datetime | None:
    """Not before the round opens, at night, on a quiet day, or on the heels of a late invitation."""
    local = now.astimezone(ZoneInfo(message.time_zone)).replace(tzinfo=None)
    waking = calendar.waking(found.of.cadence, local)
    if waking > local:
        return calendar.utc_of(waking, message.time_zone)
    if now < found.round.opens_at:
        return found.round.opens_at
    invitation = found.invitations.get(message.person_id)
    if message.kind != "reminder" or invitation is None:
        return None
    if invitation.state not in SENT:
        return now + AGAIN
    rested = invitation.changed_at + timedelta(days=1)
    return rested if now < rested else None
