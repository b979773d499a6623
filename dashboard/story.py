"""Tells findings in sentences that pages and reports share word for word."""

from collections.abc import Sequence

from dashboard.findings import PARTICIPATION, SIDES, Numbers, Reading, headline, overlap, profile, standing, whole_side
from dashboard.panels import bounds_of, value_of
from dashboard.tables import metric_name
from dashboard.words import Words
from pipeline.published import catalogue


def verdict(numbers: Numbers, words: Words) -> list[str]:
    """The programme in a few sentences: where it stands, how it moved, who took part."""
    scores = headline(numbers)
    said = _standing(scores, words) if scores else [words("verdict_none")]
    said += _moved(numbers, scores, words)
    part = numbers.now(PARTICIPATION, "both")
    if part is not None and part.shown:
        sides = {
            side: value_of(words, each) for side in SIDES if (each := numbers.now(PARTICIPATION, side)) and each.shown
        }
        key = "verdict_participation_sides" if len(sides) == len(SIDES) else "verdict_participation"
        said.append(words(key, share=value_of(words, part), **sides))
    return said


def _standing(scores: Sequence[Reading], words: Words) -> list[str]:
    """One sentence for each place a score can have against the middle of the scale."""
    said = []
    for place in ("below", "open", "above"):
        names = [words.inside(metric_name(words, each.metric)) for each in scores if standing(each) == place]
        if names:
            lie = words("lies_one" if len(names) == 1 else "lies_many")
            said.append(words(f"verdict_{place}", names=_first_upper(words.listed(names)), lie=lie))
    return said


def _moved(numbers: Numbers, scores: Sequence[Reading], words: Words) -> list[str]:
    ways = {each.metric: numbers.change(each) for each in scores}
    if not any(ways.values()):
        return [words("verdict_first")] if scores else []
    said = []
    for way in ("higher", "lower"):
        names = [words.inside(metric_name(words, metric)) for metric, found in ways.items() if found == way]
        if names:
            said.append(words(f"verdict_change_{way}", names=_first_upper(words.listed(names))))
    return said or [words("verdict_change_none")]


def change_in_words(numbers: Numbers, metric: str, words: Words) -> str:
    """How a metric moved since its number was last shown: both sides together, or the only one asked."""
    side = whole_side(catalogue()[metric])
    now = numbers.now(metric, side)
    if now is None:
        last = numbers.over_rounds(metric, side)
        if not last:
            return words("never_asked")
        return words("not_asked", number=numbers.number_of(last[-1].release))
    if not now.shown:
        return words("withheld")
    before, way = numbers.before(now), numbers.change(now)
    if before is None or way is None:
        return words("first_time")
    key = "no_clear_change" if way == "none" else way
    return words(key, number=numbers.number_of(before.release))


def strong_and_weak(numbers: Numbers, words: Words) -> list[str]:
    """The strongest and the weakest score of the latest round, and whether they can be told apart."""
    ranked = profile(numbers)
    if len(ranked) < 2:
        return []
    ends = {"strongest": ranked[0], "weakest": ranked[-1]}
    said = []
    for key, each in ends.items():
        told = {"value": value_of(words, each), "bounds": bounds_of(words, each), "n": words.at_least(each.n or 0)}
        said.append(words(key, name=metric_name(words, each.metric), **told))
    return [*said, words("ends_overlap")] if overlap(*ends.values()) else said


def _first_upper(text: str) -> str:
    """ "trust and satisfaction" begins a sentence."""
    return text[:1].upper() + text[1:]
