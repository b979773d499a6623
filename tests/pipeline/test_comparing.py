"""A file of published rows is held against the frozen release: identical, or the first row that differs."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from data.errors import RapportError
from data.store.engine import Stores, writing
from data.store.releases import withdraw_release
from data.tables import releases as kept_releases
from pipeline.comparing import compare
from pipeline.jobs import file_named
from pipeline.published import as_csv, as_json, published
from tests.conftest import KEY
from tests.dashboard.made_releases import NOW, make_release

Forge = Callable[[str], str]


@pytest.fixture
def made(sqlite_stores: Stores) -> tuple[Stores, list[str]]:
    return sqlite_stores, [make_release(sqlite_stores, number, key=KEY) for number in (1, 2)]


def files(stores: Stores) -> dict[str, str]:
    rows = published(stores.published, key=KEY)
    return {"csv": as_csv(rows), "json": as_json(rows)}


def held(stores: Stores, text: str) -> tuple[dict[str, str], str | None]:
    found = compare(stores.published, text.encode(), key=KEY)
    return found["releases"], found["first_difference"]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_what_published_prints_is_identical_in_any_order(made: tuple[Stores, list[str]], kind: str) -> None:
    stores, ids = made
    text = files(stores)[kind]
    assert held(stores, text) == (dict.fromkeys(ids, "identical"), None)
    if kind == "json":
        turned = json.dumps(json.loads(text)[::-1])
    else:
        header, *lines = text.splitlines()
        turned = "\r\n".join([header, *lines[::-1]])
    assert held(stores, turned)[0] == dict.fromkeys(ids, "identical")


def in_json(change: Callable[[list[dict[str, object]]], object]) -> Forge:
    def forge(text: str) -> str:
        rows = json.loads(text)
        change(rows)
        return json.dumps(rows)

    return forge


@pytest.mark.parametrize(
    ("kind", "forge", "said"),
    [
        ("csv", lambda text: text.replace(",52.0,", ",82.0,", 1), "has low 82.0, the release has 52.0"),
        ("json", in_json(lambda rows: rows[0].update(n=5)), "row 1 (adaptation, mentor, all, all) has n 5, the"),
        ("json", in_json(lambda rows: rows[0].update(n="45")), 'has n "45", the release has 45'),
        ("json", in_json(lambda rows: rows[0].update(shown=1)), "has shown 1, the release has true"),
        ("json", in_json(lambda rows: rows.append(rows[0])), "stands twice"),
        ("json", in_json(lambda rows: rows.pop(3)), "the release has a row that the file lacks (adaptation"),
        ("json", in_json(lambda rows: rows[0].update(group="Leeds")), "row 1 (adaptation, mentor, all, Leeds) is not"),
    ],
)
def test_any_other_file_differs_with_the_first_row_that_does(
    made: tuple[Stores, list[str]], kind: str, forge: Forge, said: str
) -> None:
    stores, (first, second) = made
    text = files(stores)[kind]
    forged = forge(text)
    assert forged != text
    verdicts, difference = held(stores, forged)
    assert verdicts == {first: "differs", second: "identical"}
    assert difference is not None
    assert difference.startswith(f"{first}: ")
    assert said.replace('"', "") in difference.replace('"', "")


def test_a_number_in_the_place_of_a_withheld_one_differs(made: tuple[Stores, list[str]]) -> None:
    stores, (first, _) = made

    def reveal(rows: list[dict[str, object]]) -> None:
        row = next(row for row in rows if not row["shown"])
        row.update(value=12.0, shown=True)

    assert held(stores, in_json(reveal)(files(stores)["json"]))[0][first] == "differs"


def test_another_release_a_broken_seal_and_another_key_differ(made: tuple[Stores, list[str]]) -> None:
    stores, (first, second) = made
    text = files(stores)["json"]
    verdicts, said = held(stores, text.replace(first, "mentoring-9-00000000"))
    assert (verdicts["mentoring-9-00000000"], said) == (
        "differs", "mentoring-9-00000000: there is no such release here",
    )  # fmt: skip
    assert set(compare(stores.published, text.encode(), key="x" * 48)["releases"].values()) == {"differs"}
    with writing(stores.published) as connection:
        tampered = kept_releases.c.content + " "
        connection.execute(update(kept_releases).where(kept_releases.c.release_id == second).values(content=tampered))
    assert held(stores, text) == (
        {first: "identical", second: "differs"}, f"{second}: the seal of the release here does not hold",
    )  # fmt: skip


def test_a_file_of_a_release_that_was_withdrawn_since_says_so(made: tuple[Stores, list[str]]) -> None:
    stores, (first, second) = made
    text = files(stores)["csv"]
    with writing(stores.published) as connection:
        withdraw_release(connection, first, reason="a wrong map", now=NOW)
    assert held(stores, text) == ({first: "identical; withdrawn since", second: "identical"}, None)


HOSTILE = {
    "nothing": b"",
    "a header only": b"programme,release,round,view,group,side,metric,value,low,high,n,unit,claim,shown,reason\n",
    "other columns": b"release,value\nmentoring-1,5\n",
    "deep": b"[" * 200_000,
    "a long number": b'[{"release": ' + b"9" * 100_000 + b"}]",
    "not a number": b'[{"release": NaN}]',
    "twice": b'[{"release": "a", "release": "b"}]',
    "an object": b'{"release": "a"}',
    "no objects": b"[1, 2, 3]",
    "not UTF-8": b"\xff\xfe\x00programme",
    "an entity": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "an open quote": b'programme,"' + b"x" * 1_000_000,
    "many cells": b"a," * 500_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_one_sentence_and_quickly(sqlite_stores: Stores, name: str) -> None:
    begun = time.monotonic()
    with pytest.raises(RapportError) as refused:
        compare(sqlite_stores.published, HOSTILE[name], key=KEY)
    assert time.monotonic() - begun < 5
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600


def test_a_message_repeats_no_control_characters_and_not_much(made: tuple[Stores, list[str]]) -> None:
    stores, _ = made
    odd = "\x1b[31m" + "x" * 5000
    _, said = held(stores, in_json(lambda rows: rows[0].update(reason=odd))(files(stores)["json"]))
    assert said is not None
    assert "\x1b" not in said
    assert len(said) < 300


def test_an_argument_is_a_release_before_it_is_a_file(
    made: tuple[Stores, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores, (first, _) = made
    monkeypatch.chdir(tmp_path)
    (tmp_path / first).write_text("a file of that name")
    (tmp_path / "numbers.csv").write_text("x")
    assert file_named(stores, first) is None
    assert file_named(stores, "numbers.csv") == Path("numbers.csv")
    for other in (None, "nothing", ".", "/dev/zero", "x" * 5000, "a\0b"):
        assert file_named(stores, other) is None
