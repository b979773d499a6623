"""Tries every attack on what one reader knows, and lists what each of them proves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.attack import silence
from pipeline.attack.chains import over_time, stacked
from pipeline.attack.insiders import gang_up, seen_by, targets, viewers
from pipeline.attack.puzzle import components
from pipeline.attack.ranges import Mask, Proven, proven, proven_in_steps
from pipeline.attack.reader import PAIRING, Round, Told, told
from pipeline.attack.small_groups import small_unions


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Something proven that must not be: by which attack, about whom, and between which ends their score lies."""

    attack: str
    about: str
    low: float = np.nan
    high: float = np.nan
    truth: float = np.nan
    is_low: bool = False


@dataclass(frozen=True, kw_only=True)
class Effort:
    """In each part that hangs together: how many viewers, and how many scores to gang up on, are tried.

    `colluders` people may tell one another their answers, which is all four answers of two pairings.
    """

    viewers: int = 4
    targets: int = 3
    colluders: int = 4


def leaks(known: Told, rng: np.random.Generator, effort: Effort) -> list[Leak]:
    """What outsiders, viewers and colluders prove of single answers."""
    asked = known.puzzle()
    found = [*_leaks("bounds", proven(asked)), *_leaks("steps", proven_in_steps(asked))]
    for part in components(asked):
        is_of_pairings = str(part.person[0]).startswith(PAIRING)
        for person in () if is_of_pairings else viewers(part, rng, effort.viewers):
            found += _leaks("viewer", seen_by(part, person))
        n_colluders = effort.colluders // 2 if is_of_pairings else effort.colluders
        for target in targets(part, rng, effort.targets):
            found += _leaks("colluders", gang_up(part, target, n_colluders))
    return found


def leaks_over_time(rounds: Sequence[Told], rng: np.random.Generator, effort: Effort) -> list[Leak]:
    """What two rounds, or more, together prove of people who think as they did."""
    how = "time" if len(rounds) == 2 else "many rounds"
    return [replace(each, attack=f"{how}, {each.attack}") for each in leaks(over_time(rounds), rng, effort)]


def leaks_of_pools(rounds: Sequence[Told], pools: Told, rng: np.random.Generator, effort: Effort) -> list[Leak]:
    """What numbers over three rounds prove beside those of each of them; nobody is taken to think as before."""
    if pools.numbers.empty:
        return []
    found = leaks(stacked([*rounds, pools]), rng, effort)
    return [replace(each, attack=f"three rounds, {each.attack}") for each in found]


def leaks_of_sums(seen: Round, *, least: int) -> list[Leak]:
    """Shown numbers of fewer than `least` people of a side, and sums of so few that follow from shown sums."""
    exact = told(seen, is_exact=True)
    found = [Leak(attack="small groups", about=name) for name in _of_few(exact, least)]
    for id_ in exact.numbers["metric"].unique():
        unions = small_unions(_of_metric(exact, id_).puzzle(), least - 1)
        found += [Leak(attack="small sums", about=f"{id_}: {len(union)} sets of people") for union in unions]
    return found


def leaks_of_silence(seen: Round, *, least: int) -> list[Leak]:
    """People of whom it is proven that they answered, or that they did not."""
    found = silence.who_answered(seen.facts.invited, seen.published, least=least)
    return _leaks("silence", found, silence.is_told(found))


def _of_metric(told: Told, metric: str) -> Told:
    """Only what is told of one metric."""
    at = np.flatnonzero(told.numbers["metric"] == metric)
    terms = told.terms[told.terms["number"].isin(at)]
    return Told(
        hidden=told.hidden[told.hidden["key"].isin(terms["key"])].reset_index(drop=True),
        terms=terms.assign(number=np.searchsorted(at, terms["number"].to_numpy(dtype=int))),
        numbers=told.numbers.iloc[at].reset_index(drop=True),
    )


def _of_few(exact: Told, least: int) -> Iterable[str]:
    people = exact.terms.merge(exact.hidden[["key", "person", "name"]], on="key")
    people["side"] = people["key"].str.split("|").str[-1]
    sizes = people.groupby(["number", "side"])["person"].nunique()
    return [exact.numbers["name"][number] for number, _ in sizes.index[sizes < least]]


def _leaks(attack: str, found: Proven, is_told: Mask | None = None) -> list[Leak]:
    which = np.flatnonzero(found.is_answer | found.is_low if is_told is None else is_told)
    return [
        Leak(
            attack=attack,
            about=str(found.person[k]),
            low=float(found.low[k]),
            high=float(found.high[k]),
            truth=float(found.truth[k]),
            is_low=bool(found.is_low[k]),
        )
        for k in which
    ]
