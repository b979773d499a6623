"""Engagement at work: whether people say that the mentoring makes their own work more engaging."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Engagement at work", "de": "Engagement bei der Arbeit"},
    definition={
        "en": (
            "Whether people say that the mentoring makes their own work more engaging. What they say, not an effect."
        ),
        "de": ("Ob Menschen sagen, dass das Mentoring ihre eigene Arbeit bereichert. Was sie sagen, keine Wirkung."),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("engagement",),
    example=Example(
        given="""
            pairing  side    construct  score
            P1       mentor  engagement 75
            P2       mentor  engagement 100
            P1       mentee  engagement 75
            P2       mentee  engagement 50
            P3       mentee  engagement 75
        """,
        expected={"mentor": 87.5, "mentee": 66.67, "both": 77.08},
    ),
)
def engagement(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="engagement", mentee="engagement")
