"""Somebody at HR tries every way in to lower, unlock or switch off a threshold: none does.

The same steps against a house with one guard taken out must find it, or the steps are too tame.
"""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

import rapport
from data import decisions as rules
from data import settings as reading_settings
from data.errors import RapportError
from data.settings import Settings
from data.store import batches, people
from data.store import decisions as kept
from data.store import rounds as rounds_store
from data.store.engine import Connection
from tests.attacks.configuration import (
    STEPS,
    WAYS,
    House,
    attack,
    cadence,
    change,
    decide,
    import_people,
    import_programme,
    save_again,
    undo_programme,
)

# --- no way leads in -------------------------------------------------------------------------------


def test_no_way_in_lowers_unlocks_or_switches_off_a_threshold(tmp_path: Path) -> None:
    houses = [House(tmp_path / str(seed), seed) for seed in (1, 2, 3)]
    assert [attack(house) for house in houses] == [[], [], []]
    assert set().union(*(house.taken for house in houses)) == set(WAYS) - {decide}  # each got in with something


def test_before_the_first_round_no_way_in_goes_below_the_least(tmp_path: Path) -> None:
    house, ways = (
        House(tmp_path, 3, is_open=False),
        (save_again, change, decide, cadence, import_programme, undo_programme, import_people),
    )
    assert attack(house, ways=ways) == []
    assert house.taken == set(ways)


def _without_a_floor(decisions: Any, name: str) -> Any:
    return decisions.get(name, rules.LEAST[name])


def _as_wanted(_connection: Connection, _programme_id: str, wanted: Any) -> dict[str, Any]:
    return dict(wanted)


GUARDS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "saving looks": lambda patch: patch.setattr(people, "admitted", _as_wanted),
    "deciding looks": lambda patch: patch.setattr(kept, "admitted", _as_wanted),
    "imports and undoing look": lambda patch: patch.setattr(batches, "admitted", _as_wanted),
    "a round locks": lambda patch: patch.setattr(kept, "is_locked", lambda *_: False),
    "leaving out unlocks nothing": lambda patch: patch.setattr(rules, "fixed_part", lambda _decisions: {}),
    "invitations carry groups": lambda patch: patch.setattr(rounds_store, "in_groups", lambda _c, asked: list(asked)),
    "unlisted values have a group": lambda patch: patch.setattr(
        rules, "group_of", lambda groups, name, value: groups.get(name, {}).get(value, value)
    ),
    "pairings stay in their cohort": lambda patch: patch.setattr(kept, "_cohorts", lambda *_: {}),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_the_same_steps_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    house = House(tmp_path, 1)
    GUARDS[guard](monkeypatch)
    assert attack(house, 4 * STEPS) != []


def test_without_a_floor_the_steps_before_the_first_round_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, 3, is_open=False)
    monkeypatch.setattr(rules, "_count", _without_a_floor)
    assert attack(house, ways=(save_again, change, decide)) != []


# --- settings and verbs ----------------------------------------------------------------------------

SETTINGS = (
    *rules.LEAST, "respondents_n", "thresholds", "decisions", "attributes", "groups", "gate", "disable_gate", "debug",
    "min_n", "minimum_n", "score", "unsafe", "lock", "two_way",
)  # fmt: skip
VALUES = ("0", "1", "4", "true", "false", '"off"', "[]", "{ score_n = 1 }")


def test_no_setting_reaches_a_threshold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none, and one that is made up is refused in rapport.toml and changes nothing in the environment."""
    house, rng = House(tmp_path, 4), Random(4)
    fields = set(Settings.model_fields)
    assert not {name for name in fields if any(part in name for part in ("score", "thresh", "group", "gate", "_n"))} - {
        "mail_only_to"
    }
    plain = _loaded(tmp_path)
    assert plain is not None
    for name in SETTINGS:
        value = rng.choice(VALUES)
        with monkeypatch.context() as patch:
            patch.setenv(f"RAPPORT_{name.upper()}", value.strip('"'))
            assert _loaded(tmp_path) in (None, plain)
        (tmp_path / "rapport.toml").write_text(f"{name} = {value}\n", encoding="utf-8")
        with pytest.raises(RapportError, match=f"The setting {name}"):
            reading_settings.load(tmp_path)
        (tmp_path / "rapport.toml").write_text("", encoding="utf-8")
    assert _loaded(tmp_path) == plain
    assert house.faults() == []


def _loaded(home: Path) -> dict[str, Any] | None:
    """All settings; None where they are refused."""
    try:
        return reading_settings.load(home).model_dump()
    except RapportError:
        return None


def test_no_verb_reaches_a_threshold_that_is_locked(tmp_path: Path) -> None:
    house, rng, runner = House(tmp_path, 5), Random(5), CliRunner()
    files = {
        "groups.toml": '[department]\n"North" = "Hand-picked"\n"*" = "Rest"\n',
        "empty.toml": "",
        "cadence.toml": "starts_on = 2027-01-04\nscore_n = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    tried = [
        *(["programme", "thresholds", "m", f"--{rng.choice(['score', 'staying', 'two-way', 'comment'])}-n", n]
          for n in ("0", "-1", "1", "5", "7", "23", "1e3", "five")),
        *(["programme", "thresholds", "m", "--attributes", each] for each in ("", "salary", "location", "a,b,c")),
        *(["programme", "groups", "m", *each] for each in (["--accept"], [str(tmp_path / "groups.toml")],
                                                           [str(tmp_path / "empty.toml")])),
        ["rounds", "cadence", "m", str(tmp_path / "cadence.toml")], ["rounds", "cadence", "m", "--stop"],
        ["run", "--score-n", "1"], ["published", "--programme", "m"], ["forecast", "m", "--response", "1.0"],
    ]  # fmt: skip
    for words in tried:
        done = runner.invoke(rapport.app, ["--home", str(tmp_path), *words])
        assert done.exception is None or isinstance(done.exception, SystemExit | RapportError), (words, done.exception)
        assert house.faults() == [], words
    said = runner.invoke(rapport.app, ["--home", str(tmp_path), "programme", "thresholds", "m", "--json"]).stdout
    assert json.loads(said)["locked"] is True
