"""What is withheld may be told together: the small groups of an attribute as one, or a group over three rounds."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.disclosure import merging
from pipeline.disclosure.coarsen import coarsened
from pipeline.disclosure.crowd import Key
from pipeline.disclosure.gate import Decision, decide
from pipeline.disclosure.rooms import rooms_of
from pipeline.disclosure.rounding import coarse, step_of
from pipeline.disclosure.thresholds import Thresholds
from pipeline.measure import Measurement, measure
from pipeline.metric import Facts, catalogue
from pipeline.run import build
from pipeline.three_rounds import RoundShown, is_due, three_rounds
from tests.pipeline.made_up import facts_of
from tests.pipeline.simulated import simulated
from tests.pipeline.stored import KEY

METRICS = {name: catalogue()[name] for name in ("participation", "trust")}
LIMITS = Thresholds(attributes=("department",))
MANY = {"mentor": 60, "mentee": 60}
SCORES = (25, 50, 75, 100)


def mentees(groups: dict[str, tuple[int, int]], first: int = 0) -> str:
    """Department → how many answered and how many were asked; scores go round."""
    lines, place = [], first
    for group, (answered, asked) in groups.items():
        for k in range(asked):
            score = SCORES[place % len(SCORES)]
            lines.append(f"P{place} mentee trust {score} {group} {'yes' if k < answered else 'no'}")
            place += 1
    return "pairing side construct score department answered\n" + "\n".join(lines)


def measured(text: str) -> tuple[Measurement, dict[Key, float]]:
    facts = facts_of(text)
    answering = facts.invited.loc[facts.invited["has_answered"], "pairing_id"]
    scored = facts.scored[facts.scored["pairing_id"].isin(answering)]
    found = measure(
        Facts(invited=facts.invited, scored=scored), METRICS, attributes=["department"], asked={"trust": {"mentee"}}
    )
    rows = found.measured
    keys = [Key(metric=row.metric, view=row.view, group=row.group, side=row.side) for row in rows.itertuples()]
    return found, dict(zip(keys, rows["se"], strict=True))


def decided(found: Measurement, errors: dict[Key, float]) -> Decision:
    return decide(found.crowds, METRICS, LIMITS, MANY, told=found.told, errors=errors)


def trust(view: str, group: str) -> Key:
    return Key(metric="trust", view=view, group=group, side="mentee")


@pytest.mark.parametrize(
    ("sizes", "merged"),
    [
        ({"north": 20, "south": 12, "east": 3, "west": 4}, {"east + west"}),
        ({"north": 20, "south": 12, "east": 1, "west": 3}, {"east + south + west"}),  # four alone would be too few
        ({"north": 20, "south": 12, "east": 10}, set()),
        ({"north": 3, "south": 4}, set()),  # all of them are the programme
    ],
)
def test_withheld_groups_are_told_as_one_where_enough_people_are_in_it(sizes: dict[str, int], merged: set[str]) -> None:
    found, errors = measured(mentees({group: (n, n + 6) for group, n in sizes.items()}))
    assert {key.group for key in decided(found, errors).merged} == merged


def test_a_merged_group_has_the_mean_of_its_people_in_steps_and_says_how_many() -> None:
    sizes = {"north": (20, 26), "south": (12, 18), "east": (3, 9), "west": (4, 10)}
    found, errors = measured(mentees(sizes))
    decision = decided(found, errors)
    key = trust("department", "east + west")
    each = decision.merged[key]
    assert (len(each.crowd), each.n_asked) == (7, 19)
    told = found.told["trust", "mentee"]
    mean = told.loc[told["department"].isin(["east", "west"]), "value"].mean()
    assert each.mean == pytest.approx(mean)
    rows = merging.rows(decision.merged, found.measured)
    row = coarsened(pd.concat([found.measured, rows], ignore_index=True), found.told).iloc[-1]
    assert row["value"] == coarse(mean, step_of(each.se))
    assert row["low"] < row["value"] < row["high"]
    assert (row["n_mentors"], row["n_mentees"]) == (0, 7)


def test_people_who_all_said_the_same_are_not_told_as_one_either() -> None:
    header, *lines = mentees({"north": (20, 26), "south": (12, 18), "east": (3, 9), "west": (4, 10)}).splitlines()
    told = [line.split() for line in lines]
    same = [" ".join([*row[:3], "0" if row[4] in ("east", "west") else row[3], *row[4:]]) for row in told]
    found, errors = measured("\n".join([header, *same]))
    assert trust("department", "east + west") not in decided(found, errors).merged


# --- three rounds -----------------------------------------------------------------------------------


def round_of(sizes: dict[str, tuple[int, int]], first: int) -> RoundShown:
    found, errors = measured(mentees(sizes, first))
    decision = decided(found, errors)
    shown = {key for key, is_shown in decision.shown.items() if is_shown}
    scores = [key for key in shown if key.metric == "trust"]
    rooms = rooms_of(scores, found.told["trust", "mentee"], METRICS["trust"], errors)
    number = first // 100
    return RoundShown(number=number, told=found.told, crowds=found.crowds, errors=errors, shown=shown, rooms=rooms)


def pooled(*sizes: dict[str, tuple[int, int]]) -> dict[Key, merging.Merged]:
    """Three rounds, each answered by other people."""
    rounds = [round_of(each, 100 * number) for number, each in enumerate(sizes)]
    return dict(three_rounds(rounds, METRICS.values(), LIMITS))


def test_groups_too_small_in_three_rounds_are_told_over_the_three() -> None:
    small = {"north": (4, 20), "south": (4, 20)}
    found = pooled(small, small, small)
    assert set(found) == {trust("department, 3 rounds", "north"), trust("department, 3 rounds", "south")}
    north = found[trust("department, 3 rounds", "north")]
    assert (len(north.crowd), north.n_asked) == (12, 20)
    assert north.mean == pytest.approx(62.5)


def test_a_group_that_a_round_showed_is_not_pooled() -> None:
    small, large = {"north": (4, 20), "south": (4, 20)}, {"north": (12, 20), "south": (12, 20)}
    assert not {key for key in pooled(small, large, small) if "department" in key.view}


def test_a_pool_of_too_few_people_is_no_pool_and_protects_nobody_else() -> None:
    """One of south in three rounds: three people; north's pool and the programme would leave them over."""
    uneven = {"north": (9, 30), "south": (1, 20)}
    assert not {key for key in pooled(uneven, uneven, uneven) if "department" in key.view}


