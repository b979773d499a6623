"""Reads from the raw store all that one round's release is made from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from data.errors import RapportError
from data.store.answers import read_answers, read_goal_ratings, read_goals, read_invited
from data.store.engine import Engine, reading
from data.store.people import Pairing, Programme, pairings_of, programme
from data.store.rounds import Round, questionnaire_json, read_round, rounds_of
from pipeline.business_case.plan import PLAN, read_case
from pipeline.staff import Staff, read_staff
from surveys.questionnaire import Questionnaire

PAIRING = ["pairing_id", "mentor_id", "mentee_id", "started_on", "planned_end_on", "ended_on", "end_reason"]


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """One moment's view of a programme's rounds 1 … this one.

    `questionnaires`, `snapshot_ids` and `closed_days` are by round id. `pairings` and `goals` (contract Goals) are
    as of this round's closing day: what begins or ends later is no part of its release.
    """

    programme: Programme
    round: Round
    closed_on: date
    questionnaires: Mapping[str, Questionnaire]
    snapshot_ids: Mapping[str, str]
    closed_days: Mapping[str, date]
    answers: pd.DataFrame
    invited: pd.DataFrame
    goal_ratings: pd.DataFrame
    goals: pd.DataFrame
    pairings: pd.DataFrame
    staff: Staff | None = None
    registered: Mapping[str, Any] = field(default_factory=dict)  # the business case's plan, before any outcome

    @property
    def questionnaire(self) -> Questionnaire:
        return self.questionnaires[self.round.round_id]

    @property
    def invited_now(self) -> pd.DataFrame:
        """Those asked in this round."""
        return self.invited[self.invited["round_id"] == self.round.round_id].reset_index(drop=True)

    @property
    def n(self) -> int:
        """How many answers, invitations and ratings of goals there are."""
        return len(self.answers) + len(self.invited) + len(self.goal_ratings)

    @property
    def n_staff(self) -> int:
        """How many rows there are about everyone eligible."""
        return 0 if self.staff is None else sum(map(len, self.staff.tables))


def ingest(
    raw: Engine,
    *,
    programme_id: str,
    round_id: str,
    key: str = "",
    as_of: datetime | None = None,
    decided: Mapping[str, Any] | None = None,
) -> Inputs:
    """Everything a closed round's release is made from; raises RapportError where it is still open.

    `key` finds the programme's people among the staff; without it there is no business case. `as_of` leaves out what
    HR handed in after that time; `decided` takes the place of entries that the programme decided on since.
    """
    with reading(raw) as connection:
        asked = read_round(connection, round_id)
        if asked.programme_id != programme_id:
            raise RapportError(f"The round {round_id} is not one of the programme {programme_id}.")
        if asked.closed_at is None:
            raise RapportError(f"The round {round_id} still takes answers; its release is made when it closes.")
        upto = [each for each in rounds_of(connection, programme_id) if each.number <= asked.number]
        contents = {each.snapshot_id: questionnaire_json(connection, each.round_id) for each in upto}
        closed_on = asked.closed_at.date()
        of_programme = programme(connection, programme_id)
        of_programme = replace(of_programme, decisions={**of_programme.decisions, **(decided or {})})
        pairings = pairings_of(connection, programme_id)
        plan, given = read_case(of_programme.decisions)
        read = {key: Questionnaire.from_json(content) for key, content in contents.items()}
        return Inputs(
            programme=of_programme,
            round=asked,
            closed_on=closed_on,
            questionnaires={each.round_id: read[each.snapshot_id] for each in upto},
            snapshot_ids={each.round_id: each.snapshot_id for each in upto},
            closed_days={each.round_id: (each.closed_at or each.closes_at).date() for each in upto},
            answers=read_answers(connection, programme_id, asked.number),
            invited=read_invited(connection, programme_id, asked.number),
            goal_ratings=read_goal_ratings(connection, programme_id, asked.number),
            goals=read_goals(connection, programme_id, closed_on),
            pairings=_as_of(pairings, closed_on),
            staff=read_staff(
                connection, pairings, key=key, closed_on=closed_on, as_of=as_of, plan=plan, assumptions=given
            )
            if key
            else None,
            registered=of_programme.decisions.get(PLAN, {}),
        )


def _as_of(pairings: Iterable[Pairing], day: date) -> pd.DataFrame:
    """The pairings begun by a day; an end that lies after it is not known yet."""
    begun = [each for each in pairings if each.started_on <= day]
    known = [
        each if each.ended_on is None or each.ended_on <= day else replace(each, ended_on=None, end_reason=None)
        for each in begun
    ]
    return pd.DataFrame([[getattr(each, name) for name in PAIRING] for each in known], columns=PAIRING, dtype=object)
