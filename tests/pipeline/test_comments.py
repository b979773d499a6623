"""Comments: from ten people on, shuffled, masked, read by a person, frozen once; HR sees nothing before."""

import csv
import json
import stat
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

import rapport
from data import tables
from data.erasure import erase
from data.errors import RapportError
from data.keeping import keep_times
from data.settings import make_home
from data.store import answers, audit, people
from data.store.accounts import Accounts
from data.store.answers import Submission
from data.store.comments import batches_of
from data.store.engine import Stores, reading, writing
from data.store.people import Programme
from data.store.rounds import close_round
from pipeline.comments import releasing
from pipeline.comments.pool import comment_n, shuffled
from pipeline.published import comments
from tests.conftest import KEY
from tests.support import cast

NOW = cast.CLOSES + timedelta(days=60)
Row = dict[str, str]


def programme(stores: Stores, n_pairs: int = 8, **decisions: object) -> None:
    """The cast, and so many more pairings of people called by their number."""
    with writing(stores.raw) as connection:
        cast.introduce(connection)
        own = Programme(programme_id=cast.MENTORING, name="Mentoring", created_at=cast.OPENS, decisions=decisions)
        people.save_programme(connection, own)
        for number in range(n_pairs):
            for side in ("guide", "learner"):
                people.save_person(connection, cast.person(f"{side}{number}"))
            cast.pair(connection, f"C{number}", f"guide{number}", f"learner{number}")


def asked(stores: Stores, number: int = 1, *, is_closed: bool = True, **said: str | None) -> None:
    """One round in which these people comment; a text that ends in "!" is ticked for release."""
    opens_at = cast.OPENS + timedelta(days=15 * (number - 1))
    with writing(stores.raw) as connection:
        cast.open_round(connection, f"R{number}", opens_at=opens_at)
        for person_id, text in said.items():
            pairing = "P1" if person_id in ("ada", "ben") else f"C{person_id[-1]}"
            side = "mentor" if person_id == "ada" or person_id.startswith("guide") else "mentee"
            answer(connection, f"R{number}:{pairing}:{side}", text, opens_at + timedelta(hours=1))
        if is_closed:
            close_round(connection, f"R{number}", opens_at + timedelta(days=14))


def answer(connection: object, invitation_id: str, text: str | None, at: datetime, version: int = 1) -> None:
    submission = Submission(
        invitation_id=invitation_id,
        submission_id=f"{invitation_id} {version}",
        received_at=at,
        source="page",
        answers={"T01": "4"},
        comment=text,
        is_comment_for_release=text is not None and text.endswith("!"),
    )
    answers.store_response(connection, submission)  # type: ignore[arg-type]


def ticked(n: int, text: str = "said by {who}!") -> dict[str, str]:
    """So many people's ticked comments, both sides in turn."""
    who = [f"{side}{number}" for number in range(8) for side in ("guide", "learner")][:n]
    return {each: text.format(who=f"number {at}") for at, each in enumerate(who)}


