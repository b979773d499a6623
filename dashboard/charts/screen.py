"""Draws a chart's description as a Plotly figure, a plain dict whose colours the style sheet sets."""

from typing import Any

from dashboard.chart import Chart, Mark, Series
from dashboard.theme import FONT, LINE, SERIES, SOFT

Figure = dict[str, Any]
TREND_HEIGHT = 300
ROW_HEIGHT = 50
APART = {1: (0.0,), 2: (-0.06, 0.06)}  # the two sides stand a little apart, so that no interval hides another
ROWS_APART = {1: (0.0,), 2: (-0.12, 0.12)}
BELOW_LABEL = 0.16  # of a row: its label stands above its marks
LABEL_GAP = 17  # pixels between two direct labels
# Of an axis: it stays as it is, and Plotly need not measure each label, whether it leaves the drawing.
FIXED = {"fixedrange": True, "ticklabeloverflow": "allow"}


def figure(chart: Chart) -> Figure:
    """The figure of a description; it holds what the description holds, and no more."""
    return _trend(chart) if chart.form == "trend" else _ranges(chart)


def height(chart: Chart) -> int:
    return TREND_HEIGHT if chart.form == "trend" else ROW_HEIGHT * len(chart.ticks) + 40


def _trend(chart: Chart) -> Figure:
    shifts = APART[len(chart.series)]
    values = {**_values(chart), "zeroline": False}
    rounds = {
        "tickmode": "array",
        "tickvals": list(range(len(chart.ticks))),
        "ticktext": [chart.ticks[0], *(tick.split()[-1] for tick in chart.ticks[1:])],
        "range": [-0.3, len(chart.ticks) - 0.7],
        "showgrid": False,
        "zeroline": False,
        **FIXED,
        "ticks": "outside",
        "ticklen": 8,
        "tickcolor": "rgba(0,0,0,0)",
        "tickfont": {"color": SOFT},
    }
    data = [_line(each, shift) for each, shift in zip(chart.series, shifts, strict=True)]
    data += _names(chart)
    margin = {"l": 40, "r": 96, "t": 12, "b": 36}
    layout = {**_layout(chart, margin), "xaxis": rounds, "yaxis": values}
    return {"data": data, "layout": layout}


def _line(series: Series, shift: float) -> dict[str, Any]:
    """Marks, with a line between neighbouring rounds only: nothing is drawn where nothing was asked."""
    marks = list(series.marks)
    spaced: list[Mark | None] = []
    for before, mark in zip([None, *marks], marks, strict=False):
        if before is not None and mark.at - before.at > 1:
            spaced.append(None)
        spaced.append(mark)
    at = [None if mark is None else mark.at + shift for mark in spaced]
    return {
        **_marks(series, spaced),
        "mode": "lines+markers",
        "x": at,
        "y": [None if mark is None else mark.value for mark in spaced],
        "error_y": _interval(series, spaced),
        "line": {"color": SERIES[series.side].light, "width": 2},
        "connectgaps": False,
    }


def _ranges(chart: Chart) -> Figure:
    shifts = ROWS_APART[len(chart.series)]
    data = [_reference(each, len(chart.ticks)) for each in chart.series if each.reference is not None]
    data += _joined(chart, shifts) if chart.is_joined else []
    data += [_dots(each, shift) for each, shift in zip(chart.series, shifts, strict=True)]
    rows = {
        "range": [len(chart.ticks) - 0.5, -0.5],
        "tickmode": "array",
        "tickvals": [at + 0.5 for at in range(len(chart.ticks) - 1)],
        "gridcolor": LINE,
        "zeroline": False,
        "showticklabels": False,
        "fixedrange": True,
    }
    margin = {"l": 8, "r": 16, "t": 28, "b": 8}
    layout = {
        **_layout(chart, margin),
        "xaxis": {**_values(chart), "side": "top", "zeroline": False},
        "yaxis": rows,
        "annotations": [_row_label(at, tick) for at, tick in enumerate(chart.ticks)],
    }
    return {"data": data, "layout": layout}


