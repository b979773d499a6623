"""Every surface shows a withheld result with one sentence, whatever its cause, and nothing but what is published."""

import ast
import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import dashboard
from dashboard.app import PAGES, create_app
from dashboard.reports.write import write
from dashboard.words import LANGUAGES, Words
from data.settings import Settings
from data.store.accounts import open_accounts
from data.store.engine import migrate, open_stores
from pipeline.jobs import run_due
from pipeline.published import WITHHELD, as_csv, as_json, open_published
from tests.conftest import KEY
from tests.dashboard.conftest import PASSWORD, Reader, sign_in
from tests.dashboard.made_releases import make_release, rows_of
from tests.pipeline.stored import DEPARTMENTS, NOW, ask, make_programme

ROOM = Path(dashboard.__file__).parent
Said = Callable[[int, str, int, str], str | None]


def mixed(k: int, side: str, _number: int, question_id: str) -> str:
    """Opinions of every kind in every department."""
    return "2345"[(k // 4 + (k // 16) + len(question_id) + (side == "mentor")) % 4]


def few(k: int, side: str, number: int, question_id: str) -> str | None:
    """Three of the north answer."""
    return mixed(k, side, number, question_id) if k % 4 or k < 12 else None


def unanimous(k: int, side: str, number: int, question_id: str) -> str:
    return mixed(k, side, number, question_id) if k % 4 else "1"


def tiny(k: int, side: str, number: int, question_id: str) -> str | None:
    return mixed(k, side, number, question_id) if k < 9 else None


CAUSES: dict[str, Said] = {"few": few, "unanimous": unanimous, "tiny": tiny}


class Surfaces:
    """One installation with a programme for each cause, and one where nothing needs to be withheld."""

    def __init__(self, home: Path) -> None:
        self.stores = open_stores(Settings(home=home, secret_key=KEY))
        migrate(self.stores)
        for name, said in {"shown": mixed, **CAUSES}.items():
            make_programme(self.stores, name)
            ask(self.stores, 1, name, said=said)
        run_due(self.stores, key=KEY, now=NOW)
        settings = Settings(home=home, secret_key=KEY)
        accounts = open_accounts(settings)
        accounts.add(email="dan@cast.example", role="leader", programme_id=None, password=PASSWORD, now=NOW)
        self.published = open_published(settings)
        self.reader = Reader(create_app(settings, self.published, accounts, clock=lambda: NOW).server.test_client())
        sign_in(self.reader.client, "dan@cast.example")

    def rows(self, programme: str, **wanted: str) -> list[dict[str, Any]]:
        rows = json.loads(as_json(self.published.numbers(programme)))
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def page(self, path: str, programme: str, lang: str, by: str = "") -> Any:
        search = f"?programme={programme}&lang={lang}" + (f"&by={by}" if by else "")
        return json.loads(self.reader.text(path, search))


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surfaces]:
    made = Surfaces(tmp_path_factory.mktemp("wording"))
    yield made
    made.stores.dispose()


def withheld_parts(node: Any) -> list[str]:
    """The text of everything on a page that is marked as withheld."""
    if isinstance(node, list):
        return [text for each in node for text in withheld_parts(each)]
    if not isinstance(node, dict):
        return []
    props = node.get("props", {})
    own = [str(props["children"])] if props.get("className") == "withheld" else []
    return own + [text for each in node.values() for text in withheld_parts(each)]


# --- each cause withholds, and reads the same ------------------------------------------------------


def test_each_cause_withholds_the_north_and_the_control_does_not(surfaces: Surfaces) -> None:
    north = {"metric": "trust", "view": "department", "group": "north", "side": "both"}
    assert [row["shown"] for row in surfaces.rows("shown", **north)] == [True]
    for cause in CAUSES:
        (row,) = surfaces.rows(cause, **north)
        assert (row["shown"], row["reason"]) == (False, WITHHELD)
    whole = {"metric": "trust", "view": "all", "side": "both"}
    assert [surfaces.rows(cause, **whole)[0]["shown"] for cause in CAUSES] == [True, True, False]


def test_rows_that_are_withheld_differ_in_nothing_between_causes(surfaces: Surfaces) -> None:
    plain: dict[str, set[str]] = {}
    for cause in CAUSES:
        rows = [row for row in surfaces.rows(cause) if not row["shown"]]
        assert rows
        for row in rows:
            about = {name: value for name, value in row.items() if name not in ("programme", "release", "round")}
            said = {name: about.pop(name) for name in ("value", "low", "high", "n", "reason", "shown")}
            assert said == {"value": None, "low": None, "high": None, "n": None, "reason": WITHHELD, "shown": False}
            plain.setdefault(json.dumps(about, sort_keys=True), set()).add(cause)
    assert {"few", "unanimous", "tiny"} in plain.values()  # one and the same row, withheld for three reasons
    table = list(csv.DictReader(as_csv(surfaces.published.numbers()).splitlines()))
    assert {row["reason"] for row in table if row["shown"] == "False"} == {WITHHELD}
    assert {row["reason"] for row in table if row["shown"] == "True"} == {""}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_say_one_sentence_in_their_language(surfaces: Surfaces, lang: str) -> None:
    sentence = Words(lang)("withheld")
    for cause in CAUSES:
        said = withheld_parts(surfaces.page("/metric/trust", cause, lang, by="department"))
        hidden = surfaces.rows(cause, metric="trust")
        n_hidden = sum(not row["shown"] for row in hidden if row["view"] in ("all", "department"))
        assert said == [sentence] * n_hidden
        assert n_hidden > 0
        for path in PAGES:
            page = surfaces.page(f"{path}trust" if path.endswith("/") and path != "/" else path, cause, lang)
            assert set(withheld_parts(page)) <= {sentence}
    assert withheld_parts(surfaces.page("/", "tiny", lang)) != []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reports_say_the_same_sentence(surfaces: Surfaces, tmp_path: Path, lang: str) -> None:
    sentence = Words(lang)("withheld")
    for cause in CAUSES:
        (path,) = write(
            surfaces.published, organisation="O", programme_id=cause, language=lang, formats=["html"], out=tmp_path
        )
        text = path.read_text("utf-8")
        said = re.findall(r'<td class="withheld"[^>]*>([^<]*)</td>', text)
        assert set(said) <= {sentence}
        n_hidden = sum(not row["shown"] for row in surfaces.rows(cause, view="all"))
        assert len(said) >= n_hidden
        assert n_hidden > 0 or cause != "tiny"
        assert not set(DEPARTMENTS) & set(re.findall(r"\w+", text))  # no group's result on paper


def test_a_language_has_one_such_sentence() -> None:
    for lang in LANGUAGES:
        assert Words(lang)("withheld")
    assert Words("en")("withheld") == WITHHELD


# --- one door --------------------------------------------------------------------------------------


def test_downloads_hold_published_rows_and_nothing_else(surfaces: Surfaces) -> None:
    everything = set(as_csv(surfaces.published.numbers()).splitlines())
    for programme in ("shown", *CAUSES):
        for path in ("overview", "metric", "metric/trust", "two-sides", "quality", "releases"):
            answer = surfaces.reader.client.get(f"/{path}.csv?programme={programme}&by=department")
            answer = answer if answer.status_code == 200 else surfaces.reader.client.get(
                f"/{path}.csv?programme={programme}"
            )  # fmt: skip
            assert answer.status_code == 200, path
            lines = answer.get_data(as_text=True).splitlines()
            assert set(lines) <= everything, path
            assert len(lines) > 1, path


def test_two_way_views_and_three_rounds_have_names_and_the_same_sentence(surfaces: Surfaces) -> None:
    rows = rows_of(1)
    own = [row for row in rows if row["metric"] == "trust" and row["view"] == "department"]
    shown = [{**row, "view": "department × location", "group": f"{row['group']} × not stated"} for row in own]
    hidden = {"value": None, "low": None, "high": None, "n": None, "shown": False, "reason": WITHHELD}
    pooled = [{**row, **hidden, "view": "department, 3 rounds", "group": "Engineering + Operations"} for row in own[:3]]
    make_release(surfaces.stores, 1, key=KEY, programme="views", rows=[*rows, *shown, *pooled])
    names = {
        "en": ("Department × Location", "Department, three rounds", "Engineering × not stated"),
        "de": ("Abteilung × Standort", "Abteilung, drei Runden", "Engineering × nicht angegeben"),
    }
    for lang in LANGUAGES:
        two_way = surfaces.page("/metric/trust", "views", lang, by="department × location")
        three = surfaces.page("/metric/trust", "views", lang, by="department, 3 rounds")
        text = json.dumps([two_way, three], ensure_ascii=False)
        assert [name for name in names[lang] if name not in text] == []
        assert withheld_parts(three)[-3:] == [Words(lang)("withheld")] * 3


def test_no_surface_has_another_way_to_numbers() -> None:
    """The dashboard imports one module of the pipeline, and of data no store but accounts."""
    allowed = {"data.settings", "data.errors", "data.contracts", "data.store.accounts", "data.terminal"}
    allowed |= {"data.timetable", "data.store.desk", "pipeline.published"}
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                bare = node.module in ("data", "pipeline", "surveys", "data.store")
                names = [f"{node.module}.{each.name}" for each in node.names] if bare else [node.module]
            rooms = {name for name in names if name.split(".")[0] in ("data", "surveys", "pipeline")}
            assert rooms <= allowed, path.name
