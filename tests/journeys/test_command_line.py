"""The command `rapport`, as cron and people call it: what it prints, its exit codes, its files."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

PEOPLE = """person_id,name,email,language
ada,Ada,ada@cast.example,en
ben,Ben,ben@cast.example,de
"""
PAIRINGS = """pairing_id,programme,mentor_id,mentee_id,started_on
P1,mentoring,ada,ben,2026-02-01
P2,mentoring,ada,nobody,2026-02-01
"""


@pytest.fixture
def rapport(home, tmp_path):
    """Runs the command in a process of its own; returns the finished process."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rapport", "--home", str(home), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)

    return run


def write(tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def test_a_verb_before_init_is_one_sentence_and_exit_1(rapport):
    ended = rapport("rounds")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "run `rapport init` first" in ended.stderr
    assert rapport("nonsense").returncode == 2


def test_from_init_to_links_and_back(rapport, tmp_path, home):
    assert rapport("init").returncode == 0
    assert rapport("import", "people", write(tmp_path, "people.csv", PEOPLE)).returncode == 0

    tried = rapport("import", "pairings", write(tmp_path, "pairings.csv", PAIRINGS), "--dry-run", "--json")
    assert tried.returncode == 3
    assert json.loads(tried.stdout)["batch"] is None
    taken = rapport("import", "pairings", str(tmp_path / "pairings.csv"), "--json")
    report = json.loads(taken.stdout)
    assert taken.returncode == 3
    assert {name: report[name] for name in ("rows", "accepted", "quarantined", "blank", "header", "cells")} == {
        "rows": 3,
        "accepted": 1,
        "quarantined": 1,
        "blank": 0,
        "header": 1,
        "cells": 0,
    }
    assert sum(report["reasons"].values()) == 1
    kept = json.loads(rapport("quarantine", "--json").stdout)
    assert [(row["row"], row["batch"]) for row in kept] == [(3, report["batch"])]

    links = tmp_path / "links.csv"
    opened = rapport("rounds", "open", "R1", "--pulse", "kickoff", "--links", str(links))
    assert opened.returncode == 0, opened.stderr
    assert links.stat().st_mode & 0o077 == 0
    with links.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted((row["name"], row["side"], row["about"]) for row in rows) == [
        ("Ada", "mentor", "Ben"),
        ("Ben", "mentee", "Ada"),
    ]
    listed = json.loads(rapport("rounds", "--json").stdout)
    assert [(row["round"], row["pulse"], row["state"]) for row in listed] == [("R1", "kickoff", "open")]

    refused = rapport("import", "undo", report["batch"])
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert rapport("rounds", "open", "R1").returncode == 1
    assert rapport("rounds", "close", "R1").returncode == 0
    assert rapport("rounds", "close", "R1").returncode == 1

    made = json.loads(rapport("run", "--json").stdout)["releases"]
    assert len(made) == 1
    shown = json.loads(rapport("published", "--as", "json").stdout)
    scores = [row for row in shown if row["unit"] == "points"]
    assert scores
    assert all(
        row["shown"] is False and row["value"] is row["low"] is row["high"] is row["n"] is None for row in scores
    )
    assert rapport("verify", made[0]).stdout == f"{made[0]}: identical\n"
    table = list(csv.DictReader(rapport("published", "--as", "csv").stdout.splitlines()))
    assert [row["metric"] for row in table] == [row["metric"] for row in shown]


def test_an_account_prints_its_password_once(rapport, home):
    rapport("init")
    added = rapport("account", "add", "cleo@cast.example", "--role", "hr")
    password = added.stdout.rsplit(" ", 1)[1].strip()
    assert added.returncode == 0
    assert len(password) >= 16
    assert all(password.encode() not in file.read_bytes() for file in home.iterdir())
    assert rapport("account", "add", "cleo@cast.example", "--role", "hr").returncode == 1


@pytest.mark.slow
def test_the_demo_holds_the_headline_for_every_closed_round(rapport):
    """A smaller demo than `make demo`'s, with its first rounds; the numbers are real."""
    made = rapport("demo", "--pairings", "60", "--rounds", "2", "--no-serve")
    assert made.returncode == 0, made.stderr
    for line in ("Dashboard", "Answering pages", "Answer as Ben, mentee", "Answer as Ada, mentor"):
        assert line in made.stdout
    shown = json.loads(rapport("published").stdout)
    rows = {(row["round"], row["metric"], row["side"]): row for row in shown if row["view"] == "all"}
    both_sides = ("trust", "satisfaction", "goal_progress", "expectation_alignment", "participation")
    for round_id in ("mentoring-1", "mentoring-2"):
        wanted = [(metric, side) for metric in both_sides for side in ("mentor", "mentee")]
        for metric, side in [*wanted, ("bidirectionality", "both"), ("perception_gap", "both")]:
            row = rows[round_id, metric, side]
            assert row["shown"]
            assert row["low"] <= row["value"] <= row["high"]
            assert row["n"] % 5 == 0
            assert row["n"] >= 5
            assert row["unit"]
            assert row["claim"] == "describes"
    assert json.loads(rapport("quarantine", "--json").stdout)[0]["reason"] == "late"
    assert set(json.loads(rapport("verify", "--json").stdout).values()) == {"identical"}
    again = rapport("demo", "--no-serve")
    assert again.stdout.split("Dashboard")[1] == made.stdout.split("Dashboard")[1], "the same demo, made once"
