"""Participation: how many of the people who were asked answered."""

import pandas as pd

from pipeline.metric import Example, Facts, metric


@metric(
    label={"en": "Participation", "de": "Beteiligung"},
    definition={
        "en": (
            "Of the people asked, the share that answered. Both counts are rounded down to steps of five "
            "first, so that nobody can tell whether one person answered; a group's share is shown only "
            "where its trust score is."
        ),
        "de": (
            "Anteil der Gefragten, die geantwortet haben. Beide Zahlen werden zuvor auf Fünferschritte "
            "abgerundet, damit niemand erkennt, ob eine einzelne Person geantwortet hat; für eine Gruppe "
            "nur gezeigt, wo ihr Vertrauenswert gezeigt wird."
        ),
    },
    formula="people who answered / people asked, both in steps of 5, rounded down; Wilson interval over the steps",
    constructs=(),
    unit="share",
    scale=(0.0, 1.0),
    rests_on=("trust",),
    example=Example(
        given="\n".join(
            ["pairing side answered"]
            + [f"P{k} mentor {'yes' if k <= 8 else 'no'}" for k in range(1, 13)]
            + [f"P{k} mentee {'yes' if k <= 12 else 'no'}" for k in range(1, 13)]
        ),
        expected={"mentor": 0.5, "mentee": 1.0, "both": 0.75},
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
