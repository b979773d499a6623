"""The shape of every table that passes between rooms, one pandera class each.

Frames carry the name of their contract in snake case. Scores are 0–100, rates 0–1.
"""

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from data.errors import RapportError

SIDE = {"isin": ["mentor", "mentee"]}


class _Strict(pa.DataFrameModel):
    class Config:
        strict = "filter"
        coerce = True
        ordered = False


class Invited(_Strict):
    """One row is one side of a pairing asked in one round. Key: round_id, pairing_id, side.

    From the store's invitations; to participation and every metric. `attribute_*` columns hold the
    person's reporting attributes (department, location, grade, cohort) as text, "" where unknown.
    """

    programme_id: Series[str]
    round_id: Series[str]
    round_number: Series[int] = pa.Field(ge=1)
    pulse: Series[str]
    pairing_id: Series[str]
    side: Series[str] = pa.Field(**SIDE)
    person_id: Series[str]
    mentor_id: Series[str]
    has_answered: Series[bool]
    cohort: Series[str]
    department: Series[str]
    location: Series[str]
    grade: Series[str]


class Answers(_Strict):
    """One row is one answer of a counted response, as said. Key: round_id, pairing_id, side, question_id.

    From the store; to validate, which turns `value` (text as said) into scored numbers or quarantines it.
    """

    round_id: Series[str]
    round_number: Series[int] = pa.Field(ge=1)
    pulse: Series[str]
    pairing_id: Series[str]
    side: Series[str] = pa.Field(**SIDE)
    person_id: Series[str]
    mentor_id: Series[str]
    question_id: Series[str]
    value: Series[str]


class GoalRatings(_Strict):
    """One row is one side's level of one goal in a counted response. Key: round_id, goal_id, side.

    From the store; to the evidence on goals. `level` −2 … +2, where 0 is what was agreed on.
    """

    round_id: Series[str]
    round_number: Series[int] = pa.Field(ge=1)
    pairing_id: Series[str]
    side: Series[str] = pa.Field(**SIDE)
    person_id: Series[str]
    mentor_id: Series[str]
    goal_id: Series[str]
    level: Series[int] = pa.Field(ge=-2, le=2)


class Goals(_Strict):
    """One row is one goal of a pairing. Key: goal_id.

    From the store; to the evidence on goals and on the rules of support. Never its text.
    """

    goal_id: Series[str]
    pairing_id: Series[str]
    set_on: Series[pd.Timestamp]


class Rated(_Strict):
    """One row is one valid answer on a scale. Key: round_id, pairing_id, side, question_id.

    `points` is 0–100 after reversing: 4 of 5 is 75, and higher is better.
    """

    round_id: Series[str]
    round_number: Series[int] = pa.Field(ge=1)
    pulse: Series[str]
    pairing_id: Series[str]
    side: Series[str] = pa.Field(**SIDE)
    person_id: Series[str]
    mentor_id: Series[str]
    question_id: Series[str]
    construct: Series[str]
    points: Series[float] = pa.Field(ge=0, le=100)


class Scored(_Strict):
    """One row is one side's score on one construct in one round. Key: round_id, pairing_id, side, construct.

    `score` 0–100 (a model-based score may pass the ends a little and is cut there only when shown);
    `n_items` answered items behind it; `is_whole` where the form asked the whole construct; `lowest`
    and `highest` are the ends of the answers behind it. `construct` may name one principle of it:
    "expectations/P05".
    """

    round_id: Series[str]
    round_number: Series[int] = pa.Field(ge=1)
    pairing_id: Series[str]
    side: Series[str] = pa.Field(**SIDE)
    person_id: Series[str]
    mentor_id: Series[str]
    construct: Series[str]
    score: Series[float] = pa.Field(ge=-100, le=200)
    n_items: Series[int] = pa.Field(ge=1)
    is_whole: Series[bool]
    lowest: Series[float] = pa.Field(ge=0, le=100)
    highest: Series[float] = pa.Field(ge=0, le=100)


class Measured(_Strict):
    """One row is one number before the gate. Key: round_id, view, group, side, metric.

    `n_mentors` and `n_mentees` are the distinct people behind the number on each side (0 for a side
    that did not feed it); `se` carries the programme-wide variance only where the view is an attribute.
    Never leaves the pipeline.
    """

    programme_id: Series[str]
    round_id: Series[str]
    view: Series[str]
    group: Series[str]
    side: Series[str] = pa.Field(isin=["mentor", "mentee", "both"])
    metric: Series[str]
    value: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    se: Series[float] = pa.Field(nullable=True)
    n_mentors: Series[int] = pa.Field(ge=0)
    n_mentees: Series[int] = pa.Field(ge=0)
    unit: Series[str]
    claim: Series[str]


class Published(_Strict):
    """One row is one number that anyone may ever see, or the one sentence that stands for it.

    Key: release, view, group, side, metric. value, low, high and n are null where not shown.
    """

    programme: Series[str]
    release: Series[str]
    round: Series[str]
    view: Series[str]
    group: Series[str]
    side: Series[str] = pa.Field(isin=["mentor", "mentee", "both"])
    metric: Series[str]
    value: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    unit: Series[str]
    claim: Series[str]
    shown: Series[bool]
    reason: Series[str]


def conform(contract: type[pa.DataFrameModel], frame: pd.DataFrame) -> pd.DataFrame:
    """The frame in its contract's shape; a bad table stops loudly, and never echoes a value."""
    try:
        conformed: pd.DataFrame = contract.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        failures = error.failure_cases[["column", "check"]].drop_duplicates()
        told = ", ".join(f"{row.column}: {row.check}" for row in failures.head(5).itertuples())
        raise RapportError(f"The table {contract.__name__} is not in its shape ({told}).") from None
    return conformed
