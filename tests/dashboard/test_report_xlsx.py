"""The workbook: every number of the report as a number, every sentence with its claim, native charts, no formula."""

import io
import re
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from dashboard.chart import Chart, Row, Table
from dashboard.findings import numbers_of
from dashboard.reports import xlsx
from dashboard.reports.office_chart import format_of
from dashboard.reports.office_zip import parts_of
from dashboard.reports.report import Block, Report, Section, Sentence, report_of
from dashboard.reports.xlsx import Names
from dashboard.theme import SERIES
from dashboard.words import Words
from pipeline.published import WITHHELD
from tests.dashboard.conftest import Made, report_of_made
from tests.dashboard.test_report_pptx import NUMBERS, elsewhere, lopsided, text_of_all, with_charts

C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def report(made: Made, language: str = "en") -> Report:
    return report_of_made(made, language, organisation="=1+1 <Ltd>")


@pytest.fixture(scope="module")
def english(made: Made) -> Report:
    return report(made)


@pytest.fixture(scope="module")
def content(english: Report) -> bytes:
    return xlsx.render(english)


def opened(content: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(io.BytesIO(content))


@pytest.fixture(scope="module")
def book(content: bytes) -> Any:
    return opened(content)


def charts_of(report: Report) -> list[Chart]:
    return [block.chart for section in report.sections for block in section.blocks if block.chart is not None]


def lines_of(sheet: Any, first: int = 1) -> list[tuple[Any, ...]]:
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=first)]


def test_every_programme_wide_number_is_there_as_it_was_released(made: Made, english: Report, book: Any) -> None:
    """Value, low, high and n as numbers, and not as they are rounded for reading."""
    rows = made.published.numbers("mentoring")
    wanted = rows[(rows["release"] == english.release) & (rows["view"] == "all") & rows["shown"]]
    lines = [line for line in lines_of(book["Data appendix"], 2) if line[9] == english.release and line[8] is not None]
    said = sorted((line[3], line[4], line[5], line[6]) for line in lines)
    assert said == sorted(zip(wanted["value"], wanted["low"], wanted["high"], wanted["n"], strict=True))
    assert all(isinstance(number, int | float) for line in lines for number in line[3:7])
    trust = next(line for line in lines if line[:3] == ("Trust", "Mentors", "Round 6"))
    row = wanted[(wanted["metric"] == "trust") & (wanted["side"] == "mentor")].iloc[0]
    assert trust[3:] == (row["value"], row["low"], row["high"], row["n"], "points", "describes", english.release)


def test_a_number_that_stands_in_several_tables_has_one_line(book: Any) -> None:
    lines = lines_of(book["Data appendix"], 2)
    assert len(lines) == len(set(lines)) > 100


def test_a_withheld_number_has_its_sentence(made: Made, english: Report) -> None:
    programme = next(each for each in made.published.programmes() if each.id == "mentoring")
    rows = made.published.numbers("mentoring").copy()
    is_trust = (rows["metric"] == "trust") & (rows["side"] == "mentor") & (rows["view"] == "all")
    rows.loc[is_trust, ["value", "low", "high"]] = [61.37, 58.41, 64.43]
    shown = text_of_all(written(made, programme, rows))
    assert [each for each in ("61.37", "58.41", "64.43") if each in shown] == ["61.37", "58.41", "64.43"]
    rows.loc[is_trust, ["value", "low", "high", "n"]] = [None, None, None, None]
    rows.loc[is_trust, "shown"] = False
    hidden = written(made, programme, rows)
    assert [each for each in NUMBERS if each in text_of_all(hidden)] == []
    lines = [line for line in lines_of(opened(hidden)["Data appendix"], 2) if line[:2] == ("Trust", "Mentors")]
    assert len(lines) == 6
    assert {line[3:9] for line in lines} == {(Words("en")("withheld"), None, None, None, None, None)}
    assert WITHHELD


def written(made: Made, programme: Any, rows: Any) -> bytes:
    numbers = numbers_of(programme, made.published.releases("mentoring"), rows)
    return xlsx.render(report_of(numbers, organisation="E", language="en"))


