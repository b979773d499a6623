"""Says in a table and a sentence what a programme of a size can show, and what a drawn allocation showed."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import pandas as pd

from data.errors import RapportError
from data.terminal import table
from pipeline.business_case.design import Takes, power, power_table, what_it_would_take
from pipeline.business_case.effect import Effect

SIZES = (1, 2, 4)  # times the mentees that are asked about
COHORTS = (1, 2, 3, 5)


def outlook(
    *, mentees: int, comparisons: int, base_rate: float, rate: float | None, cohorts: Sequence[int]
) -> dict[str, Any]:
    """What programmes of this size and its multiples show: `table` (rows of `power_table`), `smallest_rate` after one
    cohort, and where a `rate` is asked about its `chance` and what it `takes`."""
    if mentees < 1 or comparisons < 1 or not cohorts or min(cohorts) < 1:
        raise RapportError("Expected at least one mentee, one other person and one cohort.")
    if not 0 < base_rate < 1 or (rate is not None and (not 0 <= rate < 1 or rate == base_rate)):
        raise RapportError("Expected rates between 0 and 1, and another rate than the one without mentoring.")
    # A larger programme has proportionally more people to compare with, as a lottery of more places does.
    parts = [
        power_table(mentees=[mentees * size], comparisons=comparisons * size, base_rate=base_rate, cohorts=cohorts)
        for size in SIZES
    ]
    one = power(mentees=mentees, comparisons=comparisons, base_rate=base_rate, rate=rate)
    takes = None
    if rate is not None:
        takes = what_it_would_take(base_rate=base_rate, rate=rate, mentees=mentees, comparisons=comparisons)
    asked = {"mentees": mentees, "comparisons": comparisons, "base_rate": base_rate, "rate": rate}
    shows = {"smallest_rate": one.smallest_rate, "chance": one.chance, "takes": takes}
    return {"table": pd.concat(parts, ignore_index=True), **asked, **shows}


def outlook_text(found: Mapping[str, Any]) -> str:
    """The table, one line a size with a column a number of cohorts, and what it comes to."""
    wide = found["table"].pivot(index="mentees", columns="cohorts", values="smallest_rate")
    rows = [
        {"mentees a cohort": size, **{_after(number): _rate(value) for number, value in line.items()}}
        for size, line in wide.iterrows()
    ]
    head = "Told from {rate} in four of five programmes, where this many leave within a year:"
    lines = [head.format(rate=_rate(found["base_rate"])), table(rows, list(rows[0])), "", sentence(found)]
    return "\n".join(lines)


def sentence(found: Mapping[str, Any]) -> str:
    """What one cohort can show, and what the change that was asked about takes."""
    sides = f"{found['mentees']} mentees and {found['comparisons']} others"
    base, smallest = _rate(found["base_rate"]), found["smallest_rate"]
    if isfinite(smallest):
        said = f"One cohort of {sides} shows a fall from {base} to {_rate(smallest)} or lower."
    else:
        said = f"One cohort of {sides} could not show it even if nobody left."
    takes: Takes | None = found["takes"]
    if takes is None:
        return said
    chance = f"A change to {_rate(found['rate'])} would be told with a chance of {_rate(found['chance'])}"
    if not takes.is_possible:
        return f"{said} {chance}; {takes.reason[:1].lower()}{takes.reason[1:]}"
    return f"{said} {chance}; for four in five it takes {takes.cohorts} cohorts and {takes.months} months."


def outlook_data(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same as plain values; null where even nobody leaving would not be told."""
    rows = found["table"].astype(object)
    takes: Takes | None = found["takes"]
    asked = None if takes is None else {"cohorts": takes.cohorts, "months": takes.months, "reason": takes.reason}
    return {
        "table": rows.where(rows.notna(), None).to_dict("records"),
        "smallest_rate": _known(found["smallest_rate"]),
        "chance": _known(found["chance"]),
        "takes": asked,
    }


def effect_text(effect: Effect, outcome: str) -> str:
    """What the draw showed, with its claim."""
    if not effect.is_answered:
        return f"Cannot tell: {effect.reason}"
    details = effect.details
    started, others = (f"{details[f'n_{side}']:.0f}" for side in ("started", "not_started"))
    return "\n".join(
        [
            f"{outcome}: {details['mean_started']:.3f} among {started} drawn to have started, "
            f"{details['mean_not_started']:.3f} among {others} drawn not to have.",
            f"Difference {effect.estimate:+.3f} (95 % interval {effect.low:+.3f} to {effect.high:+.3f}), "
            f"{details['unknown']:.0%} of outcomes unknown; {effect.claim}.",
        ]
    )


def effect_data(effect: Effect) -> dict[str, Any]:
    names = ("estimate", "low", "high", "se")
    numbers = {name: _known(getattr(effect, name)) for name in names}
    details = {name: _known(value) for name, value in effect.details.items()}
    about = {"n": effect.n, "method": effect.method, "claim": effect.claim, "reason": effect.reason}
    return {**numbers, **about, "assumptions": list(effect.assumptions), "details": details}


def _after(cohorts: object) -> str:
    return f"after {cohorts} cohort{'s' if cohorts != 1 else ''}"


def _rate(share: float) -> str:
    return f"{100 * share:.1f} %" if isfinite(share) else "not even 0 %"


def _known(value: float) -> float | None:
    return value if isfinite(value) else None
