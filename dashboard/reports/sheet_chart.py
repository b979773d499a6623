"""Puts a chart on a worksheet as a native one, above the cells that it draws from."""

from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell

from dashboard.chart import Chart
from dashboard.reports.office_chart import Drawn, Grid, axis_format, places_of_names, step
from dashboard.reports.office_zip import clean
from dashboard.theme import INK, LINE, SERIES, SOFT, Look

PLACES = {0: "right", 1: "above", -1: "below"}
WIDTH, TREND_HEIGHT, ROW_HEIGHT = 860, 360, 26  # pixels
LETTER = {"name": "Arial", "size": 10}


class Cells:
    """Where a grid stands on its sheet."""

    def __init__(self, sheet: str, top: int, grid: Grid) -> None:
        self.sheet, self.top, self.n = sheet, top, grid.n_ticks

    def column(self, at: int) -> list[Any]:
        return [self.sheet, self.top + 1, at, self.top + self.n, at]

    def head(self, at: int) -> list[Any]:
        return [self.sheet, self.top, at]


def height_of(chart: Chart) -> int:
    return TREND_HEIGHT if chart.form == "trend" else 110 + ROW_HEIGHT * len(chart.ticks)


def add_chart(book: Any, sheet: Any, chart: Chart, grid: Grid, *, at: int, cells: Cells) -> None:
    """The chart at a row of the sheet, with its text for those who do not see it."""
    is_trend = chart.form == "trend"
    drawn = book.add_chart({"type": "line"} if is_trend else {"type": "scatter", "subtype": "straight"})
    for each in grid.drawn:
        (_line if is_trend else _dots)(drawn, chart, grid, each, cells)
    (_trend_axes if is_trend else _ranges_axes)(drawn, chart, grid, cells)
    drawn.set_title({"none": True})
    drawn.show_blanks_as("gap")
    drawn.set_chartarea({"border": {"none": True}})
    drawn.set_size({"width": WIDTH, "height": height_of(chart)})
    sheet.insert_chart(at, 0, drawn, {"description": clean(chart.alt), "object_position": 2})


def _look(look: Look) -> dict[str, Any]:
    fill = {"color": look.light}
    return {"type": look.screen_marker, "size": 8, "fill": fill, "border": fill}


def _interval(each: Drawn, look: Look, cells: Cells) -> dict[str, Any]:
    ends = {"plus_values": _range(cells, each.plus), "minus_values": _range(cells, each.minus)}
    return {"type": "custom", **ends, "end_style": 0, "line": {"color": look.light, "width": 1.5}}


def _range(cells: Cells, at: int) -> str:
    quoted, (_, first, _, last, _) = cells.sheet.replace("'", "''"), cells.column(at)
    ends = (xl_rowcol_to_cell(first, at, True, True), xl_rowcol_to_cell(last, at, True, True))
    return f"='{quoted}'!{ends[0]}:{ends[1]}"


def _line(drawn: Any, chart: Chart, grid: Grid, each: Drawn, cells: Cells) -> None:
    look, last = SERIES[each.series.side], each.series.marks[-1].at if each.series.marks else -1
    named = [{"delete": True}] * last + [{"font": {**LETTER, "color": look.light, "bold": True}}]
    named += [{"delete": True}] * (grid.n_ticks - 1 - last)
    series = {
        "name": cells.head(each.value),
        "categories": cells.column(0),
        "values": cells.column(each.value),
        "line": {"color": look.light, "width": 2.25},
        "marker": _look(look),
        "y_error_bars": _interval(each, look, cells),
    }
    if each.series.marks:
        place = PLACES[places_of_names(chart)[each.series.side]]
        series["data_labels"] = {"series_name": True, "position": place, "custom": named}
    drawn.add_series(series)


def _dots(drawn: Any, _chart: Chart, _grid: Grid, each: Drawn, cells: Cells) -> None:
    look = SERIES[each.series.side]
    drawn.add_series(
        {
            "name": cells.head(each.value),
            "categories": cells.column(each.value),
            "values": cells.column(each.row or 0),
            "line": {"none": True},
            "marker": _look(look),
            "x_error_bars": _interval(each, look, cells),
        }
    )


def _trend_axes(drawn: Any, chart: Chart, _grid: Grid, _cells: Cells) -> None:
    letters = {**LETTER, "color": SOFT}
    drawn.set_x_axis({"num_font": letters, "line": {"color": LINE}, "major_tick_mark": "none", "label_position": "low"})
    drawn.set_y_axis({**_values(chart), "num_font": letters})
    drawn.set_legend({"none": True})
    drawn.set_plotarea({"layout": {"x": 0.06, "y": 0.05, "width": 0.80, "height": 0.82}})


def _ranges_axes(drawn: Any, chart: Chart, grid: Grid, cells: Cells) -> None:
    """Rows have no axis of their own in a chart of dots: an unseen series at its edge carries their names."""
    helpers = [each for each in grid.drawn if each.reference is not None]
    for each in helpers:
        line = {"color": SERIES[each.series.side].light, "width": 1, "transparency": 55}
        _unseen(drawn, grid, each.reference or 0, cells, {"line": line})
    names = [{"value": clean(tick), "font": {**LETTER, "color": INK}} for tick in chart.ticks]
    labels = {"value": True, "position": "left", "custom": names}
    _unseen(drawn, grid, grid.edge or 0, cells, {"line": {"none": True}, "data_labels": labels})
    n = len(grid.drawn)
    drawn.set_x_axis({**_values(chart), "num_font": {**LETTER, "color": SOFT}, "major_gridlines": _gridlines()})
    drawn.set_y_axis(
        {
            "min": -0.5,
            "max": grid.n_ticks - 0.5,
            "reverse": True,
            "visible": False,
            "major_gridlines": {"visible": False},
        }
    )
    drawn.set_legend({"position": "bottom", "delete_series": list(range(n, n + len(helpers) + 1)), "font": LETTER})
    left = min(0.5, (max(len(tick) for tick in chart.ticks) * 6.6 + 16) / WIDTH)
    height = height_of(chart)
    layout = {"x": left, "y": 30 / height, "width": 0.97 - left, "height": (height - 76) / height}
    drawn.set_plotarea({"layout": layout})


def _unseen(drawn: Any, grid: Grid, at: int, cells: Cells, look: dict[str, Any]) -> None:
    places = {"categories": cells.column(at), "values": cells.column(grid.row or 0)}
    drawn.add_series({"name": cells.head(at), **places, "marker": {"type": "none"}, **look})


def _values(chart: Chart) -> dict[str, Any]:
    low, high = chart.span
    ends = {"min": low, "max": high, "major_unit": step(chart), "num_format": axis_format(chart)}
    return {**ends, "major_tick_mark": "none", "line": {"none": True}, "major_gridlines": _gridlines()}


def _gridlines() -> dict[str, Any]:
    return {"visible": True, "line": {"color": LINE, "width": 0.75}}
