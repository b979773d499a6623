"""Splits a report into slides that nothing overflows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

from dashboard.chart import Chart, Row, Table
from dashboard.reports.office_chart import pages_of
from dashboard.reports.office_letters import lines_of, width_of, words_of, wrapped
from dashboard.reports.report import Block, Report, Section

WIDTH, HEIGHT = 960.0, 540.0  # points
EDGE = 48.0
ROOM = WIDTH - 2 * EDGE
TOP, BOTTOM = 122.0, 490.0  # of a slide's body
FRONT_TOP = 224.0  # the same of page one, whose title is large
SIZES = (20, 18, 16, 14)  # of text, the largest that fits; what does not fit at the last goes on to another slide
BESIDE = 16  # of text on a table's slide
SMALL = 12  # no letter is smaller
LEADING = 1.2
GAP = 14.0  # between two boxes
CALLOUT_EDGE, INDENT = 14.0, 18.0
CELL_EDGE, CELL_TOP = 10.0, 2.6  # right of a cell's text; above it, and below
MOST_ABOVE = 2  # paragraphs that share the slide of the table after them
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """A sentence as a slide shows it; `kind` is bullet, plain, callout or term, `lead` stands before it in bold.

    Neighbours of the same `box` share one.
    """

    kind: str
    text: str
    claim: str = ""
    lead: str = ""
    box: int = 0


@dataclass(frozen=True, kw_only=True)
class Slide:
    """One slide: text, a chart, or a table with text above and below. `part` is (k, n) where it goes on."""

    section: str
    title: str
    above: tuple[Paragraph, ...] = ()
    size: int = SIZES[0]
    chart: Chart | None = None
    table: Table | None = None
    widths: tuple[float, ...] = ()
    heights: tuple[float, ...] = ()
    below: tuple[Paragraph, ...] = ()
    part: tuple[int, int] = (1, 1)


def slides_of(report: Report) -> list[Slide]:
    """The first is page one: its verdict and its callouts, as far as they fit. Then one thing a slide."""
    page_one, rest = _front(report.sections[0])
    found = [page_one, *_of_section(rest)]
    for section in report.sections[1:]:
        found += _of_section(section)
    return found


def _front(section: Section) -> tuple[Slide, Section]:
    """What fits the first slide, and the section without it."""
    called = [block for block in section.blocks if block.kind == "callout"]
    room = BOTTOM - FRONT_TOP
    size = next((each for each in SIZES if height_of(paragraphs_of(called), each) <= room), SIZES[-1])
    taken: list[Block] = []
    for block in called:
        if height_of(paragraphs_of([*taken, block]), size) <= room:
            taken.append(block)
    kept = tuple(block for block in section.blocks if all(block is not each for each in taken))
    slide = Slide(section="", title=section.title, above=paragraphs_of(taken), size=size)
    return slide, replace(section, blocks=kept)


def _of_section(section: Section) -> list[Slide]:
    """Texts between charts, tables and headings share a slide; a heading gives the next ones their title."""
    found: list[Slide] = []
    title, waiting = section.title, list[Block]()
    for block in [*section.blocks, None]:
        is_text = block is not None and block.chart is None and block.table is None and block.kind != "heading"
        if block is not None and is_text:
            waiting.append(block)
            continue
        above: tuple[Paragraph, ...] = ()
        if waiting:
            texts, waiting = paragraphs_of(waiting), []
            below = _with_below(found[-1], texts) if found and found[-1].title != title else None
            if below is not None:
                found[-1] = below
            elif block is not None and block.table is not None and _is_above(block.table, texts):
                above = texts
            else:
                found += _of_text(section.title, title, texts)
        if block is not None:
            title = block.title if block.kind == "heading" else title
            found += _of_chart(section.title, block.chart) if block.chart is not None else []
            found += _of_table(section.title, block.table, title, above) if block.table is not None else []
    return found


# --- text -----------------------------------------------------------------------------------------


def paragraphs_of(blocks: Sequence[Block]) -> tuple[Paragraph, ...]:
    """Every callout in a box of its own, all else together."""
    found = []
    for box, block in enumerate(blocks, start=1):
        kind = {"list": "bullet", "callout": "callout"}.get(block.kind, "plain")
        place = box if kind == "callout" else 0
        for at, each in enumerate(block.sentences):
            lead = block.title if at == 0 else ""
            found.append(Paragraph(kind=kind, text=each.text, claim=each.claim, lead=lead, box=place))
        found += [
            Paragraph(kind="term", text=f"{meaning} `{formula}`", lead=name) for name, meaning, formula in block.terms
        ]
    return tuple(found)


def _of_text(section: str, title: str, paragraphs: Sequence[Paragraph]) -> list[Slide]:
    room = BOTTOM - TOP
    if paragraphs[0].kind == "callout" and paragraphs[0].lead:
        title, paragraphs = paragraphs[0].lead, [replace(paragraphs[0], lead=""), *paragraphs[1:]]
    size = next((each for each in SIZES if height_of(paragraphs, each) <= room), SIZES[-1])
    pieces = [piece for each in paragraphs for piece in _pieces(each, size, room)]

    def pages(height: float) -> list[list[Paragraph]]:
        return _packed(pieces, lambda page: height_of(page, size) <= height)

    found = _balanced(pages, room)
    return [
        Slide(section=section, title=title, above=tuple(page), size=size, part=(at, len(found)))
        for at, page in enumerate(found, start=1)
    ]


def _packed(things: Sequence[T], fits: Callable[[list[T]], bool]) -> list[list[T]]:
    """In order, as many together as fit."""
    pages: list[list[T]] = [[]]
    for each in things:
        if pages[-1] and not fits([*pages[-1], each]):
            pages.append([])
        pages[-1].append(each)
    return pages


def _balanced(pages: Callable[[float], list[list[T]]], room: float) -> list[list[T]]:
    """As few pages as the room allows, and none of them nearly empty."""
    found = pages(room)
    while len(found) > 1 and room > 4 * SIZES[0] and len(closer := pages(room - SMALL)) == len(found):
        found, room = closer, room - SMALL
    return found


def _pieces(paragraph: Paragraph, size: int, room: float) -> list[Paragraph]:
    """A paragraph that no slide holds, as several."""
    if height_of([paragraph], size) <= room:
        return [paragraph]
    most = int(room / (size * LEADING)) - 4
    lines = list(wrapped(paragraph.text, size, _width(paragraph.kind)))
    texts = ["".join(lines[at : at + most]).strip() for at in range(0, len(lines), most)]
    whole = [replace(paragraph, text=text, lead="", claim="") for text in texts]
    return [replace(whole[0], lead=paragraph.lead), *whole[1:-1], replace(whole[-1], claim=paragraph.claim)]


def boxes_of(paragraphs: Sequence[Paragraph]) -> Iterator[list[Paragraph]]:
    for _, group in groupby(paragraphs, key=lambda each: each.box):
        yield list(group)


def height_of(paragraphs: Sequence[Paragraph], size: float) -> float:
    """How high they are set at a size, in points."""
    heights = [box_height(box, size) for box in boxes_of(paragraphs)]
    return sum(heights) + GAP * max(len(heights) - 1, 0)


def box_height(box: Sequence[Paragraph], size: float) -> float:
    said = sum(_lines(each, size) * size * LEADING + space_after(size) for each in box)
    return said + (2 * CALLOUT_EDGE if box[0].kind == "callout" else 0.0)


def space_after(size: float) -> float:
    return size * 0.45


def _lines(paragraph: Paragraph, size: float) -> int:
    width = _width(paragraph.kind)
    lead = lines_of(paragraph.lead, size, width, is_bold=True) if paragraph.lead else 0
    claim = f" [{paragraph.claim} {paragraph.claim}]" if paragraph.claim else ""  # small, in any language
    return lead + lines_of(paragraph.text + claim, size, width)


def _width(kind: str) -> float:
    return ROOM - {"bullet": INDENT, "callout": 2 * CALLOUT_EDGE}.get(kind, 0.0)


# --- charts and tables ----------------------------------------------------------------------------


def _of_chart(section: str, chart: Chart) -> list[Slide]:
    pages = pages_of(chart)
    return [
        Slide(section=section, title=chart.title, chart=each, part=(at, len(pages)))
        for at, each in enumerate(pages, start=1)
    ]


def _of_table(section: str, table: Table, title: str, above: tuple[Paragraph, ...]) -> list[Slide]:
    """Its rows over as many slides as they need, the header on each."""
    widths = _widths(table)
    head = _row_height(table.columns, widths, is_bold=True)
    room = BOTTOM - TOP - (height_of(above, BESIDE) + GAP if above else 0.0)
    rows = [(row, _height_of_row(row, widths)) for row in table.rows]

    def pages(height: float) -> list[list[tuple[Row, float]]]:
        return _packed(rows, lambda page: head + sum(each for _, each in page) <= height)

    found = _balanced(pages, room)
    return [
        Slide(
            section=section,
            title=table.caption or title,
            above=above,
            size=BESIDE,
            table=replace(table, rows=tuple(row for row, _ in page)),
            widths=widths,
            heights=(head, *(height for _, height in page)),
            part=(at, len(found)),
        )
        for at, page in enumerate(found, start=1)
    ]


def _is_above(table: Table, texts: Sequence[Paragraph]) -> bool:
    """Whether a short text and all of the table after it go on one slide."""
    return len(texts) <= MOST_ABOVE and len(_of_table("", table, "", tuple(texts))) == 1


def _with_below(slide: Slide, texts: tuple[Paragraph, ...]) -> Slide | None:
    """A table's slide with the text after it, where there is room."""
    if slide.table is None or slide.part[0] != slide.part[1]:
        return None
    height = sum(slide.heights) + GAP + height_of(texts, SIZES[-1])
    height += height_of(slide.above, BESIDE) + GAP if slide.above else 0.0
    return replace(slide, below=texts) if height <= BOTTOM - TOP else None


