"""Reads a TOML that somebody wrote by hand: a map of columns, a cadence, groups, what a business case rests on."""

import tomllib
from pathlib import Path
from typing import Any

from data.errors import RapportError
from data.imports.delimited import decoded
from data.imports.files import take_in
from data.imports.sheet import Limits

WRITTEN_BY_HAND = Limits(max_bytes=1_000_000)


def read_toml(path: Path) -> dict[str, Any]:
    """What stands in the file; RapportError where it is missing, too large, not UTF-8 or not TOML."""
    text = decoded(take_in(path, WRITTEN_BY_HAND).content, "utf-8")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RapportError(f"{path.name} is not valid TOML: {error}.") from None
