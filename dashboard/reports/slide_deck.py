"""Holds the look of the slides: an empty deck of our own, and texts and tables set on a slide of it."""

import re
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.util import Pt

from dashboard.chart import Row, Table
from dashboard.reports.office_zip import clean
from dashboard.reports.slide_plan import (
    CALLOUT_EDGE,
    CELL_EDGE,
    CELL_TOP,
    EDGE,
    HEIGHT,
    INDENT,
    ROOM,
    SMALL,
    WIDTH,
    Paragraph,
    space_after,
)
from dashboard.theme import INK, LINE, SERIES, SOFT
from dashboard.words import Words

FONT, CODE_FONT = "Arial", "Courier New"  # every office program has them, or fonts of the same widths
TITLE_ONLY = 5  # its place among the layouts that python-pptx brings
WASH = "#f4f6f4"
DRAWING = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # "No Style, No Grid"
LANGUAGES = {"en": "en-GB", "de": "de-DE"}
COLOURS = {"dk1": INK, "dk2": SOFT, "lt2": WASH, "accent3": SERIES["both"].light, "accent4": SOFT, "accent5": LINE}
COLOURS |= {"accent1": SERIES["mentor"].light, "accent2": SERIES["mentee"].light, "accent6": INK}
COLOURS |= {"hlink": SERIES["mentor"].light, "folHlink": SOFT}


def colour(code: str) -> RGBColor:
    return RGBColor.from_string(code[1:].upper())


# --- the empty deck -------------------------------------------------------------------------------


def empty_deck() -> Any:
    """Sixteen to nine, one layout, our colours and fonts in its theme."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Pt(WIDTH), Pt(HEIGHT)
    for at, layout in reversed(list(enumerate(deck.slide_layouts))):
        if at != TITLE_ONLY:
            deck.slide_layouts.remove(layout)
    for shapes in (deck.slide_master.placeholders, deck.slide_layouts[0].placeholders):
        for shape in list(shapes):
            _place(shape)
    master = deck.slide_master
    for kind in ("titleStyle", "bodyStyle"):
        for each in master.element.findall(f".//{{*}}{kind}//{{*}}lvl1pPr"):
            each.set("algn", "l")
    _retheme(master)
    _drop(deck.part.package, RELATIONSHIP_TYPE.THUMBNAIL)
    _drop(deck.part, RELATIONSHIP_TYPE.PRINTER_SETTINGS)
    return deck


def _place(shape: Any) -> None:
    """Title above, number below; the rest of the placeholders is not used."""
    boxes = {
        "TITLE": (EDGE, 44, ROOM, 68),
        "SLIDE_NUMBER": (WIDTH - EDGE - 60, 504, 60, 20),
        "BODY": (EDGE, 124, ROOM, 364),
    }
    kind = shape.placeholder_format.type.name
    if kind not in boxes:
        shape.element.getparent().remove(shape.element)
        return
    shape.left, shape.top, shape.width, shape.height = (Pt(each) for each in boxes[kind])
    if kind == "TITLE":
        shape.text_frame.vertical_anchor = MSO_ANCHOR.TOP


def _retheme(master: Any) -> None:
    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme = part.blob.decode("utf-8")
    for name, code in COLOURS.items():
        theme = re.sub(rf"(<a:{name}>).*?(</a:{name}>)", rf'\1<a:srgbClr val="{code[1:]}"/>\2', theme, flags=re.DOTALL)
    theme = re.sub(r'<a:latin typeface="[^"]+"', f'<a:latin typeface="{FONT}"', theme)
    theme = re.sub(r'(<a:theme [^>]*?name=|<a:clrScheme name=|<a:fontScheme name=)"[^"]*"', r'\1"Rapport"', theme)
    part.blob = theme.encode("utf-8")


def _drop(holder: Any, kind: str) -> None:
    """A thumbnail of another deck, and the settings of somebody's printer, are no part of ours."""
    relations = holder._rels
    for name in [name for name, each in relations.items() if each.reltype == kind]:
        relations.pop(name)


