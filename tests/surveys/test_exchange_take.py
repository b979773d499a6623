"""Answers from another tool pass the checks of our own page; a small made-up round shows each of them."""

import json
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from data.errors import RapportError
from data.imports.mapping import read_map
from data.imports.report import ImportReport
from data.store import people, rounds
from data.store.batches import list_quarantine, undo_batch
from data.store.engine import Stores, reading, writing
from data.store.rounds import Round
from data.tables import answers, batches, invitations, quarantine, raw, responses
from surveys.exchange.mapping import read_foreign_map
from surveys.exchange.take import declare, import_answers
from surveys.questionnaire import Construct, Question, Questionnaire, Scale

OPENS = datetime(2026, 3, 2, tzinfo=UTC)
CLOSES = datetime(2026, 3, 16, tzinfo=UTC)
NOW = datetime(2026, 3, 20, tzinfo=UTC)
BOTH = {"mentor": {"en": "?"}, "mentee": {"en": "?"}}
OURS = Questionnaire(
    scales={"agreement": Scale(id="agreement", labels={"en": ("Never", "Seldom", "Often", "Mostly", "Always")})},
    constructs={"trust": Construct(id="trust", kind="construct", label={"en": "Trust"})},
    questions={
        id_: Question(id=id_, construct="trust", kind=kind, scale=scale, text=text)
        for id_, kind, scale, text in [
            ("trust_1", "scale", "agreement", BOTH),
            ("trust_2", "scale", "agreement", {"mentee": {"en": "?"}}),
            ("met", "yes_no", None, BOTH),
        ]
    },  # type: ignore[misc]
    pulses={},
)
MAP = """\
[export]
time_zone = "Europe/Berlin"
equations_masked = true
no_answer = ["N/A"]
[columns]
response = ["id", "Response ID"]
submitted_at = ["submitdate", "Date submitted"]
last_action_at = ["datestamp", "Date last action"]
language = ["startlanguage", "Start language"]
token = ["token", "Access code"]
[respondents]
file = "participants.csv"
token = "token"
pairing_id = "attribute_1 <pairing_id>"
side = "attribute_2 <side>"
[scales.ls_agree]
en = ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"]
de = ["Gar nicht", "Eher nicht", "Teils, teils", "Eher", "Voll und ganz"]
[[question]]
id = "ls_open"
construct = "trust"
kind = "scale"
scale = "ls_agree"
columns = ["rel[open]", "How true? [I talk openly]", "Wie sehr? [Ich spreche offen]"]
mentor = {en = "I talk openly"}
mentee = {en = "I talk openly"}
[[question]]
id = "ls_topics"
construct = "trust"
kind = "multiple"
options = ["career", "skills"]
columns = {career = "topics[career]", skills = "topics[skills]"}
values = {ticked = ["Y", "Yes"]}
no_answer = ["No"]
mentor = {en = "Topics"}
mentee = {en = "Topics"}
[[question]]
id = "ls_free"
construct = "trust"
kind = "text"
columns = ["free"]
mentor = {en = "Anything else?"}
mentee = {en = "Anything else?"}
"""
PARTICIPANTS = """\
\ufefftid,firstname,token, attribute_1 <pairing_id>, attribute_2 <side>
"1","Ada","tAda","0001","mentor"
"2","Ben","tBen","0001","mentee"
"3","Eve","tEve","0009","mentee"
"""
HEADER = (
    '"id","submitdate","startlanguage","seed","token","datestamp",'
    '"rel[open]","topics[career]","topics[skills]","free"\n'
)

Import = Callable[..., ImportReport]


@pytest.fixture
def round_one(stores: Stores) -> Stores:
    """Ada mentors Ben in the programme; Eve belongs to another one. Round r1 is open for 14 days."""
    with writing(stores.raw) as connection:
        for name in ("ada", "ben", "eve", "fay"):
            people.save_person(connection, people.Person(person_id=name, name=name.title(), department="Sales"))
        for programme_id, pairing_id, mentor, mentee in [("p", "0001", "ada", "ben"), ("other", "0009", "fay", "eve")]:
            programme = people.Programme(programme_id=programme_id, name=programme_id, created_at=OPENS)
            people.save_programme(connection, programme)
            pairing = people.Pairing(
                pairing_id=pairing_id, programme_id=programme_id, mentor_id=mentor, mentee_id=mentee,
                started_on=date(2026, 1, 1),
            )  # fmt: skip
            people.save_pairing(connection, pairing)
        snapshot_id = rounds.keep_snapshot(connection, OURS.to_json())
        new = Round(
            round_id="r1", programme_id="p", number=1, pulse="pulse", snapshot_id=snapshot_id,
            opens_at=OPENS, closes_at=CLOSES,
        )  # fmt: skip
        rounds.open_round(connection, new, OURS.to_json())
    return stores


