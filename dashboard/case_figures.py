"""Draws the business case and lays it out in tables, for the page and the report."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dashboard.case import Told
from dashboard.chart import Chart, Mark, Row, Series, Side, Table
from dashboard.findings import Reading
from dashboard.tables import named_figure
from dashboard.words import Words

COST, SOURCE, INPUT, EVENT = "cost", "replacement cost", "assumption", "waves since joining"


def effects_chart(case: Told) -> Chart | None:
    """The difference in exits for mentees and mentors, and where no effect can be, with the line of no difference."""
    words = case.words
    wanted = (("retention", "mentee"), ("retention", "mentor"), ("other_exits", "mentee"))
    found = [(f"case_row_{metric}_{side}", each) for metric, side in wanted if (each := case.one(metric, side))]
    if not found:
        return None
    rows = [(words(key), each) for key, each in found]
    return _ranges(case, "case-effects", words("case_effects_title"), words("case_effects_subtitle"), rows)


def waves_chart(case: Told) -> Chart | None:
    """The effect on engagement by waves before and after joining."""
    found = sorted(case.many("engagement_wave", EVENT), key=lambda each: _wave(each.group))
    if not found:
        return None
    words = case.words
    rows = [(words("case_wave", n=_wave(each.group)) if _wave(each.group) else words("case_wave_0"), each)
            for each in found]  # fmt: skip
    return _ranges(case, "case-waves", words("case_waves_title"), words("case_waves_subtitle"), rows)


def _wave(group: str) -> int:
    count, way = group.split()
    return int(count) if way == "after" else -int(count)


def tornado_chart(case: Told) -> Chart | None:
    """What the result becomes as each input goes through its range, the widest first."""
    found = case.many("tornado", INPUT)
    if not found:
        return None
    words = case.words
    found.sort(key=lambda each: each.numbers[1] - each.numbers[2])
    rows = [(words(f"case_input_{each.group}"), each) for each in found]
    return _ranges(case, "case-tornado", words("case_tornado_title"), words("case_tornado_subtitle"), rows)


def _ranges(case: Told, id_: str, title: str, subtitle: str, rows: Sequence[tuple[str, Reading]]) -> Chart:
    words = case.words
    by_side: dict[Side, list[Mark]] = {}
    for at, (name, each) in enumerate(rows):
        value, low, high = each.numbers
        told = words("told", value=case.amount(value, each.unit), bounds=_bounds(case, each))
        mark = Mark(at=at, value=value, low=low, high=high, name=name, told=told, n=each.n, claim=each.claim)
        by_side.setdefault(each.side, []).append(mark)  # type: ignore[arg-type]
    series = [
        Series(side=side, label=words(f"side_{side}"), marks=tuple(marks), reference=0.0)
        for side, marks in by_side.items()
    ]
    unit = rows[0][1].unit
    alt = "; ".join(words("alt_row", name=mark.name, points=mark.told) for each in series for mark in each.marks)
    return Chart(
        id=id_,
        form="ranges",
        title=title,
        subtitle=subtitle,
        foot=_foot(case, [each for _, each in rows]),
        alt=words("alt_ranges", what=title, rows=alt),
        ticks=tuple(name for name, _ in rows),
        axis=tuple((each, case.amount(each, unit)) for each in _axis([each for _, each in rows])),
        series=tuple(series),
    )


def _axis(found: Iterable[Reading]) -> list[float]:
    """Four to eight round places that hold every interval and 0."""
    ends = [0.0, *(end for each in found for end in each.numbers)]
    low, high = min(ends), max(ends)
    span = max(high - low, 1e-9)
    size = 10.0 ** int(f"{span:e}".split("e")[1])
    step = next(size * each for each in (0.2, 0.5, 1.0, 2.0) if span / (size * each) <= 6)
    first, last = int(low // step), int(-(-high // step))
    return [round(k * step, 10) for k in range(first, last + 1)]


def _bounds(case: Told, each: Reading) -> str:
    _, low, high = each.numbers
    return case.words("bounds", low=case.amount(low, each.unit), high=case.amount(high, each.unit))


def _foot(case: Told, found: Sequence[Reading]) -> str:
    words, latest = case.words, case.numbers.latest
    n = words.at_least(max((each.n or 0) for each in found))
    return words("case_foot", n=n, day=words.day(latest.closed_on), release=latest.id)


# --- tables --------------------------------------------------------------------------------------


def cost_table(case: Told) -> Table | None:
    items = [each for each in case.many("cost_item", COST) if each.numbers[0]]
    whole = case.one("cost", "both")
    if whole is None:
        return None
    words = case.words
    rows = [_line(case, words(f"case_input_{each.group}"), each, [case.amount(each.numbers[0], each.unit)])
            for each in sorted(items, key=lambda each: -each.numbers[0])]  # fmt: skip
    rows.append(_line(case, words("case_whole_cost"), whole, [case.amount(whole.numbers[0], whole.unit)]))
    return Table(
        caption=words("case_cost_caption"),
        columns=(words("th_what"), words("th_amount")),
        n_headings=1,
        rows=tuple(rows),
    )


def source_table(case: Told) -> Table | None:
    """The result at each published replacement cost."""
    words, net = case.words, {each.group: each for each in case.many("net_at", SOURCE)}
    published = {f"{each['value']:g}": each["source"] for each in _published(case)}
    rows = []
    for each in sorted(case.many("break_even_at", SOURCE), key=lambda each: float(each.group)):
        worth = net.get(each.group)
        told = (
            words("told", value=case.amount(worth.numbers[0], worth.unit), bounds=_bounds(case, worth))
            if worth
            else "–"
        )
        cells = [case.amount(each.numbers[0], "exits"), told, published.get(each.group, "")]
        rows.append(
            _line(case, words("case_salaries", n=words.number(float(each.group), "coefficient", places=2)), each, cells)
        )
    if not rows:
        return None
    columns = (words("th_replacement"), words("th_break_even"), words("th_net"), words("th_source"))
    return Table(caption=words("case_source_caption"), columns=columns, n_headings=1, rows=tuple(rows))


def _worth(case: Told, each: Reading | None) -> str:
    if each is None:
        return "–"
    return case.words("told", value=case.amount(each.numbers[0], each.unit), bounds=_bounds(case, each))


def _published(case: Told) -> list[Mapping[str, Any]]:
    of = {each["key"]: each for each in case.about["assumptions"]}
    return list(of["replacement_cost"]["published"])


def inputs_table(case: Told) -> Table:
    """Every input of the money with its range, date, source and owner."""
    words = case.words
    rows = []
    for each in case.about["assumptions"]:
        heading = (words(f"case_input_{each['key']}"),)
        if each["value"] is None:
            needs = words(f"case_needs_{each['key']}")
            rows.append(Row(heading=heading, sentence=words("case_input_missing", needs=needs)))
            continue
        value, low, high = (_plain(each[name], words) for name in ("value", "low", "high"))
        source, owner = each["source"], each["owner"]
        if each["is_default"]:
            source, owner = words(f"case_source_{each['key']}"), words("case_default")
        span = words("bounds", low=low, high=high) if low != high else value
        cells = (value, span, _unit(each, words), str(each["dated"]), source, owner)
        rows.append(Row(heading=heading, cells=cells))
    columns = ("th_input", "th_value", "th_range", "th_unit", "th_date", "th_source", "th_owner")
    return Table(
        caption=words("case_inputs_caption"),
        columns=tuple(words(name) for name in columns),
        n_headings=1,
        rows=tuple(rows),
    )


def _unit(each: Mapping[str, Any], words: Words) -> str:
    """Our units in the reader's language, an organisation's own as it wrote them; the currency in front of both."""
    named, text = f"case_unit_{each['key']}", str(each["unit"])
    currency = f"{each['currency']} " if each.get("currency") else ""  # older releases name none
    return f"{currency}{words(named)}" if text == f"{currency}{Words('en')(named)}" else text


def _plain(value: float, words: Words) -> str:
    return words.number(value, "coefficient", places=0 if value == round(value) else 2)


def _line(case: Told, heading: str, each: Reading, cells: Sequence[str]) -> Row:
    figure = named_figure(heading, each, case.words, case.numbers)
    return Row(heading=(heading,), cells=tuple(cells), figures=(figure,))
