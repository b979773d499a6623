"""Holds what one round's evidence is made from, in one order whatever order it came in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import pandas as pd

from pipeline.disclosure.crowd import Key
from pipeline.disclosure.ground import Room
from pipeline.metric import Metric
from pipeline.score import askable, score
from surveys.questionnaire import SIDES, Questionnaire

KEY = ["round_number", "pairing_id", "side"]
DEALT = 10  # a rotation asks a construct of about a tenth of people or more
IDS = ("round_id", "pairing_id", "side", "person_id", "mentor_id", "question_id", "construct")


@dataclass(frozen=True, kw_only=True)
class RoundFacts:
    """`rated`, `invited`, `goal_ratings` and `answers` are of the rounds 1 … this one, `scored` of this one.

    `goals` and `pairings` are as of its closing day, `closed_days` every round's. `asked` is construct → the sides
    that this pulse may ask it; `questionnaires` by round id; `seed` names the release, for draws that come out the
    same whenever it is rebuilt; `rooms` how far the sums behind the shown scores may move unseen.
    """

    round_id: str
    pulse: str
    answers: pd.DataFrame
    rated: pd.DataFrame
    scored: pd.DataFrame
    invited: pd.DataFrame
    goal_ratings: pd.DataFrame
    goals: pd.DataFrame
    pairings: pd.DataFrame
    closed_days: Mapping[str, date]
    questionnaires: Mapping[str, Questionnaire]
    asked: Mapping[str, set[str]]
    metrics: Mapping[str, Metric]
    seed: str
    rooms: Mapping[Key, Room] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, more in (("rated", "question_id"), ("scored", "construct"), ("goal_ratings", "goal_id")):
            ordered = getattr(self, name).sort_values([*KEY, more], ignore_index=True)
            object.__setattr__(self, name, _counted(ordered) if name == "rated" else ordered)
        object.__setattr__(self, "invited", self.invited.sort_values(KEY, ignore_index=True))
        for name, key in (("goals", "goal_id"), ("pairings", "pairing_id")):
            object.__setattr__(self, name, getattr(self, name).sort_values(key, ignore_index=True))

    @property
    def questionnaire(self) -> Questionnaire:
        return self.questionnaires[self.round_id]

    @cached_property
    def pulses(self) -> list[tuple[str, str]]:
        """Round id and pulse of every round so far, oldest first."""
        rounds = self.invited.drop_duplicates("round_number")
        return [(str(id_), str(pulse)) for id_, pulse in zip(rounds["round_id"], rounds["pulse"], strict=True)]

    @property
    def constructs(self) -> list[str]:
        """The constructs that this pulse asks of any side; a principle of one is none of its own."""
        return sorted(name for name, sides in self.asked.items() if sides and "/" not in name)

    @cached_property
    def said(self) -> Mapping[tuple[str, str], pd.DataFrame]:
        """Construct and side, as far as this round asks them → all that was rated on it so far."""
        grouped = self.rated.groupby(["construct", "side"], observed=True)
        rated = {(str(name), str(side)): rows for (name, side), rows in grouped}
        asked = [(construct, side) for construct in self.constructs for side in sorted(self.asked[construct])]
        return {each: rated.get(each, self.rated.head(0)) for each in asked}

    def scores_so_far(self, enough: int) -> pd.DataFrame:
        """The widely asked constructs as every round's release scored them, by construct, side, pairing and round."""
        names = [name for name in self.constructs if any(self.is_widely_asked(name, side, enough) for side in SIDES)]
        earlier = [self._scored_in(id_, names) for id_, _ in self.pulses if id_ != self.round_id]
        own = self.scored[self.scored["construct"].isin(names)]
        return pd.concat([*earlier, own]).sort_values(["construct", "side", "pairing_id", "round_number"])

    def _scored_in(self, round_id: str, names: list[str]) -> pd.DataFrame:
        number = self.invited.loc[self.invited["round_id"] == round_id, "round_number"].iloc[0]
        until = self.rated[(self.rated["round_number"] <= number) & self.rated["construct"].isin(names)]
        return score(until, self.questionnaires[round_id], round_id=round_id, names=names)

    def is_widely_asked(self, construct: str, side: str, enough: int) -> bool:
        """Whether the design can reach `enough` people with it: on every form, or dealt among ten times as many."""
        return self.is_on_every_form(construct, side) or self._n_invited[side] >= DEALT * enough

    def is_on_every_form(self, construct: str, side: str) -> bool:
        """Whether everyone of a side is asked some of it in this round; another tool's round asks what it likes."""
        form = self.questionnaire.pulses.get(self.pulse)
        own = {each.id for each in self.questionnaire.of_construct(construct, side)}
        return form is None or bool(own & set(form.fixed.get(side, ())))

    @cached_property
    def _n_invited(self) -> Mapping[str, int]:
        people = self.now(self.invited).groupby("side")["person_id"].nunique()
        return {side: int(people.get(side, 0)) for side in SIDES}

    def items_by_round(self, construct: str, side: str) -> list[set[str]]:
        """For each round so far, the construct's items that its forms may ask of a side."""
        return [askable(self.questionnaires[id_], pulse, construct, side) for id_, pulse in self.pulses]

    def now(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Its rows of this round."""
        return frame[frame["round_id"] == self.round_id]


def _counted(rated: pd.DataFrame) -> pd.DataFrame:
    """Ids as categories, which group in a fraction of the time that texts take."""
    return rated.assign(**{name: rated[name].astype("category") for name in IDS})
