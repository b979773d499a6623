"""The link to a page's state is copied where there is a clipboard; pages print whole, with their tables, on white."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboard.conftest import Made
from tests.dashboard.test_screens_in_browser import Watched, browse, enter
from tests.support.browser import served

pytestmark = pytest.mark.browser
STATE = "/metric/trust?lang=de&by=location"


@pytest.fixture(scope="module")
def address(made: Made) -> Iterator[str]:
    with served(made.server) as running:
        yield running


@pytest.fixture
def watched(chromium: Any, address: str) -> Iterator[Watched]:
    found = browse(chromium, address, 1440)
    enter(found)
    yield found
    assert found.said == []
    found.page.context.close()


def test_the_state_is_copied_and_said_to_be(watched: Watched, address: str) -> None:
    page = watched.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    watched.go(f"{STATE}#groups")
    told = page.locator(".state [role=status]")
    assert told.text_content() == ""
    page.locator("#copy-link").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.state [role=status]').textContent !== ''")
    assert told.text_content() == "Link kopiert."
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"{address}/metric/trust?lang=de&programme=mentoring&by=location#groups"
    watched.go(copied.removeprefix(address))
    assert page.locator(".choice [aria-current=true]").last.text_content() == "Standort"


def test_where_the_clipboard_refuses_the_link_leads_to_the_state(watched: Watched, address: str) -> None:
    page = watched.page
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))")
    watched.go(STATE)
    with page.expect_navigation():
        page.click("#copy-link")
    assert page.url == f"{address}/metric/trust?lang=de&programme=mentoring&by=location"


def test_without_scripts_it_is_a_link(chromium: Any, address: str) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    watched = Watched(page, address)
    page.goto(f"{address}/sign-in")
    page.fill("#email", "cleo@cast.example")
    page.fill("#password", "a long password for tests")
    page.click("button[type=submit]")
    page.goto(watched.address + STATE)
    href = page.locator("#copy-link").get_attribute("href")
    assert href == "/metric/trust?lang=de&programme=mentoring&by=location"
    page.context.close()


def test_a_page_prints_with_open_tables_whole_charts_and_no_navigation(chromium: Any, address: str) -> None:
    watched = browse(chromium, address, 1440, "dark")
    enter(watched)
    watched.go("/")
    page = watched.page
    n_tables = page.locator("main details").count()
    before = page.locator("main details[open]").count()
    width = page.locator(".main-svg").first.bounding_box()["width"]
    page.emulate_media(media="print")
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("main details[open]").count() == n_tables > before
    wide = "() => [...document.querySelectorAll('.main-svg')].every(each => each.getBoundingClientRect().width <= 640)"
    page.wait_for_function(wide)
    for gone in (".top nav", ".reader", ".state", ".download", "main summary"):
        assert not page.locator(gone).first.is_visible(), gone
    assert page.locator("main table").first.is_visible()
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator("main details[open]").count() == before
    page.wait_for_function(f"() => document.querySelector('.main-svg').getBoundingClientRect().width === {width}")
    assert watched.said == []
    page.context.close()
