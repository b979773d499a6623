"""Fetches every byte that each role can get of an installation: pages, downloads, mails, verbs, logs, files."""

import email
import email.policy
import io
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from html import unescape
from pathlib import Path

from pypdf import PdfReader
from starlette.testclient import TestClient

from dashboard.app import NAVIGATION, create_app
from data.store.accounts import open_accounts
from data.store.comments import batches_of
from data.store.desk import Desk
from data.store.engine import reading
from data.store.releases import releases_of
from pipeline.published import catalogue, open_published
from surveys.web import create_app as answering
from tests.attacks.installation import ACCOUNTS, MIDDLE, Installation, tokens
from tests.dashboard.conftest import Reader, callback, sign_in

HR_AND_LEADER = ("cleo@cast.example", "dan@cast.example")
Artefacts = dict[str, str]  # "role/what" → text
DASHBOARD = (
    *NAVIGATION.values(),
    "/metric/trust?by=department",
    "/metric/satisfaction",
    "/pairings?find=Ben",
    "/help",
    "/?round=R1",
    "/?lang=de",
    "/?programme=elsewhere",
    "/nowhere",
)
IMPORTS = ("people", "pairings", "employment", "engagement", "engagement-groups", "workbook")
VERBS = (
    ("published", "--as", "json"),
    ("published", "--as", "csv"),
    ("rounds",),
    ("rounds", "--json"),
    ("rounds", "due"),
    ("rounds", "cadence", "mentoring"),
    ("quarantine",),
    ("quarantine", "--json"),
    ("doctor",),
    ("doctor", "--json"),
    ("verify",),
    ("forecast",),
    ("comments",),
    ("comments", "--json"),
    ("mail", "check"),
    ("mail", "bounces"),
    ("mail", "preview"),
    ("run",),
    ("mail", "test", "root@cast.example"),
    ("programme", "thresholds", "mentoring"),
    ("programme", "groups", "mentoring"),
    ("forecast", "mentoring"),
    # and those that fail
    ("run", "--round", "nowhere"),
    ("verify", "nowhere"),
    ("published", "--as", "xml"),
    ("rounds", "close", "R1"),
    ("rounds", "open", "R1"),
    ("rounds", "reply", "nowhere", "--said", "a", "--will", "b"),
    ("comments", "pool", "elsewhere", "{home}/none.csv"),
    ("comments", "pool", "mentoring", "{home}/rapport.toml/none.csv"),
    ("comments", "release", "mentoring", "{home}/rapport.toml", "--by", "Rita"),
    ("comments", "release", "mentoring", "{home}/rapport.toml", "--by", "cleo@cast.example"),
    ("comments", "withdraw", "nowhere", "--reason", "a"),
    *(("import", kind, "{home}/rapport.toml") for kind in IMPORTS),
    ("import", "answers", "{home}/rapport.toml", "--from", "csv", "--round", "R1"),
    ("import", "undo", "nowhere"),
    ("backup", "{home}/rapport.toml/b.zip"),
    ("restore", "{home}/rapport.toml"),
    ("release", "withdraw", "nowhere", "--reason", "a"),
    ("account", "add", "nobody", "--role", "hr"),
)


def afterwards(of: Installation, now: datetime, *, thorough: bool = False) -> Artefacts:
    """All that is there once the rounds are over; `thorough` adds other roles, every metric and the report as PDF."""
    return {
        **dashboard_pages(of, now, ACCOUNTS if thorough else HR_AND_LEADER, thorough=thorough),
        **reports(of, ("html", "pdf") if thorough else ("html",)),
        **mails(of.home),
        **files(of.home),
        **manifests(of),
    }


