"""Runs the rounding of a number with an interval backwards: between which ends it was before."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.disclosure.rounding import (
    BELOW_A_POINT,
    COARSEST,
    NORMAL,
    half_width_in_steps,
    rounded,
    step_of,
)

STEPS = (*BELOW_A_POINT, *(float(points) for points in range(1, int(COARSEST) + 1)))
WIDEST = 200.0  # half an interval; a wider one is cut at both ends of the scale, and told in the coarsest step as well
MOVED = 1.0  # by how much rounding to whole points can move the distance of two numbers
CLOSE = 1e-9
Numbers = tuple[float, float, float]
Row = Mapping[Any, Any]


def before_rounding(row: Row, scale: tuple[float, float], *, by_own_error: bool) -> tuple[float, float]:
    """The least and greatest mean that would be shown as this value, low and high.

    A reader knows the rule: the mean in whole steps of its error, half an interval in quarters of that step, and then
    all three to the decimals that the interval supports. Which step it was is not told, so every step that leads to
    exactly these three numbers is thought of. `by_own_error`: the decimals are those of the interval before the step
    widened it.
    """
    shown = (float(row["value"]), float(row["low"]), float(row["high"]))
    ends = [
        (mean - step / 2, mean + step / 2)
        for step in STEPS
        for mean, half in _thinkable(shown, step)
        for supports in (_own(half, step) if by_own_error else (half,))
        if rounded(mean, mean - half, mean + half, unit="points", scale=scale, half_width=supports) == shown
    ]
    if not ends:
        raise ArithmeticError(f"No rounding leads to {shown}: it is not what the documented rule says.")
    return min(low for low, _ in ends), max(high for _, high in ends)


def _thinkable(shown: Numbers, step: float) -> Iterator[tuple[float, float]]:
    """Means in whole steps near the shown one, with half intervals that are told in this step, near the shown ones."""
    value, low, high = shown
    seen, finer = max(value - low, high - value), step_of(step / 4)
    own = NORMAL * step if step > STEPS[0] else 0.0
    wider = NORMAL * STEPS[STEPS.index(step) + 1] if step < COARSEST else WIDEST
    least, most = (half_width_in_steps(float(np.hypot(each, _widening(step))), step) for each in (own, wider - CLOSE))
    least, most = max(least, seen - MOVED - step), min(most, seen + MOVED + step)
    means = range(int(np.floor((value - MOVED) / step)) - 1, int(np.ceil((value + MOVED) / step)) + 2)
    halves = range(max(round(least / finer), 1), round(most / finer) + 1)
    yield from ((mean * step, half * finer) for mean in means for half in halves)


def _own(half: float, step: float) -> tuple[float, float]:
    """Between which ends half an interval was before its step widened it, and it was rounded up."""
    least = max(half - step_of(step / 4), _widening(step))
    return float(np.sqrt(least**2 - _widening(step) ** 2)), float(np.sqrt(half**2 - _widening(step) ** 2))


def _widening(step: float) -> float:
    """What a number's step adds to half its interval, in quadrature."""
    return NORMAL * step / float(np.sqrt(12))
