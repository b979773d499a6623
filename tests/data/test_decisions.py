"""What a programme decides may change until its first round opens; then no way in changes it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from data import decisions
from data.errors import RapportError
from data.store import decisions as kept_decisions
from data.store import people, rounds
from data.store.batches import Change, record_changes, start_batch, undo_batch, write_rows
from data.store.engine import Connection, Stores, reading, writing
from data.store.people import Pairing, Person, Programme
from data.store.rounds import Invitation, Round
from data.tables import programmes

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
STRICTER = {**decisions.DEFAULTS, "score_n": 8, "attributes": ["department"]}
GROUPS = {"department": {"Finance": "Finance / Legal", "Legal": "Finance / Legal", "*": "Finance / Legal"}}


def begin(connection: Connection, own: dict[str, Any] | None = None) -> None:
    """Ada (Finance) mentors Ben (Legal) in the programme m."""
    decided = STRICTER if own is None else own
    people.save_programme(connection, Programme(programme_id="m", name="M", created_at=NOW, decisions=decided))
    people.save_person(connection, Person(person_id="ada", name="Ada", department="Finance"))
    people.save_person(connection, Person(person_id="ben", name="Ben", department="Legal"))
    pair(connection, "P1", "ada", "ben")


def pair(connection: Connection, pairing_id: str, mentor: str, mentee: str, cohort: str | None = "spring") -> None:
    new = Pairing(
        pairing_id=pairing_id, programme_id="m", mentor_id=mentor, mentee_id=mentee, started_on=date(2026, 2, 1),
        cohort=cohort,
    )  # fmt: skip
    people.save_pairing(connection, new)


def open_round(connection: Connection, number: int = 1) -> None:
    snapshot_id = rounds.keep_snapshot(connection, "{}")
    new = Round(
        round_id=f"R{number}", programme_id="m", number=number, pulse="pulse", snapshot_id=snapshot_id,
        opens_at=NOW, closes_at=NOW + timedelta(days=14),
    )  # fmt: skip
    rounds.open_round(connection, new, "{}")


def ask(connection: Connection, number: int, pairing_id: str = "P1", mentor: str = "ada") -> Invitation:
    """The mentor's invitation as it is kept."""
    person = people.person(connection, mentor)
    pairing = people.pairing(connection, pairing_id)
    wanted = Invitation(
        invitation_id=f"R{number}:{pairing_id}", round_id=f"R{number}", pairing_id=pairing_id, side="mentor",
        person_id=mentor, form=0, cohort=pairing.cohort or "", department=person.department or "",
    )  # fmt: skip
    rounds.invite(connection, [wanted])
    found = rounds.invitation_of(connection, f"R{number}", pairing_id, "mentor")
    assert found is not None
    return found


def held(connection: Connection) -> dict[str, Any]:
    return dict(connection.execute(select(programmes.c.decisions)).scalar_one())


# --- what is allowed -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(decisions.LEAST))
@pytest.mark.parametrize("value", [-1, 0, 4, True, False, 5.5, "5", "", None, [], float("nan"), 10**9])
def test_a_threshold_only_rises_from_its_least(name: str, value: object) -> None:
    with pytest.raises(RapportError, match=f"The threshold {name} must be a whole number from"):
        decisions.settled({name: value})


@pytest.mark.parametrize(
    "attributes",
    [["salary"], ["department", "department"], ["cohort", "department", "grade"], "department,location", None, [["a"]]],
)
def test_two_known_attributes_at_most(attributes: object) -> None:
    with pytest.raises(RapportError, match="A programme reports by at most 2 of"):
        decisions.settled({"attributes": attributes})


@pytest.mark.parametrize(
    "groups",
    [{"salary": {}}, ["department"], {"department": ["a"]}, {"department": {"a": 1}}, {"department": {"a": "all"}},
     {"department": {"a": "two\nlines"}}, {"department": {"a": "x" * 121}}, {"department": {"a": " spaced"}}],
)  # fmt: skip
def test_groups_are_names_by_value(groups: object) -> None:
    with pytest.raises(RapportError, match="group"):
        decisions.settled({"groups": groups})


