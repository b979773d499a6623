"""Writes the rows that anyone may ever see: rounded numbers, or one sentence in their place."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from data.contracts import Published, conform
from pipeline.claim import DESCRIBES
from pipeline.disclosure.crowd import FEEDING, PROGRAMME, WITHHELD
from pipeline.disclosure.rounding import in_steps, in_steps_of_error, rounded, told_count
from pipeline.evidence.finding import Finding
from pipeline.metric import Metric

ORDER = ["view", "group", "side", "metric"]
NO_NUMBER = {"value": None, "low": None, "high": None, "n": None, "shown": False, "reason": WITHHELD}


def publish(
    measured: pd.DataFrame,
    shown: Sequence[bool],
    flows: pd.DataFrame,
    metrics: Mapping[str, Metric],
    findings: Iterable[tuple[Finding, bool]] = (),
    case: Iterable[Mapping[str, Any]] = (),
    *,
    n_asked: Mapping[str, int],
    programme_id: str,
    release_id: str,
    round_id: str,
) -> pd.DataFrame:
    """Published, from Measured that passed the gate, the flow of people, the evidence and the business case.

    Rows in one fixed order.

    `n_asked`: how many mentors and mentees were asked. A withheld row carries nothing that depends on an answer: it
    reads the same whatever the reason.
    """
    rows = [
        _number(row, metrics[str(row["metric"])]) if is_shown else _withheld(row)
        for row, is_shown in zip(measured.to_dict("records"), shown, strict=True)
    ]
    rows += [_found(finding, n_asked) if is_shown else _withheld(vars(finding)) for finding, is_shown in findings]
    rows += [_count(row) for row in flows.to_dict("records")]
    rows += [dict(row) for row in case]
    ids = {"programme": programme_id, "release": release_id, "round": round_id}
    frame = pd.DataFrame([{**ids, **row} for row in rows])
    return conform(Published, frame.sort_values(ORDER, ignore_index=True))


def _number(row: Mapping[Any, Any], metric: Metric) -> dict[str, object]:
    value, low, high = rounded(row["value"], row["low"], row["high"], unit=metric.unit, scale=metric.scale)
    n = sum(in_steps(int(row[f"n_{feeding}"])) for feeding in FEEDING[row["side"]])
    return {**_about(row), "value": value, "low": low, "high": high, "n": n, "shown": True, "reason": ""}


def _found(finding: Finding, n_asked: Mapping[str, int]) -> dict[str, object]:
    numbers = in_steps_of_error(*finding.numbers) if finding.unit == "points" else finding.numbers
    value, low, high = rounded(*numbers, unit=finding.unit, scale=finding.scale, half_width=finding.supports)
    counts = {feeding: len(getattr(finding.crowd, feeding)) for feeding in FEEDING[finding.side]}
    n = sum(in_steps(told_count(count, n_asked[feeding])) for feeding, count in counts.items())
    bounds = {"value": value, "low": low, "high": high}
    return {**_about(vars(finding)), **bounds, "n": n, "shown": True, "reason": ""}


def _withheld(row: Mapping[Any, Any]) -> dict[str, object]:
    return {**_about(row), **NO_NUMBER}


def _count(row: Mapping[Any, Any]) -> dict[str, object]:
    value = float(row["n"])
    where = {"view": PROGRAMME, "group": PROGRAMME, "claim": DESCRIBES, "shown": True, "reason": ""}
    return {**row, **where, "value": value, "low": value, "high": value}


def _about(row: Mapping[Any, Any]) -> dict[str, object]:
    return {name: row[name] for name in (*ORDER, "unit", "claim")}
