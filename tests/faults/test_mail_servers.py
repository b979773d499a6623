"""Mail servers that misbehave: nothing is lost, and twice only what a server left open, in the same bytes."""

from datetime import timedelta

import pytest

from surveys import invitations, letters
from surveys.channel import Letter, Outcome
from surveys.channels.email import Email
from tests.faults.mail_servers import N_PAIRS, walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mail servers")]
AFTER_THE_DOT = ("take", "hang up after the dot")


def test_every_invitation_arrives_once_or_is_refused_whatever_the_server_does(tmp_path):
    outcome = walk(tmp_path, seed=1)
    assert outcome.is_clean, outcome
    assert outcome.n_messages == 2 * N_PAIRS
    assert outcome.n_twice > 0  # the server did hang up after the dot
    assert 0 < outcome.n_refused < N_PAIRS


class SureOfItself(Email):
    """A defect: what may have been delivered counts as not delivered."""

    def send(self, letter: Letter) -> Outcome:
        found = super().send(letter)
        return Outcome(state="later", said=found.said) if found.state == "unknown" else found


class Gullible(Email):
    """A defect: what was put off counts as delivered."""

    def send(self, letter: Letter) -> Outcome:
        found = super().send(letter)
        return Outcome(state="accepted", said="") if found.state == "later" else found


def test_a_sender_that_repeats_what_may_have_arrived_is_caught(tmp_path):
    assert walk(tmp_path, seed=2, ways=AFTER_THE_DOT, channel=SureOfItself).too_often != []


def test_a_sender_that_gives_up_is_caught(tmp_path):
    assert walk(tmp_path, seed=2, ways=("take", "greylist"), channel=Gullible).lost != []


def test_a_sender_that_writes_anew_each_time_is_caught(tmp_path, monkeypatch):
    kept = letters.seal
    later = iter(range(10_000))

    def other_date(content, **more):
        at = content.written_at + timedelta(seconds=next(later))
        return kept(letters.Content(**{**vars(content), "written_at": at}), **more)

    monkeypatch.setattr(invitations.letters, "seal", other_date)
    assert walk(tmp_path, seed=2, ways=AFTER_THE_DOT).changed != []
