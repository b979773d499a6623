"""The answering pages, as a person, a mail scanner and a double-click meet them."""

import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from data.settings import Settings
from data.store import people, rounds
from data.store.engine import Stores, reading, writing
from data.tables import answers, goal_ratings, invitations, links, raw, responses
from surveys.questionnaire import ROOM, load
from surveys.web import create_app
from tests.conftest import KEY
from tests.support import cast

BASE = "http://127.0.0.1:8051"


class Clock:
    now = cast.NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pair(stores: Stores) -> cast.Pair:
    return cast.ada_and_ben(stores)


@pytest.fixture
def phone(stores: Stores, home, clock: Clock) -> Iterator[TestClient]:
    app = create_app(Settings(home=home, secret_key=KEY, organisation="Example Ltd"), stores, clock)
    with TestClient(app, base_url=BASE) as client:
        yield client


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send: hidden fields, and the first choice of every question."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {unescape(name): unescape(value) for name, value in hidden}


def questions_of(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'type="radio" name="(q:[^"]+)"', page)))


def rows(stores: Stores, table) -> int:
    with reading(stores.raw) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def everything(stores: Stores) -> dict[str, int]:
    return {table.name: rows(stores, table) for table in raw.sorted_tables}


def test_a_link_becomes_a_cookie_and_a_clean_address(phone, pair):
    landed = phone.get(f"/a/{pair.mentee_token}", follow_redirects=False)
    assert (landed.status_code, landed.headers["location"]) == (303, "/answer")
    cookie = landed.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert pair.mentee_token not in cookie
    assert landed.headers["referrer-policy"] == "no-referrer"


def test_ben_reads_german_and_ada_english(phone, pair):
    page = phone.get(f"/a/{pair.mentee_token}").text
    assert '<html lang="de" dir="ltr">' in page
    assert "Dein Mentoring mit Ada" in page
    page = phone.get(f"/a/{pair.mentor_token}").text
    assert '<html lang="en" dir="ltr">' in page
    assert "Your mentoring with Ben" in page
    assert "Dein Mentoring mit Ben" in phone.get("/answer?lang=de").text


def test_a_pulse_asks_seven_questions_and_two_marked_ones(phone, pair):
    page = phone.get(f"/a/{pair.mentee_token}").text
    asked = questions_of(page)
    assert len(asked) == 9
    assert asked[-2:] == ["q:met_since", "q:contact_me"]
    assert page.count('aria-hidden="true">◉') == 2


def answer(phone, token: str, value: str = "4", **more: str) -> tuple[dict[str, str], object]:
    page = phone.get(f"/a/{token}").text
    fields = fields_of(page)
    for name in questions_of(page):
        fields[name] = "yes" if name in ("q:met_since", "q:contact_me") else value
    fields |= more
    return fields, phone.post("/answer", data=fields)


def test_answers_are_stored_as_said_then_acknowledged(phone, pair, stores):
    fields, thanks = answer(phone, pair.mentee_token, comment="Gut so.\r\nWeiter!", release="yes")
    assert thanks.status_code == 200
    assert thanks.url.path == "/thanks"
    assert "Danke" in thanks.text
    with reading(stores.raw) as connection:
        said = dict(connection.execute(select(answers.c.question_id, answers.c.value)).all())
        kept = connection.execute(select(responses)).one()
    assert said == {name[2:]: value for name, value in fields.items() if name.startswith("q:")}
    assert (kept.comment, kept.is_comment_for_release, kept.version, kept.is_counted) == (
        "Gut so.\nWeiter!",
        True,
        1,
        True,
    )


def test_the_thank_you_page_carries_one_practice_for_ben_only(phone, pair):
    _, thanks = answer(phone, pair.mentee_token, value="2")
    assert thanks.text.count('class="practice"') == 1
    assert "{other}" not in thanks.text


def test_a_double_click_is_one_response_and_the_same_receipt(phone, pair, stores):
    fields, first = answer(phone, pair.mentee_token)
    second = phone.post("/answer", data=fields)
    receipt = re.search(r"<code>(\w+)</code>", first.text)
    again = re.search(r"<code>(\w+)</code>", second.text)
    assert receipt
    assert again
    assert receipt[1] == again[1]
    assert rows(stores, responses) == 1


def test_the_same_page_sent_with_other_answers_keeps_both_and_the_first_counts(phone, pair, stores):
    fields, _ = answer(phone, pair.mentee_token, value="4")
    changed = {name: "1" if value == "4" else value for name, value in fields.items()}
    assert phone.post("/answer", data=changed).status_code == 409
    with reading(stores.raw) as connection:
        kept = connection.execute(select(responses.c.version, responses.c.is_counted).order_by("version")).all()
    assert kept == [(1, True), (2, False)]


