"""Chooses what the programme team could do next: an action each for the two scores whose intervals end lowest."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dashboard.findings import Numbers, Reading, overlap, weakest
from dashboard.words import Words

FILE = Path(__file__).resolve().parent / "actions.toml"
MOST = 2


@cache
def actions() -> Mapping[str, Mapping[str, str]]:
    """Metric → language → what to do."""
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return found


def next_actions(numbers: Numbers, words: Words) -> list[tuple[Reading, str]]:
    """The weakest scores shown in the latest round with what to do, the weakest first; none without a score."""
    return [(each, words.pick(actions()[each.metric])) for each in weakest(numbers)[:MOST]]


def how_to_choose(numbers: Numbers, words: Words) -> str:
    """Whether the intervals say where to begin."""
    ranked = weakest(numbers)
    if len(ranked) < MOST:
        return words("actions_only")
    if overlap(ranked[0], ranked[-1]):
        return words("actions_open")
    return words("actions_either" if overlap(ranked[0], ranked[1]) else "actions_first")
