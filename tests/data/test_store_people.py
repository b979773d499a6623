"""People, pairings and goals are kept as they were told, on both databases."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from data.errors import RapportError
from data.store import people
from data.store.employment import (
    pseudonym,
    read_engagement,
    read_engagement_groups,
    read_roster,
    save_employment,
    save_engagement,
    save_engagement_groups,
)
from data.store.engine import Stores, reading, writing
from data.store.people import Pairing, Person, Programme
from data.tables import people as people_table

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ADA = Person(person_id="ada", name="Ada", email="ada@example.org", department="R&D")
BEN = Person(person_id="ben", name="Ben", language="de")
EVE = Person(person_id="eve", name="Eve")
FAY = Person(person_id="fay", name="Fay")
PAIRING = Pairing(
    pairing_id="0001", programme_id="north", mentor_id="ada", mentee_id="ben", started_on=date(2026, 3, 1)
)
OTHER = Pairing(pairing_id="0002", programme_id="south", mentor_id="fay", mentee_id="eve", started_on=date(2026, 3, 1))


@pytest.fixture
def cast(stores: Stores) -> Stores:
    """Ada mentors Ben; Eve belongs to another programme."""
    with writing(stores.raw) as connection:
        for programme_id in ("north", "south"):
            programme = Programme(programme_id=programme_id, name=programme_id.title(), created_at=NOW)
            people.save_programme(connection, programme)
        for person in (ADA, BEN, EVE, FAY):
            people.save_person(connection, person)
        for pairing in (PAIRING, OTHER):
            people.save_pairing(connection, pairing)
    return stores


def test_what_was_saved_is_read(cast: Stores) -> None:
    with reading(cast.raw) as connection:
        assert people.person(connection, "ada") == ADA
        assert people.pairing(connection, "0001") == PAIRING
        assert people.pairings_of(connection, "north") == [PAIRING]
        assert people.people_of(connection, "north") == [ADA, BEN]
        assert [programme.programme_id for programme in people.programmes_kept(connection)] == ["north", "south"]
        assert people.programme(connection, "north") == Programme(
            programme_id="north", name="North", created_at=NOW, decisions=people.DEFAULT_DECISIONS
        )


def test_saving_again_changes_and_doubles_nothing(cast: Stores) -> None:
    moved = Person(person_id="ada", name="Ada", email="ada@example.org", department="Sales")
    with writing(cast.raw) as connection:
        people.save_person(connection, moved)
        assert people.person(connection, "ada") == moved
        assert len(connection.execute(select(people_table)).all()) == 4


def test_who_is_unknown_is_one_sentence(cast: Stores) -> None:
    with reading(cast.raw) as connection:
        for read in (people.person, people.pairing, people.programme):
            with pytest.raises(RapportError, match="There is no"):
                read(connection, "nobody")


def test_a_pairing_is_two_people(cast: Stores) -> None:
    alone = Pairing(pairing_id="3", programme_id="north", mentor_id="ada", mentee_id="ada", started_on=NOW.date())
    with writing(cast.raw) as connection, pytest.raises(RapportError, match="expected two people"):
        people.save_pairing(connection, alone)


def test_a_pairing_is_active_from_its_first_to_its_last_day() -> None:
    ended = Pairing(
        pairing_id="1", programme_id="p", mentor_id="a", mentee_id="b",
        started_on=date(2026, 3, 1), ended_on=date(2026, 3, 31),
    )  # fmt: skip
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)]
    assert [ended.is_active_on(day) for day in days] == [False, True, True, False]
    assert PAIRING.is_active_on(date(2030, 1, 1))
    assert (ended.person("mentor"), ended.person("mentee")) == ("a", "b")


def test_goals_keep_their_order_and_their_levels(cast: Stores) -> None:
    levels = {-2: "no talk", 0: "one talk", 2: "three talks"}
    with writing(cast.raw) as connection:
        first = people.add_goal(
            connection, pairing_id="0001", title="Give a talk", levels=levels, set_on=date(2026, 3, 2)
        )
        second = people.add_goal(
            connection, pairing_id="0001", title="Find a sponsor", levels={}, set_on=date(2026, 3, 3), is_agreed=True
        )
        people.agree_goal(connection, first.goal_id)
    with reading(cast.raw) as connection:
        goals = people.goals_of(connection, "0001")
        assert [(goal.goal_id, goal.position, goal.title, goal.is_agreed) for goal in goals] == [
            (first.goal_id, 1, "Give a talk", True),
            (second.goal_id, 2, "Find a sponsor", True),
        ]
        assert [dict(goal.levels) for goal in goals] == [levels, {}]
        assert people.goals_of(connection, "0002") == []


def test_a_pseudonym_needs_the_key() -> None:
    # HMAC-SHA256, test case 2 of RFC 4231
    assert pseudonym(b"Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert pseudonym(b"one", "ada") != pseudonym(b"two", "ada")


def test_the_roster_is_read_with_dates_and_text(stores: Stores) -> None:
    row = {"employee_key": "k", "hired_on": date(2020, 1, 1), "valid_from": date(2020, 1, 1), "department": "Sales"}
    with writing(stores.raw) as connection:
        save_employment(connection, [row])
        save_employment(connection, [{**row, "left_on": date(2026, 1, 31), "leave_type": "voluntary"}])
        save_engagement(
            connection, [{"employee_key": "k", "measured_on": date(2026, 1, 1), "score": 3.5, "scale_max": 5.0}]
        )
        group = {"group": "Sales", "measured_on": date(2026, 1, 1), "n": 12, "mean": 3.4, "sd": 0.8, "scale_max": 5.0}
        save_engagement_groups(connection, [group])
    with reading(stores.raw) as connection:
        roster = read_roster(connection)
        assert read_engagement(connection)[["score", "scale_max"]].to_numpy().tolist() == [[3.5, 5.0]]
        assert read_engagement_groups(connection)["n"].to_list() == [12]
    assert roster.to_dict("records") == [
        {
            "employee_key": "k", "hired_on": datetime(2020, 1, 1), "valid_from": datetime(2020, 1, 1),
            "left_on": datetime(2026, 1, 31), "leave_type": "voluntary", "department": "Sales", "location": "",
            "grade": "",
        }
    ]  # fmt: skip
    assert {str(roster[name].dtype) for name in ("hired_on", "valid_from", "left_on")} == {"datetime64[s]"}


def test_an_empty_roster_has_its_columns(stores: Stores) -> None:
    with reading(stores.raw) as connection:
        roster = read_roster(connection)
    assert roster.empty
    assert list(roster) == [
        "employee_key", "hired_on", "valid_from", "left_on", "leave_type", "department", "location", "grade",
    ]  # fmt: skip
