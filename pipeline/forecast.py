"""Forecasts what can ever be shown of a programme of this size: how many people, how precisely, how likely.

Nothing here knows an answer. A person answers with the same probability as any other, or not at all; whom a
rotation asks a construct is chance. So the number of people behind a result is binomial (for people in several
pairings a sum of binomials), and a result can be shown where it reaches its minimum on every side that feeds it.
This is the most that can be shown: the gate withholds more where people agree or a difference would tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import prod
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import bdtr

from pipeline.disclosure.rounding import STEP
from pipeline.disclosure.thresholds import Thresholds
from pipeline.estimate import declared, wilson
from pipeline.metric import Facts, Metric
from pipeline.score import items_of
from surveys.questionnaire import SIDES, Questionnaire

PROGRAMME = "all"
TWO_WAY = " × "
POOLED = 3  # rounds
LEAST_GUIDES = 3  # mentors behind a number about mentees
Floats = NDArray[np.float64]
Sizes = tuple[tuple[int, int], ...]  # (pairings that a person is in, how many such people)
Forms = Sequence[tuple[float, frozenset[str]]]  # the share of people who get a form, and its questions
Dealt = Mapping[tuple[str, str], Forms]  # by pulse and side
Key = tuple[str, str, str, str, str]  # pulse, view, group, side, metric


@dataclass(frozen=True, kw_only=True)
class View:
    """One number that a round of this pulse would have: how many would be asked and answer, and would it be shown?

    `asked_…` and `n_…` are expected numbers of distinct people; `half_width` is half the 95 % interval at the
    declared spread, at the expected size or the least that is shown. `chance_over_three` is the chance of a group
    over three rounds of this pulse.
    """

    pulse: str
    view: str
    group: str
    side: str
    metric: str
    unit: str
    least: int
    asked_mentors: float
    asked_mentees: float
    n_mentors: float
    n_mentees: float
    half_width: float
    chance: float
    chance_over_three: float | None
    is_possible: bool


@dataclass(frozen=True)
class Crowd:
    """The people of one group: mentors, mentees, and the mentors of these mentees, `guides` of them."""

    mentor: Sizes
    mentee: Sizes
    paired_mentor: Sizes
    guides: int


@dataclass(frozen=True)
class Share:
    """How much of each side gets what a metric reads, and what kind of number it is. Many metrics are alike here."""

    mentor: float
    mentee: float
    is_of_pairings: bool
    is_share: bool
    prior_sd: float

    def reaches(self, side: str) -> bool:
        return all(getattr(self, each) > 0 for each in _feeding(side))


class Asking(NamedTuple):
    """What one pulse asks for one metric."""

    pulse: str
    metric: Metric
    share: Share


class Counted(NamedTuple):
    """How many people a number has, how precise it is and how likely it reaches its least."""

    asked: Mapping[str, float]
    n: Mapping[str, float]
    half_width: float
    chance: float
    chance_over_three: float
    is_possible: bool


def forecast(
    asked: pd.DataFrame,
    *,
    questionnaire: Questionnaire,
    dealt: Dealt,
    metrics: Mapping[str, Metric],
    thresholds: Thresholds,
    response: float,
) -> list[View]:
    """Every number of every pulse, in the whole programme, each reporting group and each two-way cell.

    `asked`: one row a side of a pairing, with person_id and the reporting attributes (groups already).
    """
    askings = [each for metric in metrics.values() for each in _askings(questionnaire, dealt, metric)]
    foundations_first = sorted(askings, key=lambda each: bool(each.metric.rests_on))
    enough = _enough_respondents(_crowd(asked, asked), thresholds, response)
    found: dict[Key, View] = {}
    for view, group, crowd in _crowds(asked, thresholds.attributes, thresholds.two_way_n):
        for each in foundations_first:
            if view == PROGRAMME or not each.metric.is_programme_only:
                for side in (side for side in each.metric.sides if each.share.reaches(side)):
                    least = _least(each.metric, view, thresholds)
                    counted = _counted(each.share, crowd, side, least, response)
                    key = (each.pulse, view, group, side, each.metric.id)
                    found[key] = _view(key, each.metric, counted, _needed(key, each.metric, found, enough), least)
    return list(found.values())


def _feeding(side: str) -> tuple[str, ...]:
    return SIDES if side == "both" else (side,)


def _least(metric: Metric, view: str, thresholds: Thresholds) -> int:
    return max(thresholds.least(metric.minimum_n), thresholds.two_way_n if TWO_WAY in view else 0)


# --- who is asked what -----------------------------------------------------------------------------


def _askings(questionnaire: Questionnaire, dealt: Dealt, metric: Metric) -> list[Asking]:
    """One a pulse that asks somebody what the metric reads."""
    kind = (is_of_pairings(metric), metric.unit == "share", metric.prior_sd)
    found = []
    for pulse in questionnaire.pulses:
        mentor, mentee = (_share(questionnaire, dealt[pulse, side], metric, side) for side in SIDES)
        if mentor or mentee:
            found.append(Asking(pulse, metric, Share(mentor, mentee, *kind)))
    return found


def _share(questionnaire: Questionnaire, forms: Forms, metric: Metric, side: str) -> float:
    """The share of a side whose form holds something of everything that the metric reads from that side."""
    wanted = [set(items) for name in metric.constructs if (items := items_of(questionnaire, name, side))]
    if metric.constructs and not wanted:
        return 0.0
    return round(sum(share for share, ids in forms if all(items & ids for items in wanted)), 12)


def is_of_pairings(metric: Metric) -> bool:
    """Whether the number for both sides is one of pairings, as the metric itself computes it."""
    ends = [(pairing, side) for pairing in ("1", "2") for side in SIDES]
    scored = [
        {"pairing_id": pairing, "side": side, "construct": name, "score": 50.0, "lowest": 50.0, "highest": 50.0}
        for pairing, side in ends
        for name in metric.constructs
    ]
    columns = ["pairing_id", "side", "construct", "score", "lowest", "highest"]
    invited = pd.DataFrame([{"pairing_id": pairing, "side": side, "has_answered": True} for pairing, side in ends])
    told = metric.compute(Facts(invited=invited, scored=pd.DataFrame(scored, columns=columns)))
    return bool((told.loc[told["side"] == "both", "part"] == "pairing").any())


def _crowds(asked: pd.DataFrame, attributes: Iterable[str], two_way_n: int) -> Iterable[tuple[str, str, Crowd]]:
    """The whole programme, then every group; an attribute with one group has no view, a cell of few no row."""
    yield PROGRAMME, PROGRAMME, _crowd(asked, asked)
    names = [name for name in attributes if asked[name].nunique() > 1]
    grouped = asked.assign(**{TWO_WAY.join(pair): asked[pair[0]] + TWO_WAY + asked[pair[1]] for pair in _pairs(names)})
    for name in [*names, *(TWO_WAY.join(pair) for pair in _pairs(names))]:
        for group, inside in grouped.groupby(name, sort=True):
            if TWO_WAY not in name or inside.groupby("side")["person_id"].nunique().max() >= two_way_n:
                yield name, str(group), _crowd(inside, grouped)


def _pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return list(combinations(names, 2))


def _crowd(inside: pd.DataFrame, everyone: pd.DataFrame) -> Crowd:
    ends = {side: inside[inside["side"] == side] for side in SIDES}
    brought = everyone[(everyone["side"] == "mentor") & everyone["pairing_id"].isin(ends["mentee"]["pairing_id"])]
    return Crowd(
        mentor=_sizes(ends["mentor"]),
        mentee=_sizes(ends["mentee"]),
        paired_mentor=_sizes(brought),
        guides=int(brought["person_id"].nunique()),
    )


def _sizes(rows: pd.DataFrame) -> Sizes:
    n_pairings, n_people = np.unique(rows.groupby("person_id").size(), return_counts=True)
    return tuple((int(m), int(n)) for m, n in zip(n_pairings, n_people, strict=True))


# --- how many, how likely --------------------------------------------------------------------------


def _view(key: Key, metric: Metric, counted: Counted, needed: tuple[float, bool], least: int) -> View:
    """A number is no likelier to be shown than those without which it would give something away."""
    pulse, view, group, side, _ = key
    is_possible = counted.is_possible and needed[1]
    chance = min(counted.chance, needed[0]) if is_possible else 0.0
    has_pool = view != PROGRAMME and TWO_WAY not in view
    over_three = max(chance, counted.chance_over_three) if is_possible else 0.0
    return View(
        pulse=pulse,
        view=view,
        group=group,
        side=side,
        metric=metric.id,
        unit=metric.unit,
        least=least,
        asked_mentors=counted.asked.get("mentor", 0.0),
        asked_mentees=counted.asked.get("mentee", 0.0),
        n_mentors=counted.n.get("mentor", 0.0),
        n_mentees=counted.n.get("mentee", 0.0),
        half_width=counted.half_width,
        chance=chance,
        chance_over_three=over_three if has_pool else None,
        is_possible=is_possible,
    )


@lru_cache(maxsize=200_000)
def _counted(share: Share, crowd: Crowd, side: str, least: int, response: float) -> Counted:
    """One group's people on one side (or both); a number of pairings counts those where both answer."""
    rate = 1.0 if share.is_share else response  # all who are asked stand behind a share of them
    people, told = _people(share, crowd, side, rate), _people(share, crowd, side, 1.0)
    n = {each: expected(sizes, rate, q) for each, (sizes, q) in people.items()}
    possible = [sum(count for _, count in sizes) >= least for sizes, _ in people.values()]
    return Counted(
        asked={each: expected(sizes, 1.0, q) for each, (sizes, q) in told.items()},
        n=n,
        half_width=_half_width(share, n, least, response),
        chance=_chance(share, people, rate, least, 1),
        chance_over_three=_chance(share, people, rate, least, POOLED),
        is_possible=all(possible) and (side == "mentor" or crowd.guides >= LEAST_GUIDES),
    )