def test_defaults_fill_in_what_is_not_decided() -> None:
    assert decisions.settled({}) == {**decisions.LEAST, "attributes": (), "groups": {}}
    assert decisions.settled({**STRICTER, "cadence": {"every_weeks": 4}})["score_n"] == 8


def test_a_value_that_is_not_listed_has_a_group() -> None:
    listed = {"department": {"Sales": "Sales"}, "location": {"Lyon": "France", "*": "elsewhere"}}
    told = [("department", "Sales"), ("department", "New"), ("location", "New"), ("location", ""), ("grade", "7")]
    assert [decisions.group_of(listed, *each) for each in told] == ["Sales", "", "elsewhere", "elsewhere", "7"]


# --- before the first round ------------------------------------------------------------------------


def test_until_the_first_round_opens_everything_may_change(stores: Stores) -> None:
    with writing(stores.raw) as connection:
        begin(connection)
        kept_decisions.change(connection, "m", {"score_n": 6, "groups": GROUPS, "cadence": {"every_weeks": 4}})
        kept_decisions.change(connection, "m", {"groups": None})
        assert held(connection) == {**STRICTER, "score_n": 6, "cadence": {"every_weeks": 4}}
        for below in ({"score_n": 4}, {"attributes": ["salary"]}):
            with pytest.raises(RapportError):
                kept_decisions.change(connection, "m", below)
        with pytest.raises(RapportError, match="no programme nowhere"):
            kept_decisions.change(connection, "nowhere", {})


def test_a_round_does_not_open_on_a_threshold_that_is_too_low(sqlite_stores: Stores) -> None:
    with writing(sqlite_stores.raw) as connection:
        begin(connection)
        connection.execute(programmes.update().values(decisions={"score_n": 1}))  # past every function of ours
        with pytest.raises(RapportError, match="score_n must be a whole number from 5"):
            open_round(connection)


# --- from the first round on -----------------------------------------------------------------------


def saved_again(connection: Connection, own: dict[str, Any]) -> None:
    people.save_programme(connection, Programme(programme_id="m", name="M", created_at=NOW, decisions=own))


def changed(connection: Connection, own: dict[str, Any]) -> None:
    kept_decisions.change(connection, "m", own)


def imported(connection: Connection, own: dict[str, Any]) -> None:
    write_rows(connection, programmes, [{"programme_id": "m", "decisions": own}], {})


def undone(connection: Connection, own: dict[str, Any]) -> None:
    """An import that changed the programme, put back to what was before."""
    row = dict(connection.execute(select(programmes)).mappings().one())
    batch = start_batch(connection, kind="pairings", file_name="x.csv", file_sha256="0" * 64, now=NOW)
    before, after = ({name: row[name] for name in ("programme_id", "name", "decisions")} for _ in range(2))
    change = Change(table=programmes, key={"programme_id": "m"}, before={**before, "decisions": own}, after=after)
    record_changes(connection, batch, [change])
    undo_batch(connection, batch, NOW)


