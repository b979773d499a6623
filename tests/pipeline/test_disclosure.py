"""The gate: small cells, complements, unanimity, resting numbers, tiny programmes, rounding."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from data.errors import RapportError
from pipeline.disclosure.crowd import Crowd, Key, together
from pipeline.disclosure.gate import decide
from pipeline.disclosure.rounding import in_steps, rounded
from pipeline.disclosure.thresholds import DEFAULT, thresholds
from pipeline.metric import Metric, catalogue

MANY = {"mentor": 60, "mentee": 60}
TRUST, PARTICIPATION = catalogue()["trust"], catalogue()["participation"]


def people(side: str, group: str, n: int) -> frozenset[str]:
    return frozenset(f"{side} {k} of {group}" for k in range(n))


def crowds(
    metric: Metric, sizes: Mapping[str, tuple[int, int]], ends: Mapping[str, int] | None = None
) -> dict[Key, Crowd]:
    """One metric's crowds from groups of (mentors, mentees), with the programme row that they make up."""
    groups = {
        group: Crowd(
            mentors=people("mentor", group, mentors),
            mentees=people("mentee", group, mentees),
            end=(ends or {}).get(group, 0),
        )
        for group, (mentors, mentees) in sizes.items()
    }
    whole = {("all", "all"): replace(together(groups.values()), end=0)}
    found = {**whole, **{("department", group): crowd for group, crowd in groups.items()}}
    only = {"mentor": {"mentees": frozenset()}, "mentee": {"mentors": frozenset()}, "both": {}}
    return {
        Key(metric=metric.id, view=view, group=group, side=side): replace(crowd, **only[side])
        for (view, group), crowd in found.items()
        for side in metric.sides
    }


def shown(
    sizes: Mapping[str, tuple[int, int]],
    *,
    side: str = "mentee",
    metric: Metric = TRUST,
    ends: Mapping[str, int] | None = None,
    respondents: Mapping[str, int] = MANY,
) -> set[str]:
    """The groups (and "all") whose number of this side is shown."""
    decided = decide(crowds(metric, sizes, ends), {metric.id: metric}, DEFAULT, respondents, told={}, errors={}).shown
    return {key.group for key, is_shown in decided.items() if is_shown and key.side == side}


def test_a_group_needs_five_distinct_people_on_the_side_that_feeds_it() -> None:
    sizes = {"north": (9, 12), "south": (9, 12), "east": (9, 3), "west": (9, 4)}
    assert shown(sizes) == {"all", "north", "south"}
    assert shown(sizes, side="mentor") == {"all", "north", "south", "east", "west"}
    assert shown(sizes, side="both") == {"all", "north", "south"}


def test_a_lone_small_group_takes_the_next_smallest_with_it() -> None:
    assert shown({"north": (0, 20), "south": (0, 12), "east": (0, 7), "west": (0, 2)}) == {"all", "north", "south"}


def test_withheld_groups_that_protect_one_another_take_no_other_with_them() -> None:
    assert shown({"north": (0, 20), "south": (0, 12), "east": (0, 3), "west": (0, 2)}) == {"all", "north", "south"}


def test_a_group_nobody_answered_in_is_withheld_and_needs_no_company() -> None:
    assert shown({"north": (0, 20), "south": (0, 12), "west": (0, 0)}) == {"all", "north", "south"}


def test_two_groups_of_which_one_is_small_show_neither() -> None:
    assert shown({"north": (0, 40), "west": (0, 4)}) == {"all"}


@pytest.mark.parametrize("end", [-1, 1])
def test_people_who_all_said_the_same_end_are_not_shown_nor_left_over(end: int) -> None:
    sizes = {"north": (0, 20), "south": (0, 12), "east": (0, 8)}
    assert shown(sizes, ends={"east": end}) == {"all", "north"}


def test_both_is_withheld_where_one_of_its_sides_is() -> None:
    sizes = {"north": (20, 20), "south": (20, 12), "east": (6, 7), "west": (2, 9)}
    assert shown(sizes, side="mentor") == {"all", "north", "south"}
    assert shown(sizes, side="mentee") == {"all", "north", "south", "east", "west"}
    assert shown(sizes, side="both") == {"all", "north", "south"}


