"""Every export of two real LimeSurvey rounds comes in: rows add up, values are what was answered.

The samples lie beside the checkout and are no part of it. One map a round; the exports' headings are gathered
from the exports themselves, since all of them have the columns in the same order.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from data.settings import Settings
from data.store import people, rounds
from data.store.batches import list_quarantine, undo_batch
from data.store.engine import Stores, migrate, open_stores, reading, writing
from data.store.rounds import Round
from data.tables import answers, batch_changes, batches, invitations, quarantine, raw, responses
from surveys.exchange.judge import LATE, NOTHING
from surveys.exchange.take import import_answers
from surveys.questionnaire import Questionnaire

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "limesurvey"
OPENED = {1: datetime(2026, 3, 2, tzinfo=UTC), 2: datetime(2026, 6, 1, tzinfo=UTC)}
NOW = datetime(2026, 9, 1, tzinfo=UTC)
EXPORTS = sorted(
    path
    for pattern in ("ui_*", "rpc_codes_*", "rpc_full_*", "vvexport_*")
    for path in SAMPLES.glob(f"round?/{pattern}")
)
N_COLUMNS = 26
META = {"response": 0, "submitted_at": 1, "language": 3, "token": 5, "last_action_at": 7}
SCALED = ("trust_open", "trust_reliable", "satisfied", "expectations_same", "heard", "goal_progress")
TOPICS = ("topics_career", "topics_skills", "topics_network", "topics_balance", "topics_conflict")
ITEMS = (*SCALED, "meetings", "booked", "nextdate", "channel", "channel_other", *TOPICS, "topics_other", "free")
KINDS = {
    **dict.fromkeys(SCALED, 'kind = "scale"\nscale = "ls_agree"'),
    "meetings": 'kind = "number"',
    "booked": 'kind = "choice"\noptions = ["Y", "N"]\nvalues = {Y = ["Yes", "Ja"], N = ["No", "Nein"]}',
    "nextdate": 'kind = "date"',
    "channel": (
        'kind = "choice"\noptions = ["AO01", "AO02", "AO03", "AO04", "-oth-"]\n[question.values]\n'
        'AO01 = ["In person", "Persönlich"]\nAO02 = ["Video call", "Videokonferenz"]\nAO03 = ["Phone", "Telefon"]\n'
        'AO04 = ["Chat; e-mail"]\n-oth- = ["Other", "Sonstiges"]'
    ),
    "channel_other": 'kind = "text"',
    **dict.fromkeys(
        TOPICS, 'kind = "choice"\noptions = ["Y"]\nvalues = {Y = ["Yes", "Ja", "1"]}\nno_answer = ["No", "Nein", "2"]'
    ),
    "topics_other": 'kind = "text"',
    "free": 'kind = "text"',
}
HEAD = """\
[export]
equations_masked = true
no_answer = ["N/A"]
[respondents]
file = "participants.csv"
token = "token"
pairing_id = "attribute_1 <pairing_id>"
side = "attribute_2 <side>"
[scales.ls_agree]
en = ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"]
de = ["Stimme überhaupt nicht zu", "Stimme eher nicht zu", "Teils, teils", "Stimme eher zu", "Stimme voll und ganz zu"]
[[construct]]
id = "ls_pulse"
kind = "operational"
label = {en = "The pulse in LimeSurvey"}
"""

pytestmark = [
    pytest.mark.skipif(not EXPORTS, reason="the sample exports of LimeSurvey are not beside this checkout"),
    pytest.mark.slow,
    pytest.mark.xdist_group("limesurvey"),
]


def headings(path: Path) -> list[str]:
    if path.suffix == ".xlsx":
        return [cell.value for cell in next(openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows())]
    if path.suffix == ".json":
        whole = json.loads(path.read_text(encoding="utf-8"))
        return list(whole["responses"][0]) if "responses" in whole else []
    first = path.read_text(encoding="utf-8-sig").splitlines()[0]
    return max((next(csv.reader([first], delimiter=sign)) for sign in (",", ";", "\t")), key=len)


def write_map(round_number: int, where: Path) -> None:
    folder = SAMPLES / f"round{round_number}"
    ways: dict[int, set[str]] = defaultdict(set)
    for path in EXPORTS:
        if path.parent == folder and not path.name.startswith("vvexport"):
            for place, heading in enumerate(headings(path)[:N_COLUMNS]):
                ways[place].add(heading)
    told = [HEAD, "[columns]"]
    told += [f"{name} = {json.dumps(sorted(ways[place]), ensure_ascii=False)}" for name, place in META.items()]
    for place, item in enumerate(ITEMS, start=8):
        columns = json.dumps(sorted(ways[place]), ensure_ascii=False)
        text = "\n".join(f'[question.{side}]\nen = "{item}"' for side in ("mentor", "mentee"))
        told.append(
            f'[[question]]\nid = "ls_{item}"\nconstruct = "ls_pulse"\ncolumns = {columns}\n{KINDS[item]}\n{text}'
        )
    (where / f"round{round_number}.toml").write_text("\n".join(told), encoding="utf-8")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stores, Path]]:
    """One store with the 60 pairings and both rounds, and the two maps beside a copy of nothing else."""
    home = tmp_path_factory.mktemp("samples")
    opened = open_stores(Settings(home=home, secret_key="k" * 48))
    migrate(opened)
    with writing(opened.raw) as connection:
        people.save_programme(connection, people.Programme(programme_id="p", name="P", created_at=NOW))
        for number in range(1, 61):
            for side in ("mentor", "mentee"):
                people.save_person(connection, people.Person(person_id=f"{side}{number:04}", name=side))
            people.save_pairing(
                connection,
                people.Pairing(
                    pairing_id=f"{number:04}",
                    programme_id="p",
                    mentor_id=f"mentor{number:04}",
                    mentee_id=f"mentee{number:04}",
                    started_on=date(2026, 1, 1),
                ),
            )
        empty = Questionnaire(scales={}, constructs={}, questions={}, pulses={}).to_json()
        for number, opens_at in OPENED.items():
            new = Round(
                round_id=f"r{number}",
                programme_id="p",
                number=number,
                pulse="pulse",
                snapshot_id=rounds.keep_snapshot(connection, empty),
                opens_at=opens_at,
                closes_at=opens_at + timedelta(days=14),
            )
            rounds.open_round(connection, new, empty)
    for number in OPENED:
        write_map(number, home)
    yield opened, home
    opened.dispose()


# --- what was answered ------------------------------------------------------------------------------


def told_lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


def truth(round_number: int) -> tuple[dict[int, dict[str, str]], dict[int, dict[str, Any]]]:
    """Response id → what LimeSurvey could keep of it; response id → who and when."""
    said: dict[int, dict[str, str]] = defaultdict(dict)
    who = {}
    for line in told_lines("truth.jsonl"):
        if line["round"] == round_number:
            who[line["response_id"]] = (line["token"], line["response_no"])
            value = line.get("ls_stored", line["value"])
            if value is not None:
                said[line["response_id"]][f"ls_{line['item']}"] = value
    by_token = {
        (entry["token"], entry["response_no"]): entry
        for entry in told_lines("respondents.jsonl")
        if entry["round"] == round_number and entry.get("last_action")
    }
    return said, {id_: by_token[key] for id_, key in who.items()}


def newlines(value: str) -> str:
    """A browser sends CR LF, CSV and XLSX have LF: a line break is one."""
    return value.replace("\r\n", "\n")


def expected(path: Path, round_number: int) -> tuple[dict[Any, dict[str, str]], dict[str, int], int]:
    """(pairing, side, time) → answers; reasons of refused rows; how many response rows."""
    said, who = truth(round_number)
    closes_at = OPENED[round_number] + timedelta(days=14)
    taken: dict[Any, dict[str, str]] = {}
    reasons: dict[str, int] = defaultdict(int)
    n_rows = 0
    for id_, entry in who.items():
        is_complete = "submitted" in entry
        if ("_complete" in path.name and not is_complete) or ("_incomplete" in path.name and is_complete):
            continue
        n_rows += 1
        at = datetime.fromisoformat(entry.get("submitted") or entry["last_action"]).replace(tzinfo=UTC)
        values = {
            key: newlines(value.strip() if path.name.startswith("vvexport") else value)  # VV trims what was said
            for key, value in said.get(id_, {}).items()
            if can_carry(path, key, value)
        }
        if at >= closes_at:
            reasons[LATE] += 1
        elif not values:
            reasons[NOTHING] += 1
        else:
            taken[entry["pairing_id"], entry["side"], at] = values
    return taken, dict(reasons), n_rows


def can_carry(path: Path, question_id: str, value: str) -> bool:
    """What an export cannot carry, by format; everything else must come in.

    RemoteControl's XLSX turns an answer like =1+1 into a live formula without result.
    "Y to 1, N to 2" writes 2 for No and for a blank yes/no question alike, so 2 says nothing there.
    """
    if path.suffix == ".xlsx" and path.name.startswith("rpc_"):
        return not value.startswith("=")
    return not (path.stem.endswith("yn_to_12") and question_id == "ls_booked" and value == "N")


def stored(stores: Stores, batch: str | None) -> dict[Any, dict[str, str]]:
    query = (
        select(invitations.c.pairing_id, invitations.c.side, responses.c.received_at, answers)
        .join(responses, responses.c.invitation_id == invitations.c.invitation_id)
        .join(answers, answers.c.response_id == responses.c.response_id)
        .where(responses.c.batch_id == batch)
    )
    found: dict[Any, dict[str, str]] = defaultdict(dict)
    with reading(stores.raw) as connection:
        for row in connection.execute(query):
            found[row.pairing_id, row.side, row.received_at][row.question_id] = newlines(row.value)
    return dict(found)


def everything(stores: Stores) -> dict[str, Any]:
    with reading(stores.raw) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in raw.sorted_tables
            if table not in (batches, batch_changes, quarantine, raw.tables["snapshots"])
        }


@pytest.fixture
def tidy(store: tuple[Stores, Path]) -> Iterator[None]:
    """Undo what a failed test left, newest first, so that the next one starts from the same store."""
    yield
    query = select(batches.c.batch_id).where(batches.c.undone_at.is_(None)).order_by(batches.c.batch_id.desc())
    with writing(store[0].raw) as connection:
        for batch_id in connection.execute(query).scalars().all():
            undo_batch(connection, batch_id, NOW)


@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_export_comes_in_whole_and_goes_out_whole(store: tuple[Stores, Path], path: Path) -> None:
    stores, home = store
    number = int(path.parent.name[-1])
    (home / "participants.csv").write_bytes((path.parent / "participants.csv").read_bytes())
    map_path = home / f"round{number}.toml"
    if path.stem.endswith("yn_to_12"):
        map_path = yes_no_as_numbers(map_path)
    before = everything(stores)
    told: dict[str, Any] = {
        "path": path, "tool": "limesurvey", "round_id": f"r{number}", "now": NOW, "map_path": map_path,
    }  # fmt: skip
    dry = import_answers(stores, dry_run=True, **told)
    assert everything(stores) == before
    report = import_answers(stores, **told)
    assert replace(report, batch=None, changed=0) == dry

    taken, reasons, n_rows = expected(path, number)
    assert report.rows == report.accepted + report.quarantined + report.blank + report.header
    assert report.rows - report.header - report.blank == n_rows
    assert report.blank <= 1  # a CSV export ends with an empty line
    assert (report.accepted, report.quarantined) == (len(taken), sum(reasons.values()))
    assert stored(stores, report.batch) == taken
    with reading(stores.raw) as connection:
        refused = list_quarantine(connection, report.batch)
    found: dict[str, int] = defaultdict(int)
    for row in refused:
        if not row.column:
            found[row.reason] += 1
    assert found == reasons
    assert len([row for row in refused if row.column]) == report.cells == n_uncarried(path, number)

    again = import_answers(stores, **told)
    assert (again.accepted, again.changed) == (report.accepted, 0)
    with writing(stores.raw) as connection:
        undo_batch(connection, str(again.batch), NOW)
        undo_batch(connection, str(report.batch), NOW)
    assert everything(stores) == before


def n_uncarried(path: Path, round_number: int) -> int:
    """How many cells of timely rows the format spoils; each must be told."""
    closes_at = OPENED[round_number] + timedelta(days=14)
    said, who = truth(round_number)
    timely = [
        id_ for id_, entry in who.items()
        if datetime.fromisoformat(entry.get("submitted") or entry["last_action"]).replace(tzinfo=UTC) < closes_at
    ]  # fmt: skip
    spoiled = sum(not can_carry(path, key, value) for id_ in timely for key, value in said.get(id_, {}).items())
    if path.stem.endswith("yn_to_12"):  # the blank ones read 2, too
        blank = {
            line["response_id"]
            for line in told_lines("truth.jsonl")
            if (line["round"], line["item"], line["status"]) == (round_number, "booked", "blank")
        }
        spoiled += len(blank & set(timely))
    return spoiled


def yes_no_as_numbers(map_path: Path) -> Path:
    """The map of an export with "Y to 1, N to 2": a blank text beside a list reads 2 there, too."""
    told = map_path.read_text(encoding="utf-8")
    told = told.replace('Y = ["Yes", "Ja"],', 'Y = ["Yes", "Ja", "1"],')
    start = told.index('id = "ls_topics_other"')
    told = told[:start] + told[start:].replace('kind = "text"', 'kind = "text"\nno_answer = ["2"]', 1)
    changed = map_path.with_name(f"{map_path.stem}-numbers.toml")
    changed.write_text(told, encoding="utf-8")
    return changed


@pytest.mark.usefixtures("tidy")
def test_of_two_complete_responses_the_last_counts_and_the_other_is_kept(store: tuple[Stores, Path]) -> None:
    stores, home = store
    path = SAMPLES / "round2" / "ui_codes_all.csv"
    (home / "participants.csv").write_bytes((path.parent / "participants.csv").read_bytes())
    import_answers(stores, path=path, tool="limesurvey", round_id="r2", now=NOW, map_path=home / "round2.toml")
    query = (
        select(responses.c.version, responses.c.is_counted, responses.c.received_at)
        .join(invitations, invitations.c.invitation_id == responses.c.invitation_id)
        .where(invitations.c.pairing_id == "0011", invitations.c.side == "mentee")
        .order_by(responses.c.version)
    )
    with reading(stores.raw) as connection:
        versions = [tuple(row) for row in connection.execute(query)]
    assert versions == [
        (1, False, datetime(2026, 6, 7, 20, 20, tzinfo=UTC)),
        (2, True, datetime(2026, 6, 10, 22, 19, 38, tzinfo=UTC)),
    ]


@pytest.mark.usefixtures("tidy")
def test_the_participants_in_the_export_itself_need_no_second_file(store: tuple[Stores, Path]) -> None:
    stores, home = store
    told = (home / "round1.toml").read_text(encoding="utf-8")
    start, end = told.index("[respondents]"), told.index("[scales")
    told = told[:start] + told[end:]
    told = told.replace("[columns]", '[columns]\npairing_id = "attribute_1"\nside = "attribute_2"')
    (home / "attributes.toml").write_text(told, encoding="utf-8")
    path = SAMPLES / "round1" / "ui_codes_all_attributes.csv"
    report = import_answers(
        stores, path=path, tool="limesurvey", round_id="r1", now=NOW, map_path=home / "attributes.toml"
    )
    assert stored(stores, report.batch) == expected(path, 1)[0]
    assert set(report.unknown_columns) == {"lastpage", "seed", "startdate", "attribute_3", "attribute_4"}
