"""Ben and Ada answer on a 360-pixel phone, Cleo sees the release on the dashboard: real servers, real Chromium."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from data import settings as reading_settings
from data.settings import Settings
from data.store import people
from data.store.accounts import open_accounts
from data.store.engine import Stores, migrate, open_stores, writing
from pipeline.jobs import run_due
from surveys.demo import answer_with, forms_of
from surveys.jobs import close_round, make_links
from tests.support import cast
from tests.support.serving import rapport_serves

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}
N_PAIRS = 12


class World:
    """One installation with an open round, its servers and the links of Ada and Ben."""

    def __init__(self, home: Any) -> None:
        reading_settings.make_home(home)
        self.settings: Settings = reading_settings.load(home)
        self.stores: Stores = open_stores(self.settings)
        migrate(self.stores)
        self.now = reading_settings.now()
        with writing(self.stores.raw) as connection:
            cast.introduce(connection)
            for number in range(2, N_PAIRS + 1):
                for side in ("mentor", "mentee"):
                    people.save_person(connection, cast.person(f"{side}{number}"))
                cast.pair(connection, f"P1{number:02d}", f"mentor{number}", f"mentee{number}")
            cast.open_round(connection, opens_at=self.now - timedelta(days=1))
        accounts = open_accounts(self.settings)
        accounts.add(email="cleo@cast.example", role="hr", programme_id="mentoring", password="a b c d e", now=self.now)
        links = make_links(self.stores, self.settings, "R1", self.now)
        self.paths = {link.name: "/a/" + link.url.rsplit("/", 1)[1] for link in links}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("journey"))
    yield made
    made.stores.dispose()


@pytest.fixture(scope="module")
def addresses(world: World) -> Iterator[dict[str, str]]:
    with rapport_serves(world.settings.home) as running:
        yield running


@pytest.fixture
def phone(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, has_touch=True)
    yield context.new_page()
    context.close()


def violations(chromium: Any, phone: Any, scheme: str) -> list[str]:
    """axe over the phone's page; it needs scripts, so the page is opened again where they may run."""
    context = chromium.new_context(viewport=PHONE, color_scheme=scheme, bypass_csp=True)
    context.add_cookies(phone.context.cookies())
    page = context.new_page()
    page.goto(phone.url)
    found = [violation["id"] for violation in Axe().run(page).response["violations"]]
    context.close()
    return found


@pytest.mark.parametrize(
    ("name", "language", "title", "thanks"),
    [("Ben", "de", "Dein Mentoring mit Ada", "Danke"), ("Ada", "en", "Your mentoring with Ben", "Thank you")],
)
def test_answering_on_a_phone_without_scripts(world, addresses, phone, chromium, name, language, title, thanks):
    sizes: list[int] = []
    phone.on("response", lambda response: sizes.append(int(response.headers.get("content-length", 0))))
    phone.goto(addresses["answers"] + world.paths[name])
    assert phone.url == addresses["answers"] + "/answer"
    assert phone.locator("html").get_attribute("lang") == language
    assert phone.locator("h1").inner_text() == title
    assert len(sizes) <= 3
    assert sum(sizes) <= 15_000
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = [box for box in phone.locator(".choices label").all() if (box.bounding_box() or {})["height"] < 44]
    assert small == []
    assert {scheme: violations(chromium, phone, scheme) for scheme in ("light", "dark")} == {"light": [], "dark": []}
    for question in phone.locator("fieldset").all():
        choices = question.locator("label")
        choices.nth(min(3, choices.count() - 1)).tap()
    phone.locator("button[type=submit]:not(.quiet)").tap()
    phone.wait_for_url("**/thanks")
    assert phone.locator("h1").inner_text() == thanks
    assert phone.locator(".practice").count() == 1
    assert violations(chromium, phone, "light") == []


def test_then_hr_sees_the_release(world, addresses, chromium):
    """The others answer too, the round closes, the pipeline runs; the number stands on the overview."""
    from data.demo.answering import Filled

    def others(form: Any) -> Filled | None:
        if form.ask.has_answered:
            return None
        answers = {question.id: str(2 + len(form.ask.pairing_id + question.id) % 4) for question in form.questions}
        return Filled(answers=answers, goal_levels={}, comment=None, is_comment_for_release=False, day=0.5)

    # The tests before may have run in another process, on an installation of their own.
    n_answered = sum(form.ask.has_answered for form in forms_of(world.stores, "R1"))
    assert answer_with(world.stores, "R1", others) == 2 * N_PAIRS - n_answered
    close_round(world.stores, "R1", world.now)
    run_due(world.stores, key=str(world.settings.secret_key), now=world.now)

    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(addresses["dashboard"] + "/")
    page.fill("input[name=email]", "cleo@cast.example")
    page.fill("input[name=password]", "a b c d e")
    page.click("button[type=submit]")
    page.wait_for_selector("#page h1")
    text = page.inner_text("#page")
    assert "Trust" in text
    assert "n: 10 or more" in text
    page.context.close()
