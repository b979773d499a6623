"""Tells how people and pairings go through the programme: as bars with their numbers, and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dashboard.chart import Chart, Mark, Panel, Series, Side
from dashboard.findings import Numbers, Reading, flows
from dashboard.panels import SERIES, round_name
from dashboard.tables import flow_table
from dashboard.words import Words

PEOPLE = ("flow_eligible", "flow_invited", "flow_answered")
PAIRINGS = ("flow_pairings_started", "flow_pairings_met", "flow_pairings_active", "flow_pairings_ended")
OFFERED = "flow_eligible"  # many times all others: the axis ends without it


def people_flow(numbers: Numbers, words: Words) -> Panel:
    """Who was offered the programme, who was asked in the newest round, and who answered."""
    named = {"asked": "flow_invited", "answered": "flow_answered"}
    title = words("flow_people_title", **_counts(numbers, named, words))
    return _panel(numbers, "flow-people", title, PEOPLE, SERIES, words)


def pairings_flow(numbers: Numbers, words: Words) -> Panel:
    """How many pairings have started, met, are under way and have ended."""
    named = {name: f"flow_pairings_{name}" for name in ("started", "active", "ended")}
    title = words("flow_pairings_title", **_counts(numbers, named, words))
    return _panel(numbers, "flow-pairings", title, PAIRINGS, ("both",), words)


def counted(words: Words, count: float) -> str:
    """A count in steps of five, in words: "95 or more"; the lowest step also stands for a few."""
    return words.at_least(count) if count else words("flow_few")


def _counts(numbers: Numbers, named: Mapping[str, str], words: Words) -> dict[str, str]:
    """What the title says of both sides together."""
    now = {key: numbers.now(metric, "both") for key, metric in named.items()}
    return {
        key: words("flow_unknown") if each is None else counted(words, each.numbers[0]) for key, each in now.items()
    }


def _panel(
    numbers: Numbers, name: str, title: str, metrics: Sequence[str], sides: Sequence[Side], words: Words
) -> Panel:
    known = [each for each in metrics if any(numbers.now(each, side) is not None for side in sides)]
    table = flow_table([each for each in flows(numbers) if each.metric in metrics], title, words, numbers)
    series = [each for side in sides if (each := _series(numbers, known, side, words)).marks]
    series = [part for each in series for part in _apart(each, known, words)]
    most = max((mark.value for each in series for mark in each.marks if known[mark.at] != OFFERED), default=0.0)
    if not most:
        return Panel(chart=None, table=table)
    is_past = any(mark.value > most for each in series for mark in each.marks)
    latest, ticks = numbers.latest, tuple(words(each) for each in known)
    chart = Chart(
        id=name,
        form="flow",
        title=title,
        subtitle=words("flow_subtitle_past" if is_past else "flow_subtitle"),
        foot=words("foot_flow", round=round_name(words, latest), day=words.day(latest.closed_on), release=latest.id),
        alt=_alt(ticks, series, words),
        ticks=ticks,
        axis=((0.0, words.number(0, "people")), (most, words.number(most, "people"))),
        series=tuple(series),
    )
    return Panel(chart=chart, table=table)


def _series(numbers: Numbers, metrics: Sequence[str], side: Side, words: Words) -> Series:
    found = [(at, numbers.now(metric, side)) for at, metric in enumerate(metrics)]
    marks = tuple(_mark(at, each, words(metrics[at]), words) for at, each in found if each is not None)
    return Series(side=side, label=words("side_pairs" if side == "both" else f"side_{side}"), marks=marks)


def _apart(series: Series, metrics: Sequence[str], words: Words) -> list[Series]:
    """Whoever was offered the programme stands on neither side of it yet."""
    staff = tuple(mark for mark in series.marks if metrics[mark.at] == OFFERED)
    inside = tuple(mark for mark in series.marks if metrics[mark.at] != OFFERED)
    named = Series(side="both", label=words("flow_employees"), marks=staff)
    return [each for each in (named, replace(series, marks=inside)) if each.marks]


def _mark(at: int, reading: Reading, name: str, words: Words) -> Mark:
    value, low, high = reading.numbers
    told = counted(words, value)
    return Mark(at=at, value=value, low=low, high=high, name=name, told=told, n=reading.n, claim=reading.claim)


def _alt(ticks: Sequence[str], series: Sequence[Series], words: Words) -> str:
    rows = []
    for at, tick in enumerate(ticks):
        counts = [f"{each.label} {mark.told}" for each in series for mark in each.marks if mark.at == at]
        rows.append(words("alt_row", name=tick, points=", ".join(counts)))
    return words("alt_flow", rows="; ".join(rows))
