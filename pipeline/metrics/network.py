"""Network: whether mentees say that introductions and opportunities come out of the mentoring."""

import pandas as pd

from pipeline.metric import Example, Facts, by_side, metric


@metric(
    label={"en": "Network", "de": "Netzwerk"},
    definition={
        "en": "Whether mentees say that introductions and opportunities come out of the mentoring.",
        "de": "Ob aus dem Mentoring für Mentees Kontakte und Gelegenheiten entstehen.",
    },
    formula="mean score of the mentees",
    constructs=("network",),
    sides=("mentee",),
    example=Example(
        given="""
            pairing  side    construct score
            P1       mentee  network   75
            P2       mentee  network   100
            P3       mentee  network   0
        """,
        expected={"mentee": 58.33},
    ),
)
def network(facts: Facts) -> pd.DataFrame:
    return by_side(facts, mentor="network", mentee="network")
