"""Walks programmes through days of asking on a real store: plan, close, send, with letters kept as they leave."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from data.settings import Settings
from data.store import answers, outbox, people, rounds
from data.store.answers import Submission
from data.store.engine import Stores, reading, writing
from data.store.outbox import Message
from data.store.people import Pairing, Programme
from surveys import cadence, closing, planning
from surveys.channel import Letter, Outcome
from surveys.invitations import Post
from surveys.questionnaire import ours
from tests.conftest import KEY
from tests.support import cast

KINDS = {"Your": "invitation", "A": "reminder", "Thank": "thanks", "Is": "missed"}
ACCEPTED = Outcome(state="accepted", said="accepted")


class World:
    """Programmes that ask every four weeks from Monday 2 March 2026; people live in UTC unless said otherwise."""

    def __init__(self, stores: Stores, settings: Settings | None = None) -> None:
        self.stores = stores
        self.settings = settings or Settings(home="/nowhere", secret_key=KEY, mail_from="m@example.org")
        self.now = at("2026-03-01 20:00")
        self.letters: list[tuple[datetime, Letter]] = []
        self.outcome: Callable[[Letter], Outcome] = lambda _letter: ACCEPTED

    # --- who takes part ---------------------------------------------------------------------------

    def programme(self, programme_id: str = "m", **own: Any) -> None:
        """A programme with this cadence, or another cadence for it."""
        wanted = {"starts_on": date(2026, 3, 2), "kickoff": False, "milestone_every": 0, **own}
        decisions = {cadence.DECISION: cadence.kept(cadence.read(wanted))}
        self.decide(programme_id, decisions)

    def decide(self, programme_id: str, decisions: dict[str, Any]) -> None:
        with writing(self.stores.raw) as connection:
            new = Programme(programme_id=programme_id, name="M", created_at=cast.OPENS, decisions=decisions)
            people.save_programme(connection, new)

    def person(self, *person_ids: str, **more: Any) -> None:
        with writing(self.stores.raw) as connection:
            for person_id in person_ids:
                own = {"person_id": person_id, "name": person_id.title(), "email": f"{person_id}@cast.example"}
                people.save_person(connection, people.Person(**{**own, **more}))

    def pair(self, pairing_id: str, mentor: str, mentee: str, programme_id: str = "m", **more: Any) -> None:
        own = {"started_on": date(2026, 2, 20), **more}
        new = Pairing(pairing_id=pairing_id, programme_id=programme_id, mentor_id=mentor, mentee_id=mentee, **own)
        with writing(self.stores.raw) as connection:
            people.save_pairing(connection, new)

    # --- what happens -----------------------------------------------------------------------------

    def tick(self, when: str | None = None) -> list[tuple[str, str]]:
        """One look of the timetable; returns who was sent what in it."""
        self.now = at(when) if when else self.now
        before = len(self.letters)
        with writing(self.stores.raw) as connection:
            closing.close_due(connection, self.now)
            planning.plan(connection, ours(), self.now)
        self.send()
        return sorted((letter.to.split("@")[0], kind_of(letter)) for _, letter in self.letters[before:])

    def send(self) -> None:
        before = len(self.letters)
        channels = {"email": Kept(self)}
        Post(self.settings, self.stores, channels, lambda: self.now, "worker", Random(1)).send_due()
        if len(self.letters) > before:
            with writing(self.stores.raw) as connection:  # and what it plans anew in the light of that
                planning.plan(connection, ours(), self.now)

    def walk(self, until: str, hours: int = 6) -> list[tuple[str, str, str]]:
        """Look every few hours; returns (day, person, kind) of everything sent."""
        before, end = len(self.letters), at(until)
        while self.now < end:
            self.now += timedelta(hours=hours)
            self.tick()
        sent = self.letters[before:]
        return sorted((f"{now:%m-%d}", letter.to.split("@")[0], kind_of(letter)) for now, letter in sent)

    def answer(self, person_id: str, pairing_id: str | None = None, round_id: str = "m-2026-03-02") -> str:
        """An answer now; returns its invitation."""
        with writing(self.stores.raw) as connection:
            asks = rounds.asks_of(connection, round_id, person_id)
            (ask,) = [each for each in asks if pairing_id in (None, each.pairing_id)]
            said = Submission(
                invitation_id=ask.invitation_id, submission_id=f"{ask.invitation_id} {self.now}",
                received_at=self.now, source="page", answers={"T01": "4"},
            )  # fmt: skip
            answers.store_response(connection, said, only_while_open=True)
        return ask.invitation_id

    def withdraw(self, invitation_id: str) -> None:
        with writing(self.stores.raw) as connection:
            assert answers.withdraw(connection, invitation_id, up_to_version=1, now=self.now)

    # --- what is there ----------------------------------------------------------------------------

    def messages(self, round_id: str = "m-2026-03-02", person_id: str | None = None) -> dict[str, Message]:
        """ "ben reminder 1" → the message."""
        with reading(self.stores.raw) as connection:
            found = outbox.of_round(connection, round_id)
        chosen = [each for each in found if person_id in (None, each.person_id)]
        return {f"{each.person_id} {each.kind} {each.sequence}": each for each in chosen}

    def rounds(self, programme_id: str = "m") -> dict[str, set[str]]:
        """Round → pairings asked."""
        with reading(self.stores.raw) as connection:
            known = [each.round_id for each in rounds.rounds_of(connection, programme_id)]
            return {id_: {each.pairing_id for each in rounds.invitations_of(connection, id_)} for id_ in known}


class Kept:
    """A channel that keeps what it takes; whether it does is the world's to say."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send(self, letter: Letter) -> Outcome:
        outcome = self._world.outcome(letter)
        if outcome.state == "accepted":
            self._world.letters.append((self._world.now, letter))
        return outcome

    def close(self) -> None:
        """It holds nothing."""


def at(when: str) -> datetime:
    return datetime.fromisoformat(when).replace(tzinfo=UTC)


def kind_of(letter: Letter) -> str:
    return KINDS[letter.subject.split()[0]]
