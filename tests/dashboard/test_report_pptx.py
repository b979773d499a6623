"""The slides: native charts and tables with the report's own numbers, nothing that overflows, the same bytes."""

import io
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from pptx.util import Pt

from dashboard.chart import Chart, Mark, Row, Series, Table
from dashboard.findings import numbers_of
from dashboard.reports import pptx
from dashboard.reports.office_chart import MOST_ROWS, grid_of, pages_of
from dashboard.reports.office_letters import lines_of, width_of, wrapped
from dashboard.reports.office_zip import parts_of, steady
from dashboard.reports.report import Block, Report, Section, Sentence, report_of
from dashboard.reports.slide_plan import BOTTOM, TOP, box_height, boxes_of, height_of, slides_of
from dashboard.theme import SERIES
from dashboard.words import Words
from tests.dashboard.conftest import Made, report_of_made

CHARTS = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
DRAWINGS = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
NUMBERS = ("61.37", "61.4", "58.41", "58.4", "64.43", "64.4")  # as released, and as they are rounded


def report(made: Made, language: str = "en") -> Report:
    return report_of_made(made, language, organisation="=1+1 <Ltd> & Söhne")


@pytest.fixture(scope="module")
def english(made: Made) -> Report:
    return report(made)


@pytest.fixture(scope="module")
def content(english: Report) -> bytes:
    return pptx.render(english)


@pytest.fixture(scope="module")
def deck(content: bytes) -> Any:
    return Presentation(io.BytesIO(content))


def frames(deck: Any, kind: str) -> list[tuple[Any, Any]]:
    """Slides with their charts or tables."""
    has = {"chart": "has_chart", "table": "has_table"}[kind]
    return [(slide, shape) for slide in deck.slides for shape in slide.shapes if getattr(shape, has, False)]


def charts_of(report: Report) -> list[Chart]:
    return [block.chart for section in report.sections for block in section.blocks if block.chart is not None]


def text_of(slide: Any) -> str:
    texts = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
    texts += [cell.text for shape in slide.shapes if shape.has_table for row in shape.table.rows for cell in row.cells]
    return "\n".join(texts)


def cached(element: Any, name: str) -> list[float]:
    """The numbers that a chart keeps of its workbook's cells, by name of the element that refers to them."""
    (values,) = element.iter(f"{CHARTS}{name}")
    return [float(point.findtext(f"{CHARTS}v")) for point in values.iter(f"{CHARTS}pt")]


def lopsided(form: str) -> Chart:
    """Intervals that reach farther down than up."""
    series = tuple(
        Series(side=side, label=side, marks=tuple(
            Mark(at=at, value=value, low=value - 7, high=value + 2, name=f"row {at}", told="") for at in range(3)
        ))
        for side, value in (("mentor", 60.0), ("mentee", 70.0))
    )  # fmt: skip
    return Chart(
        id=form, form=form, title=form, subtitle="S", foot="F", alt=f"A {form}", series=series,
        ticks=("row 0", "row 1", "row 2"), axis=((50.0, "50"), (75.0, "75"), (100.0, "100")),
    )  # fmt: skip


def with_charts(report: Report, *charts: Chart) -> Report:
    blocks = tuple(Block(kind="chart", chart=each) for each in charts)
    return replace(report, sections=(replace(report.sections[0], blocks=()), Section(title="Charts", blocks=blocks)))


def test_an_interval_is_drawn_as_far_down_and_up_as_it_reaches(english: Report) -> None:
    told = with_charts(english, lopsided("trend"), lopsided("ranges"))
    for _, frame in frames(Presentation(io.BytesIO(pptx.render(told))), "chart"):
        assert {(low, value, high) for _, value, low, high in drawn(frame)} == {(53, 60, 62), (63, 70, 72)}


