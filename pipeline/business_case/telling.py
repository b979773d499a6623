"""Writes the business case as rows of a release, and what the release says about it in words.

Nothing here counts people more finely than steps of five: counts enter the money in steps, and a share comes in
steps of its own error (`caution`). A number without an answer is a row that says so.
"""

from collections.abc import Iterable, Mapping
from math import floor, isfinite, log10
from typing import Any

from pipeline.business_case.assumptions import Assumptions, listed
from pipeline.business_case.case import FEWEST_MENTEES, Case
from pipeline.business_case.effect import Effect
from pipeline.business_case.group_time import GroupTime
from pipeline.business_case.money import Range
from pipeline.business_case.panel import (
    BETWEEN_MONTHS,
    NO_ONE_INSIDE,
    NO_ONE_OUTSIDE,
    NO_WHOLE_MONTH,
    NOT_COUNTED,
    NOT_IN_FILE,
    NOT_IN_SERVICE,
)
from pipeline.business_case.roster import OVERLAP, RENEWED, STILL_AHEAD, UNKNOWN_LEAVE
from pipeline.business_case.value import Value
from pipeline.business_case.waves import NO_ONE_AFTER, ONE_WAVE, ONLY_MENTEES
from pipeline.claim import ASSOCIATED, DESCRIBES
from pipeline.disclosure.crowd import PROGRAMME
from pipeline.disclosure.rounding import in_steps, in_steps_of_error

CANNOT_TELL = "Cannot tell yet. Here is what it would take instead."
TOO_FEW = "too_few"
REASONS = {
    NO_ONE_OUTSIDE: "no_one_outside",
    NO_ONE_INSIDE: "no_one_inside",
    NO_WHOLE_MONTH: "no_whole_month",
    ONE_WAVE: "one_wave",
    NO_ONE_AFTER: "no_one_after",
    ONLY_MENTEES: "only_mentees",
}
NOTES = {
    NOT_IN_FILE: "not_in_file",
    NOT_IN_SERVICE: "not_in_service",
    NOT_COUNTED: "not_counted",
    BETWEEN_MONTHS: "between_months",
    OVERLAP: "overlap",
    RENEWED: "renewed",
    UNKNOWN_LEAVE: "unknown_leave",
    STILL_AHEAD: "still_ahead",
}
COST, SOURCE, INPUT, EVENT = "cost", "replacement cost", "assumption", "waves since joining"

Row = dict[str, Any]


def rows(case: Case) -> list[Row]:
    """Rows of contract Published without programme, release and round."""
    told = [*_retention(case), *_engagement(case), *_sensitivity(case), *_reach(case)]
    if case.value is not None:
        told += [*_money(case.value, case), *_worth(case.value)]
    return told


def about(case: Case, given: Assumptions) -> dict[str, Any]:
    """What a release says of its case: verdict, reasons and checks as keys of sentences; inputs with their owners."""
    value = case.value
    return {
        "verdict": _verdict(case.retention),
        "engagement": _verdict(case.engagement),
        "reasons": {"retention": _why(case.retention, case.reason), "engagement": _why(case.engagement)},
        "claim": case.retention.claim,
        "decision": value.decision.key if value is not None else TOO_FEW,
        "missing": list(value.missing) if value is not None else [],
        "currency": value.currency if value is not None else "",
        "data": {"begins": case.begins.isoformat(), "ends": case.ends.isoformat()},
        "checks": {
            "other_exits": _check(case.other_exits),
            "pre_trend": _pre_trend(case),
            "without_one_department": _without_one(case),
        },
        "notes": {NOTES[sentence]: in_steps(n) for sentence, n in sorted(case.notes.items()) if in_steps(n)},
        "assumptions": listed(given),
        "assumed": {"retention": list(case.retention.assumptions), "engagement": list(case.engagement.assumptions)},
    }


def _row(metric: str, side: str, unit: str, claim: str = DESCRIBES, *, view: str = PROGRAMME, group: str = "") -> Row:
    where = {"view": view, "group": group or PROGRAMME, "side": side, "metric": f"case_{metric}"}
    return {**where, "unit": unit, "claim": claim}


