"""This week and Pairings: who sees them, what they say, what a form may ask for, and what the worker makes of it."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard import jobs as dashboard_jobs
from dashboard.app import create_app
from dashboard.this_week import MOST, Task, tasks
from dashboard.words import Words
from data.jobs import orders_job
from data.settings import Settings
from data.store.accounts import open_accounts
from data.store.desk import MOST_WAITING, Desk, Order, Outcome, open_desk
from data.store.engine import Stores, migrate, open_stores
from data.timetable import tick
from pipeline.published import open_published
from tests.conftest import KEY
from tests.dashboard.conftest import PASSWORD, Reader, sign_in
from tests.dashboard.made_boards import CALENDAR, PAIRINGS, lay_out, pairing, request
from tests.dashboard.made_releases import NOW, make_release

PEOPLE = {
    "cleo@cast.example": ("hr", None),
    "hans@cast.example": ("hr", "mentoring"),
    "dan@cast.example": ("leader", None),
    "lea@cast.example": ("leader", "mentoring"),
    "eve-hr@cast.example": ("hr", "elsewhere"),
    "rita@cast.example": ("safe-contact", None),
}
NOT_AVAILABLE = Words("en")("not_available_text")
TODAY = date(2026, 11, 20)


@dataclass(frozen=True)
class Office:
    settings: Settings
    stores: Stores
    desk: Desk
    app: Any

    def reader(self, email: str) -> Reader:
        client = self.app.server.test_client()
        assert sign_in(client, email).status_code == 303
        return Reader(client)

    def work(self, **carriers: Callable[[Order, Any], Outcome]) -> None:
        """The worker's turn."""
        tick(self.stores.raw, [orders_job(self.stores, carriers, then=[])], lambda: NOW)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    settings = Settings(home=tmp_path, secret_key=KEY, organisation="Example Ltd")
    stores = open_stores(settings)
    migrate(stores)
    make_release(stores, 1, key=KEY)
    make_release(stores, 1, key=KEY, programme="elsewhere", name="Elsewhere")
    accounts, desk = open_accounts(settings), open_desk(settings)
    for email, (role, programme) in PEOPLE.items():
        accounts.add(email=email, role=role, programme_id=programme, password=PASSWORD, now=NOW)
    lay_out(desk, NOW)
    yield Office(settings, stores, desk, create_app(settings, open_published(settings), accounts, lambda: NOW, desk))
    stores.dispose()


def sent(
    kind: object,
    subject: object,
    fields: Any,
    seen: object = 0,
    search: str = "?programme=mentoring",
    n_clicks: object = 1,
) -> dict[str, Any]:
    """What a browser sends when a form's button is pressed."""
    about = {"kind": kind, "subject": subject}
    state = [
        {"id": {**about, "part": "seen"}, "property": "data", "value": seen},
        [{"id": {**about, "field": name}, "property": "value", "value": value} for name, value in fields.items()],
        [
            {"id": {**about, "field": name}, "property": "id", "value": {**about, "field": name}}
            for name, value in fields.items()
        ],
        {"id": "address", "property": "pathname", "value": "/week"},
        {"id": "address", "property": "search", "value": search},
    ]
    told, place = ({**about, "part": part} for part in ("told", "seen"))
    button = json.dumps({**about, "part": "send"}, sort_keys=True, separators=(",", ":"))
    return {
        "output": (
            '..{"kind":["MATCH"],"part":"told","subject":["MATCH"]}.children'
            '...{"kind":["MATCH"],"part":"seen","subject":["MATCH"]}.data..'
        ),
        "outputs": [{"id": told, "property": "children"}, {"id": place, "property": "data"}],
        "inputs": [{"id": {**about, "part": "send"}, "property": "n_clicks", "value": n_clicks}],
        "state": state,
        "changedPropIds": [f"{button}.n_clicks"],
    }


def send(reader: Reader, *form: Any, **more: Any) -> str:
    answer = reader.client.post("/_dash-update-component", json=sent(*form, **more))
    assert answer.status_code in (200, 204), answer.status_code
    return str(answer.get_data(as_text=True))


SAID = {"said": "You said: more time.", "will": "We will: an hour a month."}


