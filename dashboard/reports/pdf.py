"""Writes a report as a tagged PDF (PDF/UA-1) by typst, from fonts that come with our libraries."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, time
from pathlib import Path

import matplotlib
import typst

from dashboard.charts import paper
from dashboard.reports.report import Block, Report
from dashboard.words import Words

TEMPLATE = Path(__file__).resolve().parent / "report.typ"
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def render(report: Report) -> bytes:
    """The file's bytes: no clock, no system font and no network has a part in them."""
    content = json.dumps(_content(report), ensure_ascii=False, sort_keys=True, default=str)
    written = typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        format="pdf",
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={"report": content},
        pdf_standards=["ua-1"],
        timestamp=datetime.combine(report.closed_on, time(), UTC),
    )
    return bytes(written)


def _content(report: Report) -> dict[str, object]:
    words = Words(report.language)
    sections = [
        {"title": each.title, "blocks": [_block(block, words) for block in each.blocks]} for each in report.sections
    ]
    return {**asdict(report), "sections": sections, "page": words("report_page")}


def _block(block: Block, words: Words) -> dict[str, object]:
    sentences = [
        {"text": each.text, "claim": words(f"claim_{each.claim}") if each.claim else ""} for each in block.sentences
    ]
    drawing = paper.svg(block.chart) if block.chart is not None else ""
    return {**asdict(block), "sentences": sentences, "drawing": drawing}
