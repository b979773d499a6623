"""Follow-through: what people say about it, by side and for both."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Follow-through", "de": "Verbindlichkeit"},
    definition={
        "en": "Whether meetings end with clear next steps, and whether these are done by the next meeting.",
        "de": ("Ob Treffen mit klaren nächsten Schritten enden und ob diese bis zum nächsten Treffen getan sind."),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("follow_through",),
    example=Example(
        given="""
            pairing  side    construct      score
            P1       mentor  follow_through 25
            P2       mentor  follow_through 100
            P1       mentee  follow_through 50
            P2       mentee  follow_through 0
            P3       mentee  follow_through 0
        """,
        expected={"mentor": 62.5, "mentee": 16.67, "both": 39.58},
    ),
)
def follow_through(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="follow_through", mentee="follow_through")
