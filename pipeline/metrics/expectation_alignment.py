"""Expectation alignment: whether the two mean the same, felt by each and found between their answers."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric, of_pairings, two_sides

NAME = "expectations/P05"


@metric(
    label={"en": "Expectation alignment", "de": "Übereinstimmung der Erwartungen"},
    definition={
        "en": (
            "Mentors and mentees: how far each feels that both mean the same by purpose, scope and roles. "
            "Both: how close the two answers of a pairing are, 100 where they are the same; pairings are "
            "grouped by the mentee."
        ),
        "de": (
            "Je Seite: wie weit beide nach eigenem Eindruck dasselbe unter Zweck, Umfang und Rollen "
            "verstehen. Beide: wie nah die zwei Antworten eines Paares beieinander liegen, 100 bei gleicher Antwort; "
            "Paare werden nach der oder dem Mentee gruppiert."
        ),
    },
    formula="side = mean score on P05; both = 100 − mean over pairings of |mentor − mentee|",
    constructs=(NAME,),
    example=Example(
        given="""
            pairing  side    construct         score
            P1       mentor  expectations/P05  100
            P1       mentee  expectations/P05  50
            P2       mentor  expectations/P05  75
            P2       mentee  expectations/P05  75
            P3       mentee  expectations/P05  25
        """,
        expected={"mentor": 87.5, "mentee": 50.0, "both": 75.0},
    ),
)
def expectation_alignment(facts: Facts) -> pd.DataFrame:
    felt = by_side(facts, mentor=NAME, mentee=NAME)
    pairs = two_sides(facts, NAME)
    found = of_pairings(100 - (pairs["mentor"] - pairs["mentee"]).abs())
    return pd.concat([felt[felt["side"] != "both"], found], ignore_index=True)
