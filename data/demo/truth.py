"""States what is true in the made-up company: every number that an estimate should find.

The naive comparison misses on purpose: people who enrol are more ambitious, and ambitious people stay
longer and are more engaged anyway; and who enrols later cannot have left before. Comparing those ever
mentored with everybody else shows about 0.25 times the exits, where the truth is 0.75, and about 0.35
points more engagement, where the truth is 0.15 (`tests/data/test_demo.py` measures both).
"""

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