# --- who sees what -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/week", "/pairings"])
def test_only_hr_of_the_programme_sees_who_takes_part(office: Office, path: str) -> None:
    said = {email: office.reader(email).text(path, "?programme=mentoring") for email in PEOPLE}
    seeing = {email for email, text in said.items() if "cast.example" in text or "Mentor 001" in text}
    assert seeing == {"cleo@cast.example", "hans@cast.example"}
    assert NOT_AVAILABLE in said["dan@cast.example"]
    shell = {email: office.reader(email).client.get("/").get_data(as_text=True) for email in PEOPLE}
    assert {email for email, text in shell.items() if 'href="/pairings' in text} == {
        "cleo@cast.example",
        "hans@cast.example",
        "eve-hr@cast.example",
    }


def test_the_week_says_what_to_do(office: Office) -> None:
    text = office.reader("cleo@cast.example").text("/week", "?programme=mentoring")
    words = Words("en")
    for key, n in (("contact_one", 1), ("bounces_one", 1), ("support_many", 2)):
        assert words(f"todo_{key}", n=n) in text
    assert words("todo_reply", number=6).replace("\u201c", "\\u201c").replace("\u201d", "\\u201d") in text
    assert "6 things to do this week" in text
    assert "Mentors a third to half; Mentees over half" in text
    german = office.reader("cleo@cast.example").text("/week", "?programme=mentoring&lang=de")
    assert "6 Dinge sind diese Woche zu tun" in german


def test_pairings_show_facts_and_no_score(office: Office) -> None:
    text = office.reader("cleo@cast.example").text("/pairings", "?programme=mentoring")
    assert "69 pairs are under way; 2 may need support" in text
    assert "looked after" in text
    assert "Both are well." not in text  # that pair is not among those that wait
    assert '"Mentee 050"' in text
    assert '"Mentee 060"' not in text  # on the next page
    assert '"Mentee 004"' not in text  # ended
    assert '"Mentee 060"' in office.reader("cleo@cast.example").text("/pairings", "?programme=mentoring&page=2")
    found = office.reader("cleo@cast.example").text("/pairings", "?programme=mentoring&find=mentee%2006")
    assert set(re.findall(r'"(Mentee \d{3})"', found)) == {f"Mentee 0{n}" for n in range(60, 70)}
    assert Words("en")("pairings_none_found") in office.reader("cleo@cast.example").text(
        "/pairings", "?programme=mentoring&find=%3Cscript%3Ealert"
    )


@pytest.mark.parametrize("search", ["&page=0", "&page=99", "&page=-3", "&page=%C2%B2", "&page=" + "9" * 100])
def test_a_page_that_no_control_offers_is_the_nearest(office: Office, search: str) -> None:
    text = office.reader("cleo@cast.example").text("/pairings", f"?programme=mentoring{search}")
    assert "Page 2 of 2" in text or "Page 1 of 2" in text


def test_before_the_timetable_ran_the_pages_say_so(office: Office) -> None:
    eve = office.reader("eve-hr@cast.example")
    for path in ("/week", "/pairings"):
        assert Words("en")("week_not_yet") in eve.text(path)


def test_a_programme_without_a_release_has_its_week(office: Office) -> None:
    office.desk.lay_out("begun", "calendar", {**CALENDAR, "programme": "Begun", "rounds": [], "next": None}, NOW)
    office.desk.lay_out(
        "begun", "pairings", {"rules": {"days": None, "week": None}, "pairings": [], "requests": []}, NOW
    )
    cleo = office.reader("cleo@cast.example")
    assert "There is no round yet" in cleo.text("/week", "?programme=begun")
    assert Words("en")("support_no_rule") in cleo.text("/pairings", "?programme=begun")
    assert Words("en")("empty_text") in cleo.text("/", "?programme=begun")
    assert NOT_AVAILABLE in office.reader("dan@cast.example").text("/", "?programme=begun")


# --- orders ------------------------------------------------------------------------------------------


def test_a_reply_is_kept_survives_a_reload_and_reaches_the_worker(office: Office) -> None:
    cleo = office.reader("cleo@cast.example")
    assert Words("en")("order_kept_reply") in send(cleo, "reply", "mentoring-6", SAID)
    reloaded = cleo.text("/week", "?programme=mentoring")
    assert "an hour a month" in reloaded
    assert "being carried out" in reloaded
    seen: list[Order] = []
    office.work(reply=lambda order, now: seen.append(order) or Outcome())
    assert [(each.subject, dict(each.content), each.asked_by) for each in seen] == [
        ("mentoring-6", SAID, "cleo@cast.example")
    ]


