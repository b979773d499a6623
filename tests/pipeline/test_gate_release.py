"""What the gate decides and how finely numbers are told reaches the release as it is made from answers."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import pytest

from data.store.people import Programme
from pipeline import run
from pipeline.disclosure.coarsen import coarsened
from pipeline.disclosure.crowd import Key
from pipeline.disclosure.rounding import coarse, rounded, step_of
from pipeline.disclosure.thresholds import thresholds
from pipeline.ingest import Inputs
from pipeline.metric import catalogue
from pipeline.pooling import pool
from pipeline.run import build
from pipeline.validate import validate
from pipeline.weigh import weigh
from tests.pipeline.made_up import answers_of
from tests.pipeline.simulated import simulated
from tests.pipeline.small_programmes import MIXED, pairs
from tests.pipeline.small_programmes import released as small_release
from tests.pipeline.stored import ANCHORS, FROZEN, KEY, START, Said, someone

WHERE = ["metric", "view", "group", "side"]
EMPTY = simulated(2, ["pulse"])


def released(inputs: Inputs) -> pd.DataFrame:
    return pd.DataFrame(json.loads(build(inputs, key=KEY))["rows"]).set_index(WHERE)


def inputs_of(said: Said, mentors: Mapping[int, str], attributes: tuple[str, ...] = ()) -> Inputs:
    """One round of these pairings, by their mentors; departments go round among three."""
    answers = answers_of(
        {
            "pairing": f"P{k}", "side": side, "question": id_, "mentor": mentor,
            "person": mentor if side == "mentor" else f"mentee {k}", "value": value,
        }
        for k, mentor in mentors.items() for side in ("mentor", "mentee") for id_ in ANCHORS
        if (value := said(k, side, 1, id_)) is not None
    )  # fmt: skip
    about = ["round_id", "round_number", "pulse", "pairing_id", "side", "person_id", "mentor_id"]
    invited = answers[about].drop_duplicates().reset_index(drop=True)
    department = invited["pairing_id"].str[1:].astype(int).map(lambda k: ["north", "south", "east"][k % 3])
    invited = invited.assign(
        programme_id="P", has_answered=True, department=department, cohort="", location="", grade=""
    )
    decided = Programme(programme_id="P", name="P", created_at=START, decisions={"attributes": list(attributes)})
    return replace(
        EMPTY,
        programme=decided,
        answers=answers,
        invited=invited,
        questionnaires={"R1": FROZEN},
        goal_ratings=EMPTY.goal_ratings.head(0),
        goals=EMPTY.goals.head(0),
    )


def test_a_release_tells_means_in_steps_and_groups_shrunk_from_these() -> None:
    inputs = inputs_of(someone, {k: f"mentor {k}" for k in range(60)}, ("department",))
    rows = released(inputs)
    rated = validate(inputs.answers, inputs.questionnaires).rated
    measurement = weigh(inputs, rated, "R1", thresholds(inputs.programme.decisions)).measurement
    measured = measurement.measured.set_index(WHERE, drop=False)
    whole = ("trust", "all", "all", "mentee")
    step = step_of(measured.loc[whole, "se"])
    assert step >= 2  # so that steps are told apart from whole points
    assert rows.loc[whole, "value"] == coarse(measured.loc[whole, "value"], step)
    shown = [bool(rows.loc[key, "shown"]) for key in measured.index]
    told = pool(coarsened(measurement.measured, measurement.told), shown).set_index(WHERE)
    groups = [key for key, yes in zip(measured.index, shown, strict=True) if yes and key[:2] == ("trust", "department")]
    assert groups
    for key in groups:
        numbers = told.loc[key, ["value", "low", "high"]].astype(float)
        assert tuple(rows.loc[key, ["value", "low", "high"]]) == rounded(*numbers, unit="points", scale=(0.0, 100.0))


def all_but_one_alike(k: int, side: str, _number: int, _question_id: str) -> str:
    """The first five pairings' mentors say 5, everybody else 4."""
    return "5" if side == "mentor" and k < 5 else "4"


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_mentor_of_five_costs_the_programme_its_gap(is_guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    mentors = {k: "mentor of five" if k < 5 else f"mentor {k}" for k in range(65)}
    if not is_guarded:
        monkeypatch.setattr(run, "telling_gaps", lambda *_: set())
    rows = released(inputs_of(all_but_one_alike, mentors))
    for metric in ("trust", "satisfaction", "goal_progress"):
        for side in ("mentor", "mentee"):
            assert rows.loc[(metric, "all", "all", side), "shown"]
    assert rows.loc[("perception_gap", "all", "all", "both"), "shown"] != is_guarded


def test_what_rests_on_a_number_that_is_taken_away_later_goes_with_it() -> None:
    scores = [*pairs(MIXED * 4), *pairs(MIXED * 4, department="B")]
    decision = small_release(scores, metrics=("trust", "participation")).decision
    gone = Key(metric="trust", view="department", group="A", side="mentee")
    resting = {replace(gone, side="both")} | {
        replace(gone, metric="participation", side=side) for side in ("mentee", "both")
    }
    before = {key for key, yes in decision.shown.items() if yes}
    after = {key for key, yes in decision.without({gone}, catalogue()).shown.items() if yes}
    assert {gone} | resting <= before
    assert before - after == {gone} | resting