def pool(stores: Stores, path: Path, by: str = "Rita") -> list[Row]:
    releasing.write_pool(stores, cast.MENTORING, path, key=KEY, by=by, now=NOW)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def mark(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "decision", "comment"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def release(stores: Stores, path: Path, by: str = "Rita") -> tuple[str, ...]:
    return releasing.release(stores, cast.MENTORING, path, key=KEY, by=by, now=NOW).comments


def release_all(stores: Stores, path: Path) -> tuple[str, ...]:
    return release(stores, mark(path, [{**row, "decision": "keep"} for row in pool(stores, path)]))


def people_waiting(stores: Stores) -> tuple[int, bool]:
    (found,) = [each for each in releasing.state(stores, key=KEY) if each["programme"] == cast.MENTORING]
    return found["people"], found["is_full"]


# --- how many --------------------------------------------------------------------------------------


def test_nine_people_are_carried_forward_and_the_tenth_fills_the_pool(stores: Stores, tmp_path: Path) -> None:
    programme(stores)
    asked(stores, 1, **ticked(9), ben="not ticked")
    assert people_waiting(stores) == (5, False)
    with pytest.raises(RapportError, match="from 10 people on"):
        pool(stores, tmp_path / "pool.csv")
    assert list(tmp_path.glob("pool*")) == []
    asked(stores, 2, guide0="again by number 0!")
    assert people_waiting(stores) == (5, False)  # the same person twice is one
    asked(stores, 3, ben="Ben, too!")
    assert people_waiting(stores) == (10, True)
    said = release_all(stores, tmp_path / "pool.csv")
    assert len(said) == 11
    (batch,) = comments(stores.published, cast.MENTORING, key=KEY)
    assert (batch.first_round, batch.last_round, batch.n_people, batch.seal_valid) == (1, 3, 10, True)
    assert batch.comments == said
    assert "not ticked" not in "".join(said)


def test_what_an_open_round_or_a_withdrawn_or_earlier_version_says_is_not_in_the_pool(sqlite_stores: Stores) -> None:
    programme(sqlite_stores)
    asked(sqlite_stores, 1, is_closed=False, **ticked(10))
    assert people_waiting(sqlite_stores) == (0, False)
    with writing(sqlite_stores.raw) as connection:
        answers.withdraw(connection, "R1:C0:mentor", up_to_version=1, now=cast.NOON)
        answer(connection, "R1:C0:mentee", "no tick this time", cast.NOON, version=2)
        close_round(connection, "R1", cast.CLOSES)
    with reading(sqlite_stores.raw) as raw, reading(sqlite_stores.published) as published:
        waiting = releasing._pool(raw, published, cast.MENTORING).comments
    assert len(waiting) == 8
    assert {each.person_id for each in waiting}.isdisjoint({"guide0", "learner0"})


def test_a_programme_may_ask_for_more_people_and_never_for_fewer(sqlite_stores: Stores, tmp_path: Path) -> None:
    programme(sqlite_stores, comment_n=12)
    asked(sqlite_stores, 1, **ticked(11))
    assert people_waiting(sqlite_stores) == (10, False)
    with pytest.raises(RapportError, match="from 12 people on"):
        pool(sqlite_stores, tmp_path / "pool.csv")
    for low in (9, 0, True, "10", 10.0):
        with pytest.raises(RapportError, match="may only be raised"):
            comment_n({"comment_n": low})
    assert (comment_n({}), comment_n({"comment_n": 11})) == (10, 11)


def test_what_is_kept_must_still_come_from_ten_people(sqlite_stores: Stores, tmp_path: Path) -> None:
    programme(sqlite_stores)
    asked(sqlite_stores, 1, **ticked(11))
    path = tmp_path / "pool.csv"
    rows = [{**row, "decision": "keep"} for row in pool(sqlite_stores, path)]
    for row in rows[:2]:
        row["decision"] = "drop"
    with pytest.raises(RapportError, match="carried forward"):
        release(sqlite_stores, mark(path, rows))
    assert comments(sqlite_stores.published) == []
    rows[0]["decision"] = "keep"
    assert len(release(sqlite_stores, mark(path, rows))) == 10


# --- released once ---------------------------------------------------------------------------------


def test_a_comment_is_decided_once_and_the_next_batch_needs_ten_more_people(stores: Stores, tmp_path: Path) -> None:
    programme(stores)
    asked(stores, 1, **ticked(11))
    path = tmp_path / "pool.csv"
    rows = [{**row, "decision": "keep"} for row in pool(stores, path)]
    rows[3]["decision"] = "drop"
    first = release(stores, mark(path, rows))
    assert people_waiting(stores) == (0, False)
    asked(stores, 2, **ticked(9, "second {who}!"))
    assert people_waiting(stores) == (5, False)  # two pools never differ by one person
    asked(stores, 3, ben="third!")
    second = release_all(stores, path)
    assert len(second) == 10
    assert set(first).isdisjoint(second)
    assert rows[3]["comment"] not in (*first, *second)
    assert [(each.first_round, each.last_round) for each in comments(stores.published)] == [(1, 1), (2, 3)]


def test_a_crash_between_the_two_stores_shows_nothing_and_loses_nothing(sqlite_stores: Stores, tmp_path: Path) -> None:
    programme(sqlite_stores)
    asked(sqlite_stores, 1, **ticked(10))
    with writing(sqlite_stores.raw) as connection:  # raw is committed first; published never was
        connection.execute(update(tables.responses).values(comment_batch_id="a batch that is not there"))
    assert people_waiting(sqlite_stores) == (10, True)
    assert len(release_all(sqlite_stores, tmp_path / "pool.csv")) == 10
    assert people_waiting(sqlite_stores) == (0, False)


def test_an_erased_comment_is_not_released_and_a_released_one_stays(stores: Stores, tmp_path: Path) -> None:
    programme(stores)
    asked(stores, 1, **ticked(12))
    path = tmp_path / "pool.csv"
    rows = [{**row, "decision": "keep"} for row in pool(stores, path)]
    with writing(stores.raw) as connection:
        erase(connection, "guide1")
    said = release(stores, mark(path, rows))
    assert len(said) == 11
    assert "said by number 2!" not in said
    with writing(stores.raw) as connection:
        erase(connection, "guide2")
        ended = update(tables.pairings).values(ended_on=cast.OPENS.date())
        connection.execute(ended)
        keep_times(connection, NOW + timedelta(days=1000))
    (batch,) = comments(stores.published, key=KEY)
    assert (batch.comments, batch.n_people) == (said, 10)  # eleven, in steps of five
    assert "said by number 4!" in said


def test_a_comment_that_came_after_the_pool_was_written_is_not_released_unread(
    sqlite_stores: Stores, tmp_path: Path
) -> None:
    programme(sqlite_stores)
    asked(sqlite_stores, 1, **ticked(10))
    rows = [{**row, "decision": "keep"} for row in pool(sqlite_stores, tmp_path / "pool.csv")]
    asked(sqlite_stores, 2, ben="unread!")
    with pytest.raises(RapportError, match="write it again"):
        release(sqlite_stores, mark(tmp_path / "pool.csv", rows))


def test_a_changed_batch_shows_nothing_and_a_withdrawn_one_never_comes_again(stores: Stores, tmp_path: Path) -> None:
    programme(stores)
    asked(stores, 1, **ticked(10))
    release_all(stores, tmp_path / "pool.csv")
    (batch,) = comments(stores.published, key=KEY)
    with writing(stores.published) as connection:
        (kept,) = batches_of(connection)
        changed = kept.content.replace("number 3", "number 33")
        connection.execute(update(tables.comment_batches).values(content=changed))
    (broken,) = comments(stores.published, key=KEY)
    assert (broken.seal_valid, broken.comments) == (False, ())
    assert (comments(stores.published)[0].comments, comments(stores.published, key="x" * 48)[0].comments) == ((), ())
    with writing(stores.published) as connection:
        connection.execute(update(tables.comment_batches).values(content=kept.content))
    assert comments(stores.published, key=KEY) == [batch]
    releasing.withdraw(stores, batch.id, reason="a name stood in it", by="Rita", now=NOW)
    (gone,) = comments(stores.published, key=KEY)
    assert (gone.comments, gone.withdrawn_reason) == ((), "a name stood in it")
    assert people_waiting(stores) == (0, False)
    with pytest.raises(RapportError, match="withdrawn already"):
        releasing.withdraw(stores, batch.id, reason="again", by="Rita", now=NOW)


# --- order -----------------------------------------------------------------------------------------


def test_the_order_is_repeatable_and_tells_nothing(sqlite_stores: Stores, tmp_path: Path) -> None:
    programme(sqlite_stores)
    asked(sqlite_stores, 1, **ticked(16))
    path = tmp_path / "pool.csv"
    first, again = pool(sqlite_stores, path), pool(sqlite_stores, path)
    assert first == again
    in_file = [row["comment"] for row in first]
    released = list(release(sqlite_stores, mark(path, [{**row, "decision": "keep"} for row in first])))
    as_said = [f"said by number {at}!" for at in range(16)]
    assert sorted(released) == sorted(in_file) == sorted(as_said)
    assert len({tuple(each) for each in (released, in_file, as_said, sorted(as_said))}) == 4
    with reading(sqlite_stores.raw) as raw:
        waiting = releasing.comments.ticked(raw, cast.MENTORING)
    assert shuffled(waiting, key=KEY, of="x") == shuffled(waiting[::-1], key=KEY, of="x")
    assert shuffled(waiting, key="y" * 48, of="x") != shuffled(waiting, key=KEY, of="x")


def test_every_place_in_a_batch_is_as_likely_for_every_comment(sqlite_stores: Stores) -> None:
    """Over many keys the first response comes first about once in sixteen, and so does the last."""
    programme(sqlite_stores)
    asked(sqlite_stores, 1, **ticked(16))
    with reading(sqlite_stores.raw) as raw:
        waiting = releasing.comments.ticked(raw, cast.MENTORING)
    firsts = [shuffled(waiting, key=f"key {k}", of="x")[0].response_id for k in range(1600)]
    counts = [firsts.count(each.response_id) for each in waiting]
    assert sum((n - 100) ** 2 / 100 for n in counts) < 44.3  # chi-square of 15 degrees of freedom, 1 in 10,000


# --- who reads what --------------------------------------------------------------------------------


def test_the_sheet_and_the_log_name_nobody_who_wrote(sqlite_stores: Stores, tmp_path: Path) -> None:
    programme(sqlite_stores)
    asked(sqlite_stores, 1, ben="Ada hears me, write to ada@cast.example!", **ticked(10))
    path = tmp_path / "pool.csv"
    rows = pool(sqlite_stores, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8-sig")
    assert "[name] hears me, write to [e-mail]!" in text
    assert not any(each in text for each in ("Ada", "ada", "guide", "learner", "R1", "mentee"))
    release(sqlite_stores, mark(path, [{**row, "decision": "keep"} for row in rows]))
    with reading(sqlite_stores.access) as connection:
        noted = [(each["who"], each["action"], each["about"]) for each in audit.entries(connection)]
    (batch,) = comments(sqlite_stores.published)
    assert noted == [("Rita", "comments released", batch.id), ("Rita", "comments read", "pool of mentoring")]
    with reading(sqlite_stores.published) as connection:
        content = json.loads(batches_of(connection)[0].content)
    assert set(content) == {"format", "batch", "programme", "number", "rounds", "n_people", "comment_n", "comments"}


@pytest.mark.parametrize("role", ["hr", "leader", "employee-rep", "safe-contact"])
def test_who_evaluates_neither_reads_nor_releases(sqlite_stores: Stores, tmp_path: Path, role: str) -> None:
    programme(sqlite_stores)
    asked(sqlite_stores, 1, **ticked(10))
    accounts = Accounts(sqlite_stores.access)
    accounts.add(email="cleo@cast.example", role=role, programme_id=None, password="long enough", now=NOW)
    accounts.add(email="pia@cast.example", role="protection", programme_id=None, password="long enough", now=NOW)
    for who in ("cleo@cast.example", " CLEO@cast.example", "  "):
        with pytest.raises(RapportError, match="comments are read|Comments are read"):
            pool(sqlite_stores, tmp_path / "pool.csv", by=who)
    rows = pool(sqlite_stores, tmp_path / "pool.csv", by="pia@cast.example")
    mark(tmp_path / "pool.csv", [{**row, "decision": "keep"} for row in rows])
    with pytest.raises(RapportError, match=f"signs in as {role}"):
        release(sqlite_stores, tmp_path / "pool.csv", by="cleo@cast.example")


def test_a_person_decides_about_each_comment_and_may_mask_more(sqlite_stores: Stores, tmp_path: Path) -> None:
    programme(sqlite_stores)
    asked(sqlite_stores, 1, ben="=cmd() and the new one from Lyon!", **ticked(10))
    path = tmp_path / "pool.csv"
    rows = pool(sqlite_stores, path)
    (bens,) = [row for row in rows if "Lyon" in row["comment"]]
    assert bens["comment"].startswith("'=")  # no spreadsheet runs it
    with pytest.raises(RapportError, match="is not decided"):
        release(sqlite_stores, path)
    for row in rows:
        row["decision"] = " Keep "
    bens["comment"] = "'=cmd() and Ada's [name]\nfrom [place]!"
    said = release(sqlite_stores, mark(path, rows))
    assert "=cmd() and [name]'s [name]\nfrom [place]!" in said  # a name written back in is masked again
    assert len(said) == 11


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [{**row, "decision": "yes"} for row in rows], "write keep or drop"),
        (lambda rows: [*rows, rows[0]], "repeats a comment"),
        (lambda rows: rows[1:], "write it again"),
    ],
)
def test_a_sheet_that_does_not_fit_is_refused(sqlite_stores: Stores, tmp_path: Path, change, said) -> None:
    programme(sqlite_stores)
    asked(sqlite_stores, 1, **ticked(10))
    rows = [{**row, "decision": "keep"} for row in pool(sqlite_stores, tmp_path / "pool.csv")]
    with pytest.raises(RapportError, match=said):
        release(sqlite_stores, mark(tmp_path / "pool.csv", change(rows)))
    assert comments(sqlite_stores.published) == []


