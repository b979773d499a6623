"""Programme support: what people say about it, by side and for both."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Programme support", "de": "Unterstützung durch das Programm"},
    definition={
        "en": "Whether training, framework and support from the organisation are enough to do this well.",
        "de": "Ob Schulung, Rahmen und Unterstützung der Organisation reichen, um es gut zu machen.",
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("programme",),
    example=Example(
        given="""
            pairing  side    construct score
            P1       mentor  programme 50
            P2       mentor  programme 25
            P1       mentee  programme 100
            P2       mentee  programme 0
            P3       mentee  programme 25
        """,
        expected={"mentor": 37.5, "mentee": 41.67, "both": 39.58},
    ),
)
def programme(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="programme", mentee="programme")