def test_answering_again_from_the_link_replaces_and_shows_nothing_of_before(phone, pair, stores):
    answer(phone, pair.mentee_token, value="4", comment="geheim")
    page = phone.get(f"/a/{pair.mentee_token}").text
    assert "geheim" not in page
    assert "checked" not in page.replace(":has(:checked)", "")
    answer(phone, pair.mentee_token, value="2")
    with reading(stores.raw) as connection:
        kept = connection.execute(select(responses.c.version, responses.c.is_counted).order_by("version")).all()
    assert kept == [(1, False), (2, True)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_mail_scanner_changes_nothing(phone, pair, stores, method):
    before = everything(stores)
    for path in (f"/a/{pair.mentee_token}", "/answer", "/thanks", "/healthz"):
        phone.request(method, path)
    assert everything(stores) == before


def test_an_empty_page_is_not_a_response(phone, pair, stores):
    fields = fields_of(phone.get(f"/a/{pair.mentee_token}").text)
    sent = phone.post("/answer", data=fields)
    assert sent.status_code == 422
    assert "Noch ist nichts beantwortet" in sent.text
    assert rows(stores, responses) == 0


def test_a_refused_page_keeps_what_was_typed(phone, pair, stores):
    _, sent = answer(phone, pair.mentor_token, value="9", comment="keep <me>")
    assert sent.status_code == 422
    assert "keep &lt;me&gt;</textarea>" in sent.text
    assert 'name="q:met_since" value="yes" checked' in sent.text
    assert sent.text.count('class="problem"') == 7
    assert rows(stores, responses) == 0


def _closed(phone, token: str) -> str:
    landed = phone.get(f"/a/{token}")
    assert landed.status_code == 410
    return landed.text


def test_every_dead_link_reads_the_same(phone, pair, stores, clock):
    with writing(stores.raw) as connection:
        of = rounds.read_round(connection, "R1")
        other_purpose = cast.links.make(connection, purpose="view", person_id="ben", of=of, now=cast.OPENS)
    unknown = _closed(phone, "A" * 43)
    assert _closed(phone, "short") == unknown
    assert _closed(phone, other_purpose) == unknown
    with writing(stores.raw) as connection:
        rounds.revoke_links(connection, "ada", cast.NOON)
    assert _closed(phone, pair.mentor_token) == unknown
    clock.now = cast.CLOSES
    assert _closed(phone, pair.mentee_token) == unknown


def test_a_revoked_link_ends_the_session_at_once(phone, pair, stores):
    fields, _ = answer(phone, pair.mentee_token)
    with writing(stores.raw) as connection:
        rounds.revoke_links(connection, "ben", cast.NOON)
    assert phone.get("/answer").status_code == 410
    assert phone.post("/answer", data=fields).status_code == 410


def test_nothing_is_taken_after_the_round_closed(phone, pair, stores, clock):
    fields = fields_of(phone.get(f"/a/{pair.mentee_token}").text) | {"q:met_since": "yes"}
    with writing(stores.raw) as connection:
        rounds.close_round(connection, "R1", cast.NOON)
    assert phone.post("/answer", data=fields).status_code == 410
    assert rows(stores, responses) == 0


def test_a_page_cannot_be_sent_for_somebody_else(phone, pair, stores):
    bens = fields_of(phone.get(f"/a/{pair.mentee_token}").text) | {"q:met_since": "yes"}
    phone.get(f"/a/{pair.mentor_token}")
    assert phone.post("/answer", data=bens).status_code == 410
    assert phone.post("/answer", data=bens | {"for": "P9"}).status_code == 410
    assert rows(stores, responses) == 0


def test_a_tampered_cookie_opens_nothing(phone, pair):
    phone.get(f"/a/{pair.mentee_token}")
    value = phone.cookies["rapport-answer"]
    phone.cookies.clear()
    phone.cookies.set("rapport-answer", value[:-2] + "zz")
    assert phone.get("/answer").status_code == 410


def test_a_mentor_of_two_is_asked_about_each_by_name(phone, stores):
    with writing(stores.raw) as connection:
        cast.introduce(connection)
        people.save_person(connection, cast.person("gil"))
        cast.pair(connection, "P2", "ada", "gil")
        cast.open_round(connection)
        token = cast.link(connection, "ada")
    page = phone.get(f"/a/{token}").text
    assert "Your mentoring with Ben" in page
    assert ">Gil</a>" in page
    _, thanks = answer(phone, token)
    assert "Next: you and Gil" in thanks.text
    assert "Your mentoring with Gil" in phone.get("/answer").text
    assert "Your mentoring with Ben" in phone.get("/answer?for=P1").text
    assert phone.get("/answer?for=P9").status_code == 410


def test_goals_are_rated_on_their_agreed_levels(phone, pair, stores):
    levels = {-2: "none", -1: "one", 0: "two", 1: "three", 2: "four"}
    with writing(stores.raw) as connection:
        goal = people.add_goal(
            connection,
            pairing_id="P1",
            title="A <b> meeting",
            levels=levels,
            set_on=date(2026, 2, 2),
            is_agreed=True,
        )
        people.add_goal(connection, pairing_id="P1", title="Not agreed", levels=levels, set_on=date(2026, 2, 2))
    page = phone.get(f"/a/{pair.mentor_token}").text
    assert "A &lt;b&gt; meeting" in page
    assert "Not agreed" not in page
    fields = fields_of(page) | {f"goal:{goal.goal_id}": "1"}
    assert phone.post("/answer", data=fields).status_code == 200
    with reading(stores.raw) as connection:
        assert connection.execute(select(goal_ratings.c.goal_id, goal_ratings.c.level)).all() == [(goal.goal_id, 1)]


def test_markup_in_a_name_is_text(phone, stores):
    with writing(stores.raw) as connection:
        cast.introduce(connection)
        people.save_person(connection, cast.person("ada", "<script>alert(1)</script>{date}"))
        cast.open_round(connection)
        token = cast.link(connection, "ben")
    page = phone.get(f"/a/{token}").text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{date}" in page


def test_pages_are_light_strict_and_never_cached(phone, pair):
    page = phone.get(f"/a/{pair.mentee_token}", headers={"accept-encoding": "gzip"})
    style = re.search(r'href="(/static/[^"]+)"', page.text)
    assert style
    sheet = phone.get(style[1])
    assert int(page.headers["content-length"]) + len(sheet.content) < 15_000
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script" not in page.text
    assert re.findall(r'(?:src|href)="https?:', page.text) == []


def test_an_oversized_or_foreign_body_is_refused(phone, pair, stores):
    fields = fields_of(phone.get(f"/a/{pair.mentee_token}").text)
    assert phone.post("/answer", data=fields | {"comment": "x" * 70_000}).status_code == 413
    assert phone.post("/answer", json=fields).status_code == 410
    _, sent = answer(phone, pair.mentee_token, comment="x" * 2_001)
    assert sent.status_code == 422
    assert rows(stores, responses) == 0


def test_a_store_that_fails_to_commit_is_never_called_saved(phone, pair, stores):
    """A trigger-free failure: the responses table is gone between reading the page and sending it."""
    page = phone.get(f"/a/{pair.mentor_token}").text
    fields = fields_of(page) | {"q:met_since": "yes"}
    with writing(stores.raw) as connection:
        connection.exec_driver_sql("ALTER TABLE answers RENAME TO answers_away")
    sent = phone.post("/answer", data=fields)
    assert sent.status_code == 503
    assert "Not confirmed" in sent.text
    assert 'name="q:met_since" value="yes" checked' in sent.text
    with writing(stores.raw) as connection:
        connection.exec_driver_sql("ALTER TABLE answers_away RENAME TO answers")
    assert rows(stores, responses) == 0
    assert phone.post("/answer", data=fields_of(sent.text) | {"q:met_since": "yes"}).status_code == 200
    assert rows(stores, responses) == 1


def test_no_token_is_stored(phone, pair, stores):
    phone.get(f"/a/{pair.mentee_token}")
    with reading(stores.raw) as connection:
        stored = " ".join(str(row) for row in connection.execute(select(links)))
        stored += " ".join(str(row) for row in connection.execute(select(invitations)))
    assert len(stored) > 200
    assert pair.mentee_token not in stored


def test_health_and_readiness(phone, pair):
    assert phone.get("/healthz").text == "ok\n"
    assert phone.get("/readyz").status_code == 200
    assert phone.get("/nowhere").status_code == 404


def test_a_changed_wording_needs_a_new_id(stores):
    from dataclasses import replace

    from data.errors import RapportError
    from surveys.questionnaire import ours

    first = next(iter(ours().questions.values()))
    reworded = replace(first, text={**first.text, first.sides[0]: {"en": "Quite another sentence about {other}."}})
    changed = replace(ours(), questions={**ours().questions, first.id: reworded})
    with writing(stores.raw) as connection:
        cast.introduce(connection)
        cast.open_round(connection)
        with pytest.raises(RapportError, match="another wording"):
            cast.open_round(connection, "R2", questionnaire=changed, opens_at=cast.OPENS + timedelta(days=42))


def test_editing_the_files_after_a_round_opened_changes_nothing_in_it(phone, stores, tmp_path):
    room = tmp_path / "room"
    shutil.copytree(ROOM / "questions", room / "questions")
    shutil.copytree(ROOM / "pulses", room / "pulses")
    shutil.copy(ROOM / "scales.toml", room)
    with writing(stores.raw) as connection:
        cast.introduce(connection)
        cast.open_round(connection, questionnaire=load(room))
        token = cast.link(connection, "ada")
    before = re.sub("value=.*?>", "", phone.get(f"/a/{token}").text)
    for file in (room / "questions").glob("*.toml"):
        file.write_text(re.sub(r'(?m)^en = ".*"$', 'en = "Edited."', file.read_text()))
    assert "Edited." in load(room).to_json()
    assert re.sub("value=.*?>", "", phone.get(f"/a/{token}").text) == before
