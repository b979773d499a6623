"""Preparation: how well the other comes prepared: mentors say it of mentees, mentees of mentors."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Preparation", "de": "Vorbereitung"},
    definition={
        "en": "How well the other comes prepared: mentors say it of mentees, mentees of mentors.",
        "de": (
            "Wie gut sich die andere Seite vorbereitet: Mentorinnen und Mentoren sagen es über Mentees und umgekehrt."
        ),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("preparation",),
    example=Example(
        given="""
            pairing  side    construct   score
            P1       mentor  preparation 75
            P2       mentor  preparation 75
            P1       mentee  preparation 100
            P2       mentee  preparation 0
            P3       mentee  preparation 75
        """,
        expected={"mentor": 75.0, "mentee": 58.33, "both": 66.67},
    ),
)
def preparation(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="preparation", mentee="preparation")