WAYS = (saved_again, changed, imported, undone)
LOWER = [
    {"score_n": 5}, {"score_n": 9}, {"score_n": 1}, {"staying_n": 21}, {"two_way_n": 12}, {"comment_n": 11},
    {"attributes": []}, {"attributes": ["department", "location"]}, {"groups": {}},
    {"groups": {"department": {"Finance": "Finance", "*": ""}}}, {"decided": {}},
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("own", LOWER, ids=str)
def test_then_no_way_in_changes_it(
    sqlite_stores: Stores, way: Callable[[Connection, dict[str, Any]], None], own: dict[str, Any]
) -> None:
    with writing(sqlite_stores.raw) as connection:
        begin(connection, {**STRICTER, "groups": GROUPS})
        open_round(connection)
        locked = held(connection)
        with pytest.raises(RapportError, match="locked since its first round opened"):
            way(connection, own)
        assert held(connection) == locked


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_leaving_out_unlocks_nothing_and_the_cadence_still_changes(
    stores: Stores, way: Callable[[Connection, dict[str, Any]], None]
) -> None:
    with writing(stores.raw) as connection:
        begin(connection, {**STRICTER, "groups": GROUPS})
        open_round(connection)
        fixed = decisions.fixed_part(held(connection))
        way(connection, {"cadence": {"every_weeks": 2}, "two_way_n": 10})  # 10 is what holds already
        assert held(connection) == {**fixed, "cadence": {"every_weeks": 2}}


def test_an_installation_that_had_opened_rounds_keeps_what_it_has(sqlite_stores: Stores) -> None:
    """Its rounds were opened before groups were: no groups, names as they come."""
    with writing(sqlite_stores.raw) as connection:
        begin(connection)
        open_round(connection)
        connection.execute(programmes.update().values(decisions={"attributes": ["department"], "score_n": 5}))
        open_round(connection, 2)
        assert held(connection) == {"attributes": ["department"], "score_n": 5}
        people.save_person(connection, Person(person_id="ada", name="Ada", department="New"))
        assert ask(connection, 2).department == "New"
        with pytest.raises(RapportError, match="locked"):
            kept_decisions.change(connection, "m", {"groups": GROUPS})


# --- reporting groups at asking --------------------------------------------------------------------


def test_invitations_carry_the_group_and_newcomers_have_one(stores: Stores) -> None:
    with writing(stores.raw) as connection:
        begin(connection, {**STRICTER, "groups": GROUPS})
        open_round(connection)
        people.save_person(connection, Person(person_id="eve", name="Eve", department="Unheard of"))
        people.save_person(connection, Person(person_id="dan", name="Dan"))
        pair(connection, "P2", "eve", "ben")
        pair(connection, "P3", "dan", "ben")
        asked = [ask(connection, 1, *each).department for each in (("P1", "ada"), ("P2", "eve"), ("P3", "dan"))]
        assert asked == ["Finance / Legal"] * 3


def test_without_accepted_groups_those_known_that_day_are_the_groups(sqlite_stores: Stores) -> None:
    with writing(sqlite_stores.raw) as connection:
        begin(connection, {"attributes": ["department", "cohort"]})
        open_round(connection)
        kept = held(connection)
        assert kept["groups"] == {"department": {"Finance": "Finance", "Legal": "Legal"}}
        assert kept["decided"]["groups"] == {"by": "the first round", "at": NOW.isoformat()}
        assert ask(connection, 1).department == "Finance"
        people.save_person(connection, Person(person_id="ada", name="Ada", department="A department of one"))
        open_round(connection, 2)
        assert ask(connection, 2).department == decisions.NOT_STATED


def test_a_pairing_stays_in_its_cohort_and_a_new_one_brings_its_own(sqlite_stores: Stores) -> None:
    with writing(sqlite_stores.raw) as connection:
        begin(connection, {"attributes": ["cohort"]})
        open_round(connection)
        assert ask(connection, 1).cohort == "spring"
        pair(connection, "P1", "ada", "ben", cohort="hand-picked")
        pair(connection, "P2", "ada", "ben", cohort="autumn")
        open_round(connection, 2)
        assert [ask(connection, 2, each).cohort for each in ("P1", "P2")] == ["spring", "autumn"]


def test_who_decides_while_the_first_round_opens_finds_it_locked(stores: Stores) -> None:
    with writing(stores.raw) as connection:
        begin(connection)

    def decide() -> None:
        with writing(stores.raw) as connection:
            kept_decisions.change(connection, "m", {"score_n": 9})

    with ThreadPoolExecutor(1) as thread:
        with writing(stores.raw) as connection:
            open_round(connection)
            deciding = thread.submit(decide)
            _await_somebody_waiting(stores)
        with pytest.raises(RapportError, match="locked"):
            deciding.result()
    with reading(stores.raw) as connection:
        assert held(connection)["score_n"] == 8


def _await_somebody_waiting(stores: Stores) -> None:
    """On PostgreSQL both run at once; SQLite lets the second one begin when the first has ended."""
    waiting = text("select count(*) from pg_locks where not granted")
    end = time.monotonic() + 20
    while stores.raw.dialect.name == "postgresql" and time.monotonic() < end:
        with reading(stores.raw) as connection:
            if connection.execute(waiting).scalar_one():
                return