def test_the_last_writer_is_warned_and_nothing_is_lost(office: Office) -> None:
    cleo, hans = office.reader("cleo@cast.example"), office.reader("hans@cast.example")
    send(cleo, "reply", "mentoring-6", SAID)
    own = {"said": "Hans heard this.", "will": "Hans does that."}
    warned = send(hans, "reply", "mentoring-6", own)
    assert "cleo@cast.example has written meanwhile" in warned
    assert SAID["will"] in warned
    place = json.loads(warned)["response"]['{"kind":"reply","part":"seen","subject":"mentoring-6"}']["data"]
    assert Words("en")("order_kept_reply") in send(hans, "reply", "mentoring-6", own, place)
    assert [dict(each.content) for each in office.desk.orders("mentoring", "reply")] == [own, SAID]


def test_a_request_is_answered_by_one_of_two(office: Office) -> None:
    cleo, hans = office.reader("cleo@cast.example"), office.reader("hans@cast.example")
    subject = "mentoring-7/P001/mentee"
    assert Words("en")("order_kept_contact") in send(cleo, "contact", subject, {"note": "Called."})
    assert "has noted this meanwhile" in send(hans, "contact", subject, {"note": "Wrote."})
    (order,) = office.desk.orders("mentoring", "contact")
    assert dict(order.content) == {
        "kind": "contact", "pairing": "P001", "person": "mentee-1", "round": "mentoring-7", "note": "Called.",
    }  # fmt: skip
    assert "Called." not in hans.text("/pairings", "?programme=mentoring")


def test_notes_on_a_pairing_stand_beside_one_another(office: Office) -> None:
    cleo = office.reader("cleo@cast.example")
    for note in ("first", "second"):
        assert Words("en")("order_kept_action") in send(cleo, "action", "P001", {"kind": "wrote", "note": note})
    assert [each.content["note"] for each in office.desk.orders("mentoring", "action")] == ["second", "first"]


@pytest.mark.parametrize(
    ("email", "form", "more"),
    [
        ("dan@cast.example", ("reply", "mentoring-6", SAID), {}),
        ("lea@cast.example", ("action", "P001", {"kind": "wrote", "note": ""}), {}),
        ("rita@cast.example", ("reply", "mentoring-6", SAID), {}),
        ("eve-hr@cast.example", ("reply", "mentoring-6", SAID), {}),
        ("eve-hr@cast.example", ("reply", "mentoring-6", SAID), {"search": "?programme=elsewhere"}),
        ("eve-hr@cast.example", ("report", "pdf", {}), {}),
        ("cleo@cast.example", ("reply", "mentoring-7", SAID), {}),  # still open
        ("cleo@cast.example", ("reply", "elsewhere-1", SAID), {}),
        ("cleo@cast.example", ("contact", "mentoring-1/P001/mentee", {"note": ""}), {}),
        ("cleo@cast.example", ("contact", "mentoring-7/P001/mentor", {"note": ""}), {}),  # answered already
        ("cleo@cast.example", ("action", "P999", {"kind": "wrote", "note": ""}), {}),
        ("cleo@cast.example", ("action", "P001", {"kind": "dismissed", "note": ""}), {}),
        ("cleo@cast.example", ("action", "P001", {"kind": "contact", "note": ""}), {}),
        ("cleo@cast.example", ("report", "docx", {}), {}),
        ("cleo@cast.example", ("withdraw", "mentoring-1", {}), {}),
        ("cleo@cast.example", ("reply", "mentoring-6", SAID), {"seen": "1"}),
        ("cleo@cast.example", ("reply", "mentoring-6", SAID), {"seen": True}),
        ("cleo@cast.example", ("reply", "mentoring-6", SAID), {"seen": 0.0}),
        ("cleo@cast.example", ("reply", "mentoring-6", SAID), {"seen": None}),
        ("cleo@cast.example", ("reply", "mentoring-6", SAID), {"seen": 10**30}),
    ],
)
def test_what_no_control_offers_is_not_ordered(office: Office, email: str, form: Any, more: Any) -> None:
    send(office.reader(email), *form, **more)
    assert office.desk.recent("mentoring") == office.desk.recent("elsewhere") == []


@pytest.mark.parametrize(
    ("kind", "subject", "fields"),
    [
        (None, None, {}),
        (7, ["x"], {"said": "a"}),
        ("reply", "mentoring-6", {"said": 7, "will": {"a": 1}}),
        ("reply", "mentoring-6", {"said": "x" * 5000, "will": "y"}),
        ("reply", "mentoring-6", {"said": "x" * 601, "will": "y"}),
        ("reply", "mentoring-6", {"said": "   ", "will": "y"}),
        ("reply", "mentoring-6", {}),
    ],
)
def test_forms_of_another_shape_are_no_orders(office: Office, kind: object, subject: object, fields: Any) -> None:
    answer = office.reader("cleo@cast.example").client.post("/_dash-update-component", json=sent(kind, subject, fields))
    assert answer.status_code < 500
    assert office.desk.recent("mentoring") == []


