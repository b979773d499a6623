"""Evidence shows nothing below twenty people a side, tells nobody's answer, and never stops a release."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.contracts import Answers, GoalRatings, Invited, conform
from pipeline.disclosure.crowd import WITHHELD
from pipeline.disclosure.thresholds import Thresholds
from pipeline.evidence.finding import Finding, crowd_of
from pipeline.ingest import Inputs
from pipeline.published import EVIDENCE
from pipeline.run import build
from tests.pipeline.simulated import simulated
from tests.pipeline.stored import KEY

NO_NUMBER = {"value": None, "low": None, "high": None, "n": None, "shown": False, "reason": WITHHELD}


def rows_of(inputs: Inputs) -> list[dict[str, object]]:
    """Rows of evidence; the programme's perception_gap is a score."""
    rows = json.loads(build(inputs, key=KEY))["rows"]
    scores = ("perception_gap", "all")
    return [row for row in rows if row["metric"] in EVIDENCE and (row["metric"], row["view"]) != scores]


def verdicts_of(inputs: Inputs) -> set[tuple[str, str]]:
    return {(each["about"], each["verdict"]) for each in json.loads(build(inputs, key=KEY))["manifest"]["verdicts"]}


def everybody_answers(inputs: Inputs) -> Inputs:
    """The same, of people who never are silent: as many on each side as there are pairings."""
    about = ["round_id", "round_number", "pulse", "pairing_id", "side", "person_id", "mentor_id"]
    own = inputs.invited["pairing_id"] + " " + inputs.invited["side"]
    invited = inputs.invited.assign(
        has_answered=True, person_id=own, mentor_id=inputs.invited["pairing_id"] + " mentor"
    )
    asked = inputs.answers[["side", "question_id", "round_id"]].drop_duplicates()
    said = invited[about].merge(asked, on=["side", "round_id"])
    rng = np.random.default_rng(2)
    level = dict(zip(said["person_id"].unique(), rng.normal(3.4, 0.8, said["person_id"].nunique()), strict=True))
    tapped = np.clip(np.round(said["person_id"].map(level) + rng.normal(0, 0.8, len(said))), 1, 5).astype(int)
    answers = conform(Answers, said.assign(value=tapped.astype(str)))
    rated = invited.assign(goal_id="G" + invited["pairing_id"], level=rng.integers(-2, 3, len(invited)))
    return replace(inputs, invited=invited, answers=answers, goal_ratings=conform(GoalRatings, rated))


def only(inputs: Inputs, n: int) -> Inputs:
    """The first n pairings."""
    kept = {f"P{k}" for k in range(n)}
    frames = {name: getattr(inputs, name) for name in ("answers", "invited", "goal_ratings")}
    return replace(
        inputs, **{name: frame[frame["pairing_id"].isin(kept)].reset_index(drop=True) for name, frame in frames.items()}
    )


WHOLE = everybody_answers(simulated(30, ["kickoff", "milestone"], attributes=()))


def test_nineteen_people_a_side_show_nothing_and_twenty_do() -> None:
    few, enough = rows_of(only(WHOLE, 19)), rows_of(only(WHOLE, 20))
    assert not any(row["shown"] for row in few)
    assert {json.dumps({name: row[name] for name in NO_NUMBER}) for row in few} == {json.dumps(NO_NUMBER)}
    assert {row["metric"] for row in enough if row["shown"]} == {row["metric"] for row in enough}
    assert [(row["metric"], row["group"], row["side"]) for row in few] == [
        (row["metric"], row["group"], row["side"]) for row in enough
    ]
    assert verdicts_of(only(WHOLE, 19)) == {
        ("level", "too_few"), ("change", "too_few"), ("easy_goals", "too_few"), ("comparability", "not_tested"),
        ("changed", "too_early"), ("course", "too_early"), ("surface", "too_few"), ("support", "cannot_tell"),
    }  # fmt: skip


def test_shown_rows_have_n_in_steps_an_interval_around_the_value_and_few_decimals() -> None:
    for row in rows_of(WHOLE):
        assert row["unit"] == EVIDENCE[str(row["metric"])]
        if row["shown"]:
            value, low, high = (float(row[name]) for name in ("value", "low", "high"))  # type: ignore[arg-type]
            assert low <= value <= high
            assert row["n"] == (50 if row["side"] == "both" else 25)  # 30 of 30 a side: never told that all answered
            places = 1 if row["unit"] in ("points", "t_score") else 3
            assert [round(each, places) for each in (value, low, high)] == [value, low, high]


def test_a_programme_that_raised_its_thresholds_keeps_them_here() -> None:
    decisions = {"attributes": [], "staying_n": 35}
    stricter = replace(WHOLE, programme=replace(WHOLE.programme, decisions=decisions))
    assert not any(row["shown"] for row in rows_of(stricter))


