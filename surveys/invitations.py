"""Claims the messages that are due, writes them, sends them, and records what became of each."""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from data.errors import RapportError
from data.settings import Settings
from data.store import outbox, people, rounds
from data.store.engine import Connection, Stores, reading, writing
from data.store.outbox import Bounce, Message
from data.store.people import Person
from data.store.rounds import Round
from surveys import letters, links
from surveys.channel import Channel, Letter, Outcome
from surveys.letters import About, Content
from surveys.sorting import ASKING, has_come, sort_out

BATCH = 20
LEASE = timedelta(minutes=10)
FIRST_WAIT = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=4)
UNSUBSCRIBE_FOR = timedelta(days=730)
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Post:
    """What sending needs: settings, stores, channels by name, a clock, the worker's name."""

    settings: Settings
    stores: Stores
    channels: Mapping[str, Channel]
    clock: Clock
    owner: str
    rng: Random

    def send_due(self) -> str:
        """Send everything that is due, a few at a time; says how it went."""
        counts: dict[str, int] = {}
        with writing(self.stores.raw) as connection:
            outbox.recover(connection, self.clock(), self.owner)
        now = self.clock()
        with reading(self.stores.raw) as connection:
            queue = [message for message in outbox.upcoming(connection, now) if has_come(message, now)]
        for start in range(0, len(queue), BATCH):
            for message in self._claim(queue[start : start + BATCH]):
                state = self._send(message)
                counts[state] = counts.get(state, 0) + 1
        for channel in self.channels.values():
            channel.close()
        return ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))

    # --- claim -------------------------------------------------------------------------------------

    def _claim(self, messages: Sequence[Message]) -> list[Message]:
        """Those of a few messages that are still needed and nobody else took; the rest is skipped or waits."""
        now = self.clock()
        with reading(self.stores.raw) as connection:
            found = sort_out(connection, messages, self.settings, now)
            room = self.settings.mail_daily_cap - outbox.n_sent_since(connection, now - timedelta(days=1))
        chosen = [message.message_id for message in found.send[: max(room, 0)]]
        if not (chosen or found.skip or found.wait):
            return []
        with writing(self.stores.raw) as connection:
            for outcome, message_ids in found.skip.items():
                outbox.skip(connection, message_ids, outcome, now)
            for until, message_ids in found.wait.items():
                outbox.hold(connection, message_ids, until)
            taken = outbox.claim(connection, chosen, owner=self.owner, until=now + LEASE, now=now)
        return [message for message in found.send if message.message_id in taken]

    # --- send --------------------------------------------------------------------------------------

    def _send(self, message: Message) -> str:
        """Write down the bytes, transmit, write down the outcome: in this order, each committed."""
        try:
            with writing(self.stores.raw) as connection:
                final, letter = self._sealed(connection, message)
                now = self.clock()
                until = now + LEASE
                if not outbox.begin(connection, final, owner=self.owner, until=until, now=now):
                    return "left to another worker"
        except RapportError as error:
            return self._record(message, Outcome(state="refused", said=str(error)))
        return self._record(final, self._delivered(message.channel, letter))

    def _delivered(self, channel: str, letter: Letter) -> Outcome:
        if channel not in self.channels:
            return Outcome(state="later", said=f"the channel {channel} is not set up")
        return self.channels[channel].send(letter)

    def _sealed(self, connection: Connection, message: Message) -> tuple[Message, Letter]:
        """The message with its content and nonce, and its letter. Sent again, it is the same to the byte."""
        person = people.person(connection, message.person_id)
        of = rounds.read_round(connection, message.round_id)
        content = self._content(connection, message, person, of)
        nonce = message.nonce or secrets.token_hex(32)
        key = str(self.settings.secret_key)
        tokens = {purpose: links.derived(key, nonce, purpose) for purpose in ("answer", "unsubscribe")}
        if message.nonce is None:
            self._keep_links(connection, message, of, tokens)
        base = self.settings.public_answers_url
        letter = letters.seal(
            content,
            to=str(person.email),
            name=person.name,
            header_id=message.header_id or letters.header_id(message.message_id, self.settings),
            answer=f"{base}/a/{tokens['answer']}",
            unsubscribe=f"{base}/u/{tokens['unsubscribe']}",
            settings=self.settings,
        )
        body = json.dumps({**asdict(content), "written_at": content.written_at.isoformat()}, ensure_ascii=False)
        digest = hashlib.sha256(letter.mime).hexdigest()
        return replace(message, body=body, nonce=nonce, header_id=letter.header_id, body_sha256=digest), letter

    def _content(self, connection: Connection, message: Message, person: Person, of: Round) -> Content:
        if message.body is not None:
            kept = json.loads(message.body)
            return Content(**{**kept, "written_at": datetime.fromisoformat(kept["written_at"])})
        asks = rounds.asks_of(connection, message.round_id, message.person_id)
        about = About(
            kind=message.kind,
            name=person.name,
            language=person.language,
            others=tuple(dict.fromkeys(ask.other_name for ask in asks)),
            closes_at=of.closes_at.astimezone(ZoneInfo(message.time_zone)),
            reply=_reply(connection, of, message.kind),
        )
        return letters.write(about, organisation=self.settings.organisation, now=self.clock())

    def _keep_links(self, connection: Connection, message: Message, of: Round, tokens: Mapping[str, str]) -> None:
        now = self.clock()
        expiry = {"answer": of.closes_at, "unsubscribe": now + UNSUBSCRIBE_FOR}
        wanted = ("answer", "unsubscribe") if message.kind in ASKING else ("unsubscribe",)
        for purpose in wanted:
            links.make(
                connection,
                purpose=purpose,  # type: ignore[arg-type]
                person_id=message.person_id,
                of=of,
                now=now,
                token=tokens[purpose],
                expires_at=expiry[purpose],
            )

    # --- record ------------------------------------------------------------------------------------

    def _record(self, message: Message, outcome: Outcome) -> str:
        """What became of it; `later` waits longer each time, with jitter, `unknown` once."""
        now = self.clock()
        state = {"later": "planned"}.get(outcome.state, outcome.state)
        wait = self._wait(message.n_attempts) if outcome.state in ("later", "unknown") else None
        with writing(self.stores.raw) as connection:
            outbox.finish(
                connection,
                message.message_id,
                owner=self.owner,
                state=state,
                outcome=outcome.said,
                now=now,
                not_before=now + wait if wait is not None else None,
            )
            if outcome.is_bad_address:
                address = str(people.person(connection, message.person_id).email)
                outbox.note_bounce(
                    connection, Bounce(person_id=message.person_id, address=address, reason=outcome.said, since=now)
                )
        return outcome.state

    def _wait(self, n_attempts: int) -> timedelta:
        longest: timedelta = min(FIRST_WAIT * 2 ** min(n_attempts, 10), LONGEST_WAIT)
        share: float = self.rng.uniform(0.5, 1.0)
        return longest * share


def _reply(connection: Connection, of: Round, kind: str) -> outbox.Reply | None:
    """Thanks carry the answer to their own round, an invitation the last one that was written before."""
    if kind == "thanks":
        return outbox.reply_to(connection, of.round_id)
    if kind != "invitation":
        return None
    earlier = [each for each in rounds.rounds_of(connection, of.programme_id) if each.number < of.number]
    written = (outbox.reply_to(connection, each.round_id) for each in reversed(earlier))
    return next((reply for reply in written if reply is not None), None)
