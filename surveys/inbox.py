"""Takes in files of answers that another tool puts into the home's inbox: inbox/ROUND/TOOL/FILE."""

import json
from datetime import datetime
from pathlib import Path

from data.errors import RapportError
from data.imports.sheet import Limits
from data.store.engine import Stores
from surveys.exchange.take import TOOLS, import_answers

MAP = "map.toml"  # beside the files: how this tool's columns are ours
TAKEN, REFUSED = "taken", "refused"


def fetch(stores: Stores, inbox: Path, *, now: datetime, limits: Limits) -> str:
    """Import every file that waits; each moves to taken/ with its report, or to refused/ with the reason.

    A file that was imported by a worker which then died is imported again: its rows are known and change nothing.
    """
    taken = refused = 0
    for path in _waiting(inbox):
        try:
            told = path.parent / MAP
            report = import_answers(
                stores,
                path=path,
                tool=path.parent.name,
                round_id=path.parent.parent.name,
                now=now,
                map_path=told if told.exists() else None,
                limits=limits,
            )
        except RapportError as error:
            _move(path, REFUSED, f"{error}\n", ".txt", now)
            refused += 1
        else:
            _move(path, TAKEN, json.dumps(report.as_json(), ensure_ascii=False, indent=2), ".json", now)
            taken += 1
    return ", ".join([*([f"took {taken} files"] if taken else []), *([f"refused {refused}"] if refused else [])])


def _waiting(inbox: Path) -> list[Path]:
    """Files of known tools, in the order of their names; a name with a dot in front is still being written."""
    if not inbox.is_dir():
        return []
    return [
        path
        for path in sorted(inbox.glob("*/*/*"))
        if path.is_file() and not path.name.startswith(".") and path.name != MAP and path.parent.name in TOOLS
    ]


def _move(path: Path, where: str, said: str, ending: str, now: datetime) -> None:
    """What was said is written before the file moves, so that no moved file lacks it."""
    folder = path.parent / where
    folder.mkdir(exist_ok=True)
    name = f"{now:%Y%m%dT%H%M%S}-{path.name}"
    (folder / f"{name}{ending}").write_text(said, encoding="utf-8")
    path.replace(folder / name)
