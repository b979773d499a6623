"""Draws a chart's description as an SVG for paper, the same bytes every time."""

import io
import re
from itertools import pairwise
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from dashboard.chart import Chart, Series
from dashboard.theme import INK, LINE, SERIES, SOFT

WIDTH = 7.0  # inches
TREND_HEIGHT = 2.6
ROW_HEIGHT = 0.27
SHIFT = {"mentor": -0.06, "mentee": 0.06, "both": 0.0}
ROW_SHIFT = {"mentor": -0.16, "mentee": 0.16, "both": 0.0}
ABOUT = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
OWN_ID = re.compile(r'(\bid="|url\(#|href="#)')


def svg(chart: Chart, *, width: float = WIDTH) -> str:
    """The chart without its words, as one <svg> element whose ids no other chart of the page has."""
    settings = {"svg.hashsalt": chart.id, "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": 8.5}
    with matplotlib.rc_context(settings):
        drawn = Figure(figsize=(width, _height(chart)))
        FigureCanvasSVG(drawn)
        axes = drawn.add_subplot()
        FORMS[chart.form](axes, chart)
        _quiet(axes)
        drawn.tight_layout(pad=0.4)
        written = io.StringIO()
        drawn.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    whole = ABOUT.sub("", written.getvalue())
    return OWN_ID.sub(rf"\g<1>{chart.id}-", whole[whole.index("<svg") :]).strip()


def _height(chart: Chart) -> float:
    return TREND_HEIGHT if chart.form == "trend" else 0.5 + ROW_HEIGHT * len(chart.ticks)


def _trend(axes: Any, chart: Chart) -> None:
    for series in chart.series:
        shift = SHIFT[series.side] if len(chart.series) > 1 else 0.0
        look, places = SERIES[series.side], [mark.at + shift for mark in series.marks]
        for before, mark in pairwise(series.marks):
            if mark.at - before.at == 1:
                ends = ([before.at + shift, mark.at + shift], [before.value, mark.value])
                axes.plot(*ends, color=look.light, linewidth=1.4, zorder=3)
        axes.vlines(places, *_intervals(series), color=look.light, linewidth=1.2, zorder=2)
        axes.scatter(
            places, [mark.value for mark in series.marks], color=look.light, marker=look.paper_marker, s=22, zorder=4
        )
    _name_lines(axes, chart)
    axes.set_xticks(range(len(chart.ticks)), chart.ticks)
    axes.set_xlim(-0.3, len(chart.ticks) - 0.7)
    axes.set_yticks([value for value, _ in chart.axis], [text for _, text in chart.axis])
    axes.set_ylim(*chart.span)
    axes.grid(axis="y", color=LINE, linewidth=0.5)


def _name_lines(axes: Any, chart: Chart) -> None:
    """Each line's name at its end, at least a line of text apart."""
    apart = (chart.span[1] - chart.span[0]) * 0.09
    lasts = sorted(chart.series, key=lambda series: series.marks[-1].value)
    heights = [series.marks[-1].value for series in lasts]
    if len(heights) == 2 and heights[1] - heights[0] < apart:
        middle = sum(heights) / 2
        heights = [middle - apart / 2, middle + apart / 2]
    for series, height in zip(lasts, heights, strict=True):
        place = (len(chart.ticks) - 0.75, height)
        axes.text(*place, series.label, color=SERIES[series.side].light, va="center", ha="left", clip_on=False)


def _ranges(axes: Any, chart: Chart) -> None:
    if chart.is_joined:
        _join(axes, chart)
    for series in chart.series:
        shift = ROW_SHIFT[series.side] if len(chart.series) > 1 else 0.0
        look, places = SERIES[series.side], [mark.at + shift for mark in series.marks]
        axes.hlines(places, *_intervals(series), color=look.light, linewidth=1.2, zorder=2)
        axes.scatter(
            [mark.value for mark in series.marks],
            places,
            color=look.light,
            marker=look.paper_marker,
            s=18,
            zorder=3,
            label=series.label,
        )
        if series.reference is not None:
            axes.axvline(series.reference, color=look.light, linewidth=0.8, alpha=0.35, zorder=1)
    _rows(axes, chart)
    axes.grid(axis="x", color=LINE, linewidth=0.5)
    if len(chart.series) > 1:
        _key(axes, chart)


def _join(axes: Any, chart: Chart) -> None:
    """A line from one side's dot to the other's, in every row that has both."""
    rows: dict[int, list[tuple[float, float]]] = {}
    for series in chart.series:
        for mark in series.marks:
            rows.setdefault(mark.at, []).append((mark.value, mark.at + ROW_SHIFT[series.side]))
    for ends in rows.values():
        axes.plot([x for x, _ in ends], [y for _, y in ends], color=LINE, linewidth=3, zorder=1)


def _flow(axes: Any, chart: Chart) -> None:
    """Bars from nought, each with its number at its end."""
    most = chart.span[1]
    for series in chart.series:
        shift = ROW_SHIFT[series.side] if len(chart.series) > 1 else 0.0
        for mark in series.marks:
            width, color = min(mark.value, most), SERIES[series.side].light
            axes.barh(mark.at + shift, width, height=0.26, color=color, alpha=0.4, zorder=2)
            axes.text(width, mark.at + shift, f" {series.label}: {mark.told}", color=color, va="center", clip_on=False)
    _rows(axes, chart)
    axes.set_xticks([])


def _rows(axes: Any, chart: Chart) -> None:
    axes.set_yticks(range(len(chart.ticks)), chart.ticks)
    axes.set_ylim(len(chart.ticks) - 0.5, -0.5)
    axes.set_xticks([value for value, _ in chart.axis], [text for _, text in chart.axis])
    axes.set_xlim(*chart.span)
    axes.xaxis.tick_top()


FORMS = {"trend": _trend, "ranges": _ranges, "flow": _flow}


def _key(axes: Any, chart: Chart) -> None:
    """The two sides named once below: rows leave no room for names beside the marks."""
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        ncols=2,
        frameon=False,
        labelcolor=[SERIES[series.side].light for series in chart.series],
        handletextpad=0.2,
        borderpad=0.1,
    )


def _intervals(series: Series) -> tuple[list[float], list[float]]:
    return [mark.low for mark in series.marks], [mark.high for mark in series.marks]


def _quiet(axes: Any) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=SOFT, pad=4)
    for label in axes.get_yticklabels() if axes.get_yticks().size else ():
        label.set_color(INK)
