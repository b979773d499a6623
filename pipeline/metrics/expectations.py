"""Expectations: how clear the two are about purpose, roles, rhythm and limits of their mentoring."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Expectations", "de": "Erwartungen"},
    definition={
        "en": "How clear the two are about purpose, roles, rhythm and limits of their mentoring.",
        "de": "Wie klar den beiden Zweck, Rollen, Rhythmus und Grenzen ihres Mentorings sind.",
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("expectations",),
    example=Example(
        given="""
            pairing  side    construct    score
            P1       mentor  expectations 25
            P2       mentor  expectations 25
            P1       mentee  expectations 0
            P2       mentee  expectations 50
            P3       mentee  expectations 25
        """,
        expected={"mentor": 25.0, "mentee": 25.0, "both": 25.0},
    ),
)
def expectations(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="expectations", mentee="expectations")
