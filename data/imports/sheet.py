"""Says what every reader of files gives: a sheet of numbered rows of text, under one header."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from data.errors import RapportError
from data.settings import Settings

DATE_ORDERS = ("ymd", "dmy", "mdy")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a file may cost; beyond it the file is refused before it is read."""

    max_bytes: int = 50_000_000
    max_cell_chars: int = 100_000
    max_columns: int = 1_000
    max_rows: int = 1_000_000
    max_cells: int = 20_000_000


LIMITS = Limits()


def limits_of(settings: Settings) -> Limits:
    """The limits that an installation set."""
    return Limits(max_bytes=settings.max_upload_mb * 1_000_000)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a file is written, as far as someone declared it."""

    encoding: str = "utf-8"
    separator: str | None = None
    skip_rows: int = 0  # rows before the header: titles
    skip_after_header: int = 0  # a second header row
    date_order: str | None = None


@dataclass(frozen=True)
class RawRow:
    """One record. `number` counts from 1, header included; a cell is None where nothing was written,
    and "" where an empty text was written in quotes. `fault` refuses the row, `cell_faults` one cell."""

    number: int
    cells: tuple[str | None, ...]
    fault: str = ""
    cell_faults: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        has_fault = bool(self.fault or self.cell_faults)
        return not has_fault and all(not (cell or "").strip() for cell in self.cells)


@dataclass(frozen=True)
class Sheet:
    """A header and its rows; `n_header` counts the header and every row skipped around it."""

    header: tuple[str, ...]
    rows: tuple[RawRow, ...]
    n_header: int

    @property
    def n_rows(self) -> int:
        return self.n_header + len(self.rows)


def normal(heading: str) -> str:
    """A heading as it is compared: trimmed, one space between words, without regard to case."""
    return " ".join(heading.split()).casefold()


def lay_out(rows: Iterable[RawRow], layout: Layout, limits: Limits = LIMITS) -> Sheet:
    """The sheet of these records; a record of another width than the header carries a fault."""
    records = _bounded(rows, limits)
    n_header = layout.skip_rows + 1 + layout.skip_after_header
    if len(records) <= layout.skip_rows:
        raise RapportError("The file is empty; expected a header row and rows below it.")
    written = records[layout.skip_rows].cells
    header = tuple((cell or "").strip() for cell in _without_tail(written))
    if not any(header):
        raise RapportError(f"Row {layout.skip_rows + 1} is empty; expected the header there.")
    if len(header) > limits.max_columns:
        raise RapportError(f"The file has {len(header)} columns; expected at most {limits.max_columns}.")
    body = tuple(_fitted(row, len(header), len(written)) for row in records[n_header:])
    return Sheet(header, body, min(n_header, len(records)))


def refuse_duplicates(header: Iterable[str]) -> None:
    """Two columns of one name cannot be told apart, so the file is refused."""
    counted = Counter(normal(name) for name in header if name)
    for name in header:
        if counted[normal(name)] > 1:
            raise RapportError(f'The header has "{name}" twice; expected every column name once.')


def _bounded(rows: Iterable[RawRow], limits: Limits) -> list[RawRow]:
    records: list[RawRow] = []
    for row in rows:
        records.append(row)
        if len(records) > limits.max_rows:
            raise RapportError(f"The file has more than {limits.max_rows} rows; split it.")
    return records


def _without_tail(cells: tuple[str | None, ...]) -> Iterator[str | None]:
    last = max((place for place, cell in enumerate(cells) if (cell or "").strip()), default=-1)
    return iter(cells[: last + 1])


def _fitted(row: RawRow, width: int, written: int) -> RawRow:
    if row.fault or row.is_blank or len(row.cells) == width:
        return row
    # A header that ends in separators, as spreadsheets write it, has rows that end in them, too.
    is_tail_empty = not any(row.cells[width:]) and all(place < width for place in row.cell_faults)
    if len(row.cells) == written and is_tail_empty:
        return RawRow(row.number, row.cells[:width], "", row.cell_faults)
    many = "many" if len(row.cells) > width else "few"
    return RawRow(row.number, row.cells, f"too {many} cells")
