"""Steps never exceed what they may, and no count, share or width tells that everybody is among them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pipeline.disclosure.rounding import (
    COARSEST,
    NORMAL,
    STEP,
    coarse,
    error_step,
    half_width_in_steps,
    in_steps,
    in_steps_of_error,
    share_range,
    step_of,
    told_count,
)

many = settings(max_examples=300, deadline=None, derandomize=True)
ERRORS = some.floats(0.1, 60)
NUMBERS = some.floats(-100, 100)
HAIR = 1e-6


@many
@given(ERRORS)
def test_a_step_is_at_most_the_error_and_never_much_finer(se: float) -> None:
    step = step_of(se)
    assert step <= se
    assert step == COARSEST or step > se / 2.5 - HAIR
    assert step in (0.1, 0.2, 0.5) or step == int(step)


@pytest.mark.parametrize(
    ("se", "step"), [(0.01, 0.1), (0.1, 0.1), (0.19, 0.1), (0.2, 0.2), (0.99, 0.5), (1, 1), (4.9, 4), (80, 20)]
)
def test_steps_by_error(se: float, step: float) -> None:
    assert step_of(se) == step


@many
@given(NUMBERS, ERRORS)
def test_a_mean_is_told_as_a_whole_multiple_within_half_a_step(value: float, se: float) -> None:
    step = step_of(se)
    told = coarse(value, step)
    assert abs(told - value) <= step / 2 + HAIR
    assert told / step == pytest.approx(round(told / step), abs=HAIR)
    assert coarse(told, step) == pytest.approx(told, abs=HAIR)
    assert coarse(-value, step) == -told


@many
@given(some.integers(0, 400))
def test_a_step_of_five_holds_five_counts(count: int) -> None:
    assert in_steps(count) % STEP == 0
    assert 0 <= count - in_steps(count) < STEP


@many
@given(some.integers(0, 400), some.integers(0, 400))
def test_of_those_asked_so_many_are_told_to_have_answered_as_their_share_says(n: int, silent: int) -> None:
    count = max(n - silent, 0)
    told = told_count(count, n)
    assert told <= count
    assert told == count or count > STEP  # a few are told as they are; below five nothing is told of them
    full_house, with_an_empty_chair = (in_steps(told_count(each, n)) for each in (n, n - 1))
    assert n <= STEP or full_house == with_an_empty_chair
    assert count < STEP or in_steps(told) == max(share_range(count, n)[0], STEP)


@many
@given(some.integers(1, 400), some.data())
def test_shares_are_told_in_ranges_of_at_least_five_counts_of_which_none_is_only_everybody(
    n: int, data: some.DataObject
) -> None:
    count = data.draw(some.integers(0, n))
    low, high = share_range(count, n)
    assert 0 <= low <= count <= high <= n
    assert high - low + 1 >= min(STEP, n + 1)
    assert {share_range(each, n) for each in range(low, high + 1)} == {(low, high)}
    assert share_range(n, n) == share_range(max(n - STEP + 1, 0), n)  # a full house looks like four empty chairs


@many
@given(NUMBERS, some.floats(0.05, 60))
def test_a_number_in_steps_of_its_error_has_a_wider_interval(value: float, half: float) -> None:
    step = error_step(value - half, value + half)
    told, low, high = in_steps_of_error(value, value - half, value + half)
    assert abs(told - value) <= step / 2 + HAIR
    assert told / step == pytest.approx(round(told / step), abs=HAIR)
    finer = step_of(step / 2)
    assert (high - low) / 2 >= math.sqrt(half**2 + NORMAL**2 * step**2 / 12) - finer / 2 - HAIR
    assert high - told == pytest.approx(told - low, abs=HAIR)


@many
@given(NUMBERS, some.floats(-0.4, 0.4), some.floats(1, 60))
def test_nothing_below_the_step_is_told(value: float, within: float, half: float) -> None:
    """Two numbers of one step are told alike, interval and all."""
    step = error_step(0, 2 * half)
    middle = coarse(value, step)
    moved = middle + within * step
    assert in_steps_of_error(moved, moved - half, moved + half) == pytest.approx(
        in_steps_of_error(middle, middle - half, middle + half), abs=HAIR
    )


def test_a_number_without_an_interval_is_a_whole_one() -> None:
    assert in_steps_of_error(3.49, 3.49, 3.49) == (3.0, 3.0, 3.0)


@many
@given(some.floats(0.0, 60), ERRORS)
def test_a_width_is_told_in_quarter_steps_rounded_up_and_is_never_nothing(half: float, se: float) -> None:
    step = step_of(se)
    finer = step_of(step / 4)
    told = half_width_in_steps(half, step)
    assert told >= finer
    assert told / finer == pytest.approx(round(told / finer), abs=HAIR)
    assert -HAIR <= told - half <= finer + HAIR
