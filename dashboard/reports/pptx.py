"""Writes a report as slides with native charts and tables, and their numbers in the speaker's notes."""

import io
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from pptx.util import Pt

from dashboard.chart import Chart
from dashboard.reports.office_letters import lines_of
from dashboard.reports.office_zip import clean, steady
from dashboard.reports.report import Report
from dashboard.reports.slide_chart import add_chart
from dashboard.reports.slide_deck import add_group, add_line, add_table, empty_deck, set_number, set_title
from dashboard.reports.slide_plan import (
    BOTTOM,
    EDGE,
    FRONT_TOP,
    GAP,
    ROOM,
    SIZES,
    TOP,
    Paragraph,
    Slide,
    box_height,
    boxes_of,
    slides_of,
)
from dashboard.theme import INK
from dashboard.words import Words

TITLE_SIZES = (26, 22, 18, 16, 14)
FRONT_SIZES = (36, 28, 22, 18, 14)  # the largest at which a title takes two lines
LONGEST_PROPERTY = 255


def render(report: Report) -> bytes:
    """The file's bytes: the same report gives the same bytes."""
    words, deck = Words(report.language), empty_deck()
    _name(deck.core_properties, report)
    for at, planned in enumerate(slides_of(report)):
        slide = deck.slides.add_slide(deck.slide_layouts[0])
        (_front if at == 0 else _inside)(slide, planned, report, words)
        set_number(slide, deck.slide_layouts[0])
        slide.notes_slide.notes_text_frame.text = clean(_notes(planned, report, words))
    written = io.BytesIO()
    deck.save(written)
    return steady(written.getvalue())


def _name(properties: Any, report: Report) -> None:
    """Who, what and when; nothing of the machine or the day of writing."""
    when = datetime.combine(report.closed_on, time())
    properties.author = properties.last_modified_by = "Rapport"
    properties.title = clean(f"{report.title} {report.subject}")[:LONGEST_PROPERTY]
    properties.subject = clean(report.about)[:LONGEST_PROPERTY]
    properties.identifier = clean(report.release)[:LONGEST_PROPERTY]
    properties.language = report.language
    properties.keywords = properties.comments = properties.category = ""
    properties.created = properties.modified = when
    properties.revision = 1


def _front(slide: Any, planned: Slide, report: Report, words: Words) -> None:
    """Page one: the question, its verdict, what is said of it and what to decide."""
    add_line(slide, report.title, words, top=44, height=26, size=18)
    title = slide.shapes.title
    title.left, title.top, title.width, title.height = (Pt(each) for each in (EDGE, 76, ROOM, 88))
    set_title(slide, planned.title, words, size=_largest(planned.title, FRONT_SIZES))
    add_line(slide, report.subject, words, top=172, height=44, size=18, ink=INK)
    _stack(slide, planned.above, words, planned.size, top=FRONT_TOP)
    add_line(slide, report.about, words, top=504, height=20)


def _inside(slide: Any, planned: Slide, report: Report, words: Words) -> None:
    part, n_parts = planned.part
    title = f"{planned.title} ({part}/{n_parts})" if n_parts > 1 else planned.title
    if planned.section != planned.title:
        add_line(slide, planned.section, words, top=24, height=18)
    set_title(slide, title, words, size=_largest(title, TITLE_SIZES))
    if planned.chart is not None:
        _chart(slide, planned.chart, report, words)
        return
    top = _stack(slide, planned.above, words, planned.size, top=TOP)
    if planned.table is not None:
        add_table(slide, planned.table, words, top=top, widths=planned.widths, heights=planned.heights)
        _stack(slide, planned.below, words, SIZES[-1], top=top + sum(planned.heights) + GAP)
    add_line(slide, report.about, words, top=504, height=20)


def _largest(title: str, sizes: Sequence[int]) -> int:
    return next((size for size in sizes if lines_of(title, size, ROOM, is_bold=True) <= 2), sizes[-1])


def _chart(slide: Any, chart: Chart, report: Report, words: Words) -> None:
    add_line(slide, chart.subtitle, words, top=TOP - 10, height=20, size=14)
    add_chart(slide, chart, box=(EDGE, TOP + 14, ROOM, BOTTOM - TOP - 14), words=words, on=report.closed_on)
    add_line(slide, chart.foot, words, top=496, height=32)


def _stack(slide: Any, paragraphs: Sequence[Paragraph], words: Words, size: int, *, top: float) -> float:
    """Boxes one below another, each as high as its text needs; where the next would stand."""
    for box in boxes_of(paragraphs):
        height = box_height(box, size)
        add_group(slide, box, words, size=size, top=top, height=height)
        top += height + GAP
    return top


# --- the speaker's notes --------------------------------------------------------------------------


def _notes(planned: Slide, report: Report, words: Words) -> str:
    """What is on the slide, to be read out: every number with its interval, n, claim and release."""
    if planned.chart is not None:
        said = [planned.title, planned.chart.subtitle, *_marks(planned.chart, words), planned.chart.foot]
        said += [words("interval_note"), words("n_note")]
    elif planned.table is not None:
        said = [planned.title, *(_sentence(each, words) for each in planned.above), " | ".join(planned.table.columns)]
        said += [" | ".join((*each.heading, *each.cells, each.sentence)).rstrip(" |") for each in planned.table.rows]
        said += [_sentence(each, words) for each in planned.below]
    else:
        said = [planned.title, *(_sentence(each, words) for each in planned.above)]
    return "\n".join([*said, report.about])


def _marks(chart: Chart, words: Words) -> list[str]:
    """ "Round 1 | Mentors | 72 (68 to 76) | n 45 or more | describes"."""
    found = []
    for series in chart.series:
        for mark in series.marks:
            n = "" if mark.n is None else words("card_n", n=words.at_least(mark.n))
            claim = words(f"claim_{mark.claim}") if mark.claim else ""
            found.append(" | ".join(part for part in (mark.name, series.label, mark.told, n, claim) if part))
    return found


def _sentence(paragraph: Paragraph, words: Words) -> str:
    claim = f" [{words(f'claim_{paragraph.claim}')}]" if paragraph.claim else ""
    lead = f"{paragraph.lead}: " if paragraph.lead else ""
    return f"{lead}{paragraph.text.replace('`', '')}{claim}"
