"""What is kept is kept for nobody else, and never longer than it is true; what is sent is sent once."""

import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dash import html
from flask import Flask
from flask.testing import FlaskClient
from plotly.offline import get_plotlyjs_version
from sqlalchemy import update

from dashboard import app, kept, loading
from dashboard.address import Address
from dashboard.app import create_app
from dashboard.kept import Pages
from dashboard.loading import DASH, FOREVER, OURS, PLOTLY, Loading
from dashboard.visit import Visit, visit
from data.settings import Settings
from data.store.accounts import Account, open_accounts
from data.store.desk import Order
from data.store.engine import Stores, writing
from data.store.releases import withdraw_release
from data.tables import releases as kept_releases
from pipeline.published import open_published
from tests.dashboard.conftest import KEY, PASSWORD, Made, Reader, sign_in
from tests.dashboard.made_releases import NOW, make_release
from tests.dashboard.test_scope import NOT_AVAILABLE, drawn

ROOM = Path(loading.__file__).parent
FIRST = re.compile(r'<script id="first" type="application/json">(.*?)</script>', re.DOTALL)
CLEO = Account(email="cleo@cast.example", role="hr", programme_id="mentoring")


def shell(reader: Reader, path: str = "/") -> str:
    return str(reader.client.get(path).get_data(as_text=True))


# --- what was released counts at once -----------------------------------------------------------


@pytest.fixture
def own(sqlite_stores: Stores, home: Path) -> tuple[Stores, Reader]:
    """An installation of one's own with two releases, and its HR signed in."""
    settings = Settings(home=home, secret_key=KEY)
    for number in (1, 2):
        make_release(sqlite_stores, number, key=KEY)
    accounts = open_accounts(settings)
    accounts.add(email=CLEO.email, role="hr", programme_id=None, password=PASSWORD, now=NOW)
    reader = Reader(create_app(settings, open_published(settings), accounts, clock=lambda: NOW).server.test_client())
    sign_in(reader.client, CLEO.email)
    return sqlite_stores, reader


def test_a_new_release_is_seen_at_the_next_look(own: tuple[Stores, Reader]) -> None:
    stores, cleo = own
    assert "Round 3" not in cleo.text()
    make_release(stores, 3, key=KEY)
    assert "Round 3" in cleo.text()


def test_a_withdrawn_release_is_gone_at_the_next_look(own: tuple[Stores, Reader]) -> None:
    stores, cleo = own
    newest = open_published(Settings(home=Path(str(stores.raw.url.database)).parent, secret_key=KEY))
    release_id = newest.releases("mentoring")[-1].id
    assert release_id in cleo.text()
    with writing(stores.published) as connection:
        withdraw_release(connection, release_id, reason="wrong export", now=NOW)
    for text in (cleo.text(), shell(cleo)):
        assert release_id not in text
        assert "Round 1" in text


@pytest.mark.parametrize("column", ["content", "content_sha256", "seal"])
def test_a_release_that_was_changed_is_gone_at_the_next_look(own: tuple[Stores, Reader], column: str) -> None:
    stores, cleo = own
    assert "Round 2" in cleo.text()
    changed = {"content": kept_releases.c.content + " "}.get(column, "0" * 64)
    with writing(stores.published) as connection:
        second = kept_releases.c.round_id == "mentoring-2"
        connection.execute(update(kept_releases).where(second).values({column: changed}))
    assert "Round 2" not in cleo.text()
    assert "Round 1" in cleo.text()


# --- pages are kept for the same rights only ----------------------------------------------------


class Counted:
    """A page that counts how often it is made, and shows whose eyes it is made for."""

    def __init__(self) -> None:
        self.n = 0

    def title(self, _visit: Visit) -> str:
        return ""

    def show(self, visit: Visit) -> list[object]:
        self.n += 1
        return [html.P(f"{self.n} {visit.account.email} {len(visit.orders)}")]

    def shown(self, visit: Visit) -> Any:
        return visit.released.rows


def looking(made: Made, *, at: str = "/", account: Account = CLEO, **more: str) -> Visit:
    return visit(made.published, account, Address(path=at, **more))


def test_a_page_serves_everybody_with_the_same_rights_and_names_nobody(made: Made) -> None:
    page = Counted()
    pages = Pages([page])
    first = pages.content(page, looking(made))
    assert pages.content(page, looking(made, account=replace(CLEO, email="other@cast.example"))) is first
    assert page.n == 1
    assert CLEO.email not in first.text


@pytest.mark.parametrize(
    "other",
    [
        {"account": replace(CLEO, role="leader")},
        {"account": replace(CLEO, programme_id=None)},
        {"at": "/metric"},
        {"lang": "de"},
        {"round": "mentoring-3"},
        {"programme": "mentoring"},
    ],
)
def test_other_rights_and_other_addresses_have_pages_of_their_own(made: Made, other: dict[str, Any]) -> None:
    page = Counted()
    pages = Pages([page])
    first = pages.content(page, looking(made))
    assert pages.content(page, looking(made, **other)) is not first
    assert pages.content(page, looking(made)) is first


