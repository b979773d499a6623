"""Does the work on rounds that commands, the demo and the timetable ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data.errors import RapportError
from data.settings import Settings
from data.store import people, rounds
from data.store.desk import Carrier, Order, Outcome
from data.store.engine import Stores, reading, writing
from data.store.rounds import Round
from data.timetable import Job
from surveys import closing, links, outlook, timetable
from surveys import rounds as calendar
from surveys.questionnaire import ours

DEFAULT_DAYS = 14
SHOW = timetable.SHOW


@dataclass(frozen=True, kw_only=True)
class PersonalLink:
    """A link to send to one person; whoever has it can answer for them."""

    person_id: str
    name: str
    side: str
    others: tuple[str, ...]
    url: str


def jobs(stores: Stores, settings: Settings, clock: Callable[[], datetime]) -> list[Job]:
    """What this room does by the timetable."""
    return timetable.jobs(stores, settings, clock)


def deliver(settings: Settings) -> Callable[[Path, str], bool]:
    """Sends a file to one reader by mail; true where it was accepted."""
    return timetable.deliver(settings)


def tell(settings: Settings) -> Callable[[str, str, str, str, datetime], bool]:
    """Sends a few lines to one reader by mail; true where they were accepted."""
    return timetable.tell(settings)


def carriers(stores: Stores) -> dict[str, Carrier]:
    """What this room does for the desk: keep "You said … we will …"."""

    def keep(order: Order, now: datetime) -> Outcome:
        said, will = (order.content.get(half, "") for half in ("said", "will"))
        with writing(stores.raw) as connection:
            if rounds.read_round(connection, order.subject).programme_id != order.programme_id:
                raise RapportError("There is no such round.")
            outlook.reply(connection, round_id=order.subject, said=said, will=will, who=order.asked_by, now=now)
        return Outcome()

    return {"reply": keep}


def open_round(
    stores: Stores,
    *,
    round_id: str,
    programme_id: str | None,
    pulse: str,
    opens_at: datetime,
    closes_at: datetime,
) -> Round:
    """Open the next round of a programme; without one named, of the only programme there is."""
    with writing(stores.raw) as connection:
        return calendar.open_round(
            connection,
            questionnaire=ours(),
            round_id=round_id,
            programme_id=programme_id or _only_programme([p.programme_id for p in people.programmes_kept(connection)]),
            pulse=pulse,
            opens_at=opens_at,
            closes_at=closes_at,
        )


def _only_programme(known: list[str]) -> str:
    if len(known) != 1:
        raise RapportError(
            f"Say which programme with --programme; there {'is none yet' if not known else 'are ' + ', '.join(known)}."
        )
    return known[0]


def close_round(stores: Stores, round_id: str, now: datetime) -> None:
    """End a round now."""
    with writing(stores.raw) as connection:
        closing.close(connection, round_id, now)


def close_due(stores: Stores, now: datetime) -> list[str]:
    """End every round whose time is over; returns their ids."""
    with writing(stores.raw) as connection:
        return closing.close_due(connection, now)


def make_links(stores: Stores, settings: Settings, round_id: str, now: datetime) -> list[PersonalLink]:
    """A fresh personal link for everyone asked in a round; one a person, also in two pairings."""
    with writing(stores.raw) as connection:
        of = rounds.read_round(connection, round_id)
        by_person = calendar.people_asked(rounds.invitations_of(connection, round_id))
        return [
            PersonalLink(
                person_id=person_id,
                name=people.person(connection, person_id).name,
                side=asked[0].side,
                others=tuple(ask.other_name for ask in rounds.asks_of(connection, round_id, person_id)),
                url=f"{settings.public_answers_url}/a/"
                + links.make(connection, purpose="answer", person_id=person_id, of=of, now=now),
            )
            for person_id, asked in by_person.items()
        ]


def open_rounds(stores: Stores, now: datetime) -> list[str]:
    """The ids of the rounds that take answers now."""
    with reading(stores.raw) as connection:
        return [entry.round_id for entry in rounds.rounds_of(connection) if entry.takes_answers(now)]