@pytest.fixture
def taking(round_one: Stores, tmp_path: Path) -> Import:
    """Import a text (or bytes) as an export of a tool."""

    def run(content: str | bytes, tool: str = "limesurvey", told: str | None = MAP, **options: Any) -> ImportReport:
        path = tmp_path / options.pop("name", "export.csv")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        (tmp_path / "participants.csv").write_text(PARTICIPANTS, encoding="utf-8")
        (tmp_path / "map.toml").write_text(told or "", encoding="utf-8")
        map_path = tmp_path / "map.toml" if told is not None else None
        return import_answers(
            round_one, path=path, tool=tool, round_id="r1", map_path=map_path, **{"now": NOW, **options}
        )

    return run


def said(stores: Stores) -> list[tuple[Any, ...]]:
    """(pairing, side, version, counts, complete, language, answers) of every stored response."""
    with reading(stores.raw) as connection:
        told: dict[str, dict[str, str]] = {}
        for row in connection.execute(select(answers)):
            told.setdefault(row.response_id, {})[row.question_id] = row.value
        query = select(responses, invitations.c.pairing_id, invitations.c.side).join(
            invitations, invitations.c.invitation_id == responses.c.invitation_id
        )
        rows = connection.execute(query).all()
    return sorted(
        (row.pairing_id, row.side, row.version, row.is_counted, row.is_complete, row.language, told[row.response_id])
        for row in rows
    )


def row(id_: int, token: str, submitted: str = "2026-03-03 12:00:00", open_: str = '"4"', **more: str) -> str:
    cells = {"career": '""', "skills": '""', "free": '""', "language": "en", "seen": "2026-03-03 12:00:00", **more}
    done = f'"{submitted}"' if submitted else ""
    return (
        f'"{id_}",{done},"{cells["language"]}","7","{token}","{cells["seen"]}",{open_},'
        f"{cells['career']},{cells['skills']},{cells['free']}\n"
    )


def test_a_round_of_limesurvey_with_everything_in_it(round_one: Stores, taking: Import) -> None:
    report = taking(
        HEADER
        + row(1, "tAda", language="de", skills='"Y"', career='"Y"', free='"\'=1+1 is ""two""\r\nand\nso on"')
        + row(2, "tBen", "", '"5"', career="", skills="", free="")
        + row(3, "tBen", "2026-03-16 01:00:00")
        + row(4, "nobody")
        + row(5, "tEve")
        + row(6, "tAda", "2026-03-04 12:00:00", '"9"', free='"Danke für alles"', language="de")
        + row(7, "tBen", "", "", seen="2026-03-05 12:00:00")
        + row(8, "tBen", "yesterday")
        + row(9, "tBen", "2026-03-01 12:00:00")
        + "\n"
        + '"10","only"\n'
    )
    assert report.as_json() == {
        "rows": 12, "accepted": 3, "quarantined": 7, "blank": 1, "header": 1, "cells": 1,
        "reasons": {
            "a time that cannot be read": 1, "a token that the respondents' file does not have": 1,
            "before the round opened": 1, "late": 1, "no answer in it": 1, "too few cells": 1,
            "a pairing that the round's programme does not have": 1,
            "ls_open: not a point from 1 to 5, nor a label of the scale": 1,
        },
        "batch": report.batch, "changed": 6, "unknown_columns": ["seed"],
    }  # fmt: skip
    free = '=1+1 is "two"\r\nand\nso on'
    assert said(round_one) == [
        ("0001", "mentee", 1, True, False, "en", {"ls_open": "5"}),
        ("0001", "mentor", 1, False, True, "de", {"ls_open": "4", "ls_topics": "career,skills", "ls_free": free}),
        ("0001", "mentor", 2, True, True, "de", {"ls_free": "Danke für alles"}),
    ]
    with reading(round_one.raw) as connection:
        refused = list_quarantine(connection, report.batch)
        declared = Questionnaire.from_json(rounds.questionnaire_json(connection, "r1"))
        invited = rounds.invitation_of(connection, "r1", "0001", "mentor")
    assert {dict(entry.cells).__len__() for entry in refused} == {0}
    assert sorted(declared.questions) == ["ls_free", "ls_open", "ls_topics", "met", "trust_1", "trust_2"]
    assert declared.scales["ls_agree"].n_points == 5
    assert invited is not None
    assert (invited.person_id, invited.department) == ("ada", "Sales")


