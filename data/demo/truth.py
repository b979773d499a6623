"""States what is true in the made-up company: every number that an estimate should find.

The naive comparison misses on purpose: people who enrol are more ambitious, and ambitious people stay
longer and are more engaged anyway; and who enrols later cannot have left before. Comparing those ever
mentored with everybody else shows about 0.25 times the exits, where the truth is 0.75, and about 0.35
points more engagement, where the truth is 0.15 (`tests/data/test_demo.py` measures both).

`WorkforceTruth`, below, is the same for the larger company.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Retention: monthly voluntary exits.
MONTHLY_EXIT = 0.013  # an average employee's chance of leaving by choice in one month
MONTHLY_OTHER_EXIT = 0.003  # dismissal, retirement and the like
MENTORING_EXIT_RATIO = 0.75  # the true effect: while enrolled and after, three exits instead of four
AMBITION_EXIT_RATIO = 0.65  # per standard deviation of ambition; the confounder
AMBITION_ENROLS = 1.1  # log odds of enrolling per standard deviation of ambition

# Engagement, on a 1–5 scale.
ENGAGEMENT_MEAN = 3.6
ENGAGEMENT_SD = 0.7
MENTORING_ENGAGEMENT = 0.15  # the true effect, in points of the scale
AMBITION_ENGAGEMENT = 0.25  # per standard deviation of ambition

# Answers, on the 0–100 scale before a five-point answer is drawn.
TRUST_FIRST_ROUND = 66.0
CHANGE_A_ROUND = 1.2  # every construct rises by this much from round to round
MENTOR_MINUS_MENTEE = 4.0  # mentors see the relationship a little rosier
PAIRING_SD = 12.0  # pairings differ
PERSON_SD = 8.0  # people differ
OCCASION_SD = 6.0  # the same person differs from round to round
ITEM_SD = 6.0  # some questions are easier to agree with
ANSWER_SD = 14.0  # what is left in one tap

# Constructs that stand out, in points above or below the first round's level.
CONSTRUCT_SHIFT = {"network": -11.0, "recognition": -6.0, "presence": 6.0, "fit": 7.0, "programme": -4.0}

# Who answers.
RESPONSE_RATE = {"mentor": 0.80, "mentee": 0.76}
GERMAN_SHARE = 0.3
COMMENT_SHARE = 0.12


@dataclass(frozen=True, kw_only=True)
class WorkforceTruth:
    """What is true in the larger company (`workforce.py`); hazards are chances a month, ratios multiply them.

    Who enrols is chosen by tenure, grade, department and location, all of which the employment file holds, so an
    estimator that adjusts for them finds the truth. `ambition` is in no file: with `ambition_enrols` above 0 no
    adjustment can find it, which is what the sensitivity analyses are for. Everything that an ambition or a
    characteristic does to voluntary exits it does by half (on the log scale) to the others, and mentoring does
    nothing to those: they are a negative control.

    With these numbers about 18 in 100 of those in the grades of mentees enrol within four years; 7.7 in 100 of them
    leave by choice within 12 months of it, where 10.0 would have, had they not enrolled then: 0.77 times the exits.
    Comparing them with everybody else eligible in the same months shows 0.60 times; comparing everybody ever enrolled
    with everybody never enrolled over the first year shows 0.07 times, because who enrols in the third year cannot
    have left in the first (`tests/data/test_demo_outcomes.py` measures all three).
    """

    exit: float = 0.016  # voluntary, of a new hire in grade G2, Finance, Leeds
    other_exit: float = 0.004  # dismissal, retirement and the like, of the same
    exit_ratio: float = 0.75  # the true effect: from the first month that begins after enrolment
    mentor_exit_ratio: float = 1.0  # mentors stay neither longer nor shorter for it
    enrols: float = 0.004  # a month, of the same new hire once eligible
    engagement: float = 0.15  # the true effect, in points of a five-point scale
    engagement_mean: float = 3.3
    engagement_person_sd: float = 0.35
    engagement_occasion_sd: float = 0.35
    engagement_drift: float = 0.03  # everybody's, from wave to wave
    exit_ratio_a_year: float = 0.92  # of service
    enrols_a_year: float = 0.08  # log odds a year of service
    exit_ratio_of: Mapping[str, float] = field(
        default_factory=lambda: {
            "G1": 1.35, "G3": 0.85, "G4": 0.7, "G5": 0.65,
            "Engineering": 0.8, "Sales": 1.45, "Operations": 1.2, "People": 0.8, "Research": 0.7,
            "Ghent": 1.1, "Turin": 0.9,
        }
    )  # fmt: skip
    enrols_of: Mapping[str, float] = field(  # log odds
        default_factory=lambda: {
            "G1": -0.6, "G3": 0.6,
            "Engineering": 0.4, "Sales": -0.6, "Operations": -0.4, "People": 0.4, "Research": 0.6,
            "Ghent": -0.2, "Turin": 0.3,
        }
    )  # fmt: skip
    ambition_exit_ratio: float = 1.0  # per standard deviation of what no file holds
    ambition_enrols: float = 0.0
    ambition_engagement: float = 0.0
