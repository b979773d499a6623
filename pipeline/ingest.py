"""Reads from the raw store all that one round's release is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from data.errors import RapportError
from data.store.answers import read_answers, read_goal_ratings, read_invited
from data.store.engine import Engine, reading
from data.store.people import Programme, pairings_of, programme
from data.store.rounds import Round, questionnaire_json, read_round, rounds_of
from surveys.questionnaire import Questionnaire


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """One moment's view of a programme's rounds 1 … this one.

    `questionnaires` and `snapshot_ids` are by round id; `pairings` has pairing_id, started_on, ended_on.
    """

    programme: Programme
    round: Round
    closed_on: date
    questionnaires: Mapping[str, Questionnaire]
    snapshot_ids: Mapping[str, str]
    answers: pd.DataFrame
    invited: pd.DataFrame
    goal_ratings: pd.DataFrame
    pairings: pd.DataFrame

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


def ingest(raw: Engine, *, programme_id: str, round_id: str) -> Inputs:
    """Everything a closed round's release is made from; raises RapportError where it is still open."""
    with reading(raw) as connection:
        asked = read_round(connection, round_id)
        if asked.programme_id != programme_id:
            raise RapportError(f"The round {round_id} is not one of the programme {programme_id}.")
        if asked.closed_at is None:
            raise RapportError(f"The round {round_id} still takes answers; its release is made when it closes.")
        upto = [each for each in rounds_of(connection, programme_id) if each.number <= asked.number]
        contents = {each.snapshot_id: questionnaire_json(connection, each.round_id) for each in upto}
        read = {key: Questionnaire.from_json(content) for key, content in contents.items()}
        return Inputs(
            programme=programme(connection, programme_id),
            round=asked,
            closed_on=asked.closed_at.date(),
            questionnaires={each.round_id: read[each.snapshot_id] for each in upto},
            snapshot_ids={each.round_id: each.snapshot_id for each in upto},
            answers=read_answers(connection, programme_id, asked.number),
            invited=read_invited(connection, programme_id, asked.number),
            goal_ratings=read_goal_ratings(connection, programme_id, asked.number),
            pairings=pd.DataFrame(
                [(each.pairing_id, each.started_on, each.ended_on) for each in pairings_of(connection, programme_id)],
                columns=["pairing_id", "started_on", "ended_on"],
            ),
        )
