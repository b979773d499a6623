"""Numbers that give one person away although five stand behind each: nested groups, bounds, one mentor's mentees."""

from collections.abc import Mapping

import pytest

from pipeline.disclosure.crowd import Crowd, Key
from pipeline.disclosure.gate import decide
from pipeline.disclosure.thresholds import DEFAULT
from pipeline.measure import measure
from pipeline.metric import catalogue
from tests.pipeline.made_up import facts_of

TRUST = catalogue()["trust"]
MANY = {"mentor": 60, "mentee": 60}
ASKED = {"trust": {"mentor", "mentee"}}


def mentees(*places: int) -> Crowd:
    return Crowd(mentees=frozenset(f"mentee {k}" for k in places), guides=frozenset(f"mentor {k}" for k in places))


def shown(crowds: Mapping[tuple[str, str], Crowd]) -> set[tuple[str, str]]:
    keyed = {
        Key(metric="trust", view=view, group=group, side="mentee"): crowd for (view, group), crowd in crowds.items()
    }
    decided = decide(keyed, {"trust": TRUST}, DEFAULT, MANY, told={}, errors={}).shown
    return {(key.view, key.group) for key, is_shown in decided.items() if is_shown}


@pytest.mark.parametrize(("n_lyon", "is_shown"), [(6, True), (7, False), (10, False), (11, True)])
def test_a_place_inside_a_department_may_not_differ_from_it_by_one(n_lyon: int, is_shown: bool) -> None:
    """Sales has 11 people; the n_lyon of Lyon all belong to it. Sales minus Lyon is then 11 − n_lyon people."""
    found = shown(
        {
            ("all", "all"): mentees(*range(40)),
            ("department", "Sales"): mentees(*range(11)),
            ("department", "Research"): mentees(*range(11, 40)),
            ("location", "Lyon"): mentees(*range(n_lyon)),
            ("location", "Leipzig"): mentees(*range(n_lyon, 40)),
        }
    )
    assert {("department", "Sales"), ("department", "Research")} <= found
    assert (("location", "Lyon") in found) == is_shown


@pytest.mark.parametrize(("n_mentors", "is_shown"), [(1, False), (2, False), (3, True), (6, True)])
def test_the_mentees_of_one_mentor_are_no_group(n_mentors: int, is_shown: bool) -> None:
    few = [f"P{k} mentee trust {25 * (k % 5)} m{k % n_mentors} A" for k in range(6)]
    lines = [*few, *(f"P{k} mentee trust {25 * (k % 5)} m{k} B" for k in range(6, 24))]
    found = measure_trust("pairing side construct score mentor department", lines)
    assert (("department", "A") in shown(found)) == is_shown


@pytest.mark.parametrize(
    ("scores", "is_shown"),
    [
        ((0, 0, 0, 0, 25), False),  # mean 5: nobody of the five can have said more than 25
        ((100, 100, 100, 100, 75), False),
        ((0, 0, 25, 25, 50), True),
        ((0, 0, 0, 0, 100), True),
    ],
)
def test_a_mean_that_its_bounds_make_everyones_answer_is_withheld(scores: tuple[int, ...], is_shown: bool) -> None:
    few = [f"P{k} mentee trust {score} A" for k, score in enumerate(scores)]
    lines = [*few, *(f"P{k} mentee trust {25 * (k % 5)} B" for k in range(5, 25))]
    assert (("department", "A") in shown(measure_trust("pairing side construct score department", lines))) == is_shown


def measure_trust(header: str, lines: list[str]) -> dict[tuple[str, str], Crowd]:
    facts = facts_of("\n".join([header, *lines]))
    measured = measure(facts, {"trust": TRUST}, attributes=("department",), asked=ASKED)
    return {(key.view, key.group): crowd for key, crowd in measured.crowds.items() if key.side == "mentee"}
