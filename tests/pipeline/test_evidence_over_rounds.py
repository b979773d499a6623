"""Change, growth and the two sides' common days are found where they were planted, and not where nothing was."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from pipeline.ingest import Inputs
from pipeline.run import build
from tests.pipeline.made_rounds import Truth, people, programme, rated_goals, silent_programme
from tests.pipeline.stored import KEY

Row = dict[str, float]
Told = tuple[dict[tuple[str, str, str], Row], dict[tuple[str, str, str], str]]
MENTOR, MENTEE = 0, 1
TRUST, SATISFACTION = slice(0, 2), 2


def told(inputs: Inputs) -> Told:
    """Shown rows by (metric, group, side), verdicts by (about, construct, side)."""
    content = json.loads(build(inputs, key=KEY))
    rows = {(row["metric"], row["group"], row["side"]): row for row in content["rows"] if row["shown"]}
    verdicts = {
        (each["about"], each["construct"], each["side"]): each["verdict"] for each in content["manifest"]["verdicts"]
    }
    return rows, verdicts


def made(levels: np.ndarray, *, seed: int = 1, noise: float = 14.0) -> Inputs:
    return programme(Truth(levels, noise).answers(np.random.default_rng(seed)))


@cache
def steady() -> Inputs:
    return made(people(np.random.default_rng(3), 60, 4))


@cache
def of_steady() -> Told:
    return told(steady())


def test_where_nobody_changed_nothing_is_found() -> None:
    rows, verdicts = of_steady()
    assert {verdict for (about, *_), verdict in verdicts.items() if about == "changed"} == {"no_clear_change"}
    shares = [row for (metric, *_), row in rows.items() if metric in ("changed_up", "changed_down")]
    assert len(shares) == 12  # three constructs, two sides, two directions
    assert {row["value"] for row in shares} == {0.0}
    for (metric, group, _), row in rows.items():
        if metric in ("growth_slope", "growth_together"):
            assert row["low"] <= 0.0 <= row["high"] or group != "trust"
    second = rows["reliable_change", "trust", "mentee"]
    assert second["low"] <= 0.05 <= second["high"]


def test_only_a_construct_of_several_items_has_a_second_opinion() -> None:
    rows, _ = of_steady()
    assert {group for metric, group, _ in rows if metric == "reliable_change"} == {"trust"}


def test_people_who_fell_are_found_on_their_side_and_construct_only() -> None:
    levels = people(np.random.default_rng(3), 60, 4)
    levels[:10, MENTEE, -1, TRUST] -= 60.0
    rows, verdicts = told(made(levels))
    assert verdicts["changed", "trust", "mentee"] == "some_changed"
    assert rows["changed_down", "trust", "mentee"]["value"] >= 5 / 60 - 0.01
    assert rows["changed_up", "trust", "mentee"]["value"] == 0.0
    assert rows["reliable_change", "trust", "mentee"]["value"] >= 5 / 60 - 0.01
    assert verdicts["changed", "trust", "mentor"] == "no_clear_change"
    assert verdicts["changed", "goals", "mentee"] == "no_clear_change"


def test_a_change_of_everybody_is_nobodys_change_but_the_sides_growth() -> None:
    levels = people(np.random.default_rng(3), 60, 4)
    levels[:, MENTOR, :, TRUST] += 5.0 * np.arange(4)[None, :, None] - 10.0
    rows, verdicts = told(made(levels))
    assert verdicts["changed", "trust", "mentor"] == "no_clear_change"
    slope = rows["growth_slope", "trust", "mentor"]
    assert 0 < slope["low"] <= 5.0 <= slope["high"]
    still = rows["growth_slope", "trust", "mentee"]
    assert still["low"] <= 0.0 <= still["high"]


def test_days_that_both_sides_share_are_found() -> None:
    rng = np.random.default_rng(3)
    levels = people(rng, 60, 4)
    levels += 12.0 * rng.standard_normal((60, 1, 4, 1))
    rows, _ = told(made(levels))
    together = rows["growth_together", "trust", "both"]
    assert together["low"] > 0.1
    assert together["unit"] == "coefficient"


# --- the course over the rounds --------------------------------------------------------------------


def test_a_shift_of_the_whole_side_is_a_signal_from_eight_rounds_on() -> None:
    levels = people(np.random.default_rng(3), 40, 8)
    levels[:, MENTEE, 4:, TRUST] -= 18.0
    whole = Truth(levels).answers(np.random.default_rng(1))
    _, verdicts = told(programme(whole))
    assert verdicts["course", "trust", "mentee"] == "signal"
    assert verdicts["course", "trust", "mentor"] == "steady"
    assert verdicts["course", "goals", "mentee"] == "steady"
    _, early = told(programme(whole[:, :, 1:]))
    assert {verdict for (about, *_), verdict in early.items() if about == "course"} == {"too_early"}


# --- the surface -----------------------------------------------------------------------------------


def surface_levels(n: int, by_gap: float) -> np.ndarray:
    """One round in which mentees' satisfaction falls by `by_gap` points a point of gap in trust, whichever way."""
    rng = np.random.default_rng(5)
    levels = people(rng, n, 1, between=20.0)
    gap = np.abs(levels[:, MENTOR, :, 0] - levels[:, MENTEE, :, 0])
    levels[:, MENTEE, :, SATISFACTION] = 85.0 - by_gap * gap
    return levels


