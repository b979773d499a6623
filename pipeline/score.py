"""Scores each person on each construct in a round, so that an easy form makes no better score.

A form that asks a construct whole gives the mean of the answered items when at least two thirds of them
are answered. Everything else is model-based, from one answered item on: points = item effect + person in
round + noise, by least squares, item effects estimated for each side on all rounds up to and including
this one. The score is the person's part plus the mean effect of the items that the side's first round
with this construct asked: what the person would have scored on those. That level is the same in every
release, so neither an easy form nor an item that joins later looks like a change.
"""

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.contracts import Scored, conform
from surveys.questionnaire import SIDES, Questionnaire

Floats = NDArray[np.float64]
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


def score(rated: pd.DataFrame, questionnaire: Questionnaire, *, round_id: str, names: Iterable[str]) -> pd.DataFrame:
    """Scored, for one round, from Rated of all rounds up to and including it.

    `questionnaire` is the one that this round froze; `names` are those `items_of` understands.
    """
    ordered = rated.sort_values(["round_number", "pairing_id", "side", "question_id"], ignore_index=True)
    person = ordered.groupby(["round_id", "pairing_id", "side"], sort=False).ngroup().to_numpy()
    question, ids = pd.factorize(ordered["question_id"])
    points = ordered["points"].to_numpy(dtype=float)
    is_now = (ordered["round_id"] == round_id).to_numpy()
    number = ordered["round_number"].to_numpy()
    is_mentor = (ordered["side"] == "mentor").to_numpy()
    pulse = str(ordered.loc[is_now, "pulse"].min())
    scored = [ordered.head(0).assign(score=0.0, n_items=0, is_whole=False, lowest=0.0, highest=0.0)]
    for name, side in product(sorted(set(names)), SIDES):
        items = items_of(questionnaire, name, side)
        item = _positions(ids, items)[question]
        rows = np.flatnonzero((item >= 0) & (is_mentor == (side == "mentor")))
        if not is_now[rows].any():
            continue
        told = _Told(points[rows], person[rows], item[rows], number[rows], len(items))
        found = _score_items(told, _n_whole(questionnaire, pulse, side, items))
        kept = found[is_now[rows[found["first"]]]]
        about = ordered.loc[rows[kept["first"]], KEY].reset_index(drop=True)
        scored.append(pd.concat([about.assign(construct=name), kept.reset_index(drop=True)], axis=1))
    return conform(Scored, pd.concat(scored, ignore_index=True))


def _positions(ids: pd.Index, items: tuple[str, ...]) -> Codes:
    places = {item: place for place, item in enumerate(items)}
    return np.array([places.get(str(id_), -1) for id_ in ids], dtype=np.int64)


def _n_whole(questionnaire: Questionnaire, pulse: str, side: str, items: tuple[str, ...]) -> float:
    """How many items make a plain mean: two thirds where the pulse asks them all, else never."""
    fixed = questionnaire.pulses[pulse].fixed.get(side, ()) if pulse in questionnaire.pulses else ()
    return -(-2 * len(items) // 3) if items and set(items) <= set(fixed) else np.inf


class _Told(NamedTuple):
    """One side's answers to one construct, a person's in a round together; one entry an answer."""

    points: Floats
    person: Codes
    item: Codes
    number: Codes
    n_items: int


def _score_items(told: _Told, n_whole: float) -> pd.DataFrame:
    """One row a person and round; `first` is where its answers start."""
    _, first, code = np.unique(told.person, return_index=True, return_inverse=True)
    n = np.bincount(code)
    effects = item_effects(told.points, code, told.item, told.n_items)
    level = np.unique(told.item[told.number == told.number.min()])
    plain = np.bincount(code, told.points) / n
    modelled = np.bincount(code, told.points - effects[told.item]) / n + effects[level].mean()
    scores = {
        "first": first,
        "score": np.where(n >= n_whole, plain, modelled),
        "n_items": n,
        "is_whole": n >= n_whole,
        "lowest": np.minimum.reduceat(told.points, first),
        "highest": np.maximum.reduceat(told.points, first),
    }
    return pd.DataFrame(scores)


def item_effects(points: Floats, person: Codes, item: Codes, n_items: int) -> Floats:
    """How much easier each item is than its construct's others, people held equal; they sum to about 0.

    Two-way least squares with the person effects swept out. points, person and item: one entry an answer.
    """
    n_people = int(person.max()) + 1
    met = np.zeros((n_people, n_items))
    met[person, item] = 1.0
    n = met.sum(axis=1)
    centred = points - (np.bincount(person, points) / n)[person]
    within = np.diag(met.sum(axis=0)) - met.T @ (met / n[:, None])
    right = np.bincount(item, centred, minlength=n_items)
    solution: Floats = np.linalg.solve(within + RIDGE * np.eye(n_items), right)
    return solution
