"""Makes up programmes of a few questions, many rounds and planted truths, without a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from data.contracts import Answers, GoalRatings, Goals, Invited, conform
from data.store.people import Programme
from data.store.rounds import Round
from pipeline.ingest import PAIRING, Inputs
from tests.pipeline.made_up import question, questionnaire
from tests.pipeline.stored import START

SIDES = ("mentor", "mentee")
ANCHORS = {"honest": "trust", "open": "trust", "well_spent": "satisfaction", "progress": "goals"}
ASKED = questionnaire(
    [
        *(question(id_, construct, placing="anchor") for id_, construct in ANCHORS.items()),
        question("met_since", "operational", kind="yes_no", placing="operational"),
        question("contact_me", "operational", kind="yes_no", placing="operational"),
    ],
    {"pulse": tuple(ANCHORS)},
)
DAY = START.date()
WEEKS_APART = 6


def closes_on(number: int) -> date:
    """The closing day of round 1, 2 …"""
    return DAY + timedelta(weeks=WEEKS_APART * (number - 1) + 2)


@dataclass
class Truth:
    """Levels (0–100) by pairing, side, round and item of a programme; `noise` is the SD of one answer."""

    levels: np.ndarray
    noise: float = 14.0

    def answers(self, rng: np.random.Generator) -> np.ndarray:
        """Points tapped, 1 to 5."""
        told = self.levels + self.noise * rng.standard_normal(self.levels.shape)
        return np.clip(np.round(told / 25), 0, 4).astype(int) + 1


def people(rng: np.random.Generator, n: int, rounds: int, *, between: float = 14.0, day: float = 6.0) -> np.ndarray:
    """Levels of people who stay the same up to days: pairings × sides × rounds × items."""
    own = 55 + between * rng.standard_normal((n, 2, 1, 1))
    return own + day * rng.standard_normal((n, 2, rounds, 1)) + np.zeros((n, 2, rounds, len(ANCHORS)))


def programme(tapped: np.ndarray, *, is_silent: np.ndarray | None = None) -> Inputs:
    """Everybody answers everything, but who is silent (pairings × sides × rounds); every mentor has one mentee."""
    n, _, rounds, _ = tapped.shape
    silent = np.zeros(tapped.shape[:3], dtype=bool) if is_silent is None else is_silent
    invited, rows = [], []
    for k in range(n):
        for at, side in enumerate(SIDES):
            for number in range(1, rounds + 1):
                who = {"pairing_id": f"P{k:03}", "side": side, "person_id": f"{side} {k:03}", "mentor_id": f"M{k:03}"}
                about = {**who, "round_id": f"R{number}", "round_number": number, "pulse": "pulse"}
                answers = not silent[k, at, number - 1]
                groups = dict.fromkeys(("cohort", "department", "location", "grade"), "")
                invited.append({**about, **groups, "programme_id": "P", "has_answered": answers})
                if answers:
                    told = zip(ANCHORS, tapped[k, at, number - 1], strict=True)
                    rows += [{**about, "question_id": id_, "value": str(value)} for id_, value in told]
    return _inputs(pd.DataFrame(rows, columns=list(Answers.to_schema().columns)), pd.DataFrame(invited), rounds)


def silent_programme(n: int, rounds: int) -> Inputs:
    """Everybody is asked and nobody answers, for what does not rest on answers."""
    return programme(np.zeros((n, 2, rounds, len(ANCHORS)), dtype=int), is_silent=np.ones((n, 2, rounds), dtype=bool))


def _inputs(answers: pd.DataFrame, invited: pd.DataFrame, rounds: int) -> Inputs:
    ids = [f"R{number}" for number in range(1, rounds + 1)]
    last = Round(
        round_id=ids[-1],
        programme_id="P",
        number=rounds,
        pulse="pulse",
        snapshot_id="s",
        opens_at=START,
        closes_at=START,
    )
    return Inputs(
        programme=Programme(programme_id="P", name="P", created_at=START, decisions={"attributes": []}),
        round=last,
        closed_on=closes_on(rounds),
        questionnaires=dict.fromkeys(ids, ASKED),
        snapshot_ids=dict.fromkeys(ids, "s"),
        closed_days={id_: closes_on(number) for number, id_ in enumerate(ids, 1)},
        answers=conform(Answers, answers),
        invited=conform(Invited, invited),
        goal_ratings=conform(GoalRatings, pd.DataFrame(columns=list(GoalRatings.to_schema().columns))),
        goals=conform(Goals, pd.DataFrame(columns=["goal_id", "pairing_id", "set_on"])),
        pairings=pd.DataFrame(columns=PAIRING),
    )


def rated_goals(reached_in: Sequence[int], rounds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """GoalRatings and Goals: one goal a pairing, set when round 1 closes, at −1 until the round that reaches it."""
    rows = [
        {
            "round_id": f"R{number}", "round_number": number, "pairing_id": f"P{k:03}", "side": side,
            "person_id": f"{side} {k:03}", "mentor_id": f"M{k:03}", "goal_id": f"G{k:03}",
            "level": 0 if reached and number >= reached else -1,
        }
        for k, reached in enumerate(reached_in) for side in SIDES for number in range(1, rounds + 1)
    ]  # fmt: skip
    goals = [{"goal_id": f"G{k:03}", "pairing_id": f"P{k:03}", "set_on": closes_on(1)} for k in range(len(reached_in))]
    return conform(GoalRatings, pd.DataFrame(rows)), conform(Goals, pd.DataFrame(goals))
