"""Writes a report as one HTML file: styles and drawings inside, no script, nothing fetched."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from dashboard.chart import Chart
from dashboard.charts import paper
from dashboard.reports.report import Report
from dashboard.words import Words

ROOM = Path(__file__).resolve().parent


def render(report: Report) -> bytes:
    """The file's bytes: the same report gives the same bytes."""
    page = _templates().get_template("report.html").render(report=report, words=Words(report.language), drawn=_drawn)
    return page.encode("utf-8")


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOM), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _drawn(chart: Chart) -> Markup:
    """The drawing, with its text for those who do not see it."""
    named = paper.svg(chart).replace("<svg ", f'<svg role="img" aria-label="{escape(chart.alt)}" ', 1)
    return Markup(named)  # noqa: S704 - matplotlib wrote it, and escapes every text in it
