"""Puts a chart on a slide as a native one, whose numbers stand in a workbook behind it."""

import io
import re
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pptx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from pptx.opc.packuri import PackURI
from pptx.oxml.shapes.graphfrm import CT_GraphicalObjectFrame
from pptx.parts.chart import ChartPart
from pptx.util import Pt
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

from dashboard.chart import Chart
from dashboard.reports.office_chart import Cell, Grid, axis_format, grid_of, places_of_names, step
from dashboard.reports.office_zip import clean, steady
from dashboard.reports.slide_deck import LANGUAGES
from dashboard.theme import INK, LINE, SERIES, SOFT
from dashboard.words import Words

ROOM = Path(__file__).resolve().parent
SHEET = "Data"
LETTER = 6.6  # points that a letter of 12 points is wide, at most on average
BETWEEN_TAGS = re.compile(r">\s+<")


def add_chart(slide: Any, chart: Chart, *, box: tuple[float, float, float, float], words: Words, on: date) -> None:
    """The chart at left, top, width and height in points; `on` is the only date that its workbook knows."""
    grid = grid_of(chart, words, has_segments=True)
    package = slide.part.package
    name = PackURI(str(package.next_partname(ChartPart.partname_template)))
    part = ChartPart.load(name, CONTENT_TYPE.DML_CHART, package, _xml(chart, grid, box, words).encode("utf-8"))
    part.chart_workbook.update_from_xlsx_blob(_workbook(grid, on))
    relation = slide.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    tree, place = slide.shapes._spTree, [Pt(each) for each in box]
    frame = CT_GraphicalObjectFrame.new_chart_graphicFrame(len(tree) + 100, "Chart", relation, *place)
    frame.nvGraphicFramePr.cNvPr.set("descr", clean(chart.alt))
    tree.append(frame)


def _xml(chart: Chart, grid: Grid, box: tuple[float, float, float, float], words: Words) -> str:
    page = (
        _templates()
        .get_template("slide_chart.xml")
        .render(
            chart=chart,
            grid=grid,
            referenced=[each for each in grid.drawn if each.reference is not None],
            looks=SERIES,
            name_places=places_of_names(chart),
            step=step(chart),
            axis_format=axis_format(chart),
            inner=_inner(chart, box[2], box[3]),
            lang=LANGUAGES[words.language],
            cells=lambda at: f"{SHEET}!{xl_range_abs(1, at, len(grid.columns[at][1]), at)}",
            head=lambda at: f"{SHEET}!{xl_rowcol_to_cell(0, at, True, True)}",
            INK=INK,
            SOFT=SOFT,
            LINE=LINE,
        )
    )
    return BETWEEN_TAGS.sub("><", clean(page).strip())


def _inner(chart: Chart, width: float, height: float) -> tuple[float, float, float, float]:
    """The drawing's left, top, width and height as shares of the chart: the rest is room for words."""
    longest = max(len(each.label) for each in chart.series) * LETTER + 20
    if chart.form == "trend":
        left, right, top, bottom = 44.0, longest, 14.0, 26.0
    else:
        names = max(len(tick) for tick in chart.ticks) * LETTER + 16
        left, right, top, bottom = min(names, width * 0.5), 24.0, 24.0, 34.0
    shares = (left / width, top / height, (width - left - right) / width, (height - top - bottom) / height)
    return (round(shares[0], 4), round(shares[1], 4), round(shares[2], 4), round(shares[3], 4))


def _workbook(grid: Grid, on: date) -> bytes:
    """What "edit data" opens: the numbers, and beside them the lengths of the intervals."""
    written = io.BytesIO()
    with xlsxwriter.Workbook(written, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime.combine(on, time())})
        sheet, form = book.add_worksheet(SHEET), book.add_format({"num_format": grid.number_format})
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, len(grid.headers) - 1, 16)
        for at, header in enumerate(grid.headers):
            sheet.write_string(0, at, clean(header))
        for down, row in enumerate(grid.rows, start=1):
            for at, cell in enumerate(row):
                _write(sheet, down, at, cell, None if at in grid.unitless else form)
    return steady(written.getvalue())


def _write(sheet: Any, down: int, at: int, cell: Cell, form: Any) -> None:
    if isinstance(cell, str):
        sheet.write_string(down, at, clean(cell))
    elif cell is not None:
        sheet.write_number(down, at, cell, form)


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOM), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