def test_every_sentence_is_there_with_its_section_and_claim(english: Report, book: Any) -> None:
    lines = set(lines_of(book.worksheets[0], 6))
    n = 0
    for section in english.sections:
        for block in section.blocks:
            for each in block.sentences:
                n += bool(each.claim)
                assert (section.title, each.text.replace("`", ""), "describes" if each.claim else None) in lines
    assert n > 8


def test_every_row_of_every_table_is_somewhere(english: Report, book: Any) -> None:
    """As numbers, or as it is read."""
    figures = {line[:2] for line in lines_of(book["Data appendix"], 2)}
    texts = {line for sheet in book.worksheets[2:] for line in lines_of(sheet)}
    tables = [block.table for section in english.sections for block in section.blocks if block.table is not None]
    for table in tables:
        for row in table.rows:
            is_number = all((each.name, each.side) in figures for each in row.figures) and row.figures
            assert is_number or (*row.heading, *row.cells) in texts


def test_charts_are_native_and_draw_from_the_cells_of_their_sheet(english: Report, content: bytes, book: Any) -> None:
    parts = parts_of(content)
    for number, chart in enumerate(charts_of(english), start=1):
        drawn = openpyxl.xml.functions.fromstring(parts[f"xl/charts/chart{number}.xml"])
        found = set()
        for series in drawn.iter(f"{C}ser"):
            symbol = series.find(f"{C}marker/{C}symbol")
            if symbol is None or symbol.get("val") == "none":
                continue
            colour = next(each.get("val") for each in series.iter() if each.tag.endswith("srgbClr")).lower()
            axis = "val" if chart.form == "trend" else "xVal"
            values, minus, plus = (cells_of(book, series, name) for name in (axis, "minus", "plus"))
            marks = [each for each in zip(values, minus, plus, strict=True) if each[0] is not None]
            found |= {(colour, value, round(value - down, 6), round(value + up, 6)) for value, down, up in marks}
        assert found == {
            (SERIES[series.side].light[1:], mark.value, mark.low, mark.high)
            for series in chart.series
            for mark in series.marks
        }


def test_an_interval_is_drawn_as_far_down_and_up_as_it_reaches(english: Report) -> None:
    content = xlsx.render(with_charts(english, lopsided("trend"), lopsided("ranges")))
    book, parts = opened(content), parts_of(content)
    for number in (1, 2):
        drawn = openpyxl.xml.functions.fromstring(parts[f"xl/charts/chart{number}.xml"])
        bars = [each for each in drawn.iter(f"{C}ser") if each.find(f"{C}errBars") is not None]
        assert len(bars) == 2
        for each in bars:
            assert (cells_of(book, each, "minus"), cells_of(book, each, "plus")) == ([7] * 3, [2] * 3)


def test_a_table_that_says_more_than_its_numbers_has_a_sheet_of_its_own(english: Report) -> None:
    """One number in a row of three cells: the others would be lost."""
    number = next(row for block in english.sections[-1].blocks if block.table for row in block.table.rows).figures
    row = Row(heading=("0.5 salaries",), cells=("7", "–", "where it is from"), figures=number)
    table = Table(caption="Sources", columns=("A", "B", "C", "D"), n_headings=1, rows=(row,))
    told = replace(
        english, sections=(english.sections[0], Section(title="S", blocks=(Block(kind="table", table=table),)))
    )
    assert (*row.heading, *row.cells) in lines_of(opened(xlsx.render(told))["Sources"])


def cells_of(book: Any, series: Any, name: str) -> list[Any]:
    """The cells that a native chart refers to, as they stand on their sheet."""
    sheet, _, place = series.find(f".//{C}{name}//{C}f").text.rpartition("!")
    cells = book[sheet.strip("'").replace("''", "'")][place.replace("$", "")]
    return [cell.value for (cell,) in cells]


