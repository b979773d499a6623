"""Publishes as dashboards with filters do: every mean of enough people, exact, for whatever is ticked."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from pipeline.attack.puzzle import Puzzle, components
from pipeline.attack.ranges import MIDDLE, Mask, proven
from pipeline.attack.reader import Round, Told, contributions, hidden_scores, links_of
from pipeline.attack.small_groups import determined


def plain_threshold(seen: Round, metric: str, side: str, *, least: int, attributes: Sequence[str]) -> Told:
    """What a reader is told of one metric and side by a threshold alone: means of `least` people or more.

    Filters by every attribute, in which single groups or all but one can be ticked.
    """
    contributed = contributions(seen.facts, seen.metrics[metric])
    inside = contributed[(contributed["side"] == side) & (contributed["part"] == side)]
    keys = inside.join(links_of(seen, seen.metrics[metric], contributed).set_index("row")["key"])["key"]
    unit = pd.factorize(inside["unit"])[0]
    terms: list[pd.DataFrame] = []
    numbers: list[dict[str, object]] = []
    for ticked in _selections(inside, attributes):
        n_of = np.bincount(unit[ticked], minlength=unit.max(initial=-1) + 1)
        n = int((n_of > 0).sum())
        if n >= least:
            weight = 1 / (n * n_of[unit[ticked]])
            mean = float(weight @ inside["value"].to_numpy()[ticked])
            terms.append(pd.DataFrame({"number": len(numbers), "key": keys.to_numpy()[ticked], "weight": weight}))
            numbers.append({"name": f"{metric} · selection {len(numbers)}", "low": mean, "high": mean, "n": n})
    return Told(
        hidden=hidden_scores(seen),
        terms=pd.concat(terms or [pd.DataFrame(columns=["number", "key", "weight"])], ignore_index=True),
        numbers=pd.DataFrame(numbers, columns=["name", "low", "high", "n"]),
    )


def answers_proven(asked: Puzzle) -> tuple[int, int]:
    """How many scores are proven, and how many of these are low ones: by subtracting, and then by bounds."""
    n_proven = n_low = 0
    for part in components(asked):
        known = determined(part)
        rest = proven(part.with_known(known))
        n_proven += len(known) + int(rest.is_answer.sum())
        n_low += int((part.truth[known] < MIDDLE).sum()) + int(rest.is_low.sum())
    return n_proven, n_low


def _selections(inside: pd.DataFrame, attributes: Sequence[str]) -> Iterator[Mask]:
    """What can be ticked around each combination of groups that exists: some of them, or everything but some."""
    profiles = inside[list(attributes)].drop_duplicates()
    done: set[bytes] = set()
    for profile in profiles.itertuples(index=False):
        is_one = [(inside[name] == group).to_numpy() for name, group in zip(attributes, profile, strict=True)]
        for ticked in _around(is_one):
            if ticked.tobytes() not in done:
                done.add(ticked.tobytes())
                yield ticked


def _around(is_one: Sequence[Mask]) -> Iterable[Mask]:
    for n in range(len(is_one) + 1):
        for chosen in combinations(is_one, n):
            everything = np.ones(len(is_one[0]), dtype=bool)
            yield np.logical_and.reduce([everything, *chosen])
            yield np.logical_and.reduce([everything, *(~each for each in chosen)])
