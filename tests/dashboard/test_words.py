"""Words and numbers in both languages."""

import re
from datetime import date
from pathlib import Path

import pytest

from dashboard.address import Address, read
from dashboard.words import Words, _all, best, places_of
from pipeline.published import EVIDENCE, FLOWS

EN, DE = Words("en"), Words("de")
ROOM = Path(__file__).resolve().parents[2] / "dashboard"


def test_both_languages_say_the_same_things() -> None:
    english, german = _all()["en"], _all()["de"]
    assert set(english) == set(german)
    for key, text in english.items():
        assert set(re.findall(r"\{(\w+)", text)) == set(re.findall(r"\{(\w+)", german[key])), key


def test_no_words_are_left_that_nobody_says() -> None:
    """Each key stands in the code or a template, begins like one that the code completes, or is a number's id."""
    files = [each for each in ROOM.rglob("*") if each.suffix in (".py", ".html") or each.name.endswith(".j2")]
    code = "\n".join(each.read_text(encoding="utf-8") for each in files)
    begun = tuple({*re.findall(r'f"([a-z_0-9]+)\{', code), *re.findall(r"[\"']([a-z_0-9]+_)[\"'] \+", code)})
    ids = {*EVIDENCE, *FLOWS, *(f"{name}_{side}" for name in EVIDENCE for side in ("mentor", "mentee"))}
    assert [
        key
        for key in _all()["en"]
        if key not in ids and not key.startswith(begun) and not re.search(rf"\b{key}\b", code)
    ] == []


def test_percent_is_written_for_shares_only() -> None:
    assert [EN.number(0.764, "share"), EN.number(0.7651, "share", places=1), EN.number(76.0, "points")] == [
        "76%",
        "76.5%",
        "76",
    ]
    assert [DE.number(0.764, "share", places=1), DE.bounds(0.7, 0.8, "share")] == ["76,4\u00a0%", "70 bis 80\u00a0%"]
    assert EN.number(-3.2, "points", places=1) == "\u22123.2"
    assert EN.number(-0.0, "points") == "0"


@pytest.mark.parametrize(
    ("numbers", "unit", "places"),
    [
        ((78.0, 74.0, 82.0), "points", 0),
        ((78.4, 78.0, 79.0), "points", 1),
        ((0.76, 0.68, 0.84), "share", 0),
        ((0.764, 0.76, 0.77), "share", 1),
    ],
)
def test_decimals_are_those_of_the_release(numbers: tuple[float, ...], unit: str, places: int) -> None:
    assert places_of(numbers, unit) == places


def test_dates_and_lists() -> None:
    assert (EN.day(date(2026, 3, 1)), DE.day(date(2026, 3, 1))) == ("1\u00a0March 2026", "1.\u00a0März 2026")
    assert (EN.listed(["a", "b", "c"]), DE.listed(["a", "b"]), EN.listed(["a"])) == ("a, b and c", "a und b", "a")


def test_the_browser_may_choose_the_language() -> None:
    assert [best("fr-FR,de-AT;q=0.9,en;q=0.8"), best(None, "en-GB"), best("fr"), best("de", "en")] == [
        "de",
        "en",
        "en",
        "de",
    ]


def test_an_address_reads_back_what_it_writes() -> None:
    told = Address(path="/metric/trust", lang="de", programme="P & Q", by="department")
    path, _, search = told.text.partition("?")
    assert read(path, f"?{search}") == told
    assert told.to("/") == "/?lang=de&programme=P+%26+Q"
    assert Address().text == "/"
