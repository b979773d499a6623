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
from data.store.outbox import ASKING, Bounce, Message
from data.store.people import Person
from data.store.rounds import Ask, Round
from surveys import letters, links
from surveys.channel import Channel, Letter, Outcome
from surveys.letters import About, Content
from surveys.sorting import active_asks, has_come, overtaken, sort_out

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
        now = self.clock()
        try:
            with writing(self.stores.raw) as connection:
                of = rounds.read_round(connection, message.round_id)
                asks = active_asks(connection, of, message, now)
                reason = overtaken(message, of, asks, now)
                if reason is None:
                    final, letter = self._sealed(connection, message, of, asks)
                    if not outbox.begin(connection, final, owner=self.owner, until=now + LEASE, now=now):
                        return "left to another worker"
        except (RapportError, ValueError) as error:
            said = str(error) if isinstance(error, RapportError) else "it cannot be written as a mail"
            return self._record(message, Outcome(state="refused", said=said))
        return (
            self._record(final, self._delivered(message.channel, letter))
            if reason is None
            else self._skip(message, reason)
        )

    def _skip(self, message: Message, reason: str) -> str:
        """Between the claim and now it has become needless."""
        with writing(self.stores.raw) as connection:
            outbox.finish(
                connection, message.message_id, owner=self.owner, state="skipped", outcome=reason, now=self.clock()
            )
        return "skipped"

    def _delivered(self, channel: str, letter: Letter) -> Outcome:
        if channel not in self.channels:
            return Outcome(state="later", said=f"the channel {channel} is not set up")
        return self.channels[channel].send(letter)

    def _sealed(
        self, connection: Connection, message: Message, of: Round, asks: Sequence[Ask]
    ) -> tuple[Message, Letter]:
        """The message with its content and nonce, and its letter. Sent again, it is the same to the byte."""
        person = people.person(connection, message.person_id)
        content = self._content(connection, message, person, of, asks)
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

    def _content(
        self, connection: Connection, message: Message, person: Person, of: Round, asks: Sequence[Ask]
    ) -> Content:
        if message.body is not None:
            kept = json.loads(message.body)
            return Content(**{**kept, "written_at": datetime.fromisoformat(kept["written_at"])})
        about = About(
            kind=message.kind,
            name=person.name,
            language=person.language,
            others=tuple(dict.fromkeys(ask.other_name for ask in asks if _is_about(message.kind, ask))),
            closes_at=of.closes_at.astimezone(ZoneInfo(message.time_zone)),
            reply=_reply(connection, of, message),
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


def _is_about(kind: str, ask: Ask) -> bool:
    """A reminder names whom an answer is missing about, thanks whom one was given about."""
    return {"reminder": not ask.has_answered, "thanks": ask.has_answered}.get(kind, True)


def _reply(connection: Connection, of: Round, message: Message) -> outbox.Reply | None:
    """Thanks carry the answer to their own round; the newest earlier one goes into a person's next invitation only."""
    if message.kind == "thanks":
        return outbox.reply_to(connection, of.round_id)
    if message.kind != "invitation":
        return None
    earlier = [each for each in rounds.rounds_of(connection, of.programme_id) if each.number < of.number]
    written = (outbox.reply_to(connection, each.round_id) for each in reversed(earlier))
    newest = next((reply for reply in written if reply is not None), None)
    if newest is None:
        return None
    last = outbox.last_invited_at(connection, message.person_id, [each.round_id for each in earlier])
    closed = [each.round_id for each in earlier if each.closed_at is not None]
    is_news = newest.round_id == closed[-1] if last is None else last < newest.written_at
    return newest if is_news else None
