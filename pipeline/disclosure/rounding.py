"""Rounds what is shown: counts to steps of five, values to what their interval supports."""

import math

STEP = 5


def in_steps(count: int) -> int:
    """A count in steps of five, rounded down: "at least this many"."""
    return count // STEP * STEP


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
