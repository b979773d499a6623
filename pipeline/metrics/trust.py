"""Trust: what people say about it, by side and for both."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Trust", "de": "Vertrauen"},
    definition={
        "en": (
            "How far each can be honest with the other, rely on them and know that what is said stays between the two."
        ),
        "de": (
            "Wie weit beide ehrlich zueinander sein können, sich aufeinander verlassen und wissen, dass "
            "Gesagtes unter ihnen bleibt."
        ),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("trust",),
    example=Example(
        given="""
            pairing  side    construct score
            P1       mentor  trust     100
            P2       mentor  trust     100
            P1       mentee  trust     0
            P2       mentee  trust     50
            P3       mentee  trust     100
        """,
        expected={"mentor": 100.0, "mentee": 50.0, "both": 75.0},
    ),
)
def trust(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="trust", mentee="trust")
