"""Sorts messages whose time has come into what is sent, what waits and what is not needed any more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from data.settings import Settings
from data.store import outbox, people, rounds
from data.store.engine import Connection
from data.store.outbox import ASKING, Message
from data.store.rounds import Ask, Round
from surveys import calendar
from surveys.planning import LOCAL, SENT, Programmed, programmed

GIVEN_UP_AFTER = timedelta(days=7)  # thanks are no use later
AGAIN = timedelta(hours=1)  # a reminder looks whether what comes before it has left by now


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
    asking: Mapping[str, list[Message]]  # invitation and reminders of each person, in order
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
        asks={message.person_id: active_asks(connection, of_round, message, now) for message in messages},
        asking=_by_person(outbox.asking(connection, of_round.round_id, person_ids)),
        silent=outbox.unsubscribed_people(connection, person_ids),
        bounced={bounce.person_id: bounce.address for bounce in outbox.bounced(connection)},
    )


def _by_person(messages: Sequence[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message.person_id, []).append(message)
    return found


def active_asks(connection: Connection, of_round: Round, message: Message, now: datetime) -> list[Ask]:
    """What a message is about: all that was asked for thanks, else without pairings that have ended since."""
    asks = rounds.asks_of(connection, of_round.round_id, message.person_id)
    if message.kind == "thanks":
        return asks
    ends = {ask.pairing_id: people.pairing(connection, ask.pairing_id).ended_on for ask in asks}
    return [ask for ask in asks if (end := ends[ask.pairing_id]) is None or end >= now.date()]


def _not_needed(message: Message, found: Circumstances, settings: Settings, now: datetime) -> str | None:
    """Why a message is not sent at all, or None."""
    person = found.of.people.get(message.person_id)
    if person is None or not person.email:
        return outbox.NO_ADDRESS
    if message.person_id in found.silent:
        return "unsubscribed"
    if found.bounced.get(message.person_id) == person.email:
        return outbox.DEAD_ADDRESS
    if not may_write_to(person.email, settings):
        return "not among the addresses that may be written to"
    reason = overtaken(message, found.round, found.asks[message.person_id], now)
    return reason or _without_invitation(message, found)


def overtaken(message: Message, of_round: Round, asks: Sequence[Ask], now: datetime) -> str | None:
    """What happened in the round that makes a message needless, or None; asked again when it is about to leave."""
    if not asks:
        return "the pairing has ended"
    if message.kind not in ASKING:
        return "too late" if now > of_round.closes_at + GIVEN_UP_AFTER else None
    if of_round.closed_at is not None or now >= of_round.closes_at:
        return "the round is over"
    return "answered" if all(ask.has_answered for ask in asks) else None


def _without_invitation(message: Message, found: Circumstances) -> str | None:
    if message.kind != "reminder":
        return None
    first = _earlier(message, found)[:1]
    was_invited = [each for each in first if each.kind == "invitation" and each.state not in ("refused", "skipped")]
    return None if was_invited else "never invited"


def _earlier(message: Message, found: Circumstances) -> list[Message]:
    """The invitation, and the reminders before this one."""
    known = found.asking.get(message.person_id, [])
    return [each for each in known if each.kind == "invitation" or each.sequence < message.sequence]


def may_write_to(address: str, settings: Settings) -> bool:
    """Whether a staging installation may write there; without a list, to everyone."""
    allowed = [each.strip().lower() for each in settings.mail_only_to.split(",") if each.strip()]
    return not allowed or any(
        address.lower() == each or each[0] == "@" and address.lower().endswith(each) for each in allowed
    )


def _waits_until(message: Message, found: Circumstances, now: datetime) -> datetime | None:
    """Not before the round opens, at night, on a quiet day, or on the heels of what came before it."""
    local = now.astimezone(ZoneInfo(message.time_zone)).replace(tzinfo=None)
    waking = calendar.waking(found.of.cadence, local)
    if waking > local:
        return calendar.utc_of(waking, message.time_zone)
    if now < found.round.opens_at:
        return found.round.opens_at
    if message.kind != "reminder":
        return None
    earlier = [each for each in _earlier(message, found) if each.state not in ("refused", "skipped")]
    if any(each.state not in SENT for each in earlier):
        return now + AGAIN
    rested = max((each.changed_at for each in earlier), default=found.round.opens_at) + timedelta(days=1)
    return rested if now < rested else None
