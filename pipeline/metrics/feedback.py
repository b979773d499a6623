"""Feedback: how honest, specific and usable feedback is, and how well it is taken, in both directions."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Feedback", "de": "Rückmeldung"},
    definition={
        "en": "How honest, specific and usable feedback is, and how well it is taken, in both directions.",
        "de": (
            "Wie ehrlich, konkret und brauchbar Rückmeldungen sind und wie gut sie angenommen werden, in "
            "beide Richtungen."
        ),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("feedback",),
    example=Example(
        given="""
            pairing  side    construct score
            P1       mentor  feedback  50
            P2       mentor  feedback  50
            P1       mentee  feedback  50
            P2       mentee  feedback  100
            P3       mentee  feedback  75
        """,
        expected={"mentor": 50.0, "mentee": 75.0, "both": 62.5},
    ),
)
def feedback(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="feedback", mentee="feedback")
