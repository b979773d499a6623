"""Decides which numbers of a candidate release are shown.

A number is shown when every side that feeds it has enough distinct people, of enough mentors, they are not
all at the same end of the scale, the numbers it rests on are shown, and what a reader gets by subtracting the
shown groups of an attribute from the programme, or a group from one of another attribute that holds it, is
nobody, or again enough people who are not all at one end.
"""

from collections.abc import Iterable, Mapping

from pipeline.disclosure.crowd import Crowd, Key, together
from pipeline.disclosure.thresholds import Thresholds
from pipeline.metric import Metric

WITHHELD = "Too few people to protect. Here is the programme result instead."
PROGRAMME = "all"
Shown = dict[Key, bool]


def decide(
    crowds: Mapping[Key, Crowd],
    metrics: Mapping[str, Metric],
    thresholds: Thresholds,
    respondents: Mapping[str, int],
) -> Shown:
    """Whether each number is shown. `respondents`: how many people of each side answered in the round."""
    tiny = {side for side, n in respondents.items() if n < thresholds.respondents_n}
    shown: Shown = {}
    for metric in _foundations_first(metrics):
        for side in metric.sides:
            least = thresholds.least(metric.minimum_n)
            keys = [key for key in crowds if key.metric == metric.id and key.side == side]
            for view in sorted({key.view for key in keys}, key=lambda view: (view != PROGRAMME, view)):
                of_view = {key: crowds[key] for key in keys if key.view == view}
                open_ = {key for key in of_view if _is_open(key, of_view[key], metric, least, tiny, shown)}
                earlier = [crowds[key] for key in keys if shown.get(key) and key.view not in (PROGRAMME, view)]
                open_ = {key for key in open_ if not _gives_away(of_view[key], earlier, least, side)}
                kept = open_ if view == PROGRAMME else _without_remainder(of_view, open_, least, side)
                shown.update({key: key in kept for key in of_view})
    return shown


def _foundations_first(metrics: Mapping[str, Metric]) -> Iterable[Metric]:
    return sorted(metrics.values(), key=lambda metric: (bool(metric.rests_on), metric.id))


def _is_open(key: Key, crowd: Crowd, metric: Metric, least: int, tiny: set[str], shown: Mapping[Key, bool]) -> bool:
    """Whether a number could be shown if it stood alone."""
    if not crowd.has(least, key.side):
        return False
    if metric.unit == "points" and (crowd.end != 0 or _feeds(key.side) & tiny):
        return False
    return all(shown.get(needed, False) for needed in _needed(key, metric))


def _feeds(side: str) -> set[str]:
    return {"mentor", "mentee"} if side == "both" else {side}


def _needed(key: Key, metric: Metric) -> Iterable[Key]:
    """The numbers without which this one would give away what they withhold."""
    if key.view != PROGRAMME:
        yield Key(metric=metric.id, view=PROGRAMME, group=PROGRAMME, side=key.side)
        for other in metric.rests_on:
            yield Key(metric=other, view=key.view, group=key.group, side=key.side)
    if key.side == "both":
        for side in set(metric.sides) - {"both"}:
            yield Key(metric=metric.id, view=key.view, group=key.group, side=side)


def _gives_away(crowd: Crowd, earlier: Iterable[Crowd], least: int, side: str) -> bool:
    """Whether a group and one of another attribute, one inside the other, differ by too few people."""
    nested = [pair for other in earlier for pair in ((crowd, other), (other, crowd)) if pair[0].holds(pair[1])]
    return any(not larger.without(smaller).is_safe_remainder(least, side) for larger, smaller in nested)


def _without_remainder(crowds: Mapping[Key, Crowd], open_: set[Key], least: int, side: str) -> set[Key]:
    """Withhold further groups, the smallest first, until the withheld ones together are safe."""
    kept = sorted(open_, key=lambda key: (len(crowds[key]), key.group), reverse=True)
    while kept and not together(crowds[key] for key in crowds if key not in kept).is_safe_remainder(least, side):
        kept.pop()
    return set(kept)
