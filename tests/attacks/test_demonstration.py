"""The page for a works council: true figures in two languages, in one file that fetches nothing."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rapport
from data.errors import RapportError
from pipeline.demonstration.demonstrate import Demonstration, demonstrate, worked_example
from pipeline.demonstration.page import languages, render


@pytest.fixture(scope="module")
def found() -> Demonstration:
    return demonstrate(7)


def test_a_plain_threshold_leaks_at_least_half_and_the_gate_nothing(found: Demonstration) -> None:
    assert found.n_answers > 500
    assert found.n_low > 50
    assert found.plain.n_answers >= 0.5 * found.n_answers
    assert found.plain.n_low >= 0.3 * found.n_low
    assert (found.gate.n_answers, found.gate.n_low) == (0, 0)
    assert set(found.found.values()) == {0}
    assert found.n_shown > 100


def test_the_worked_example_is_proven_exactly_and_not_at_all_once_rounded() -> None:
    """Six people with 70.83 and five of them with 80: 6 × 70.83 − 5 × 80 = 25. Steps of 10 and 11 leave 0 to 92.5."""
    exact, rounded = (worked_example(is_rounded=is_rounded) for is_rounded in (False, True))
    assert (exact.low, exact.high) == (pytest.approx(25, abs=1e-3), pytest.approx(25, abs=1e-3))
    assert (exact.mean_of_six, exact.mean_of_five) == (pytest.approx(425 / 6), 80)
    assert (rounded.mean_of_six, rounded.mean_of_five) == (70, 77)
    assert (rounded.low, rounded.high) == (0, pytest.approx(92.5, abs=1e-3))


@pytest.mark.parametrize("language", languages())
def test_the_page_says_what_was_found_and_stands_alone(found: Demonstration, language: str) -> None:
    page = render(found, language=language, version="1.2.3")
    assert page == render(found, language=language, version="1.2.3")
    text = re.sub(r"<[^>]+>", " ", page.partition("</style>")[2])
    for number in (found.plain.n_answers, found.n_answers, found.plain.n_low, found.n_low):
        assert re.search(rf"\b{number}\b", text)
    assert f'<html lang="{language}">' in page
    assert re.findall(r"<script|https?://|src=|<link|@import|url\(", page) == []
    assert "{" not in text


def test_every_table_has_a_caption_and_headings_follow_one_another(found: Demonstration) -> None:
    page = render(found, language="en", version="1.2.3")
    assert page.count("<table>") == page.count("<caption>") == page.count('role="region"') == 2
    assert re.findall(r"<h(\d)", page)[:2] == ["1", "2"]
    assert page.count("<h1") == page.count("<main") == 1
    assert all("scope=" in cell for cell in re.findall(r"<th\b[^>]*>", page))
    HTMLParser().feed(page)


def test_both_languages_say_the_same_things() -> None:
    import tomllib

    words = tomllib.loads(
        (Path(rapport.__file__).parent / "pipeline" / "demonstration" / "words.toml").read_text(encoding="utf-8")
    )
    named = {
        language: {key: set(re.findall(r"{\w+}", text)) for key, text in said.items()}
        for language, said in words.items()
    }
    assert named["en"] == named["de"]


def test_the_verb_writes_the_page_and_refuses_a_language_it_does_not_speak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Demonstration
) -> None:
    monkeypatch.setattr("pipeline.demonstration.demonstrate.demonstrate", lambda seed, progress: found)
    out = tmp_path / "attack.html"
    written = CliRunner().invoke(rapport.app, ["demonstrate-attack", "--language", "de", "--out", str(out)])
    assert written.exit_code == 0, written.output
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert f"{found.plain.n_answers} of {found.n_answers}" in written.output
    refused = CliRunner().invoke(rapport.app, ["demonstrate-attack", "--language", "xx"])
    assert isinstance(refused.exception, RapportError)
