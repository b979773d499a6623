"""Says which rounds a cadence wants and who is due what when; knows no clock and no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from data.store.people import Pairing
from surveys.cadence import Cadence

LAST_MINUTE = time(23, 59)
EVENING = time(20)
SPAN = timedelta(hours=3)  # how long after its hour mail may leave, where that is later than the evening
EASTERNMOST = timedelta(hours=14)  # how far a wall clock runs ahead of UTC
LEAST_OPEN = timedelta(days=2)  # a round that downtime delayed is still worth asking
MONTH = timedelta(days=28)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A round that the calendar wants: `ask_on` is the day on which each of its pairings is invited."""

    round_id: str
    programme_id: str
    pulse: str
    opens_on: date
    closes_on: date
    ask_on: Mapping[str, date]

    def is_worth_opening(self, today: date) -> bool:
        """Downtime may leave a round too little time."""
        return today <= self.closes_on - LEAST_OPEN


@dataclass(frozen=True, kw_only=True)
class Due:
    """One message to one person about one round, at wall time where they live; `why` says it in words."""

    round_id: str
    person_id: str
    kind: str
    sequence: int
    due_local: datetime
    time_zone: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """What the calendar must know of a person: their zone, when other rounds invite them, when this one did."""

    person_id: str
    time_zone: str
    invited_on: tuple[date, ...] = ()
    was_invited_on: date | None = None


# --- rounds --------------------------------------------------------------------------------------


def slots(programme_id: str, cadence: Cadence, pairings: Sequence[Pairing], today: date) -> list[Slot]:
    """The rounds that take answers today or did until yesterday, with the pairings whose day has come; oldest first.

    Counted from the calendar, a slot is every `every_weeks` from `starts_on` and asks everyone. Counted from
    pairings, it is a window of that length and a pulse: each pairing has one day of its own in each window.
    """
    wanted = _by_calendar if cadence.anchor == "calendar" else _by_pairing
    return [slot for slot in wanted(programme_id, cadence, pairings, today) if slot.ask_on]


def _by_calendar(programme_id: str, cadence: Cadence, pairings: Sequence[Pairing], today: date) -> list[Slot]:
    found: list[Slot] = []
    for number in count():
        nominal = cadence.starts_on + number * cadence.period
        if nominal > today or _is_over(cadence, nominal):
            return found
        opens_on = next_day(cadence, nominal)
        closes_on = opens_on + timedelta(days=cadence.open_days)
        is_last = cadence.ends_on is not None and nominal + cadence.period > cadence.ends_on
        if opens_on <= today <= closes_on + DAY:
            found.append(
                Slot(
                    round_id=f"{programme_id}-{nominal}",
                    programme_id=programme_id,
                    pulse=_pulse(cadence, number, is_last=is_last),
                    opens_on=opens_on,
                    closes_on=closes_on,
                    ask_on={each.pairing_id: opens_on for each in pairings if each.is_active_on(opens_on)},
                )
            )
    return found


def _is_over(cadence: Cadence, nominal: date) -> bool:
    return cadence.ends_on is not None and nominal > cadence.ends_on


def _pulse(cadence: Cadence, number: int, *, is_last: bool) -> str:
    if number == 0 and cadence.kickoff:
        return "kickoff"
    if is_last and cadence.closing:
        return "closing"
    is_milestone = cadence.milestone_every and number and number % cadence.milestone_every == 0
    return "milestone" if is_milestone else "pulse"


def _by_pairing(programme_id: str, cadence: Cadence, pairings: Sequence[Pairing], today: date) -> list[Slot]:
    window = (today - cadence.starts_on) // cadence.period
    # The window before this one is still open for those who were asked near its end.
    starts = [cadence.starts_on + n * cadence.period for n in (window - 1, window) if n >= 0]
    found = []
    for start in starts:
        closes_on = start + cadence.period + timedelta(days=cadence.open_days)
        if _is_over(cadence, start) or today > closes_on + DAY:
            continue
        for pulse, days in sorted(_days_in(cadence, pairings, start).items()):
            found.append(
                Slot(
                    round_id=f"{programme_id}-{start}-{pulse}",
                    programme_id=programme_id,
                    pulse=pulse,
                    opens_on=start,
                    closes_on=closes_on,
                    ask_on={id_: day for id_, day in days.items() if day <= today},
                )
            )
    return found


