"""The plan of a business case: read strictly, kept before the first outcome is read, and every deviation told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.errors import RapportError
from data.imports.load import import_file
from data.store import audit, people
from data.store.engine import Stores, reading
from pipeline.business_case import plan as plan_module
from pipeline.business_case.plan import CASE, PLAN, Plan, deviations, read_case
from pipeline.business_case.retention import COVARIATES
from pipeline.case import case_kept, keep_case, read_case_file, register_plan
from tests.pipeline.stored import KEY, NOW, make_programme

SALARY = {
    "value": 52_000, "date": "2026-01-31", "source": "Payroll of 2025", "owner": "Cleo, HR", "signed_by": "Dan",
}  # fmt: skip
LATER = NOW + timedelta(days=30)
EMPLOYMENT = "person_id,hired_on,left_on,leave_type,department,location,grade,valid_from\nada,2020-01-01,,,L,B,G6,\n"


def import_employment(stores: Stores, folder: Path, now: datetime = NOW) -> None:
    path = folder / "employment.csv"
    path.write_text(EMPLOYMENT.replace("G6,", "G6,2020-01-01"), encoding="utf-8")
    import_file(stores, kind="employment", path=path, now=now, key=KEY.encode())


def decided(stores: Stores) -> Mapping[str, Any]:
    with reading(stores.raw) as connection:
        return people.programme(connection, "P").decisions


def test_a_programme_that_decided_nothing_has_the_plan_that_everybody_starts_from() -> None:
    plan, given = read_case({})
    assert plan == Plan()
    assert (plan.horizon, plan.estimand, plan.covariates, plan.offered_to) == (12, "ATO", COVARIATES, {})
    assert not given["salary"].is_known


def test_what_a_programme_decided_is_read_with_days_as_text_or_days() -> None:
    told = {
        "offered_to": {"location": ["Lyon", "Lisbon"], "grade": ["G1"]},
        "min_tenure_months": 3,
        "data_from": "2024-02-01",
        "assumptions": {"salary": SALARY},
    }
    plan, given = read_case({CASE: told, "score_n": 7})
    assert plan.offered_to == {"grade": ("G1",), "location": ("Lisbon", "Lyon")}
    assert (plan.min_tenure_months, plan.data_from) == (3, date(2024, 2, 1))
    assert (given["salary"].value, given["salary"].dated) == (52_000, date(2026, 1, 31))
    assert read_case({CASE: {**told, "data_from": date(2024, 2, 1)}}) == (plan, given)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (7, "decided on in a table"),
        ({"horizon": 6}, "'horizon' is nothing that the business case asks for; expected offered_to, min_tenure"),
        ({"offered_to": ["Lyon"]}, "offered_to expects lists of values for department, location, grade"),
        ({"offered_to": {"salary": ["high"]}}, "offered_to expects lists of values"),
        ({"offered_to": {"grade": "G1"}}, "offered_to.grade expects a list of values"),
        ({"offered_to": {"grade": []}}, "offered_to.grade expects a list of values"),
        ({"offered_to": {"grade": [1]}}, "offered_to.grade expects a list of values, each a text"),
        ({"min_tenure_months": -1}, "whole months from 0 to 600"),
        ({"min_tenure_months": True}, "whole months from 0 to 600"),
        ({"min_tenure_months": 2.5}, "whole months from 0 to 600"),
        ({"data_from": "spring"}, "data_from expects a day such as 2026-03-02, not 'spring'"),
        ({"assumptions": [1]}, "Each assumption is a table"),
        ({"assumptions": {"salary": 52_000}}, "Each assumption is a table"),
        ({"assumptions": {"salery": SALARY}}, "'salery' is no assumption"),
        ({"assumptions": {"salary": {**SALARY, "signed_by": ""}}}, "Expected a signed_by"),
        ({"assumptions": {"salary": {**SALARY, "date": "soon"}}}, "salary.date expects a day"),
        ({"assumptions": {"salary": {**SALARY, "by_grade": 5}}}, "by grade as a table of amounts, found 5"),
        ({"assumptions": {"salary": {**SALARY, "value": float("nan")}}}, "Expected a number for salary"),
    ],
)
def test_a_bad_entry_is_one_sentence(told: Any, sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence) as refused:
        read_case({CASE: told})
    assert "\n" not in str(refused.value)


def test_an_amount_without_a_unit_has_no_currency() -> None:
    _, given = read_case({CASE: {"assumptions": {"salary": {**SALARY, "unit": ""}}}})
    assert given["salary"].currency == ""


def test_what_is_registered_names_the_plan_and_the_protocol_under_one_digest() -> None:
    first, same = Plan(offered_to={"grade": ("G1",)}), Plan(offered_to={"grade": ("G1",)})
    assert first.registered() == same.registered()
    assert first.registered()["plan"]["offered_to"] == {"grade": ["G1"]}
    assert set(first.registered()["protocol"]) == {"mentee", "mentor"}
    others = [Plan(), Plan(offered_to={"grade": ("G2",)}), Plan(min_tenure_months=1), Plan(horizon=6)]
    others += [Plan(data_from=date(2024, 1, 1)), Plan(covariates=("grade",)), Plan(negative_control="none")]
    digests = {each.registered()["sha256"] for each in (first, *others)}
    assert len(digests) == 1 + len(others)


def test_every_deviation_is_told_with_both_values() -> None:
    before, now = Plan(), Plan(offered_to={"location": ("Lyon",)}, min_tenure_months=3)
    assert deviations(before.registered(), before.registered()) == []
    assert deviations(before.registered(), now.registered()) == [
        "min_tenure_months: 0 → 3",
        'offered_to: – → {"location": ["Lyon"]}',
    ]
    assert deviations(now.registered(), before.registered())[1] == 'offered_to: {"location": ["Lyon"]} → –'


def test_a_metric_that_is_defined_otherwise_is_a_deviation(monkeypatch: pytest.MonkeyPatch) -> None:
    before, ours = Plan().registered(), plan_module.catalogue()
    assert set(before["definitions"]) == set(ours)
    other = {**ours, "trust": replace(ours["trust"], formula="the best answer of each")}
    monkeypatch.setattr(plan_module, "catalogue", lambda: other)
    now = Plan().registered()
    assert deviations(before, now) == ["definition: trust"]
    assert now["sha256"] != before["sha256"]


def test_a_plan_that_was_registered_without_definitions_is_told_apart_by_its_digest_only() -> None:
    older = {name: each for name, each in Plan().registered().items() if name != "definitions"}
    assert deviations({**older, "sha256": "of an older version"}, Plan().registered()) == ["protocol: its wording"]


def test_a_protocol_that_is_worded_otherwise_is_a_deviation() -> None:
    registered = Plan().registered()
    worded = {**registered, "protocol": {}, "sha256": "another"}
    assert deviations(worded, registered) == ["protocol: its wording"]


def test_the_plan_is_registered_once_and_not_before_there_is_an_outcome(stores: Stores, tmp_path: Path) -> None:
    """Before HR hands in who left, nobody can have looked; from then on what was registered stays."""
    make_programme(stores, n=2)
    register_plan(stores, "P", now=NOW)
    assert PLAN not in decided(stores)
    keep_case(stores, "P", {"min_tenure_months": 3}, by="Cleo", now=NOW)
    import_employment(stores, tmp_path)
    register_plan(stores, "P", now=NOW)
    kept = decided(stores)[PLAN]
    assert kept == {**Plan(min_tenure_months=3).registered(), "registered_at": NOW.isoformat()}
    keep_case(stores, "P", {"min_tenure_months": 5}, by="Cleo", now=LATER)
    register_plan(stores, "P", now=LATER)
    assert decided(stores)[PLAN] == kept
    told = case_kept(stores, "P")
    assert (told["plan"]["min_tenure_months"], told["registered"]) == (5, kept)


def test_a_decision_is_kept_with_author_and_time_and_is_written_down(stores: Stores) -> None:
    make_programme(stores, n=2)
    keep_case(stores, "P", {"data_from": date(2024, 2, 1)}, by="Cleo", now=NOW)
    assert decided(stores)[CASE] == {"data_from": "2024-02-01", "decided": {"by": "Cleo", "at": NOW.isoformat()}}
    assert decided(stores)["score_n"] == 5  # what else was decided stays
    with reading(stores.access) as connection:
        (entry,) = audit.entries(connection)
    assert (entry["who"], entry["action"], entry["about"], entry["at"]) == ("Cleo", "business case decided", "P", NOW)


def test_what_is_not_kept_is_not_written_down_either(stores: Stores) -> None:
    make_programme(stores, n=2)
    before = decided(stores)
    for programme_id, told in (("P", {"min_tenure_months": "three"}), ("Q", {})):
        with pytest.raises(RapportError):
            keep_case(stores, programme_id, told, by="Cleo", now=NOW)
    assert decided(stores) == before
    with reading(stores.access) as connection:
        assert audit.entries(connection) == []


def test_a_decision_without_an_audit_entry_is_none(sqlite_stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    make_programme(sqlite_stores, n=2)

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(audit, "note", fail)
    with pytest.raises(OSError, match="disk full"):
        keep_case(sqlite_stores, "P", {"min_tenure_months": 3}, by="Cleo", now=NOW)
    assert CASE not in decided(sqlite_stores)


def test_an_import_cannot_bring_another_plan_back(stores: Stores, tmp_path: Path) -> None:
    """Importing the programme's pairings again leaves what was decided and registered as it is."""
    make_programme(stores, n=2)
    import_employment(stores, tmp_path)
    keep_case(stores, "P", {"min_tenure_months": 3}, by="Cleo", now=NOW)
    register_plan(stores, "P", now=NOW)
    kept = decided(stores)
    path = tmp_path / "pairings.csv"
    path.write_text(
        "pairing_id,programme,mentor_id,mentee_id,started_on\nP-9,P,P-mentor-0,P-mentee-1,2026-01-03\n", "utf-8"
    )
    import_file(stores, kind="pairings", path=path, now=LATER, key=KEY.encode())
    assert decided(stores) == kept


def test_the_file_is_toml_within_its_limits(tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    path.write_text('min_tenure_months = 3\ndata_from = 2024-02-01\n[offered_to]\ngrade = ["G1"]\n', "utf-8")
    plan, _ = read_case({CASE: read_case_file(path)})
    assert plan == Plan(min_tenure_months=3, data_from=date(2024, 2, 1), offered_to={"grade": ("G1",)})
    for content, sentence in (
        (b"min_tenure = = 3", "is not valid TOML"),
        (b"\xff", "not utf-8"),
        (b"#" * 1_000_001, "larger than 1 MB"),
    ):
        path.write_bytes(content)
        with pytest.raises(RapportError, match=sentence) as refused:
            read_case_file(path)
        assert "\n" not in str(refused.value)


def test_another_programmes_decision_is_its_own(stores: Stores) -> None:
    make_programme(stores, n=2)
    make_programme(stores, "R", n=2)
    keep_case(stores, "R", {"min_tenure_months": 1}, by="Cleo", now=NOW)
    assert CASE not in decided(stores)
