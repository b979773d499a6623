"""Adaptation: whether the two look at how their mentoring is going and change what does not work."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Adaptation", "de": "Anpassung"},
    definition={
        "en": "Whether the two look at how their mentoring is going and change what does not work.",
        "de": "Ob die beiden darauf schauen, wie ihr Mentoring läuft, und ändern, was nicht passt.",
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("adaptation",),
    example=Example(
        given="""
            pairing  side    construct  score
            P1       mentor  adaptation 100
            P2       mentor  adaptation 75
            P1       mentee  adaptation 100
            P2       mentee  adaptation 50
            P3       mentee  adaptation 25
        """,
        expected={"mentor": 87.5, "mentee": 58.33, "both": 72.92},
    ),
)
def adaptation(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="adaptation", mentee="adaptation")
