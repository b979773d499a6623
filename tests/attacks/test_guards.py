"""Each guard of the gate and of releases is needed: with it nothing is known, without it something is."""

import pytest

from tests.attacks.guards import GUARDS, Guard

EACH = pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)


@EACH
def test_with_all_guards_nothing_is_known(guard: Guard) -> None:
    assert guard.known() == [], guard.why


@EACH
def test_without_a_guard_something_is_known(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    guard.take_away(monkeypatch)
    assert guard.known() != [], guard.why


def test_the_list_is_long_enough_and_names_each_guard_once() -> None:
    names = [guard.name for guard in GUARDS]
    assert len(names) >= 20
    assert len(set(names)) == len(names)
