"""Writes the generated tables of the room READMEs, or checks that they are current."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.catalogue_table import metrics_table
from surveys.catalogue import questions_table
from surveys.questionnaire import load

ROOT = Path(__file__).resolve().parents[2]
TABLES: dict[tuple[str, str], Callable[[], str]] = {
    ("surveys/README.md", "questions"): lambda: questions_table(load()),
    ("pipeline/README.md", "metrics"): metrics_table,
}


def current(text: str, name: str, table: str) -> str:
    """The text with the table between its two markers."""
    between = re.compile(rf"(<!-- generated:{name} -->\n).*?(<!-- /generated -->)", re.DOTALL)
    renewed, n_places = between.subn(lambda found: f"{found[1]}{table.strip()}\n{found[2]}", text)
    assert n_places == 1, f"expected one place for the table {name}, found {n_places}"
    return renewed


def main(check: bool) -> int:
    stale = []
    for (file, name), make in TABLES.items():
        path = ROOT / file
        text = path.read_text(encoding="utf-8")
        renewed = current(text, name, make())
        if renewed != text:
            stale.append(file)
            if not check:
                path.write_text(renewed, encoding="utf-8")
    for file in stale:
        sys.stdout.write(f"{file}: {'is not current; run `make generated`' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main("--check" in sys.argv))
