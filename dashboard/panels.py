"""Turns readings into panels, a chart's description with the table of the same numbers, for screen and paper."""

from collections.abc import Sequence
from dataclasses import replace

from dashboard.chart import Chart, Mark, Panel, Series, Side, axis_ends
from dashboard.evidence import metric_of
from dashboard.findings import (
    SIDES,
    Direction,
    Numbers,
    Reading,
    direction,
    overlap,
    profile,
    readings,
)
from dashboard.tables import group_name, metric_name, table_of, view_name
from dashboard.words import Words, places_of
from pipeline.published import Metric, Release, catalogue

STEP = {"points": 10.0, "share": 0.1}
SERIES: tuple[Side, ...] = ("mentor", "mentee")


def sides_of(metric: Metric) -> tuple[Side, ...]:
    """The sides drawn: each that a metric has, else both together."""
    return tuple(side for side in SERIES if side in metric.sides) or ("both",)


def value_of(words: Words, reading: Reading) -> str:
    value, low, high = reading.numbers
    return words.number(value, reading.unit, places=places_of((value, low, high), reading.unit))


def bounds_of(words: Words, reading: Reading) -> str:
    value, low, high = reading.numbers
    return words.bounds(low, high, reading.unit, places=places_of((value, low, high), reading.unit))


def round_name(words: Words, release: Release) -> str:
    return words("round", number=release.number)


# --- one metric over the rounds ----------------------------------------------------------------


def trend(numbers: Numbers, metric: Metric, words: Words) -> Panel:
    """A metric by round and side; its table also has both sides together."""
    place = {each.id: at for at, each in enumerate(numbers.releases)}
    series = []
    for side in sides_of(metric):
        shown = [each for each in numbers.over_rounds(metric.id, side) if each.shown]
        marks = tuple(_mark(words, place[each.release], each, _round_of(numbers, each, words)) for each in shown)
        series.append((Series(side=side, label=words(f"side_{side}"), marks=marks), shown))
    drawn = [each for each, _ in series if each.marks]
    last = [shown[-1] for _, shown in series if shown]
    all_sides = [each for side in metric.sides for each in numbers.over_rounds(metric.id, side)]
    all_sides.sort(key=lambda each: (-place[each.release], metric.sides.index(each.side)))
    title = _trend_title(numbers, metric, [(each.side, shown) for each, shown in series if shown], words)
    table = table_of(all_sides, title, words, numbers, by="round")
    if not drawn:
        return Panel(chart=None, table=table)
    chart = Chart(
        id=f"trend-{metric.id}",
        form="trend",
        title=title,
        subtitle=measure(metric, words),
        foot=_trend_foot(numbers, last, words),
        alt=_trend_alt(metric, drawn, words),
        ticks=tuple(round_name(words, each) for each in numbers.releases),
        axis=_axis(metric, drawn, words),
        series=tuple(drawn),
    )
    is_trend = len({mark.at for each in drawn for mark in each.marks}) > 1
    return Panel(chart=chart if is_trend else _one_round(chart, numbers, metric, last, words), table=table)


def _one_round(chart: Chart, numbers: Numbers, metric: Metric, last: Sequence[Reading], words: Words) -> Chart:
    """The same where a metric has one round so far: no trend, but each side with its interval."""
    newest = max(last, key=lambda each: numbers.number_of(each.release))
    ticks = (_round_of(numbers, newest, words),)
    drawn = [replace(each, marks=(replace(each.marks[-1], at=0),)) for each in chart.series]
    return replace(
        chart,
        form="ranges",
        foot=_foot(_release_of(numbers, newest), last, words),
        alt=_ranges_alt(words.pick(metric.label), ticks, drawn, words),
        ticks=ticks,
        series=tuple(drawn),
    )


def _release_of(numbers: Numbers, reading: Reading) -> Release:
    return next(each for each in numbers.releases if each.id == reading.release)