@pytest.mark.parametrize(("n", "is_told"), [(3, False), (4, True)])
def test_a_pool_rests_on_ten_people(n: int, is_told: bool) -> None:
    """Of nine, who answered three times weighs thrice among as few as three."""
    of_n = {"north": (n, 20), "south": (n, 20)}
    assert bool({key for key in pooled(of_n, of_n, of_n) if "department" in key.view}) == is_told


@pytest.mark.parametrize(("n_asked", "is_told"), [(10, False), (11, True)])
def test_a_pool_rests_on_more_who_were_asked_than_ten(n_asked: int, is_told: bool) -> None:
    """A mean over everybody who was asked is told of none."""
    of_n = {"north": (4, n_asked), "south": (4, n_asked)}
    assert bool({key for key in pooled(of_n, of_n, of_n) if "department" in key.view}) == is_told


def test_pools_never_overlap() -> None:
    assert [number for number in range(1, 10) if is_due(number)] == [3, 6, 9]


@pytest.mark.parametrize(("lowest", "is_told"), [(0, False), (50, True)])
def test_groups_are_not_told_as_one_where_four_of_five_could_read_the_fifth(lowest: int, is_told: bool) -> None:
    """East and west: five people, a mean in steps of twelve points. The fifth, at 0, could not have said 50."""
    few = {"east": [lowest, 75], "west": [50, 75, 50]}
    said = {"north": [*[75] * 4, *[25, 50, 75, 100] * 4], "south": [25, 50, 75, 100] * 3, **few}
    rows = [(group, score, "yes") for group, scores in said.items() for score in scores]
    rows += [(group, 50, "no") for group in said for _ in range(4)]
    lines = [f"P{k} mentee trust {score} {group} {answered}" for k, (group, score, answered) in enumerate(rows)]
    found, errors = measured("\n".join(["pairing side construct score department answered", *lines]))
    assert (trust("department", "east + west") in decided(found, errors).merged) == is_told


def test_a_group_whose_name_looks_like_two_is_one_group() -> None:
    """A department "R + D" and a location "Lyon × 2" beside one that is "Lyon": neither is split at its joint."""
    told = simulated(120, ["kickoff"], attributes=("department", "location"))
    place = told.invited["pairing_id"].str[1:].astype(int)
    named = told.invited.assign(
        department=np.where(place % 2, "R + D", "Ops"), location=np.where(place % 4 < 2, "Lyon × 2", "Lyon")
    )
    rows = json.loads(build(replace(told, invited=named), key=KEY))["rows"]
    seen = {(row["view"], row["group"]) for row in rows if row["shown"] and row["view"] not in ("all", "construct")}
    assert {group for view, group in seen if view == "department"} == {"R+D", "Ops"}
    assert ("department × location", "R+D × Lyon×2") in seen