def _widths(table: Table) -> tuple[float, ...]:
    """A column is as wide as its longest cell where all fit; else each has its longest word, and shares the rest."""
    cells = [[*row.heading, *row.cells] for row in table.rows]
    whole, least = [], []
    for at, name in enumerate(table.columns):
        texts = [row[at] for row in cells if at < len(row)]
        words = [word for text in texts for word in words_of(text)]
        head = [width_of(word, SMALL, is_bold=True) for word in words_of(name)]
        least.append(max([*(width_of(each, SMALL) for each in words), *head], default=0.0) + CELL_EDGE + 2)
        whole.append(
            max([width_of(name, SMALL, is_bold=True), *(width_of(each, SMALL) for each in texts)]) + CELL_EDGE + 2
        )
    if sum(whole) <= ROOM:
        spare = min(ROOM - sum(whole), 240.0) / len(whole)
        return tuple(each + spare for each in whole)
    spare = ROOM - sum(least)
    if spare <= 0:
        return tuple(each * ROOM / sum(least) for each in least)
    wish = sum(whole) - sum(least)
    return tuple(low + spare * (high - low) / wish for low, high in zip(least, whole, strict=True))


def _height_of_row(row: Row, widths: Sequence[float]) -> float:
    if not row.sentence:
        return _row_height((*row.heading, *row.cells), widths)
    rest = sum(widths[len(row.heading) :])
    return max(_row_height(row.heading, widths), _row_height([row.sentence], [rest]))


def _row_height(cells: Sequence[str], widths: Sequence[float], *, is_bold: bool = False) -> float:
    lines = [
        lines_of(cell, SMALL, width - CELL_EDGE, is_bold=is_bold) for cell, width in zip(cells, widths, strict=False)
    ]
    return max(lines) * SMALL * LEADING + 2 * CELL_TOP