def test_under_ten_respondents_a_side_has_no_score_and_still_has_participation() -> None:
    sizes = {"north": (9, 20), "south": (0, 20)}
    few = {"mentor": 9, "mentee": 40}
    assert shown(sizes, side="mentor", respondents=few) == set()
    assert shown(sizes, side="both", respondents=few) == set()
    assert shown(sizes, side="mentee", respondents=few) == {"all", "north", "south"}
    assert shown(sizes, side="mentor", metric=PARTICIPATION, respondents=few) == {"all"}


def test_participation_of_a_group_is_shown_only_where_its_trust_is() -> None:
    together_ = {**crowds(TRUST, {"north": (0, 20), "south": (0, 12), "east": (0, 3)})}
    together_ |= crowds(PARTICIPATION, {"north": (0, 30), "south": (0, 20), "east": (0, 20)})
    metrics = {"participation": PARTICIPATION, "trust": TRUST}
    decided = decide(together_, metrics, DEFAULT, MANY, told={}, errors={}).shown
    by_metric = {
        metric: {key.group for key, yes in decided.items() if yes and key.metric == metric and key.side == "mentee"}
        for metric in metrics
    }
    assert by_metric == {"trust": {"all", "north"}, "participation": {"all", "north"}}


def test_staying_needs_twenty() -> None:
    staying = catalogue()["staying"]
    assert shown({"north": (0, 19)}, metric=staying) == set()
    assert "all" in shown({"north": (0, 20)}, metric=staying)


@given(some.lists(some.integers(0, 14), min_size=2, max_size=9))
def test_no_subtraction_ever_leaves_one_to_four_people(sizes: list[int]) -> None:
    groups = {f"g{k}": (0, n) for k, n in enumerate(sizes)}
    seen = shown(groups)
    left = sum(n for k, n in enumerate(sizes) if f"g{k}" not in seen)
    assert "all" not in seen or left == 0 or left >= 5
    assert all(groups[group][1] >= 5 for group in seen - {"all"})


def test_thresholds_may_be_raised_and_never_lowered() -> None:
    raised = thresholds({"attributes": ["department"], "score_n": 8, "staying_n": 30, "comment_n": 12})
    assert (raised.attributes, raised.score_n, raised.staying_n) == (("department",), 8, 30)
    assert (raised.least(5), raised.least(20)) == (8, 30)
    assert thresholds({}) == DEFAULT
    for bad in ({"score_n": 4}, {"staying_n": 19}, {"two_way_n": 9}, {"score_n": True}, {"score_n": "5"}):
        with pytest.raises(RapportError, match="it may only be raised"):
            thresholds(bad)
    for bad_attributes in (["name"], ["grade", "cohort", "location"], ["grade", "grade"]):
        with pytest.raises(RapportError, match="at most 2 of"):
            thresholds({"attributes": bad_attributes})


@pytest.mark.parametrize(
    ("given_", "unit", "expected"),
    [
        ((72.4567, 68.12, 76.79), "points", (72, 68, 77)),
        ((72.4567, 71.62, 73.29), "points", (72.5, 71.6, 73.3)),
        ((99.0, 93.0, 105.0), "points", (99, 93, 100)),
        ((2.5, -6.5, 11.5), "points", (3, 0, 12)),
        ((0.6917, 0.604, 0.767), "share", (0.69, 0.60, 0.77)),
    ],
)
def test_a_number_is_rounded_to_what_its_interval_supports(
    given_: tuple[float, float, float], unit: str, expected: tuple[float, float, float]
) -> None:
    scale = (0.0, 1.0) if unit == "share" else (0.0, 100.0)
    assert rounded(*given_, unit=unit, scale=scale) == expected


def test_a_signed_gap_is_rounded_alike_on_both_sides_of_zero() -> None:
    assert rounded(-2.5, -9.0, 4.0, unit="points", scale=(-100.0, 100.0)) == (-3, -9, 4)
    assert str(rounded(-0.2, -9.0, 8.6, unit="points", scale=(-100.0, 100.0))[0]) == "0.0"


def test_counts_are_shown_in_steps_of_five_rounded_down() -> None:
    assert [in_steps(n) for n in (0, 4, 5, 9, 10, 119)] == [0, 0, 5, 5, 10, 115]
