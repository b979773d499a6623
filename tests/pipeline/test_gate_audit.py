"""What goes first where something must go, and what comes back once it is gone."""

from collections.abc import Iterable

import pandas as pd
import pytest

from pipeline.disclosure.audit import Auditor, one_way
from pipeline.disclosure.crowd import PROGRAMME, TWO_WAY, Key
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import Scale
from pipeline.disclosure.rooms import members

POINTS = Scale(0.0, 100.0, 25.0, 50.0)
SCORES = (0.0, 25.0, 50.0, 75.0, 100.0)
NAMES = ("department", "location")


def key(view: str, group: str) -> Key:
    return Key(metric="trust", view=view, group=group, side="mentee")


ALL = key(PROGRAMME, PROGRAMME)


def dept(name: str) -> Key:
    return key("department", name)


def place(name: str) -> Key:
    return key("location", name)


def cell(department: str, location: str) -> Key:
    return key(TWO_WAY.join(NAMES), TWO_WAY.join((department, location)))


def told(blocks: dict[str, int], score: float | None = None) -> pd.DataFrame:
    """People by "department location", answers of all kinds (or one)."""
    rows = []
    for block, n in blocks.items():
        rows += [
            {
                "unit": f"{block} {k}",
                **dict(zip(NAMES, block.split(), strict=False)),
                "value": SCORES[k % 5] if score is None else score,
            }
            for k in range(n)
        ]
    return pd.DataFrame(rows)


def rooms(said: pd.DataFrame, keys: Iterable[Key], each: float) -> dict[Key, Room]:
    """Every number's room: `each` points a person behind it, up and down."""
    n = {one: int(members(said, one).sum()) for one in keys}
    return {one: Room(n=size, up=each * size, down=each * size) for one, size in n.items()}


def auditor(said: pd.DataFrame, *, least: int | None = 5, colluders: int = 4) -> Auditor:
    return Auditor(told=said, scale=POINTS, least=least, colluders=colluders)


def kept(said: pd.DataFrame, keys: Iterable[Key], *, each: float = 12.5, **more: int | None) -> set[Key]:
    return set(auditor(said, **more).kept(rooms(said, keys, each)))


BOTH = told({"Sales Lyon": 20, "Sales Bern": 15, "Research Lyon": 16, "Research Bern": 18})
EVERYTHING = [ALL, dept("Sales"), dept("Research"), place("Lyon"), place("Bern"), cell("Sales", "Lyon")]


def test_where_all_is_well_all_is_kept() -> None:
    assert kept(BOTH, EVERYTHING) == set(EVERYTHING)


def test_a_two_way_number_goes_before_any_one_way_one() -> None:
    """Sales × Lyon and Sales leave two people of Sales × Bern: the cell goes, although it is larger than others."""
    said = told({"Sales Lyon": 30, "Sales Bern": 2, "Research Lyon": 9, "Research Bern": 18})
    assert kept(said, EVERYTHING) == set(EVERYTHING) - {cell("Sales", "Lyon")}


def test_the_smaller_of_two_groups_goes_first() -> None:
    said = told({"Sales Lyon": 24, "Research Lyon": 12, "Research Bern": 3, "Sales Bern": 6})
    shown = [ALL, dept("Sales"), place("Lyon"), place("Bern"), dept("Research")]
    nested = told({"A L": 10, "A M": 2, "B M": 30})
    assert kept(said, shown) == set(shown)
    assert kept(nested, [ALL, dept("A"), place("L")]) == {ALL, dept("A")}  # A without L is two people


def test_what_was_dropped_comes_back_where_something_else_was_at_fault() -> None:
    """Of A, both its cells leave two people; of M, both its cells leave three. One number is in both."""
    said = told({"A L": 10, "A M": 12, "A N": 2, "B L": 20, "B M": 30, "B N": 20, "C L": 20, "C M": 3, "C N": 20})
    groups = [ALL, *map(dept, "ABC"), *map(place, "LMN")]
    smallest, middle, largest = cell("A", "L"), cell("A", "M"), cell("B", "M")
    assert kept(said, [*groups, smallest, middle]) == {*groups, middle}  # the smaller of two
    assert kept(said, [*groups, smallest, middle, largest]) == {*groups, smallest, largest}


def test_nothing_more_can_be_added_to_what_is_kept() -> None:
    said = told({"A L": 7, "A M": 3, "B L": 4, "B M": 9, "C L": 12, "C M": 6})
    keys = [ALL, *map(dept, "ABC"), *map(place, "LM"), *(cell(a, b) for a in "ABC" for b in "LM")]
    found = kept(said, keys, each=6.0)
    assert ALL in found
    ours = auditor(said)
    assert not ours.suspects(rooms(said, found, 6.0))
    for more in set(keys) - found:
        needs = all(needed in found for needed in one_way(more))
        assert not needs or ours.suspects(rooms(said, found | {more}, 6.0))


def test_a_two_way_number_does_not_stay_without_both_its_groups() -> None:
    said = told({"Sales Lyon": 20, "Sales Bern": 25, "Research Lyon": 16, "Research Bern": 18, "Research Nice": 2})
    assert kept(said, EVERYTHING) == set(EVERYTHING) - {place("Lyon"), cell("Sales", "Lyon")}  # Nice has two people


def test_the_programme_goes_last_and_takes_everything_with_it() -> None:
    few = told({"A L": 5, "B L": 5})
    assert kept(few, [ALL], each=0.0) == {ALL}  # nine others can make up for anybody, four of them colluding
    assert kept(told({"A L": 5}), [ALL], each=0.0) == set()  # four tell the fifth's
    both = kept(few, [ALL, dept("A"), dept("B")], each=0.0)
    assert both == {ALL}  # each group of five is open to its own four


@pytest.mark.parametrize("n", [2, 5])
def test_alone_in_the_programme_groups_go_whatever_their_order(n: int) -> None:
    said = told({f"{name} L": n for name in "AB"})
    assert kept(said, [dept("B"), dept("A")], each=0.0) == set()


def test_counts_in_steps_are_not_held_to_whole_sums() -> None:
    said = told({"Sales Lyon": 20, "Sales Bern": 2})
    nested = [ALL, dept("Sales"), place("Lyon")]
    only_lyon = kept(said, nested, least=None, each=25.0)
    assert only_lyon == set(nested)
    assert kept(said, nested, each=25.0) == {ALL, dept("Sales")}


def test_fewer_colluders_keep_more() -> None:
    said = told({"A L": 6, "B L": 30})
    assert kept(said, [ALL, dept("A"), dept("B")], each=1.0) == {ALL}
    assert kept(said, [ALL, dept("A"), dept("B")], each=1.0, colluders=0) == {ALL, dept("A"), dept("B")}


def test_the_two_one_way_numbers_of_a_two_way_one() -> None:
    assert list(one_way(cell("Sales", "Lyon"))) == [dept("Sales"), place("Lyon")]
    assert not list(one_way(dept("Sales")))
    assert not list(one_way(ALL))
