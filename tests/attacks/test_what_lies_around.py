"""Files, logs and saved pages give nothing away: not an answer, not a session, not a place outside a folder."""

import re
import stat
from pathlib import Path

import pytest
from itsdangerous import URLSafeSerializer
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from dashboard.app import create_app
from dashboard.reports.write import write
from data.settings import Settings
from data.store.accounts import open_accounts
from data.store.engine import Stores, writing
from data.tables import answers
from pipeline.published import open_published
from tests.conftest import KEY
from tests.dashboard.made_releases import NOW, make_release, rows_of


def test_no_other_account_of_the_machine_reads_the_stores(sqlite_stores: Stores, home: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.glob("*.sqlite")}
    assert modes == dict.fromkeys(("raw.sqlite", "published.sqlite", "access.sqlite"), 0o600)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_an_error_of_the_store_does_not_repeat_an_answer(stores: Stores) -> None:
    said = {"response_id": "no such response", "question_id": "trust_1", "value": "what Ben said"}
    with pytest.raises(SQLAlchemyError) as refused, writing(stores.raw) as connection:
        connection.execute(insert(answers), [said])
    assert "answers" in str(refused.value)
    # PostgreSQL's own detail names the key that is missing, never the value.
    assert "what Ben said" not in str(refused.value)


def test_a_saved_page_does_not_hold_its_session(sqlite_stores: Stores, home: Path) -> None:
    settings = Settings(home=home, secret_key=KEY)
    accounts = open_accounts(settings)
    accounts.add(email="cleo@cast.example", role="hr", programme_id=None, password="long enough", now=NOW)
    server = create_app(settings, open_published(settings), accounts, clock=lambda: NOW).server
    token = accounts.sign_in(email="cleo@cast.example", password="long enough", now=NOW)
    assert token is not None
    client = server.test_client()
    client.set_cookie("rapport-session", token, domain="localhost")
    page = client.get("/", headers={"Accept": "text/html"}).get_data(as_text=True)
    form_token = re.search(r'name="token" value="([^"]+)"', page)
    assert form_token is not None
    # Anyone can read what was signed; only its making needs the key.
    signer = URLSafeSerializer(KEY, salt="dashboard form")
    assert token not in str(signer.loads(form_token[1], salt="session"))
    assert client.post("/sign-out", data={"token": form_token[1]}).status_code == 303


def test_a_programme_named_like_a_path_stays_in_the_folder(sqlite_stores: Stores, home: Path, tmp_path: Path) -> None:
    settings = Settings(home=home, secret_key=KEY)
    make_release(sqlite_stores, 1, key=KEY, programme="a/../../outside", rows=rows_of(1))
    out = tmp_path / "deep" / "out"
    (out / "rapport-a").mkdir(parents=True)
    written = write(
        open_published(settings),
        organisation="Example Ltd",
        programme_id=None,
        language="en",
        formats=["html"],
        out=out,
    )
    assert [path.parent for path in written] == [out]
    assert written[0].exists()
