"""Makes the business case of one release: from the staff as HR handed them in, after a plan registered beforehand."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from data.imports.toml_file import read_toml
from data.store import audit, people
from data.store.decisions import change
from data.store.employment import last_import
from data.store.engine import Stores, reading, writing
from pipeline.business_case.assumptions import listed
from pipeline.business_case.case import business_case
from pipeline.business_case.plan import CASE, PLAN, deviations, read_case
from pipeline.business_case.telling import about, rows
from pipeline.ingest import Inputs


class Told(NamedTuple):
    """The rows that a release gets, and what it says about them; nothing where HR handed in no employment file."""

    rows: list[dict[str, Any]]
    about: dict[str, Any] | None


def register_plan(stores: Stores, programme_id: str, *, now: datetime) -> None:
    """Keep the plan of a programme's business case, with its digest, before the first outcome is read. Once.

    Until an employment file was imported there is no outcome, and the plan may still change.
    """
    with reading(stores.raw) as connection:
        decided = people.programme(connection, programme_id).decisions
        is_blind = last_import(connection) is None
    if PLAN in decided or is_blind:
        return
    plan, _ = read_case(decided)
    with writing(stores.raw) as connection:
        if PLAN not in people.programme(connection, programme_id).decisions:
            change(connection, programme_id, {PLAN: {**plan.registered(), "registered_at": now.isoformat()}})


def case_of(inputs: Inputs) -> Told:
    """The case as a release tells it."""
    staff = inputs.staff
    if staff is None:
        return Told([], None)
    found = business_case(
        employment=staff.employment,
        engagement=staff.engagement,
        enrolment=staff.enrolment,
        grades=staff.grades,
        n_mentors=staff.n_mentors,
        ends=staff.known_on,
        plan=staff.plan,
        given=staff.assumptions,
    )
    now = staff.plan.registered()
    registered = inputs.registered or now
    told = {
        **about(found, staff.assumptions),
        "plan": now,
        "registered": dict(registered),
        "deviations": deviations(registered, now),
        "decided": dict(inputs.programme.decisions.get(CASE, {})),
    }
    return Told(rows(found), told)


def decided_in(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a release says the programme had decided and registered, to rebuild it whatever was decided since."""
    told = manifest.get("case")
    return {} if told is None else {CASE: told["decided"], PLAN: told["registered"]}


def keep_case(stores: Stores, programme_id: str, told: Mapping[str, Any], *, by: str, now: datetime) -> dict[str, Any]:
    """Decide on what the business case rests on; checked first, dated and with its author. Returns what is kept.

    The audit entry is written first: nothing changes without one.
    """
    plain: dict[str, Any] = json.loads(json.dumps(dict(told), default=str))
    read_case({CASE: plain})
    kept = {**plain, "decided": {"by": by, "at": now.isoformat()}}
    with writing(stores.raw) as connection:
        change(connection, programme_id, {CASE: kept})
        with writing(stores.access) as access:
            audit.note(access, at=now, who=by, action="business case decided", about=programme_id)
    return kept


def case_kept(stores: Stores, programme_id: str) -> dict[str, Any]:
    """What a programme decided for its business case, with the plan that was registered before any outcome."""
    with reading(stores.raw) as connection:
        decided = people.programme(connection, programme_id).decisions
    plan, given = read_case(decided)
    assumed = [{name: each[name] for name in ("key", "value", "unit", "source", "owner")} for each in listed(given)]
    return {"plan": plan.as_dict(), "registered": decided.get(PLAN), "assumptions": assumed}


def read_case_file(path: Path) -> dict[str, Any]:
    """A TOML of what the programme offered, to whom, and of its own costs."""
    return read_toml(path)
