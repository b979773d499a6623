"""The tokenizer keeps every cell as it was written and loses no row."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import RapportError
from data.imports.delimited import AFTER_QUOTE, TOO_LONG, read_delimited
from data.imports.sheet import Layout, Limits, Sheet, lay_out, refuse_duplicates

CELL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
TABLE = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6)
)


def sheet(text: str | bytes, limits: Limits | None = None, **layout: object) -> Sheet:
    content = text.encode() if isinstance(text, str) else text
    told = Layout(**layout)  # type: ignore[arg-type]
    return lay_out(read_delimited(content, told, limits or Limits()), told, limits or Limits())


def cells(text: str | bytes, **layout: object) -> list[tuple[str | None, ...]]:
    return [row.cells for row in sheet(text, **layout).rows]


@given(TABLE, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_what_python_writes_reads_back_equal(table: list[list[str]], sign: str, line_end: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=sign, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([["é", "b"], *table])
    content = file.getvalue().encode()
    rows = list(read_delimited(content, Layout(separator=sign)))
    assert [list(row.cells) for row in rows[1:]] == table
    assert [row.number for row in rows] == list(range(1, len(table) + 2))


def test_text_stays_text() -> None:
    assert cells("id,name,grade\n00123,NA,1E5\n") == [("00123", "NA", "1E5")]


def test_nothing_and_an_empty_text_are_told_apart() -> None:
    assert cells('a,b,c\n,"",x\n') == [(None, "", "x")]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_header_shows_the_separator(sign: str) -> None:
    assert cells(f'"a, b; c"{sign}d{sign}e\n1{sign}2{sign}3\n') == [("1", "2", "3")]


def test_two_possible_separators_are_not_guessed() -> None:
    with pytest.raises(RapportError, match="could be comma or semicolon"):
        sheet("name, first;email\nx;y\n")
    assert cells("name, first;email\nx;y\n", separator="semicolon") == [("x", "y")]


def test_line_breaks_quotes_and_a_byte_order_mark() -> None:
    content = b'\xef\xbb\xbfid,said\r\n1,"one\ntwo ""three"""\r\n'
    assert sheet(content).header == ("id", "said")
    assert cells(content) == [("1", 'one\ntwo "three"')]


def test_a_declared_encoding_and_a_wrong_one() -> None:
    content = "id;ort\n1;Zürich\n".encode("cp1252")
    assert cells(content, encoding="cp1252") == [("1", "Zürich")]
    with pytest.raises(RapportError, match=r"not utf-8 \(line 2\)"):
        sheet(content)
    with pytest.raises(RapportError, match="klingon is not known"):
        sheet(content, encoding="klingon")


def test_one_extra_field_everywhere_shifts_nothing() -> None:
    read = sheet("id,name\n1,Ada,x\n2,Ben,y\n")
    assert [(row.number, row.fault) for row in read.rows] == [(2, "too many cells"), (3, "too many cells")]


def test_an_empty_extra_field_is_one_too_many_unless_the_header_ends_so_too() -> None:
    assert [row.fault for row in sheet("id,name\n1,Ada,\n").rows] == ["too many cells"]
    assert cells("id,name,\n1,Ada,\n") == [("1", "Ada")]
    assert [row.fault for row in sheet("id,name\n1\n").rows] == ["too few cells"]


def test_an_unterminated_quote_names_the_row_where_it_began() -> None:
    with pytest.raises(RapportError, match="Row 3 opens a quote"):
        sheet('id,said\n1,fine\n2,"not closed\n3,lost\n4,lost\n')


def test_text_after_a_closing_quote_costs_that_row_only() -> None:
    read = sheet('id,said\n1,"he said "no", twice"\n2,fine\n')
    assert [(row.fault, row.cells[0]) for row in read.rows] == [(AFTER_QUOTE, "1"), ("", "2")]


def test_duplicate_headers_are_refused() -> None:
    with pytest.raises(RapportError, match='has "name" twice'):
        refuse_duplicates(sheet("id,name,Name\n1,a,b\n").header)


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"])
def test_an_empty_file_is_refused(text: str) -> None:
    with pytest.raises(RapportError, match="empty"):
        sheet(text)


def test_zero_bytes_are_refused() -> None:
    with pytest.raises(RapportError, match="zero bytes"):
        sheet("a,b\n1,2\n".encode("utf-16-le"))


def test_one_endless_cell_is_bounded_and_kept_short() -> None:
    read = sheet("a,b\n" + "x" * 5_000 + ",2\n3,4\n", Limits(max_cell_chars=1_000))
    assert [(row.fault, len(row.cells[0] or "")) for row in read.rows] == [(TOO_LONG, 201), ("", 1)]


def test_too_many_rows_or_columns_are_refused() -> None:
    with pytest.raises(RapportError, match="more than 3 rows"):
        sheet("a\n1\n2\n3\n4\n", Limits(max_rows=3))
    with pytest.raises(RapportError, match="5 columns"):
        sheet("a,b,c,d,e\n", Limits(max_columns=4))


def test_titles_and_a_second_header_are_skipped_and_counted() -> None:
    read = sheet("All,,\nRun as of,today,\nid,name,x\nID,Name,X\n1,Ada,2\n\n", skip_rows=2, skip_after_header=1)
    assert (read.header, read.n_header, read.n_rows) == (("id", "name", "x"), 4, 6)
    assert [row.is_blank for row in read.rows] == [False, True]
    assert all(later.number == earlier.number + 1 for earlier, later in pairwise(read.rows))