def drawn(frame: Any) -> set[tuple[str, float, float, float]]:
    """Colour, value, low and high of every mark of a native chart."""
    found = set()
    series = [each._element for each in frame.chart.plots[0].series]
    for each in series:
        symbol = each.find(f"{CHARTS}marker/{CHARTS}symbol")
        if symbol is None or symbol.get("val") == "none":
            continue
        colour = each.find(f"{CHARTS}marker//{DRAWINGS}srgbClr").get("val")
        if each.find(f"{CHARTS}errBars") is not None:
            values, minus, plus = (cached(each, name) for name in ("val", "minus", "plus"))
            found |= {
                (colour, v, round(v - d, 6), round(v + u, 6)) for v, d, u in zip(values, minus, plus, strict=True)
            }
        else:
            ends = next(cached(line, "xVal") for line in series if is_interval_of(line, colour))
            lows, highs = ends[::2], ends[1::2]
            found |= {(colour, *each) for each in zip(cached(each, "xVal"), lows, highs, strict=True)}
    return found


def is_interval_of(series: Any, colour: str) -> bool:
    line = series.find(f"{CHARTS}spPr/{DRAWINGS}ln")
    code = line.find(f".//{DRAWINGS}srgbClr")
    width = int(line.get("w", "0"))
    return code is not None and code.get("val") == colour and width > Pt(1)


def test_every_chart_is_native_with_the_reports_numbers(english: Report, deck: Any) -> None:
    found, charts = frames(deck, "chart"), charts_of(english)
    assert len(found) == len(charts) == 6
    for (slide, frame), chart in zip(found, charts, strict=True):
        assert frame.shape_type == MSO_SHAPE_TYPE.CHART
        said = {
            (SERIES[series.side].light[1:], mark.value, mark.low, mark.high)
            for series in chart.series
            for mark in series.marks
        }
        assert drawn(frame) == said
        assert slide.shapes.title.text_frame.text == chart.title
        assert chart.subtitle in text_of(slide)
        assert chart.foot in text_of(slide)
        assert frame._element.nvGraphicFramePr.cNvPr.get("descr") == chart.alt


def test_no_chart_is_a_picture(deck: Any) -> None:
    assert [shape.name for slide in deck.slides for shape in slide.shapes if shape.shape_type == 13] == []


def test_the_workbook_behind_a_chart_holds_what_the_chart_refers_to(english: Report, deck: Any) -> None:
    for (_, frame), chart in zip(frames(deck, "chart"), charts_of(english), strict=True):
        sheet = openpyxl.load_workbook(io.BytesIO(frame.chart.part.chart_workbook.xlsx_part.blob))["Data"]
        for reference in frame.chart._chartSpace.iter(f"{CHARTS}numRef"):
            place = reference.findtext(f"{CHARTS}f").removeprefix("Data!").replace("$", "")
            cells = [cell.value for (cell,) in sheet[place]]
            points = {
                int(each.get("idx")): float(each.findtext(f"{CHARTS}v")) for each in reference.iter(f"{CHARTS}pt")
            }
            assert {at: value for at, value in enumerate(cells) if value is not None} == points
        assert [row[0].value for row in sheet.iter_rows(min_row=2)][: len(chart.ticks)] == list(chart.ticks)
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def test_the_notes_carry_each_number_with_interval_n_claim_and_release(english: Report, deck: Any) -> None:
    words = Words("en")
    for (slide, _), chart in zip(frames(deck, "chart"), charts_of(english), strict=True):
        notes = slide.notes_slide.notes_text_frame.text.splitlines()
        for series in chart.series:
            for mark in series.marks:
                assert mark.n is not None
                n = words("card_n", n=words.at_least(mark.n))
                assert f"{mark.name} | {series.label} | {mark.told} | {n} | describes" in notes
        assert english.release in "\n".join(notes)


def test_every_sentence_and_every_cell_is_on_a_slide(english: Report, deck: Any) -> None:
    said = squeezed("\n".join(text_of(slide) for slide in deck.slides))
    n_rows = 0
    for section in english.sections:
        for block in section.blocks:
            for sentence in block.sentences:
                assert squeezed(sentence.text) in said, sentence.text
            for term in block.terms:
                assert all(squeezed(each) in said for each in term)
            for row in block.table.rows if block.table is not None else ():
                n_rows += 1
                assert squeezed("".join((*row.heading, *row.cells, row.sentence))) in said
    assert n_rows > 100


def squeezed(text: str) -> str:
    return re.sub(r"[\s`]+", "", text)


