"""Writes a report as a workbook: its sentences, every number as a number, its tables and native charts."""

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from itertools import count
from typing import Any

import xlsxwriter

from dashboard.chart import Chart, Figure, Row, Table
from dashboard.reports.office_chart import format_of, grid_of
from dashboard.reports.office_letters import lines_of
from dashboard.reports.office_zip import clean, steady
from dashboard.reports.report import Block, Report
from dashboard.reports.sheet_chart import Cells, add_chart, height_of
from dashboard.theme import INK, SOFT
from dashboard.theme import LINE as LINE_COLOUR
from dashboard.words import Words

LONGEST_NAME = 31  # of a sheet
LONGEST_PROPERTY = 255
NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\]")
FIGURE = (
    "th_metric",
    "th_side",
    "th_round",
    "th_value",
    "th_low",
    "th_high",
    "th_n",
    "th_unit",
    "th_claim",
    "th_release",
)
FIGURE_WIDTHS = (38, 14, 12, 10, 10, 10, 16, 14, 18, 30)
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
WIDTHS = (50, 110, 20)  # of section, sentence and claim, in letters
LETTER, LINE, POINTS = 10, 13.0, 5.2  # of the text; of a line; of a letter's width in a column
CELLS_OF_ONE = 7  # value, low, high, n, unit, claim and release, as dashboard.tables lays them out
FIRST_NUMBER = 3  # the first column of a figure that holds a number
CHART_TOP, PIXELS_A_ROW = 4, 20


def render(report: Report) -> bytes:
    """The file's bytes: the same report gives the same bytes, and no cell of it is a formula."""
    written, words = io.BytesIO(), Words(report.language)
    with xlsxwriter.Workbook(written, OPTIONS) as book:
        _name(book, report)
        looks = Looks(book)
        names = Names()
        _sentences(book.add_worksheet(names.free(words("product"))), report, looks, words)
        _figures(book.add_worksheet(names.free(words("report_appendix"))), report, looks, words)
        for block in (each for section in report.sections for each in section.blocks):
            if block.chart is not None:
                _chart(book, book.add_worksheet(names.free(block.chart.title)), block.chart, report, looks)
            elif block.table is not None and not _is_all_figures(block.table):
                name = block.table.caption or block.title
                _texts(book.add_worksheet(names.free(name)), block.table, report, looks)
    return steady(written.getvalue())


class Names:
    """Names of sheets: what a program accepts, and each only once."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def free(self, wanted: str) -> str:
        plain = " ".join(NOT_IN_A_NAME.sub(" ", clean(wanted)).split()).strip("' ") or "–"
        for number in count(1):
            end = f" {number}" if number > 1 else ""
            name = _cut(plain, LONGEST_NAME - len(end)) + end
            if name.casefold() not in self.taken | {"history", "verlauf"}:  # Excel keeps these for itself
                break
        self.taken.add(name.casefold())
        return name


def _cut(text: str, most: int) -> str:
    """At the end of a word, where it is too long."""
    if len(text) <= most:
        return text
    whole = text[:most].rsplit(" ", 1)[0].rstrip(" ,;")
    return f"{whole[: most - 1]}…".rstrip("'")


class Looks:
    """The few looks of a cell."""

    def __init__(self, book: Any) -> None:
        usual = {"font_name": "Arial", "font_size": 10, "font_color": INK, "valign": "top"}
        self._book, self._usual, self._numbers = book, usual, dict[str, Any]()
        head = {**usual, "bold": True, "font_color": SOFT, "bottom": 1, "bottom_color": SOFT, "text_wrap": True}
        self.text = book.add_format({**usual, "text_wrap": True})
        self.soft = book.add_format({**usual, "font_color": SOFT, "indent": 1})
        self.aside = book.add_format({**usual, "font_color": LINE_COLOUR})
        self.withheld = book.add_format({**usual, "font_color": SOFT, "italic": True})
        self.title = book.add_format({**usual, "bold": True, "font_size": 16})
        self.about = book.add_format({**usual, "font_color": SOFT})
        self.head = book.add_format(head)
        self.head_of_numbers = book.add_format({**head, "align": "right"})

    def number(self, form: str) -> Any:
        if form not in self._numbers:
            self._numbers[form] = self._book.add_format({**self._usual, "num_format": form})
        return self._numbers[form]


def _name(book: Any, report: Report) -> None:
    book.set_properties(
        {
            "title": clean(f"{report.title} {report.subject}")[:LONGEST_PROPERTY],
            "subject": clean(report.about)[:LONGEST_PROPERTY],
            "author": "Rapport",
            "keywords": clean(report.release)[:LONGEST_PROPERTY],
            "created": datetime.combine(report.closed_on, time()),
        }
    )


def _put(sheet: Any, row: int, column: int, text: str, look: Any) -> None:
    """Always as a string: a text that begins with "=" stays a text."""
    if text:
        sheet.write_string(row, column, clean(text), look)
    else:
        sheet.write_blank(row, column, None, look)


def _about(sheet: Any, texts: Sequence[str], looks: Looks) -> None:
    """A sheet's title and what it needs to be understood alone."""
    sheet.set_row(0, 2 * LINE)
    for row, text in enumerate(texts):
        _put(sheet, row, 0, text, looks.about if row else looks.title)


