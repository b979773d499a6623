"""The page of released comments: HR reads them, nobody else; what is withdrawn or waiting is nowhere."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dashboard.address import Address
from dashboard.visit import visit
from dashboard.words import Words
from data.store.accounts import Account
from data.store.comments import save_batch, withdraw_batch
from data.store.engine import Stores, open_stores, writing
from pipeline.comments.batch import sealed
from tests.dashboard.conftest import KEY, Made, Reader
from tests.dashboard.made_releases import NOW
from tests.dashboard.test_screens_in_browser import browse, enter, violations
from tests.support.browser import served

WORDS = Words("en")
NOT_AVAILABLE = WORDS("not_available_text")
FIRST = ["<b>We</b> met in the canteen.", "[name] listens.\nThat helps.", "تعلمت الكثير"]


@pytest.fixture(scope="module")
def stores(made: Made) -> Iterator[Stores]:
    opened = open_stores(made.settings)
    released(opened, 1, FIRST, (1, 2))
    wrong = released(opened, 2, ["Later, and taken back."], (3, 3))
    released(opened, 3, ["The newest of all."], (4, 6))
    with writing(opened.published) as connection:
        withdraw_batch(connection, wrong, reason="a name stood in it", now=NOW)
    yield opened
    opened.dispose()


def released(stores: Stores, number: int, said: list[str], rounds: tuple[int, int]) -> str:
    about: dict[str, Any] = {"programme_id": "mentoring", "number": number, "rounds": rounds, "n_people": 13}
    new = sealed(said, **about, comment_n=10, key=KEY, now=NOW)
    with writing(stores.published) as connection:
        save_batch(connection, new)
    return new.batch_id


def test_hr_reads_released_comments_newest_first(stores: Stores, cleo: Reader) -> None:
    page = json.loads(cleo.text("/comments"))["response"]["page"]["children"]
    assert texts_of(page) == [
        *("Comments", WORDS("comments_lead")),
        *("Rounds 4 to 6", "From 10 or more people, in no order.", "The newest of all."),
        *("Round 3", WORDS("state_withdrawn", reason="a name stood in it")),
        *("Rounds 1 to 2", "From 10 or more people, in no order.", *FIRST),
    ]
    assert "Later, and taken back" not in cleo.text("/comments")


def texts_of(node: Any) -> list[str]:
    """Every text of a page's components, ids and blanks left out."""
    if isinstance(node, list):
        return [text for each in node for text in texts_of(each)]
    if isinstance(node, dict):
        return [] if node["type"] == "Code" else texts_of(node["props"].get("children"))
    return [node] if isinstance(node, str) and node.strip() else []


def test_an_earlier_round_shows_no_later_comment(stores: Stores, cleo: Reader) -> None:
    text = cleo.text("/comments", "?round=mentoring-3")
    assert ("canteen" in text, "newest of all" in text) == (True, False)


def test_only_hr_of_this_programme_reads_them(stores: Stores, as_reader: Callable[[str], Reader]) -> None:
    assert "canteen" in as_reader("cleo@cast.example").text("/comments")
    for who in ("dan@cast.example", "eve-hr@cast.example", "rita@cast.example"):
        reader = as_reader(who)
        for search in ("", "?programme=mentoring"):
            text = reader.text("/comments", search)
            assert "canteen" not in text
            assert "newest of all" not in text
        shell = reader.client.get("/comments?programme=mentoring").get_data(as_text=True)
        assert ("canteen" in shell, NOT_AVAILABLE in reader.text("/comments", "?programme=mentoring")) == (
            False,
            who != "rita@cast.example",
        )
    dan = as_reader("dan@cast.example").client
    assert 'href="/comments' not in dan.get("/?programme=mentoring").get_data(as_text=True)
    assert dan.get("/comments.csv?programme=mentoring").status_code == 404
    assert 'href="/comments' in as_reader("cleo@cast.example").client.get("/").get_data(as_text=True)


def test_no_other_page_of_a_leader_holds_them_either(stores: Stores, made: Made) -> None:
    def held(role: str) -> bool:
        account = Account(email="x@cast.example", role=role, programme_id="mentoring")
        return bool(visit(made.published, account, Address()).comments)

    assert (held("hr"), held("leader")) == (True, False)


def test_before_the_first_batch_the_page_says_what_it_waits_for(as_reader: Callable[[str], Reader]) -> None:
    text = as_reader("eve-hr@cast.example").text("/comments", "?lang=de")
    assert json.dumps(Words("de")("comments_none_text"))[1:-1] in text


@pytest.mark.browser
@pytest.mark.parametrize(("lang", "width", "scheme"), [("en", 390, "dark"), ("de", 1440, "light")])
def test_comments_are_accessible_and_run_nothing(
    stores: Stores, made: Made, chromium: Any, lang: str, width: int, scheme: str
) -> None:
    with served(made.server) as address:
        watched = browse(chromium, address, width, scheme)
        enter(watched)
        for path in ("/comments", "/comments?round=mentoring-1"):
            watched.go(f"{path}{'&' if '?' in path else '?'}lang={lang}")
            assert violations(watched.page) == [], path
            assert watched.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        watched.go(f"/comments?lang={lang}")
        assert "<b>We</b> met in the canteen." in watched.page.inner_text("#page")
        assert watched.page.locator(".comments b").count() == 0
        assert (watched.said, watched.strayed) == ([], [])
        watched.page.context.close()
