"""Holds what one round's evidence is made from, in one order whatever order it came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from pipeline.metric import Metric
from surveys.questionnaire import Questionnaire

KEY = ["round_number", "pairing_id", "side"]
IDS = ("round_id", "pairing_id", "side", "person_id", "mentor_id", "question_id", "construct")


@dataclass(frozen=True, kw_only=True)
class RoundFacts:
    """`rated`, `invited` and `goal_ratings` are of the rounds 1 … this one, `scored` of this one.

    `asked` is construct → the sides that this pulse may ask it; `questionnaires` by round id; `seed` names
    the release, for draws that come out the same whenever it is rebuilt.
    """

    round_id: str
    pulse: str
    rated: pd.DataFrame
    scored: pd.DataFrame
    invited: pd.DataFrame
    goal_ratings: pd.DataFrame
    questionnaires: Mapping[str, Questionnaire]
    asked: Mapping[str, set[str]]
    metrics: Mapping[str, Metric]
    seed: str

    def __post_init__(self) -> None:
        for name, more in (("rated", "question_id"), ("scored", "construct"), ("goal_ratings", "goal_id")):
            ordered = getattr(self, name).sort_values([*KEY, more], ignore_index=True)
            object.__setattr__(self, name, _counted(ordered) if name == "rated" else ordered)
        object.__setattr__(self, "invited", self.invited.sort_values(KEY, ignore_index=True))

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

    def items_by_round(self, construct: str, side: str) -> list[set[str]]:
        """For each round so far, the construct's items that its forms may ask of a side."""
        return [_possible(self.questionnaires[id_], pulse, construct, side) for id_, pulse in self.pulses]

    def now(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Its rows of this round."""
        return frame[frame["round_id"] == self.round_id]


def _counted(rated: pd.DataFrame) -> pd.DataFrame:
    """Ids as categories, which group in a fraction of the time that texts take."""
    return rated.assign(**{name: rated[name].astype("category") for name in IDS})


def _possible(questionnaire: Questionnaire, pulse: str, construct: str, side: str) -> set[str]:
    items = {each.id: each for each in questionnaire.of_construct(construct, side)}
    form = questionnaire.pulses.get(pulse)
    if form is None:  # another tool's round asks what it likes
        return set(items)
    drawn = {id_ for id_, each in items.items() if each.placing == "rotating"} if form.seats else set()
    return drawn | (set(items) & {*form.fixed.get(side, ()), *form.fill})
