"""The smallest union of people whose sum can be derived is found, exactly as by trying every union."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pipeline.disclosure.unions import smallest

few = settings(max_examples=50, deadline=None, derandomize=True)


def people(*places: int) -> frozenset[str]:
    return frozenset(f"mentee {k}" for k in places)


def rank(rows: Sequence[Sequence[int]]) -> int:
    """Of a matrix of whole numbers, in fractions."""
    left, found = [[Fraction(each) for each in row] for row in rows], 0
    for column in range(len(left[0]) if left else 0):
        pivot = next((k for k in range(found, len(left)) if left[k][column]), None)
        if pivot is None:
            continue
        left[found], left[pivot] = left[pivot], left[found]
        for k in range(found + 1, len(left)):
            times = left[k][column] / left[found][column]
            left[k] = [a - times * b for a, b in zip(left[k], left[found], strict=True)]
        found += 1
    return found


def derives(rows: Sequence[frozenset[str]], union: frozenset[str]) -> bool:
    """Whether the sum over these people follows from the sums over the rows."""
    everybody = sorted(frozenset().union(*rows, union))
    known = [[int(person in row) for person in everybody] for row in rows]
    return rank([*known, [int(person in union) for person in everybody]]) == rank(known)


def atoms(rows: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    by_place: dict[tuple[int, ...], set[str]] = {}
    for person in frozenset().union(*rows):
        by_place.setdefault(tuple(k for k, row in enumerate(rows) if person in row), set()).add(person)
    return [frozenset(each) for each in by_place.values()]


def by_trying(rows: Sequence[frozenset[str]], below: int) -> int | None:
    """How many people the smallest union has that can be derived, below a number of people."""
    each = [atom for atom in atoms(rows) if len(atom) < below]
    unions = [frozenset().union(*some_) for n in range(1, len(each) + 1) for some_ in combinations(each, n)]
    sizes = [len(union) for union in unions if len(union) < below and derives(rows, union)]
    return min(sizes, default=None)


ROWS = some.lists(some.frozensets(some.integers(0, 7), min_size=1), min_size=1, max_size=5)


@few
@given(ROWS, some.integers(2, 6))
def test_the_smallest_union_is_that_of_trying_them_all(places: list[frozenset[int]], below: int) -> None:
    rows = [people(*each) for each in places]
    found = smallest(rows, below=below)
    expected = by_trying(rows, below)
    assert (None if found is None else len(found[0])) == expected
    if found is not None:
        union, sums = found
        assert derives([rows[k] for k in sums], union)


@few
@given(some.lists(some.tuples(some.integers(0, 2), some.integers(0, 3), some.integers(1, 7)), min_size=2, max_size=10))
def test_two_attributes_with_groups_of_any_size(blocks: list[tuple[int, int, int]]) -> None:
    """Groups of two attributes and the programme, people by blocks: what a release with both attributes tells."""
    by_group: dict[tuple[int, int], set[int]] = {(2, 0): set()}
    n = 0
    for first, second, size in blocks:
        block = range(n, n + size)
        n += size
        for place in ((0, first), (1, second), (2, 0)):
            by_group.setdefault(place, set()).update(block)
    rows = [people(*by_group[place]) for place in sorted(by_group)]
    found = smallest(rows, below=5)
    assert (None if found is None else len(found[0])) == by_trying(rows, 5)


def test_what_two_groups_leave_of_the_programme_is_found_with_the_sums_it_takes() -> None:
    rows = [people(*range(20)), people(*range(10)), people(*range(10, 18)), people(*range(5, 15))]
    found = smallest(rows, below=5)
    assert found == (people(18, 19), [0, 1, 2])
    assert smallest(rows, below=2) is None


def test_a_chain_over_both_attributes_is_found() -> None:
    """No group lies within another, and no complement is small: only four sums together leave one person."""
    a, b = people(*range(10)), people(*range(10, 20))
    c, d = people(*range(5), *range(10, 15), 30), people(*range(5, 10), *range(15, 20))
    assert all(len(x - y) != 1 for x in (a, b, c, d) for y in (a, b, c, d))
    found = smallest([a, b, c, d], below=5)
    assert found is not None
    assert found == (people(30), [0, 1, 2, 3])


@pytest.mark.parametrize("n", [5, 6])
def test_five_are_enough(n: int) -> None:
    rows = [people(*range(20)), people(*range(20 - n))]
    assert smallest(rows, below=5) is None
    assert smallest(rows, below=n + 1) == (people(*range(20 - n, 20)), [0, 1])


def test_no_sum_tells_of_nobody() -> None:
    assert smallest([], below=5) is None
