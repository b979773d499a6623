"""Everything that can happen to an answer, in any order: the store says what a model of a few lines says."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from data.settings import Settings
from data.store import answers
from data.store.engine import migrate, open_stores
from surveys import closing
from tests.conftest import KEY
from tests.faults import model
from tests.faults.model import Walk, walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("model")]

MOVES = ("open", "submit", "retry", "contradict", "draft", "withdraw", "link", "revoke", "close", "erase", "move_clock")
DICE = st.randoms(use_true_random=False)


class Machine(RuleBasedStateMachine):
    """Hypothesis chooses the moves, and shortens whatever walk goes wrong."""

    @initialize()
    def begin(self) -> None:
        self._home = tempfile.TemporaryDirectory()
        stores = open_stores(Settings(home=Path(self._home.name), secret_key=KEY))
        migrate(stores)
        self.walk = Walk(stores, 0)
        self.walk.open()

    @rule(move=st.sampled_from(MOVES), dice=DICE)
    def step(self, move: str, dice) -> None:
        self.walk.dice = dice
        getattr(self.walk, move)()

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "walk"):
            self.walk.check()

    def teardown(self) -> None:
        if hasattr(self, "walk"):
            self.walk.stores.dispose()
            self._home.cleanup()


def test_whatever_happens_store_and_model_agree():
    quick = settings(
        max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(Machine, settings=quick)


@pytest.mark.parametrize("seed", range(4))
def test_long_walks_agree(tmp_path, seed):
    assert walk(tmp_path, seed=seed, n_steps=400).n_steps == 400


def _counts_repeats(monkeypatch):
    """A defect: a page sent twice is two answers."""
    kept = model.answers.store_response
    numbers = iter(range(10**6))

    def store(connection, submission, **more):
        return kept(connection, model.Submission(**{**vars(submission), "submission_id": f"{next(numbers)}"}), **more)

    monkeypatch.setattr(model.answers, "store_response", store)


def _takes_late(monkeypatch):
    """A defect: nobody looks whether the round is open."""
    kept = model.answers.store_response
    monkeypatch.setattr(
        model.answers, "store_response", lambda connection, submission, **_: kept(connection, submission)
    )


def _keeps_drafts(monkeypatch):
    """A defect: drafts outlive their round."""
    monkeypatch.setattr(closing.drafts, "forget_drafts", lambda *_: 0)


def _withdraws_nothing(monkeypatch):
    """A defect: a withdrawn answer still counts."""
    monkeypatch.setattr(answers, "withdraw", lambda *_, **__: True)


@pytest.mark.parametrize("defect", [_counts_repeats, _takes_late, _keeps_drafts, _withdraws_nothing])
def test_a_store_that_forgets_a_rule_is_caught(tmp_path, monkeypatch, defect):
    defect(monkeypatch)
    with pytest.raises(AssertionError):
        walk(tmp_path, seed=1, n_steps=600)