def test_a_gap_that_goes_with_less_satisfaction_is_found_from_200_pairings_on() -> None:
    rows, verdicts = told(made(surface_levels(220, 0.9)))
    assert verdicts["surface", "satisfaction", "mentee"] == "goes_with_gap"
    size, direction = (rows[f"surface_{name}", "all", "mentee"] for name in ("a4", "a3"))
    assert size["high"] < 0 < size["n"]
    assert direction["low"] <= 0 <= direction["high"]
    assert {row["claim"] for (metric, *_), row in rows.items() if metric.startswith("surface")} == {"associated with"}


def test_without_a_gap_that_matters_no_association_is_told() -> None:
    _, verdicts = told(made(surface_levels(220, 0.0)))
    assert verdicts["surface", "satisfaction", "mentee"] == "no_clear_association"


def test_199_pairings_are_too_few_for_a_surface() -> None:
    content = build(made(surface_levels(199, 0.9)), key=KEY)
    assert '"surface_a' not in content
    silent = np.zeros((220, 2, 1), dtype=bool)
    silent[:25, MENTOR] = True
    answers = Truth(surface_levels(220, 0.9)).answers(np.random.default_rng(1))
    rows, verdicts = told(programme(answers, is_silent=silent))
    assert verdicts["surface", "satisfaction", "mentee"] == "too_few"
    assert not [metric for metric, *_ in rows if metric.startswith("surface")]


# --- goals ------------------------------------------------------------------------------------------


def with_goals(reached_in: list[int], rounds: int, *, share_mentors: int = 1) -> Inputs:
    inputs = silent_programme(len(reached_in), rounds)
    ratings, goals = rated_goals(reached_in, rounds)
    mentor = ratings["pairing_id"].str[1:].astype(int) // share_mentors
    return replace(inputs, goal_ratings=ratings.assign(mentor_id=mentor.astype(str)), goals=goals)


def test_goals_still_open_count_for_as_long_as_they_were_watched() -> None:
    """Set when round 1 closed: a third reached after 6 weeks, a third after 12, the rest never in 30."""
    rows, verdicts = told(with_goals([2, 3, 0] * 20, 6))
    assert verdicts["milestones", "", "both"] == "measured"
    half, share = rows["goal_weeks", "all", "both"], rows["goals_in_26_weeks", "all", "both"]
    assert half["value"] == 12.0
    assert half["low"] == 6.0  # a round earlier: nobody saw the day
    assert share["value"] == pytest.approx(40 / 60, abs=0.01)
    assert share["low"] < 0.6 < 0.72 < share["high"]


def test_goals_of_one_mentor_widen_the_interval() -> None:
    reached = [2] * 18 + [3] * 18 + [0] * 24
    alone, shared = (told(with_goals(reached, 6, share_mentors=by))[0] for by in (1, 3))
    widths = [rows["goals_in_26_weeks", "all", "both"] for rows in (alone, shared)]
    assert widths[0]["value"] == widths[1]["value"]
    assert widths[1]["high"] - widths[1]["low"] > 1.3 * (widths[0]["high"] - widths[0]["low"])


def test_one_sides_doubt_keeps_a_goal_open_and_silence_does_not_close_it() -> None:
    """Mentees see −1 in round 1 and are silent later, mentors see 0 from round 2 on: nothing is reached."""
    inputs = with_goals([2] * 58 + [0, 0], 4)
    ratings = inputs.goal_ratings
    is_first, is_mentee = ratings["round_number"] == 1, ratings["side"] == "mentee"
    doubted = ratings[(is_first | ~is_mentee) & (ratings["pairing_id"] > "P004")]
    agreed = ratings[ratings["pairing_id"] <= "P004"]
    rows, verdicts = told(replace(inputs, goal_ratings=pd.concat([doubted, agreed], ignore_index=True)))
    assert verdicts["milestones", "", "both"] == "half_not_reached"
    assert ("goal_weeks", "all", "both") not in rows
