"""Account: the password, other sessions, the Monday mail; nothing without a form of one's own session."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from dashboard.app import create_app
from dashboard.words import Words
from data.settings import Settings
from data.store.accounts import MAY_TRY, Accounts, open_accounts
from data.store.engine import migrate, open_stores
from pipeline.published import open_published
from tests.conftest import KEY
from tests.dashboard.conftest import PASSWORD, sign_in
from tests.dashboard.made_releases import NOW

NEW = "correct horse battery staple"
EN = Words("en")
Opened = tuple[Accounts, object]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    settings = Settings(home=tmp_path, secret_key=KEY)
    stores = open_stores(settings)
    migrate(stores)
    accounts = open_accounts(settings)
    for email, role in (("cleo@cast.example", "hr"), ("rita@cast.example", "employee-rep")):
        accounts.add(email=email, role=role, programme_id=None, password=PASSWORD, now=NOW)
    yield accounts, create_app(settings, open_published(settings), accounts, lambda: NOW).server
    stores.dispose()


def entered(opened: Opened, email: str = "cleo@cast.example", password: str = PASSWORD) -> FlaskClient:
    client = opened[1].test_client()  # type: ignore[attr-defined]
    assert sign_in(client, email, password).status_code == 303
    return client


def token(client: FlaskClient) -> str:
    found = re.search(r'name="token" value="([^"]+)"', client.get("/account").get_data(as_text=True))
    assert found is not None
    return found[1]


def change(client: FlaskClient, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> str:
    form = {"token": token(client), "old": old, "new": new, "again": new if again is None else again}
    return client.post("/account/password", data=form).get_data(as_text=True)


def test_a_new_password_opens_and_ends_other_sessions(opened: Opened) -> None:
    here, there = entered(opened), entered(opened)
    assert EN("sessions_other") in here.get("/account").get_data(as_text=True)
    assert EN("password_changed") in change(here)
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 401
    client = opened[1].test_client()  # type: ignore[attr-defined]
    assert sign_in(client, "cleo@cast.example", PASSWORD).status_code == 401
    entered(opened, password=NEW)
    said = [each["action"] for each in opened[0].entries()]
    assert "password changed" in said
    assert not any(NEW in str(each) for each in opened[0].entries())


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", NEW, NEW, "does not fit"),
        (PASSWORD, NEW, NEW + "x", "differ"),
        (PASSWORD, "short", "short", "12 characters"),
        (PASSWORD, "x" * 1025, "x" * 1025, "at most 1024"),
        (PASSWORD, "cleo cleo cleo cleo", "cleo cleo cleo cleo", "too easy"),
        (PASSWORD, "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "too easy"),
    ],
)
def test_a_password_that_does_not_do_changes_nothing(opened: Opened, old: str, new: str, again: str, said: str) -> None:
    assert said in change(entered(opened), old, new, again)
    entered(opened)


def test_wrong_old_passwords_count_as_at_sign_in(opened: Opened) -> None:
    client = entered(opened)
    for _ in range(MAY_TRY):
        assert "does not fit" in change(client, old="guessed")
    assert "does not fit" in change(client)  # the right one, too late
    again = opened[1].test_client()  # type: ignore[attr-defined]
    assert sign_in(again, "cleo@cast.example").status_code == 401


def test_other_sessions_end_and_this_one_goes_on(opened: Opened) -> None:
    here, there = entered(opened), entered(opened)
    answer = here.post("/account/elsewhere", data={"token": token(here)}).get_data(as_text=True)
    assert EN("signed_out_elsewhere") in answer
    assert EN("sessions_only") in answer
    assert (here.get("/account").status_code, there.get("/account").status_code) == (200, 401)


def test_the_monday_mail_is_switched_by_hr_only(opened: Opened) -> None:
    client = entered(opened)
    for wanted in ("no", "yes"):
        client.post("/account/weekly", data={"token": token(client), "wanted": wanted})
        assert opened[0].is_told_weekly("cleo@cast.example") is (wanted == "yes")
    assert EN("weekly_title") not in entered(opened, "rita@cast.example").get("/account").get_data(as_text=True)


@pytest.mark.parametrize("form", ["password", "elsewhere", "weekly"])
def test_a_form_of_another_session_does_nothing(opened: Opened, form: str) -> None:
    mine, other = entered(opened), entered(opened, "rita@cast.example")
    data = {"old": PASSWORD, "new": NEW, "again": NEW, "wanted": "no"}
    for stolen in (token(other), "", "nonsense"):
        assert mine.post(f"/account/{form}", data={**data, "token": stolen}).status_code == 400
    foreign = {"Origin": "http://evil.example"}
    assert mine.post(f"/account/{form}", data={**data, "token": token(mine)}, headers=foreign).status_code == 403
    assert opened[1].test_client().post(f"/account/{form}", data=data).status_code == 401  # type: ignore[attr-defined]
    entered(opened)
    assert opened[0].is_told_weekly("cleo@cast.example")


def test_every_role_has_its_account_in_both_languages(opened: Opened) -> None:
    client = entered(opened, "rita@cast.example")
    assert "employee representative" in client.get("/account?lang=en").get_data(as_text=True)
    german = client.get("/account?lang=de").get_data(as_text=True)
    assert '<html lang="de">' in german
    assert "Interessenvertretung" in german
