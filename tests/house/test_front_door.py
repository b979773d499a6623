"""The front door's own import rules; import-linter reads packages only, and rapport.py is a module."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("data", "surveys", "pipeline", "dashboard")
MAY_ENTER = {
    "data.settings",
    "data.errors",
    "data.terminal",
    "data.commands",
    "data.jobs",
    "data.timetable",
    "data.demo",
    "surveys.questionnaire",
    "surveys.commands",
    "surveys.jobs",
    "surveys.demo",
    "pipeline.commands",
    "pipeline.jobs",
    "dashboard.commands",
    "dashboard.jobs",
}
FOR_TYPES_ONLY = {"data.store.engine"}


def entered() -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "rapport.py").read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in ROOMS:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name.split(".")[0] in ROOMS}


def test_the_front_door_enters_rooms_by_commands_and_jobs_only():
    allowed = MAY_ENTER | FOR_TYPES_ONLY
    strays = {name for name in entered() if name not in allowed and ".".join(name.split(".")[:2]) not in allowed}
    assert strays == set()
    assert "surveys.commands" in entered()


def test_no_room_imports_the_front_door():
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert "rapport" not in names, path