def _people(share: Share, crowd: Crowd, side: str, partner: float) -> dict[str, tuple[Sizes, float]]:
    """By side, the people whose number must be enough, and the share of their pairings that may count.

    `partner`: how likely the other of a pairing answers, where the number is one of pairings.
    """
    if side == "both" and share.is_of_pairings:
        both = share.mentor * share.mentee * partner
        return {"mentor": (crowd.paired_mentor, both), "mentee": (crowd.mentee, both)}
    return {each: (getattr(crowd, each), getattr(share, each)) for each in _feeding(side)}


def _enough_respondents(whole: Crowd, thresholds: Thresholds, response: float) -> dict[str, tuple[float, bool]]:
    """By side, the chance that enough people answer for any score of that side, and whether they are there at all."""
    sizes = {side: getattr(whole, side) for side in SIDES}
    least = thresholds.respondents_n
    return {side: (at_least(of, response, 1.0, least, 1), sum(n for _, n in of) >= least) for side, of in sizes.items()}


def _needed(
    key: Key, metric: Metric, found: Mapping[Key, View], enough: Mapping[str, tuple[float, bool]]
) -> tuple[float, bool]:
    """The least chance among the numbers that this one rests on, and whether each of them can be at all."""
    pulse, view, group, side, own = key
    keys = [(pulse, view, group, each, own) for each in SIDES if side == "both" and each in metric.sides]
    if view != PROGRAMME:
        keys.append((pulse, PROGRAMME, PROGRAMME, side, own))
        keys += [(pulse, view, group, side, other) for other in metric.rests_on]
    needed = [(found[each].chance, found[each].is_possible) for each in keys if each in found]
    if metric.unit == "points":
        respondents = [enough[each] for each in _feeding(side)]
        needed.append((prod(chance for chance, _ in respondents), all(ever for _, ever in respondents)))
    return min((chance for chance, _ in needed), default=1.0), all(ever for _, ever in needed)


