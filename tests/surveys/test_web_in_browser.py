"""Saving for later, sending and withdrawing on a phone without scripts, in real Chromium, with axe on each page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from data import settings as reading_settings
from data.store.engine import migrate, open_stores
from tests.support.crowd import invited
from tests.support.quick_server import QuickServer

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    home = tmp_path / "home"
    reading_settings.make_home(home)
    settings = reading_settings.load(home)
    stores = open_stores(settings)
    migrate(stores)
    token = invited(stores, settings, 1, reading_settings.now())[0]
    stores.dispose()
    server = QuickServer(home)
    server.start()
    yield f"http://127.0.0.1:{server.port}/a/{token}"
    server.close()


def violations(chromium: Any, phone: Any) -> list[str]:
    """axe over what the phone shows; it needs scripts, so the page's text is set where they may run."""
    context = chromium.new_context(viewport=PHONE, bypass_csp=True)
    page = context.new_page()
    page.goto(phone.url)
    page.set_content(phone.content())
    found = [violation["id"] for violation in Axe().run(page).response["violations"]]
    context.close()
    return found


def test_save_for_later_come_back_send_and_withdraw(chromium: Any, address: str) -> None:
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, has_touch=True, locale="en")
    phone = context.new_page()
    phone.goto(address)
    choices = phone.locator("fieldset").first.locator("label")
    choices.nth(2).tap()
    phone.fill("textarea", "half done")
    assert {round((button.bounding_box() or {})["height"]) for button in phone.locator("button").all()} == {48}
    phone.get_by_role("button", name="Save for later").tap()
    phone.wait_for_url("**/answer?for=*")
    assert "Unsent drafts are read by nobody and deleted at close" in phone.content()
    assert phone.input_value("textarea") == "half done"
    assert violations(chromium, phone) == []

    phone.goto(address)
    assert phone.input_value("textarea") == "half done"
    assert choices.nth(2).locator("input").is_checked()
    phone.get_by_role("button", name="Send answers").tap()
    phone.wait_for_url("**/thanks")

    phone.goto(address)
    assert phone.input_value("textarea") == ""
    assert violations(chromium, phone) == []
    phone.get_by_role("button", name="Withdraw my answers").tap()
    assert violations(chromium, phone) == []
    phone.get_by_role("button", name="Yes, withdraw my answers").tap()
    phone.wait_for_url("**/thanks")
    assert phone.locator("h1").inner_text() == "Your answers are withdrawn"
    assert violations(chromium, phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()
