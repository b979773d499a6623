"""The rules for support are measured on past pairings' facts, or it is said that they cannot be."""

import json
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from data.contracts import Answers, Goals, conform
from pipeline.ingest import PAIRING, Inputs
from pipeline.run import build
from tests.pipeline.made_rounds import DAY, closes_on, silent_programme
from tests.pipeline.stored import KEY

N, ROUNDS = 60, 4
EARLY = range(24)  # pairings that ended before their time
METRICS = ("support_recall", "support_false_alarms", "support_lead")


def pairings(reason: str | None = "re-matched", n_early: int = len(EARLY)) -> pd.DataFrame:
    """All begin when round 1 closes; the early ones end five days after round 3 closed, planned for a year."""
    ended = closes_on(3) + timedelta(days=5)
    rows = [
        [f"P{k:03}", f"M{k:03}", f"mentee {k:03}", closes_on(1), DAY + timedelta(days=365), *end]
        for k in range(N)
        for end in [(ended, reason) if k < n_early else (None, None)]
    ]
    return pd.DataFrame(rows, columns=PAIRING, dtype=object)


def facts(ends: pd.DataFrame) -> Inputs:
    """Everybody reports a meeting in every round, six weeks apart; two thirds of the early pairings set no goal."""
    inputs = silent_programme(N, ROUNDS)
    said = inputs.invited.assign(question_id="met_since", value="yes")
    goals = [
        {"goal_id": f"G{k:03}", "pairing_id": f"P{k:03}", "set_on": closes_on(1)}
        for k in range(N)
        if k not in EARLY or k % 3 == 0
    ]
    return replace(
        inputs,
        answers=conform(Answers, said),
        goals=conform(Goals, pd.DataFrame(goals)),
        pairings=ends,
    )


def told(inputs: Inputs) -> tuple[dict[str, dict[str, float]], str]:
    content = json.loads(build(inputs, key=KEY))
    rows = {row["metric"]: row for row in content["rows"] if row["metric"] in METRICS}
    verdicts = [each["verdict"] for each in content["manifest"]["verdicts"] if each["about"] == "support"]
    assert len(verdicts) == 1
    return rows, verdicts[0]


def test_what_the_rules_did_on_pairings_that_ended_early() -> None:
    """Everybody reports in every round, so nothing is raised between rounds; two thirds lacked goals at week six."""
    rows, verdict = told(facts(pairings()))
    assert verdict == "measured"
    recall, false, lead = (rows[name] for name in METRICS)
    assert recall["value"] == 15 / 20  # 16 of 24, in steps of five
    assert recall["low"] < 0.75 < recall["high"] < 1
    assert lead["value"] == lead["low"] == lead["high"] == pytest.approx(47, abs=1)
    assert false["value"] == 0.0
    assert (false["unit"], false["n"]) == ("alarms", 40)


def test_a_round_without_a_report_raises_an_alarm_when_it_closes() -> None:
    whole = facts(pairings())
    silent = whole.answers["round_number"].eq(3) & whole.answers["pairing_id"].isin([f"P{k:03}" for k in range(N)])
    rows, _verdict = told(replace(whole, answers=whole.answers[~silent | whole.answers["pairing_id"].eq("P059")]))
    assert rows["support_recall"]["value"] == 1.0  # the early ones with goals, too: five days before their end
    assert rows["support_lead"]["value"] == pytest.approx(47, abs=1)


def test_reasons_that_support_could_not_meet_are_no_bad_ends() -> None:
    rows, verdict = told(facts(pairings("left the company")))
    assert verdict == "too_few"
    assert not rows["support_recall"]["shown"]
    assert rows["support_false_alarms"]["shown"]  # of any ended pairings


def test_nineteen_early_ends_show_nothing_and_twenty_do() -> None:
    few, enough = (told(facts(pairings(n_early=n))) for n in (19, 20))
    assert (few[1], enough[1]) == ("too_few", "measured")
    assert not any(row["shown"] for row in few[0].values())
    assert all(row["shown"] for row in enough[0].values())


def test_without_the_facts_it_cannot_be_told() -> None:
    whole = facts(pairings())
    unasked = replace(whole, answers=whole.answers.head(0))
    goalless = replace(whole, goals=whole.goals.head(0))
    unclear = replace(whole, pairings=pairings("see mail of 3 May"))
    for inputs in (unasked, goalless, unclear):
        assert told(inputs) == ({}, "cannot_tell")


def test_an_early_end_without_a_reason_counts_as_a_match_that_did_not_fit() -> None:
    assert told(facts(pairings(None)))[1] == "measured"
