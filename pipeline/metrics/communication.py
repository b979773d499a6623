"""Communication: how far both feel heard and understood and talk openly."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Communication", "de": "Austausch"},
    definition={
        "en": "How far both feel heard and understood and talk openly.",
        "de": "Wie weit sich beide gehört und verstanden fühlen und offen miteinander reden.",
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("communication",),
    example=Example(
        given="""
            pairing  side    construct     score
            P1       mentor  communication 50
            P2       mentor  communication 25
            P1       mentee  communication 50
            P2       mentee  communication 0
            P3       mentee  communication 75
        """,
        expected={"mentor": 37.5, "mentee": 41.67, "both": 39.58},
    ),
)
def communication(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="communication", mentee="communication")
