"""Small groups are merged, the smallest first, until every one has sixteen invited a side; and it is said how."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.decisions import group_of, settled
from pipeline.grouping import LEAST_INVITED, propose


def asked(sizes: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """Department → (mentors, mentees), each in a pairing of their own."""
    rows = [
        {"person_id": f"{department}-{side}-{k}", "side": side, "department": department}
        for department, n in sizes.items()
        for side, count in zip(("mentor", "mentee"), n, strict=True)
        for k in range(count)
    ]
    return pd.DataFrame(rows, columns=["person_id", "side", "department"])


def told(sizes: dict[str, tuple[int, int]]) -> list[tuple[str, int, int]]:
    return [(group.name, group.mentors, group.mentees) for group in propose(asked(sizes), "department").groups]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"A": (20, 30), "B": (16, 16)}, [("A", 20, 30), ("B / others", 16, 16)]),
        ({"A": (20, 30), "B": (10, 30), "C": (6, 9)}, [("A", 20, 30), ("B / C / others", 16, 39)]),
        ({"A": (20, 30), "B": (16, 16), "": (16, 20)}, [("A", 20, 30), ("", 16, 20), ("B", 16, 16)]),
        ({"A": (20, 30), "B": (12, 12), "": (4, 4)}, [("A", 20, 30), ("B / others", 16, 16)]),
        ({"A": (20, 30), "B": (15, 40)}, [("everyone", 35, 70)]),
        ({"A": (8, 8)}, [("A / others", 8, 8)]),
        (dict.fromkeys("ABCDEFGHI", (4, 4)), [("A / B / 3 more", 20, 20), ("C / D / 2 more / others", 16, 16)]),
    ],
)
def test_the_smallest_are_merged_first(sizes: dict[str, tuple[int, int]], expected: list[tuple[str, int, int]]) -> None:
    assert sorted(told(sizes)) == sorted(expected)


def test_whoever_is_in_two_merged_groups_counts_once() -> None:
    """One mentor of two departments, as can be with cohorts."""
    rows = asked({"A": (15, 20), "B": (1, 20), "C": (30, 30)})
    rows.loc[rows["person_id"] == "B-mentor-0", "person_id"] = "A-mentor-0"
    (merged,) = [group for group in propose(rows, "department").groups if "A" in group.values]
    assert (merged.values, merged.mentors) == (("A", "B", "C"), 45)


def test_the_proposal_can_be_kept_and_gives_everybody_a_group() -> None:
    found = propose(asked({"A": (20, 30), "B": (10, 30), "C": (6, 9)}), "department")
    groups = settled({"groups": {"department": found.mapping}})["groups"]
    assert [group_of(groups, "department", each) for each in ("A", "C", "New", "")] == [
        "A", "B / C / others", "B / C / others", "B / C / others",
    ]  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(["", *"ABCDEFGHIJ"]), st.tuples(*[st.integers(0, 40)] * 2), min_size=1))
def test_every_group_is_large_enough_or_alone_and_nobody_is_lost(sizes: dict[str, tuple[int, int]]) -> None:
    rows = asked({name: n for name, n in sizes.items() if sum(n)} or {"A": (1, 1)})
    found = propose(rows, "department")
    shuffled = propose(rows.sample(frac=1, random_state=1), "department")
    assert found == shuffled
    assert len(found.groups) == 1 or min(group.smaller_side for group in found.groups) >= LEAST_INVITED
    assert sorted(value for group in found.groups for value in group.values) == sorted(rows["department"].unique())
    assert sum(group.mentors + group.mentees for group in found.groups) == len(rows)
    assert len({group.name for group in found.groups}) == len(found.groups)
