"""The mentor of five mentees, and whoever's other side was silent, is not left over from a gap and its two sides."""

import pandas as pd
import pytest

from pipeline.disclosure.crowd import PROGRAMME, Key
from pipeline.disclosure.gaps import is_telling, telling
from pipeline.disclosure.ground import Room

MANY = 30
NO_ROOM, SOME_ROOM = Room(n=MANY, up=2.0, down=2.0), Room(n=MANY, up=200.0, down=200.0)


def scored(mentors: list[str], silent_mentees: int = 0, construct: str = "trust") -> pd.DataFrame:
    """Pairings by their mentors; the last `silent_mentees` of them have only a mentor's score."""
    rows = [
        {"pairing_id": f"P{k}", "side": side, "person_id": mentor if side == "mentor" else f"mentee {k}"}
        for k, mentor in enumerate(mentors)
        for side in ("mentor", "mentee")
        if side == "mentor" or k < len(mentors) - silent_mentees
    ]
    return pd.DataFrame(rows).assign(construct=construct, score=50.0)


def paired(each: pd.DataFrame) -> pd.DataFrame:
    return each[each.groupby("pairing_id")["side"].transform("nunique") == 2]


ONE_EACH = [f"mentor {k}" for k in range(MANY)]
WITH_ONE_OF_FIVE = ["mentor of five"] * 5 + ONE_EACH[5:]


def tells(mentors: list[str], room: Room, *, silent: int = 0, is_mentor_shown: bool = True, colluders: int = 4) -> bool:
    each = scored(mentors, silent)
    sides = {"mentor": room if is_mentor_shown else None, "mentee": room}
    return is_telling(each, paired(each), room, sides, colluders=colluders)


def test_who_is_in_one_pairing_cancels() -> None:
    assert not tells(ONE_EACH, NO_ROOM)


def test_a_mentor_of_five_is_what_a_gap_and_its_sides_leave() -> None:
    assert tells(WITH_ONE_OF_FIVE, NO_ROOM, colluders=0)
    assert not tells(WITH_ONE_OF_FIVE, SOME_ROOM)


def test_a_mentor_whose_mentee_was_silent_is_left_too() -> None:
    assert tells(ONE_EACH, NO_ROOM, silent=1, colluders=0)
    assert not tells(ONE_EACH, NO_ROOM, silent=6)
    assert tells(ONE_EACH, NO_ROOM, silent=5)  # four of five tell the fifth's


def test_without_the_mentees_mean_there_is_nothing_to_subtract() -> None:
    each = scored(WITH_ONE_OF_FIVE)
    assert not is_telling(each, paired(each), NO_ROOM, {"mentor": NO_ROOM, "mentee": None}, colluders=4)


@pytest.mark.parametrize(("n_mentors", "expected"), [(2, True), (5, True), (6, False)])
def test_without_the_mentors_mean_a_gap_is_a_sum_over_them(n_mentors: int, expected: bool) -> None:
    assert tells([f"mentor {k % n_mentors}" for k in range(n_mentors)], NO_ROOM, is_mentor_shown=False) == expected


CONSTRUCTS = {"trust": "trust", "satisfaction": "satisfaction"}


def named(room: Room, view: str = PROGRAMME, group: str = PROGRAMME) -> tuple[list[Key], dict[Key, Room]]:
    gap = Key(metric="perception_gap", view=view, group=group, side="both")
    sides = [
        Key(metric=metric, view=view, group=group, side=side)
        for metric in CONSTRUCTS.values()
        for side in ("mentor", "mentee")
    ]
    return [gap], dict.fromkeys([gap, *sides], room)


def both_constructs(mentors: list[str]) -> pd.DataFrame:
    return pd.concat([scored(mentors, construct=name) for name in CONSTRUCTS], ignore_index=True)


def departments(north: int) -> pd.DataFrame:
    names = {f"P{k}": "north" if k < north else "south" for k in range(MANY)}
    return pd.DataFrame({"department": pd.Series(names)})


def found(mentors: list[str], room: Room, *where: str, colluders: int = 0) -> set[Key]:
    keys, rooms = named(room, *where)
    return telling(keys, both_constructs(mentors), departments(6), rooms, CONSTRUCTS, colluders=colluders)


def test_the_gap_over_several_constructs_is_judged_by_the_means_of_all_of_them() -> None:
    (gap,), rooms = named(NO_ROOM)
    assert found(WITH_ONE_OF_FIVE, NO_ROOM) == {gap}
    assert found(ONE_EACH, NO_ROOM) == set()
    del rooms[Key(metric="satisfaction", view=PROGRAMME, group=PROGRAMME, side="mentee")]
    assert telling([gap], both_constructs(WITH_ONE_OF_FIVE), departments(6), rooms, CONSTRUCTS, colluders=0) == set()


def test_a_groups_gap_is_a_sum_over_the_mentors_of_its_mentees() -> None:
    (gap,), _ = named(NO_ROOM, "department", "north")
    one_guide = ["mentor of six"] * 6 + ONE_EACH[6:]
    assert found(one_guide, NO_ROOM, "department", "north") == {gap}
    assert found(ONE_EACH, NO_ROOM, "department", "north") == set()
    assert found(ONE_EACH, NO_ROOM, "department", "north", colluders=5) == {gap}