def test_a_desk_that_overflows_says_so(office: Office) -> None:
    cleo = office.reader("cleo@cast.example")
    for _ in range(MOST_WAITING):
        send(cleo, "action", "P001", {"kind": "wrote", "note": ""})
    assert "Too much is waiting" in send(cleo, "action", "P001", {"kind": "wrote", "note": ""})


# --- reports -----------------------------------------------------------------------------------------


def reports(reader: Reader, search: str = "?programme=mentoring") -> str:
    body = {
        "output": "..reports.children...reports-clock.disabled..",
        "outputs": [{"id": "reports", "property": "children"}, {"id": "reports-clock", "property": "disabled"}],
        "inputs": [{"id": "reports-clock", "property": "n_intervals", "value": 1}, []],
        "state": [
            {"id": "address", "property": "pathname", "value": "/business-case"},
            {"id": "address", "property": "search", "value": search},
        ],
        "changedPropIds": ["reports-clock.n_intervals"],
    }
    answer = reader.client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def test_a_report_is_asked_for_written_and_fetched_by_those_who_may(office: Office) -> None:
    lea, dan = office.reader("lea@cast.example"), office.reader("dan@cast.example")
    assert Words("en")("order_kept_report") in send(lea, "report", "html", {}, search="?programme=mentoring&lang=en")
    assert "Web page: in the queue" in reports(lea)
    assert json.loads(reports(lea))["response"]["reports-clock"]["disabled"] is False
    office.work(**dashboard_jobs.carriers(office.settings))
    done = reports(lea)
    assert "ready to download" in done
    assert json.loads(done)["response"]["reports-clock"]["disabled"] is True
    (order,) = office.desk.orders("mentoring", "report")
    fetched = lea.client.get(f"/orders/{order.order_id}")
    assert fetched.status_code == 200
    assert fetched.headers["Content-Disposition"].startswith('attachment; filename="rapport-mentoring-1-')
    assert fetched.get_data().startswith(b"<!DOCTYPE html>")
    assert office.reader("cleo@cast.example").client.get(f"/orders/{order.order_id}").status_code == 200
    assert "ready to download" not in reports(dan)  # another leader's
    for other in ("dan@cast.example", "eve-hr@cast.example", "rita@cast.example"):
        assert office.reader(other).client.get(f"/orders/{order.order_id}").status_code == 404
    assert lea.client.get(f"/orders/{order.order_id + 1}").status_code == 404
    assert office.app.server.test_client().get(f"/orders/{order.order_id}").status_code == 401
    assert "ready to download" in lea.text("/business-case")


def test_a_report_is_asked_for_again_by_whomever_and_tells_nobody_of_the_other(office: Office) -> None:
    for email in ("cleo@cast.example", "lea@cast.example", "lea@cast.example", "dan@cast.example"):
        said = send(office.reader(email), "report", "html", {})
        assert Words("en")("order_kept_report") in said
        assert "@cast.example" not in said
    assert len(office.desk.orders("mentoring", "report")) == 4


def test_a_report_that_cannot_be_written_is_told(office: Office) -> None:
    lea = office.reader("lea@cast.example")
    send(lea, "report", "pdf", {})
    office.work()
    assert "could not be written" in reports(lea)


# --- the list and the mail ---------------------------------------------------------------------------


def test_people_come_before_rounds_and_seven_are_the_most() -> None:
    found = tasks(CALENDAR, PAIRINGS, TODAY)
    assert [each.key for each in found] == ["contact", "bounces", "support", "reply", "closes", "opens"]
    crowded = {**CALENDAR, "rounds": [*CALENDAR["rounds"], *([CALENDAR["rounds"][-1]] * 5)]}
    assert len(tasks(crowded, PAIRINGS, TODAY)) == MOST
    assert tasks({}, {}, TODAY) == []


def test_what_was_looked_after_leaves_the_list() -> None:
    before = [{**each, "on": "2026-10-15"} for each in PAIRINGS["pairings"][2]["actions"]]
    silent = PAIRINGS["pairings"][0]["support"]
    for actions, is_there in (([], True), (before, True), (PAIRINGS["pairings"][2]["actions"], False)):
        board = {"pairings": [pairing(1, support=silent, actions=actions)], "requests": []}
        assert (Task(key="support", path="/pairings#support") in tasks(CALENDAR, board, TODAY)) is is_there
    assert "contact" not in [each.key for each in tasks(CALENDAR, {"requests": [request(answered_on="x")]}, TODAY)]


