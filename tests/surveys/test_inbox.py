"""The inbox: every file that is put there is taken or refused with its reason, once, and none is lost."""

import json

import pytest
from sqlalchemy import func, select

from data.imports.sheet import Limits
from data.store.engine import reading
from data.tables import responses
from surveys import inbox
from tests.support import cast

GOOD = "pairing_id,side,submitted_at,trust_honest\nP1,mentee,2026-03-02T12:00:00+00:00,4\n"


@pytest.fixture
def folder(sqlite_stores, home):
    """inbox/R1/csv of an installation with Ada, Ben and an open round."""
    cast.ada_and_ben(sqlite_stores)
    path = home / "inbox" / "R1" / "csv"
    path.mkdir(parents=True)
    return path


def fetch(stores, home, now=cast.NOON) -> str:
    return inbox.fetch(stores, home / "inbox", now=now, limits=Limits())


def n_responses(stores) -> int:
    with reading(stores.raw) as connection:
        return int(connection.execute(select(func.count()).select_from(responses)).scalar_one())


def names(folder, where: str) -> list[str]:
    return sorted(path.name for path in (folder / where).glob("*"))


def test_a_file_is_taken_once_and_its_report_lies_beside_it(sqlite_stores, home, folder):
    (folder / "answers.csv").write_text(GOOD)
    assert fetch(sqlite_stores, home) == "took 1 files"
    assert fetch(sqlite_stores, home) == ""
    assert names(folder, "taken") == ["20260302T120000-answers.csv", "20260302T120000-answers.csv.json"]
    assert json.loads((folder / "taken" / "20260302T120000-answers.csv.json").read_text())["accepted"] == 1
    assert n_responses(sqlite_stores) == 1


def test_a_file_whose_worker_died_before_it_moved_is_taken_again_and_changes_nothing(
    sqlite_stores, home, folder, monkeypatch
):
    (folder / "answers.csv").write_text(GOOD)

    def die(*_words) -> None:
        raise SystemExit(9)

    monkeypatch.setattr(inbox, "_move", die)
    with pytest.raises(SystemExit):
        fetch(sqlite_stores, home)
    monkeypatch.undo()
    assert (folder / "answers.csv").exists()
    assert fetch(sqlite_stores, home) == "took 1 files"
    assert n_responses(sqlite_stores) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe\x00" * 50,
        b"PK\x03\x04 no workbook",
        b'pairing_id,side\n"P1,mentee\n',
        b"nothing,that,we,know\n1,2,3,4\n",
        "pairing_id,side\nP1,mentée\n".encode("utf-16"),
    ],
    ids=["empty", "binary", "half a zip", "an open quote", "unknown columns", "another encoding"],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence_and_holds_up_no_other(
    sqlite_stores, home, folder, content
):
    (folder / "a-broken.csv").write_bytes(content)
    (folder / "z-good.csv").write_text(GOOD)
    fetch(sqlite_stores, home)
    assert n_responses(sqlite_stores) == 1
    moved = names(folder, "refused") + names(folder, "taken")
    assert "20260302T120000-a-broken.csv" in moved
    assert "20260302T120000-z-good.csv" in moved
    for said in folder.glob("refused/*.txt"):
        assert said.read_text().count("\n") == 1
    assert not [path for path in folder.iterdir() if path.is_file()]


def test_files_that_are_not_for_us_stay_where_they_are(sqlite_stores, home, folder):
    for name in (".half-written.csv", "map.toml"):
        (folder / name).write_text("")
    other = home / "inbox" / "R1" / "pigeon"
    other.mkdir()
    (other / "letter.txt").write_text("coo")
    assert fetch(sqlite_stores, home) == ""
    assert (other / "letter.txt").exists()
    assert sorted(path.name for path in folder.iterdir()) == [".half-written.csv", "map.toml"]


def test_a_round_that_is_not_there_refuses_its_files(sqlite_stores, home, folder):
    path = home / "inbox" / "R77" / "csv"
    path.mkdir(parents=True)
    (path / "answers.csv").write_text(GOOD)
    assert fetch(sqlite_stores, home) == "refused 1"
    assert "R77" in (path / "refused" / "20260302T120000-answers.csv.txt").read_text()


def test_without_an_inbox_there_is_nothing_to_do(sqlite_stores, home):
    assert fetch(sqlite_stores, home) == ""
