"""Causal wording stands only where an estimate supports it: no text of a page or report says more than its claim."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from dashboard.case import Told, _causal
from dashboard.findings import Reading
from dashboard.words import LANGUAGES, Words

ROOT = Path(__file__).resolve().parents[2]
TEXTS = tomllib.loads((ROOT / "dashboard" / "words.toml").read_text(encoding="utf-8"))
SAYS_WHY = {
    "en": r"\b(caus(e|es|ed|al|ing)|effects? of|because of (the )?(mentoring|programme)|thanks to|leads? to|results? in"
    r"|keeps (people|staff)|makes people|raises|reduces|lowers|improves|boosts|drives"
    r"|due to (the )?(mentoring|programme))\b",
    "de": r"\b(bewirkt|verursacht|ursächlich\w*|führt zu|dank (des|dem)|hält Menschen|lässt Menschen|erhöht|senkt"
    r"|verringert|verbessert|steigert)\b",
}
CAUSAL = "causal_"
# Texts with such a word that claim nothing of the programme: why each may stand.
ALLOWED = {
    "claim_causal under the printed assumptions": "the name of a claim",
    "claim_causal by design": "the name of a claim",
    "report_unknown_1": "says that it is not known",
    "report_verdict": "says that it cannot be told",
    "influence_note": "says that it is none",
    "report_method_4": "says that nothing is said about causes",
    "case_check_other_exits_moves": "takes the word back",
    "say_robustness": "of a hidden cause",
}


def _said(language: str) -> dict[str, str]:
    return {key: text for key, text in TEXTS[language].items() if re.search(SAYS_WHY[language], text, re.I)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_speaks_of_causes_but_those_that_an_estimate_unlocks(language: str) -> None:
    found = {key for key in _said(language) if not key.startswith(CAUSAL)}
    assert found <= set(ALLOWED), {key: TEXTS[language][key] for key in found - set(ALLOWED)}


def test_no_exception_is_kept_without_need() -> None:
    assert set(ALLOWED) == {key for language in LANGUAGES for key in _said(language) if not key.startswith(CAUSAL)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unlocked_text_is_one_and_the_rule_would_find_it(language: str) -> None:
    causal = {key for key in TEXTS[language] if key.startswith(CAUSAL)}
    assert causal == {key for key in _said(language) if key.startswith(CAUSAL)}
    assert len(causal) >= 3


def test_texts_of_causes_are_reached_from_one_place_only() -> None:
    places = []
    for path in sorted((ROOT / "dashboard").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)):
            texts = [node.value for node in ast.walk(function) if isinstance(node, ast.Constant)]
            if any(isinstance(text, str) and text.startswith(CAUSAL) for text in texts):
                places.append((path.name, function.name))
    assert places == [("case.py", "_causal")]


def _reading(claim: str, low: float, high: float) -> Reading:
    return Reading(
        release="R", round="1", view="all", group="all", side="mentee", metric="case_retention",
        value=(low + high) / 2, low=low, high=high, n=100, unit="share", claim=claim, shown=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "low", "high", "is_said"),
    [
        ("causal under the printed assumptions", -0.04, -0.01, True),
        ("causal by design", -0.04, -0.01, True),
        ("causal by design", -0.04, 0.01, False),
        ("causal under the printed assumptions", -0.04, 0.0, False),
        ("associated with", -0.04, -0.01, False),
        ("describes", -0.04, -0.01, False),
    ],
)
def test_it_is_said_with_a_causal_claim_and_an_interval_without_zero_only(
    claim: str, low: float, high: float, is_said: bool
) -> None:
    case = Told(rows=(), about={}, numbers=None, words=Words("en"))  # type: ignore[arg-type]
    said = _causal(case, "lower", _reading(claim, low, high))
    assert [each.claim for each in said] == ([claim] if is_said else [])


def test_markdown_and_docstrings_that_people_read_claim_nothing_either() -> None:
    """Metric definitions are shown to HR: none of them says what mentoring does to people."""
    for path in sorted((ROOT / "pipeline" / "metrics").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(caused|causes|because of mentoring|reduces|boosts)\b", text), path.name
