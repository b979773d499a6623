"""What a visit puts on the line, in a real browser: a budget in bytes, nothing twice, words before charts."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboard.conftest import PASSWORD, Made
from tests.support.browser import served
from tests.support.wire import watched

pytestmark = pytest.mark.browser
BUDGET = 1_200_000
PLOTLY = "**/plotly-basic*"
# Everything on the page but what Plotly draws: its ids are made up anew each time.
PAGE = """() => {
  const page = document.querySelector("#page").cloneNode(true);
  for (const drawn of page.querySelectorAll(".js-plotly-plot, .dash-graph")) drawn.replaceChildren();
  return page.innerHTML;
}"""
KNOWN = "(id) => JSON.stringify(window.dash_component_api.getLayout(id) || null)"


@pytest.fixture(scope="module")
def address(made: Made) -> Iterator[str]:
    with served(made.server) as running:
        yield running


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    """A page of a browser that has seen nothing of ours but the sign-in."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.goto(f"{address}/sign-in")
    opened.fill("#email", "cleo@cast.example")
    opened.fill("#password", PASSWORD)
    token = opened.get_attribute("input[name=token]", "value")
    form = {"token": token, "email": "cleo@cast.example", "password": PASSWORD}
    context.request.post(f"{address}/sign-in", form=form, max_redirects=0)
    yield opened
    context.close()


def drawn(page: Any, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("#page h1")
    for drawing in page.query_selector_all(".drawing"):
        drawing.wait_for_selector(".main-svg .point")
    page.wait_for_load_state("networkidle")


def test_a_first_visit_stays_within_its_budget_and_with_us(page: Any, address: str) -> None:
    wire = watched(page)
    drawn(page, f"{address}/")
    assert page.locator(".drawing .main-svg").count() > 0
    assert sum("plotly" in each for each in wire.addresses) == 1
    assert 300_000 < wire.total <= BUDGET
    assert [each for each in wire.addresses if not each.startswith((address, "data:", "blob:"))] == []
    assert len(wire.addresses) == len(set(wire.addresses))
    assert [each for each in wire.addresses if "_dash-update-component" in each] == []


def test_a_second_visit_fetches_no_script_again(page: Any, address: str) -> None:
    drawn(page, f"{address}/")
    wire = watched(page)
    drawn(page, f"{address}/metric/trust")
    assert len(wire.addresses) > 10
    fetched = {each.removeprefix(address).partition("?")[0] for each in wire.bytes}
    assert fetched == {"/metric/trust", "/_dash-layout", "/_dash-dependencies"}


def test_the_words_do_not_wait_for_plotly(page: Any, address: str) -> None:
    page.route(PLOTLY, lambda route: None)  # it never comes
    page.goto(f"{address}/", wait_until="commit")
    page.wait_for_selector("#page figcaption")
    assert page.locator("#page h1").inner_text()
    assert page.locator("#page table").count() >= 5
    assert page.locator(".main-svg").count() == 0
    page.unroute_all(behavior="ignoreErrors")


def test_without_the_first_content_the_callback_brings_the_same(page: Any, address: str) -> None:
    drawn(page, f"{address}/metric/trust?by=department")
    whole = page.evaluate(PAGE)
    page.route("**/metric/trust*", _without_first)
    wire = watched(page)
    drawn(page, f"{address}/metric/trust?by=department")
    assert sum("_dash-update-component" in each for each in wire.addresses) == 1
    assert page.evaluate(PAGE) == whole
    assert '"Plain"' in page.evaluate(KNOWN, "page")


def test_what_has_an_id_stays_within_the_reach_of_callbacks(page: Any, address: str) -> None:
    drawn(page, f"{address}/metric/trust")
    for own in ("page", "groups", "trend-trust"):
        assert page.locator(f"#{own}").count() == 1
        assert f'"id":"{own}"' in page.evaluate(KNOWN, own), own
    assert '"Plain"' in page.evaluate(KNOWN, "page")


def _without_first(route: Any) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace('id="first"', 'id="other"'))


@pytest.mark.parametrize("path", ["/", "/metric/trust?by=department", "/quality", "/releases"])
def test_plain_elements_are_what_dash_would_have_drawn(page: Any, address: str, path: str) -> None:
    drawn(page, address + path)
    ours = page.evaluate(PAGE)
    page.route("**/assets/page.js*", lambda route: route.fulfill(body="window.rapport = {hooks: {}};"))
    wire = watched(page)
    drawn(page, address + path)
    assert sum("_dash-update-component" in each for each in wire.addresses) == 1  # Dash alone
    assert "<h1" in ours
    assert page.evaluate(PAGE) == ours