# --- on a slide -----------------------------------------------------------------------------------


def set_title(slide: Any, text: str, words: Words, *, size: float) -> None:
    frame = slide.shapes.title.text_frame
    frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
    _no_edges(frame)
    write(frame.paragraphs[0], text, words, size=size, bold=True)


def set_number(slide: Any, layout: Any) -> None:
    """The slide's number as a field, in the layout's place."""
    given = next(each for each in layout.placeholders if each.placeholder_format.type.name == "SLIDE_NUMBER")
    box = slide.shapes.add_textbox(given.left, given.top, given.width, given.height)
    box.name = "Slide number"
    box.element.nvSpPr.nvPr.append(
        parse_xml(f'<p:ph xmlns:p="{box.element.nsmap["p"]}" type="sldNum" sz="quarter" idx="12"/>')
    )
    _no_edges(box.text_frame)
    paragraph = box.text_frame.paragraphs[0]._p
    number = f'<a:fld {DRAWING} id="{{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}}" type="slidenum"><a:rPr sz="1200">'
    number += f'<a:solidFill><a:srgbClr val="{SOFT[1:]}"/></a:solidFill></a:rPr><a:t>‹#›</a:t></a:fld>'
    paragraph.append(parse_xml(f'<a:pPr {DRAWING} algn="r"/>'))
    paragraph.append(parse_xml(number))


def add_line(
    slide: Any, text: str, words: Words, *, top: float, height: float, size: float = SMALL, ink: str = SOFT
) -> None:
    """One text across the slide."""
    frame = _box(slide, EDGE, top, ROOM, height)
    write(frame.paragraphs[0], text, words, size=size, ink=ink)


def add_group(slide: Any, group: Sequence[Paragraph], words: Words, *, size: float, top: float, height: float) -> None:
    """Paragraphs that share a box: a callout stands on a wash behind a bar."""
    is_callout = group[0].kind == "callout"
    frame = _box(slide, EDGE, top, ROOM, height, fill=WASH if is_callout else "")
    if is_callout:
        frame.margin_left = frame.margin_right = Pt(CALLOUT_EDGE)
        frame.margin_top = Pt(CALLOUT_EDGE)
        bar = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, Pt(EDGE), Pt(top), Pt(4), Pt(height))
        bar.fill.solid()
        bar.fill.fore_color.rgb = colour(SERIES["mentor"].light)
        bar.line.fill.background()
    first = True
    for each in group:
        if each.lead:
            _lead(_next(frame, first), each, words, size)
            first = False
        _said(_next(frame, first), each, words, size)
        first = False


def _lead(paragraph: Any, each: Paragraph, words: Words, size: float) -> None:
    write(paragraph, each.lead, words, size=size, bold=True)


def _said(paragraph: Any, each: Paragraph, words: Words, size: float) -> None:
    paragraph.space_after = Pt(space_after(size))
    if each.kind == "bullet":
        _bullet(paragraph)
    for at, piece in enumerate(each.text.split("`")):
        if piece:
            write(
                paragraph,
                piece,
                words,
                size=size if at % 2 == 0 else max(SMALL, size - 2),
                font=CODE_FONT if at % 2 else FONT,
            )
    if each.claim:
        write(paragraph, f" [{words(f'claim_{each.claim}')}]", words, size=SMALL, ink=SOFT)


def _bullet(paragraph: Any) -> None:
    settings = paragraph._p.get_or_add_pPr()
    settings.set("marL", str(Pt(INDENT)))
    settings.set("indent", str(-Pt(INDENT)))
    settings.append(parse_xml(f'<a:buClr {DRAWING}><a:srgbClr val="{SOFT[1:]}"/></a:buClr>'))
    settings.append(parse_xml(f'<a:buFont {DRAWING} typeface="{FONT}"/>'))
    settings.append(parse_xml(f'<a:buChar {DRAWING} char="•"/>'))


