"""Limits that hold back whoever guesses links, and let a whole company answer from one address."""

import re
from datetime import timedelta

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from data.settings import Settings
from data.store.engine import Stores
from surveys.limits import REQUESTS_PER_LINK, UNKNOWN_PER_ADDRESS, Limit, address_of
from surveys.web import create_app
from tests.conftest import KEY
from tests.support import cast
from tests.surveys.test_web import BASE, Clock, answer, fields_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pair(sqlite_stores: Stores) -> cast.Pair:
    return cast.ada_and_ben(sqlite_stores)


@pytest.fixture
def phone(sqlite_stores: Stores, home, clock: Clock) -> TestClient:
    return TestClient(create_app(Settings(home=home, secret_key=KEY), sqlite_stores, clock), base_url=BASE)


def guess(phone: TestClient, number: int, **headers: str) -> int:
    return phone.get(f"/a/{number:043d}", headers=headers).status_code


def test_guessing_links_has_to_wait_and_says_how_long(phone, pair, clock):
    assert {guess(phone, number) for number in range(UNKNOWN_PER_ADDRESS)} == {410}
    held = phone.get(f"/a/{'B' * 43}")
    assert held.status_code == 429
    assert f"in {held.headers['retry-after']} seconds" in held.text
    assert 0 < int(held.headers["retry-after"]) <= 60
    clock.now += timedelta(seconds=61)
    assert guess(phone, 1) == 410


def test_a_valid_link_works_from_an_address_that_guessed(phone, pair):
    for number in range(3 * UNKNOWN_PER_ADDRESS):
        guess(phone, number)
    _, thanks = answer(phone, pair.mentee_token)
    assert thanks.url.path == "/thanks"


def test_a_forged_cookie_counts_as_a_guess_and_a_missing_one_does_not(phone, pair):
    for _ in range(2 * UNKNOWN_PER_ADDRESS):
        assert phone.get("/answer").status_code == 410
    phone.cookies.set("rapport-answer", "forged")
    said = [phone.get("/answer").status_code for _ in range(UNKNOWN_PER_ADDRESS + 1)]
    assert said == [410] * UNKNOWN_PER_ADDRESS + [429]


def test_one_link_is_held_back_alone_and_what_was_typed_stays(phone, pair, clock):
    fields = fields_of(phone.get(f"/a/{pair.mentor_token}").text) | {"q:met_since": "yes", "comment": "stays"}
    said = [phone.get("/answer").status_code for _ in range(REQUESTS_PER_LINK)]
    assert said[-3:] == [200, 429, 429]
    held = phone.post("/answer", data=fields)
    assert held.status_code == 429
    assert held.headers["retry-after"]
    assert "stays</textarea>" in held.text
    assert 'name="q:met_since" value="yes" checked' in held.text
    _, thanks = answer(phone, pair.mentee_token)
    assert thanks.url.path == "/thanks", "another link of the same address"
    clock.now += timedelta(seconds=61)
    phone.get(f"/a/{pair.mentor_token}")
    assert phone.post("/answer", data=fields_of(held.text) | {"q:met_since": "yes"}).url.path == "/thanks"


def asked_by(client: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", hop.encode()) for hop in forwarded]
    return Request({"type": "http", "headers": headers, "client": (client, 1)})


@pytest.mark.parametrize(
    ("client", "forwarded", "behind_proxy", "address"),
    [
        ("10.0.0.1", ["203.0.113.9"], False, "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], True, "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], True, "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9"], True, "203.0.113.9"),
        ("10.0.0.1", [], True, "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", [], False, "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", [], False, "2001:0db8:0001:0002"),
        ("10.0.0.1", ["x" * 500], True, "x" * 64),
    ],
)
def test_only_the_last_hop_of_a_declared_proxy_is_believed(client, forwarded, behind_proxy, address):
    assert address_of(asked_by(client, *forwarded), behind_proxy=behind_proxy) == address


def test_an_invented_hop_buys_no_further_guesses(sqlite_stores, home, pair):
    settings = Settings(home=home, secret_key=KEY, behind_proxy=True)
    phone = TestClient(create_app(settings, sqlite_stores, lambda: cast.NOON), base_url=BASE)
    said = [
        guess(phone, number, **{"X-Forwarded-For": f"192.0.2.{number}, 203.0.113.9"})
        for number in range(UNKNOWN_PER_ADDRESS + 1)
    ]
    assert said[-2:] == [410, 429]
    assert guess(phone, 1, **{"X-Forwarded-For": "203.0.113.10"}) == 410


def test_the_memory_of_a_limit_is_bounded():
    limit = Limit(1, most_keys=3)
    assert [limit.count(key, cast.NOON) for key in "abcd"] == [0, 0, 0, 0]
    assert len(limit) == 3
    assert limit.count("d", cast.NOON) == 60
    assert limit.count("a", cast.NOON) == 0, "forgotten"


def test_a_clock_that_is_set_back_locks_nobody_out():
    limit = Limit(1)
    limit.count("a", cast.NOON)
    assert limit.count("a", cast.NOON - timedelta(hours=1)) == 0
    assert limit.count("a", cast.NOON - timedelta(hours=1)) == 60


def test_every_word_of_waiting_is_said_in_both_languages():
    from surveys.words import all_words

    english, german = (all_words()[tag] for tag in ("en", "de"))
    assert english.keys() == german.keys()
    for key in english:
        assert set(re.findall(r"\{\w+\}", english[key])) == set(re.findall(r"\{\w+\}", german[key])), key
