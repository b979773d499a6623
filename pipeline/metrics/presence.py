"""Presence: what people say about it, by side and for both."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Presence", "de": "Präsenz"},
    definition={
        "en": (
            "Whether the other is there: mentees say how accessible mentors are, mentors how actively "
            "mentees take part."
        ),
        "de": (
            "Ob die andere Seite da ist: Mentees sagen, wie erreichbar, Mentorinnen und Mentoren, wie "
            "aktiv die anderen sind."
        ),
    },
    formula="mean score of a side's people; both = mean of the two sides' means",
    constructs=("presence",),
    example=Example(
        given="""
            pairing  side    construct score
            P1       mentor  presence  75
            P2       mentor  presence  50
            P1       mentee  presence  75
            P2       mentee  presence  0
            P3       mentee  presence  0
        """,
        expected={"mentor": 62.5, "mentee": 25.0, "both": 43.75},
    ),
)
def presence(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="presence", mentee="presence")