def measure(metric: Metric, words: Words) -> str:
    low, high = (words.number(end, "points") for end in metric.scale)
    return words(f"subtitle_{metric.unit}", low=low, high=high)


def _mark(words: Words, at: int, reading: Reading, name: str) -> Mark:
    value, low, high = reading.numbers
    told = words("told", value=value_of(words, reading), bounds=bounds_of(words, reading))
    return Mark(at=at, value=value, low=low, high=high, name=name, told=told, n=reading.n, claim=reading.claim)


def _round_of(numbers: Numbers, reading: Reading, words: Words) -> str:
    return words("round", number=numbers.number_of(reading.release))


def _axis(metric: Metric, series: Sequence[Series], words: Words) -> tuple[tuple[float, str], ...]:
    """Ticks in steps of a tenth of the scale, every second where there are many."""
    step = STEP[metric.unit]
    ends = [end for each in series for mark in each.marks for end in (mark.low, mark.high)]
    ends += [each.reference for each in series if each.reference is not None]
    low, high = axis_ends(min(ends), max(ends), metric.scale, step)
    n_steps = round((high - low) / step)
    every = step if n_steps <= 6 else 2 * step
    if n_steps % 2 and every > step:
        low = max(metric.scale[0], low - step)
        high = high if round((high - low) / step) % 2 == 0 else min(metric.scale[1], high + step)
    places = [round(low + k * every, 2) for k in range(round((high - low) / every) + 1)]
    return tuple((value, words.number(value, metric.unit)) for value in places)


def _trend_title(numbers: Numbers, metric: Metric, shown: Sequence[tuple[str, Sequence[Reading]]], words: Words) -> str:
    """The finding: since the first round shown, by side."""
    name = words.pick(metric.label)
    if not shown:
        return words("trend_empty", metric=name)
    if min(len(each) for _, each in shown) < 2:
        points = [words("trend_point", side=words(f"side_{s}"), value=value_of(words, each[-1])) for s, each in shown]
        latest = _round_of(numbers, shown[0][1][-1], words)
        return words("trend_one", metric=name, round=latest, points=words.listed(points))
    first = min(numbers.number_of(each[0].release) for _, each in shown)
    found: dict[str, Direction] = {side: direction(each[0], each[-1]) for side, each in shown}
    said = set(found.values())
    if len(said) == 1:
        only = said.pop()
        if only == "none":
            return words("trend_none", metric=words.inside(name), number=first)
        return words(f"trend_all_{only}", metric=name, number=first)
    parts = [words(f"part_{way}", side=words(f"side_{side}")) for side, way in found.items()]
    return words("trend_mixed", metric=name, number=first, parts=", ".join(parts))


def _trend_foot(numbers: Numbers, last: Sequence[Reading], words: Words) -> str:
    newest = max(last, key=lambda each: numbers.number_of(each.release))
    release = _release_of(numbers, newest)
    return words(
        "foot_trend",
        n=_n_by_side([each for each in last if each.release == newest.release], words),
        first=round_name(words, numbers.releases[0]),
        round=round_name(words, release),
        day=words.day(release.closed_on),
        release=release.id,
    )


def _n_by_side(found: Sequence[Reading], words: Words) -> str:
    """How many people stand behind the numbers of each side drawn; from the fewest to the most."""
    parts = []
    for side in (*SIDES, "both"):
        counts = sorted(each.n or 0 for each in found if each.side == side)
        if counts:
            least, most = counts[0], counts[-1]
            n = words.at_least(least) if least == most else words("n_span", low=least, high=most)
            parts.append(words("n_side", side=words(f"side_{side}"), n=n))
    return ", ".join(parts)


def _trend_alt(metric: Metric, series: Sequence[Series], words: Words) -> str:
    said = []
    for each in series:
        points = ", ".join(f"{mark.name} {mark.told}" for mark in _ends(each.marks))
        said.append(words("alt_trend_series", side=each.label, points=points))
    return words("alt_trend", metric=words.pick(metric.label), series="; ".join(said))


