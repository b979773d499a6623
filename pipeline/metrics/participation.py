"""Participation: how many of the people who were asked answered."""

import pandas as pd

from pipeline.metric import Example, Facts, metric


@metric(
    label={"en": "Participation", "de": "Beteiligung"},
    definition={
        "en": (
            "Of the people asked, the share that answered, taken from the middle of the step of five in which "
            "their number lies, so that nobody can tell whether one person answered; a group's share is shown "
            "only where its trust score is."
        ),
        "de": (
            "Anteil der Gefragten, die geantwortet haben, aus der Mitte des Fünferschritts, in dem ihre Zahl "
            "liegt, damit niemand erkennt, ob eine einzelne Person geantwortet hat; für eine Gruppe nur "
            "gezeigt, wo ihr Vertrauenswert gezeigt wird."
        ),
    },
    formula="middle of the step of 5 that holds the people who answered / people asked; Wilson interval over the step",
    constructs=(),
    unit="share",
    scale=(0.0, 1.0),
    rests_on=("trust",),
    example=Example(
        given="\n".join(
            ["pairing side answered"]
            + [f"P{k} mentor {'yes' if k <= 12 else 'no'}" for k in range(1, 21)]
            + [f"P{k} mentee {'yes' if k <= 20 else 'no'}" for k in range(1, 21)]
        ),
        expected={"mentor": 0.6, "mentee": 0.88, "both": 0.74},
    ),
)
def participation(facts: Facts) -> pd.DataFrame:
    invited = facts.invited
    each = pd.DataFrame(
        {
            "side": invited["side"],
            "part": invited["side"],
            "pairing_id": invited["pairing_id"],
            "value": invited["has_answered"].astype(float),
            "lowest": invited["has_answered"].astype(float),
            "highest": invited["has_answered"].astype(float),
        }
    )
    return pd.concat([each, each.assign(side="both")], ignore_index=True)
