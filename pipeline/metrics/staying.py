"""Staying: whether people see their future and growth here."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Staying", "de": "Bleiben"},
    definition={
        "en": (
            "Whether people see their future and growth here. Asked at kickoff and closing, for the "
            "whole programme only, from 20 people a side; nobody has to answer."
        ),
        "de": (
            "Ob Menschen ihre Zukunft und Entwicklung hier sehen. Nur zu Beginn und am Ende, nur für das "
            "ganze Programm, ab 20 Personen je Seite; niemand muss antworten."
        ),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("staying",),
    minimum_n=20,
    is_programme_only=True,
    example=Example(
        given="""
            pairing  side    construct score
            P1       mentor  staying   100
            P2       mentor  staying   75
            P1       mentee  staying   50
            P2       mentee  staying   50
            P3       mentee  staying   25
        """,
        expected={"mentor": 87.5, "mentee": 41.67, "both": 64.58},
    ),
)
def staying(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="staying", mentee="staying")