def _shown(row: Row, numbers: Iterable[float], n: int) -> Row:
    value, low, high = (round(float(number), 6) for number in numbers)
    return {**row, "value": value, "low": low, "high": high, "n": in_steps(n), "shown": True, "reason": ""}


def _untold(row: Row) -> Row:
    return {**row, "value": None, "low": None, "high": None, "n": None, "shown": False, "reason": CANNOT_TELL}


def _effect(row: Row, effect: Effect, n: int) -> Row:
    if not effect.is_answered:
        return _untold(row)
    return _shown(row, _ends(effect), n)


def _joined(effect: Effect) -> int:
    return int(effect.details.get("n_treated", 0))


def _retention(case: Case) -> Iterable[Row]:
    kept = case.retention
    yield _effect(_row("retention", "mentee", "share", kept.claim), kept, _joined(kept))
    yield _effect(_row("retention", "mentor", "share", case.mentors.claim), case.mentors, _joined(case.mentors))
    yield _effect(_row("other_exits", "mentee", "share", case.other_exits.claim), case.other_exits, _joined(kept))
    if kept.is_answered:
        for name, of in (("risk_joined", "risk_treated"), ("risk_compared", "risk_control")):
            risk = kept.details[of]
            yield _shown(_row(name, "mentee", "share"), (risk, risk, risk), _joined(kept))


def _engagement(case: Case) -> Iterable[Row]:
    found = case.engagement
    yield _effect(_row("engagement", "mentee", "points", found.claim), found, found.n if found.is_answered else 0)
    if case.waves is None or not found.is_answered:
        return
    behind = _behind(case.waves)
    for each in case.waves.event_study.itertuples():
        claim = found.claim if each.event_time >= 0 else ASSOCIATED  # nothing has begun yet
        row = _row("engagement_wave", "mentee", "points", claim, view=EVENT, group=_wave(each.event_time))
        n, told = behind.get(each.event_time, 0), in_steps_of_error(each.att, each.low, each.high)
        yield _shown(row, told, n) if n >= FEWEST_MENTEES and all(map(isfinite, told)) else _untold(row)


def _behind(waves: GroupTime) -> dict[int, int]:
    """How many mentees stand behind each wave since joining."""
    table = waves.table
    counts: dict[int, int] = table["n_treated"].groupby(table["period"] - table["group"]).sum().to_dict()
    return counts


def _wave(event_time: int) -> str:
    """No sign in front: a cell that begins with one could be taken for a formula."""
    return f"{event_time} after" if event_time >= 0 else f"{-event_time} before"


def _sensitivity(case: Case) -> Iterable[Row]:
    found, n = case.sensitivity, _joined(case.retention)
    if found is None:
        return
    for name, value in (("e_value", found.e_value), ("e_value_limit", found.e_value_limit)):
        if isfinite(value):
            yield _shown(_row(name, "mentee", "ratio"), (round(value, 1),) * 3, n)
    yield _shown(_row("robustness", "mentee", "share"), (round(found.robustness, 3),) * 3, n)
    if isfinite(found.lowest):
        told = (case.retention.estimate, found.lowest, found.highest)
        yield _shown(_row("without_one", "mentee", "share", case.retention.claim), told, n)


def _reach(case: Case) -> Iterable[Row]:
    if case.detectable is None:
        return
    yield _shown(_row("exit_rate", "mentee", "share"), (case.exit_rate,) * 3, case.n_mentees)
    smallest = case.detectable.smallest_rate
    row = _row("detectable", "mentee", "share")
    yield _shown(row, (round(smallest, 2),) * 3, case.n_mentees) if isfinite(smallest) else _untold(row)
    if case.takes is not None and case.takes.is_possible:
        people = _neat(case.takes.mentees)
        yield _shown(_row("takes_people", "mentee", "people"), (people,) * 3, case.n_mentees)
        yield _shown(_row("takes_months", "mentee", "months"), (float(case.takes.months),) * 3, case.n_mentees)