def _ends(marks: Sequence[Mark]) -> Sequence[Mark]:
    return marks if len(marks) < 3 else (marks[0], marks[-1])


# --- one metric by the groups of one attribute ---------------------------------------------------


def by_group(numbers: Numbers, metric: Metric, view: str, words: Words) -> Panel:
    """A metric of the latest round by the groups of one attribute, with the programme's result behind."""
    found = readings(numbers.select(metric=metric.id, view=view, release=numbers.latest.id))
    names = sorted({each.group for each in found if each.shown})
    series = []
    for side in sides_of(metric):
        shown = [each for each in found if each.side == side and each.shown]
        marks = [_mark(words, names.index(each.group), each, group_name(words, each.group)) for each in shown]
        whole = numbers.now(metric.id, side)
        reference = whole.numbers[0] if whole is not None and whole.shown else None
        if marks:
            series.append(Series(side=side, label=words(f"side_{side}"), marks=tuple(marks), reference=reference))
    title = _groups_title(numbers, metric, view, found, words)
    found.sort(key=lambda each: (each.group, metric.sides.index(each.side)))
    table = table_of(found, title, words, numbers, by="group")
    if not series:
        return Panel(chart=None, table=table)
    said = words("groups_what", metric=words.pick(metric.label), view=words.inside(view_name(words, view)))
    ticks = tuple(group_name(words, name) for name in names)
    chart = Chart(
        id=f"groups-{metric.id}-{view}",
        form="ranges",
        title=title,
        subtitle=words("groups_subtitle", measure=measure(metric, words), view=words.inside(view_name(words, view))),
        foot=_foot(numbers.latest, [each for each in found if each.side in sides_of(metric)], words),
        alt=_ranges_alt(said, ticks, series, words),
        ticks=ticks,
        axis=_axis(metric, series, words),
        series=tuple(series),
    )
    return Panel(chart=chart, table=table)


def _groups_title(numbers: Numbers, metric: Metric, view: str, found: Sequence[Reading], words: Words) -> str:
    """Which groups' intervals do not reach the programme's result of their side."""
    name = words.pick(metric.label)
    shown = [each for each in found if each.shown and each.side in sides_of(metric)]
    if not shown:
        return words("groups_empty", metric=name, view=words.inside(view_name(words, view)))
    apart = []
    for each in shown:
        whole = numbers.now(metric.id, each.side)
        if whole is None or not whole.shown:
            continue
        _, low, high = each.numbers
        said = {"name": group_name(words, each.group), "side": words(f"side_{each.side}")}
        if low > whole.numbers[0]:
            apart.append(words("group_above", **said))
        elif high < whole.numbers[0]:
            apart.append(words("group_below", **said))
    if not apart:
        return words("groups_within", metric=name)
    return words("groups_apart", metric=name, names=words.listed(apart))


def _foot(release: Release, found: Sequence[Reading | None], words: Words) -> str:
    shown = [each for each in found if each is not None and each.shown]
    return words(
        "foot",
        n=_n_by_side(shown, words),
        round=round_name(words, release),
        day=words.day(release.closed_on),
        release=release.id,
    )


def _ranges_alt(what: str, ticks: Sequence[str], series: Sequence[Series], words: Words) -> str:
    rows = []
    for at, tick in enumerate(ticks):
        points = [f"{each.label} {mark.told}" for each in series for mark in each.marks if mark.at == at]
        rows.append(words("alt_row", name=tick, points=", ".join(points)))
    return words("alt_ranges", what=what, rows="; ".join(rows))


# --- several scores of one round ---------------------------------------------------------------


def constructs(numbers: Numbers, words: Words) -> Panel:
    """Every single-construct score of the latest round, strongest first, by side."""
    return scores(numbers, profile(numbers), "profile", words)


def scores(numbers: Numbers, ranked: Sequence[Reading], name: str, words: Words) -> Panel:
    """These scores of the latest round, strongest first, a row each, by side."""
    ranked = sorted(ranked, key=lambda each: (-each.numbers[0], each.metric))
    labels = tuple(metric_name(words, each.metric) for each in ranked)
    title = _profile_title(ranked, labels, words)
    return _by_side(numbers, [each.metric for each in ranked], name, title, words)