def _joined(chart: Chart, shifts: tuple[float, ...]) -> list[dict[str, Any]]:
    """A line from one side's dot to the other's, in every row that has both."""
    ends: dict[int, list[tuple[float, float]]] = {}
    for series, shift in zip(chart.series, shifts, strict=True):
        for mark in series.marks:
            ends.setdefault(mark.at, []).append((mark.value, mark.at + BELOW_LABEL + shift))
    whole = [[*pair, (None, None)] for pair in ends.values() if len(pair) > 1]
    places = [place for row in whole for place in row]
    return [
        {
            "type": "scatter",
            "uid": "joined",
            "mode": "lines",
            "x": [x for x, _ in places],
            "y": [y for _, y in places],
            "line": {"color": LINE, "width": 4},
            "hoverinfo": "skip",
        }
    ]


def _dots(series: Series, shift: float) -> dict[str, Any]:
    marks = list(series.marks)
    return {
        **_marks(series, marks),
        "mode": "markers",
        "x": [mark.value for mark in marks],
        "y": [mark.at + BELOW_LABEL + shift for mark in marks],
        "error_x": _interval(series, marks),
    }


def _marks(series: Series, marks: list[Mark] | list[Mark | None]) -> dict[str, Any]:
    """What both forms share; the uid names the side, so that the style sheet can colour it for dark ground."""
    look = SERIES[series.side]
    return {
        "type": "scatter",
        "uid": series.side,
        "name": series.label,
        "hovertext": ["" if mark is None else _plain(f"{mark.name}: {mark.told}") for mark in marks],
        "hovertemplate": f"%{{hovertext}}<extra>{series.label}</extra>",
        "marker": {"color": look.light, "symbol": look.screen_marker, "size": 9},
        "cliponaxis": False,
    }


def _interval(series: Series, marks: list[Mark] | list[Mark | None]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [None if mark is None else mark.high - mark.value for mark in marks],
        "arrayminus": [None if mark is None else mark.value - mark.low for mark in marks],
        "color": SERIES[series.side].light,
        "thickness": 1.5,
        "width": 0,
    }


def _values(chart: Chart) -> dict[str, Any]:
    low, high = chart.span
    edge = (high - low) * 0.02  # so that the lines at both ends are drawn whole
    return {
        "range": [low - edge, high + edge],
        "tickmode": "array",
        "tickvals": [value for value, _ in chart.axis],
        "ticktext": [text for _, text in chart.axis],
        "gridcolor": LINE,
        **FIXED,
        "tickfont": {"color": SOFT},
    }


def _layout(chart: Chart, margin: dict[str, int]) -> dict[str, Any]:
    return {
        "height": height(chart),
        "autosize": True,
        "margin": margin,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
    }


def _names(chart: Chart) -> list[dict[str, Any]]:
    """Each line's name to the right of its last mark: a little up and down where two would touch."""
    low, high = chart.span
    pixels = (TREND_HEIGHT - 48) / (high - low)
    lasts = sorted(chart.series, key=lambda series: series.marks[-1].value)
    gap = (lasts[-1].marks[-1].value - lasts[0].marks[-1].value) * pixels
    is_close = len(lasts) == 2 and gap < LABEL_GAP
    places = ("bottom right", "top right") if is_close else ("middle right",) * len(lasts)
    return [
        {
            "type": "scatter",
            "uid": f"{series.side}-name",
            "mode": "text",
            "x": [len(chart.ticks) - 0.88],
            "y": [series.marks[-1].value],
            "text": [f"\u2002{series.label}"],
            "textposition": place,
            "textfont": {"color": SERIES[series.side].light, "size": 13},
            "hoverinfo": "skip",
            "cliponaxis": False,
        }
        for series, place in zip(lasts, places, strict=True)
    ]


def _row_label(at: int, text: str) -> dict[str, Any]:
    return {
        "xref": "paper",
        "x": 0,
        "y": at - 0.27,
        "text": _plain(text),
        "xanchor": "left",
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": 13},
    }


def _plain(text: str) -> str:
    """Plotly reads a little HTML in text; a group's name is not allowed any."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _reference(series: Series, n_rows: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": f"{series.side}-reference",
        "mode": "lines",
        "x": [series.reference, series.reference],
        "y": [-0.5, n_rows - 0.5],
        "line": {"color": SERIES[series.side].light, "width": 1.5},
        "opacity": 0.4,
        "hoverinfo": "skip",
    }
