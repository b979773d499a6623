"""The dashboard in a real browser: accessible, within its policy, and from nowhere but itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from dashboard.reports import html
from tests.dashboard.conftest import PASSWORD, Made
from tests.dashboard.every_page import violations
from tests.dashboard.test_reports import report
from tests.support.browser import served

pytestmark = pytest.mark.browser
PATHS = (
    "/",
    "/metric/trust?by=department",
    "/metric",
    "/two-sides",
    "/quality",
    "/method",
    "/releases",
    "/metric/nonsense",
)
# Both languages at both widths; light and dark ground alternate, so that each meets both.
READERS = (("en", 1440, "light"), ("en", 390, "dark"), ("de", 1440, "dark"), ("de", 390, "light"))


@dataclass
class Watched:
    """A browser's page, with what its console said and where it went."""

    page: Any
    address: str
    said: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.strayed.append(url)

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)
        self.page.wait_for_selector("#page h1")
        for drawing in self.page.query_selector_all(".drawing"):
            drawing.wait_for_selector(".main-svg")


@pytest.fixture(scope="module")
def address(made: Made) -> Iterator[str]:
    with served(made.server) as running:
        yield running


def browse(chromium: Any, address: str, width: int, scheme: str = "light") -> Watched:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=False)
    watched = Watched(context.new_page(), address)
    watched.watch()
    return watched


def enter(watched: Watched, path: str = "/sign-in") -> None:
    watched.page.goto(watched.address + path)
    watched.page.fill("#email", "cleo@cast.example")
    watched.page.fill("#password", PASSWORD)
    watched.page.click("button[type=submit]")
    watched.page.wait_for_selector("#page h1")


@pytest.mark.parametrize(("lang", "width", "scheme"), READERS)
def test_axe_finds_nothing(chromium: Any, address: str, lang: str, width: int, scheme: str) -> None:
    watched = browse(chromium, address, width, scheme)
    watched.page.goto(f"{address}/sign-in?lang={lang}")
    assert violations(watched.page) == []
    enter(watched)
    for path in PATHS:
        watched.go(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert watched.page.evaluate("() => document.documentElement.lang") == lang
        assert violations(watched.page) == [], path
        too_wide = watched.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert too_wide <= 0, path
    assert watched.strayed == []
    assert watched.said == []
    watched.page.context.close()


def test_charts_are_drawn_within_the_policy(chromium: Any, address: str) -> None:
    watched = browse(chromium, address, 1440)
    enter(watched)
    watched.go("/")
    assert watched.page.locator(".drawing .main-svg").count() > 0
    assert watched.page.locator(".drawing .point").count() == 14 * 2 + 4 * 6 * 2
    assert watched.page.locator("figure table").count() == watched.page.locator(".drawing").count() == 5
    assert watched.said == []
    assert watched.strayed == []
    watched.page.context.close()


def test_marks_change_colour_on_dark_ground(chromium: Any, address: str) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        watched = browse(chromium, address, 390, scheme)
        enter(watched)
        watched.go("/metric/trust")
        point = watched.page.locator(".tracementor .point").first
        colours[scheme] = point.evaluate("point => getComputedStyle(point).fill")
        watched.page.context.close()
    assert colours == {"light": "rgb(11, 95, 138)", "dark": "rgb(107, 187, 228)"}


def test_a_reader_walks_with_the_keyboard_and_signs_out(chromium: Any, address: str) -> None:
    watched = browse(chromium, address, 1440)
    enter(watched, "/metric/trust?lang=de")
    assert watched.page.url == f"{address}/metric/trust?lang=de"
    watched.page.keyboard.press("Tab")
    assert watched.page.evaluate("() => document.activeElement.className") == "skip"
    watched.page.click("text=Standort")
    watched.page.wait_for_selector("[aria-current=true] >> text=Standort")
    assert "by=location" in watched.page.url
    watched.page.click("text=Abmelden")
    watched.page.wait_for_selector("#password")
    watched.page.goto(f"{address}/metric/trust")
    assert "/sign-in" in watched.page.url
    watched.page.context.close()


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_report_is_accessible_and_fetches_nothing(chromium: Any, made: Made, language: str) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 900})
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.set_content(html.render(report(made, language)).decode("utf-8"))
    assert violations(page) == []
    assert fetched == []
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    page.close()
