"""Made-up programmes in which releases together told what a newcomer or an erased person said: now none does."""

from itertools import islice

import numpy as np
import pytest

from pipeline import weigh
from pipeline.attack.attempts import Effort, leaks_over_time
from pipeline.attack.oracle import known_of, seen_round
from pipeline.demonstration.programme import Plan, make
from pipeline.disclosure import gate
from tests.attacks import worlds
from tests.attacks.simulator import Tally, attack, released

pytestmark = pytest.mark.slow

ERASED = Plan(n_pairings=90, n_rounds=3, erased=0.04, silent=0.0, mean=55.0, spread=30.0)  # all say the same again


def _leaks() -> list[object]:
    """What two rounds tell of the one mentee who came between them, to somebody who is no insider."""
    read = [known_of(inputs, seen_round(inputs, rows)) for inputs, rows in _two_rounds()]
    return list(leaks_over_time(read, np.random.default_rng(1), Effort(viewers=0, targets=0)))


def _two_rounds() -> list[tuple[object, object]]:
    return list(islice(released(worlds.programme("small", 70010)), 2))  # type: ignore[arg-type]


def test_two_releases_together_tell_nothing_of_who_came() -> None:
    assert _leaks() == []


def test_without_its_guards_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "telling_together", lambda *_: set())
    monkeypatch.setattr(weigh, "_merged_rooms", lambda *_: {})  # what was told as one last time is not known
    assert _leaks() != []


def _with_erasures(seeds: range) -> Tally:
    """What everything that is tried proves of programmes in which people are erased between three releases."""
    tally = Tally()
    for seed in seeds:
        attack(make(ERASED, np.random.default_rng(seed)), f"erased {seed}", tally)
    return tally


def test_three_releases_tell_nothing_of_who_was_erased_between_them() -> None:
    tally = _with_erasures(range(3))
    assert tally.wrong == []
    assert tally.leaks == {}
    assert tally.answers > 2000


def test_where_a_group_comes_back_whoever_was_erased_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "tells_of_erased", lambda *_, **__: False)
    assert [leak.attack for found in _with_erasures(range(1, 2)).leaks.values() for leak in found] != []