def test_a_charts_sheet_says_the_finding_and_tells_it_to_those_who_do_not_see(
    english: Report, content: bytes, book: Any
) -> None:
    titles = {lines_of(sheet)[0][0]: lines_of(sheet)[2][0] for sheet in book.worksheets if sheet._charts}
    assert titles == {chart.title: chart.foot for chart in charts_of(english)}
    drawings = "".join(each.decode() for name, each in parts_of(content).items() if "drawings/drawing" in name)
    said = re.findall(r'descr="([^"]+)"', drawings)
    assert sorted(said) == sorted(chart.alt for chart in charts_of(english))


def test_no_cell_is_a_formula_or_a_link(english: Report) -> None:
    odd = Table(
        caption="=1+1", columns=("=A1", "+x"), n_headings=1, rows=(Row(heading=("=cmd|' /C calc'!A0",), cells=("@x",)),)
    )
    blocks = (
        Block(
            kind="text",
            sentences=(Sentence(text='=HYPERLINK("http://example.org")'), Sentence(text="http://example.org")),
        ),
        Block(kind="table", table=odd),
    )
    told = replace(english, title="=1+1", sections=(*english.sections, Section(title="-1", blocks=blocks)))
    content = xlsx.render(told)
    types = [cell.data_type for sheet in opened(content).worksheets for row in sheet.iter_rows() for cell in row]
    assert len(types) > 500
    assert set(types) == {"s", "n"}
    assert "=cmd|' /C calc'!A0" in {
        cell for sheet in opened(content).worksheets for line in lines_of(sheet) for cell in line
    }
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheets = [packed.read(name) for name in packed.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not [each for each in sheets if b"<f>" in each or b"hyperlink" in each]


def test_headers_stay_and_filter(book: Any) -> None:
    for sheet, cell, area in ((book.worksheets[0], "B6", "A5:C"), (book["Data appendix"], "B2", "A1:J")):
        assert sheet.freeze_panes == cell
        assert sheet.auto_filter.ref == f"{area}{sheet.max_row}"
        assert min(each.width for each in sheet.column_dimensions.values()) >= 10


@pytest.mark.parametrize(
    ("numbers", "is_share", "form"),
    [
        ([78.0, 74.0], False, "#,##0"),
        ([78.4, 74.0], False, "#,##0.0"),
        ([0.21, -0.02], False, "#,##0.00"),
        ([0.123456], False, "#,##0.00"),
        ([0.78, 0.7], True, "#,##0%"),
        ([0.785], True, "#,##0.0%"),
        ([172000.0], False, "#,##0"),
    ],
)
def test_numbers_are_shown_as_exact_as_they_are(numbers: list[float], is_share: bool, form: str) -> None:
    assert format_of(numbers, is_share=is_share) == form


def test_shares_are_written_as_percent(book: Any) -> None:
    cells = [row for row in book["Data appendix"].iter_rows(min_row=2) if row[7].value == "share"]
    assert cells
    assert all(0 <= row[3].value <= 1 and row[3].number_format.endswith("%") for row in cells if row[8].value)


def test_sheets_have_names_that_programs_take() -> None:
    names = Names()
    found = [names.free(each) for each in ("a/b:c", "'quoted'", "x" * 40, "X" * 40, "History", "", "one two " * 5)]
    assert found == [
        "a b c",
        "quoted",
        "x" * 30 + "…",
        "X" * 28 + "… 2",
        "History 2",
        "–",
        "one two one two one two one…",
    ]
    assert max(len(each) for each in found) <= 31


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_same_report_gives_the_same_bytes(made: Made, language: str) -> None:
    assert xlsx.render(report(made, language)) == xlsx.render(report(made, language))


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second = (elsewhere("xlsx", seed, zone, tmp_path) for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")))
    assert first == second


def test_nothing_in_the_file_is_of_the_day_or_the_machine(english: Report, content: bytes, book: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert {each.date_time for each in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert book.properties.created.date() == book.properties.modified.date() == english.closed_on
    assert book.properties.creator == "Rapport"
    assert english.release.encode() in content


def test_german_has_its_own_words(made: Made) -> None:
    german = opened(xlsx.render(report(made, "de")))
    assert german.sheetnames[:2] == ["Rapport", "Datenanhang"]
    assert lines_of(german["Datenanhang"])[0][:4] == ("Kennzahl", "Seite", "Runde", "Wert")
