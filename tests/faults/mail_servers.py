"""Sends a round's invitations through a mail server that misbehaves, until every one is at its end.

`python -m tests.faults.mail_servers --messages 20000` is the long form.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from data.settings import Settings
from data.store import outbox, people
from data.store.engine import Stores, migrate, open_stores, reading, writing
from data.store.people import Programme
from surveys import cadence, planning
from surveys.channel import Channel
from surveys.channels.email import Email
from surveys.invitations import Post
from surveys.questionnaire import ours
from tests.conftest import KEY
from tests.support import cast
from tests.support.rude_mail import WAYS, RudeMail, Seen

N_PAIRS = 40
TRIES = 400  # looks of the timetable, half an hour apart: more than ten days
STEP = timedelta(minutes=30)


@dataclass
class Outcome:
    """What was wrong, by recipient: not delivered and not said so, too often, in two wordings, or told wrongly."""

    n_messages: int = 0
    n_taken: int = 0
    n_twice: int = 0
    n_refused: int = 0
    n_unknown: int = 0
    lost: list[str] = field(default_factory=list)
    too_often: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    told_wrongly: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.too_often or self.changed or self.told_wrongly)


def a_round(stores: Stores) -> None:
    """A programme whose first round is asked on 2 March; nobody answers."""
    of = cadence.read({"starts_on": cast.OPENS.date(), "open_days": 30, "reminders_after_days": []})
    with writing(stores.raw) as connection:
        decisions = {cadence.DECISION: cadence.kept(of)}
        new = Programme(programme_id="m", name="M", created_at=cast.OPENS, decisions=decisions)
        people.save_programme(connection, new)
        for number in range(N_PAIRS):
            for side in ("a", "b"):
                people.save_person(connection, cast.person(f"{side}{number:03d}"))
            cast.pair(connection, f"P{number:03d}", f"a{number:03d}", f"b{number:03d}", programme_id="m")
        planning.plan(connection, ours(), cast.OPENS)


def send(stores: Stores, settings: Settings, seed: int, channel: type[Email] = Email) -> None:
    """The timetable's send job, every half hour until nothing is planned any more."""
    now = cast.OPENS + timedelta(hours=1)
    for number in range(TRIES):
        channels: dict[str, Channel] = {"email": channel(settings)}
        Post(settings, stores, channels, lambda: now, f"worker:{number}", Random(seed)).send_due()  # noqa: B023
        now += STEP
        with reading(stores.raw) as connection:
            if not outbox.by_state(connection).get("planned"):
                return


def look(stores: Stores, server: RudeMail) -> Outcome:
    """What the server had against what the outbox says."""
    outcome = Outcome()
    with reading(stores.raw) as connection:
        address = {person.person_id: str(person.email) for person in people.people_of(connection, "m")}
        (round_id,) = {message.round_id for message in outbox.planned(connection, "9999")} or {"m-2026-03-02"}
        messages = outbox.of_round(connection, round_id)
    for message in messages:
        seen = server.seen[address[message.person_id]]
        outcome.n_messages += 1
        outcome.n_taken += bool(seen.taken)
        outcome.n_twice += len(seen.taken) > 1
        outcome.n_refused += message.state == "refused"
        outcome.n_unknown += message.state == "unknown"
        if not seen.taken and message.state not in ("refused", "unknown"):
            outcome.lost.append(message.person_id)
        if len(seen.taken) > min(1 + seen.n_hung_up_after, 2):
            outcome.too_often.append(message.person_id)
        if len(set(seen.taken)) > 1:
            outcome.changed.append(message.person_id)
        if message.state not in told(seen):
            outcome.told_wrongly.append(message.person_id)
    return outcome


def told(seen: Seen) -> set[str]:
    """What the outbox may say: a server that hangs up in the content looks at times like one that took it all."""
    if seen.n_confirmed:
        return {"accepted"}
    final = {"refused"} if seen.is_refused else set()
    if seen.n_hung_up_after == 2:
        return {"unknown"}
    return final | ({"unknown"} if seen.n_hung_up_after + seen.n_hung_up_within >= 2 else set()) or {"planned"}


def walk(folder: Path, *, seed: int, ways: tuple[str, ...] = WAYS, channel: type[Email] = Email) -> Outcome:
    """One round through one rude server."""
    with RudeMail(seed, ways) as server:
        settings = Settings(
            home=folder,
            secret_key=KEY,
            mail_from="mentoring@example.org",
            smtp_host="127.0.0.1",
            smtp_port=server.port,
            smtp_security="none",
        )
        stores = open_stores(settings)
        migrate(stores)
        a_round(stores)
        send(stores, settings, seed, channel)
        outcome = look(stores, server)
        stores.dispose()
    return outcome


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--messages", type=int, default=20_000)
    words.add_argument("--seed", type=int, default=1)
    chosen = words.parse_args()
    done = twice = bad = 0
    for seed in range(chosen.seed, chosen.seed + -(-chosen.messages // (2 * N_PAIRS))):
        with tempfile.TemporaryDirectory() as folder:
            outcome = walk(Path(folder), seed=seed)
        done, twice, bad = done + outcome.n_messages, twice + outcome.n_twice, bad + (not outcome.is_clean)
        sys.stdout.write(f"seed {seed}: {done} messages, {twice} twice after a hang-up, {bad} rounds with faults\n")
        sys.stdout.flush()
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