def _by_side(
    numbers: Numbers, metrics: Sequence[str], name: str, title: str, words: Words, *, is_joined: bool = False
) -> Panel:
    """These metrics of the latest round in this order, a row each with both sides."""
    labels = tuple(metric_name(words, each) for each in metrics)
    found = [numbers.now(each, side) for each in metrics for side in (*SIDES, "both")]
    table = table_of([each for each in found if each is not None], title, words, numbers, by="metric")
    series = [each for side in SERIES if (each := _score_series(numbers, metrics, labels, side, words)).marks]
    if not series:
        return Panel(chart=None, table=table)
    scale_of = catalogue()[metrics[0]]
    chart = Chart(
        id=name,
        form="ranges",
        title=title,
        subtitle=measure(scale_of, words),
        foot=_foot(numbers.latest, [each for each in found if each is not None and each.side != "both"], words),
        alt=_ranges_alt(words("profile_what"), labels, series, words),
        ticks=labels,
        axis=_axis(scale_of, series, words),
        series=tuple(series),
        is_joined=is_joined,
    )
    return Panel(chart=chart, table=table)


def _score_series(numbers: Numbers, metrics: Sequence[str], labels: Sequence[str], side: Side, words: Words) -> Series:
    found = [(at, numbers.now(each, side)) for at, each in enumerate(metrics)]
    marks = [_mark(words, at, each, labels[at]) for at, each in found if each is not None and each.shown]
    return Series(side=side, label=words(f"side_{side}"), marks=tuple(marks))


def _profile_title(ranked: Sequence[Reading], names: Sequence[str], words: Words) -> str:
    if not ranked:
        return words("verdict_none")
    if len(ranked) == 1:
        return words("profile_one", strongest=names[0])
    key = "profile_title_overlap" if overlap(ranked[0], ranked[-1]) else "profile_title"
    return words(key, strongest=names[0], weakest=words.inside(names[-1]))


# --- the two sides ---------------------------------------------------------------------------------

Gaps = Sequence[tuple[str, Reading]]  # construct and its gap


def largest_first(found: Gaps) -> Gaps:
    """The gaps in the order of both charts: the largest in favour of mentors on top."""
    return sorted(found, key=lambda pair: (-pair[1].numbers[0], pair[0]))


def both_ends(numbers: Numbers, found: Gaps, words: Words) -> Panel:
    """Both sides of each construct that has a gap, joined by a line, in the order of the gaps."""
    metrics = [metric_of(construct) for construct, _ in found]
    return _by_side(numbers, metrics, "both-ends", words("ends_title"), words, is_joined=True)


def gaps(numbers: Numbers, found: Gaps, words: Words) -> Panel:
    """Mentor minus mentee by construct, with the line of no gap."""
    n_clear = sum(each.numbers[1] > 0 or each.numbers[2] < 0 for _, each in found)
    labels = tuple(metric_name(words, metric_of(construct)) for construct, _ in found)
    title = words("gaps_title", clear=n_clear, n=len(found))
    table = table_of([each for _, each in found], title, words, numbers, by="construct")
    if not found:
        return Panel(chart=None, table=table)
    marks = tuple(_mark(words, at, each, labels[at]) for at, (_, each) in enumerate(found))
    series = [Series(side="both", label=words("side_pairs"), marks=marks, reference=0.0)]
    chart = Chart(
        id="gaps",
        form="ranges",
        title=title,
        subtitle=words("gaps_subtitle"),
        foot=_foot(numbers.latest, [each for _, each in found], words),
        alt=_ranges_alt(words("gaps_what"), labels, series, words),
        ticks=labels,
        axis=_axis(catalogue()["perception_gap"], series, words),
        series=tuple(series),
    )
    return Panel(chart=chart, table=table)