def _chance(share: Share, people: Mapping[str, tuple[Sizes, float]], rate: float, least: int, n_rounds: int) -> float:
    """That every side reaches the least number: independently, or together where pairings are counted."""
    each = [at_least(sizes, rate, q, least, n_rounds) for sizes, q in people.values()]
    return min(each) if share.is_of_pairings else prod(each)


def _answers(m: int, rate: float, q: float) -> float:
    """That somebody in m pairings answers (all that they are asked) and is asked this for at least one of them."""
    return rate * (1 - (1 - q) ** m)


def expected(sizes: Sizes, rate: float, q: float) -> float:
    """The expected number of distinct people."""
    return sum(n * _answers(m, rate, q) for m, n in sizes)


@lru_cache(maxsize=100_000)
def at_least(sizes: Sizes, rate: float, q: float, least: int, n_rounds: int) -> float:
    """The probability that at least so many people answer at least once in so many rounds."""
    below = np.zeros(least)
    below[0] = 1.0
    for m, n in sizes:
        p = 1 - (1 - _answers(m, rate, q)) ** n_rounds
        exactly = np.diff(bdtr(np.arange(least), n, p), prepend=0.0) if p < 1 else _all_of(n, least)
        below = np.convolve(below, np.nan_to_num(exactly))[:least]
    return float(np.clip(1 - below.sum(), 0.0, 1.0))


def _all_of(n: int, least: int) -> Floats:
    exactly: Floats = (np.arange(least) == n).astype(float)
    return exactly


def _half_width(share: Share, n: Mapping[str, float], least: int, response: float) -> float:
    """Half the 95 % interval, with the declared spread and people counted in steps as a release counts them."""
    sizes = np.array([max(each, least) // STEP * STEP for each in n.values()])
    if share.is_share:
        low, high = wilson(response * sizes.sum(), sizes.sum())
        return (high - low) / 2
    if len(n) == 2 and share.is_of_pairings:
        sizes = sizes[1:]  # pairings, one a mentee
    return declared(0.0, sizes, share.prior_sd).half_width
