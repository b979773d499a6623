"""Lays a chart's numbers out as the cells that a native chart draws from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dashboard.chart import Chart, Mark, Series
from dashboard.words import Words

Cell = str | float | None
SHIFT = {"mentor": -0.16, "mentee": 0.16, "both": 0.0}  # rows apart, where both sides share a row
MOST_ROWS = 16  # of a chart on one slide
APART = 0.06  # of the axis: ends of lines that are closer would have their names upon each other


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One series as columns of the grid; `row`, `segments` and `reference` only where the chart has them."""

    series: Series
    value: int
    minus: int
    plus: int
    row: int | None = None
    segments: tuple[int, int] | None = None
    reference: int | None = None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Columns: first what a reader wants, a line a tick; from column `n_told` on what only the drawing needs."""

    columns: tuple[tuple[str, tuple[Cell, ...]], ...]
    n_told: int
    n_ticks: int
    drawn: tuple[Drawn, ...]
    number_format: str
    row: int | None = None  # the ticks' own rows and the place of their names: charts of ranges only
    edge: int | None = None

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(header for header, _ in self.columns)

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        return list(zip(*(cells for _, cells in self.columns), strict=True))

    @property
    def unitless(self) -> frozenset[int | None]:
        """Columns of people and of places, which the number format is not for."""
        places = {each.segments[1] for each in self.drawn if each.segments}
        return frozenset(
            {each.value + 3 for each in self.drawn} | {each.row for each in self.drawn} | {self.row} | places
        )


class _Columns:
    """Columns as they are added; an addition returns its place."""

    def __init__(self) -> None:
        self.found: list[tuple[str, tuple[Cell, ...]]] = []

    def add(self, header: str, cells: Iterable[Cell]) -> int:
        self.found.append((header, tuple(cells)))
        return len(self.found) - 1


def grid_of(chart: Chart, words: Words, *, has_segments: bool = False) -> Grid:
    """Values, intervals and n by tick and side; then the lengths and places that the drawing needs.

    Segments are a range's interval as two points and a gap: LibreOffice drops sideways error bars on slides.
    """
    columns, marks = _Columns(), [_by_tick(chart, each) for each in chart.series]
    columns.add(words("th_round" if chart.form == "trend" else "th_metric"), chart.ticks)
    values = []
    for series, found in zip(chart.series, marks, strict=True):
        values.append(columns.add(series.label, (each.value if each else None for each in found)))
        columns.add(f"{series.label}: {words('th_low')}", (each.low if each else None for each in found))
        columns.add(f"{series.label}: {words('th_high')}", (each.high if each else None for each in found))
        columns.add(f"{series.label}: {words('th_n')}", (each.n if each else None for each in found))
    n_told, is_ranges = len(columns.found), chart.form == "ranges"
    row = columns.add("↕", (float(at) for at in range(len(chart.ticks)))) if is_ranges else None
    edge = columns.add("←", [chart.span[0]] * len(chart.ticks)) if is_ranges else None
    drawn = tuple(
        _drawn(columns, chart, series, found, value, has_segments=has_segments)
        for series, found, value in zip(chart.series, marks, values, strict=True)
    )
    n_rows = max(len(cells) for _, cells in columns.found)
    return Grid(
        columns=tuple((header, cells + (None,) * (n_rows - len(cells))) for header, cells in columns.found),
        n_told=n_told,
        n_ticks=len(chart.ticks),
        drawn=drawn,
        number_format=number_format(chart),
        row=row,
        edge=edge,
    )


def _drawn(
    columns: _Columns, chart: Chart, series: Series, found: Sequence[Mark | None], value: int, *, has_segments: bool
) -> Drawn:
    minus = columns.add(f"{series.label} −", (round(each.value - each.low, 9) if each else None for each in found))
    plus = columns.add(f"{series.label} +", (round(each.high - each.value, 9) if each else None for each in found))
    drawn = Drawn(series=series, value=value, minus=minus, plus=plus)
    if chart.form == "trend":
        return drawn
    shift = SHIFT[series.side] if len(chart.series) > 1 else 0.0
    drawn = replace(drawn, row=columns.add(f"{series.label} ↕", (each.at + shift if each else None for each in found)))
    if has_segments:
        shown = [each for each in found if each]
        ends = columns.add(f"{series.label} ↔", (end for each in shown for end in (each.low, each.high, None)))
        rows = columns.add(f"{series.label} ↕↔", (at for each in shown for at in (*[each.at + shift] * 2, None)))
        drawn = replace(drawn, segments=(ends, rows))
    if series.reference is None:
        return drawn
    return replace(drawn, reference=columns.add(f"{series.label} |", [series.reference] * len(chart.ticks)))


def _by_tick(chart: Chart, series: Series) -> list[Mark | None]:
    at = {mark.at: mark for mark in series.marks}
    return [at.get(place) for place in range(len(chart.ticks))]


def number_format(chart: Chart) -> str:
    """How an office program writes the values; the text of the axis says whether they are shares."""
    marks = [mark for each in chart.series for mark in each.marks]
    return format_of([end for mark in marks for end in (mark.value, mark.low, mark.high)], is_share=is_of_shares(chart))


def axis_format(chart: Chart) -> str:
    return format_of([value for value, _ in chart.axis], is_share=is_of_shares(chart))


def is_of_shares(chart: Chart) -> bool:
    return any("%" in text for _, text in chart.axis)


def format_of(numbers: Iterable[float], *, is_share: bool = False, most: int = 2) -> str:
    """As many decimals as the numbers have, up to `most`, and one in percent."""
    shown = [number * 100 if is_share else number for number in numbers]
    most = min(most, 1) if is_share else most
    places = next((n for n in range(most) if all(abs(each - round(each, n)) < 1e-6 for each in shown)), most)
    return f"#,##0{'.' if places else ''}{'0' * places}{'%' if is_share else ''}"


def step(chart: Chart) -> float:
    """From one tick of the axis of values to the next."""
    return round(chart.axis[1][0] - chart.axis[0][0], 9) if len(chart.axis) > 1 else 1.0


def places_of_names(chart: Chart) -> dict[str, int]:
    """How a line's name stands to its end: beside it (0), or over (1) and under it (-1) where two ends are close."""
    ends = sorted((each.marks[-1].value, each.side) for each in chart.series if each.marks)
    near = APART * (chart.span[1] - chart.span[0])
    if all(later[0] - earlier[0] >= near for earlier, later in pairwise(ends)):
        return {side: 0 for _, side in ends}
    return {side: 1 if at == len(ends) - 1 else -1 for at, (_, side) in enumerate(ends)}


def pages_of(chart: Chart) -> list[Chart]:
    """A chart with more rows than a slide has room for as several, none of them nearly empty."""
    n = -(-len(chart.ticks) // MOST_ROWS)
    if chart.form == "trend" or n < 2:
        return [chart]
    most = -(-len(chart.ticks) // n)
    return [_part(chart, first, min(first + most, len(chart.ticks))) for first in range(0, len(chart.ticks), most)]


def _part(chart: Chart, first: int, end: int) -> Chart:
    """Its rows from `first` up to `end`."""
    series = [
        replace(each, marks=tuple(replace(m, at=m.at - first) for m in each.marks if first <= m.at < end))
        for each in chart.series
    ]
    kept = tuple(each for each in series if each.marks)
    return replace(chart, id=f"{chart.id}-{first}", ticks=chart.ticks[first:end], series=kept)
