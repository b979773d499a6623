"""Says of each number whether it could be shown by itself, and what it needs beside it.

Every side that feeds it has enough distinct people, of enough mentors and not all that were asked; they are not all
at the same end of the scale; the numbers it rests on are shown; and what a reader gets by subtracting the shown
groups of an attribute from the programme, or a group from one of another attribute that holds it, is nobody, or
again enough people who are not all at one end.
"""

from collections.abc import Iterable, Mapping

from pipeline.disclosure.audit import one_way
from pipeline.disclosure.crowd import FEEDING, PROGRAMME, Crowd, Key, Shown, together
from pipeline.disclosure.thresholds import Thresholds
from pipeline.metric import Metric

ASKED = "participation"  # the metric behind which stand all who were asked


def alone(
    keys: Iterable[Key],
    crowds: Mapping[Key, Crowd],
    metric: Metric,
    thresholds: Thresholds,
    tiny: set[str],
    shown: Mapping[Key, bool],
) -> Shown:
    """Whether each number of a metric and side could be shown by itself, one view after the other."""
    found = dict(shown)
    by_view: dict[str, dict[Key, Crowd]] = {}
    for key in keys:
        by_view.setdefault(key.view, {})[key] = crowds[key]
    for view in sorted(by_view, key=whole_first):
        of_view = by_view[view]
        side, is_two_way = next((key.side, key.is_two_way) for key in of_view)
        least = thresholds.least(metric.minimum_n)
        enough = max(least, thresholds.two_way_n) if is_two_way else least
        open_ = {
            key
            for key in of_view
            if _is_open(key, of_view[key], metric, enough, tiny, found) and not has_all_answered(key, crowds, enough)
        }
        earlier = [each for key, each in crowds.items() if _is_beside(key, metric, side, view) and found.get(key)]
        open_ = {key for key in open_ if not _gives_away(of_view[key], earlier, least, side)}
        kept = open_ if view == PROGRAMME else _without_remainder(of_view, open_, least, side)
        found.update({key: key in kept for key in of_view})
    return found


def whole_first(view: str) -> tuple[bool, bool, str]:
    is_two_way = Key(metric="", view=view, group="", side="").is_two_way
    return view != PROGRAMME, is_two_way, view


def _is_beside(key: Key, metric: Metric, side: str, view: str) -> bool:
    return key.metric == metric.id and key.side == side and key.view not in (PROGRAMME, view)


def _is_open(key: Key, crowd: Crowd, metric: Metric, least: int, tiny: set[str], shown: Mapping[Key, bool]) -> bool:
    """Whether a number could be shown if it stood alone."""
    if not crowd.has(least, key.side):
        return False
    if metric.unit == "points" and (crowd.end != 0 or _feeds(key.side) & tiny):
        return False
    return all(shown.get(needed, False) for needed in needed_by(key, metric))


def has_all_answered(key: Key, crowds: Mapping[Key, Crowd], least: int) -> bool:
    """Whether so few of a side were asked that a number would say that every one of them answered."""
    asked = crowds.get(all_asked(key))
    if asked is None or key.metric == ASKED:
        return False
    return any(len(getattr(asked, feeding)) <= least for feeding in FEEDING[key.side])


def _feeds(side: str) -> set[str]:
    return {"mentor", "mentee"} if side == "both" else {side}


def needed_by(key: Key, metric: Metric) -> Iterable[Key]:
    """The numbers without which this one would give away what they withhold."""
    yield from one_way(key)
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


def has_needed(key: Key, metrics: Mapping[str, Metric], shown: Mapping[Key, bool]) -> bool:
    return all(shown.get(needed, False) for needed in needed_by(key, metrics[key.metric]))


def all_asked(key: Key) -> Key:
    """The number behind which stand all who were asked in a group."""
    return Key(metric=ASKED, view=key.view, group=key.group, side=key.side)
