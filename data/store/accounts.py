"""Keeps who may sign in to the dashboard, their sessions, and the lockout after wrong passwords."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from data.errors import RapportError
from data.settings import Settings
from data.store import audit
from data.store.engine import is_reachable, open_stores, reading, writing
from data.tables import accounts, sessions

ROLES = ("hr", "leader", "employee-rep", "protection", "admin", "safe-contact")
MAY_TRY = 8
LOCKED_FOR = timedelta(minutes=15)
IDLE = timedelta(minutes=60)
AWAKE_EVERY = timedelta(minutes=1)
ABSOLUTE = timedelta(hours=12)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 1024


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who signs in. `programme_id` is null for every programme."""

    email: str
    role: str
    programme_id: str | None

    def may_see(self, programme_id: str) -> bool:
        return self.programme_id is None or self.programme_id == programme_id


class Accounts:
    """The access store, as sign-in needs it; each call is a transaction of its own, and the audit log knows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, *, email: str, role: str, programme_id: str | None, password: str, now: datetime) -> Account:
        """A new account; the address is compared without regard to case."""
        with writing(self._engine) as connection:
            new = _add_account(
                connection, email=email, role=role, programme_id=programme_id, password=password, now=now
            )
            audit.note(connection, at=now, who="command line", action="account added", about=new.email)
        return new

    def sign_in(self, *, email: str, password: str, now: datetime) -> str | None:
        """A session token, or None: a wrong password, an unknown address and a locked account look the same."""
        # The slow hash is checked before the write lock is taken, so that tries do not queue behind one another.
        with reading(self._engine) as connection:
            kept = _password_hash(connection, email)
        fits = _fits(kept or _nobody(), password)
        with writing(self._engine) as connection:
            token = _sign_in(connection, email=email, fits=fits and kept is not None, now=now)
            action = "signed in" if token else "sign-in refused"
            audit.note(connection, at=now, who=email.strip().lower()[:254], action=action, about="dashboard")
        return token

    def account_of(self, token: str, now: datetime) -> Account | None:
        """Who holds this session, unless it has been idle or open for too long; keeps it awake."""
        with reading(self._engine) as connection:
            account, seen_at = _account_of(connection, token, now)
        if account is not None and seen_at is not None and seen_at < now - AWAKE_EVERY:
            with writing(self._engine) as connection:
                _keep_awake(connection, token, now)
        return account

    def sign_out(self, token: str, now: datetime) -> None:
        """End one session."""
        with writing(self._engine) as connection:
            account, _seen_at = _account_of(connection, token, now)
            _sign_out(connection, token)
            if account is not None:
                audit.note(connection, at=now, who=account.email, action="signed out", about="dashboard")

    def change_password(self, token: str, *, old: str, new: str, now: datetime) -> bool:
        """Give the holder of a session a new password, and end their other sessions; false where the old one is wrong.

        Wrong ones count as at sign-in. Raises RapportError for a new one that is too short, too long or the address.
        """
        with reading(self._engine) as connection:
            account, _seen_at = _account_of(connection, token, now)
            kept = _password_hash(connection, account.email) if account else None
        if account is None or kept is None:
            return False
        _refuse_weak(new, account.email)
        fits = _fits(kept, old)
        fresh = _hasher().hash(new)
        with writing(self._engine) as connection:
            is_changed = _change_password(connection, token, account.email, fits=fits, fresh=fresh, now=now)
            action = "password changed" if is_changed else "password change refused"
            audit.note(connection, at=now, who=account.email, action=action, about="dashboard")
        return is_changed

    def sign_out_elsewhere(self, token: str, now: datetime) -> int:
        """End every other session of whoever holds this one; returns how many there were."""
        with writing(self._engine) as connection:
            account, _seen_at = _account_of(connection, token, now)
            if account is None:
                return 0
            audit.note(connection, at=now, who=account.email, action="signed out elsewhere", about="dashboard")
            return _end_others(connection, token, account.email)

    def n_sessions(self, email: str, now: datetime) -> int:
        """In how many browsers an account is signed in."""
        with reading(self._engine) as connection:
            query = select(func.count()).where(
                sessions.c.email == email, sessions.c.seen_at > now - IDLE, sessions.c.made_at > now - ABSOLUTE
            )
            return int(connection.execute(query).scalar_one())

    def is_told_weekly(self, email: str) -> bool:
        """Whether an account wants the Monday mail."""
        with reading(self._engine) as connection:
            query = select(accounts.c.is_told_weekly).where(accounts.c.email == email)
            return bool(connection.execute(query).scalar_one())

    def tell_weekly(self, email: str, *, wanted: bool) -> None:
        """Switch the Monday mail on or off."""
        with writing(self._engine) as connection:
            connection.execute(update(accounts).where(accounts.c.email == email).values(is_told_weekly=wanted))

    def role_of(self, email: str) -> str | None:
        """The role of an account; None where there is none for this address."""
        with reading(self._engine) as connection:
            query = select(accounts.c.role).where(accounts.c.email == email.strip().lower())
            return connection.execute(query).scalar_one_or_none()

    def entries(self, limit: int = 200) -> list[Mapping[str, Any]]:
        """The audit log, newest first."""
        with reading(self._engine) as connection:
            return audit.entries(connection, limit)

    def is_reachable(self) -> bool:
        return is_reachable(self._engine)


def open_accounts(settings: Settings) -> Accounts:
    """The accounts of an installation."""
    return Accounts(open_stores(settings).access)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that no password fits, so that an unknown address takes as long as a known one."""
    return _hasher().hash(secrets.token_urlsafe(24))


