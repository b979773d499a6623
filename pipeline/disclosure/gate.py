"""Decides which numbers of a candidate release are shown.

First each number by itself (`alone`). Then all of a metric and side together, as a reader knows them: what can be
worked out from the sums and the scale (`audit`), and from the last release (`difference`). Then the groups that are
withheld are told as one where that is safe (`merging`). Last, all counts of a side together (`silence`).
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pandas as pd

from pipeline.disclosure.alone import ASKED, all_asked, alone, has_needed, whole_first
from pipeline.disclosure.audit import Auditor
from pipeline.disclosure.crowd import PROGRAMME, Crowd, Key, Shown
from pipeline.disclosure.difference import Before, Sum, tells_of_comers, tells_of_erased
from pipeline.disclosure.ground import Room
from pipeline.disclosure.merging import Merged, candidates
from pipeline.disclosure.rooms import rooms_of, said, scale_of
from pipeline.disclosure.silence import telling_counts
from pipeline.disclosure.thresholds import Thresholds
from pipeline.disclosure.together import Release, telling_together
from pipeline.metric import Metric


class Decision(NamedTuple):
    """Whether each number is shown; of those that could be, how far their sums may move unseen; and merged groups."""

    shown: Shown
    rooms: Mapping[Key, Room]
    merged: Mapping[Key, Merged]

    def without(self, keys: Set[Key], metrics: Mapping[str, Metric]) -> "Decision":
        """The same with more numbers withheld, and what rests on them."""
        shown = {key: is_shown and key not in keys for key, is_shown in self.shown.items()}
        return self._replace(shown=_with_all_needed(shown, metrics))


def decide(
    crowds: Mapping[Key, Crowd],
    metrics: Mapping[str, Metric],
    thresholds: Thresholds,
    respondents: Mapping[str, int],
    *,
    told: Mapping[tuple[str, str], pd.DataFrame],
    errors: Mapping[Key, float],
    earlier: Sequence[Before] = (),
) -> Decision:
    """Whether each number is shown, and what room its rounding leaves.

    `respondents`: how many people of each side answered in the round. `told`: who said what, by metric and side, as
    `measure` gives it; `errors`: the standard error of every mean, which decides how finely it is told. `earlier`: the
    programme's releases so far, the newest first.
    """
    tiny = {side for side, n in respondents.items() if n < thresholds.respondents_n}
    candidate = _Candidate(crowds, metrics, thresholds, tiny, told, errors, earlier)
    for metric in _foundations_first(metrics):
        for side in metric.sides:
            candidate.decide(metric, side)
    shown = _with_all_needed(candidate.shown, metrics)
    behind = {**crowds, **{key: each.crowd for key, each in candidate.merged.items()}}
    telling = {
        key
        for side in ("mentor", "mentee")
        if (ASKED, side) in told
        for key in telling_counts(shown, behind, told[ASKED, side], side)
    }
    return Decision(shown=shown, rooms=candidate.rooms, merged=candidate.merged).without(telling, metrics)


@dataclass
class _Candidate:
    """A candidate release while it is decided on, one metric and side after the other."""

    crowds: Mapping[Key, Crowd]
    metrics: Mapping[str, Metric]
    thresholds: Thresholds
    tiny: set[str]
    told: Mapping[tuple[str, str], pd.DataFrame]
    errors: Mapping[Key, float]
    earlier: Sequence[Before]
    shown: Shown = field(default_factory=dict)
    rooms: dict[Key, Room] = field(default_factory=dict)
    merged: dict[Key, Merged] = field(default_factory=dict)

    def decide(self, metric: Metric, side: str) -> None:
        keys = [key for key in self.crowds if key.metric == metric.id and key.side == side]
        if len(metric.sides) > 1 and side == "both" and (metric.id, side) not in self.told:
            self._follow_the_sides(keys)
            return
        self.shown.update(alone(keys, self.crowds, metric, self.thresholds, self.tiny, self.shown))
        if (metric.id, side) in self.told:
            self._audit(keys, metric, self.told[metric.id, side])
            if metric.unit == "points" and side != "both":
                self._merge(keys, metric, self.told[metric.id, side])
                self._hold_together(metric, side)

    def _follow_the_sides(self, keys: Iterable[Key]) -> None:
        """A mean of both sides as they are told says nothing beyond them."""
        for key in sorted(keys, key=lambda key: whole_first(key.view)):
            self.shown[key] = self.crowds[key].has(1, key.side) and has_needed(key, self.metrics, self.shown)

    def _audit(self, keys: Iterable[Key], metric: Metric, told: pd.DataFrame) -> None:
        rooms = rooms_of([key for key in keys if self.shown[key]], told, metric, self.errors)
        kept = self._auditor(metric, told).kept(self._without_telling(rooms, metric, told))
        self.shown.update({key: key in kept for key in rooms})
        self.rooms |= rooms

    def _auditor(self, metric: Metric, told: pd.DataFrame) -> Auditor:
        least = None if metric.unit == "share" else self.thresholds.least(metric.minimum_n)
        return Auditor(told=told, scale=scale_of(metric), least=least, colluders=self.thresholds.score_n - 1)

    def _without_telling(self, rooms: Mapping[Key, Room], metric: Metric, told: pd.DataFrame) -> dict[Key, Room]:
        """The numbers that, beside the same one of the last release, tell nothing of those who came or went."""
        return {key: room for key, room in rooms.items() if not self._tells_of_comers(key, room, metric, told)}

    def _hold_together(self, metric: Metric, side: str) -> None:
        """Withhold what, together with all that earlier releases show of it, tells of somebody who came or went."""
        of = (metric.id, side)
        known = [Release(each.told[of], _only(of, _held(each))) for each in self.earlier if of in each.told]
        now = Release(self.told[of], {key: room for key, room in _only(of, self.rooms).items() if self.shown[key]})
        self.shown.update(dict.fromkeys(telling_together(now, known, scale_of(metric)), False))

    def _tells_of_comers(self, key: Key, room: Room, metric: Metric, told: pd.DataFrame) -> bool:
        """Beside the same number of the last release, or one of another metric that is made of the same answers."""
        now = Sum(said=said(told, key), room=room)
        same = [replace(key, metric=each.id) for each in self.metrics.values() if _base(each) == _base(metric)]
        for before in self.earlier[:1]:
            for then in (each for each in same if each in before.rooms):
                if not before.is_whole and key.view != PROGRAMME:
                    return True  # nobody knows any more who left the group
                earlier = Sum(said=said(before.told[then.metric, then.side], then), room=before.rooms[then])
                if tells_of_comers(now, earlier, scale_of(metric), colluders=self.thresholds.score_n - 1):
                    return True
        return key.view != PROGRAMME and any(
            self._tells_of_erased(now, before, then, metric)
            for before in self.earlier[1:]
            for then in same
            if not before.is_whole and then in before.rooms
        )

    def _tells_of_erased(self, now: Sum, before: Before, then: Key, metric: Metric) -> bool:
        """Whether a number, less that of an older release, tells of somebody who was in the group and is erased."""
        left = said(before.told[then.metric, then.side], then)
        earlier = Sum(said=left, room=replace(before.rooms[then], up=0.0, down=0.0))
        return tells_of_erased(now, earlier, scale_of(metric), colluders=self.thresholds.score_n - 1)

    def _merge(self, keys: Iterable[Key], metric: Metric, told: pd.DataFrame) -> None:
        """Show the withheld groups of a view as one, where that is safe beside all that is shown."""
        of_side = list(keys)
        auditor, least = self._auditor(metric, told), self.thresholds.least(metric.minimum_n)
        asked = {key: len(self.crowds.get(all_asked(key), Crowd())) for key in of_side}
        for key, each in candidates(of_side, self.crowds, asked, self.shown, told, self.errors):
            shown = {key: self.rooms[key] for key in of_side if self.shown[key]}
            room = rooms_of([key], told, metric, {key: each.se})[key]
            is_large = each.crowd.has(least, key.side) and each.crowd.end == 0 and each.n_asked > least
            is_alone = not shown or key.side in self.tiny or not is_large
            if not (
                is_alone or self._tells_of_comers(key, room, metric, told) or auditor.suspects({**shown, key: room})
            ):
                self.shown[key], self.rooms[key], self.merged[key] = True, room, each


def _held(before: Before) -> Mapping[Key, Room]:
    """The rooms of an earlier release; none where somebody has been erased since.

    Without them nobody can say any more in which steps it was told, so its readers are taken to know the very sums.
    """
    if before.is_whole:
        return before.rooms
    return {key: replace(room, up=0.0, down=0.0) for key, room in before.rooms.items()}


def _only(of: tuple[str, str], rooms: Mapping[Key, Room]) -> dict[Key, Room]:
    return {key: room for key, room in rooms.items() if (key.metric, key.side) == of}


def _base(metric: Metric) -> set[str]:
    """The constructs whose answers a metric is made of; participation is made of none but its own."""
    return {construct.partition("/")[0] for construct in metric.constructs} or {metric.id}


def _with_all_needed(shown: Shown, metrics: Mapping[str, Metric]) -> Shown:
    """Withhold what rests on a number that the audit took away."""
    found = dict(shown)
    while gone := [key for key, is_shown in found.items() if is_shown and not has_needed(key, metrics, found)]:
        found.update(dict.fromkeys(gone, False))
    return found


def _foundations_first(metrics: Mapping[str, Metric]) -> Iterable[Metric]:
    return sorted(metrics.values(), key=lambda metric: (bool(metric.rests_on), metric.id))
