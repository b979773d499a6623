"""Pages of releases in a real browser: their states, their menu and their drawings, at every width, accessible."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.conftest import KEY, Made
from tests.dashboard.made_installation import installed
from tests.dashboard.made_releases import few_rows, make_release, rows_of
from tests.dashboard.test_evidence_pages import EVIDENCE, VERDICTS
from tests.dashboard.test_participation_page import release
from tests.dashboard.test_screens_in_browser import Watched, browse, enter, violations
from tests.support.browser import served

pytestmark = pytest.mark.browser
DESK, TABLET, PHONE, ZOOMED = ("en", 1440, "dark"), ("de", 768, "light"), ("de", 390, "dark"), ("en", 320, "light")
STATES = {
    "first round": lambda stores: make_release(stores, 1, key=KEY, rows=[*rows_of(1), *EVIDENCE], verdicts=VERDICTS),
    "eight pairings": lambda stores: make_release(
        stores, 1, key=KEY, rows=few_rows(1), thresholds={"respondents_n": 10}
    ),
    "first day": lambda _stores: None,
    "reached": release,
}
# Each width meets two states, each state two widths.
PATHS = {
    "first round": (("/", "/metric/trust", "/two-sides", "/help"), (DESK, ZOOMED)),
    "eight pairings": (("/", "/participation"), (TABLET, PHONE)),
    "first day": (("/",), (PHONE, DESK)),
    "reached": (("/participation?by=department", "/participation?by=department × location"), (ZOOMED, TABLET)),
}


@contextmanager
def looking(chromium: Any, made: Made, width: int, scheme: str = "light") -> Iterator[Watched]:
    with served(made.server) as address:
        watched = browse(chromium, address, width, scheme)
        enter(watched)
        yield watched
        watched.page.context.close()


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible_and_never_scrolls_sideways(chromium: Any, tmp_path: Path, state: str) -> None:
    with installed(tmp_path / "home", STATES[state]) as made:
        paths, widths = PATHS[state]
        for lang, width, scheme in widths:
            with looking(chromium, made, width, scheme) as watched:
                for path in paths:
                    watched.go(f"{path}{'&' if '?' in path else '?'}lang={lang}")
                    assert violations(watched.page) == [], (path, width)
                    too_wide = watched.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
                    assert too_wide <= 0, (path, width)
                assert watched.said == []


def test_a_phone_has_a_menu_that_opens_by_keyboard_and_a_desk_has_all_places(chromium: Any, made: Made) -> None:
    with looking(chromium, made, 390) as watched:
        page = watched.page
        watched.go("/two-sides")
        menu, places = page.locator(".menu summary"), page.locator(".menu a")
        assert menu.is_visible()
        assert menu.text_content().split() == ["Menu", "Two", "sides"]
        assert not places.first.is_visible()
        assert page.locator(".top").bounding_box()["height"] < 130
        menu.focus()
        page.keyboard.press("Enter")
        assert places.first.is_visible()
        assert all(each.bounding_box()["height"] >= 44 for each in places.all())
        page.locator(".menu a", has_text="Participation").click()
        page.wait_for_url("**/participation")
    with looking(chromium, made, 1440) as watched:
        assert not watched.page.locator(".menu summary").is_visible()
        visible = [each for each in watched.page.locator(".top nav a").all() if each.is_visible()]
        assert len(visible) == watched.page.locator(".places a").count()
        assert len({each.bounding_box()["y"] for each in visible}) == 1


def test_the_gap_stands_beside_the_two_ends_row_by_row(chromium: Any, tmp_path: Path) -> None:
    with installed(tmp_path / "home", STATES["first round"]) as made, looking(chromium, made, 1440) as watched:
        watched.go("/two-sides")
        ends, gap = (watched.page.locator(f"#{name}").bounding_box() for name in ("both-ends", "gaps"))
        assert ends["y"] == gap["y"]
        assert ends["height"] == gap["height"]
        assert ends["x"] + ends["width"] <= gap["x"]
        lines = watched.page.locator("#both-ends .tracejoined path.js-line")
        assert lines.count() == 2  # one for each construct


def test_bars_of_a_flow_are_as_long_as_their_counts(chromium: Any, tmp_path: Path) -> None:
    with installed(tmp_path / "home", release) as made, looking(chromium, made, 390) as watched:
        watched.go("/participation")
        bars = watched.page.locator(".flow .bar")
        widths = [bars.nth(at).bounding_box()["width"] for at in range(bars.count())]
        most = watched.page.locator(".flow .track").first.bounding_box()["width"]
        assert widths[0] == most  # past the scale
        assert widths[1] / most == pytest.approx(45 / 55, abs=0.01)
        assert widths[2] == most


def test_nothing_moves_for_whoever_asked_for_stillness(chromium: Any, made: Made) -> None:
    with looking(chromium, made, 390) as watched:
        watched.page.emulate_media(reduced_motion="reduce")
        watched.go("/participation")
        moving = """() => [...document.querySelectorAll('*')].filter(each => {
            const style = getComputedStyle(each);
            return style.animationName !== 'none' || style.transitionDuration.split(',').some(each => parseFloat(each));
        }).length"""
        assert watched.page.evaluate(moving) == 0