# --- as people call it -----------------------------------------------------------------------------


def test_the_verbs_walk_a_pool_from_waiting_to_withdrawn(sqlite_stores: Stores, home: Path, tmp_path: Path) -> None:
    make_home(home)
    (home / "secret.key").write_text(KEY)
    programme(sqlite_stores)
    asked(sqlite_stores, 1, **ticked(9))
    path = tmp_path / "pool.csv"
    assert (said(home)["people"], said(home)["is_full"]) == (5, False)
    with pytest.raises(RapportError, match="carried forward"):
        run(home, "pool", cast.MENTORING, str(path))
    asked(sqlite_stores, 2, ben="Ben!")
    assert "10 comments to read" in run(home, "pool", cast.MENTORING, str(path), "--by", "Rita")
    with path.open(encoding="utf-8-sig", newline="") as file:
        mark(path, [{**row, "decision": "keep"} for row in csv.DictReader(file)])
    done = run(home, "release", cast.MENTORING, str(path), "--by", "Rita")
    assert "10 comments of rounds 1 to 2" in done
    (batch,) = said(home)["batches"]
    assert batch == {"batch": batch["batch"], "rounds": [1, 2], "people": 10, "state": "shown"}
    assert "withdrawn" in run(home, "withdraw", batch["batch"], "--reason", "a name stood in it", "--by", "Rita")
    assert [each["state"] for each in said(home)["batches"]] == ["withdrawn"]
    assert "said by" not in run(home) + done
    with reading(sqlite_stores.access) as connection:
        actions = [each["action"] for each in audit.entries(connection)]
    assert actions == ["comments withdrawn", "comments released", "comments read"]


def run(home: Path, *words: str) -> str:
    result = CliRunner().invoke(rapport.app, ["--home", str(home), "comments", *words])
    if isinstance(result.exception, RapportError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def said(home: Path) -> dict[str, Any]:
    (found,) = [each for each in json.loads(run(home, "--json")) if each["programme"] == cast.MENTORING]
    return dict(found)