def _days_in(cadence: Cadence, pairings: Sequence[Pairing], start: date) -> dict[str, dict[str, date]]:
    """Pulse → the day in a window on which each of its pairings is asked."""
    own: dict[str, dict[str, date]] = {}
    for pairing in pairings:
        asked = _own_day(cadence, pairing, start)
        if asked is not None and pairing.is_active_on(asked[0]):
            own.setdefault(asked[1], {})[pairing.pairing_id] = asked[0]
    by_id = {pairing.pairing_id: pairing for pairing in pairings}
    return {
        pulse: {id_: day for id_, day in _together(days, by_id).items() if by_id[id_].is_active_on(day)}
        for pulse, days in own.items()
    }


def _together(days: Mapping[str, date], by_id: Mapping[str, Pairing]) -> Mapping[str, date]:
    """Pairings that share a person are asked on the latest of their days: one mail for whoever is in several."""
    while True:
        latest: dict[str, date] = {}
        for id_, day in days.items():
            for person_id in (by_id[id_].mentor_id, by_id[id_].mentee_id):
                latest[person_id] = max(day, latest.get(person_id, day))
        moved = {id_: max(latest[by_id[id_].mentor_id], latest[by_id[id_].mentee_id]) for id_ in days}
        if moved == days:
            return days
        days = moved


