"""Recognition: what people say about it, by side and for both."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Recognition", "de": "Anerkennung"},
    definition={
        "en": ("Whether mentees' progress is noticed, and whether mentors see that their time made a difference."),
        "de": (
            "Ob Fortschritte der Mentees bemerkt werden und ob Mentorinnen und Mentoren sehen, was ihre Zeit bewirkt."
        ),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("recognition",),
    example=Example(
        given="""
            pairing  side    construct   score
            P1       mentor  recognition 100
            P2       mentor  recognition 100
            P1       mentee  recognition 75
            P2       mentee  recognition 100
            P3       mentee  recognition 100
        """,
        expected={"mentor": 100.0, "mentee": 91.67, "both": 95.83},
    ),
)
def recognition(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="recognition", mentee="recognition")
