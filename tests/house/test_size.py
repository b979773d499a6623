"""How large the parts of the house may be."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("data", "surveys", "pipeline", "dashboard")
SAYS_NOTHING = {"utils", "helpers", "common", "misc", "manager", "base", "core"}


def modules() -> list[Path]:
    ours = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return [path for path in ours if path.parent.parent.name != "migrations"] + [ROOT / "rapport.py"]


def functions() -> Iterator[tuple[str, int]]:
    """Each function with the lines of its body, docstring left out."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                yield f"{path.relative_to(ROOT)}:{node.name}", lines


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_short_and_says_what_it_is_for(path):
    text = path.read_text()
    assert text.count("\n") <= 400
    assert path.stem not in SAYS_NOTHING
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert docstring.split("\n")[0].endswith((".", ":", ";")) or docstring.split("\n\n")[0].endswith(".")


def test_functions_are_short():
    lengths = dict(functions())
    assert {name: n_lines for name, n_lines in lengths.items() if n_lines > 50} == {}
    assert statistics.median(lengths.values()) <= 8
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 25
