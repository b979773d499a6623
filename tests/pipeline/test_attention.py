"""The "may need support" rules, day by day, and what they were worth on past programmes."""

import io
from dataclasses import replace

import pandas as pd
import pytest

from data.errors import RapportError
from pipeline.attention import Facts, Rules, alarms, measure_rules, needs_support

DAY = pd.Timestamp


def table(text: str) -> pd.DataFrame:
    frame = pd.read_csv(io.StringIO(text), sep=r"\s+", dtype=str)
    return frame.replace("-", pd.NA)


def facts(**more: str) -> Facts:
    texts = {
        "pairings": """
            pairing_id  started_on  ended_on
            P1          2026-01-01  -
            P2          2026-01-01  2026-03-15
            P3          2026-01-01  -
        """,
        "meetings": """
            pairing_id  reported_on
            P1          2026-01-20
            P1          2026-03-10
            P2          2026-01-15
            P3          2026-01-25
            P3          2026-02-20
            P3          2026-03-20
        """,
        "goals": """
            pairing_id  set_on
            P1          2026-01-10
            P3          2026-02-20
        """,
        "requests": """
            pairing_id  requested_on  handled_on
            P3          2026-03-01    2026-03-03
        """,
    }
    return Facts(**{name: table(text) for name, text in (texts | more).items()})


def test_the_list_of_a_day() -> None:
    listed = needs_support(facts(), today=DAY("2026-03-02"))
    assert listed[["pairing_id", "rule"]].to_numpy().tolist() == [
        ["P1", "no_meeting"],
        ["P2", "no_goals"],
        ["P2", "no_meeting"],
        ["P3", "contact"],
    ]
    assert listed["since"].tolist() == [DAY("2026-02-19"), DAY("2026-02-12"), DAY("2026-02-14"), DAY("2026-03-01")]
    assert "silence is unknown" in listed["reason"][0]
    assert set(listed.columns) == {"pairing_id", "rule", "since", "reason"}


def test_an_alarm_stands_until_it_is_answered() -> None:
    found = alarms(facts(), until=DAY("2026-03-31")).astype(str).to_numpy().tolist()
    assert found == [
        ["P1", "no_meeting", "2026-02-19", "2026-03-10"],
        ["P2", "no_goals", "2026-02-12", "2026-03-15"],
        ["P2", "no_meeting", "2026-02-14", "2026-03-15"],
        ["P3", "no_goals", "2026-02-12", "2026-02-20"],
        ["P3", "contact", "2026-03-01", "2026-03-03"],
    ]
    assert needs_support(facts(), today=DAY("2026-03-31")).empty


def test_the_day_counts_and_not_what_is_known_later() -> None:
    """A meeting reported on the 30th day is in time; one day later it is not, and only then is it listed."""
    late = facts(meetings="pairing_id reported_on\nP1 2026-01-31\nP3 2026-02-01")
    found = alarms(late, until=DAY("2026-02-20"))
    assert found.loc[found["rule"] == "no_meeting", "pairing_id"].tolist() == ["P2", "P3"]
    assert needs_support(late, today=DAY("2026-01-30")).empty
    assert needs_support(late, today=DAY("2026-01-31"))["pairing_id"].tolist() == ["P2", "P3"]


def test_between_two_rounds_nobody_can_report_and_nothing_is_raised() -> None:
    closings = tuple(DAY(day) for day in ("2026-01-20", "2026-03-10", "2026-04-20"))
    known = replace(facts(), asked_on=closings)
    raised = alarms(known, until=DAY("2026-04-25"))
    silent = raised[raised["rule"] == "no_meeting"]
    # P1 reported on both closings, so only the third raises it; P3 met last on 20 March, and 30 days end on 19 April
    of_p1 = silent.loc[silent["pairing_id"] == "P1", "raised_on"].tolist()
    assert of_p1 == [DAY("2026-04-20")]
    assert set(silent["raised_on"]) <= set(closings)
    early = alarms(known, until=DAY("2026-03-09"))
    assert "no_meeting" not in set(early["rule"])


def test_silence_from_the_start_counts_from_the_start() -> None:
    nothing = facts(meetings="pairing_id reported_on", goals="pairing_id set_on", requests="pairing_id requested_on")
    listed = needs_support(nothing, today=DAY("2026-02-12"))
    assert listed.groupby("rule")["pairing_id"].agg(list).to_dict() == {
        "no_goals": ["P1", "P2", "P3"],
        "no_meeting": ["P1", "P2", "P3"],
    }
    strict = Rules(days_without_meeting=60, weeks_without_goals=8)
    assert needs_support(nothing, today=DAY("2026-02-12"), rules=strict).empty


def test_what_the_rules_were_worth() -> None:
    """P2 ended badly 31 days after its first alarm; three of the other alarms were false, in 6.7 months."""
    found = measure_rules(facts(), ended_badly=pd.Series(["P2"]), until=DAY("2026-06-30"))
    assert (found.n_pairings, found.n_ended_badly, found.n_alarms) == (3, 1, 7)
    assert found.recall == 1.0
    assert 0 < found.recall_low < found.recall_high <= 1
    assert found.lead_days == 31
    months = (180 + 73 + 180) / 30.4375
    assert found.pairing_months == pytest.approx(months)
    # P1's and P3's alarms of April 9 and 19 still stand and are less than 90 days old: not yet false
    assert found.false_alarms == pytest.approx(100 * 3 / months)


def test_a_bad_end_that_nothing_announced_is_missed() -> None:
    sudden = facts(
        pairings="pairing_id started_on ended_on\nP1 2026-01-01 2026-01-20\nP2 2026-01-01 -",
        goals="pairing_id set_on\nP2 2026-01-05",
        requests="pairing_id requested_on",
    )
    found = measure_rules(sudden, ended_badly=pd.Series(["P1"]), until=DAY("2026-02-01"))
    assert (found.recall, found.n_ended_badly) == (0.0, 1)
    assert pd.isna(found.lead_days)
    quiet = measure_rules(sudden, ended_badly=pd.Series([], dtype=str), until=DAY("2026-02-01"))
    assert pd.isna(quiet.recall)


def test_facts_without_their_columns_are_refused() -> None:
    with pytest.raises(RapportError, match="pairing_id and reported_on"):
        alarms(facts(meetings="pairing_id met\nP1 2026-01-01"), until=DAY("2026-03-01"))
