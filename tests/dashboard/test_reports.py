"""The report: the same numbers in every format, the same bytes every time, and no claim it cannot bear."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from dashboard.findings import HEADLINE, numbers_of
from dashboard.reports import html, pdf
from dashboard.reports.report import Report, report_of
from dashboard.reports.write import write
from dashboard.words import Words
from data.errors import RapportError
from tests.dashboard.conftest import Made, report_of_made

CAUSAL = re.compile(
    r"\b(caus\w+|because of the programme|leads to|improve\w*|boost\w*|thanks to|impact)\b", re.IGNORECASE
)


def report(made: Made, language: str = "en") -> Report:
    return report_of_made(made, language, organisation="Example <Ltd>")


@pytest.fixture(scope="module")
def english(made: Made) -> Report:
    return report(made)


@pytest.fixture(scope="module")
def pdf_bytes(english: Report) -> bytes:
    return pdf.render(english)


def text_of(page: bytes) -> str:
    """What a reader sees of a page of HTML, without its drawings."""
    body = re.sub(r"<(svg|style|title)\b.*?</\1>", " ", page.decode("utf-8"), flags=re.DOTALL)
    plain = re.sub(r"<[^>]+>", " ", body)
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&#34;", '"'), ("&amp;", "&")):
        plain = plain.replace(entity, letter)
    return plain


def squeezed(text: str) -> str:
    """Without spaces, hyphenation and ligatures, so that line breaks do not matter."""
    for ligature, letters in (("ﬁ", "fi"), ("ﬂ", "fl"), ("ﬀ", "ff"), ("ﬃ", "ffi"), ("ﬄ", "ffl")):
        text = text.replace(ligature, letters)
    return re.sub(r"[\s\u00ad\u2010\u00a0-]+", "", text)


def lines_of(report: Report) -> list[str]:
    """Every table row of the report as one line of text."""
    tables = [block.table for section in report.sections for block in section.blocks if block.table is not None]
    return ["".join((*row.heading, *row.cells, row.sentence)) for table in tables for row in table.rows]


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_html_and_pdf_carry_the_same_numbers(english: Report, pdf_bytes: bytes) -> None:
    on_page, on_paper = squeezed(text_of(html.render(english))), squeezed(pdf_text(pdf_bytes))
    lines = lines_of(english)
    assert len(lines) > 100
    for line in lines:
        assert squeezed(line) in on_page, line
    cells = {squeezed(cell) for line in lines for cell in re.findall(r"[\d.,\u2212]+%?", line)}
    assert [cell for cell in cells if cell not in on_paper] == []
    for section in english.sections:
        for block in section.blocks:
            for sentence in block.sentences:
                said = squeezed(sentence.text.replace("`", ""))
                assert said in on_page, sentence.text
                assert said in on_paper, sentence.text


def test_the_report_says_what_the_release_says(made: Made, english: Report) -> None:
    rows = made.published.numbers("mentoring")
    now = rows[(rows["release"] == english.release) & (rows["view"] == "all")]
    appendix = english.sections[-1].blocks[0].table
    assert appendix is not None
    assert len(appendix.rows) == len(now)
    trust = now[(now["metric"] == "trust") & (now["side"] == "mentor")].iloc[0]
    line = next(row for row in appendix.rows if row.heading == ("Trust", "Mentors"))
    assert line.cells == (
        f"{trust['value']:.0f}",
        f"{trust['low']:.0f}",
        f"{trust['high']:.0f}",
        str(trust["n"]),
        "points",
        "describes",
        english.release,
    )


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_same_release_gives_the_same_bytes(made: Made, language: str) -> None:
    first, second = report(made, language), report(made, language)
    assert html.render(first) == html.render(second)
    assert pdf.render(first) == pdf.render(second)


def test_the_pdf_is_tagged_and_named(pdf_bytes: bytes) -> None:
    document = PdfReader(io.BytesIO(pdf_bytes))
    root = document.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    assert b"pdfuaid" in pdf_bytes or "pdfuaid" in str(root["/Metadata"].get_object().get_data())
    assert document.metadata is not None
    assert document.metadata.title is not None
    assert document.metadata.title.startswith("Does the mentoring programme work?")
    assert 5 <= len(document.pages) <= 14


def test_the_html_is_one_file_without_script_or_fetch(english: Report) -> None:
    page = html.render(english).decode("utf-8")
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<script" not in page
    assert not re.search(r"\b(src|href)=\"(?!#)", page)
    assert "@import" not in page
    assert "Example &lt;Ltd&gt;" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    charts = [block.chart for section in english.sections for block in section.blocks if block.chart is not None]
    assert len(re.findall(r'<svg role="img" aria-label="[^"]{40,}"', page)) == len(charts) == 6


def test_page_one_can_be_read_alone(pdf_bytes: bytes) -> None:
    page = PdfReader(io.BytesIO(pdf_bytes)).pages[0].extract_text()
    for said in ("Cannot tell yet whether it keeps people", "Trust", "Goal progress", "Participation", "Decide"):
        assert said in page


def test_there_is_no_naive_comparison_and_no_cause(english: Report) -> None:
    words = Words("en")
    retention = next(section for section in english.sections if section.title == words("report_retention"))
    assert [block.kind for block in retention.blocks] == ["text", "list", "heading", "list", "text"]
    claims = [
        each for section in english.sections for block in section.blocks for each in block.sentences if each.claim
    ]
    assert len(claims) >= 8
    assert {each.claim for each in claims} == {"describes"}
    assert [each.text for each in claims if CAUSAL.search(each.text)] == []


def test_a_withheld_headline_reads_as_the_sentence(made: Made) -> None:
    programme = next(each for each in made.published.programmes() if each.id == "mentoring")
    rows = made.published.numbers("mentoring")
    is_hidden = rows["metric"].isin([*HEADLINE, "participation"])
    gone = {"value": None, "low": None, "high": None, "n": None, "shown": False}
    hidden = rows.copy()
    for name, value in gone.items():
        hidden[name] = hidden[name].where(~is_hidden, value)
    hidden["shown"] = hidden["shown"].astype(bool)
    numbers = replace(numbers_of(programme, made.published.releases("mentoring"), rows), rows=hidden)
    told = report_of(numbers, organisation="Example", language="en")
    text = squeezed(text_of(html.render(told)))
    assert squeezed(Words("en")("withheld")) in text
    assert squeezed(Words("en")("verdict_none")) in text
    assert pdf.render(told).startswith(b"%PDF")


def test_files_are_named_for_release_and_language(made: Made, tmp_path: Path) -> None:
    asked = {"organisation": "Example", "programme_id": "mentoring", "out": tmp_path / "new"}
    files = write(made.published, language="de", formats=["html"], **asked)
    assert [path.name for path in files] == [f"rapport-{report(made).release}-de.html"]
    assert b'<html lang="de">' in files[0].read_bytes()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"formats": ["docx"]}, "A report can be written as html, pdf, pptx and xlsx, not docx."),
        ({"formats": []}, "A report can be written as html, pdf, pptx and xlsx."),
        ({"language": "fr"}, "--lang expects en or de, not fr."),
        ({"programme_id": None}, "--programme expects one of elsewhere, mentoring."),
        ({"programme_id": "nowhere"}, "--programme expects one of elsewhere, mentoring."),
    ],
)
def test_what_cannot_be_written_is_a_sentence(
    made: Made, tmp_path: Path, asked: dict[str, object], sentence: str
) -> None:
    usual = {"organisation": "E", "programme_id": "mentoring", "language": "en", "formats": ["html"], "out": tmp_path}
    with pytest.raises(RapportError, match=f"^{re.escape(sentence)}$"):
        write(made.published, **{**usual, **asked})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
