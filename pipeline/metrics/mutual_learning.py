"""Mutual learning: what people say about it, by side and for both."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Mutual learning", "de": "Gegenseitiges Lernen"},
    definition={
        "en": "Whether mentors learn from mentees too, and mentees feel that they give as well as take.",
        "de": (
            "Ob auch Mentorinnen und Mentoren lernen und ob Mentees erleben, dass sie nicht nur nehmen, "
            "sondern auch geben."
        ),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("mutual_learning",),
    example=Example(
        given="""
            pairing  side    construct       score
            P1       mentor  mutual_learning 100
            P2       mentor  mutual_learning 75
            P1       mentee  mutual_learning 50
            P2       mentee  mutual_learning 25
            P3       mentee  mutual_learning 25
        """,
        expected={"mentor": 87.5, "mentee": 33.33, "both": 60.42},
    ),
)
def mutual_learning(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="mutual_learning", mentee="mutual_learning")