def _height(texts: Sequence[str], widths: Sequence[float]) -> float:
    """Of a row whose texts wrap: not every program works it out by itself."""
    lines = [lines_of(text, LETTER, width * POINTS, is_bold=True) for text, width in zip(texts, widths, strict=False)]
    return max(lines) * LINE + 4


# --- what the report says -------------------------------------------------------------------------


def _sentences(sheet: Any, report: Report, looks: Looks, words: Words) -> None:
    """Section, sentence and claim of everything that is said in words."""
    _about(sheet, (report.title, report.subject, report.about), looks)
    top = 4
    for at, (header, width) in enumerate(
        zip((words("report_contents"), report.subject, words("th_claim")), WIDTHS, strict=True)
    ):
        sheet.set_column(at, at, width)
        _put(sheet, top, at, header, looks.head)
    last = top
    for last, line in enumerate(_said(report, words), start=top + 1):
        for at, text in enumerate(line):
            _put(sheet, last, at, text, looks.text if at == 1 else looks.soft)
        sheet.set_row(last, _height(line, WIDTHS))
    sheet.freeze_panes(top + 1, 1)
    sheet.autofilter(top, 0, last, 2)
    _for_paper(sheet, top, report)


def _said(report: Report, words: Words) -> Iterator[tuple[str, str, str]]:
    for section in report.sections:
        for block in section.blocks:
            yield from ((section.title, *line) for line in _said_by(block, words))


def _said_by(block: Block, words: Words) -> Iterator[tuple[str, str]]:
    if block.title and block.table is None:
        yield block.title, ""
    for each in block.sentences:
        yield each.text.replace("`", ""), words(f"claim_{each.claim}") if each.claim else ""
    if block.chart is not None:
        yield f"{block.chart.title}. {block.chart.subtitle}. {block.chart.foot}", ""
    for name, meaning, formula in block.terms:
        yield f"{name}: {meaning} ({formula})", ""


def _for_paper(sheet: Any, top: int | None, report: Report) -> None:
    """Across one page, the header on each."""
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    if top is not None:
        sheet.repeat_rows(top)
    sheet.set_footer(f"&L{clean(report.release).replace('&', '&&')[:200]}&R&P")


# --- every number ---------------------------------------------------------------------------------


def _figures(sheet: Any, report: Report, looks: Looks, words: Words) -> None:
    """One line a number of the report, however often it stands there; what is withheld has its sentence instead."""
    tables = [block.table for section in report.sections for block in section.blocks if block.table is not None]
    lines = dict.fromkeys((each, row.sentence) for table in tables for row in table.rows for each in row.figures)
    for at, (key, width) in enumerate(zip(FIGURE, FIGURE_WIDTHS, strict=True)):
        sheet.set_column(at, at, width)
        is_number = FIRST_NUMBER <= at <= FIRST_NUMBER + 3
        _put(sheet, 0, at, words(key), looks.head_of_numbers if is_number else looks.head)
    for down, (figure, sentence) in enumerate(lines, start=1):
        _figure(sheet, down, figure, sentence, looks, words)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(lines), len(FIGURE) - 1)
    _for_paper(sheet, 0, report)


