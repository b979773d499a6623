"""What a reader may see: their programme, what controls offer, and never what is withheld."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

import dashboard
from dashboard.app import create_app
from dashboard.words import Words
from pipeline.published import WITHHELD, catalogue, open_published
from tests.dashboard.conftest import Made, Reader, callback, sign_in
from tests.dashboard.made_releases import NOW

NOT_AVAILABLE = Words("en")("not_available_text")
ROOM = Path(dashboard.__file__).parent


def drawn(answer: str) -> list[dict[str, object]]:
    """Every figure in what a callback answered."""
    found: list[dict[str, object]] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if node.get("type") == "Graph":
                found.append(node["props"]["figure"])
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(json.loads(answer))
    return found


@pytest.mark.parametrize("path", ["/", "/metric", "/metric/trust", "/releases"])
def test_hr_and_leader_see_every_page(as_reader: Callable[[str], Reader], path: str) -> None:
    cleo, dan = as_reader("cleo@cast.example"), as_reader("dan@cast.example")
    text = cleo.text(path)
    assert "Round 6" in text
    assert NOT_AVAILABLE not in text
    assert len(drawn(text)) == len(drawn(dan.text(path, "?programme=mentoring")))
    assert "Round 6" in dan.text(path, "?programme=mentoring")


def test_eves_hr_sees_nothing_of_ours(as_reader: Callable[[str], Reader]) -> None:
    eve = as_reader("eve-hr@cast.example")
    for path in ("/", "/metric", "/metric/trust", "/releases"):
        own, ours = eve.text(path), eve.text(path, "?programme=mentoring")
        assert NOT_AVAILABLE in ours
        assert not re.search(r"mentoring-\d|Mentoring 2026", own + ours)
    assert "elsewhere-1-" in eve.text("/releases")
    assert eve.client.get("/releases.csv?programme=mentoring").status_code == 404
    assert "mentoring" not in eve.client.get("/releases.csv").get_data(as_text=True)
    shell = eve.client.get("/?programme=mentoring").get_data(as_text=True)
    assert "Mentoring 2026" not in shell


def test_a_programme_without_a_release_says_what_comes(as_reader: Callable[[str], Reader]) -> None:
    text = as_reader("new-hr@cast.example").text("/")
    assert Words("en")("empty_text") in text
    assert "mentoring-" not in text


def test_another_role_sees_no_numbers(as_reader: Callable[[str], Reader]) -> None:
    rita = as_reader("rita@cast.example")
    assert Words("en")("role_not_allowed") in rita.text("/")
    assert drawn(rita.text("/metric/trust")) == []
    assert rita.client.get("/overview.csv").status_code == 404


@pytest.mark.parametrize(
    ("path", "search"),
    [
        ("/metric/nonsense", ""),
        ("/metric/trust", "?by=salary"),
        ("/metric/trust", "?by=all"),
        ("/metric/staying", "?by=department"),
        ("/", "?round=elsewhere-1"),
        ("/", "?round=" + "x" * 900),
        ("/", "?programme=../../etc"),
        ("/nowhere", ""),
        ("/metric/trust/more", ""),
        ("/metric/<script>alert(1)</script>", ""),
        (None, None),
        (7, ["?"]),
        ({"a": 1}, {}),
    ],
)
def test_what_no_control_offers_is_not_available(cleo: Reader, path: object, search: object) -> None:
    answer = cleo.client.post("/_dash-update-component", json=callback(path, search))
    assert answer.status_code == 200
    assert NOT_AVAILABLE in json.loads(answer.get_data(as_text=True))["response"]["page"]["children"].__repr__()


def test_an_earlier_round_shows_nothing_of_later_ones(cleo: Reader) -> None:
    text = cleo.text("/", "?round=mentoring-3")
    assert "Round 3" in text
    assert "mentoring-4-" not in text
    assert "Round 4" not in text


def test_withheld_numbers_are_nowhere(made: Made, cleo: Reader) -> None:
    rows = made.published.numbers("mentoring")
    hidden = rows[~rows["shown"] & (rows["release"] == rows["release"].max())]
    assert {"Leeds", "Operations"} <= set(hidden["group"])  # there is something that could leak
    feedback = cleo.text("/metric/feedback", "?by=department")
    assert WITHHELD in feedback
    by_department = next(figure for figure in drawn(feedback) if "annotations" in figure["layout"])
    names = [note["text"] for note in by_department["layout"]["annotations"]]
    assert names == ["Engineering", "People &amp; &lt;Culture&gt;"]
    assert all(len(trace["x"]) == 2 for trace in by_department["data"])
    leeds = cleo.text("/metric/trust", "?by=location")
    assert "Leeds" not in json.dumps(drawn(leeds))
    csv = cleo.client.get("/metric/feedback.csv?by=department").get_data(as_text=True).splitlines()
    withheld = [line for line in csv if "Operations" in line]
    assert len(withheld) == 3
    assert all(",,,," in line and line.endswith(f"False,{WITHHELD}") for line in withheld)


def test_the_download_holds_the_rows_of_the_page(cleo: Reader) -> None:
    answer = cleo.client.get("/metric/trust.csv?by=department")
    assert answer.mimetype == "text/csv"
    assert re.fullmatch(
        r'attachment; filename="mentoring-6-\w+-metric-trust\.csv"', answer.headers["Content-Disposition"]
    )
    header, *lines = answer.get_data(as_text=True).splitlines()
    assert header == "programme,release,round,view,group,side,metric,value,low,high,n,unit,claim,shown,reason"
    assert len(lines) == 6 * 3 + 3 * 3


@pytest.mark.parametrize("metric", sorted(catalogue()))
@pytest.mark.parametrize("lang", ["en", "de"])
def test_every_metric_has_its_page(cleo: Reader, metric: str, lang: str) -> None:
    text = cleo.text(f"/metric/{metric}", f"?lang={lang}")
    assert json.dumps(Words(lang).pick(catalogue()[metric].label))[1:-1] in text
    assert Words(lang)("metric_formula") in text


def test_pages_speak_the_language_of_their_address(cleo: Reader) -> None:
    for lang, word in (("en", "Overview"), ("de", "Überblick"), ("xx", "Overview")):
        page = cleo.client.get(f"/?lang={lang}").get_data(as_text=True)
        assert f'<html lang="{lang if lang != "xx" else "en"}">' in page
        assert word in page
    german = cleo.client.get("/metric/trust?lang=de").get_data(as_text=True)
    assert 'href="/?lang=de"' in german
    assert "<title>Vertrauen" in german


class Addresses(HTMLParser):
    """Every address that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


def test_nothing_is_fetched_from_elsewhere(cleo: Reader) -> None:
    for path in ("/", "/sign-in", "/metric/trust"):
        parser = Addresses()
        parser.feed(cleo.client.get(path).get_data(as_text=True))
        assert parser.found
        assert [url for url in parser.found if not url.startswith(("/", "#", "data:,"))] == []
        assert [url for url in parser.found if url.startswith("//")] == []
    for asset in (ROOM / "assets").iterdir():
        content = asset.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|@import|url\(\s*['\"]?//", content), asset.name


def test_trouble_is_told_in_a_sentence(made: Made, tmp_path: Path) -> None:
    empty = open_published(made.settings.model_copy(update={"home": tmp_path}))  # a store without its tables
    server = create_app(made.settings, empty, made.accounts, clock=lambda: NOW).server
    reader = Reader(server.test_client())
    sign_in(reader.client, "cleo@cast.example")
    shell = reader.client.get("/", headers={"Accept-Language": "de"})
    assert (shell.status_code, Words("de")("trouble") in shell.get_data(as_text=True)) == (500, True)
    assert "Traceback" not in shell.get_data(as_text=True)
    assert Words("en")("trouble_text") in reader.text("/")
