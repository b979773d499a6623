"""A difference of two shown sums that is called safe tells nobody's answer, by a linear programme over its people."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pipeline.disclosure.difference import Part, Sum, tells, tells_of_comers
from pipeline.disclosure.ground import Room
from tests.pipeline.narrowing import POINTS, is_narrowed

few = settings(max_examples=60, deadline=None, derandomize=True)


ANSWERS = some.one_of(some.sampled_from([0.0, 25.0, 50.0, 75.0, 100.0]), some.floats(-3, 103))
WEIGHTS = some.sampled_from([-2.0, -1.0, 1.0, 1.0, 4.0])


@few
@given(
    some.lists(some.builds(Part, WEIGHTS, ANSWERS), min_size=1, max_size=6),
    some.tuples(some.floats(0, 80), some.floats(0, 80)),
    some.integers(0, 2),
)
def test_whoever_is_not_told_of_cannot_be_narrowed_down(
    parts: list[Part], rooms: tuple[float, float], colluders: int
) -> None:
    assert tells(parts, rooms, POINTS, colluders=colluders) or not is_narrowed(parts, rooms, colluders)


def test_one_person_alone_is_told_of_and_six_are_not() -> None:
    assert tells([Part(1.0, 75.0)], (0.0, 0.0), POINTS, colluders=0)
    assert not tells([Part(1.0, 75.0)], (0.0, 30.0), POINTS, colluders=0)
    assert not tells([Part(1.0, 50.0)] * 6, (0.0, 0.0), POINTS, colluders=4)
    assert tells([Part(1.0, 50.0)] * 5, (0.0, 0.0), POINTS, colluders=4)  # four tell the fifth's


def test_a_low_answer_that_cannot_have_been_higher_is_told_of() -> None:
    low, rooms = [Part(1.0, 0.0), Part(1.0, 30.0)], (0.0, 0.0)
    assert tells(low, rooms, POINTS, colluders=0)
    assert not tells([Part(1.0, 50.0), Part(1.0, 80.0)], rooms, POINTS, colluders=0)


def test_those_who_cancel_are_told_nothing_of() -> None:
    assert not tells([Part(0.0, 20.0)] * 3, (0.0, 0.0), POINTS, colluders=4)
    assert not tells([], (0.0, 0.0), POINTS, colluders=4)


def test_somebody_counted_four_times_needs_four_times_the_room() -> None:
    assert tells([Part(4.0, 50.0)], (0.0, 60.0), POINTS, colluders=0)
    assert not tells([Part(4.0, 50.0)], (0.0, 100.0), POINTS, colluders=0)
    assert tells([Part(-1.0, 30.0)], (60.0, 0.0), POINTS, colluders=0)  # less of them only: a low answer


def a_sum(room: float, **said: float) -> Sum:
    return Sum(said=said, room=Room(n=len(said), up=room, down=room))


STAYING = {"ada": 75.0, "ben": 50.0, "cleo": 25.0, "dan": 50.0, "eve": 75.0}


@pytest.mark.parametrize(("room", "expected"), [(0.0, True), (12.6, False)])
def test_one_who_joins_or_leaves_is_told_of_unless_both_means_leave_room(room: float, expected: bool) -> None:
    before, after = a_sum(room, **STAYING), a_sum(room, **STAYING, finn=50.0)
    assert tells_of_comers(after, before, POINTS, colluders=4) == expected
    assert tells_of_comers(before, after, POINTS, colluders=4) == expected


def test_the_same_people_tell_of_nobody_whatever_they_say_now() -> None:
    assert not tells_of_comers(a_sum(0.0, **STAYING), a_sum(0.0, **{**STAYING, "ada": 0.0}), POINTS, colluders=4)


def test_six_joiners_hide_one_another_from_four() -> None:
    joiners = {f"joiner {k}": 50.0 for k in range(6)}
    before = a_sum(0.0, **STAYING)
    assert not tells_of_comers(a_sum(0.0, **STAYING, **joiners), before, POINTS, colluders=4)
    joiners.pop("joiner 0")
    assert tells_of_comers(a_sum(0.0, **STAYING, **joiners), before, POINTS, colluders=4)


def test_one_who_leaves_when_another_joins_hides_from_everybody_but_the_other() -> None:
    before, after = a_sum(0.0, **STAYING, gail=50.0), a_sum(0.0, **STAYING, finn=50.0)
    assert not tells_of_comers(after, before, POINTS, colluders=0)
    assert tells_of_comers(after, before, POINTS, colluders=1)
