"""Says before a programme starts what its size can show, and what it would take to show more."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite, log, sqrt
from typing import Literal

import pandas as pd
from scipy import optimize, stats

from data.errors import RapportError

Test = Literal["interval", "pooled"]
ALPHA, POWER = 0.05, 0.8
MOST = 10_000_000
YEAR = 12


@dataclass(frozen=True, kw_only=True)
class Power:
    """What `mentees` and `comparisons` (effective numbers of people) can show of a yearly exit rate `base_rate`.

    `smallest_rate`: the highest rate among mentees that would be told from it with the wanted power, NaN where even
    none at all would not; `difference` = smallest_rate − base_rate; `chance`: power at `rate`, where one was asked.
    """

    mentees: float
    comparisons: float
    base_rate: float
    smallest_rate: float
    difference: float
    chance: float
    alpha: float
    power: float


@dataclass(frozen=True, kw_only=True)
class Takes:
    """What an answer would take: people, cohorts, and months until the last of them is followed up; or why it never
    comes."""

    mentees: int
    comparisons: int
    cohorts: int
    months: int
    reason: str = ""

    @property
    def is_possible(self) -> bool:
        return not self.reason


def power(
    *,
    mentees: float,
    comparisons: float,
    base_rate: float,
    rate: float | None = None,
    alpha: float = ALPHA,
    power: float = POWER,
    test: Test = "interval",
) -> Power:
    """The minimum detectable effect on a rate between two groups of independent people, two-sided, normal theory.

    `mentees` and `comparisons` are effective numbers: after weighting or clustering Kish's n, not heads. With p₁ the
    base rate and p₂ the mentees', power = Φ((|p₁ − p₂| − z·s₀)/s₁), s₁² = p₁q₁/n₁ + p₂q₂/n₂. "interval": whether the
    report's 95 % interval excludes zero, s₀ = s₁. "pooled": the score test, s₀² = p̄q̄(1/n₁ + 1/n₂), which holds its
    level better where exits are few (Fleiss, Levin & Paik 2003, section 4.2): with 80 mentees, 2,000 others and 12 %
    exits in both, the interval says "fewer" in 5.8 % of programmes, the score test in 1.7 %.
    """
    _check_rate(base_rate)
    if min(mentees, comparisons) <= 0:
        raise RapportError("Expected people on both sides of the comparison.")
    sizes = (comparisons, mentees)
    smallest = _smallest(base_rate, sizes, alpha, power, test)
    return Power(
        mentees=mentees,
        comparisons=comparisons,
        base_rate=base_rate,
        smallest_rate=smallest,
        difference=smallest - base_rate,
        chance=float("nan") if rate is None else _chance((base_rate, rate), sizes, alpha, test),
        alpha=alpha,
        power=power,
    )


def power_table(
    *,
    mentees: Sequence[float],
    comparisons: float,
    base_rate: float,
    cohorts: Sequence[int] = (1, 2, 3, 5),
    effective_share: float = 1.0,
    alpha: float = ALPHA,
    power_wanted: float = POWER,
) -> pd.DataFrame:
    """What programmes of these sizes show after so many cohorts: mentees (a cohort), cohorts, people, base_rate,
    smallest_rate, difference. `comparisons` a cohort; `effective_share`: what a person counts after weighting."""
    rows = []
    for size in mentees:
        for number in cohorts:
            found = power(
                mentees=size * number * effective_share,
                comparisons=comparisons * number * effective_share,
                base_rate=base_rate,
                alpha=alpha,
                power=power_wanted,
            )
            rows.append((size, number, size * number, base_rate, found.smallest_rate, found.difference))
    return pd.DataFrame(rows, columns=["mentees", "cohorts", "people", "base_rate", "smallest_rate", "difference"])


def people_for_rates(
    *, rate: float, other_rate: float, alpha: float = ALPHA, power: float = POWER, ratio: float = 1.0
) -> int:
    """People in the first group to tell two rates apart, with `ratio` times as many in the other (pooled test).

    n = (z_α √(p̄q̄(1 + 1/r)) + z_β √(p₁q₁ + p₂q₂/r))² / (p₁ − p₂)², without continuity correction (Fleiss, Levin &
    Paik 2003, section 4.3).
    """
    _check_rate(rate)
    _check_rate(other_rate)
    if rate == other_rate or ratio <= 0:
        raise RapportError("Expected two different rates and a ratio above zero.")
    mean = (rate + ratio * other_rate) / (1 + ratio)
    under_none = sqrt(mean * (1 - mean) * (1 + 1 / ratio))
    under_effect = sqrt(rate * (1 - rate) + other_rate * (1 - other_rate) / ratio)
    return ceil(((_z(alpha / 2) * under_none + _z(1 - power) * under_effect) / (rate - other_rate)) ** 2)


def people_for_means(*, d: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """People a group to tell two means `d` standard deviations apart: exact, from the noncentral t distribution."""
    if d == 0:
        raise RapportError("Expected a difference other than zero.")

    def reached(n: int) -> float:
        freedom, shift = 2 * n - 2, abs(d) * sqrt(n / 2)
        limit = stats.t.isf(alpha / 2, freedom)
        return float(stats.nct.sf(limit, freedom, shift) + stats.nct.cdf(-limit, freedom, shift))

    low, high = 1, 2
    while reached(high) < power:
        low, high = high, high * 2
        if high > MOST:
            raise RapportError(f"No number of people up to {MOST:,} shows a difference of {d:g}.")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) >= power else (middle, high)
    return high


def events_for_hazard(*, hazard_ratio: float, alpha: float = ALPHA, power: float = POWER, share: float = 0.5) -> float:
    """Exits in both groups together to tell a hazard ratio from 1, with `share` of the people mentored.

    d = (z_α + z_β)² / (share(1 − share) (ln HR)²); Schoenfeld (1983, doi:10.2307/2531021).
    """
    if not (hazard_ratio > 0 and hazard_ratio != 1 and 0 < share < 1):
        raise RapportError("Expected a hazard ratio above 0 other than 1, and a share of mentees between 0 and 1.")
    return (_z(alpha / 2) + _z(1 - power)) ** 2 / (share * (1 - share) * log(hazard_ratio) ** 2)


def what_it_would_take(
    *,
    base_rate: float,
    rate: float,
    mentees: float,
    comparisons: float,
    effective_share: float = 1.0,
    months_between: int = YEAR,
    follow_up: int = YEAR,
    most_cohorts: int = 50,
    alpha: float = ALPHA,
    power_wanted: float = POWER,
    test: Test = "interval",
) -> Takes:
    """Cohorts of `mentees` with `comparisons` beside them until a fall from `base_rate` to `rate` could be told.

    A cohort starts every `months_between` months and is followed for `follow_up`; the answer is there when the last
    one has been. `effective_share`: effective over real people, as an earlier estimate found it.
    """
    _check_rate(base_rate)
    _check_rate(rate)
    if rate == base_rate or min(mentees, comparisons) <= 0 or not 0 < effective_share <= 1:
        raise RapportError("Expected two different rates, people on both sides and an effective share up to 1.")
    for cohorts in range(1, most_cohorts + 1):
        sizes = (comparisons * cohorts * effective_share, mentees * cohorts * effective_share)
        if _chance((base_rate, rate), sizes, alpha, test) >= power_wanted:
            return Takes(
                mentees=ceil(mentees * cohorts),
                comparisons=ceil(comparisons * cohorts),
                cohorts=cohorts,
                months=(cohorts - 1) * months_between + follow_up,
            )
    reason = f"More than {most_cohorts} cohorts of this size would be needed."
    return Takes(mentees=0, comparisons=0, cohorts=0, months=0, reason=reason)


def _smallest(base: float, sizes: tuple[float, float], alpha: float, wanted: float, test: Test) -> float:
    def lacking(rate: float) -> float:
        return _margin((base, rate), sizes, alpha, test) - stats.norm.ppf(wanted)  # type: ignore[no-any-return]

    if lacking(0.0) < 0:
        return float("nan")
    return float(optimize.brentq(lacking, 0.0, base * (1 - 1e-9), xtol=1e-10))


def _chance(rates: tuple[float, float], sizes: tuple[float, float], alpha: float, test: Test) -> float:
    return float(stats.norm.cdf(_margin(rates, sizes, alpha, test)))


def _margin(rates: tuple[float, float], sizes: tuple[float, float], alpha: float, test: Test) -> float:
    """Standard errors by which the difference of these rates lies beyond what chance makes of none."""
    spread = sqrt(sum(rate * (1 - rate) / n for rate, n in zip(rates, sizes, strict=True)))
    mean = (rates[0] * sizes[0] + rates[1] * sizes[1]) / sum(sizes)
    of_none = sqrt(mean * (1 - mean) * sum(1 / n for n in sizes)) if test == "pooled" else spread
    apart = abs(rates[0] - rates[1]) - _z(alpha / 2) * of_none
    if spread == 0:
        return inf if apart > 0 else -inf
    return apart / spread


def _z(tail: float) -> float:
    return float(stats.norm.isf(tail))


def _check_rate(rate: float) -> None:
    if not (isfinite(rate) and 0 <= rate <= 1):
        raise RapportError(f"Expected a rate from 0 to 1, found {rate}.")
