"""Watches whether a question moves over rounds by itself, apart from what it measures."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from data.errors import RapportError
from pipeline.instrument.answers_matrix import Floats

Numbers = NDArray[np.int64]

LEVEL = 0.05


@dataclass(frozen=True)
class _Seen:
    """One row an answer that has company: codes of person, item × round and its item, and the residual.

    The residual is the answer less its item's effect less the mean of the person's other answers of that round,
    each less its item's effect.
    """

    person: Numbers
    cell: Numbers
    item: Numbers
    residual: Floats


def item_drift(long: pd.DataFrame, *, person: str, round: str, item: str, value: str) -> pd.DataFrame:  # noqa: A002
    """Each item's effect by round, and how far it stands from the item's effect in the other rounds.

    From y = person-round + item: what a person said to the item less what they said to the others in the same
    round, so that a change of level, or of the people, or of which items were asked, is no drift. One row an item
    and round: n, effect (in the unit of the answers, above or below the average item), drift, low, high (95 %),
    p, p_adjusted (Benjamini–Hochberg over all rows), is_flagged. Standard errors are clustered by person; t has as
    many degrees of freedom as the smaller side (this round, the others) has answers, less one. Drift is relative:
    when most items move together it shows in none.

    `long`: one row a person, round and item at most. Items must be linked by people who answered several; run it
    apart for each language or side. Rows of an item seen in one round only have no drift (NaN).

    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57.
    """
    absent = [name for name in (person, round, item, value) if name not in long.columns]
    if absent:
        raise RapportError(
            f"Item drift expects columns for person, round, item and value; missing: {', '.join(absent)}."
        )
    rows = long[[person, round, item, value]].dropna()
    person_code = pd.factorize(rows[person])[0]
    round_code, rounds = pd.factorize(rows[round], sort=True)
    item_code, items = pd.factorize(rows[item], sort=True)
    if not len(rows):
        raise RapportError("Item drift needs answers.")
    form = pd.factorize(person_code.astype(np.int64) * len(rounds) + round_code)[0]
    seen, effect = _residuals(form, person_code, round_code, item_code, rows[value].to_numpy(dtype=float), len(rounds))
    table = _table(seen, effect, len(items), len(rounds))
    table.index = pd.MultiIndex.from_product([items, rounds], names=["item", "round"])
    table = table[table["n"] > 0]
    return table.assign(p_adjusted=false_discovery(table["p"].to_numpy())).assign(
        is_flagged=lambda found: found["p_adjusted"] < LEVEL
    )


def false_discovery(p: Floats) -> Floats:
    """Benjamini–Hochberg adjusted p values in the given order; NaN stays NaN and does not count as a test."""
    adjusted, usable = np.full(len(p), np.nan), ~np.isnan(p)
    if usable.any():
        adjusted[usable] = stats.false_discovery_control(p[usable])
    return adjusted


def _residuals(
    form: Numbers, person: Numbers, round_: Numbers, item: Numbers, value: Floats, n_rounds: int
) -> tuple[_Seen, Floats]:
    size = np.bincount(form)
    kept = size[form] > 1
    form, person, round_, item = (part[kept] for part in (form, person, round_, item))
    value = value[kept]
    effect = _item_effects(form, item, value)
    apart = value - effect[item]
    size = np.bincount(form, minlength=1)[form]
    others = (np.bincount(form, weights=apart)[form] - apart) / (size - 1) if len(form) else apart
    return _Seen(person, item * n_rounds + round_, item, apart - others), effect


def _item_effects(form: Numbers, item: Numbers, value: Floats) -> Floats:
    """Least-squares item effects beside one effect a person and round, summing to zero over items."""
    n_items = int(item.max(initial=0)) + 1
    if not len(form):
        return np.zeros(n_items)
    size = np.maximum(np.bincount(form), 1)
    table: Floats = np.zeros((n_items, n_items))
    position = np.argsort(form, kind="stable")
    mean = np.bincount(form, weights=value) / size
    right = np.bincount(item, weights=value - mean[form], minlength=n_items)
    table[np.arange(n_items), np.arange(n_items)] = np.bincount(item, minlength=n_items)
    ordered_form, ordered_item = form[position], item[position]
    for lag in range(int(size.max())):
        same = ordered_form[: len(form) - lag] == ordered_form[lag:]
        left, other = ordered_item[: len(form) - lag][same], ordered_item[lag:][same]
        weight = 1 / size[ordered_form[lag:][same]]
        part = np.bincount(left * n_items + other, weights=weight, minlength=n_items**2).reshape(n_items, n_items)
        table -= part if lag == 0 else part + part.T
    effect: Floats = np.linalg.lstsq(table, right, rcond=None)[0]
    effect -= effect.mean()
    return effect


def _table(seen: _Seen, effect: Floats, n_items: int, n_rounds: int) -> pd.DataFrame:
    n_cells = n_items * n_rounds
    n = np.bincount(seen.cell, minlength=n_cells)
    total = np.bincount(seen.cell, weights=seen.residual, minlength=n_cells)
    item_of = np.repeat(np.arange(n_items), n_rounds)
    n_rest = np.bincount(seen.item, minlength=n_items)[item_of] - n
    total_rest = np.bincount(seen.item, weights=seen.residual, minlength=n_items)[item_of] - total
    with np.errstate(divide="ignore", invalid="ignore"):
        here, rest = total / n, total_rest / n_rest
    drift = here - rest
    se = _clustered(seen, here, rest, n, n_rest, n_rounds)
    freedom = np.maximum(np.minimum(n, n_rest) - 1, 1)
    half = stats.t.ppf(1 - LEVEL / 2, freedom) * se
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stats.t.sf(np.abs(drift / se), freedom)
    return pd.DataFrame(
        {"n": n, "effect": effect[item_of] + here, "drift": drift, "low": drift - half, "high": drift + half, "p": p}
    )


def _clustered(seen: _Seen, here: Floats, rest: Floats, n: Numbers, n_rest: Numbers, n_rounds: int) -> Floats:
    """Standard error of each drift from each person's part in it."""
    n_persons = int(seen.person.max(initial=0)) + 1
    se = np.full(len(n), np.nan)
    for cell in np.flatnonzero((n > 1) & (n_rest > 1)):
        of_item = seen.item == cell // n_rounds
        person, residual = seen.person[of_item], seen.residual[of_item]
        is_here = seen.cell[of_item] == cell
        part = np.where(is_here, (residual - here[cell]) / n[cell], -(residual - rest[cell]) / n_rest[cell])
        by_person = np.bincount(person, weights=part, minlength=n_persons)
        n_people = np.count_nonzero(np.bincount(person, minlength=n_persons))
        se[cell] = np.sqrt((by_person**2).sum() * n_people / max(n_people - 1, 1))
    return se
