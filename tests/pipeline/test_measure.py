"""Numbers of the programme and its groups do not depend on row order, unknown questions or a silent side."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from data.contracts import GoalRatings, Goals, conform
from data.store.people import Programme
from data.store.rounds import Round
from pipeline.ingest import PAIRING, Inputs
from pipeline.measure import measure
from pipeline.metric import Facts, catalogue
from pipeline.run import build
from tests.pipeline.made_up import answers_of, facts_of
from tests.pipeline.stored import ANCHORS, DEPARTMENTS, FROZEN, KEY, START

N = 24


def said(values: list[int]) -> pd.DataFrame:
    """Answers of N pairings to the anchors, drawn in order from `values`."""
    rows = [(k, side, id_) for k in range(N) for side in ("mentor", "mentee") for id_ in ANCHORS]
    return answers_of(
        {
            "pairing": f"P{k}",
            "side": side,
            "question": id_,
            "value": values[place % len(values)],
            "person": f"{side} {k}",
            "mentor": f"mentor {k}",
        }
        for place, (k, side, id_) in enumerate(rows)
    )


def goals_of(answers: pd.DataFrame) -> pd.DataFrame:
    """Each side rates the pairing's one goal as far from the middle as its answer on progress."""
    progress = answers[answers["question_id"] == "progress"]
    rated = progress.assign(goal_id=progress["pairing_id"], level=progress["value"].astype(int) - 3)
    return conform(GoalRatings, rated)


def inputs_of(answers: pd.DataFrame) -> Inputs:
    once = answers_of([])
    answered = set(zip(answers["pairing_id"], answers["side"], strict=True))
    invited = pd.DataFrame(
        [
            {
                "programme_id": "P", "round_id": "R1", "round_number": 1, "pulse": "pulse", "pairing_id": f"P{k}",
                "side": side, "person_id": f"{side} {k}", "mentor_id": f"mentor {k}",
                "has_answered": (f"P{k}", side) in answered, "cohort": "", "department": DEPARTMENTS[k % 3],
                "location": "", "grade": "",
            }
            for k in range(N) for side in ("mentor", "mentee")
        ]
    )  # fmt: skip
    asked = Round(
        round_id="R1", programme_id="P", number=1, pulse="pulse", snapshot_id="s", opens_at=START, closes_at=START
    )
    return Inputs(
        programme=Programme(programme_id="P", name="P", created_at=START, decisions={"attributes": ["department"]}),
        round=asked,
        closed_on=START.date(),
        questionnaires={"R1": FROZEN},
        snapshot_ids={"R1": "s"},
        answers=answers if len(answers) else once,
        invited=invited,
        closed_days={"R1": START.date()},
        goal_ratings=goals_of(answers),
        goals=conform(Goals, pd.DataFrame(columns=["goal_id", "pairing_id", "set_on"])),
        pairings=pd.DataFrame(columns=PAIRING),
    )


def rows_of(inputs: Inputs) -> pd.DataFrame:
    content = build(inputs, key=KEY)
    return pd.DataFrame(json.loads(content)["rows"])


VALUES = some.lists(some.integers(1, 5), min_size=5, max_size=40)
few = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(VALUES, some.randoms(use_true_random=False))
def test_row_order_changes_nothing(values: list[int], random: object) -> None:
    answers = said(values)
    order = list(range(len(answers)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = answers.iloc[order].reset_index(drop=True)
    told = inputs_of(answers)
    turned = {name: getattr(told, name).iloc[::-1].reset_index(drop=True) for name in ("invited", "goal_ratings")}
    backwards = replace(inputs_of(shuffled), **turned)
    assert build(backwards, key=KEY) == build(inputs_of(answers), key=KEY)


@few
@given(VALUES, some.text(max_size=6), some.text(max_size=4))
def test_unknown_questions_change_no_number(values: list[int], question_id: str, value: str) -> None:
    answers = said(values)
    stray = answers.iloc[:: len(ANCHORS)].assign(question_id=f"unknown {question_id}", value=value)
    more = pd.concat([answers, stray], ignore_index=True)
    assert rows_of(inputs_of(more)).equals(rows_of(inputs_of(answers)))


@few
@given(VALUES)
def test_a_silent_side_changes_nothing_about_the_other(values: list[int]) -> None:
    answers = said(values)
    mentees = answers[answers["side"] == "mentee"].reset_index(drop=True)
    both, alone = rows_of(inputs_of(answers)), rows_of(inputs_of(mentees))
    assert of_mentees(alone).equals(of_mentees(both))
    scores = alone[(alone["side"] != "mentee") & (alone["unit"] == "points")]
    assert not scores["shown"].any()


def of_mentees(rows: pd.DataFrame) -> pd.DataFrame:
    """What goes with the other side's trust needs both."""
    is_kept = (rows["side"] == "mentee") & ~rows["metric"].isin(["actor_effect", "partner_effect"])
    return rows[is_kept].reset_index(drop=True)


def test_a_silent_programme_is_released_without_a_score() -> None:
    rows = rows_of(inputs_of(said([3]).head(0)))
    assert not rows.loc[rows["unit"] == "points", "shown"].any()
    shares = rows.loc[rows["metric"] == "participation"].query("view == 'all'")["value"]
    assert shares.tolist() == [0.08] * 3  # 0 to 4 of 24


def test_a_declared_spread_is_used_below_twenty_people_and_the_seen_one_from_twenty_on() -> None:
    def interval(n: int) -> tuple[float, float]:
        lines = [f"P{k} mentee trust {50 + k % 2}" for k in range(n)]
        facts = facts_of("pairing side construct score\n" + "\n".join(lines))
        metrics = {"trust": catalogue()["trust"]}
        row = measure(facts, metrics, attributes=(), asked={"trust": {"mentee"}}).measured.iloc[0]
        return row["low"], row["high"]

    low, high = interval(19)
    assert (high - low) / 2 == pytest.approx(1.96 * 25 / np.sqrt(15), abs=0.01)
    low, high = interval(20)
    assert (high - low) / 2 == pytest.approx(2.093 * 5 / np.sqrt(15), abs=0.01)  # never as if all agreed


def test_groups_borrow_the_programmes_variance_and_unknown_ones_are_a_group() -> None:
    lines = [f"P{k} mentee trust {v}" for k, v in enumerate([0, 100] * 10 + [50] * 20)]
    facts = facts_of("pairing side construct score\n" + "\n".join(lines))
    north = facts.invited["pairing_id"].isin([f"P{k}" for k in range(20)])
    facts = Facts(invited=facts.invited.assign(department=np.where(north, "north", "")), scored=facts.scored)
    metrics = {"trust": catalogue()["trust"]}
    measured = measure(facts, metrics, attributes=["department"], asked={"trust": {"mentee"}}).measured
    rows = measured[measured["view"] == "department"].set_index("group")
    assert rows.index.tolist() == ["north", "not stated"]
    pooled = np.sqrt(20 * 50**2 / 38)
    assert rows["se"].tolist() == pytest.approx([pooled / np.sqrt(15)] * 2, rel=0.02)  # all 20 are told as 15


def test_an_attribute_with_one_value_makes_no_view() -> None:
    facts = facts_of("pairing side construct score\nP1 mentee trust 50")
    metrics = {"trust": catalogue()["trust"]}
    measured = measure(facts, metrics, attributes=["location"], asked={"trust": {"mentee"}}).measured
    assert set(measured["view"]) == {"all"}
