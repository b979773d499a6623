"""A made-up programme in which two releases together told a newcomer's answer: the gate withholds it now."""

from itertools import islice

import numpy as np
import pytest

from pipeline import weigh
from pipeline.attack.attempts import Effort, leaks_over_time
from pipeline.attack.oracle import known_of, seen_round
from pipeline.disclosure import gate
from tests.attacks import worlds
from tests.attacks.simulator import released

pytestmark = pytest.mark.slow


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