def _add_account(
    connection: Connection, *, email: str, role: str, programme_id: str | None, password: str, now: datetime
) -> Account:
    address = email.strip().lower()
    if role not in ROLES:
        raise RapportError(f"There is no role {role}; choose one of {', '.join(ROLES)}.")
    if "@" not in address or any(character.isspace() for character in address):
        raise RapportError(f"{email!r} is not an e-mail address.")
    if connection.execute(select(accounts.c.email).where(accounts.c.email == address)).first():
        raise RapportError(f"There is an account for {address} already.")
    connection.execute(
        insert(accounts).values(
            email=address,
            role=role,
            programme_id=programme_id,
            password_hash=_hasher().hash(password),
            n_failed=0,
            made_at=now,
            is_told_weekly=True,
        )
    )
    return Account(email=address, role=role, programme_id=programme_id)


def _password_hash(connection: Connection, email: str) -> str | None:
    query = select(accounts.c.password_hash).where(accounts.c.email == email.strip().lower())
    return connection.execute(query).scalar_one_or_none()


def _sign_in(connection: Connection, *, email: str, fits: bool, now: datetime) -> str | None:
    row = connection.execute(
        select(accounts).where(accounts.c.email == email.strip().lower()).with_for_update()
    ).one_or_none()
    if row is None or (row.locked_until is not None and row.locked_until > now):
        return None
    if not fits:
        _count_failure(connection, row.email, row.n_failed + 1, now)
        return None
    connection.execute(update(accounts).where(accounts.c.email == row.email).values(n_failed=0, locked_until=None))
    return _start_session(connection, row.email, now)


def _refuse_weak(password: str, email: str) -> None:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise RapportError(f"A password has {SHORTEST_PASSWORD} characters or more, and at most {LONGEST_PASSWORD}.")
    if email.partition("@")[0] in password.lower() or len(set(password)) < 5:
        raise RapportError("This password is too easy to guess; a few words that do not belong together are good.")


def _change_password(connection: Connection, token: str, email: str, *, fits: bool, fresh: str, now: datetime) -> bool:
    query = select(accounts.c.n_failed, accounts.c.locked_until).where(accounts.c.email == email).with_for_update()
    row = connection.execute(query).one()
    if row.locked_until is not None and row.locked_until > now:
        return False
    if not fits:
        _count_failure(connection, email, row.n_failed + 1, now)
        return False
    values = {"password_hash": fresh, "n_failed": 0, "locked_until": None}
    connection.execute(update(accounts).where(accounts.c.email == email).values(values))
    _end_others(connection, token, email)
    return True


def _end_others(connection: Connection, token: str, email: str) -> int:
    others = (sessions.c.email == email, sessions.c.token_sha256 != _digest(token))
    return int(connection.execute(delete(sessions).where(*others)).rowcount)


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher().verify(password_hash, password)
    except VerificationError:
        return False


def _count_failure(connection: Connection, email: str, n_failed: int, now: datetime) -> None:
    is_locked = n_failed >= MAY_TRY
    values = {
        "n_failed": 0 if is_locked else n_failed,
        "locked_until": now + LOCKED_FOR if is_locked else None,
    }
    connection.execute(update(accounts).where(accounts.c.email == email).values(values))


def _start_session(connection: Connection, email: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    connection.execute(delete(sessions).where(sessions.c.made_at <= now - ABSOLUTE))
    connection.execute(insert(sessions).values(token_sha256=_digest(token), email=email, made_at=now, seen_at=now))
    return token


def _account_of(connection: Connection, token: str, now: datetime) -> tuple[Account | None, datetime | None]:
    query = (
        select(accounts.c.email, accounts.c.role, accounts.c.programme_id, sessions.c.seen_at)
        .join(sessions, sessions.c.email == accounts.c.email)
        .where(
            sessions.c.token_sha256 == _digest(token),
            sessions.c.seen_at > now - IDLE,
            sessions.c.made_at > now - ABSOLUTE,
        )
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None, None
    return Account(email=row.email, role=row.role, programme_id=row.programme_id), row.seen_at


def _keep_awake(connection: Connection, token: str, now: datetime) -> None:
    connection.execute(update(sessions).where(sessions.c.token_sha256 == _digest(token)).values(seen_at=now))


def _sign_out(connection: Connection, token: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.token_sha256 == _digest(token)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
