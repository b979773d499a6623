"""Every page of the demo in Chromium, and people at work on it: by keyboard, signed out in between, two at once."""

from collections.abc import Iterator
from typing import Any

import pytest

from dashboard.words import Words
from tests.dashboard.every_page import (
    FOR_ALL,
    FOR_HR,
    LANGUAGES,
    SCHEMES,
    WIDTHS,
    covering_looks,
    demo_served,
    look_at_all,
    sign_in,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Demo = tuple[str, dict[str, tuple[str, str]]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo_served(tmp_path_factory.mktemp("demo")) as served:
        yield served


def test_the_covering_set_covers() -> None:
    looks = covering_looks()
    assert {each.path for each in looks} == {*FOR_ALL, *FOR_HR}
    assert {(each.path, each.width) for each in looks} == {
        (path, width) for path in (*FOR_ALL, *FOR_HR) for width in WIDTHS
    }
    for width in WIDTHS:
        met = {(each.lang, each.scheme) for each in looks if each.width == width}
        assert met == {(lang, scheme) for lang in LANGUAGES for scheme in SCHEMES}


def test_every_page_is_well(chromium: Any, demo: Demo) -> None:
    assert look_at_all(chromium, *demo, covering_looks()) == []


def test_a_page_at_200_percent_does_not_scroll_sideways(chromium: Any, demo: Demo) -> None:
    address, signing_in = demo
    page = chromium.new_page(viewport={"width": 640, "height": 450}, device_scale_factor=2)  # 1280 × 900 at 200 %
    sign_in(page, address, *signing_in["hr"])
    for path in (*FOR_ALL, *FOR_HR):
        page.goto(address + path)
        page.wait_for_selector("main h1")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), path
    page.close()


def press_until(page: Any, wanted: str, key: str = "Tab", most: int = 120) -> None:
    """Walk with one key until the element that has the focus fits a selector."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"{wanted} is not reached by {key}")


def test_hr_does_its_week_with_the_keyboard_alone(chromium: Any, demo: Demo) -> None:
    address, signing_in = demo
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{address}/sign-in")
    press_until(page, "#email")
    page.keyboard.type(signing_in["hr"][0])
    press_until(page, "#password")
    page.keyboard.type(signing_in["hr"][1])
    page.keyboard.press("Enter")
    page.wait_for_selector("#page h1")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    press_until(page, "nav a[href^='/week']")
    page.keyboard.press("Enter")
    page.wait_for_selector(".todo")
    press_until(page, ".todo a[href$='#reply']")
    page.keyboard.press("Enter")
    press_until(page, "textarea")
    page.keyboard.type("You want more time.")
    page.keyboard.press("Tab")
    page.keyboard.type("An hour a month counts as work.")
    press_until(page, ".order button")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"text={Words('en')('order_kept_reply')}")
    page.reload()
    page.wait_for_selector("textarea")
    assert page.input_value("textarea >> nth=0") == "You want more time."
    page.close()


def test_a_session_that_ends_in_mid_edit_loses_nothing(chromium: Any, demo: Demo) -> None:
    address, signing_in = demo
    context = chromium.new_context()
    page = context.new_page()
    sign_in(page, address, *signing_in["hr"])
    page.goto(f"{address}/pairings?programme=mentoring")
    page.wait_for_selector(".case-of summary")
    page.click(".case-of summary >> nth=0")
    page.fill(".case-of details textarea >> nth=0", "Called them; all is well.")
    context.clear_cookies()  # as where the session ended
    page.click(".case-of details button >> nth=0")
    page.wait_for_selector("#signed-out:not([hidden])")
    assert page.input_value(".case-of details textarea >> nth=0") == "Called them; all is well."
    other = context.new_page()
    sign_in(other, address, *signing_in["hr"])
    page.click(".case-of details button >> nth=0")
    page.wait_for_selector(f"text={Words('en')('order_kept_action')}")
    page.wait_for_selector("#signed-out", state="hidden")
    context.close()


def test_of_two_who_write_at_once_the_last_is_warned_and_keeps_their_words(chromium: Any, demo: Demo) -> None:
    address, signing_in = demo
    pages = [chromium.new_context().new_page() for _ in range(2)]
    for number, page in enumerate(pages):
        sign_in(page, address, *signing_in["hr"])
        page.goto(f"{address}/week?programme=mentoring")
        page.wait_for_selector("textarea")
        page.fill("textarea >> nth=0", f"What {number} heard.")
        page.fill("textarea >> nth=1", f"What {number} does.")
    first, second = pages
    first.click(".order button")
    first.wait_for_selector(f"text={Words('en')('order_kept_reply')}")
    second.click(".order button")
    second.wait_for_selector("text=has written meanwhile")
    assert "What 0 does." in second.inner_text(".order .told")
    assert second.input_value("textarea >> nth=1") == "What 1 does."
    second.click(".order button")
    second.wait_for_selector(f"text={Words('en')('order_kept_reply')}")
    for page in pages:
        page.context.close()
