"""Answering again, withdrawing and saving for later, as one person does it on the pages."""

import re

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from data.settings import Settings
from data.store import drafts as kept_drafts
from data.store import rounds
from data.store.answers import read_answers, read_invited
from data.store.engine import Stores, reading, writing
from data.tables import answers, drafts, responses
from surveys import closing
from surveys.web import create_app
from tests.conftest import KEY
from tests.support import cast
from tests.surveys.test_web import BASE, Clock, answer, everything, fields_of, questions_of, rows


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pair(stores: Stores) -> cast.Pair:
    return cast.ada_and_ben(stores)


@pytest.fixture
def app(stores: Stores, home, clock: Clock):
    return create_app(Settings(home=home, secret_key=KEY, organisation="Example Ltd"), stores, clock)


@pytest.fixture
def phone(app) -> TestClient:
    return TestClient(app, base_url=BASE)


@pytest.fixture
def other_browser(app) -> TestClient:
    return TestClient(app, base_url=BASE)


def versions(stores: Stores) -> list[tuple[int, bool, bool]]:
    """Version, counted, withdrawn."""
    query = select(responses.c.version, responses.c.is_counted, responses.c.withdrawn_at).order_by("version")
    with reading(stores.raw) as connection:
        return [(row.version, row.is_counted, row.withdrawn_at is not None) for row in connection.execute(query)]


def asked_once_more(phone: TestClient, token: str) -> dict[str, str]:
    """Press "Withdraw my answers"; gives the fields of the page that asks once more."""
    fields = fields_of(phone.get(f"/a/{token}").text)
    asked = phone.post("/answer", data=fields | {"withdraw": "ask"})
    assert asked.status_code == 200
    signed = re.search(r'name="withdraw" value="([^"]+)"', asked.text)
    assert signed
    return fields_of(asked.text) | {"withdraw": signed[1]}


def test_withdrawing_is_asked_once_more_then_no_version_counts(phone, pair, stores):
    answer(phone, pair.mentee_token, value="4", comment="geheim")
    answer(phone, pair.mentee_token, value="2")
    confirm = asked_once_more(phone, pair.mentee_token)
    assert versions(stores) == [(1, False, False), (2, True, False)]
    done = phone.post("/answer", data=confirm)
    assert done.url.path == "/thanks"
    assert "sind zurückgezogen" in done.text
    assert versions(stores) == [(1, False, True), (2, False, True)]
    assert rows(stores, answers) == 18, "history stays"


def test_what_is_withdrawn_reaches_no_number_and_counts_as_not_answered(phone, pair, stores):
    answer(phone, pair.mentee_token)
    answer(phone, pair.mentor_token)
    phone.post("/answer", data=asked_once_more(phone, pair.mentee_token))
    with reading(stores.raw) as connection:
        said = read_answers(connection, cast.MENTORING, 1)
        invited = read_invited(connection, cast.MENTORING, 1)
        asked = {person: rounds.asks_of(connection, "R1", person)[0].has_answered for person in ("ada", "ben")}
    assert set(said["person_id"]) == {"ada"}
    assert dict(zip(invited["person_id"], invited["has_answered"], strict=True)) == {"ada": True, "ben": False}
    assert asked == {"ada": True, "ben": False}


def test_an_answer_after_withdrawing_is_a_new_version_and_counts(phone, pair, stores):
    answer(phone, pair.mentee_token)
    phone.post("/answer", data=asked_once_more(phone, pair.mentee_token))
    page = phone.get("/answer").text
    assert 'name="withdraw"' not in page
    _, thanks = answer(phone, pair.mentee_token, value="3")
    assert thanks.url.path == "/thanks"
    assert versions(stores) == [(1, False, True), (2, True, False)]


def test_a_withdrawal_that_comes_twice_or_late_takes_no_newer_answer_with_it(phone, pair, stores):
    answer(phone, pair.mentee_token)
    confirm = asked_once_more(phone, pair.mentee_token)
    assert phone.post("/answer", data=confirm).url.path == "/thanks"
    assert phone.post("/answer", data=confirm).url.path == "/thanks"
    answer(phone, pair.mentee_token, value="3")
    late = phone.post("/answer", data=confirm)
    assert (late.status_code, late.url.path) == (200, "/answer")
    assert 'name="withdraw"' in late.text, "it asks again"
    assert versions(stores) == [(1, False, True), (2, True, False)]


def test_sending_a_withdrawn_page_again_is_not_called_saved(phone, pair, stores):
    fields, _ = answer(phone, pair.mentee_token)
    phone.post("/answer", data=asked_once_more(phone, pair.mentee_token))
    for sent in (fields, fields | {"comment": "anders"}):
        refused = phone.post("/answer", data=sent)
        assert refused.status_code == 409
        assert "schon gesendet" in refused.text
    assert [counted for _, counted, _ in versions(stores)] == [False, False]


def test_nobody_withdraws_for_somebody_else_or_after_the_close(phone, pair, stores, clock):
    answer(phone, pair.mentee_token)
    bens = asked_once_more(phone, pair.mentee_token)
    phone.get(f"/a/{pair.mentor_token}")
    assert phone.post("/answer", data=bens).status_code == 410
    phone.get(f"/a/{pair.mentee_token}")
    forged = phone.post("/answer", data=bens | {"withdraw": bens["withdraw"][:-2] + "zz"})
    assert 'name="withdraw"' in forged.text
    with writing(stores.raw) as connection:
        rounds.close_round(connection, "R1", cast.NOON)
    assert phone.post("/answer", data=bens).status_code == 410
    assert versions(stores) == [(1, True, False)]