def test_a_claim_stands_beside_its_sentence(english: Report, deck: Any) -> None:
    claimed = [
        each for section in english.sections for block in section.blocks for each in block.sentences if each.claim
    ]
    said = "\n".join(text_of(slide) for slide in deck.slides)
    assert len(claimed) > 8
    for each in claimed:
        assert f"{each.text} [describes]" in said


def test_page_one_is_the_verdict_and_what_to_decide(english: Report, deck: Any) -> None:
    words, first = Words("en"), deck.slides[0]
    assert first.shapes.title.text_frame.text == english.sections[0].title
    for said in (english.title, english.subject, english.about, words("report_decide"), words("report_decide_text")):
        assert said in text_of(first)


def test_titles_are_the_slides_own(deck: Any) -> None:
    titles = [slide.shapes.title.text_frame.text for slide in deck.slides]
    assert "" not in titles
    assert [each for at, each in enumerate(titles) if each in titles[:at]] == []


def test_every_slide_has_its_number_and_notes(deck: Any) -> None:
    for slide in deck.slides:
        assert len(list(slide._element.iter(f"{DRAWINGS}fld"))) == 1
        assert slide.notes_slide.notes_text_frame.text


@pytest.mark.parametrize(("language", "code"), [("en", "en-GB"), ("de", "de-DE")])
def test_every_text_names_its_language(made: Made, language: str, code: str) -> None:
    slides = Presentation(io.BytesIO(pptx.render(report(made, language)))).slides
    runs = [run for slide in slides for run in slide._element.iter(f"{DRAWINGS}rPr") if run.get("lang")]
    assert len(runs) > 500
    assert {run.get("lang") for run in runs} == {code}


def test_no_letter_is_smaller_than_twelve_points(deck: Any) -> None:
    sizes = [
        int(each.get("sz")) for slide in deck.slides for each in slide._element.iter() if each.get("sz", "x").isdigit()
    ]
    sizes += [
        int(each.get("sz"))
        for _, frame in frames(deck, "chart")
        for each in frame.chart._chartSpace.iter(f"{DRAWINGS}rPr", f"{DRAWINGS}defRPr")
    ]
    assert len(sizes) > 500
    assert min(sizes) == 1200


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_slide_overflows(made: Made, language: str) -> None:
    for slide in slides_of(report(made, language))[1:]:
        boxes = [box_height(box, slide.size) for box in boxes_of(slide.above)]
        assert TOP + sum(boxes) + 14 * len(boxes[1:]) + sum(slide.heights) <= BOTTOM + 0.1, slide.title


def test_shapes_stay_on_the_slide_and_off_one_another(deck: Any) -> None:
    for slide in deck.slides:
        boxes = []
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= deck.slide_width
            assert shape.top + shape.height <= deck.slide_height
            if shape.width > Pt(100) and not (shape.has_text_frame and shape == slide.shapes.title):
                boxes.append((shape.top, shape.top + shape.height))
        boxes.sort()
        for (_, end), (start, _) in zip(boxes, boxes[1:], strict=False):
            assert end <= start + Pt(1)


def test_a_text_of_any_length_is_split_over_slides(english: Report) -> None:
    words = [f"word{at}" for at in range(4000)]
    long = Block(kind="text", sentences=(Sentence(text=" ".join(words), claim="describes"),))
    table = Table(
        caption="Long",
        columns=("A", "B"),
        n_headings=1,
        rows=tuple(Row(heading=(f"row{at}",), cells=("long cell " * 30,)) for at in range(60)),
    )
    section = Section(title="Long", blocks=(long, Block(kind="table", table=table)))
    told = replace(english, sections=(english.sections[0], section))
    slides = [each for each in slides_of(told) if each.section == "Long"]
    said = " ".join(paragraph.text for each in slides for paragraph in each.above)
    assert said.split() == words
    assert [row.heading[0] for each in slides if each.table for row in each.table.rows] == [
        f"row{at}" for at in range(60)
    ]
    assert all(height_of(each.above, each.size) + sum(each.heights) <= BOTTOM - TOP for each in slides)
    assert sum(bool(paragraph.claim) for each in slides for paragraph in each.above) == 1
    assert len(Presentation(io.BytesIO(pptx.render(told))).slides) == len(slides_of(told))


