"""A small workbook does not become a large one in memory, and its entities stay unread."""

import io
import zipfile

import openpyxl
import pytest

from data.errors import RapportError
from data.imports.sheet import Limits
from data.imports.workbook import TOO_MANY, UNREADABLE, read_workbook

OPEN = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
CLOSE = "</sheetData></worksheet>"


def workbook_with(sheet: str) -> bytes:
    """A workbook whose only sheet is this XML."""
    made, file = io.BytesIO(), io.BytesIO()
    openpyxl.Workbook().save(made)
    with zipfile.ZipFile(made) as honest, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as hostile:
        for name in honest.namelist():
            hostile.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else honest.read(name))
    return file.getvalue()


def test_one_far_cell_a_row_does_not_fill_the_memory() -> None:
    rows = "".join(f'<row r="{k}"><c r="XFD{k}"><v>1</v></c></row>' for k in range(1, 101))
    content = workbook_with(OPEN + rows + CLOSE)
    assert len(content) < 10_000
    with pytest.raises(RapportError, match=TOO_MANY):
        list(read_workbook(content, Limits(max_cells=1_000_000)))


def test_one_wide_row_does_not_widen_every_other() -> None:
    rows = '<row r="1"><c r="XFD1"><v>1</v></c></row>'
    rows += "".join(f'<row r="{k}"><c r="A{k}"><v>1</v></c></row>' for k in range(2, 101))
    with pytest.raises(RapportError, match=TOO_MANY):
        list(read_workbook(workbook_with(OPEN + rows + CLOSE), Limits(max_cells=1_000_000)))


LAUGHS = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 10))


@pytest.mark.parametrize(
    ("entities", "asked"),
    [('<!ENTITY x SYSTEM "file:///etc/hostname">', "&x;"), (f'<!ENTITY l0 "lol">{LAUGHS}', "&l9;")],
)
def test_entities_neither_read_files_nor_grow(entities: str, asked: str) -> None:
    cell = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{asked}</t></is></c></row>'
    sheet = f'<?xml version="1.0"?><!DOCTYPE a [{entities}]>{OPEN}{cell}{CLOSE}'
    with pytest.raises(RapportError, match=UNREADABLE):
        list(read_workbook(workbook_with(sheet)))
