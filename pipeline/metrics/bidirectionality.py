"""Bidirectionality: what each side gets that tradition says only the other one gets."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Bidirectionality", "de": "Gegenseitigkeit"},
    definition={
        "en": (
            "Whether mentoring runs both ways: mentors say how much they learn from their mentee, "
            "mentees how much they feel they give."
        ),
        "de": (
            "Ob Mentoring in beide Richtungen wirkt: Mentorinnen und Mentoren sagen, wie viel sie lernen, "
            "Mentees, wie viel sie nach ihrem Eindruck geben."
        ),
    },
    formula="mentor = mean score on P30; mentee = mean score on P31; both = mean of the two",
    constructs=("mutual_learning/P30", "mutual_learning/P31"),
    example=Example(
        given="""
            pairing  side    construct            score
            P1       mentor  mutual_learning/P30  75
            P2       mentor  mutual_learning/P30  100
            P1       mentee  mutual_learning/P31  50
            P2       mentee  mutual_learning/P31  25
        """,
        expected={"mentor": 87.5, "mentee": 37.5, "both": 62.5},
    ),
)
def bidirectionality(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="mutual_learning/P30", mentee="mutual_learning/P31")