def test_a_round_that_closes_between_reading_and_writing_takes_nothing(phone, pair, stores, clock):
    """The store looks again in the transaction that writes."""
    fields = fields_of(phone.get(f"/a/{pair.mentee_token}").text) | {"q:met_since": "yes"}
    original = phone.app.state.server.store.write

    async def close_first(work):
        with writing(stores.raw) as connection:
            rounds.close_round(connection, "R1", cast.NOON)
        return await original(work)

    phone.app.state.server.store.write = close_first
    assert phone.post("/answer", data=fields).status_code == 410
    assert rows(stores, responses) == 0


# --- drafts --------------------------------------------------------------------------------------


def save(phone: TestClient, token: str, **more: str) -> dict[str, str]:
    """Tap one choice, write something, and save for later."""
    page = phone.get(f"/a/{token}").text
    fields = fields_of(page) | {"q:met_since": "yes", questions_of(page)[0]: "2", "comment": "halb fertig"} | more
    saved = phone.post("/draft", data=fields)
    assert (saved.status_code, saved.url.path) == (200, "/answer")
    return fields


def test_a_draft_comes_back_in_the_same_browser_only(phone, other_browser, pair, stores):
    fields = save(phone, pair.mentee_token)
    mine = phone.get(f"/a/{pair.mentee_token}").text
    assert "halb fertig</textarea>" in mine
    assert 'name="q:met_since" value="yes" checked' in mine
    assert "Entwurf ist eingetragen" in mine
    theirs = other_browser.get(f"/a/{pair.mentee_token}").text
    assert "halb fertig" not in theirs
    assert " checked" not in theirs
    assert rows(stores, responses) == 0
    with reading(stores.raw) as connection:
        kept = connection.execute(select(drafts)).one()
    assert kept.draft_id in str(phone.app.state.server.session.unsign(fields["submission"], "submission"))


def test_a_draft_counts_nowhere_and_nobody_is_told_of_it(phone, pair, stores):
    before = everything(stores)
    save(phone, pair.mentee_token)
    assert everything(stores) == before | {"drafts": 1}
    with reading(stores.raw) as connection:
        assert not read_invited(connection, cast.MENTORING, 1)["has_answered"].any()
        assert not rounds.asks_of(connection, "R1", "ben")[0].has_answered


def test_sending_the_page_deletes_its_draft_and_saving_it_afterwards_is_refused(phone, pair, stores):
    fields = save(phone, pair.mentee_token)
    page = phone.get("/answer").text
    assert phone.post("/answer", data=fields_of(page) | {"q:met_since": "yes"}).url.path == "/thanks"
    assert (rows(stores, responses), rows(stores, drafts)) == (1, 0)
    assert phone.post("/draft", data=fields).status_code == 409
    assert rows(stores, drafts) == 0
    assert "halb fertig" not in phone.get(f"/a/{pair.mentee_token}").text


def test_saving_again_replaces_and_no_one_fills_the_store_with_drafts(phone, pair, stores, clock):
    fields = save(phone, pair.mentee_token)
    phone.post("/draft", data=fields | {"comment": "fast fertig"})
    assert rows(stores, drafts) == 1
    assert "fast fertig" in phone.get("/answer").text
    for _ in range(8):
        clock.now += cast.timedelta(seconds=61)
        phone.cookies.delete("rapport-draft")
        save(phone, pair.mentee_token)
    assert rows(stores, drafts) == kept_drafts.MOST_DRAFTS


def test_an_impossible_value_in_a_draft_is_no_answer(phone, pair, stores):
    save(phone, pair.mentee_token, **{"q:met_since": "<b>", "strange": "x", "comment": "a\x00b"})
    with reading(stores.raw) as connection:
        fields = connection.execute(select(drafts.c.fields)).scalar_one()
    assert fields["comment"] == "ab"
    assert "strange" not in fields
    page = phone.get("/answer").text
    assert "<b>" not in page
    assert phone.post("/answer", data=fields_of(page) | {"q:met_since": "<b>"}).status_code == 422


def test_an_empty_draft_and_one_of_a_closed_round_are_refused(phone, pair, stores, clock):
    fields = fields_of(phone.get(f"/a/{pair.mentee_token}").text)
    assert phone.post("/draft", data=fields).status_code == 422
    clock.now = cast.CLOSES
    assert phone.post("/draft", data=fields | {"comment": "x"}).status_code == 410
    assert rows(stores, drafts) == 0


def test_closing_a_round_deletes_its_drafts_and_no_others(phone, pair, stores):
    save(phone, pair.mentee_token)
    with writing(stores.raw) as connection:
        cast.open_round(connection, "R2")
        token = cast.link(connection, "ada", "R2")
    save(phone, token)
    assert rows(stores, drafts) == 2
    with writing(stores.raw) as connection:
        closing.close(connection, "R1", cast.NOON)
        left = connection.execute(select(drafts.c.invitation_id)).scalars().all()
        r2 = {entry.invitation_id for entry in rounds.invitations_of(connection, "R2")}
    assert len(left) == 1
    assert set(left) <= r2
