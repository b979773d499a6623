"""Change, growth and time to goals show nothing below twenty people a side, and tell nobody's answer."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pipeline.disclosure.crowd import WITHHELD
from pipeline.evidence.finding import OTHER_CONSTRUCTS
from pipeline.ingest import Inputs
from pipeline.run import build
from tests.pipeline.made_rounds import Truth, people, programme, rated_goals
from tests.pipeline.simulated import simulated
from tests.pipeline.stored import KEY

OVER_ROUNDS = (
    "changed_up", "changed_down", "reliable_change", "growth_slope", "growth_together", "goal_weeks",
    "goals_in_26_weeks",
)  # fmt: skip
ABOUT = ("changed", "course", "milestones")
Row = dict[str, object]


@cache
def tapped(n: int) -> np.ndarray:
    return Truth(people(np.random.default_rng(3), n, 6)).answers(np.random.default_rng(1))


def of(answers: np.ndarray) -> Inputs:
    ratings, goals = rated_goals([2, 3, 0, 4] * (len(answers) // 4) + [0] * (len(answers) % 4), answers.shape[2])
    return replace(programme(answers), goal_ratings=ratings, goals=goals)


def told(inputs: Inputs) -> tuple[list[Row], set[tuple[str, str]]]:
    content = json.loads(build(inputs, key=KEY))
    verdicts = {(each["about"], each["verdict"]) for each in content["manifest"]["verdicts"] if each["about"] in ABOUT}
    return [row for row in content["rows"] if row["metric"] in OVER_ROUNDS], verdicts


def test_nineteen_people_a_side_show_nothing_and_twenty_do() -> None:
    few, enough = told(of(tapped(20)[:19])), told(of(tapped(20)))
    assert {row["reason"] for row in few[0]} == {WITHHELD}
    assert all(row["value"] is row["low"] is row["high"] is row["n"] is None for row in few[0])
    assert few[1] == {("changed", "too_early"), ("course", "too_early"), ("milestones", "too_few")}
    assert {row["metric"] for row in enough[0] if row["shown"]} == set(OVER_ROUNDS)
    assert ("changed", "no_clear_change") in enough[1]
    keys = [[(row["metric"], row["group"], row["side"]) for row in rows] for rows, _ in (few, enough)]
    assert keys[0] == keys[1]


def test_what_one_person_says_is_in_no_row_of_nineteen() -> None:
    """Ben alone says 1 or 5 throughout: not a byte differs."""
    said = []
    for value in (1, 5):
        answers = tapped(20)[:19].copy()
        answers[7, 1] = value
        said.append(told(of(answers)))
    assert said[0] == said[1]


def test_twenty_who_answered_but_nineteen_who_did_before_show_no_change() -> None:
    """One of twenty is here for the second time only: the level is shown, the share of people who changed is not."""
    silent = np.zeros((20, 2, 6), dtype=bool)
    silent[0, 1, :4] = True
    rows, _ = told(programme(tapped(20), is_silent=silent))
    shown = {
        (str(row["metric"]), row["side"]) for row in rows if row["shown"] and str(row["metric"]) in OVER_ROUNDS[:2]
    }
    assert shown == {("changed_up", "mentor"), ("changed_down", "mentor")}


def test_shares_of_people_are_told_in_steps_of_five() -> None:
    answers = tapped(20).copy()
    answers[:3, 1, :-1], answers[:3, 1, -1] = 5, 1  # three people fall as far as the scale goes
    rows, _ = told(of(answers))
    shown = [row for row in rows if row["metric"] in OVER_ROUNDS[:2] and row["shown"]]
    assert {row["value"] for row in shown} <= {0.0, 0.25, 0.5}
    assert {row["n"] for row in shown} == {15}  # 20 of 20, never told that all answered


def test_evidence_over_rounds_rests_on_the_shown_score() -> None:
    """All mentees say 1 on trust in this round: its mean is withheld, and so is who changed towards it."""
    answers = tapped(20).copy()
    answers[:, 1, -1, :2] = 1
    rows, _ = told(of(answers))
    shown = {(row["metric"], row["group"], row["side"]) for row in rows if row["shown"]}
    assert not {key for key in shown if key[1] == "trust" and key[2] != "mentor"}
    assert ("changed_up", "trust", "mentor") in shown
    assert ("growth_slope", "trust", "mentor") not in shown  # one model of both sides
    assert ("changed_up", "goals", "mentee") in shown


def test_row_order_changes_no_byte() -> None:
    inputs = of(tapped(20))
    names = ("answers", "invited", "goal_ratings", "goals")
    shuffled = {name: getattr(inputs, name).sample(frac=1.0, random_state=7).reset_index(drop=True) for name in names}
    assert build(replace(inputs, **shuffled), key=KEY) == build(inputs, key=KEY)


@pytest.mark.parametrize("reached_in", [[2] * 20, [0] * 20])
def test_goals_that_are_all_reached_or_all_open_tell_it_of_each(reached_in: list[int]) -> None:
    ratings, goals = rated_goals(reached_in, 6)
    rows, verdicts = told(replace(programme(tapped(20)), goal_ratings=ratings, goals=goals))
    assert not any(row["shown"] for row in rows if str(row["metric"]).startswith("goal"))
    assert ("milestones", "too_few") in verdicts


def test_what_a_rotation_withholds_stands_in_one_row_a_metric_and_side() -> None:
    content = json.loads(build(simulated(40, ["kickoff", "pulse"], attributes=()), key=KEY))
    rows = [row for row in content["rows"] if row["view"] == "construct"]
    folded = [row for row in rows if row["group"] == OTHER_CONSTRUCTS]
    assert not any(row["shown"] for row in folded)
    assert {row["metric"] for row in folded} >= {"ceiling_share", "alpha", "perception_gap"}
    kept = {row["group"] for row in rows if not row["shown"]} - {OTHER_CONSTRUCTS}
    assert kept <= {"trust", "satisfaction", "goals", "expectations"}  # on every form
    assert len({(row["metric"], row["group"], row["side"]) for row in rows}) == len(rows)
