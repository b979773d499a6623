"""The evidence of a release finds what the demo's generator says is true, and what a test plants into it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from data.demo import truth
from pipeline.ingest import Inputs
from pipeline.run import build
from tests.pipeline.simulated import simulated
from tests.pipeline.stored import KEY

Row = Mapping[str, object]
POINT = 25.0
ROUNDING = POINT**2 / 12  # the variance that five points add to an answer


@cache
def made() -> Inputs:
    return simulated(500, ["kickoff", "pulse", "pulse"], attributes=())


def released(inputs: Inputs) -> tuple[pd.DataFrame, dict[tuple[str, str, str], str]]:
    content = json.loads(build(inputs, key=KEY))
    verdicts = {
        (each["about"], each["construct"], each["side"]): each["verdict"] for each in content["manifest"]["verdicts"]
    }
    return pd.DataFrame(content["rows"]).set_index(["view", "group", "side", "metric"]), verdicts


@cache
def found() -> tuple[pd.DataFrame, dict[tuple[str, str, str], str]]:
    return released(made())


@cache
def kickoff() -> tuple[pd.DataFrame, dict[tuple[str, str, str], str]]:
    return released(first_round(made()))


def first_round(inputs: Inputs) -> Inputs:
    """What the release of the first round was made from."""
    frames = {name: frame_of(inputs, name) for name in ("answers", "invited", "goal_ratings")}
    first = {name: frame[frame["round_number"] == 1].reset_index(drop=True) for name, frame in frames.items()}
    questionnaires = {"R1": inputs.questionnaires["R1"]}
    asked = replace(inputs.round, round_id="R1", number=1, pulse="kickoff")
    return replace(inputs, round=asked, questionnaires=questionnaires, snapshot_ids={"R1": "s"}, **first)


def frame_of(inputs: Inputs, name: str) -> pd.DataFrame:
    frame: pd.DataFrame = getattr(inputs, name)
    return frame


def in_construct(rows: pd.DataFrame, construct: str, side: str, metric: str) -> pd.Series:
    return rows.loc[("construct", construct, side, metric)]


def of_all(rows: pd.DataFrame, side: str, metric: str) -> pd.Series:
    return rows.loc[("all", "all", side, metric)]


def test_the_gap_of_every_anchor_holds_the_truth_and_the_smallest_gap_is_wider_than_the_interval() -> None:
    rows, _ = found()
    for construct in ("trust", "satisfaction", "goals", "expectations"):
        gap, smallest = (in_construct(rows, construct, "both", name) for name in ("perception_gap", "smallest_gap"))
        assert gap["low"] <= truth.MENTOR_MINUS_MENTEE <= gap["high"]
        assert smallest["value"] == smallest["low"] == smallest["high"]
        assert smallest["value"] == pytest.approx((1.96 + 0.84) / 1.96 * (gap["high"] - gap["low"]) / 2, abs=1.5)


def test_the_gaps_of_the_anchors_average_to_the_programmes_gap() -> None:
    """All four are made from the same pairings, so that their difference is nobody."""
    rows, _ = found()
    gaps = [in_construct(rows, name, "both", "perception_gap") for name in ("trust", "satisfaction", "goals")]
    assert np.mean([gap["value"] for gap in gaps]) == pytest.approx(
        of_all(rows, "both", "perception_gap")["value"], abs=1
    )
    assert {gap["n"] for gap in gaps} == {of_all(rows, "both", "perception_gap")["n"]}


def test_consistency_and_reliability_are_those_of_the_generators_variances() -> None:
    """Seven items whose pairs share σ²(pairing) + σ²(person) + σ²(occasion); the level's noise is the answer's."""
    person, occasion = truth.PAIRING_SD**2 + truth.PERSON_SD**2, truth.OCCASION_SD**2
    error = truth.ANSWER_SD**2 + ROUNDING
    r = (person + occasion) / (person + occasion + error)
    rows, verdicts = kickoff()
    for side in ("mentor", "mentee"):
        alpha = in_construct(rows, "expectations", side, "alpha")
        assert alpha["low"] <= 7 * r / (1 + 6 * r) <= alpha["high"]
        assert ("construct", "expectations", side, "reliability_level") not in rows.index  # one round tells nothing
        assert verdicts["level", "expectations", side] == "too_few"
    rows, verdicts = found()
    answers = 1 + (6 + 3 / 9) / 3  # of the anchor alone but at the kickoff, and when the construct is dealt
    n = 3 * truth.RESPONSE_RATE["mentee"] * answers
    level = in_construct(rows, "expectations", "mentee", "reliability_level")["value"]
    assert level == pytest.approx(person / (person + error / n), abs=0.1)
    change = in_construct(rows, "expectations", "mentee", "reliability_change")["value"]
    assert change == pytest.approx(occasion / (occasion + error / answers), abs=0.15)
    assert verdicts["level", "expectations", "mentee"] == "may_be_shown"
    assert verdicts["change", "expectations", "mentee"] == "not_reliable_enough"


def test_own_and_the_others_trust_go_with_satisfaction_as_the_generators_variances_say() -> None:
    """Two answers of a person share pairing, person and occasion; those of the two sides the pairing only."""
    two_sides = truth.PAIRING_SD**2
    own = two_sides + truth.PERSON_SD**2 + truth.OCCASION_SD**2
    whole = own + truth.ANSWER_SD**2 + ROUNDING
    actor, partner = np.linalg.solve([[whole, two_sides], [two_sides, whole]], [own, two_sides]) * 10
    rows, _ = found()
    for side in ("mentor", "mentee"):
        for metric, expected in (("actor_effect", actor), ("partner_effect", partner)):
            effect = of_all(rows, side, metric)
            assert effect["low"] <= expected <= effect["high"]
            assert effect["claim"] == "associated with"
        assert of_all(rows, side, "actor_effect")["low"] > of_all(rows, side, "partner_effect")["value"]


def test_silence_by_chance_moves_no_weighted_mean_and_the_tipping_point_lies_below() -> None:
    rows, _ = found()
    for side in ("mentor", "mentee"):
        weighted, plain = of_all(rows, side, "weighted_trust"), of_all(rows, side, "trust")
        assert weighted["value"] == pytest.approx(plain["value"], abs=1)
        silent = 1 - truth.RESPONSE_RATE[side]
        spread = np.sqrt(
            truth.PAIRING_SD**2 + truth.PERSON_SD**2 + truth.OCCASION_SD**2 + truth.ANSWER_SD**2 + ROUNDING
        )
        expected = weighted["value"] - silent * 0.5 * spread
        assert of_all(rows, side, "tipping_trust")["value"] == pytest.approx(expected, abs=1.5)


def test_silence_of_a_discontent_department_is_weighed_in() -> None:
    """North says 1 of 5, everybody else 4, and three quarters of north stay silent: the truth is 56, not 68."""
    inputs = first_round(made())
    north = inputs.invited["department"] == "north"
    speaks = ~north | (np.arange(len(north)) % 16 < 4)
    invited = inputs.invited.assign(has_answered=speaks)
    about = ["round_id", "round_number", "pulse", "pairing_id", "side", "person_id", "mentor_id"]
    said = invited.loc[speaks, [*about, "department"]].assign(question_id="trust_honest")
    low, high = np.where(np.arange(len(said)) % 5 == 0, "2", "1"), np.where(np.arange(len(said)) % 5 == 0, "5", "4")
    answers = said.assign(value=np.where(said["department"] == "north", low, high)).drop(columns="department")
    programme = replace(inputs.programme, decisions={"attributes": ["department"]})
    heard = replace(inputs, programme=programme, invited=invited, answers=answers.reset_index(drop=True))
    rows, _ = released(heard)
    plain, weighted = of_all(rows, "mentee", "trust"), of_all(rows, "mentee", "weighted_trust")
    everybody = 0.25 * 5 + 0.75 * 80
    assert plain["value"] > everybody + 7
    assert weighted["low"] <= everybody <= weighted["high"]


# --- verdicts -------------------------------------------------------------------------------------


def test_nothing_planted_gives_no_alarm() -> None:
    _, verdicts = found()
    assert {value for (about, *_), value in verdicts.items() if about == "drift"} == {"none"}
    assert verdicts["easy_goals", "", "both"] == "fine"
    assert verdicts["comparability", "expectations", "both"] == "holds"
    assert verdicts["comparability", "trust", "both"] == "not_tested"  # no round asked three of its items of everyone
    assert ("comparability", "mutual_learning", "both") not in verdicts  # the sides answer other questions


def lowered(inputs: Inputs, which: Callable[[pd.DataFrame], pd.Series]) -> Inputs:
    """Some answers two steps lower, as far as the scale goes."""
    answers = inputs.answers
    lower = answers["value"].map({"5": "3", "4": "2", "3": "1", "2": "1", "1": "1"})
    return replace(inputs, answers=answers.assign(value=answers["value"].mask(which(answers), lower)))


def test_an_item_that_moves_by_itself_is_found_and_not_named() -> None:
    def last_of_mentees(said: pd.DataFrame) -> pd.Series:
        return (said["question_id"] == "trust_honest") & (said["round_number"] == 3) & (said["side"] == "mentee")

    content = build(lowered(made(), last_of_mentees), key=KEY)
    verdicts = json.loads(content)["manifest"]["verdicts"]
    drifting = {(each["construct"], each["side"]) for each in verdicts if each["verdict"] == "drifting"}
    assert drifting == {("trust", "mentee")}
    assert "trust_honest" not in content


def test_questions_that_mentors_read_otherwise_are_not_comparable() -> None:
    def of_mentors(said: pd.DataFrame) -> pd.Series:
        return said["question_id"].isin(["expectations_roles", "expectations_scope"]) & (said["side"] == "mentor")

    _, verdicts = released(lowered(first_round(made()), of_mentors))
    assert verdicts["comparability", "expectations", "both"] == "fails"


def test_goals_that_everyone_passes_were_too_easy_and_agreement_needs_the_same_goals() -> None:
    inputs = first_round(made())
    levels = np.random.default_rng(3).choice([1, 2], len(inputs.goal_ratings))
    by_goal = inputs.goal_ratings["goal_id"].map(dict(zip(inputs.goal_ratings["goal_id"], levels, strict=True)))
    rows, verdicts = released(replace(inputs, goal_ratings=inputs.goal_ratings.assign(level=by_goal)))
    assert verdicts["easy_goals", "", "both"] == "too_easy"
    assert of_all(rows, "both", "goals_met")["value"] == 1.0
    assert of_all(rows, "both", "goal_agreement")["value"] == 1.0
    assert of_all(rows, "mentor", "goal_attainment")["value"] == pytest.approx(65, abs=0.6)
