"""Learning: what people say about it, by side and for both."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Learning", "de": "Lernen"},
    definition={
        "en": (
            "What mentees say they take away (advice, skills, confidence, independence), and how mentors "
            "see them use it."
        ),
        "de": (
            "Was Mentees mitnehmen (Rat, Fähigkeiten, Zutrauen, Eigenständigkeit) und wie die andere "
            "Seite die Umsetzung sieht."
        ),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("learning",),
    example=Example(
        given="""
            pairing  side    construct score
            P1       mentor  learning  50
            P2       mentor  learning  75
            P1       mentee  learning  75
            P2       mentee  learning  25
            P3       mentee  learning  25
        """,
        expected={"mentor": 62.5, "mentee": 41.67, "both": 52.08},
    ),
)
def learning(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="learning", mentee="learning")
