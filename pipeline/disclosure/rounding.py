"""Rounds what is shown: counts to steps of five, means to steps of their error, values to what their interval supports.

A mean is coarsened before anything else is made of it. What people can do with a fine mean is subtract: five
people and a mean to a tenth give the fifth answer to the other four. In steps of at most its standard error a mean
loses nothing that a reader could have relied on (the error it adds is at most half a standard error), and each sum
keeps room for answers to move in.
"""

import math

STEP = 5
BELOW_A_POINT = (0.1, 0.2, 0.5)
COARSEST = 20.0
NORMAL = 1.96  # half a 95 % interval, in standard errors


def in_steps(count: int) -> int:
    """A count in steps of five, rounded down: "at least this many"."""
    return count // STEP * STEP


def told_count(count: int, n: int) -> int:
    """How many of n people are told to stand behind a number, before steps: told alike where a share is (below).

    Where everybody who was asked is counted, everybody is known to have answered; from the counts of two groups that
    could be worked out of a third.
    """
    last = in_steps(n - STEP + 1)
    return min(count, max(last, 1) + STEP - 1)


def share_range(count: int, n: int) -> tuple[int, int]:
    """The counts of n that are told alike: a step of five; where it would reach n with fewer, the one below as well.

    So a full house looks like one with a few empty chairs, and nobody can tell that a certain person answered.
    """
    last = max(in_steps(n - STEP + 1), 0)
    low = min(in_steps(count), last)
    return low, n if low == last else low + STEP - 1


def step_of(se: float) -> float:
    """How finely a mean with this standard error is told, in points: whole points up to the standard error."""
    if se >= 1:
        return min(float(math.floor(se)), COARSEST)
    return max((step for step in BELOW_A_POINT if step <= se), default=BELOW_A_POINT[0])


def coarse(value: float, step: float) -> float:
    """A mean as a whole multiple of its step, halves away from zero."""
    return _half_up(value / step, 0) * step


def half_width_in_steps(half_width: float, step: float) -> float:
    """Half an interval in quarters of its middle's step: it says how much people differ no better than that.

    Rounded up, because an interval that is rounded to the nearest is too narrow half of the time.
    """
    finer = step_of(step / 4)
    return max(math.ceil(half_width / finer - 1e-9), 1) * finer


def error_step(low: float, high: float) -> float:
    """How finely a number with this 95 % interval is told; one without an interval in whole points."""
    return step_of((high - low) / 2 / NORMAL) if high > low else 1.0


def in_steps_of_error(value: float, low: float, high: float) -> tuple[float, float, float]:
    """A number with a 95 % interval in steps of its error; one without an interval in whole points.

    The step's error, uniform within half a step, widens the interval.
    """
    half, step = (high - low) / 2, error_step(low, high)
    if half <= 0:
        return (coarse(value, step),) * 3
    widened = math.sqrt(half**2 + NORMAL**2 * step**2 / 12)
    value, half = coarse(value, step), half_width_in_steps(widened, step)
    return value, value - half, value + half


def decimals(half_width: float, unit: str) -> int:
    """How many decimals an interval supports; points and T get at most one, shares two more, coefficients two."""
    if unit == "coefficient":
        return 2
    if unit == "share":
        return 2 + (half_width < 0.01)
    return int(half_width < 1)


def rounded(
    value: float,
    low: float,
    high: float,
    *,
    unit: str,
    scale: tuple[float, float],
    half_width: float | None = None,
) -> tuple[float, float, float]:
    """A value and its interval, cut to the scale and rounded alike, halves away from zero.

    `half_width` says how finely, where that is not the interval's own.
    """
    places = decimals((high - low) / 2 if half_width is None else half_width, unit)
    cut = (min(max(number, scale[0]), scale[1]) for number in (value, low, high))
    value, low, high = (_half_up(number, places) for number in cut)
    return value, low, high


def _half_up(number: float, places: int) -> float:
    """Python rounds halves to even; a float a hair under a half (another machine's sum) rounds as one."""
    scaled = abs(number) * 10**places
    whole: int = math.floor(scaled + 0.5 + 1e-9)
    return (whole if number > 0 else -whole) / 10.0**places + 0.0
