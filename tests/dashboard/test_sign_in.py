"""Who may enter: everything is closed to everyone without a session."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from dashboard.app import create_app
from tests.dashboard.conftest import PASSWORD, Made, Reader, callback, sign_in
from tests.dashboard.made_releases import NOW

OPEN = {"/sign-in", "/healthz", "/readyz", "/metrics"}


def paths(made: Made) -> list[str]:
    """Every route of the application, with something in the place of its variables."""
    return sorted({re.sub(r"<[^>]+>", "anything", rule.rule) for rule in made.server.url_map.iter_rules()})


def test_every_route_is_closed_without_a_session(made: Made, visitor: FlaskClient) -> None:
    closed = [path for path in paths(made) if path not in OPEN]
    assert {"/_dash-layout", "/_dash-dependencies", "/_dash-update-component", "/sign-out"} <= set(closed)
    for path in closed:
        for method in ("GET", "POST", "PUT", "DELETE"):
            answer = visitor.open(path, method=method)
            assert answer.status_code == 401, (method, path)
            assert answer.get_data(as_text=True) == "Please sign in.\n"


def test_a_callback_without_a_session_learns_nothing(visitor: FlaskClient) -> None:
    answer = visitor.post("/_dash-update-component", json=callback("/", ""))
    assert (answer.status_code, answer.get_data(as_text=True)) == (401, "Please sign in.\n")


def test_a_page_without_a_session_leads_to_the_sign_in_and_back(visitor: FlaskClient) -> None:
    answer = visitor.get("/metric/trust?by=department", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=%2Fmetric%2Ftrust%3Fby%3Ddepartment"
    entered = sign_in(visitor, "cleo@cast.example", next="/metric/trust?by=department")
    assert (entered.status_code, entered.headers["Location"]) == (303, "/metric/trust?by=department")


@pytest.mark.parametrize(
    "next_", ["//evil.example", "/\\evil.example", "https://evil.example", "/sign-out", "/a\nb", "", "/\t/evil.example"]
)
def test_the_way_back_never_leads_elsewhere(visitor: FlaskClient, next_: str) -> None:
    assert sign_in(visitor, "cleo@cast.example", next=next_).headers["Location"] == "/"


def test_a_wrong_password_and_an_unknown_address_look_the_same(visitor: FlaskClient) -> None:
    answers = [sign_in(visitor, email, "wrong") for email in ("dan@cast.example", "nan@cast.example")]
    assert [answer.status_code for answer in answers] == [401, 401]
    wrong, unknown = (re.sub(r'value="[^"]*"', "", answer.get_data(as_text=True)) for answer in answers)
    assert wrong == unknown
    assert 'role="alert"' in wrong


def test_the_session_cookie_is_out_of_reach_of_scripts(made: Made, visitor: FlaskClient) -> None:
    cookie = sign_in(visitor, "cleo@cast.example").headers.getlist("Set-Cookie")[-1]
    assert cookie.startswith("rapport-session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    safe = made.settings.model_copy(update={"behind_proxy": True})
    behind_tls = create_app(safe, made.published, made.accounts, clock=lambda: NOW).server.test_client()
    answer = behind_tls.get("/sign-in", base_url="https://rapport.example")
    assert answer.headers["Set-Cookie"].startswith("__Host-rapport-form=")
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")
    assert "Strict-Transport-Security" in answer.headers


def test_a_form_of_another_visitor_does_not_sign_in(made: Made, visitor: FlaskClient) -> None:
    foreign = made.server.test_client().get("/sign-in").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', foreign)
    assert token is not None
    visitor.get("/sign-in")
    data = {"token": token[1], "email": "cleo@cast.example", "password": PASSWORD}
    assert visitor.post("/sign-in", data=data).status_code == 400


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_call(cleo: Reader, header: dict[str, str]) -> None:
    answer = cleo.client.post("/_dash-update-component", json=callback("/", ""), headers=header)
    assert answer.status_code == 403


def test_signing_out_ends_the_session(cleo: Reader) -> None:
    token = re.search(r'name="token" value="([^"]+)"', cleo.client.get("/").get_data(as_text=True))
    assert token is not None
    assert cleo.client.post("/sign-out", data={"token": "made up"}).status_code == 400
    cleo.client.get("/sign-out")
    assert cleo.page().status_code == 200
    assert cleo.client.post("/sign-out", data={"token": token[1]}).headers["Location"] == "/sign-in"
    assert cleo.page().status_code == 401


def test_a_session_ends_when_nobody_uses_it(made: Made) -> None:
    times = [NOW]
    server = create_app(made.settings, made.published, made.accounts, clock=lambda: times[-1]).server
    reader = Reader(server.test_client())
    sign_in(reader.client, "dan@cast.example")
    assert reader.page().status_code == 200
    times.append(NOW + timedelta(minutes=61))
    assert reader.page().status_code == 401


def test_health_tells_counts_only(made: Made, visitor: FlaskClient) -> None:
    assert visitor.get("/healthz").get_data(as_text=True) == "ok\n"
    assert visitor.get("/readyz").get_data(as_text=True) == "ready\n"
    lines = visitor.get("/metrics").get_data(as_text=True).splitlines()
    counts = [line.split() for line in lines if not line.startswith("#")]
    assert {name for name, _ in counts} == {
        f"rapport_dashboard_{name}_total" for name in ("requests", "refused", "errors", "sign_ins", "sign_ins_refused")
    }
    assert all(count.isdigit() for _, count in counts)


def test_every_answer_carries_a_strict_policy(cleo: Reader) -> None:
    for path in ("/", "/sign-in", "/_dash-layout", "/healthz", "/nowhere"):
        answer = cleo.client.get(path)
        rules = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
        scripts = rules["script-src"].split()
        assert scripts[0] == "'self'"
        assert all(each.startswith("'sha256-") for each in scripts[1:])
        assert rules["default-src"] == "'self'"
        assert rules["frame-ancestors"] == rules["object-src"] == rules["base-uri"] == "'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_scripts_are_kept_and_sent_compressed(cleo: Reader) -> None:
    page = cleo.client.get("/").get_data(as_text=True)
    scripts = re.findall(r'<script src="([^"]+)"', page)
    assert scripts
    for script in scripts:
        answer = cleo.client.get(script, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip", script
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable", script
