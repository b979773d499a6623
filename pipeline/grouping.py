"""Proposes reporting groups: the smallest are merged until every one is large enough to be shown.

Nothing is merged across attributes. The same people give the same groups, whatever order they come in.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from data.decisions import EVERYTHING_ELSE, LONGEST_NAME, NOT_STATED

LEAST_INVITED = 16  # a side
NAMED = 3  # values that a merged group's name holds
EVERYONE, OTHERS = "everyone", "others"
SIDES = ("mentor", "mentee")


@dataclass(frozen=True, kw_only=True)
class Group:
    """A reporting group: the values that it stands for, and how many distinct people are invited a side."""

    name: str
    values: tuple[str, ...]
    mentors: int
    mentees: int

    @property
    def smaller_side(self) -> int:
        return min(self.mentors, self.mentees)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The groups of one attribute, largest first; `catch_all` is where a value that is not listed goes."""

    attribute: str
    groups: tuple[Group, ...]
    catch_all: str

    @property
    def mapping(self) -> dict[str, str]:
        """Value → group, as decisions keep it."""
        listed = {value: group.name for group in self.groups for value in group.values}
        return {**dict(sorted(listed.items())), EVERYTHING_ELSE: self.catch_all}


def propose(asked: pd.DataFrame, attribute: str, least: int = LEAST_INVITED) -> Proposal:
    """Groups of at least so many invited a side. `asked`: one row a side of a pairing, with `person_id`.

    As long as a group is too small, the smallest one (by its smaller side, then by name) is merged with the next.
    """
    groups = _each_value(asked, attribute)
    while len(groups) > 1 and groups[0].smaller_side < least:
        groups = _ordered([_merged(asked, attribute, groups[0], groups[1]), *groups[2:]])
    named = [_named(group, alone=len(groups) == 1) for group in groups]
    return _with_catch_all(attribute, named)


def sizes(asked: pd.DataFrame, attribute: str) -> Mapping[str, Group]:
    """How many distinct people a side have each value."""
    return {group.values[0]: group for group in _each_value(asked, attribute)}


def _each_value(asked: pd.DataFrame, attribute: str) -> list[Group]:
    return _ordered([_group(asked, attribute, (value,)) for value in sorted(map(str, asked[attribute].unique()))])


def _merged(asked: pd.DataFrame, attribute: str, one: Group, other: Group) -> Group:
    """Somebody in both counts once."""
    return _group(asked, attribute, tuple(sorted((*one.values, *other.values))))


def _group(asked: pd.DataFrame, attribute: str, values: tuple[str, ...]) -> Group:
    inside = asked[asked[attribute].isin(values)]
    n_people = {side: int(inside.loc[inside["side"] == side, "person_id"].nunique()) for side in SIDES}
    return Group(name=values[0], values=values, mentors=n_people["mentor"], mentees=n_people["mentee"])


def _ordered(groups: list[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: (group.smaller_side, group.values))


def _named(group: Group, *, alone: bool) -> Group:
    """A merged group is called by its values; where nothing is left to compare it is everyone."""
    stated = [value for value in group.values if value != NOT_STATED]
    if alone and len(group.values) > 1:
        return _called(group, EVERYONE)
    if len(group.values) == 1:
        return group
    more = [f"{len(stated) - NAMED + 1} more"] if len(stated) > NAMED else []
    shown = stated[: NAMED - len(more)] + more
    return _called(group, " / ".join([*shown, *([OTHERS] if NOT_STATED in group.values else [])]))


def _with_catch_all(attribute: str, groups: list[Group]) -> Proposal:
    """Who joins later with an unlisted value goes where those without one are, else to the smallest group."""
    home = next((group for group in groups if NOT_STATED in group.values), groups[0])
    if home.values != (NOT_STATED,) and home.name != EVERYONE and OTHERS not in home.name.split(" / "):
        renamed = _called(home, f"{home.name} / {OTHERS}")
        groups = [renamed if group is home else group for group in groups]
        home = renamed
    largest_first = tuple(sorted(groups, key=lambda group: (-group.smaller_side, group.name)))
    return Proposal(attribute=attribute, groups=largest_first, catch_all=home.name)


def _called(group: Group, name: str) -> Group:
    fitting = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].strip()}…"
    return Group(name=fitting, values=group.values, mentors=group.mentors, mentees=group.mentees)
