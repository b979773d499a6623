"""What all numbers of two releases together say of somebody who came or went between them."""

import numpy as np
import pandas as pd
import pytest

from pipeline.disclosure.crowd import Key
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import Scale
from pipeline.disclosure.together import Release, telling_together

SCALE = Scale(0.0, 100.0, 25.0, 50.0)
ALL = Key(metric="trust", view="all", group="all", side="mentee")
A, B = (Key(metric="trust", view="department", group=name, side="mentee") for name in "AB")


def told(**groups: list[float]) -> pd.DataFrame:
    rows = [(f"{name}{k}", name, value) for name, values in groups.items() for k, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["unit", "department", "value"])


def room(points: float) -> Room:
    return Room(n=10, up=points, down=points)


BEFORE = told(A=[50.0] * 10, B=[50.0] * 10)
NOW = told(A=[50.0] * 10, B=[50.0] * 10 + [0.0])  # B10 came, and says 0


@pytest.mark.parametrize(("points", "is_told"), [(5.0, True), (16.0, True), (17.0, False), (40.0, False)])
def test_the_programme_now_less_its_groups_then_is_the_one_who_came(points: float, is_told: bool) -> None:
    # What B10 said is at most three times the room above 0: proven low where that stays under 50.
    now, before = Release(NOW, {ALL: room(points)}), Release(BEFORE, {A: room(points), B: room(points)})
    assert telling_together(now, [before], SCALE) == ({ALL} if is_told else set())


def test_a_group_goes_before_the_programme() -> None:
    now = Release(NOW, {ALL: room(60.0), B: room(5.0)})
    assert telling_together(now, [Release(BEFORE, {A: room(5.0), B: room(5.0)})], SCALE) == {B}


def test_who_left_is_protected_as_who_came() -> None:
    now, before = Release(BEFORE, {A: room(5.0), B: room(5.0)}), Release(NOW, {ALL: room(5.0)})
    assert telling_together(now, [before], SCALE) & {A, B}


def test_nothing_goes_where_everybody_says_something_else_or_nobody_moved() -> None:
    rng = np.random.default_rng(1)
    other = NOW.assign(value=rng.uniform(10, 90, len(NOW)))
    before = Release(BEFORE, {A: room(5.0), B: room(5.0)})
    assert telling_together(Release(other, {ALL: room(5.0)}), [before], SCALE) == set()
    assert telling_together(Release(BEFORE, {ALL: room(5.0)}), [before], SCALE) == set()


def test_of_many_who_came_together_nobody_is_proven() -> None:
    many = told(A=[50.0] * 10, B=[50.0] * 10 + [0.0, 100.0, 50.0, 75.0, 25.0])
    now = Release(many, {ALL: room(5.0)})
    assert telling_together(now, [Release(BEFORE, {A: room(5.0), B: room(5.0)})], SCALE) == set()


def test_two_who_came_and_both_say_the_lowest_are_told() -> None:
    two = told(A=[50.0] * 10, B=[50.0] * 10 + [0.0, 0.0])
    now = Release(two, {ALL: room(5.0)})
    assert telling_together(now, [Release(BEFORE, {A: room(5.0), B: room(5.0)})], SCALE) == {ALL}


def test_an_older_release_is_held_beside_the_last_one() -> None:
    now, last, older = Release(NOW, {ALL: room(5.0)}), Release(BEFORE, {A: room(5.0)}), Release(BEFORE, {B: room(5.0)})
    assert telling_together(now, [last], SCALE) == set()
    assert telling_together(now, [older], SCALE) == set()
    assert telling_together(now, [last, older], SCALE) == {ALL}


def test_who_said_something_else_in_between_is_not_taken_to_have_said_the_same() -> None:
    between = BEFORE.assign(value=[*np.linspace(5.0, 95.0, 10), *BEFORE["value"].iloc[10:]])
    now, last, older = (
        Release(NOW, {ALL: room(5.0)}),
        Release(between, {}),
        Release(BEFORE, {A: room(5.0), B: room(5.0)}),
    )
    assert telling_together(now, [older], SCALE) == {ALL}
    assert telling_together(now, [last._replace(rooms={A: room(5.0)}), older], SCALE) == set()
