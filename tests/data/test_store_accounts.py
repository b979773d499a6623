"""Sign-in: one answer for every failure, a lockout, sessions that end."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from data.errors import RapportError
from data.store.accounts import ABSOLUTE, IDLE, LOCKED_FOR, MAY_TRY, Accounts
from data.store.engine import reading
from data.tables import accounts as account_rows
from data.tables import sessions

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def accounts(stores) -> Accounts:
    book = Accounts(stores.access)
    book.add(email="Cleo@Cast.example", role="hr", programme_id="mentoring", password="right", now=NOW)
    return book


def test_cleo_signs_in_whatever_the_case_and_sees_her_programme_only(accounts):
    token = accounts.sign_in(email=" cleo@cast.EXAMPLE ", password="right", now=NOW)
    account = accounts.account_of(token, NOW)
    assert (account.email, account.role) == ("cleo@cast.example", "hr")
    assert account.may_see("mentoring")
    assert not account.may_see("elsewhere")


def test_every_failure_is_the_same_answer(accounts):
    assert accounts.sign_in(email="cleo@cast.example", password="wrong", now=NOW) is None
    assert accounts.sign_in(email="nobody@cast.example", password="right", now=NOW) is None


def test_eight_wrong_passwords_lock_for_a_while(accounts):
    for _ in range(MAY_TRY):
        accounts.sign_in(email="cleo@cast.example", password="wrong", now=NOW)
    assert accounts.sign_in(email="cleo@cast.example", password="right", now=NOW) is None
    later = NOW + LOCKED_FOR + timedelta(seconds=1)
    assert accounts.sign_in(email="cleo@cast.example", password="right", now=later) is not None


def test_a_session_ends_when_idle_when_old_and_at_sign_out(accounts):
    token = accounts.sign_in(email="cleo@cast.example", password="right", now=NOW)
    assert accounts.account_of(token, NOW + IDLE - timedelta(seconds=1)) is not None
    assert accounts.account_of(token, NOW + 2 * IDLE - timedelta(seconds=2)) is not None, "being used keeps it awake"
    assert accounts.account_of(token, NOW + 4 * IDLE) is None
    token = accounts.sign_in(email="cleo@cast.example", password="right", now=NOW)
    moment = NOW
    while moment < NOW + ABSOLUTE - IDLE:
        moment += IDLE / 2
        assert accounts.account_of(token, moment) is not None
    assert accounts.account_of(token, NOW + ABSOLUTE) is None
    token = accounts.sign_in(email="cleo@cast.example", password="right", now=NOW)
    accounts.sign_out(token, NOW)
    assert accounts.account_of(token, NOW) is None


def test_neither_password_nor_session_token_is_stored(accounts, stores):
    token = accounts.sign_in(email="cleo@cast.example", password="right", now=NOW)
    with reading(stores.access) as connection:
        stored = str(connection.execute(select(account_rows)).all() + connection.execute(select(sessions)).all())
    assert "cleo@cast.example" in stored
    assert "argon2id" in stored
    assert "'right'" not in stored
    assert token not in stored


def test_the_audit_log_knows_who_came(accounts):
    accounts.sign_in(email="cleo@cast.example", password="wrong", now=NOW)
    token = accounts.sign_in(email="cleo@cast.example", password="right", now=NOW)
    accounts.sign_out(token, NOW)
    assert [entry["action"] for entry in accounts.entries()] == [
        "signed out",
        "signed in",
        "sign-in refused",
        "account added",
    ]


@pytest.mark.parametrize(
    ("email", "role", "sentence"),
    [
        ("dan", "leader", "not an e-mail address"),
        ("dan@cast.example", "king", "no role king"),
        ("cleo@cast.example", "hr", "already"),
    ],
)
def test_a_bad_account_is_one_sentence(accounts, email, role, sentence):
    with pytest.raises(RapportError, match=sentence):
        accounts.add(email=email, role=role, programme_id=None, password="x", now=NOW)
