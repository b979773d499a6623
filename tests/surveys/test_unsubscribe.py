"""Unsubscribing: looking changes nothing, the button and the mail program's one click do, and back again."""

import pytest
from starlette.testclient import TestClient

from data.settings import Settings
from data.store import outbox, rounds
from data.store.engine import reading, writing
from surveys import links
from surveys.web import create_app
from tests.conftest import KEY
from tests.support import cast

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def phone(stores, home):
    """A phone, and Ben's link out of his mails."""
    cast.ada_and_ben(stores)
    with writing(stores.raw) as connection:
        of = rounds.read_round(connection, "R1")
        token = links.make(
            connection, purpose="unsubscribe", person_id="ben", of=of, now=cast.OPENS,
            expires_at=cast.CLOSES.replace(year=2028),
        )  # fmt: skip
    app = create_app(Settings(home=home, secret_key=KEY), stores, lambda: cast.NOON.replace(year=2027))
    with TestClient(app, base_url="http://127.0.0.1:8051") as opened:
        yield opened, f"/u/{token}"


def silent(stores) -> set[str]:
    with reading(stores.raw) as connection:
        return outbox.unsubscribed_people(connection, ["ada", "ben"])


def test_looking_changes_nothing(phone, stores):
    opened, link = phone
    for method in ("GET", "HEAD", "OPTIONS"):
        opened.request(method, link)
    assert "Stop the mails" in opened.get(link).text
    assert silent(stores) == set()


@pytest.mark.parametrize("form", [ONE_CLICK, {"stop": "yes"}, {}], ids=["one click", "the button", "an empty form"])
def test_a_form_stops_the_mails_of_this_person_only(phone, stores, form):
    opened, link = phone
    answer = opened.post(link, data=form)
    assert (answer.status_code, "The mails have stopped" in answer.text) == (200, True)
    assert opened.post(link, data=form).status_code == 200
    assert silent(stores) == {"ben"}
    assert "Start them again" in opened.get(link).text


def test_and_they_can_be_started_again(phone, stores):
    opened, link = phone
    opened.post(link)
    assert "Stop the mails" in opened.post(link, data={"back": "yes"}).text
    assert silent(stores) == set()


def test_other_links_do_not_open_it_and_it_opens_nothing_else(phone, stores):
    opened, link = phone
    with writing(stores.raw) as connection:
        answer = cast.link(connection, "ben")
    for wrong in (f"/u/{answer}", "/u/short", f"/u/{'x' * 43}"):
        assert opened.get(wrong).status_code == 410
        assert opened.post(wrong).status_code == 410
    assert opened.get(link.replace("/u/", "/a/")).status_code == 410
    assert silent(stores) == set()


def test_in_german(phone):
    opened, link = phone
    assert "Mails anhalten" in opened.get(link, headers={"accept-language": "de"}).text