@pytest.mark.parametrize(("n_rows", "n_slides"), [(3, 1), (17, 2)])
def test_a_text_after_a_table_shares_its_slide_where_there_is_room(english: Report, n_rows: int, n_slides: int) -> None:
    rows = tuple(Row(heading=(f"row{at}",), cells=("1",)) for at in range(n_rows))
    table = Block(kind="table", table=Table(caption="Short", columns=("A", "B"), n_headings=1, rows=rows))
    note = Block(kind="text", sentences=(Sentence(text="A note. " * 40),))
    told = replace(english, sections=(english.sections[0], Section(title="Notes", blocks=(table, note))))
    slides = [each for each in slides_of(told) if each.section == "Notes"]
    assert len(slides) == n_slides
    assert sum(1 for each in slides if each.above or each.below) == 1
    assert all(sum(each.heights) + height_of(each.below, 14) <= BOTTOM - TOP for each in slides)


@pytest.mark.parametrize("is_bold", [False, True])
def test_letters_are_measured_as_wide_as_a_font_of_the_same_widths(is_bold: bool) -> None:
    """matplotlib lays text out by its own font, wider than Arial; ours must lie between it and three quarters of it."""
    text = "Trust is clearly higher than in round 1, and 78% of the people asked took part."
    font = FontProperties(family="DejaVu Sans", weight="bold" if is_bold else "normal")
    wide = TextPath((0, 0), text, size=100, prop=font).get_extents().width
    assert 0.75 * wide < width_of(text, 100, is_bold=is_bold) < wide


def test_lines_are_counted_at_words_and_long_words_break() -> None:
    assert lines_of("", 12, 100) == 1
    assert lines_of("one\ntwo", 12, 100) == 2
    assert list(wrapped("aaa bbb", 10, width_of("aaa", 10) + 1)) == ["aaa ", "bbb"]
    assert list(wrapped("aaa\u00a0bbb", 10, width_of("aaa\u00a0bbb", 10))) == ["aaa\u00a0bbb"]
    assert "".join(wrapped("m" * 5000, 12, 300)) == "m" * 5000
    assert max(width_of(line, 12) for line in wrapped("m" * 5000, 12, 300)) <= 300
    assert list(wrapped("mm", 12, 1)) == ["m", "m"]


def test_a_chart_with_many_rows_goes_on_to_another_slide() -> None:
    marks = [Mark(at=at, value=50 + at, low=40 + at, high=60 + at, name=f"row {at}", told="") for at in range(20)]
    series = (Series(side="mentor", label="Mentors", marks=tuple(marks), reference=55.0),)
    whole = Chart(
        id="many", form="ranges", title="T", subtitle="S", foot="F", alt="A", series=series,
        ticks=tuple(f"row {at}" for at in range(20)), axis=((0.0, "0"), (50.0, "50"), (100.0, "100")),
    )  # fmt: skip
    pages = pages_of(whole)
    assert [each.ticks for each in pages] == [whole.ticks[:10], whole.ticks[10:]]
    assert [mark.name for each in pages for mark in each.series[0].marks] == list(whole.ticks)
    assert [mark.at for mark in pages[1].series[0].marks] == list(range(10))
    assert pages_of(replace(whole, ticks=whole.ticks[:MOST_ROWS])) == [replace(whole, ticks=whole.ticks[:MOST_ROWS])]
    grid = grid_of(pages[1], Words("en"), has_segments=True)
    (only,) = grid.drawn
    assert only.segments is not None
    ends = grid.columns[only.segments[0]][1]
    assert ends[:4] == (50, 70, None, 51)


def test_a_line_has_a_gap_where_a_round_did_not_ask() -> None:
    marks = tuple(Mark(at=at, value=0.5, low=0.4, high=0.6, name="", told="") for at in (0, 2))
    chart = Chart(
        id="gap", form="trend", title="T", subtitle="S", foot="F", alt="A", ticks=("1", "2", "3"),
        axis=((0.4, "40%"), (0.6, "60%")), series=(Series(side="mentee", label="Mentees", marks=marks),),
    )  # fmt: skip
    grid = grid_of(chart, Words("en"))
    assert grid.columns[grid.drawn[0].value][1] == (0.5, None, 0.5)
    assert grid.number_format == "#,##0%"


