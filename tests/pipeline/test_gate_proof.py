"""Whoever is called safe is safe: no coalition narrows their answer down, by a linear programme over all people."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pipeline.disclosure.crowd import PROGRAMME, TWO_WAY, Key
from pipeline.disclosure.ground import REST, Room, ground
from pipeline.disclosure.proof import Scale, exposed
from pipeline.disclosure.rooms import members
from tests.pipeline.narrowing import POINTS, Reader

MIXED = (0.0, 25.0, 50.0, 75.0, 100.0)
SIGNED = Scale(-100.0, 100.0, 25.0)


def key(view: str, group: str) -> Key:
    return Key(metric="trust", view=view, group=group, side="mentee")


ALL = key(PROGRAMME, PROGRAMME)


def told(values: Sequence[float], **groups: str) -> pd.DataFrame:
    """Who said what; each attribute's groups as one letter a person."""
    people = [f"mentee {k}" for k in range(len(values))]
    columns = {name: list(letters) for name, letters in groups.items()}
    return pd.DataFrame({"unit": people, **columns, "value": np.array(values, dtype=float)})


def cells(said: pd.DataFrame, rooms: Mapping[Key, Room], scale: Scale = POINTS, *, colluders: int) -> set[str]:
    """The people whom `exposed` calls exposed."""
    views = [name for name in said.columns if name not in ("unit", "value")]
    on = ground(said, rooms, views)
    found = exposed(on, scale, colluders=colluders)
    return {
        unit
        for unit, cell in zip(said["unit"], zip(on.first.tolist(), on.second.tolist(), strict=True), strict=True)
        if cell in found
    }


def narrowed(said: pd.DataFrame, rooms: Mapping[Key, Room], scale: Scale, people: Sequence[str], size: int) -> set[str]:
    """Those of the people of whom some coalition of this size, without them, knows it."""
    reader, n = Reader(said, rooms, scale), len(said)
    return {
        unit
        for person, unit in enumerate(said["unit"])
        if unit in people
        for coalition in combinations([k for k in range(n) if k != person], min(size, n - 1))
        if reader.proves(person, coalition)
    }


def rounded(said: pd.DataFrame, shown: Sequence[Key], step: float) -> dict[Key, Room]:
    """The rooms of means told in this step."""
    rooms = {}
    for each in shown:
        inside = said.loc[members(said, each), "value"]
        n, total = len(inside), float(inside.sum())
        middle = round(total / n / step) * step
        rooms[each] = Room(
            n=n, up=max(n * (middle + step / 2) - total, 0.0), down=max(total - n * (middle - step / 2), 0)
        )
    return rooms


@some.composite
def layouts(draw: some.DrawFn, most: int = 9) -> tuple[pd.DataFrame, dict[Key, Room], Scale]:
    """A few people in up to two attributes, and which means are told, how finely."""
    n = draw(some.integers(4, most))
    scale = draw(some.sampled_from([POINTS, POINTS, SIGNED]))
    points = some.sampled_from([scale.low, *np.arange(0.0, 101.0, 25.0).tolist()])
    values = draw(some.lists(some.one_of(points, some.floats(-4, 104)), min_size=n, max_size=n))
    names = draw(some.sampled_from([(), ("department",), ("department", "location")]))
    letters = {name: draw(some.lists(some.sampled_from("AB"), min_size=n, max_size=n)) for name in names}
    said = told(values, **{name: "".join(of) for name, of in letters.items()})
    shown = [] if draw(some.integers(0, 3)) == 0 else [ALL]
    one_way = [key(name, group) for name in names for group in sorted(set(letters[name])) if draw(some.integers(0, 3))]
    two_way = [
        key(TWO_WAY.join(names), TWO_WAY.join((first.group, second.group)))
        for first in one_way
        for second in one_way
        if len(names) == 2 and first.view == names[0] and second.view == names[1] and draw(some.booleans())
    ]
    present = [each for each in (*shown, *one_way, *two_way) if members(said, each).any()]
    return said, rounded(said, present, draw(some.sampled_from([1.0, 5.0, 10.0, 20.0]))), scale


few = settings(max_examples=40, deadline=None, derandomize=True)


@few
@given(layouts(), some.integers(0, 2))
def test_nobody_who_is_called_safe_can_be_narrowed_down(
    layout: tuple[pd.DataFrame, dict[Key, Room], Scale], colluders: int
) -> None:
    said, rooms, scale = layout
    safe = sorted(set(said["unit"]) - cells(said, rooms, scale, colluders=colluders))
    assert narrowed(said, rooms, scale, safe, colluders) == set()


def test_the_linear_programme_finds_what_is_given_away() -> None:
    said = told(MIXED)
    assert narrowed(said, sums_of(said, ALL), POINTS, said["unit"].tolist(), 4) == set(said["unit"])
    assert narrowed(said, sums_of(said, ALL), POINTS, said["unit"].tolist(), 2) == set()


