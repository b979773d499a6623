"""Opens a file that someone handed in, whatever its kind, within its limits."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from data.errors import RapportError
from data.imports.delimited import read_delimited
from data.imports.sheet import LIMITS, Layout, Limits, Sheet, lay_out
from data.imports.workbook import is_workbook, read_workbook


@dataclass(frozen=True)
class HandedIn:
    """A file's name, bytes and fingerprint."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def take_in(path: Path, limits: Limits = LIMITS) -> HandedIn:
    """The bytes of a file, if it is there and not too large."""
    try:
        with path.open("rb") as file:
            content = file.read(limits.max_bytes + 1)
    except OSError:
        raise RapportError(f"The file {path.name} cannot be read; expected a file at that place.") from None
    if len(content) > limits.max_bytes:
        size = limits.max_bytes // 1_000_000
        raise RapportError(f"The file {path.name} is larger than {size} MB; split it.")
    return HandedIn(path.name, content)


def sheet_of(handed_in: HandedIn, layout: Layout, limits: Limits = LIMITS) -> Sheet:
    """The rows of a workbook or of delimited text."""
    content = handed_in.content
    rows = read_workbook(content, limits) if is_workbook(content) else read_delimited(content, layout, limits)
    return lay_out(rows, layout, limits)
