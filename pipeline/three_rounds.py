"""Tells a group that was too small in each of three rounds over the three together.

Only in every third round, so that no two pools share a round; only for an attribute (or the programme) of which none
of the three shows a number of this metric and side; and only where the pool passes the same audit as any number,
beside all that the three releases show.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.disclosure.alone import all_asked
from pipeline.disclosure.audit import Auditor
from pipeline.disclosure.crowd import PROGRAMME, TWO_WAY, Crowd, Key, together
from pipeline.disclosure.ground import Room
from pipeline.disclosure.merging import Merged, told_size
from pipeline.disclosure.rooms import members, room_of, scale_of
from pipeline.disclosure.thresholds import Thresholds
from pipeline.disclosure.unions import smallest
from pipeline.metric import Metric

ROUNDS = 3
THREE_ROUNDS = ", 3 rounds"  # follows an attribute's name in a view
IN_ROUND = " in round "  # joins a person and the round of an answer of theirs
SCORED = ("mentor", "mentee")


@dataclass(frozen=True, kw_only=True)
class RoundShown:
    """One of the three rounds: who said what, who stands behind what, and what its release shows with which room."""

    number: int
    told: Mapping[tuple[str, str], pd.DataFrame]
    crowds: Mapping[Key, Crowd]
    errors: Mapping[Key, float]
    shown: Set[Key]
    rooms: Mapping[Key, Room]
    is_whole: bool = True  # nobody who stood behind it has been erased since

    def asked(self, key: Key) -> int:
        """How many of a group's side were asked."""
        return len(self.crowds.get(all_asked(key), Crowd()))


def three_rounds(
    rounds: Sequence[RoundShown], metrics: Iterable[Metric], limits: Thresholds
) -> Iterator[tuple[Key, Merged]]:
    """The pooled groups that may be shown, the view being named after the attribute."""
    for metric in metrics:
        if metric.unit != "points" or metric.is_programme_only:
            continue
        for side in SCORED:
            if all((metric.id, side) in each.told for each in rounds):
                for view in (PROGRAMME, *limits.attributes):
                    yield from _pooled(rounds, metric, side, view, limits)


def _pooled(
    rounds: Sequence[RoundShown], metric: Metric, side: str, view: str, limits: Thresholds
) -> Iterator[tuple[Key, Merged]]:
    of_view = {key for each in rounds for key in each.crowds if _is_of(key, metric, side, view)}
    if any(_is_of(key, metric, side, view) for each in rounds for key in each.shown):
        return
    told = _together(rounds, metric, side)
    found = {}
    for key in sorted(of_view, key=lambda key: key.group):
        crowd = together(each.crowds[key] for each in rounds if key in each.crowds)
        each = _number(rounds, key, crowd, told)
        least = max(limits.least(metric.minimum_n), limits.two_way_n)  # who answers thrice weighs thrice
        if each is not None and crowd.has(least, side) and crowd.end == 0 and each.n_asked > least:
            found[key] = each
    auditor = Auditor(told=_by_person(told), scale=scale_of(metric), least=None, colluders=limits.score_n - 1)
    known = {**_known(rounds, metric, side)}
    rooms = {key: _room(told[members(told, key)], each.se) for key, each in found.items()}
    kept = auditor.kept({**known, **rooms})
    while kept & set(rooms) and _has_small_union(rounds, metric, side, kept & set(rooms), told, limits):
        kept = kept - {min(kept & set(rooms), key=lambda key: (rooms[key].n, key.group))}
    for key in sorted(kept & set(rooms), key=lambda key: key.group):
        yield Key(metric=key.metric, view=view + THREE_ROUNDS, group=key.group, side=side), found[key]


def _is_of(key: Key, metric: Metric, side: str, view: str) -> bool:
    return (key.metric, key.view, key.side) == (metric.id, view, side)


def _together(rounds: Sequence[RoundShown], metric: Metric, side: str) -> pd.DataFrame:
    """Who said what in which of the rounds: one row a person, their groups and round."""
    return pd.concat(
        [each.told[metric.id, side].assign(number=number) for number, each in enumerate(rounds)], ignore_index=True
    )


def _by_person(told: pd.DataFrame) -> pd.DataFrame:
    """One row a person in each of their groups, with the mean of their rounds."""
    keys = [name for name in told.columns if name not in ("value", "number")]
    return told.groupby(keys, as_index=False)["value"].mean()


def _room(said: pd.DataFrame, se: float) -> Room:
    """As much as one person's mean could move: who answered three times moves the sum by three times as much."""
    room, most = room_of(said["value"].tolist(), se), int(said["unit"].value_counts().max())
    return Room(n=said["unit"].nunique(), up=room.up / most, down=room.down / most)


def _number(rounds: Sequence[RoundShown], key: Key, crowd: Crowd, told: pd.DataFrame) -> Merged | None:
    """The mean over all that a group's people said, as if each had spoken once."""
    values = told.loc[members(told, key), "value"]
    spreads = [
        each.errors[key] * np.sqrt(told_size(len(each.crowds[key]), each.asked(key)))
        for each in rounds
        if np.isfinite(each.errors.get(key, np.nan))
    ]
    n_asked = max(each.asked(key) for each in rounds)
    if values.empty or not spreads:
        return None
    se = max(spreads) / np.sqrt(told_size(len(crowd), n_asked))
    return Merged(crowd=crowd, n_asked=n_asked, mean=float(values.mean()), se=float(se))


def _known(rounds: Sequence[RoundShown], metric: Metric, side: str) -> dict[Key, Room]:
    """What all three releases show, over the three together: the programme, and groups of the other attribute."""
    keys = set.intersection(*({key for key in each.shown if _is_one_way(key, metric, side)} for each in rounds))
    return {
        key: Room(
            n=max(each.rooms[key].n for each in rounds),
            up=sum(each.rooms[key].up for each in rounds) / ROUNDS,
            down=sum(each.rooms[key].down for each in rounds) / ROUNDS,
        )
        for key in sorted(keys, key=str)
        if all(key in each.rooms for each in rounds)
    }


def _is_one_way(key: Key, metric: Metric, side: str) -> bool:
    return key.metric == metric.id and key.side == side and TWO_WAY not in key.view


def _has_small_union(
    rounds: Sequence[RoundShown], metric: Metric, side: str, pooled: Set[Key], told: pd.DataFrame, limits: Thresholds
) -> bool:
    """Whether sums of the three releases and the pools add up to one over few people."""
    said = told["unit"] + IN_ROUND + told["number"].astype(str)
    rows = [frozenset(said[members(told, key)]) for key in sorted(pooled, key=str)]
    for number, each in enumerate(rounds):
        is_now = told["number"] == number
        shown = [key for key in each.shown if key.metric == metric.id and key.side == side]
        rows += [frozenset(said[is_now & members(told, key)]) for key in sorted(shown, key=str)]
    return smallest(rows, below=limits.least(metric.minimum_n), person_of=_person) is not None


def _person(said: str) -> str:
    return said.rpartition(IN_ROUND)[0]


def is_due(number: int) -> bool:
    """Whether a round is the third of three."""
    return number % ROUNDS == 0