def test_labels_in_two_languages_and_json_say_the_same(round_one: Stores, taking: Import) -> None:
    labels = (
        "Response ID;Date submitted;Access code;How true? [I talk openly];topics_career;topics_skills. Skills;free\n"
        "1;2026-03-03 12:00:00;tAda;Strongly agree;Yes;No;N/A\n"
        "2;2026-03-03 12:00:00;tBen;N/A;N/A;N/A;\n"
    )
    german = labels.replace("How true? [I talk openly]", "Wie sehr? [Ich spreche offen]")
    german = german.replace("Strongly agree", "Voll und ganz")
    entry = {
        "id": 1, "submitdate": "2026-03-03 12:00:00", "token": "tAda", "rel[open]": "5",
        "topics[career]": "Y", "topics[skills]": "", "free": "N/A",
    }  # fmt: skip
    for text in (labels, german, json.dumps({"responses": [entry]})):
        report = taking(text)
        assert said(round_one) == [
            ("0001", "mentor", 1, True, True, None, {"ls_open": "5", "ls_topics": "career", "ls_free": "N/A"})
        ]
        with writing(round_one.raw) as connection:
            undo_batch(connection, str(report.batch), NOW)


def test_a_live_formula_in_a_workbook_costs_its_cell_only(round_one: Stores, taking: Import, tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.append(["id", "submitdate", "token", "rel[open]", "topics[career]", "topics[skills]", "free"])
    made.active.append([1, "2026-03-03 12:00:00", "tAda", 4, None, None, "=1+1"])
    made.save(tmp_path / "made.xlsx")
    report = taking((tmp_path / "made.xlsx").read_bytes(), name="export.xlsx")
    assert (report.accepted, report.cells) == (1, 1)
    assert dict(report.reasons) == {"ls_free: a formula without a stored result": 1}
    assert said(round_one) == [("0001", "mentor", 1, True, True, None, {"ls_open": "4"})]


def test_a_dry_run_writes_nothing_and_an_import_again_changes_nothing(round_one: Stores, taking: Import) -> None:
    text = HEADER + row(1, "tAda") + row(2, "tBen", "", '"2"')
    before = everything(round_one)
    assert taking(text, dry_run=True).accepted == 2
    assert everything(round_one) == before
    first = taking(text)
    after = everything(round_one)
    assert after != before
    again = taking(text)
    assert (again.accepted, again.changed) == (2, 0)
    assert everything(round_one) == after
    with writing(round_one.raw) as connection:
        undo_batch(connection, str(first.batch), NOW)
    assert everything(round_one) == before


def test_who_went_on_answering_gets_another_version_that_counts(round_one: Stores, taking: Import) -> None:
    taking(HEADER + row(1, "tAda", "", '"2"'))
    second = taking(HEADER + row(1, "tAda", "2026-03-05 12:00:00", '"2"', free='"more"'))
    assert [entry[2:5] for entry in said(round_one)] == [(1, False, False), (2, True, True)]
    with writing(round_one.raw) as connection:
        undo_batch(connection, str(second.batch), NOW)
    assert [entry[2:5] for entry in said(round_one)] == [(1, True, False)]


def everything(stores: Stores) -> dict[str, Any]:
    with reading(stores.raw) as connection:
        return {
            table.name: [tuple(entry) for entry in connection.execute(select(table).order_by(*table.primary_key))]
            for table in raw.sorted_tables
            if table not in (batches, quarantine, raw.tables["batch_changes"], raw.tables["snapshots"])
        }


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('id = "ls_open"', 'id = "trust_1"', "trust_1 is already taken with another wording"),
        ('construct = "trust"', 'construct = "truth"', "truth, which is no construct"),
        ('kind = "scale"\nscale = "ls_agree"', 'kind = "scale"', "needs one of the scales"),
        ('kind = "text"', 'kind = "text"\nseen_by = "programme team"', "not announced as seen"),
        ('kind = "text"', 'kind = "essay"', "unknown kind"),
        ('kind = "text"', 'kind = "text"\nwording = "x"', "nothing unknown"),
        ('columns = ["free"]', 'columns = ["frei"]', "no column for the question ls_free"),
        ('columns = ["free"]', 'columns = ["free", "seed"]', '"seed" and "free" could both be'),
        ('"Europe/Berlin"', '"Berlin"', "time_zone Berlin is not known"),
        ('"participants.csv"', '"absent.csv"', "absent.csv cannot be read"),
        ('"attribute_2 <side>"', '"attribute_7"', "needs one column attribute_7"),
        ("[columns]", "[colums]", "has colums, which is not known"),
        ('"Eher", "Voll und ganz"', '"Voll und ganz"', "another number of points"),
        ('de = ["Gar nicht", "Eher nicht"', 'de = ["Gar nicht", "Agree"', '"Agree" two meanings'),
    ],
)
def test_a_bad_map_is_one_sentence(taking: Import, before: str, after: str, sentence: str) -> None:
    assert before in MAP
    with pytest.raises(RapportError, match=sentence):
        taking(HEADER + row(1, "tAda"), told=MAP.replace(before, after, 1))