def _money(value: Value, case: Case) -> Iterable[Row]:
    n, money = value.n_mentees, value.currency
    yield _range(_row("cost", "both", money), value.cost, n)
    for item in value.cost_items.itertuples():
        yield _shown(_row("cost_item", "both", money, view=COST, group=item.item), (_neat(item.amount),) * 3, n)
    expected = round(value.expected_exits)
    yield _shown(_row("expected_exits", "mentee", "exits"), (float(expected),) * 3, n)
    row = _row("break_even", "mentee", "exits")
    yield _range(row, value.break_even, n, neat=_tenth) if value.break_even is not None else _untold(row)
    row = _row("avoided", "mentee", "exits", case.retention.claim)
    if value.avoided is None:
        yield _untold(row)
    else:
        yield _shown(row, (float(round(each)) for each in _ends(value.avoided)), n)
    for each in value.by_source.to_dict("records"):
        if isfinite(each.get("break_even", float("nan"))):
            row = _row("break_even_at", "mentee", "exits", view=SOURCE, group=_source(each))
            yield _shown(row, (_tenth(each["break_even"]),) * 3, n)


def _ends(each: Any) -> tuple[float, float, float]:
    return each.estimate, each.low, each.high


def _worth(value: Value) -> Iterable[Row]:
    n, money, claim = value.n_mentees, value.currency, value.claim
    if value.worth is None:
        yield _untold(_row("net", "both", money, claim))
        return
    yield _range(_row("net", "both", money, claim), value.worth.net, n, at="median")
    chance = round(value.worth.p_above_cost, 2)
    yield _shown(_row("pays", "both", "share", claim), (chance, chance, chance), n)
    for each in value.worth.tornado.itertuples():
        ends = sorted((_neat(each.net_low), _neat(each.net_high)))
        row = _row("tornado", "both", money, claim, view=INPUT, group=each.assumption)
        yield _shown(row, (_neat(value.worth.net.value), *ends), n)
    for each in value.by_source.to_dict("records"):
        row = _row("net_at", "both", money, claim, view=SOURCE, group=_source(each))
        yield _shown(row, (_neat(each[name]) for name in ("net", "net_low", "net_high")), n)


def _source(each: Mapping[Any, Any]) -> str:
    return f"{each['salaries']:g}"


def _range(row: Row, of: Range, n: int, neat: Any = None, at: str = "value") -> Row:
    rounded = neat or _neat
    return _shown(row, (rounded(getattr(of, name)) for name in (at, "low", "high")), n)


def _neat(amount: float) -> float:
    """Two significant digits, three from a leading 1 or 2 on: what such inputs support."""
    if amount == 0 or not isfinite(amount):
        return 0.0
    size = floor(log10(abs(amount)))
    digits = 2 if abs(amount) / 10**size >= 3 else 3
    return float(round(amount, digits - 1 - size))


def _tenth(amount: float) -> float:
    return round(amount, 1) if amount < 10 else float(round(amount))


def _verdict(effect: Effect) -> str:
    if not effect.is_answered:
        return "cannot_tell"
    if not effect.excludes_zero:
        return "open"
    return "lower" if effect.estimate < 0 else "higher"


def _why(effect: Effect, reason: str = "") -> str:
    """A key, never the estimator's own sentence: that may count people."""
    if effect.is_answered:
        return ""
    return REASONS.get(reason or effect.reason, TOO_FEW)


def _check(effect: Effect) -> str:
    return "unknown" if not effect.is_answered else "moves" if effect.excludes_zero else "quiet"


def _pre_trend(case: Case) -> str:
    if case.waves is None or not isfinite(case.waves.pre_trend.p_small):
        return "unknown"
    return "moves" if case.waves.pre_trend.p_small < 0.05 else "quiet"


def _without_one(case: Case) -> str:
    if case.sensitivity is None:
        return "unknown"
    return "moves" if case.sensitivity.changes_without_one else "quiet"
