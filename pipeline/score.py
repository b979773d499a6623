"""Scores each person on each construct in a round, so that an easy form makes no better score.

A form that asks a construct whole gives the mean of the answered items when at least two thirds of them are
answered, unless the side's first round asked the construct in part: next to a plain mean of all items the
scores before it would look like a change. Everything else is model-based, from one answered item on: points =
item effect + person in round + noise, by least squares, item effects estimated for each side on all rounds up
to and including this one. The score is the person's part plus the mean effect of the items that the side's
first round with this construct asked, each as often as it was asked: what the person would have scored on
that mix. That level is the same in every release, so neither an easy form nor an item that joins later looks
like a change; and where the mix stays, as rotation keeps it, errors in the item effects cancel from the mean
of the people (an equal mean over the items would leave them in: 85 instead of 95 % coverage at 300 pairings).
"""

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.contracts import Scored, conform
from surveys.questionnaire import SIDES, Questionnaire

Floats = NDArray[np.floating[Any]]
Codes = NDArray[np.int64]

# One answer's weight that an item is like its construct's others. Among hundreds of answers it moves
# nothing; it keeps items apart that no person ever met together from drifting without end.
RIDGE = 1.0
KEY = ["round_id", "round_number", "pairing_id", "side", "person_id", "mentor_id"]


def items_of(questionnaire: Questionnaire, name: str, side: str) -> tuple[str, ...]:
    """The scored questions of "construct", or of one principle of it: "construct/P05"."""
    construct, _, principle = name.partition("/")
    return tuple(
        question.id
        for question in questionnaire.of_construct(construct, side)
        if not principle or principle in question.principles
    )


def asked(questionnaire: Questionnaire, pulse: str, names: Iterable[str], scored: pd.DataFrame) -> dict[str, set[str]]:
    """By name, the sides that this pulse may ask it, or that answered it all the same in another tool."""
    form = questionnaire.pulses.get(pulse)
    always = {side: set(form.fixed.get(side, ())) | set(form.fill) if form else set() for side in SIDES}
    drawn = {key for key, each in questionnaire.questions.items() if each.placing == "rotating"}
    possible = {side: ids | drawn if form and form.seats else ids for side, ids in always.items()}
    answered = set(zip(scored["construct"], scored["side"], strict=True))
    return {
        name: {
            side
            for side in SIDES
            if possible[side] & set(items_of(questionnaire, name, side)) or (name, side) in answered
        }
        for name in names
    }


def askable(questionnaire: Questionnaire, pulse: str, name: str, side: str) -> set[str]:
    """The items of "construct" or "construct/P05" that this pulse may ask a side; another tool's round: all of them."""
    items = set(items_of(questionnaire, name, side))
    form = questionnaire.pulses.get(pulse)
    if form is None:
        return items
    drawn = {id_ for id_ in items if questionnaire.questions[id_].placing == "rotating"} if form.seats else set()
    return drawn | (items & {*form.fixed.get(side, ()), *form.fill})


def score(rated: pd.DataFrame, questionnaire: Questionnaire, *, round_id: str, names: Iterable[str]) -> pd.DataFrame:
    """Scored, for one round, from Rated of all rounds up to and including it.

    `questionnaire` is the one that this round froze; `names` are those `items_of` understands.
    """
    coded = _coded(rated)
    is_now = (rated["round_id"] == round_id).to_numpy()
    pulse = rated["pulse"].to_numpy(dtype=object)
    scored = [rated.head(0)[KEY].assign(construct="", score=0.0, n_items=0, is_whole=False, lowest=0.0, highest=0.0)]
    for name, side in product(sorted(set(names)), SIDES):
        items = items_of(questionnaire, name, side)
        item = _positions(coded.questions, items)[coded.question]
        rows = np.flatnonzero((item >= 0) & (coded.is_mentor == (side == "mentor")))
        if not is_now[rows].any():
            continue
        told = Told(coded.points[rows], coded.person[rows], item[rows], coded.number[rows], len(items))
        met_in = {str(pulse[rows[told.number.argmin()]]), str(pulse[rows[is_now[rows]][0]])}  # first, and now
        found = score_items(told, n_whole=max(_n_whole(questionnaire, each, side, items) for each in met_in))
        kept = found[is_now[rows[found["first"]]]]
        about = rated[KEY].iloc[rows[kept["first"]]].reset_index(drop=True)
        scored.append(pd.concat([about.assign(construct=name), kept.reset_index(drop=True)], axis=1))
    order = ["construct", "side", "pairing_id"]
    return conform(Scored, pd.concat(scored, ignore_index=True).sort_values(order, ignore_index=True))


