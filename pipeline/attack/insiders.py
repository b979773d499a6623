"""Attacks with what readers know of themselves: one viewer's own answers, or those of people who tell one another."""

from dataclasses import replace

import numpy as np

from pipeline.attack.puzzle import SLACK, Floats, Puzzle
from pipeline.attack.ranges import MIDDLE, Proven, Solver, proven, sets_of


def viewers(asked: Puzzle, rng: np.random.Generator, most: int) -> list[str]:
    """People whose own answers help most: half of them from the smallest sets, half at random."""
    sets = sets_of(asked)
    order = np.lexsort((rng.random(len(asked)), sets.size[sets.code]))
    people = list(dict.fromkeys(asked.person[order].tolist()))
    rest = rng.permutation(np.array(people[most // 2 :], dtype=object))
    return [str(each) for each in (*people[: most // 2], *rest[: most - most // 2])]


def targets(asked: Puzzle, rng: np.random.Generator, most: int) -> list[int]:
    """Hidden scores worth ganging up on: those that the smallest numbers are about, low ones first; some at random."""
    n_people = np.diff(asked.matrix.indptr)
    smallest = np.full(len(asked), np.inf)
    np.minimum.at(smallest, asked.matrix.indices, np.repeat(n_people, n_people).astype(float))
    order = np.lexsort((rng.random(len(asked)), asked.truth >= MIDDLE, smallest))
    promising = [int(each) for each in order if asked.top[each] - asked.bottom[each] > SLACK]
    return promising[: most - most // 4] + [int(each) for each in rng.permutation(promising)[: most // 4]]


def seen_by(asked: Puzzle, person: str) -> Proven:
    """What is proven to a viewer who knows their own answers."""
    return proven(asked.with_known(asked.known_to([person])))


def gang_up(part: Puzzle, target: int, most: int) -> Proven:
    """What is proven to the `most` people whose answers together narrow one score most, chosen one after another.

    The linear programme's prices say how much each person's answer would move the target's ends.
    """
    people: list[str] = []
    for _ in range(most):
        gain = _gains(part.with_known(part.known_to(people)), target)
        gain[part.known_to([*people, str(part.person[target])])] = -1.0
        best = int(gain.argmax())
        if gain[best] < 0:
            break
        people.append(str(part.person[best]))
    return proven(part.with_known(part.known_to(people)))


def _gains(part: Puzzle, target: int) -> Floats:
    """By how much knowing each score would narrow the target's range; sharing small numbers with it breaks ties."""
    bottom = part.bottom.copy()
    bottom[target] -= SLACK / 4  # a bound of its own sets the target apart from those it is like
    apart = replace(part, bottom=bottom)
    sets = sets_of(apart)
    solver = Solver(apart, sets)
    one = np.zeros(len(sets.size))
    one[sets.code[target]] = 1.0
    gain = _closeness(part, target)
    for sign in (1.0, -1.0):
        means, price = solver.solved(sign * one)
        # Who said x, and not the bound that the programme assumes of them, moves the target by the bound's price.
        away = np.abs(means[sets.code] - part.truth) / sets.size[sets.code]
        gain = gain + np.abs(price[sets.code]) * away
    return gain


def _closeness(part: Puzzle, target: int) -> Floats:
    """Small, and greater for those who share smaller numbers with the target."""
    n_people = np.diff(part.matrix.indptr).astype(float)
    has_target = np.asarray(part.matrix[:, [target]].todense()).ravel() != 0
    shared: Floats = (part.matrix != 0).astype(float).T @ (has_target / n_people**2)
    return 1e-3 * shared
