"""The verbs of a programme's decisions: what they keep, print and write down; the forecast reads no answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

import rapport
from data.errors import RapportError
from data.store import audit, people
from data.store.engine import Stores, reading, writing
from data.store.people import Pairing, Person, Programme
from data.tables import invitations
from pipeline.deciding import keep_groups, keep_thresholds, outlook
from pipeline.forecast_text import outlook_data, outlook_text
from pipeline.jobs import run_due, verify_releases
from surveys.commands import forms_dealt
from surveys.outlook import decide
from tests.pipeline.stored import KEY, NOW, START, ask, make_programme

Run = Callable[..., str]
SIZES = {"north": 30, "south": 9, "east": 8, "west": 20}


@pytest.fixture
def run(sqlite_stores: Stores, home: Path) -> Run:
    (home / "secret.key").write_text(KEY)

    def invoke(*words: str) -> str:
        done = CliRunner().invoke(rapport.app, ["--home", str(home), *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return invoke


def take_in(stores: Stores, sizes: dict[str, int], programme_id: str = "P") -> None:
    """Pairings of two from the same department, each person in one."""
    with writing(stores.raw) as connection:
        people.save_programme(
            connection,
            Programme(
                programme_id=programme_id, name="Mentoring", created_at=START, decisions={"attributes": ["department"]}
            ),
        )
        for department, n in sizes.items():
            for k in range(n):
                ends = [f"{programme_id}-{side}-{department}-{k}" for side in ("mentor", "mentee")]
                for person_id in ends:
                    people.save_person(
                        connection, Person(person_id=person_id, name=person_id, department=department or None)
                    )
                new = Pairing(
                    pairing_id=f"{programme_id}-{department}-{k}", programme_id=programme_id, mentor_id=ends[0],
                    mentee_id=ends[1], started_on=START.date(),
                )  # fmt: skip
                people.save_pairing(connection, new)


def held(stores: Stores) -> dict[str, Any]:
    with reading(stores.raw) as connection:
        return dict(people.programme(connection, "P").decisions)


def test_thresholds_are_kept_dated_owned_and_written_down(sqlite_stores: Stores, run: Run) -> None:
    take_in(sqlite_stores, SIZES)
    said = run("programme", "thresholds", "P", "--score-n", "8", "--attributes", "location, department", "--by", "Cleo")
    assert "score_n 8, staying_n 20, two_way_n 10, comment_n 10; by location, department." in said
    assert "Thresholds by Cleo (" in said
    assert "may change until the first round opens" in said
    kept = held(sqlite_stores)
    assert (kept["score_n"], kept["attributes"]) == (8, ["location", "department"])
    assert set(kept["decided"]["thresholds"]) == {"by", "at"}
    assert run("programme", "thresholds", "P") == said
    run("programme", "thresholds", "P", "--score-n", "5", "--attributes", "")
    assert json.loads(run("programme", "thresholds", "P", "--json"))["thresholds"]["attributes"] == []
    for words in (("--score-n", "4"), ("--comment-n", "9"), ("--attributes", "salary")):
        with pytest.raises(RapportError):
            run("programme", "thresholds", "P", *words)
    with reading(sqlite_stores.access) as connection:
        entries = [(each["action"], each["about"]) for each in audit.entries(connection)]
    assert entries == [("thresholds decided", "P")] * 2


def test_groups_are_proposed_changed_by_hand_or_accepted_and_used_at_asking(
    sqlite_stores: Stores, run: Run, tmp_path: Path
) -> None:
    take_in(sqlite_stores, SIZES)
    toml = tmp_path / "groups.toml"
    toml.write_text(run("programme", "groups", "P", "--propose"), encoding="utf-8")
    assert "groups" not in held(sqlite_stores)
    run("programme", "groups", "P", "--accept")
    accepted = held(sqlite_stores)["groups"]
    assert accepted == {
        "department": {
            "east": "east / south / others", "north": "north", "south": "east / south / others", "west": "west",
            "*": "east / south / others",
        }
    }  # fmt: skip
    run("programme", "groups", "P", str(toml))
    assert held(sqlite_stores)["groups"] == accepted
    toml.write_text(toml.read_text("utf-8").replace("east / south / others", "the small ones"), encoding="utf-8")
    assert "the small ones = east, south, all others" in run("programme", "groups", "P", str(toml), "--by", "Cleo")
    ask(sqlite_stores, 1, "P")
    with reading(sqlite_stores.raw) as connection:
        asked = set(connection.execute(select(invitations.c.department)).scalars())
    assert asked == {"north", "west", "the small ones"}
    for words in (("--accept",), (str(toml),)):
        with pytest.raises(RapportError, match="locked since its first round opened"):
            run("programme", "groups", "P", *words)
    with pytest.raises(RapportError, match="locked"):
        run("programme", "thresholds", "P", "--score-n", "8")
    assert "locked: the first round has opened" in run("programme", "groups", "P")


def test_a_file_of_groups_that_is_none_is_one_sentence(sqlite_stores: Stores, run: Run, tmp_path: Path) -> None:
    take_in(sqlite_stores, SIZES)
    file = tmp_path / "groups.toml"
    for text in ("[", "x = " + "[" * 5000, "[salary]\na = 'b'", "[location]\na = 'b'", "[department]\na = 3", "\0"):
        file.write_text(text)
        with pytest.raises(RapportError) as refused:
            run("programme", "groups", "P", str(file))
        assert "\n" not in str(refused.value)
    assert "groups" not in held(sqlite_stores)


def test_an_attribute_that_is_reported_no_more_loses_its_groups(sqlite_stores: Stores) -> None:
    take_in(sqlite_stores, SIZES)
    keep_groups(sqlite_stores, "P", {"department": {"*": "everyone"}}, by="Cleo", now=NOW)
    keep_thresholds(sqlite_stores, "P", {"attributes": ["location"]}, by="Cleo", now=NOW)
    assert "groups" not in held(sqlite_stores)


def told(stores: Stores, **more: Any) -> Any:
    return outlook(stores, "P", **{"dealt": forms_dealt(), "response": 0.7, "today": NOW.date(), **more})


def test_the_forecast_is_the_same_whatever_people_answer(sqlite_stores: Stores) -> None:
    make_programme(sqlite_stores)
    before = outlook_data(told(sqlite_stores))
    ask(sqlite_stores, 1, said=lambda *_: "1")
    after = outlook_data(told(sqlite_stores))
    ask(sqlite_stores, 2, said=lambda *_: None)
    assert outlook_data(told(sqlite_stores)) == after
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"locked", "groups", "decided", "proposals"}
    assert after["proposals"] == []


def test_the_table_says_what_merges_and_for_whom_it_is_too_small(sqlite_stores: Stores, run: Run) -> None:
    take_in(sqlite_stores, SIZES)
    said = run("forecast")
    assert "67 pairings, 67 mentors, 67 mentees; 70 % are taken to answer." in said
    assert "east / south / others: 17 mentors, 17 mentees = east, south" in said
    lines = {line.split()[0]: line for line in said.splitlines() if line.strip()}
    assert "> 99 %" in lines["north"]
    assert run("forecast", "P", "--response", "0.05").count("< 1 %") > said.count("< 1 %")
    data = json.loads(run("forecast", "P", "--json"))
    assert data["invited"] == {"pairings": 67, "mentors": 67, "mentees": 67}
    assert {view["view"] for view in data["views"]} == {"all", "department"}


def test_eight_pairings_are_told_plainly(sqlite_stores: Stores) -> None:
    take_in(sqlite_stores, {"north": 5, "south": 3})
    text = outlook_text(told(sqlite_stores))
    assert text.endswith(
        "No score of this programme can ever be shown: it takes 10 people who answer on a side, and there are "
        "8 mentors and 8 mentees. What remains is participation in words, and the Method page."
    )


def test_a_programme_without_pairings_or_a_name_is_one_sentence(sqlite_stores: Stores) -> None:
    with pytest.raises(RapportError, match="Say which programme; there is none yet"):
        outlook(sqlite_stores, None, dealt=forms_dealt(), response=0.7, today=NOW.date())
    take_in(sqlite_stores, {})
    with pytest.raises(RapportError, match="has no pairings yet"):
        told(sqlite_stores)


def test_a_new_cadence_leaves_verify_alone(sqlite_stores: Stores) -> None:
    make_programme(sqlite_stores, n=16)
    ask(sqlite_stores, 1)
    run_due(sqlite_stores, key=KEY, now=NOW)
    with writing(sqlite_stores.raw) as connection:
        decide(connection, "P", {"starts_on": "2027-01-04"}, NOW)
    assert set(verify_releases(sqlite_stores, None, key=KEY).values()) == {"identical"}