def test_evidence_that_rests_on_a_withheld_score_is_withheld() -> None:
    """All mentees say 1 on trust: its mean is withheld, and so is everything that would tell it."""
    is_trust = WHOLE.answers["question_id"].str.startswith("trust") & (WHOLE.answers["side"] == "mentee")
    bottom = replace(WHOLE, answers=WHOLE.answers.assign(value=WHOLE.answers["value"].mask(is_trust, "1")))
    shown = {(row["metric"], row["group"], row["side"]) for row in rows_of(bottom) if row["shown"]}
    told = {
        row
        for row in shown
        if (row[1] == "trust" and row[2] != "mentor") or row[0] in ("actor_effect", "partner_effect")
    }
    assert told == set()
    assert not {("weighted_trust", "all", "mentee"), ("tipping_trust", "all", "mentee")} & shown
    assert ("weighted_trust", "all", "mentor") in shown


def test_a_gap_that_leaves_one_person_over_is_withheld() -> None:
    """Ada's mentee alone is silent: mentors' mean, mentees' mean and the gap together would be Ada's answer."""
    bens = (WHOLE.answers["pairing_id"] == "P7") & (WHOLE.answers["side"] == "mentee")
    without = replace(WHOLE, answers=WHOLE.answers[~bens].reset_index(drop=True))
    gaps = [
        row["shown"] for row in rows_of(without) if row["metric"] in ("perception_gap", "smallest_gap", "gap_agreement")
    ]
    assert len(gaps) > 0
    assert not any(gaps)


def test_a_lone_answer_is_in_no_row() -> None:
    """Ben alone answers on feedback, with 1 or with 5: not a byte of the evidence differs."""
    is_feedback = WHOLE.answers["question_id"].str.startswith("feedback")
    is_bens = (WHOLE.answers["pairing_id"] == "P7") & (WHOLE.answers["side"] == "mentee")
    lone = WHOLE.answers[~is_feedback | is_bens].reset_index(drop=True)
    told = [
        rows_of(
            replace(
                WHOLE,
                answers=lone.assign(value=lone["value"].mask(lone["question_id"].str.startswith("feedback"), said)),
            )
        )
        for said in ("1", "5")
    ]
    # Straight lines count forms in steps; everything else is about one construct.
    assert told[0] == told[1]
    assert not any(row["shown"] for row in told[0] if row["group"] == "feedback")


def test_a_number_of_three_mentors_mentees_is_nobodys_but_theirs() -> None:
    people = pd.DataFrame(
        {"pairing_id": range(30), "side": "mentee", "person_id": range(30), "mentor_id": ["a", "b"] * 15}
    )
    finding = Finding(
        metric="alpha", side="mentee", numbers=(0.5, 0.4, 0.6), unit="coefficient", crowd=crowd_of(people)
    )
    assert not finding.is_shown(Thresholds(), {})
    several = replace(finding, crowd=crowd_of(people.assign(mentor_id=list(range(30)))))
    assert several.is_shown(Thresholds(), {})
    assert not replace(several, numbers=(float("nan"), 0.4, 0.6)).is_shown(Thresholds(), {})


# --- whatever comes in ----------------------------------------------------------------------------

KINDS = ("as said", "all the same", "one answer a form", "garbled", "nothing")


def spoilt(inputs: Inputs, side: str, kind: str) -> Inputs:
    """What one side said, made hard to compute with."""
    is_side = inputs.answers["side"] == side
    answers = inputs.answers
    if kind == "all the same":
        answers = answers.assign(value=answers["value"].mask(is_side, "3"))
    if kind == "garbled":
        answers = answers.assign(value=answers["value"].mask(is_side, "many"))
    if kind == "one answer a form":
        answers = answers[~is_side | ~answers.duplicated(["pairing_id", "side", "round_id"])]
    if kind == "nothing":
        answers = answers[~is_side]
    rated = inputs.goal_ratings
    if kind in ("nothing", "all the same"):
        rated = rated[rated["side"] != side] if kind == "nothing" else rated.assign(level=0)
    return replace(inputs, answers=answers.reset_index(drop=True), goal_ratings=rated.reset_index(drop=True))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_people_say_or_leave_out_stops_a_release(kind: str) -> None:
    for side in ("mentor", "mentee"):
        rows = rows_of(spoilt(WHOLE, side, kind))
        assert all(row["value"] is not None for row in rows if row["shown"])
        if kind == "nothing":
            assert not any(row["shown"] for row in rows if row["side"] in (side, "both"))
    assert len(rows_of(spoilt(spoilt(WHOLE, "mentor", kind), "mentee", kind))) > 0


def test_row_order_changes_no_byte() -> None:
    shuffled = {}
    for name, contract in (("answers", Answers), ("invited", Invited), ("goal_ratings", GoalRatings)):
        frame: pd.DataFrame = getattr(WHOLE, name)
        shuffled[name] = conform(contract, frame.sample(frac=1.0, random_state=7).reset_index(drop=True))
    assert build(replace(WHOLE, **shuffled), key=KEY) == build(WHOLE, key=KEY)