def write(
    paragraph: Any, text: str, words: Words, *, size: float, ink: str = INK, bold: bool = False, font: str = FONT
) -> None:
    """One run, in the reader's language: a program then hyphenates, spells and reads it aloud right."""
    said = escape(" ".join(clean(text).splitlines()))
    fill = f'<a:solidFill><a:srgbClr val="{ink[1:]}"/></a:solidFill><a:latin typeface="{font}"/>'
    look = f'<a:rPr lang="{LANGUAGES[words.language]}" sz="{round(size * 100)}" b="{int(bold)}">{fill}</a:rPr>'
    paragraph._p.append(parse_xml(f"<a:r {DRAWING}>{look}<a:t>{said}</a:t></a:r>"))


def _next(frame: Any, first: bool) -> Any:
    return frame.paragraphs[0] if first else frame.add_paragraph()


def _box(slide: Any, left: float, top: float, width: float, height: float, fill: str = "") -> Any:
    box = slide.shapes.add_textbox(Pt(left), Pt(top), Pt(width), Pt(height))
    if fill:
        box.fill.solid()
        box.fill.fore_color.rgb = colour(fill)
    box.text_frame.word_wrap, box.text_frame.auto_size = True, MSO_AUTO_SIZE.NONE
    _no_edges(box.text_frame)
    return box.text_frame


def _no_edges(frame: Any) -> None:
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0


# --- tables ---------------------------------------------------------------------------------------


def add_table(
    slide: Any, table: Table, words: Words, *, top: float, widths: Sequence[float], heights: Sequence[float]
) -> None:
    """A native table with a header row; a sentence takes the place of a row's cells."""
    box = (Pt(EDGE), Pt(top), Pt(sum(widths)), Pt(sum(heights)))
    frame = slide.shapes.add_table(len(table.rows) + 1, len(table.columns), *box)
    frame.name = "Table"
    frame._element.nvGraphicFramePr.cNvPr.set("descr", clean(table.caption))
    grid = frame.table
    grid.horz_banding, grid.first_row = False, True
    grid._tbl.tblPr.find("{*}tableStyleId").text = NO_STYLE
    for at, width in enumerate(widths):
        grid.columns[at].width = Pt(width)
    for at, height in enumerate(heights):
        grid.rows[at].height = Pt(height)
    for at, name in enumerate(table.columns):
        _cell(grid.cell(0, at), name, words, ink=SOFT, bold=True)
    for down, row in enumerate(table.rows, start=1):
        _row(grid, down, row, words)


def _row(grid: Any, down: int, row: Row, words: Words) -> None:
    n, width = len(row.heading), len(grid.columns)
    for at, text in enumerate((*row.heading, *row.cells)):
        _cell(grid.cell(down, at), text, words, ink=INK)
    if row.sentence:
        _cell(grid.cell(down, n), row.sentence, words, ink=SOFT)
        for at in range(n + 1, width):
            _cell(grid.cell(down, at), "", words, ink=SOFT)
        grid.cell(down, n).merge(grid.cell(down, width - 1))


def _cell(cell: Any, text: str, words: Words, *, ink: str, bold: bool = False) -> None:
    if text:
        write(cell.text_frame.paragraphs[0], text, words, size=SMALL, ink=ink, bold=bold)
    line, width = (SOFT, Pt(0.75)) if bold else (LINE, Pt(0.5))
    edges = (
        f'marL="0" marR="{Pt(CELL_EDGE)}" marT="{Pt(CELL_TOP)}" marB="{Pt(CELL_TOP)}" anchor="{"b" if bold else "t"}"'
    )
    rule = f'<a:lnB w="{width}"><a:solidFill><a:srgbClr val="{line[1:]}"/></a:solidFill></a:lnB>'
    cell._tc.remove(cell._tc.get_or_add_tcPr())
    cell._tc.append(parse_xml(f"<a:tcPr {DRAWING} {edges}>{rule}</a:tcPr>"))
