"""Counts what became of every row of a file, and refuses counts that do not add up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data.errors import RapportError


@dataclass(frozen=True)
class Refusal:
    """Why a row, or one cell of it, is quarantined; `cells` are its known columns as they were written."""

    row_number: int
    reason: str
    column: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """rows = accepted + quarantined + blank + header; `cells` were quarantined out of accepted rows.

    `batch` is null for a dry run. `changed`: how many stored rows are other than before.
    """

    kind: str
    file_name: str
    rows: int
    accepted: int
    quarantined: int
    blank: int
    header: int
    cells: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    batch: str | None = None
    changed: int = 0
    unknown_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rows != self.accepted + self.quarantined + self.blank + self.header:
            raise RapportError(
                f"The rows of {self.file_name} do not add up, so nothing was imported; please report this."
            )

    def as_json(self) -> dict[str, Any]:
        names = ("rows", "accepted", "quarantined", "blank", "header", "cells", "reasons", "batch", "changed")
        counts = {name: getattr(self, name) for name in names}
        return {**counts, "reasons": dict(self.reasons), "unknown_columns": list(self.unknown_columns)}


def reasons_of(refusals: list[Refusal]) -> dict[str, int]:
    """How often each reason was given, most frequent first; a reason names its column."""
    return dict(Counter(said(refusal) for refusal in refusals).most_common())


def said(refusal: Refusal) -> str:
    return f"{refusal.column}: {refusal.reason}" if refusal.column else refusal.reason