def _own_day(cadence: Cadence, pairing: Pairing, start: date) -> tuple[date, str] | None:
    """The one day in a window on which a pairing is asked, with its pulse: start + k · every_weeks."""
    number = -((pairing.started_on - start) // cadence.period)
    nominal = pairing.started_on + number * cadence.period
    if number < 0 or not start <= nominal < start + cadence.period:
        return None
    ends_on = pairing.planned_end_on or cadence.ends_on
    if ends_on is not None and nominal > ends_on:
        return None
    is_last = ends_on is not None and nominal + cadence.period > ends_on
    return next_day(cadence, nominal), _pulse(cadence, number, is_last=is_last)


def next_day(cadence: Cadence, day: date) -> date:
    """That day, or the first after it that is not quiet."""
    while cadence.is_quiet(day):
        day += timedelta(days=1)
    return day


def furthest_day(now: datetime) -> date:
    """The date where the day begins first: a round is made when its first day begins anywhere."""
    return (now.astimezone(UTC) + EASTERNMOST).date()


def opens_at(opens_on: date) -> datetime:
    """A round opens when its first day begins anywhere."""
    return datetime.combine(opens_on, time(), UTC) - EASTERNMOST


def closes_at(cadence: Cadence, closes_on: date) -> datetime:
    """A round ends with its last day where the programme lives."""
    return utc_of(datetime.combine(closes_on, LAST_MINUTE), cadence.time_zone)


# --- messages ------------------------------------------------------------------------------------


def asks(
    cadence: Cadence, *, round_id: str, pulse: str, ask_on: Mapping[str, date], closes_on: date, to: Iterable[Recipient]
) -> list[Due]:
    """Each person's invitation and reminders; `ask_on` is by person. Nothing falls after the round's last day."""
    found = []
    for recipient in to:
        wanted = ask_on[recipient.person_id]
        first = recipient.was_invited_on or _first_free(cadence, wanted, recipient.invited_on)
        if first >= closes_on:
            continue
        if recipient.was_invited_on is None:
            moved = "" if first == wanted else f", moved from {wanted} ({_cause(cadence, wanted)})"
            found.append(_due(cadence, recipient, first, "invitation", 1, f"{pulse} of {round_id}{moved}", round_id))
        last = first
        for sequence, days in enumerate(cadence.reminders_after_days, 1):
            day = next_day(cadence, max(first + timedelta(days=days), last + timedelta(days=1)))
            if day >= closes_on:
                break
            why = f"{(day - first).days} days after the invitation, unless answered by then"
            found.append(_due(cadence, recipient, day, "reminder", sequence, why, round_id))
            last = day
    return found


def _first_free(cadence: Cadence, day: date, invited_on: Sequence[date]) -> date:
    """The first day from `day` on that is not quiet and leaves the person the rest that was promised."""
    day = next_day(cadence, day)
    while not _has_rest(cadence, day, invited_on):
        day = next_day(cadence, day + timedelta(days=1))
    return day


def _has_rest(cadence: Cadence, day: date, invited_on: Sequence[date]) -> bool:
    too_close = any(abs((day - other).days) < cadence.days_between_asks for other in invited_on)
    recent = [other for other in invited_on if timedelta(0) <= day - other < MONTH]
    return not too_close and len(recent) < cadence.asks_in_28_days


def _cause(cadence: Cadence, day: date) -> str:
    return "a quiet day" if cadence.is_quiet(day) else "another programme asks then"


def farewell(cadence: Cadence, *, round_id: str, closes_on: date, recipient: Recipient, kind: str) -> Due:
    """What follows a round: thanks to those who answered, a question to those who missed several."""
    day = next_day(cadence, closes_on + timedelta(days=1))
    why = {"thanks": "answered, and the round is over", "missed": "several rounds missed"}[kind]
    return _due(cadence, recipient, day, kind, 1, why, round_id)


def _due(cadence: Cadence, recipient: Recipient, day: date, kind: str, sequence: int, why: str, round_id: str) -> Due:
    return Due(
        round_id=round_id,
        person_id=recipient.person_id,
        kind=kind,
        sequence=sequence,
        due_local=datetime.combine(day, cadence.at),
        time_zone=recipient.time_zone,
        why=why,
    )


def waking(cadence: Cadence, local: datetime) -> datetime:
    """That wall time, or the next one at which mail that was held up may still be sent: no night, no quiet day."""
    day = local.date()
    if cadence.is_quiet(day) or local.time() > max(EVENING, _latest(cadence)):
        day = next_day(cadence, day + timedelta(days=1))
        return datetime.combine(day, cadence.at)
    return max(local, datetime.combine(day, cadence.at))


def _latest(cadence: Cadence) -> time:
    """An hour's mail may leave for a while after it, but not on another day."""
    until = datetime.combine(date.min, cadence.at) + SPAN
    return until.time() if until.date() == date.min else LAST_MINUTE


def is_dormant(answered: Sequence[bool], cadence: Cadence) -> bool:
    """Whether neither of a pairing answered its last rounds; `answered`: oldest first, true where one of them did."""
    return len(answered) >= cadence.dormant_after and not any(answered[-cadence.dormant_after :])


def has_missed(answered: Sequence[bool], cadence: Cadence) -> bool:
    """Whether a person has just missed as many rounds in a row as prompt a mail: once a row, not every round."""
    row = next((n for n, was in enumerate(reversed(answered)) if was), len(answered))
    return row == cadence.prompt_after


# --- wall time -----------------------------------------------------------------------------------


def utc_of(local: datetime, zone: str) -> datetime:
    """The moment at which a wall clock in a zone shows `local`.

    Where the clock goes back and shows it twice, the first. Where it goes forward and never shows it, the moment
    of the change: the next that exists.
    """
    there = ZoneInfo(zone)
    moment = local.replace(tzinfo=there, fold=0).astimezone(UTC)
    if moment.astimezone(there).replace(tzinfo=None) == local:
        return moment
    return _change(there, local.replace(tzinfo=there, fold=1).astimezone(UTC), moment)


def _change(there: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second in (before, after] with the later offset."""
    later = after.astimezone(there).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(there).utcoffset() == later:
            after = middle
        else:
            before = middle
    return after
