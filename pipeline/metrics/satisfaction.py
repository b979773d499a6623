"""Satisfaction: what people say about it, by side and for both."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Satisfaction", "de": "Zufriedenheit"},
    definition={
        "en": ("Whether the time is well spent, and whether people would recommend and continue the mentoring."),
        "de": ("Ob die Zeit gut investiert ist und ob Menschen das Mentoring weiterempfehlen und fortsetzen würden."),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("satisfaction",),
    example=Example(
        given="""
            pairing  side    construct    score
            P1       mentor  satisfaction 25
            P2       mentor  satisfaction 50
            P1       mentee  satisfaction 50
            P2       mentee  satisfaction 50
            P3       mentee  satisfaction 50
        """,
        expected={"mentor": 37.5, "mentee": 50.0, "both": 43.75},
    ),
)
def satisfaction(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="satisfaction", mentee="satisfaction")