def test_what_is_no_export_is_one_sentence(taking: Import) -> None:
    for content in ("{", '{"responses": 3}', '{"result": "%%%"}'):
        with pytest.raises(RapportError, match=r"not JSON|not an export|no responses"):
            taking(content)
    with pytest.raises(RapportError, match="Answers from fax cannot be read"):
        taking(HEADER, tool="fax")


def test_the_maps_in_the_readme_are_maps(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "data" / "README.md").read_text(encoding="utf-8")
    columns, spells, survey = re.findall(r"```toml\n(.*?)```", readme, flags=re.DOTALL)
    (tmp_path / "columns.toml").write_text(columns, encoding="utf-8")
    (tmp_path / "survey.toml").write_text(survey, encoding="utf-8")
    (tmp_path / "participants.csv").write_text(PARTICIPANTS, encoding="utf-8")
    assert set(tomllib.loads(spells)) == {"events", "snapshot"}
    assert read_map(tmp_path / "columns.toml").columns["eintrittsdatum"] == "hired_on"
    told = read_foreign_map(tmp_path / "survey.toml")
    assert told.respondents == {"tAda": ("0001", "mentor"), "tBen": ("0001", "mentee"), "tEve": ("0009", "mentee")}
    assert sorted(declare(OURS, told).questions) == [
        "garden_booked", "garden_patience", "garden_topics", "met", "trust_1", "trust_2",
    ]  # fmt: skip


# --- plain tables ------------------------------------------------------------------------------------


def test_a_wide_table_needs_no_map(round_one: Stores, taking: Import) -> None:
    text = (
        "pairing_id,side,submitted_at,trust_1,trust_2,met,mood\n"
        "0001,Mentee,2026-03-03T12:00:00+01:00,4,5,yes,x\n"
        "0001,mentor,2026-03-03 12:00:00,Always,5,maybe,x\n"
        "0001,boss,2026-03-03 12:00:00,4,,,x\n"
        "0001,mentor,,4,,,x\n"
    )
    report = taking(text, tool="csv", told=None)
    assert dict(report.reasons) == {
        "neither mentor nor mentee": 1,
        "no time at which it was answered": 1,
        "trust_2: a question that this side is not asked": 1,
        "met: none of the answers that the question has": 1,
    }
    assert (report.accepted, report.quarantined, report.cells, report.unknown_columns) == (2, 2, 2, ("mood",))
    assert [(entry[1], entry[6]) for entry in said(round_one)] == [
        ("mentee", {"trust_1": "4", "trust_2": "5", "met": "yes"}),
        ("mentor", {"trust_1": "5"}),
    ]


def test_a_long_table_counts_answers(round_one: Stores, taking: Import) -> None:
    text = (
        "pairing_id;side;submitted_at;question_id;value\n"
        "0001;mentee;2026-03-03 12:00:00;trust_1;4\n"
        "0001;mentee;2026-03-03 12:00:00;trust_2;9\n"
        "0001;mentee;2026-03-03 12:00:00;trust_1;5\n"
        "0001;mentee;2026-03-03 12:00:00;mood;5\n"
        "0002;mentee;2026-03-03 12:00:00;trust_1;4\n"
        "\n"
        "0001;mentor;2026-03-20 12:00:00;trust_1;4\n"
        "0001;mentor;2026-03-20 12:00:00;met;no\n"
    )
    report = taking(text, tool="csv", told=None)
    assert (report.rows, report.accepted, report.quarantined, report.blank, report.cells) == (9, 1, 6, 1, 0)
    assert dict(report.reasons) == {
        "late": 2,
        "an answer to a question that the response has answered already": 1,
        "a question that the round does not have": 1,
        "a pairing that the round's programme does not have": 1,
        "trust_2: not a point from 1 to 5, nor a label of the scale": 1,
    }
    assert [(entry[1], entry[6]) for entry in said(round_one)] == [("mentee", {"trust_1": "4"})]


def test_a_table_without_a_question_is_one_sentence(taking: Import) -> None:
    with pytest.raises(RapportError, match="no column that is a question"):
        taking("pairing_id,side,submitted_at,mood\n0001,mentor,2026-03-03 12:00:00,4\n", tool="csv", told=None)
