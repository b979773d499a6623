"""Says what a programme costs, how many exits it must avoid to pay, and what it is worth where that can be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from data.errors import RapportError
from pipeline.business_case.assumptions import Assumptions, assumptions
from pipeline.business_case.effect import Effect
from pipeline.business_case.money import (
    Case,
    Floats,
    Inputs,
    Range,
    Worth,
    break_even_exits,
    by_source,
    cost_items,
    cost_of,
    range_of,
    worth_of,
)

SEED = 20260
N_DRAWS = 20_000
LIKELY = 0.9  # from this chance of paying on a programme is kept for its money

CANNOT_TELL = "The data fit fewer exits and more exits, so what the programme is worth cannot be told yet."


@dataclass(frozen=True, kw_only=True)
class Avoided:
    """Exits avoided among these mentees in a year with their 95 % interval; negative is more exits."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to decide, by the key of a sentence, and the numbers that the sentence names."""

    key: str
    facts: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Value:
    """The money of a programme year: cost, break-even in exits, what the data fit, and what to decide.

    Amounts in `currency`. `cost_items`: item, amount at the single values. `break_even`: voluntary exits that must be
    avoided to cover the cost, None without a salary; `expected_exits`: those expected among these mentees without the
    programme, so more cannot be avoided. `by_source`: one row a published replacement cost: salaries, source, dated,
    break_even, is_within_reach, and where the effect is told net, net_low, net_high, p_above_cost. `worth` is None
    with `withheld` saying why. `missing`: what has to be named first. `engagement`: the effect on engagement as it
    is, beside the money and never in it; `engagement_worth`: its amount where a conversion was given.
    """

    currency: str
    n_mentees: int
    cost: Range
    cost_items: pd.DataFrame
    expected_exits: float
    break_even: Range | None
    by_source: pd.DataFrame
    avoided: Avoided | None
    worth: Worth | None
    withheld: str
    missing: tuple[str, ...]
    decision: Decision
    engagement: Effect | None
    engagement_worth: Range | None
    claim: str


def value(
    effect: Effect,
    *,
    mentees: int | Mapping[str, float],
    exit_rate: float,
    given: Assumptions | None = None,
    mentors: int | None = None,
    engagement: Effect | None = None,
    n_draws: int = N_DRAWS,
    rng: np.random.Generator | None = None,
) -> Value:
    """The money of one programme year for `mentees` (a number, or numbers by grade).

    `effect`: difference in the risk of a voluntary exit within twelve months, mentees less comparable others
    (−0.04 is four fewer in a hundred); `exit_rate` (0–1) the risk expected without the programme. Benefit = avoided
    voluntary exits × replacement cost × salary, nothing else; both sides' hours are in the cost. The Monte Carlo
    draws the effect from the normal distribution of its estimate, never cut at zero, and each input from its PERT
    distribution, all independent of one another; P, net and tornado are withheld unless the effect's interval
    excludes zero, because a chance near one half reads as a recommendation.
    """
    by_grade = dict(mentees) if isinstance(mentees, Mapping) else {"": mentees}
    n = round(sum(by_grade.values()))
    _check(n, exit_rate, effect)
    given = given if given is not None else assumptions()
    drawn = rng or np.random.default_rng(SEED)
    single, many = _single(given), _drawn(given, n_draws, drawn)
    pairs = (n, mentors if mentors is not None else n)
    salary, missing = _mean_salary(given, by_grade)
    cost = range_of(cost_of(single, pairs), cost_of(many, pairs))
    avoided = _avoided(effect, n)
    withheld = _withheld(effect, missing)
    draws = -n * drawn.normal(effect.estimate, effect.se, n_draws) if effect.is_answered else np.zeros(0)
    case = Case(given, single, many, pairs, salary, -n * effect.estimate, n * effect.se, draws)
    worth = None if withheld else worth_of(case)
    break_even = None if missing else range_of(*(break_even_exits(case, inputs) for inputs in (single, many)))
    expected = n * exit_rate
    return Value(
        currency=given["licence"].currency,
        n_mentees=n,
        cost=cost,
        cost_items=cost_items(single, pairs),
        expected_exits=expected,
        break_even=break_even,
        by_source=by_source(case, expected, is_told=worth is not None),
        avoided=avoided,
        worth=worth,
        withheld=withheld,
        missing=missing,
        decision=_decide(cost, break_even, expected, avoided, effect, worth),
        engagement=engagement,
        engagement_worth=_engagement_worth(engagement, many.get("engagement_worth"), single, n, drawn),
        claim=effect.claim,
    )


