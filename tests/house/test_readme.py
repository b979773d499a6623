"""README says what is there: its links lead somewhere, its verbs exist, its picture is the house."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

import rapport

ROOT = Path(__file__).resolve().parents[2]
READMES = sorted(path for path in ROOT.glob("*/README.md")) + [ROOT / "README.md"]


def verbs() -> set[str]:
    found = set()
    for name, command in get_command(rapport.app).commands.items():
        found |= {f"{name} {below}" for below in getattr(command, "commands", {})} | {name}
    return found


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(readme):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", readme.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (readme.parent / target).exists(), target


def test_every_verb_in_readme_exists_and_every_verb_is_in_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named: set[str] = set()
    for line in re.findall(
        r"rapport (?:--home \S+ )?((?:[a-z-]+(?:\\?\|[a-z-]+)*)(?: [a-z-]+(?:\\?\|[a-z-]+)*)?)", text
    ):
        first, _, second = line.replace("\\", "").partition(" ")
        named |= {first} | {f"{first} {each}" for each in second.split("|") if each}
    known = verbs()
    assert {each for each in known if " " not in each} <= named
    groups = {each.split(" ")[0] for each in known if " " in each}
    assert {each for each in named if each.split(" ")[0] in groups} - known <= {"rounds close"} | groups


def test_the_rooms_of_the_picture_are_the_rooms_of_the_house():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "data ← surveys ← pipeline ← dashboard" in text
    layers = re.search(
        r'layers = \["dashboard", "pipeline", "surveys", "data"\]', (ROOT / "pyproject.toml").read_text()
    )
    assert layers
