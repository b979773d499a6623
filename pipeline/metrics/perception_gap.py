"""Perception gap: how much better mentors see the mentoring than their mentees do."""

import pandas as pd

from pipeline.metric import Example, Facts, metric, of_pairings, two_sides

ANCHORS = ("trust", "satisfaction", "goals")


@metric(
    label={"en": "Perception gap", "de": "Wahrnehmungsabstand"},
    definition={
        "en": (
            "Mentor minus mentee on trust, satisfaction and goal progress: above zero, mentors see it "
            "better. Pairings where both answered all three, grouped by the mentee. Comparability not "
            "tested: the two sides may read the questions differently, so no claim is made from it."
        ),
        "de": (
            "Mentorseite minus Menteeseite bei Vertrauen, Zufriedenheit und Zielen: über null sieht es die "
            "Mentorseite besser. Paare, in denen beide alle drei beantwortet haben, gruppiert nach der oder "
            "dem Mentee. Vergleichbarkeit nicht geprüft: beide Seiten können die Fragen verschieden lesen, "
            "daher folgt daraus keine Aussage."
        ),
    },
    formula="mean over pairings of the mean of (mentor − mentee) on trust, satisfaction and goals",
    constructs=ANCHORS,
    sides=("both",),
    higher_is_better=None,
    scale=(-100.0, 100.0),
    prior_sd=35.0,
    rests_on=("trust", "satisfaction", "goal_progress"),
    example=Example(
        given="""
            pairing  side    construct     score
            P1       mentor  trust         100
            P1       mentee  trust         75
            P1       mentor  satisfaction  75
            P1       mentee  satisfaction  75
            P1       mentor  goals         75
            P1       mentee  goals         25
            P2       mentor  trust         50
            P2       mentee  trust         75
            P2       mentor  satisfaction  50
            P2       mentee  satisfaction  75
            P2       mentor  goals         75
            P2       mentee  goals         50
        """,
        expected={"both": 8.33},
    ),
)
def perception_gap(facts: Facts) -> pd.DataFrame:
    gaps = [two_sides(facts, anchor).eval("mentor - mentee").rename(anchor) for anchor in ANCHORS]
    return of_pairings(pd.concat(gaps, axis=1, join="inner").mean(axis=1))