def _check(n: int, exit_rate: float, effect: Effect) -> None:
    if n < 1 or not 0 <= exit_rate <= 1:
        raise RapportError(f"Expected mentees and an exit rate from 0 to 1, found {n} and {exit_rate}.")
    if effect.is_answered and max(abs(effect.low), abs(effect.high)) > 1 + 2 * effect.se:
        raise RapportError("Expected an effect on the risk of an exit, from -1 to 1.")


def _single(given: Assumptions) -> dict[str, Floats]:
    return {key: np.asarray(one.value) for key, one in given.items() if one.is_known}


def _drawn(given: Assumptions, n: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Each input from its own stream, so that one that is named or changed leaves the draws of the others alone."""
    streams = zip(given.items(), rng.spawn(len(given)), strict=True)
    return {key: one.draw(stream, n) for (key, one), stream in streams if one.is_known}


def _mean_salary(given: Assumptions, by_grade: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    """The mentees' mean salary, and what is missing to know it."""
    salary = given["salary"]
    if not salary.is_known:
        return nan, ("salary",)
    if not salary.by_grade or list(by_grade) == [""]:
        return salary.value, ()
    unknown = tuple(f"salary of grade {grade}" for grade in by_grade if grade not in salary.by_grade)
    if unknown:
        return nan, unknown
    return sum(n * salary.by_grade[grade] for grade, n in by_grade.items()) / sum(by_grade.values()), ()


def _avoided(effect: Effect, n: int) -> Avoided | None:
    if not effect.is_answered:
        return None
    return Avoided(estimate=-n * effect.estimate, low=-n * effect.high, high=-n * effect.low)


def _withheld(effect: Effect, missing: tuple[str, ...]) -> str:
    if not effect.is_answered:
        return effect.reason or CANNOT_TELL
    if not effect.excludes_zero:
        return CANNOT_TELL
    return f"Missing: {', '.join(missing)}." if missing else ""


def _decide(
    cost: Range,
    break_even: Range | None,
    expected: float,
    avoided: Avoided | None,
    effect: Effect,
    worth: Worth | None,
) -> Decision:
    facts = {"cost": cost.value, "expected_exits": expected}
    if avoided is not None:
        facts |= {"avoided": avoided.estimate, "avoided_low": avoided.low, "avoided_high": avoided.high}
    if break_even is None:
        return Decision(key="name_the_missing_input", facts=facts)
    facts["break_even"] = break_even.value
    if effect.excludes_zero and effect.estimate > 0:
        return Decision(key="find_out_why_more_leave", facts=facts)
    if break_even.value > expected:
        return Decision(key="judge_by_other_aims_than_exits", facts=facts)
    if worth is None:
        return Decision(key="allocate_places_by_lottery", facts=facts)
    facts["p_above_cost"] = worth.p_above_cost
    return Decision(key="keep" if worth.p_above_cost >= LIKELY else "lower_the_cost_or_learn_more", facts=facts)


def _engagement_worth(
    engagement: Effect | None, rate: Floats | None, single: Inputs, n: int, rng: np.random.Generator
) -> Range | None:
    if engagement is None or not engagement.excludes_zero or rate is None:
        return None
    draws = rng.normal(engagement.estimate, engagement.se, len(rate)) * n * rate
    return range_of(engagement.estimate * n * single["engagement_worth"], draws)
