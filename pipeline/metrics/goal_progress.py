"""Goal progress: what people say about it, by side and for both."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Goal progress", "de": "Fortschritt bei Zielen"},
    definition={
        "en": (
            "How clear the mentee's goals are, whether they have milestones and are revisited, and how "
            "far they have come."
        ),
        "de": (
            "Wie klar die Ziele der Mentees sind, ob sie Etappen haben und überprüft werden, und wie "
            "weit sie gediehen sind."
        ),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("goals",),
    example=Example(
        given="""
            pairing  side    construct score
            P1       mentor  goals     50
            P2       mentor  goals     75
            P1       mentee  goals     0
            P2       mentee  goals     75
            P3       mentee  goals     75
        """,
        expected={"mentor": 62.5, "mentee": 50.0, "both": 56.25},
    ),
)
def goal_progress(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="goals", mentee="goals")
