"""A workbook gives the same text as the sheet a person sees, or says which cell it cannot give."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from data.errors import RapportError
from data.imports.sheet import Layout, Sheet, lay_out
from data.imports.workbook import LONG_NUMBER, NO_RESULT, read_workbook


def workbook(*rows: list[Any]) -> Any:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    return made


def content(made: Any) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def sheet(made: Any) -> Sheet:
    return lay_out(read_workbook(content(made)), Layout())


def test_cells_become_text() -> None:
    made = workbook(
        ["id", "number", "half", "day", "time", "flag"],
        ["00123", 4, 4.5, date(2026, 4, 3), datetime(2026, 4, 3, 9, 12, 43), True],
    )
    read = sheet(made)
    assert read.header == ("id", "number", "half", "day", "time", "flag")
    assert read.rows[0].cells == ("00123", "4", "4.5", "2026-04-03", "2026-04-03 09:12:43", "TRUE")


def test_dates_that_count_from_1904() -> None:
    made = workbook(["day"], [date(2026, 4, 3)])
    made.epoch = CALENDAR_MAC_1904
    assert sheet(made).rows[0].cells == ("2026-04-03",)


def test_a_formula_without_result_and_an_id_that_lost_its_digits_are_named() -> None:
    read = sheet(workbook(["id", "said"], [12345678901234567, "=1+1"], [7, "fine"]))
    assert read.rows[0].cell_faults == {0: LONG_NUMBER, 1: NO_RESULT}
    assert read.rows[1].cells == ("7", "fine")


def test_short_rows_are_empty_at_the_end_and_long_ones_too_long() -> None:
    read = sheet(workbook(["a", "b"], ["1"], ["1", "2", "3"], [], ["4", "5"]))
    assert [row.cells for row in read.rows[:1]] == [("1", None)]
    assert [row.fault for row in read.rows] == ["", "too many cells", "", ""]
    assert [row.is_blank for row in read.rows] == [False, False, True, False]


def test_the_first_visible_sheet_is_read() -> None:
    made = workbook(["secret"], ["x"])
    made.create_sheet("shown").append(["id"])
    made.active.sheet_state = "hidden"
    assert sheet(made).header == ("id",)


def test_merged_and_hidden_cells_are_refused() -> None:
    merged = workbook(["a", "b"], ["1", "2"])
    merged.active.merge_cells("A1:B1")
    with pytest.raises(RapportError, match="merged"):
        sheet(merged)
    hidden_row = workbook(["a"], ["1"], ["2"])
    hidden_row.active.row_dimensions[2].hidden = True
    with pytest.raises(RapportError, match="hidden"):
        sheet(hidden_row)
    hidden_column = workbook(["a", "b"], ["1", "2"])
    hidden_column.active.column_dimensions["B"].hidden = True
    with pytest.raises(RapportError, match="hidden"):
        sheet(hidden_column)


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    file = io.BytesIO(content(workbook(["a"], ["1"])))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/nothing.bin", b"\0" * 30_000_000)
    with pytest.raises(RapportError, match="packed too tightly"):
        list(read_workbook(file.getvalue()))


def test_too_many_entries_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(2_001):
            archive.writestr(str(number), b"")
    with pytest.raises(RapportError, match="unpacks to more"):
        list(read_workbook(file.getvalue()))


@pytest.mark.parametrize("damaged", [b"PK\x03\x04nothing", None])
def test_a_damaged_workbook_is_one_sentence(damaged: bytes | None) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello.txt", b"not a workbook")
    with pytest.raises(RapportError, match="save it again as XLSX"):
        list(read_workbook(damaged or file.getvalue()))