@pytest.mark.parametrize("seed", range(4))
def test_four_colluders_of_twenty_learn_nothing_of_those_who_are_called_safe(seed: int) -> None:
    rng = np.random.default_rng(seed)
    letters = {name: "".join(rng.choice(list("ABC"), 20)) for name in ("department", "location")}
    said = told(np.clip(25 * np.round(rng.normal(3, 1, 20)), 0, 100).tolist(), **letters)
    one_way = [key(name, group) for name, of in letters.items() for group in sorted(set(of))]
    rooms = rounded(said, [ALL, *one_way], 10.0)
    exposed_people = cells(said, rooms, colluders=4)
    reader = Reader(said, rooms, POINTS)
    safe = [k for k, unit in enumerate(said["unit"]) if unit not in exposed_people]
    assert safe  # with steps of ten points not everybody is given away
    for person in safe:
        near = sorted(range(20), key=lambda k: -sum(of[k] == of[person] for of in letters.values()))
        nearest = [k for k in near if k != person][:4]
        others = rng.choice([k for k in range(20) if k != person], 4, replace=False).tolist()
        assert not any(reader.proves(person, coalition) for coalition in (nearest, others))


def sums_of(said: pd.DataFrame, *shown: Key, room: float = 0.0) -> dict[Key, Room]:
    return {each: Room(n=int(members(said, each).sum()), up=room, down=room) for each in shown}


def test_an_exact_mean_of_five_is_proven_to_four_of_them_and_to_nobody_alone() -> None:
    said = told(MIXED)
    assert cells(said, sums_of(said, ALL), colluders=4) == set(said["unit"])
    assert cells(said, sums_of(said, ALL), colluders=0) == set()


@pytest.mark.parametrize(
    ("up", "down", "is_open"), [(24, 0, False), (25, 0, True), (0, 25, True), (12, 12, False), (12.5, 12.5, True)]
)
def test_room_for_one_answer_protects_against_any_number_of_colluders(up: float, down: float, is_open: bool) -> None:
    said = told((50.0,) * 5)
    found = cells(said, {ALL: Room(n=5, up=up, down=down)}, colluders=4)
    assert found == (set() if is_open else set(said["unit"]))


def test_a_low_answer_is_known_where_no_one_can_make_up_for_a_higher_one() -> None:
    low = told((0.0, 0.0, 0.0, 0.0, 25.0, 25.0))  # at most 50 in all: the first four cannot reach the middle together
    assert cells(low, sums_of(low, ALL, room=0.0), colluders=0) == set()
    alike = told((0.0, 0.0, 0.0, 0.0, 0.0, 25.0))
    assert cells(alike, sums_of(alike, ALL), colluders=0) == set(alike["unit"])


def test_a_withheld_group_is_known_by_the_rest_of_the_programme() -> None:
    said = told((*MIXED, 50.0, 50.0), department="AAAAABB")
    one, whole = key("department", "A"), ALL
    assert cells(said, sums_of(said, one), colluders=1) == set()  # nothing holds B
    assert cells(said, sums_of(said, one, whole), colluders=1) == {"mentee 5", "mentee 6"}  # each to the other


def test_one_place_in_two_attributes_is_known_by_subtraction() -> None:
    said = told((*MIXED, 50.0, *MIXED), department="AAAAAABBBBB", location="LLLLLMMMMMM")
    shown = sums_of(said, key("department", "A"), key("location", "L"), ALL)
    assert cells(said, shown, colluders=0) == {"mentee 5"}  # all of A but them are L


def test_groups_do_not_use_up_more_than_the_programmes_room_together() -> None:
    """Each group could take its part of a higher answer; the programme's sum, which holds all of them, could not."""
    said = told((50.0, 12.5, 0.0, 12.5, 0.0), department="AABCC", location="LMMLN")
    half = [key("department", "A"), key("department", "B"), key("location", "L"), key("location", "N"), ALL]
    exact = [key("department", "C"), key("location", "M")]
    rooms = {each: Room(n=2, up=12.5 if each in half else 0.0, down=0.0) for each in (*half, *exact)}
    assert narrowed(said, rooms, POINTS, ["mentee 0"], 0) == {"mentee 0"}
    assert "mentee 0" in cells(said, rooms, colluders=0)
    roomy = {**rooms, ALL: Room(n=5, up=25.0, down=0.0)}
    assert narrowed(said, roomy, POINTS, ["mentee 0"], 0) == set()
    assert "mentee 0" not in cells(said, roomy, colluders=0)


def test_a_two_way_cell_tells_of_who_is_in_it() -> None:
    said = told(
        (*MIXED, *MIXED, 50.0, *MIXED[::-1], *MIXED), department="A" * 11 + "B" * 10, location="L" * 5 + "M" * 16
    )
    one_way = sums_of(said, key("department", "A"), key("location", "L"), key("location", "M"), ALL, room=200.0)
    cell = Key(metric="trust", view="department × location", group="A × M", side="mentee")
    assert cells(said, one_way, colluders=5) == set()
    assert "mentee 10" in cells(said, {**one_way, cell: Room(n=6, up=0.0, down=0.0)}, colluders=5)


def test_the_model_may_put_a_score_beyond_an_end_and_it_is_judged_all_the_same() -> None:
    said = told((103.0, 101.0, 100.0, -3.0, 50.0))
    assert cells(said, sums_of(said, ALL), colluders=4) == set(said["unit"])
    assert cells(said, sums_of(said, ALL, room=60.0), colluders=4) == set()


def test_people_of_groups_that_are_not_shown_share_one_place() -> None:
    said = told((*MIXED, 0.0), department="AAAAAB")
    on = ground(said, sums_of(said, ALL, key("department", "A")), ["department"])
    assert on.names == (["A", REST], [PROGRAMME])
    assert on.shape == (2, 1)