def test_a_page_is_made_again_when_anything_it_is_made_from_has_changed(made: Made) -> None:
    page = Counted()
    pages = Pages([page])
    before = looking(made)
    about = {"order_id": 1, "programme_id": "mentoring", "kind": "action", "subject": "all", "place": 1}
    order = Order(**about, content={}, asked_by="x", asked_at=NOW, state="waiting", told=None, done_at=None)
    for change in (
        {"orders": [order]},
        {"orders": [replace(order, state="done")]},
        {"places": {("action", "all"): 1}},
        {"comments": [SimpleNamespace(number=1)]},
        {"releases": before.releases[:-1]},
        {"numbers": replace(before.released)},
    ):
        pages.content(page, before)
        n = page.n
        pages.content(page, before)
        assert page.n == n
        pages.content(page, replace(before, **change))
        assert page.n == n + 1, change


def test_a_page_that_is_not_shared_is_made_each_time_with_its_reader(made: Made) -> None:
    page = Counted()
    pages = Pages([])
    for n in (1, 2):
        assert f"{n} {CLEO.email}" in pages.content(page, looking(made)).text


def test_only_so_many_pages_are_kept(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    page = Counted()
    pages = Pages([page])
    for at in ("/a", "/b", "/a", "/c", "/a", "/b"):  # b is the one not looked at for longest when c comes
        pages.content(page, looking(made, at=at))
    assert page.n == 4


def test_eve_gets_nothing_of_what_was_kept_for_cleo(as_reader: Callable[[str], Reader]) -> None:
    cleo, eve = as_reader("cleo@cast.example"), as_reader("eve-hr@cast.example")
    for path in ("/", "/metric/trust", "/quality", "/releases"):
        for _ in range(2):
            assert "mentoring-6" in cleo.text(path, "?programme=mentoring")
            assert "mentoring-6" in shell(cleo, f"{path}?programme=mentoring")
        assert NOT_AVAILABLE in eve.text(path, "?programme=mentoring")
        assert NOT_AVAILABLE in shell(eve, f"{path}?programme=mentoring")
        assert not re.search(r"mentoring-\d|Mentoring 2026", eve.text(path) + shell(eve, path))


def test_hr_only_pages_are_never_kept() -> None:
    hr_only = {app.PAGES[path] for path in app.ONLY_HR}
    assert hr_only
    assert not hr_only & set(app.SHARED)


# --- the shell brings the first content -----------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/metric/trust?by=department&lang=de", "/comments", "/metric/nonsense"])
def test_the_shell_brings_what_the_callback_would_answer(cleo: Reader, path: str) -> None:
    found = FIRST.search(shell(cleo, path))
    assert found is not None
    assert "<" not in found[1]
    where, _, search = path.partition("?")
    answered = json.loads(cleo.text(where, f"?{search}" if search else ""))
    assert json.loads(found[1]) == answered["response"]["page"]["children"]


def test_plotly_is_fetched_beforehand_only_where_there_are_charts(cleo: Reader) -> None:
    assert f'rel="preload" as="script" href="{OURS}{PLOTLY}?m=' in shell(cleo)
    assert PLOTLY not in shell(cleo, "/releases").partition("</head>")[0]


def test_where_the_first_content_fails_it_says_so(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_visit: Visit) -> list[object]:
        raise ZeroDivisionError

    monkeypatch.setattr(app.method, "show", fails)
    cleo = Reader(made.server.test_client())
    sign_in(cleo.client, CLEO.email)
    with monkeypatch.context() as words:
        words.setattr(app.log, "error", lambda *_, **__: None)
        text = shell(cleo, "/method?find=asked-for-the-first-time")  # a page made before would come from memory
    assert "Traceback" not in text
    assert json.loads(FIRST.findall(text)[0])["props"]["className"] == "notice"


# --- scripts and styles ------------------------------------------------------------------------------


def addresses(page: str) -> list[str]:
    return [each for each in re.findall(r'(?:src|href)="(/[^"]+)"', page) if each.startswith((DASH, OURS))]


def test_every_file_of_a_page_is_packed_kept_for_ever_and_named_after_its_content(cleo: Reader) -> None:
    found = addresses(shell(cleo))
    assert len(found) > 8
    assert any("dash_renderer" in each for each in found)
    for address in found:
        packed = cleo.client.get(address, headers={"Accept-Encoding": "gzip, br"})
        plain = cleo.client.get(address)
        assert packed.headers["Cache-Control"] == plain.headers["Cache-Control"] == FOREVER
        assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(packed.data) == plain.data
        assert hashlib.sha256(plain.data).hexdigest()[:16] in address
        assert len(packed.data) <= len(gzip.compress(plain.data, 9, mtime=0))


@pytest.mark.parametrize("digest", ["", "?m=", "?m=0123456789abcdef", "?m=1795366208.6"])
def test_an_address_that_does_not_name_the_content_is_not_kept(cleo: Reader, digest: str) -> None:
    assert cleo.client.get(f"{OURS}dashboard.css{digest}").headers["Cache-Control"] == "no-store"
    other = digest.removeprefix("?m=").replace(".", "")
    name = f"react@18.v4_4_1m{other}.3.1.min.js" if other else "react@18.3.1.min.js"
    answer = cleo.client.get(f"{DASH}dash/deps/{name}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


def test_only_the_style_is_open_and_only_what_is_listed_is_sent(cleo: Reader, visitor: FlaskClient) -> None:
    for address in addresses(shell(cleo)):
        is_style = address.startswith(f"{OURS}dashboard.css")
        assert visitor.get(address).status_code == (200 if is_style else 401), address
    for path in ("plotly-basic.LICENSE", "../app.py", "..%2fapp.py", "nothing.js"):
        answer = cleo.client.get(f"{OURS}{path}")
        assert answer.status_code == 404 or "text/html" in answer.content_type, path
        assert b"def create_app" not in answer.data
    for path in ("plotly/package_data/datasets/iris.csv.gz", "dash/dash.py", "os/path.py", "dash", ""):
        answer = cleo.client.get(f"{DASH}{path}")
        assert answer.status_code == 404 or "text/html" in answer.content_type, path


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this room's files that a test may change."""
    for folder in ("assets", "vendored"):
        shutil.copytree(ROOM / folder, tmp_path / folder)
    monkeypatch.setattr(loading, "ROOM", tmp_path)
    return tmp_path


@pytest.fixture
def server(room: Path) -> tuple[Loading, FlaskClient]:
    served, files = Flask("served", static_folder=None), Loading({})
    served.before_request(files.answer)
    return files, served.test_client()


def test_a_changed_file_has_another_address(room: Path) -> None:
    before = Loading({}).address(f"{OURS}dashboard.css")
    assert Loading({}).address(f"{OURS}dashboard.css") == before
    (room / "assets" / "dashboard.css").write_text("body {}", encoding="utf-8")
    assert Loading({}).address(f"{OURS}dashboard.css") != before


def test_files_are_sent_from_memory(room: Path, server: tuple[Loading, FlaskClient]) -> None:
    files, client = server
    address = files.address(f"{OURS}page.js")
    first = client.get(address, headers={"Accept-Encoding": "gzip"})
    shutil.rmtree(room / "assets")
    again = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert (again.status_code, again.data) == (200, first.data)
    assert client.head(address).data == b""


# --- plotly.js -----------------------------------------------------------------------------------------


def test_the_vendored_scripts_are_those_that_readme_names() -> None:
    readme = (ROOM / "README.md").read_text(encoding="utf-8")
    scripts = sorted((ROOM / "vendored").glob("*.js"))
    assert len(scripts) == 2
    for script in scripts:
        digest = hashlib.sha256(script.read_bytes()).hexdigest()
        assert f"| `{script.name}` |" in readme
        assert digest in readme, script.name
        assert "MIT" in script.read_text(encoding="utf-8")[:400]
        license_text = script.with_name(f"{script.name.partition('.')[0]}.LICENSE").read_text(encoding="utf-8")
        assert license_text.startswith("MIT License")


def test_the_bundle_draws_every_kind_of_trace_that_is_used(cleo: Reader) -> None:
    bundle = (ROOM / "vendored" / PLOTLY).read_text(encoding="utf-8")
    kinds = set(re.findall(r'moduleType:"trace",name:"(\w+)"', bundle))
    paths = [path for path in app.PAGES if not path.endswith("/") or path == "/"]
    figures: list[Any] = [figure for path in (*paths, "/metric/trust") for figure in drawn(cleo.text(path))]
    used = {trace["type"] for figure in figures for trace in figure["data"]}
    assert used
    assert used <= kinds


def test_it_is_the_plotly_that_dash_would_have_brought(cleo: Reader) -> None:
    bundle = (ROOM / "vendored" / PLOTLY).read_text(encoding="utf-8")
    assert bundle[:60].splitlines()[1].endswith(f"v{get_plotlyjs_version()}")
    page = shell(cleo)
    told = json.loads(re.findall(r'id="_dash-config" type="application/json">(.*?)</script>', page)[0])
    assert told["serve_locally"] is False  # otherwise Dash takes its own, all 4.8 MB of it
    assert told["plotlyjs_url"] == re.findall(r'as="script" href="([^"]+)"', page)[0]
    for unused in ("package_data", "dash_table", "polyfill"):
        assert unused not in "".join(addresses(page))


def test_a_session_that_has_ended_gets_no_kept_page(made: Made) -> None:
    times = [NOW]
    server = create_app(made.settings, made.published, made.accounts, clock=lambda: times[-1]).server
    cleo = Reader(server.test_client())
    sign_in(cleo.client, CLEO.email)
    assert cleo.page().status_code == 200
    times.append(NOW + timedelta(minutes=61))
    assert cleo.page().status_code == 401
    assert b'id="first"' not in cleo.client.get("/").data