# --- the file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_same_report_gives_the_same_bytes(made: Made, language: str) -> None:
    assert pptx.render(report(made, language)) == pptx.render(report(made, language))


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    """Two processes with other hashes, in other time zones, some seconds apart: a clock in the file would show."""
    first, second = (elsewhere("pptx", seed, zone, tmp_path) for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")))
    assert first == second


def elsewhere(kind: str, seed: str, zone: str, folder: Path) -> bytes:
    out = folder / f"{seed}.{kind}"
    there = {"PYTHONHASHSEED": seed, "TZ": zone, "OPENBLAS_NUM_THREADS": "1", "PATH": ""}
    subprocess.run([sys.executable, "-m", "tests.dashboard.office_elsewhere", kind, str(out)], check=True, env=there)
    return out.read_bytes()


def test_nothing_in_the_file_is_of_the_day_or_the_machine(english: Report, content: bytes, deck: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert {each.date_time for each in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = packed.namelist()
    assert names == sorted(names, key=lambda each: (each != "[Content_Types].xml", each))
    assert not [each for each in names if "thumbnail" in each or "printer" in each]
    closed = english.closed_on
    for when in (deck.core_properties.created, deck.core_properties.modified):
        assert when.date() == closed
    assert deck.core_properties.author == deck.core_properties.last_modified_by == "Rapport"
    assert deck.core_properties.language == "en"
    assert english.release.encode() in content  # plain, for whoever compares the file


def test_steady_packs_the_same_parts_alike_whatever_the_order() -> None:
    def packed(names: list[str], level: int) -> bytes:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
            for name in names:
                file.writestr(
                    zipfile.ZipInfo(name, (1999, 1, level, 0, 0, 0)), name * 1000, zipfile.ZIP_DEFLATED, level
                )
        return made.getvalue()

    one, other = packed(["b", "[Content_Types].xml", "a"], 1), packed(["a", "b", "[Content_Types].xml"], 9)
    assert one != other
    assert steady(one) == steady(other)
    assert parts_of(steady(one)) == {name: (name * 1000).encode() for name in ("[Content_Types].xml", "a", "b")}


def test_no_withheld_number_is_in_the_file(made: Made) -> None:
    """What is withheld reads as its sentence, in a deck whose release hides a number that no other number has."""
    programme = next(each for each in made.published.programmes() if each.id == "mentoring")
    rows = made.published.numbers("mentoring").copy()
    is_trust = (rows["metric"] == "trust") & (rows["side"] == "mentor") & (rows["view"] == "all")
    rows.loc[is_trust, ["value", "low", "high"]] = [61.37, 58.41, 64.43]
    shown = text_of_all(pptx.render(told_by(made, programme, rows)))
    assert [each for each in NUMBERS if each in shown] == list(NUMBERS)
    rows.loc[is_trust, ["value", "low", "high", "n"]] = [None, None, None, None]
    rows.loc[is_trust, "shown"] = False
    hidden = text_of_all(pptx.render(told_by(made, programme, rows)))
    assert hidden.count(f"<a:t>{Words('en')('withheld')}</a:t>") >= 6
    assert [each for each in NUMBERS if each in hidden] == []


def told_by(made: Made, programme: Any, rows: Any) -> Report:
    numbers = numbers_of(programme, made.published.releases("mentoring"), rows)
    return report_of(numbers, organisation="E", language="en")


def text_of_all(content: bytes) -> str:
    """Every part of the file and of the workbooks in it, as text."""
    parts = dict(parts_of(content))
    for name in [name for name in parts if name.endswith(".xlsx")]:
        parts.update({f"{name}/{inner}": each for inner, each in parts_of(parts[name]).items()})
    return "\n".join(each.decode("utf-8", "replace") for each in parts.values())


def test_signs_that_xml_cannot_hold_do_not_stop_a_report(english: Report) -> None:
    odd = replace(english, about="a\x00b\x0bc & <d>", title="\ud800x")
    slides = Presentation(io.BytesIO(pptx.render(odd))).slides
    assert "abc & <d>" in text_of(slides[1])