def verbs(of: Installation, wanted: Iterable[tuple[str, ...]] = VERBS) -> Artefacts:
    """What each verb prints, those that fail among them."""
    return {f"verbs/{' '.join(words)}": of.rapport(*_placed(words, of.home)) for words in wanted}


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Everything that any logger says, down to the last detail; but how fonts are found, once a process."""
    text = io.StringIO()
    handler, root = logging.StreamHandler(text), logging.getLogger()
    handler.addFilter(lambda record: not record.name.startswith("matplotlib"))
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def _placed(words: tuple[str, ...], home: Path) -> list[str]:
    return [word.replace("{home}", str(home)) for word in words]


# --- the answering pages -----------------------------------------------------------------------------


def answering_pages(of: Installation) -> Artefacts:
    """What a visitor without a link, Ada and somebody of another pairing get; each also answers once."""
    found: Artefacts = {}
    known = tokens(of)
    app = answering(of.settings, of.stores, lambda: MIDDLE)
    for who, token in (("visitor", ""), ("ada", known["ada"]), ("guide2", known["guide2"])):
        phone = TestClient(app, base_url="http://127.0.0.1:8051", raise_server_exceptions=False)
        for language in ("en", "de"):
            page = phone.get(f"/a/{token or 'x' * 43}?lang={language}").text
            found[f"{who}/answer {language}"] = page
        for path in ("/answer", "/answer?for=P0", "/thanks", "/u/" + "x" * 43, "/static/answer.css", "/nowhere", "/me"):
            found[f"{who}{path}"] = phone.get(path).text
        for path in ("/answer", "/draft", "/thanks"):
            found[f"{who}/post {path}"] = phone.post(path, data={"submission": "made up"}).text
        for name in ("/draft", "/answer"):
            whole = phone.post(name, data={**_hidden(page), **_taps(page), "submission": "made up"})
            found[f"{who}/send {name}"] = f"{whole.status_code} {whole.text}"
    return found


def _hidden(page: str) -> dict[str, str]:
    return {name: unescape(v) for name, v in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)}


def _taps(page: str) -> dict[str, str]:
    return dict.fromkeys(re.findall(r'type="radio" name="(q:[^"]+)"', page), "3")


# --- the dashboard -----------------------------------------------------------------------------------


def dashboard_pages(of: Installation, now: datetime, readers: Iterable[str], *, thorough: bool) -> Artefacts:
    """Shell, callback and download of every page as every role, and what goes wrong."""
    server = create_app(of.settings, open_published(of.settings), open_accounts(of.settings), lambda: now).server
    found: Artefacts = {}
    for who in readers:
        role, programme = ACCOUNTS[who]
        is_first = thorough and who == HR_AND_LEADER[0]
        paths = [*DASHBOARD, *(f"/metric/{name}" for name in catalogue())] if is_first else DASHBOARD
        reader = Reader(server.test_client())
        assert sign_in(reader.client, who).status_code == 303
        name = f"{role} of {programme}" if programme else role
        for asked in paths if role in ("hr", "leader") else paths[:3]:
            path, _, search = asked.partition("?")
            found[f"{name}/shell {asked}"] = reader.client.get(asked).get_data(as_text=True)
            found[f"{name}/page {asked}"] = reader.page(path, search and f"?{search}").get_data(as_text=True)
            csv = f"{path.rstrip('/') or '/overview'}.csv{search and f'?{search}'}"
            found[f"{name}/csv {asked}"] = reader.client.get(csv).get_data(as_text=True)
        found |= {f"{name}/{what}": said for what, said in _mistakes(reader).items()}
    return found


def _mistakes(reader: Reader) -> Mapping[str, str]:
    """A page that is not there, a foreign form, a broken callback, a token that does not fit."""
    client = reader.client
    said = {
        "404": client.get("/nowhere.csv"),
        "foreign": client.post("/sign-out", headers={"Origin": "http://evil.example"}),
        "stale": client.post("/sign-out", data={"token": "x"}),
        "callback": client.post("/_dash-update-component", json={**callback("/", ""), "output": "nowhere.children"}),
        "broken": client.post("/_dash-update-component", data="{", headers={"Content-Type": "application/json"}),
        "counts": client.get("/metrics"),
        "ready": client.get("/readyz"),
        "layout": client.get("/_dash-layout"),
        "dependencies": client.get("/_dash-dependencies"),
    }
    return {what: f"{answer.status_code} {answer.get_data(as_text=True)}" for what, answer in said.items()}


# --- what lies about ---------------------------------------------------------------------------------


def reports(of: Installation, formats: tuple[str, ...]) -> Artefacts:
    out = of.home.parent / f"reports of {of.home.name}"
    found = {"leader/report": of.rapport("report", "--as", ",".join(formats), "--out", str(out))}
    for path in sorted(out.iterdir()) if out.exists() else []:
        found[f"leader/report {path.suffix}"] = text_of(path)
    return found


def text_of(path: Path) -> str:
    """A file as a reader of its kind sees it."""
    if path.suffix == ".pdf":
        read = PdfReader(path)
        return "\n".join([*(page.extract_text() for page in read.pages), json.dumps(read.metadata, default=str)])
    return path.read_text(encoding="utf-8", errors="replace")


def mails(home: Path) -> Artefacts:
    """Each mail by who gets it and what it is about, with its headers and texts."""
    found: Artefacts = {}
    for path in (home / "outbox").glob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        to = mail["To"].addresses[0].addr_spec.partition("@")[0]
        whole = "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *parts])
        found[f"mail to {to}/{mail['Date']} {mail['Subject']}"] = whole
    return found


def files(home: Path) -> Artefacts:
    """Every file of the home that is no store, backup or mail, with its mode."""
    found: Artefacts = {}
    for path in sorted(each for each in home.rglob("*") if each.is_file()):
        name = str(path.relative_to(home))
        if not name.startswith(("backups/", "outbox/")) and ".sqlite" not in name:
            found[f"file/{name}"] = f"{path.stat().st_mode & 0o777:o}\n{text_of(path)}"
    return found


def manifests(of: Installation) -> Artefacts:
    """The published store and the operational views, as the dashboard's account of the database reads them."""
    with reading(of.stores.published) as connection:
        kept = [*releases_of(connection), *batches_of(connection)]
        programmes = sorted({each.programme_id for each in kept})
    views = {
        f"operational view {id_}/{name}": json.dumps(dict(board.content), ensure_ascii=False)
        for id_ in programmes
        for name, board in Desk(of.stores.access).boards(id_).items()
    }
    return {**{f"published store/{at}": each.content for at, each in enumerate(kept)}, **views}