class _Coded(NamedTuple):
    """Rated as numbers: who in which round, which question, how many points."""

    person: Codes
    question: Codes
    questions: pd.Index
    points: Floats
    number: Codes
    is_mentor: NDArray[np.bool_]


def _coded(rated: pd.DataFrame) -> _Coded:
    """One composed integer for a side of a pairing in a round: counting is then a bincount, and nothing is sorted."""
    number = rated["round_number"].to_numpy()
    pairing, pairings = pd.factorize(rated["pairing_id"])
    question, questions = pd.factorize(rated["question_id"])
    is_mentor = (rated["side"] == "mentor").to_numpy()
    person = (number * len(pairings) + pairing) * 2 + is_mentor
    return _Coded(person, question, questions, rated["points"].to_numpy(dtype=float), number, is_mentor)


def _positions(ids: pd.Index, items: tuple[str, ...]) -> Codes:
    places = {item: place for place, item in enumerate(items)}
    return np.array([places.get(str(id_), -1) for id_ in ids], dtype=np.int64)


def _n_whole(questionnaire: Questionnaire, pulse: str, side: str, items: tuple[str, ...]) -> float:
    """How many items make a plain mean: two thirds where the pulse asks them all, else never."""
    fixed = questionnaire.pulses[pulse].fixed.get(side, ()) if pulse in questionnaire.pulses else ()
    return -(-2 * len(items) // 3) if items and set(items) <= set(fixed) else np.inf


class Told(NamedTuple):
    """One side's answers to one construct; one entry an answer, in any order.

    `points` 0–100; `person` a whole number for a person in a round, `item` 0 … n_items − 1, `number` the round's.
    """

    points: Floats
    person: Codes
    item: Codes
    number: Codes
    n_items: int


def score_items(told: Told, *, n_whole: float = np.inf) -> pd.DataFrame:
    """One row a person and round, by `person`; `first` is one of its answers, `score` 0–100.

    `n_whole` answered items make a plain mean; below, the score is the model's.
    """
    points = told.points.astype(float, copy=False)  # bincount and minimum.at are slow where types differ
    person = told.person.astype(np.int64, copy=False) - int(told.person.min())
    one_of = np.full(int(person.max()) + 1, -1)
    one_of[person] = np.arange(len(person))
    answered = np.flatnonzero(one_of >= 0)
    first = one_of[answered]
    met = _met(person, told.item, told.n_items, answered)
    n, total = met.sizes[met.code], np.bincount(person, points)[answered]
    effects = item_effects(met, total / n, np.bincount(told.item, points, minlength=told.n_items).astype(float))
    easy = (met.bits @ effects / met.sizes)[met.code]
    level = easy[told.number[first] == told.number.min()].mean()
    lowest, highest = np.full(len(one_of), np.inf), np.full(len(one_of), -np.inf)
    np.minimum.at(lowest, person, points)
    np.maximum.at(highest, person, points)
    scores = {
        "first": first,
        "score": np.where(n >= n_whole, total / n, total / n - easy + level),
        "n_items": n.astype(np.int64),
        "is_whole": n >= n_whole,
        "lowest": lowest[answered],
        "highest": highest[answered],
    }
    return pd.DataFrame(scores)


class Met(NamedTuple):
    """Which items people answered together. A rotation has few such sets, so all else is counted by set.

    `bits` sets × items, 1 where the set holds the item; `sizes` items a set; `code` the set of each person.
    """

    bits: Floats
    sizes: Floats
    code: Codes


def _met(person: Codes, item: Codes, n_items: int, answered: Codes) -> Met:
    word = np.bincount(person, (2.0 ** np.arange(n_items))[item])[answered].astype(np.int64)
    if n_items <= 16:  # few possible sets: counting them is cheaper than sorting
        sets = np.flatnonzero(np.bincount(word))
        place = np.zeros(2**n_items, dtype=np.int64)
        place[sets] = np.arange(len(sets))
        code = place[word]
    else:
        sets, code = np.unique(word, return_inverse=True)
    bits = ((sets[:, None] >> np.arange(n_items)) & 1).astype(float)
    return Met(bits, bits.sum(axis=1), code)


def item_effects(met: Met, mean: Floats, item_total: Floats) -> Floats:
    """How much easier each item is than its construct's others, people held equal; they sum to about 0.

    Two-way least squares with the person effects swept out. `mean` of each person's points, `item_total` of
    each item's. At most 52 items.
    """
    people = np.bincount(met.code)
    right = item_total - met.bits.T @ np.bincount(met.code, mean)
    within = np.diag(met.bits.T @ people) - (met.bits * (people / met.sizes)[:, None]).T @ met.bits
    solution: Floats = np.linalg.solve(within + RIDGE * np.eye(len(right)), right)
    return solution
