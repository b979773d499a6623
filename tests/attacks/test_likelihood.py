"""A release makes guessing who answered low hardly easier than the groups' own numbers do; a plain threshold much."""

import numpy as np
import pytest

from tests.attacks import likelihood

SEED = 11
SHORT = ("alike", "nested", "shared mentors")


@pytest.mark.xdist_group("likelihood")
def test_a_release_makes_the_guess_hardly_better_than_the_groups_own_numbers() -> None:
    found = likelihood.gains(2, SEED, kinds=SHORT)
    assert likelihood.too_much(found, surely=True) == []
    judged = [each for each in found if each.over == "groups"]
    assert len(judged) == len(SHORT)
    assert all(np.isfinite([each.gain, each.se]).all() and each.auc > 0.5 for each in judged)


def test_a_plain_threshold_makes_the_guess_much_better() -> None:
    found = likelihood.gains(5, SEED, kinds=SHORT, publish=likelihood.of_plain_threshold)
    over = likelihood.too_much(found, surely=True)
    assert len(over) >= 2
    assert min(each.gain for each in over) > likelihood.AT_MOST + 0.03


def test_the_curve_counts_ties_as_half_and_nobody_to_compare_as_blind() -> None:
    is_low = np.array([True, False, True, False])
    assert likelihood.area(is_low, np.array([10.0, 20.0, 10.0, 10.0])) == 0.75
    assert likelihood.area(is_low, np.full(4, 50.0)) == 0.5
    assert likelihood.area(np.array([True, True]), np.array([1.0, 2.0])) == 0.5
