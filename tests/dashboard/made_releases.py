"""Makes sealed releases with known numbers in a real published store, for the tests of screens and reports."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from data.contracts import Published, conform
from data.store.engine import Stores, writing
from data.store.releases import save_release
from pipeline import release, seal
from pipeline.published import FLOWS, PROGRAMME, WITHHELD, catalogue

KICKOFF = date(2026, 1, 5)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
GROUPS = {"department": ("Engineering", "Operations", "People & <Culture>"), "location": ("Berlin", "Leeds")}
PULSES = ("kickoff", "pulse", "pulse", "milestone", "pulse", "pulse")
ROTATING = frozenset({"network", "staying", "engagement", "recognition"})  # asked at kickoff and milestone only
FLOW = {"flow_invited": "people", "flow_answered": "people", "flow_pairings_started": "pairings"}
FLOW |= {"flow_pairings_active": "pairings", "flow_pairings_ended": "pairings"}
Row = dict[str, Any]


def value_of(metric: str, side: str, number: int) -> float:
    """A made number: another one for each metric, side and round, and the same every time."""
    seed = sum(ord(letter) * (at + 1) for at, letter in enumerate(metric))
    lean = {"mentor": 3, "mentee": -3, "both": 0}[side]
    if catalogue()[metric].unit == "share":
        return round(0.70 + lean / 100 + number / 100, 2)
    if metric == "perception_gap":
        return 6.0
    step = {"trust": 3.0, "satisfaction": 0.5}.get(metric, 0.2)
    return round(52 + seed % 22 + lean + step * number, 0)


def rows_of(number: int, withheld: Mapping[str, str] | None = None) -> list[Row]:
    """The rows of one round's release; Leeds is always too small, and `withheld` names metric → group more."""
    rows = []
    for metric in catalogue().values():
        if metric.id in ROTATING and PULSES[number - 1] == "pulse":
            continue
        views = {PROGRAMME: (PROGRAMME,), **({} if metric.is_programme_only else GROUPS)}
        for view, groups in views.items():
            for group in groups:
                hidden = group == "Leeds" or (withheld or {}).get(metric.id) == group
                for side in metric.sides:
                    rows.append(_row(metric.id, side, view, group, number, is_shown=not hidden))
    return rows + [_count(metric, side, number) for metric in FLOW for side in _flow_sides(metric)]


def _flow_sides(metric: str) -> tuple[str, ...]:
    return ("mentor", "mentee", "both") if FLOW[metric] == "people" else ("both",)


def _row(metric: str, side: str, view: str, group: str, number: int, *, is_shown: bool) -> Row:
    unit = catalogue()[metric].unit
    where = {"view": view, "group": group, "side": side, "metric": metric, "unit": unit, "claim": "describes"}
    if not is_shown:
        return {**where, "value": None, "low": None, "high": None, "n": None, "shown": False, "reason": WITHHELD}
    width = (0.08 if unit == "share" else 4.0) * (1 if view == PROGRAMME else 2)
    value = value_of(metric, side, number) + (0 if view == PROGRAMME or unit == "share" else len(group) % 5 - 2)
    n = (95 if side == "both" else 45) if view == PROGRAMME else 15
    lowest, highest = catalogue()[metric].scale
    ends = (max(lowest, value - width), min(highest, value + width))
    bounds = {"value": value, "low": round(ends[0], 2), "high": round(ends[1], 2)}
    return {**where, **bounds, "n": n, "shown": True, "reason": ""}


def few_rows(
    number: int, *, asked: int = 5, answered: tuple[float, float, float] | None = (0.7, 0.55, 1.0)
) -> list[Row]:
    """A programme of a few pairings: every score withheld; its counts, and participation where `answered` says it."""
    where = ("metric", "side", "view", "group")
    kept = [row for row in rows_of(number) if row["metric"] not in FLOW]
    rows = [_row(*(row[name] for name in where), number, is_shown=False) for row in kept]
    for row in rows:
        if answered is not None and (row["metric"], row["view"]) == ("participation", PROGRAMME):
            row |= dict(zip(("value", "low", "high"), answered, strict=True)) | {
                "n": asked,
                "shown": True,
                "reason": "",
            }
    sides = {"mentor": asked, "mentee": asked, "both": 2 * asked}
    people = [count_of(name, side, n) for name in ("flow_invited", "flow_answered") for side, n in sides.items()]
    pairings = {"started": 5, "active": 5, "ended": 0}
    return [*rows, *people, *(count_of(f"flow_pairings_{name}", "both", n) for name, n in pairings.items())]


def _count(metric: str, side: str, number: int) -> Row:
    return count_of(metric, side, 5 * (20 + number + len(metric) % 3) * (2 if side == "both" else 1))


def count_of(metric: str, side: str, n: int) -> Row:
    """The row of one count of people or pairings."""
    where = {"view": PROGRAMME, "group": PROGRAMME, "side": side, "metric": metric, "unit": FLOWS[metric]}
    numbers = {"value": float(n), "low": float(n), "high": float(n), "n": n}
    return {**where, **numbers, "claim": "describes", "shown": True, "reason": ""}


def make_release(
    stores: Stores,
    number: int,
    *,
    key: str,
    programme: str = "mentoring",
    name: str = "Mentoring 2026",
    rows: list[Row] | None = None,
    verdicts: Sequence[Mapping[str, str]] = (),
    case: Mapping[str, Any] | None = None,
    thresholds: Mapping[str, Any] | None = None,
) -> str:
    """Seal and keep the release of one round; returns its id."""
    round_id = f"{programme}-{number}"
    release_id = release.release_id(programme, round_id, number)
    opened = KICKOFF + timedelta(days=56 * (number - 1))
    ids = {"programme": programme, "release": release_id, "round": round_id}
    frame = pd.DataFrame([{**ids, **row} for row in (rows if rows is not None else rows_of(number))])
    manifest = {
        "format": 1,
        "release": release_id,
        "programme": {"id": programme, "name": name},
        "round": {
            "id": round_id,
            "number": number,
            "pulse": PULSES[number - 1],
            "opened_on": opened.isoformat(),
            "closed_on": (opened + timedelta(days=14)).isoformat(),
        },
        "questionnaire": "made",
        "thresholds": {"score_n": 5, "staying_n": 20, "attributes": list(GROUPS), **(thresholds or {})},
        "code_version": "0.1.0",
        "quarantined": {},
        "single_item": [],
        "verdicts": [dict(each) for each in verdicts],
        "inputs": {"hmac_sha256": "", "n_masked": 0},
        "case": case,
    }
    content = release.content_of(manifest, conform(Published, frame))
    with writing(stores.published) as connection:
        save_release(connection, seal.sealed(content, key=key, now=NOW))
    return release_id
