"""Intervals against closed forms, a published table and simulated truth."""

import numpy as np
import pytest
from scipy import stats

from pipeline.estimate import clustered, declared, design_effect, wilson


def test_without_shared_mentors_it_is_the_t_interval() -> None:
    values = np.array([50.0, 75, 100, 25, 75, 75, 50])
    found = clustered(values, np.zeros(7, dtype=int), np.arange(7))
    assert found is not None
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    assert (found.value - found.half_width, found.value + found.half_width) == pytest.approx((low, high))
    assert found.df == pytest.approx(6)


def test_equal_clusters_give_the_t_interval_of_their_means() -> None:
    rng = np.random.default_rng(2)
    groups = rng.normal(60, 10, (8, 1)) + rng.normal(0, 5, (8, 3))
    found = clustered(groups.ravel(), np.zeros(24, dtype=int), np.repeat(np.arange(8), 3))
    assert found is not None
    low, high = stats.ttest_1samp(groups.mean(axis=1), 0).confidence_interval()
    assert (found.value - found.half_width, found.value + found.half_width) == pytest.approx((low, high))


def test_two_parts_count_alike_and_a_mentor_ties_them() -> None:
    """Four mentors, each with one mentee who says exactly the same: both carries one answer's information."""
    values = np.array([20.0, 40, 60, 80])
    alone = clustered(values, np.zeros(4, dtype=int), np.arange(4))
    both = clustered(np.tile(values, 2), np.repeat([0, 1], 4), np.tile(np.arange(4), 2))
    assert alone is not None
    assert both is not None
    assert (both.value, both.se, both.df) == pytest.approx((alone.value, alone.se, alone.df))


def test_one_mentor_for_everyone_gives_no_interval() -> None:
    assert clustered(np.array([1.0, 2.0]), np.zeros(2, dtype=int), np.zeros(2, dtype=int)) is None


def test_coverage_with_shared_mentors_where_the_naive_interval_misses() -> None:
    rng = np.random.default_rng(7)
    sizes = rng.integers(1, 5, 25)
    clusters = np.repeat(np.arange(25), sizes)
    hits, naive = [], []
    for _ in range(1500):
        values = 60 + rng.normal(0, 15, 25)[clusters] + rng.normal(0, 8, len(clusters))
        found = clustered(values, np.zeros(len(values), dtype=int), clusters)
        assert found is not None
        hits.append(abs(found.value - 60) <= found.half_width)
        low, high = stats.ttest_1samp(values, 0).confidence_interval()
        naive.append(low <= 60 <= high)
    assert stats.binomtest(sum(hits), len(hits), 0.95).pvalue > 0.001
    assert np.mean(naive) < 0.82


def test_sharing_a_mentor_widens_and_never_narrows() -> None:
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(30), 4)
    tied = rng.normal(0, 10, 30)[clusters] + rng.normal(0, 1, 120)
    assert design_effect(tied - tied.mean(), clusters) == pytest.approx(4, rel=0.2)
    opposed = np.tile([1.0, -1.0, 1.0, -1.0], 30)
    assert design_effect(opposed, clusters) == 1.0


def test_a_declared_spread_shows_the_number_of_people_and_nothing_else() -> None:
    found = declared(70.0, np.array([10.0]), 25.0)
    assert (found.value, found.half_width) == pytest.approx((70.0, 1.959964 * 25 / np.sqrt(10)))
    both = declared(70.0, np.array([10.0, 40.0]), 25.0)
    assert both.se == pytest.approx(25 / 2 * np.sqrt(1 / 10 + 1 / 40))


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_newcombe_prints_it(count: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17:857, table I, method 3."""
    assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)