def test_a_programme_that_rests_is_told_to_plan() -> None:
    closed = [each for each in CALENDAR["rounds"] if each["state"] == "closed"]
    resting = {**CALENDAR, "rounds": closed, "next": None}
    assert "unplanned" in [each.key for each in tasks(resting, PAIRINGS, TODAY)]
    far = {
        **CALENDAR,
        "rounds": closed,
        "next": {"pulse": "pulse", "opens_on": "2027-03-01", "closes_on": "2027-03-15"},
    }
    assert {"unplanned", "opens"}.isdisjoint(each.key for each in tasks(far, PAIRINGS, TODAY))


def test_the_monday_mail_counts_and_names_nobody(office: Office) -> None:
    mails: list[tuple[str, str, str]] = []

    def tell(to: str, subject: str, text: str, key: str, now: Any) -> bool:
        mails.append((to, subject, text))
        return to != "hans@cast.example"

    monday = NOW.replace(day=23, hour=5, minute=59)  # in Berlin not yet seven
    assert dashboard_jobs.send_monday(office.desk, office.settings, tell, monday) == 0
    assert mails == []
    seven = monday + timedelta(minutes=1)
    assert dashboard_jobs.send_monday(office.desk, office.settings, tell, seven) == 1
    assert [to for to, _, _ in mails] == ["cleo@cast.example", "hans@cast.example"]
    assert "Answer a person who asked to be contacted" in mails[0][2]
    assert "http://127.0.0.1:8050/week" in mails[0][2]
    assert not re.search(r"Gus|gone@|Mentee|Mentor 0|Ann", mails[0][2])
    mails.clear()
    assert dashboard_jobs.send_monday(office.desk, office.settings, tell, seven + timedelta(hours=1)) == 0
    assert [to for to, _, _ in mails] == ["hans@cast.example"]  # refused before, so tried again
    tuesday = seven + timedelta(days=1)
    assert dashboard_jobs.send_monday(office.desk, office.settings, lambda *_: True, tuesday) == 0
    assert dashboard_jobs.send_monday(office.desk, office.settings, lambda *_: True, seven + timedelta(days=7)) == 2


def test_no_mail_where_there_is_nothing_to_do(office: Office) -> None:
    quiet = {
        **CALENDAR,
        "rounds": [CALENDAR["rounds"][0]],
        "bounces": [],
        "next": {**CALENDAR["next"], "opens_on": "2027-02-01"},
    }
    office.desk.lay_out("mentoring", "calendar", quiet, NOW)
    office.desk.lay_out("mentoring", "pairings", {"pairings": [], "requests": []}, NOW)
    assert dashboard_jobs.send_monday(office.desk, office.settings, lambda *_: True, NOW.replace(day=23)) == 0


def test_after_sign_in_the_newest_programme_is_shown_and_leaders_have_no_list(office: Office) -> None:
    cleo, dan = office.reader("cleo@cast.example"), office.reader("dan@cast.example")
    make_release(office.stores, 2, key=KEY)  # of "mentoring", so newer than that of "elsewhere"
    for reader in (cleo, dan):
        shell = reader.client.get("/").get_data(as_text=True)
        assert re.findall(r'href="[^"]*programme=(\w+)', shell)[:2] == ["mentoring", "elsewhere"]
    assert "6 things to do this week" in cleo.text("/")
    assert "to do this week" not in dan.text("/")
    assert "to do this week" not in cleo.text("/", "?programme=mentoring&round=mentoring-1")  # the past has no list


def test_participation_tells_hr_how_many_cannot_be_asked_and_leaders_nothing(office: Office) -> None:
    cleo, dan = office.reader("cleo@cast.example"), office.reader("dan@cast.example")
    told = cleo.text("/participation", "?programme=mentoring")
    assert Words("en")("unreached_one") in told
    assert "Gus" not in told  # whom it concerns stands on This week
    assert Words("en")("unreached_one") not in dan.text("/participation", "?programme=mentoring")
    lay_out(office.desk, NOW + timedelta(minutes=10), bounces=[])
    assert Words("en")("unreached_none") in cleo.text("/participation", "?programme=mentoring")
    assert Words("en")("unreached_none") not in dan.text("/participation", "?programme=mentoring")
