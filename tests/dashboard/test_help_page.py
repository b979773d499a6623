"""Help: every role reads it, before and after a release, in both languages and in the README's words."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.pages.help import TERMS
from dashboard.words import LANGUAGES, Words
from tests.dashboard.conftest import Made, Reader
from tests.dashboard.made_installation import entered

README = Path(__file__).resolve().parents[2] / "README.md"
SECTIONS = ("interval", "clear", "n", "withheld", "claims", "words", "keys", "ask")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_says_how_to_read_what_is_shown(made: Made, lang: str) -> None:
    words, text = Words(lang), entered(made).text("/help", f"?lang={lang}")
    for name in SECTIONS:
        assert f'"children":"{words(f"help_{name}")}"' in text, name
    assert all(words(f"means_{term}") in text for term in TERMS)


@pytest.mark.parametrize("email", ["dan@cast.example", "new-hr@cast.example", "rita@cast.example"])
def test_every_role_reads_it_with_or_without_a_release(as_reader: Callable[[str], Reader], email: str) -> None:
    reader = as_reader(email)
    assert Words("en")("help_page") in reader.text("/help")
    assert f"<title>{Words('en')('help_page')}" in reader.client.get("/help").get_data(as_text=True)
    assert reader.client.get("/help.csv").status_code == 404


def test_another_role_still_sees_no_numbers_by_way_of_it(as_reader: Callable[[str], Reader]) -> None:
    rita = as_reader("rita@cast.example")
    for path in ("/help", "/help/trust", "/help?programme=mentoring"):
        assert "mentoring-" not in rita.text(*path.split("?"))


def test_the_words_mean_what_the_readme_says() -> None:
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", README.read_text(encoding="utf-8"), re.M)
    meanings = {word: meaning.replace("'", "’") for word, meaning in rows}
    words = Words("en")
    assert {words(f"term_{term}"): words(f"means_{term}") for term in TERMS} == {term: meanings[term] for term in TERMS}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_way_to_it_is_in_the_readers_corner(made: Made, lang: str) -> None:
    shell = entered(made).client.get(f"/metric/trust?lang={lang}").get_data(as_text=True)
    corner = re.search(r'<div class="reader">.*?</div>', shell, re.S)
    assert corner is not None
    way = "/help" if lang == "en" else f"/help?lang={lang}"
    assert f'<a href="{way}">{Words(lang)("help")}</a>' in corner[0]
    at_help = entered(made).client.get(way).get_data(as_text=True)
    assert f'<a href="{way}" aria-current="page">' in at_help
