"""Fit of the match: whether the match is right, and whether it would be safe to say so if it were not."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Fit of the match", "de": "Passung"},
    definition={
        "en": "Whether the match is right, and whether it would be safe to say so if it were not.",
        "de": "Ob die Zusammenstellung passt, und ob man es gefahrlos sagen könnte, wenn nicht.",
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("fit",),
    example=Example(
        given="""
            pairing  side    construct score
            P1       mentor  fit       75
            P2       mentor  fit       75
            P1       mentee  fit       25
            P2       mentee  fit       25
            P3       mentee  fit       25
        """,
        expected={"mentor": 75.0, "mentee": 25.0, "both": 50.0},
    ),
)
def fit(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="fit", mentee="fit")
