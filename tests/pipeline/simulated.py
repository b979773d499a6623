"""Makes up a programme of any size from the demo's written-down truths, without a store."""

import random
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from data.contracts import Answers, GoalRatings, Goals, Invited, conform
from data.demo.answering import Respondents
from data.store.people import Programme
from data.store.rounds import Round
from pipeline.ingest import PAIRING, Inputs
from surveys.forms import asked, assign_forms
from surveys.questionnaire import ours
from tests.pipeline.stored import DEPARTMENTS, START

SIDES = ("mentor", "mentee")


def simulated(n: int, pulses: Sequence[str], *, seed: int = 5, attributes: tuple[str, ...] = ("department",)) -> Inputs:
    """`n` pairings (every sixth mentor has two), one round a pulse, each mentee's goal rated by both."""
    respondents, rows, invited, rated = Respondents(np.random.default_rng(seed)), [], [], []
    for number, pulse in enumerate(pulses, start=1):
        for side in SIDES:
            dealt = assign_forms(ours(), pulse, side, [f"P{k}" for k in range(n)], number, random.Random(seed))
            for k in range(n):
                about = _about(k, side, number, pulse)
                filled = respondents.fill(
                    pairing_id=about["pairing_id"], person_id=about["person_id"], side=side, language="en",
                    round_number=number, questions=asked(ours(), pulse, side, dealt[f"P{k}"]), goal_ids=[f"G{k}"],
                )  # fmt: skip
                groups = {"cohort": "", "department": DEPARTMENTS[k % 4], "location": "", "grade": ""}
                invited.append({**about, **groups, "programme_id": "P", "has_answered": filled is not None})
                if filled is not None:
                    rows += [{**about, "question_id": id_, "value": value} for id_, value in filled.answers.items()]
                    rated += [{**about, "goal_id": id_, "level": level} for id_, level in filled.goal_levels.items()]
    return _inputs(rows, invited, rated, pulses, attributes)


def _about(k: int, side: str, number: int, pulse: str) -> dict[str, object]:
    mentor = f"mentor {k - 1 if k % 6 == 5 else k}"
    who = {"pairing_id": f"P{k}", "side": side, "mentor_id": mentor}
    return {
        **who,
        "person_id": mentor if side == "mentor" else f"mentee {k}",
        "round_id": f"R{number}",
        "round_number": number,
        "pulse": pulse,
    }


def goals_of(rated: pd.DataFrame) -> pd.DataFrame:
    """Every goal that was rated, set on the first day."""
    goals = rated[["goal_id", "pairing_id"]].drop_duplicates().reset_index(drop=True)
    return conform(Goals, goals.assign(set_on=pd.Timestamp(START.date())))


def _inputs(
    rows: list[dict[str, object]],
    invited: list[dict[str, object]],
    rated: list[dict[str, object]],
    pulses: Sequence[str],
    attributes: tuple[str, ...],
) -> Inputs:
    ids = [f"R{number}" for number in range(1, len(pulses) + 1)]
    last = Round(
        round_id=ids[-1],
        programme_id="P",
        number=len(ids),
        pulse=pulses[-1],
        snapshot_id="s",
        opens_at=START,
        closes_at=START + timedelta(days=14),
    )
    return Inputs(
        programme=Programme(programme_id="P", name="P", created_at=START, decisions={"attributes": list(attributes)}),
        round=last,
        closed_on=START.date(),
        questionnaires=dict.fromkeys(ids, ours()),
        snapshot_ids=dict.fromkeys(ids, "s"),
        answers=conform(Answers, pd.DataFrame(rows, columns=list(Answers.to_schema().columns))),
        invited=conform(Invited, pd.DataFrame(invited)),
        closed_days={id_: (START + timedelta(days=14 + 42 * k)).date() for k, id_ in enumerate(ids)},
        goal_ratings=conform(GoalRatings, pd.DataFrame(rated, columns=list(GoalRatings.to_schema().columns))),
        goals=goals_of(pd.DataFrame(rated, columns=["goal_id", "pairing_id"])),
        pairings=pd.DataFrame(columns=PAIRING),
    )
