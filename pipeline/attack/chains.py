"""Joins what several numbers, metrics or rounds say of the same answers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.attack.reader import Told

SAME = 1e-9


def stacked(parts: Sequence[Told]) -> Told:
    """All that is told, of one round or of several, as one."""
    terms, n = [], 0
    for part in parts:
        terms.append(part.terms.assign(number=part.terms["number"] + n))
        n += len(part.numbers)
    return Told(
        hidden=pd.concat([part.hidden for part in parts], ignore_index=True).drop_duplicates("key", ignore_index=True),
        terms=pd.concat(terms, ignore_index=True),
        numbers=pd.concat([part.numbers for part in parts], ignore_index=True),
    )


def with_same_answers(told: Told) -> Told:
    """A score of one principle and one of its construct are the same where the same answers stand behind both.

    The reader is assumed to know where that is so: a principle's answers are among its construct's, so where both
    count as many, both count the same ones.
    """
    return _renamed(told, told.hidden["key"].str.replace(r"/[^|]*", "", regex=True))


def over_time(rounds: Sequence[Told]) -> Told:
    """Rounds whose reader takes it that people think as they did the round before, and is right where they do.

    Who joined, left, was erased or answered late is then the difference of two rounds.
    """
    joined = stacked(rounds)
    parts = joined.hidden["key"].str.split("|", n=1)
    order = parts.str[0].astype(int).to_numpy()
    known = pd.DataFrame({"who": parts.str[1], "number": order, "score": joined.hidden["score"].to_numpy()})
    by_time = known.sort_values(["who", "number"])
    is_new = (by_time["who"] != by_time["who"].shift()) | ((by_time["score"] - by_time["score"].shift()).abs() > SAME)
    first = by_time["number"].where(is_new).ffill().astype(int)
    return _renamed(joined, (first.astype(str) + "|" + by_time["who"]).sort_index())


def _renamed(told: Told, key: pd.Series) -> Told:
    """Every hidden score under another key, where the score that has it is the same one."""
    hidden = told.hidden
    score = hidden.set_index("key")["score"].reindex(key).to_numpy()
    is_same = np.abs(score - hidden["score"].to_numpy()) < SAME
    other = key.to_numpy(dtype=object)
    if "n_items" in hidden:
        n_items = hidden.set_index("key")["n_items"].reindex(key).to_numpy()
        is_same &= n_items == hidden["n_items"].to_numpy()
    new = np.where(is_same, other, hidden["key"].to_numpy(dtype=object))
    by_key = pd.Series(new, index=hidden["key"].to_numpy(dtype=object))
    return Told(
        hidden=hidden[new == hidden["key"].to_numpy(dtype=object)].reset_index(drop=True),
        terms=told.terms.assign(key=by_key.reindex(told.terms["key"]).to_numpy()),
        numbers=told.numbers,
    )