def _figure(sheet: Any, down: int, figure: Figure, sentence: str, looks: Looks, words: Words) -> None:
    for at, text in enumerate((figure.name, figure.side, figure.round)):
        _put(sheet, down, at, text, looks.soft if at else looks.text)
    _put(sheet, down, len(FIGURE) - 1, figure.release, looks.soft)
    if figure.value is None:
        _put(sheet, down, FIRST_NUMBER, sentence, looks.withheld)
        return
    look = looks.number(_format(figure))
    for at, number in enumerate((figure.value, figure.low, figure.high), start=FIRST_NUMBER):
        if number is not None:
            sheet.write_number(down, at, number, look)
    if figure.n is not None:
        sheet.write_number(down, FIRST_NUMBER + 3, figure.n, looks.number("0"))
    _put(sheet, down, FIRST_NUMBER + 4, words.unit(figure.unit), looks.soft)
    _put(sheet, down, FIRST_NUMBER + 5, words(f"claim_{figure.claim}") if figure.claim else "", looks.soft)


def _format(figure: Figure) -> str:
    numbers = [each for each in (figure.value, figure.low, figure.high) if each is not None]
    return format_of(numbers, is_share=figure.unit == "share")


def _is_all_figures(table: Table) -> bool:
    """Whether the sheet of every number holds all that the table says: each cell a number, or all cells one."""
    return all(row.figures and len(row.cells) in (0, len(row.figures), CELLS_OF_ONE) for row in table.rows)


# --- charts, and tables of words ------------------------------------------------------------------


def _chart(book: Any, sheet: Any, chart: Chart, report: Report, looks: Looks) -> None:
    """The finding, the measure, the drawing and, below it, the numbers that it is drawn from."""
    _about(sheet, (chart.title, chart.subtitle, chart.foot), looks)
    grid = grid_of(chart, Words(report.language))
    top = CHART_TOP + height_of(chart) // PIXELS_A_ROW + 2
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, len(grid.headers) - 1, 14)
    sheet.set_row(top, _height(grid.headers[: grid.n_told], [30.0] + [14.0] * grid.n_told))
    for at, header in enumerate(grid.headers):
        told = looks.head_of_numbers if at else looks.head
        _put(sheet, top, at, header, told if at < grid.n_told else looks.aside)
    for down, cells in enumerate(grid.rows, start=top + 1):
        for at, cell in enumerate(cells):
            if isinstance(cell, str):
                _put(sheet, down, at, cell, looks.text)
            elif cell is not None:
                form = "General" if at in grid.unitless else grid.number_format
                sheet.write_number(down, at, cell, looks.number(form) if at < grid.n_told else looks.aside)
    sheet.print_area(0, 0, top + grid.n_ticks, grid.n_told - 1)
    _for_paper(sheet, None, report)
    add_chart(book, sheet, chart, grid, at=CHART_TOP, cells=Cells(sheet.get_name(), top, grid))


def _texts(sheet: Any, table: Table, report: Report, looks: Looks) -> None:
    """A table as it is read: what its cells say together is no single number."""
    _about(sheet, (table.caption,), looks)
    lines = [_cells(row) for row in table.rows]
    widths = [_width([name, *(line[at] for line in lines if at < len(line))]) for at, name in enumerate(table.columns)]
    for at, (name, width) in enumerate(zip(table.columns, widths, strict=True)):
        sheet.set_column(at, at, width)
        _put(sheet, 2, at, name, looks.head)
    sheet.set_row(2, _height(table.columns, widths))
    for down, (row, line) in enumerate(zip(table.rows, lines, strict=True), start=3):
        sheet.set_row(down, _height(line, widths))
        for at, text in enumerate(line):
            _put(sheet, down, at, text, looks.text)
        if row.sentence:
            _put(sheet, down, len(row.heading), row.sentence, looks.withheld)
    sheet.freeze_panes(3, table.n_headings)
    sheet.autofilter(2, 0, 2 + len(table.rows), len(table.columns) - 1)
    _for_paper(sheet, 2, report)


def _width(texts: Sequence[str]) -> int:
    """Of a column, in letters."""
    return min(44, max(12, *(len(each) + 2 for each in texts)))


def _cells(row: Row) -> tuple[str, ...]:
    return (*row.heading, *row.cells)
