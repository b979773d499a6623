"""Random walks through everything that can happen to an answer, beside a model of a few lines that says what must be.

`python -m tests.faults.model --steps 100000` is the long form.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from data.erasure import erase
from data.errors import RapportError
from data.settings import Settings
from data.store import answers, drafts, people, rounds
from data.store.answers import Submission
from data.store.engine import Stores, migrate, open_stores, reading, writing
from data.tables import drafts as draft_table
from data.tables import responses
from surveys import closing, links
from surveys import rounds as opening
from surveys.questionnaire import ours
from tests.conftest import KEY
from tests.support import cast

SIDES = ("mentor", "mentee")
Said = Mapping[str, str]


@dataclass
class Version:
    """What the model holds of one response."""

    submission_id: str
    said: Said
    counts: bool


@dataclass
class Ask:
    """What the model holds of one invitation."""

    person_id: str
    round_id: str
    versions: list[Version] = field(default_factory=list)
    drafts: dict[str, Said] = field(default_factory=dict)


@dataclass
class Model:
    """What must be true, as far as people can tell."""

    now: datetime = cast.OPENS
    asks: dict[str, Ask] = field(default_factory=dict)
    tokens: dict[str, tuple[str, str, bool]] = field(default_factory=dict)  # token → person, round, revoked
    closes: dict[str, datetime] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)

    def takes(self, round_id: str) -> bool:
        opens = self.closes[round_id] - timedelta(days=14)
        return round_id not in self.closed and opens <= self.now < self.closes[round_id]


class Walk:
    """One store and its model, driven by the same dice."""

    def __init__(self, stores: Stores, seed: int) -> None:
        self.stores, self.model, self.dice = stores, Model(), random.Random(seed)
        self.n_steps = self._n = 0
        with writing(stores.raw) as connection:
            cast.introduce(connection)
        self._moves: tuple[Callable[[], None], ...] = (
            *(self.submit,) * 6,
            *(self.retry,) * 3,
            *(self.contradict,) * 2,
            *(self.draft,) * 3,
            *(self.link,) * 2,
            *(self.move_clock,) * 3,
            self.withdraw,
            self.open,
            self.close,
            self.revoke,
            self.erase,
        )

    def step(self) -> None:
        self.dice.choice(self._moves)()
        self.n_steps += 1

    def _any_ask(self) -> tuple[str, Ask] | None:
        return self.dice.choice(list(self.model.asks.items())) if self.model.asks else None

    def _said(self) -> Said:
        return {f"Q{place}": self.dice.choice("12345") for place in range(self.dice.randint(1, 3))}

    # --- moves ---------------------------------------------------------------------------------

    def open(self) -> None:
        self._n += 1
        round_id = f"R{self._n}"
        with writing(self.stores.raw) as connection:
            opened = opening.open_round(
                connection, questionnaire=ours(), round_id=round_id, programme_id=cast.MENTORING, pulse="pulse",
                opens_at=self.model.now, closes_at=self.model.now + timedelta(days=14),
            )  # fmt: skip
            invited = rounds.invitations_of(connection, round_id)
        self.model.closes[round_id] = opened.closes_at
        self.model.asks |= {each.invitation_id: Ask(each.person_id, round_id) for each in invited}

    def submit(self) -> None:
        found = self._any_ask()
        if found is not None:
            self._n += 1
            self._send(found, f"s{self._n}", self._said())

    def retry(self) -> None:
        """The same page again: a double click, a slow line, the back button."""
        self._again(changed=False)

    def contradict(self) -> None:
        """The same page with other answers, as from two tabs."""
        self._again(changed=True)

    def _again(self, *, changed: bool) -> None:
        found = self._any_ask()
        if found is not None and found[1].versions:
            version = self.dice.choice(found[1].versions)
            self._send(found, version.submission_id, self._said() if changed else version.said)

    def _send(self, found: tuple[str, Ask], submission_id: str, said: Said) -> None:
        invitation_id, ask = found
        submission = Submission(
            invitation_id=invitation_id, submission_id=submission_id, received_at=self.model.now, source="web",
            answers=said,
        )  # fmt: skip
        try:
            with writing(self.stores.raw) as connection:
                receipt = answers.store_response(connection, submission, only_while_open=True)
        except RapportError:
            assert not self.model.takes(ask.round_id), "refused while the round took answers"
            return
        assert self.model.takes(ask.round_id), "taken while the round took none"
        ask.drafts.pop(submission_id, None)
        sent = [each for each in ask.versions if each.submission_id == submission_id]
        is_repeat = any(each.said == said for each in sent)
        assert (receipt.is_repeat, receipt.is_conflict) == (is_repeat, bool(sent) and not is_repeat)
        if not is_repeat:
            counts = not sent
            if counts:
                for each in ask.versions:
                    each.counts = False
            ask.versions.append(Version(submission_id, said, counts))

    def draft(self) -> None:
        found = self._any_ask()
        if found is None:
            return
        invitation_id, ask = found
        self._n += 1
        draft_id = self.dice.choice([*ask.drafts, *(each.submission_id for each in ask.versions), f"d{self._n}"])
        said = self._said()
        try:
            with writing(self.stores.raw) as connection:
                is_kept = drafts.keep_draft(
                    connection, draft_id=draft_id, invitation_id=invitation_id, fields=said, now=self.model.now
                )
        except RapportError:
            assert not self.model.takes(ask.round_id)
            return
        was_sent = any(each.submission_id == draft_id for each in ask.versions)
        assert is_kept == (not was_sent)
        if is_kept:
            ask.drafts.pop(draft_id, None)
            ask.drafts[draft_id] = said
            while len(ask.drafts) > drafts.MOST_DRAFTS:
                ask.drafts.pop(next(iter(ask.drafts)))
        self.model.now += timedelta(seconds=1)

    def withdraw(self) -> None:
        found = self._any_ask()
        if found is None:
            return
        invitation_id, ask = found
        try:
            with writing(self.stores.raw) as connection:
                last = answers.last_version(connection, invitation_id)
                assert last == len(ask.versions)
                answers.withdraw(connection, invitation_id, up_to_version=last, now=self.model.now)
        except RapportError:
            assert not self.model.takes(ask.round_id)
            return
        assert self.model.takes(ask.round_id)
        for version in ask.versions:
            version.counts = False

    def link(self) -> None:
        found = self._any_ask()
        if found is None:
            return
        _, ask = found
        with writing(self.stores.raw) as connection:
            of = rounds.read_round(connection, ask.round_id)
            token = links.make(connection, purpose="answer", person_id=ask.person_id, of=of, now=self.model.now)
        self.model.tokens[token] = (ask.person_id, ask.round_id, False)

    def revoke(self) -> None:
        person_id = self.dice.choice(("ada", "ben"))
        with writing(self.stores.raw) as connection:
            rounds.revoke_links(connection, person_id, self.model.now)
        for token, (of, round_id, _) in self.model.tokens.items():
            if of == person_id:
                self.model.tokens[token] = (of, round_id, True)

    def close(self) -> None:
        with writing(self.stores.raw) as connection:
            closed = closing.close_due(connection, self.model.now)
        due = {id_ for id_, at in self.model.closes.items() if at <= self.model.now} - self.model.closed
        assert set(closed) == due
        self._forget(due)

    def _forget(self, round_ids: set[str]) -> None:
        self.model.closed |= round_ids
        for ask in self.model.asks.values():
            if ask.round_id in round_ids:
                ask.drafts.clear()

    def erase(self) -> None:
        if self.dice.random() > 0.2:
            return
        person_id = self.dice.choice(("ada", "ben"))
        with writing(self.stores.raw) as connection:
            erase(connection, person_id)
        for ask in self.model.asks.values():
            if ask.person_id == person_id:
                ask.versions.clear()
                ask.drafts.clear()
        self.model.tokens = {t: kept for t, kept in self.model.tokens.items() if kept[0] != person_id}
        self.model.erased.add(person_id)

    def move_clock(self) -> None:
        """Mostly forward by hours; at times days, at times back."""
        hours = self.dice.choice((1, 2, 12, 24, 24 * 7, -1, -24))
        self.model.now += timedelta(hours=hours)

    # --- look ----------------------------------------------------------------------------------

    def check(self) -> None:
        """The store says what the model says."""
        with reading(self.stores.raw) as connection:
            for invitation_id, ask in self.model.asks.items():
                query = select(responses.c.submission_id, responses.c.is_counted, responses.c.response_id)
                of = query.where(responses.c.invitation_id == invitation_id).order_by(responses.c.version)
                kept = [(row.submission_id, row.is_counted) for row in connection.execute(of)]
                assert kept == [(each.submission_id, each.counts) for each in ask.versions]
                assert sum(each.counts for each in ask.versions) <= 1
                of_draft = select(draft_table).where(draft_table.c.invitation_id == invitation_id)
                found = {row.draft_id: row.fields for row in connection.execute(of_draft)}
                assert found == {key: dict(value) for key, value in ask.drafts.items()}
            turns = rounds.turns_of(connection, self.model.closes)
            expected = {id_: any(each.counts for each in ask.versions) for id_, ask in self.model.asks.items()}
            assert {f"{t.round_id}:{t.pairing_id}:{t.side}": t.has_answered for t in turns} == expected
            for token, (_, round_id, is_revoked) in self.model.tokens.items():
                opens = links.read(connection, token, purpose="answer", now=self.model.now) is not None
                assert opens == (not is_revoked and self.model.now < self.model.closes[round_id])
                assert links.read(connection, token, purpose="unsubscribe", now=self.model.now) is None
            for person_id in self.model.erased:
                assert people.person(connection, person_id).email is None
        self._said_as_told()

    def _said_as_told(self) -> None:
        """The answers that count are the words of the version that counts."""
        counted = {id_: each.said for id_, ask in self.model.asks.items() for each in ask.versions if each.counts}
        with reading(self.stores.raw) as connection:
            frame = answers.read_answers(connection, cast.MENTORING, 10**6)
        found: dict[str, dict[str, str]] = {}
        for row in frame.itertuples():
            found.setdefault(f"{row.round_id}:{row.pairing_id}:{row.side}", {})[row.question_id] = row.value
        assert found == {id_: dict(said) for id_, said in counted.items()}


def walk(home: Path, *, seed: int, n_steps: int, check_every: int = 25) -> Walk:
    """One walk from an empty store; raises AssertionError where store and model part."""
    stores = open_stores(Settings(home=home, secret_key=KEY))
    migrate(stores)
    try:
        walked = Walk(stores, seed)
        walked.open()
        for _ in range(n_steps):
            walked.step()
            if walked.n_steps % check_every == 0:
                walked.check()
        walked.check()
    finally:
        stores.dispose()
    return walked


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--steps", type=int, default=100_000)
    words.add_argument("--seed", type=int, default=1)
    chosen = words.parse_args()
    done = 0
    for seed in range(chosen.seed, chosen.seed + -(-chosen.steps // 500)):
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as home:
            done += walk(Path(home), seed=seed, n_steps=500).n_steps
        if done % 5_000 == 0:
            sys.stdout.write(f"{done} steps, seed {seed}: store and model agree\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
