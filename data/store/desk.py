"""Keeps the work orders that people at the dashboard give, and the operational views they may see.

The dashboard writes here and nowhere else; the timetable's worker carries orders out in the raw store and lays
boards out for reading. A board is made from operational facts only: never from what somebody said of another.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from data.errors import RapportError
from data.settings import Settings
from data.store import actions, audit
from data.store.engine import open_stores, reading, writing
from data.tables import accounts, boards, monday_mails, order_files, orders

WAITING, WORKING, DONE, REFUSED = "waiting", "working", "done", "refused"
DOINGS = actions.DOINGS
AT_ONCE = 20  # tries of an order that stands beside others
MOST_WAITING = 50  # orders of one programme that nobody has carried out yet
LONGEST_TEXT = 600  # characters of one text in an order


class OvertakenError(RapportError):
    """Somebody else gave an order on the same thing meanwhile; `newest` is theirs. Nothing was kept or lost."""

    def __init__(self, newest: "Order") -> None:
        super().__init__(f"{newest.asked_by} was faster.")
        self.newest = newest


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks for. `seen` is the place of the newest order on the subject that they knew of.

    None stands beside whatever was asked before: it replaces nothing, so there is nothing to have seen.
    """

    programme_id: str
    kind: str
    subject: str
    content: Mapping[str, str]
    asked_by: str
    seen: int | None = 0


@dataclass(frozen=True, kw_only=True)
class Order:
    """One work order as it stands; `told` says what came of it."""

    order_id: int
    programme_id: str
    kind: str
    subject: str
    place: int
    content: Mapping[str, str]
    asked_by: str
    asked_at: datetime
    state: str
    told: str | None
    done_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state in (WAITING, WORKING)


@dataclass(frozen=True, kw_only=True)
class Board:
    """One operational view of one programme, and when it was made."""

    name: str
    content: Mapping[str, Any] = field(repr=False)  # names of people: in no log, and long
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of an order: a word or sentence, and what it made."""

    told: str = ""
    file: "File | None" = None


@dataclass(frozen=True, kw_only=True)
class File:
    """What an order made, under the name that a browser saves it by."""

    name: str
    content: bytes


Carrier = Callable[["Order", datetime], Outcome]  # carries out orders of one kind; a RapportError refuses one


class Desk:
    """The desk of one installation; each call is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- at the dashboard ------------------------------------------------------------------------

    def ask(self, wish: Wish, now: datetime) -> Order:
        """Keep an order; raises OvertakenError where somebody else was there since it was last looked at."""
        if any(len(text) > LONGEST_TEXT for text in wish.content.values()):
            raise RapportError(f"A text may have {LONGEST_TEXT} characters.")
        for _ in range(AT_ONCE):
            try:
                with writing(self._engine) as connection:
                    kept = _keep(connection, wish, now)
            except IntegrityError:  # two at the same moment: the store's key let one of them pass
                kept = None
            if kept is not None:
                return kept
            if wish.seen is not None:
                break
        newest = self.orders(wish.programme_id, wish.kind, wish.subject, limit=1)
        raise OvertakenError(newest[0]) if newest else RapportError("There is no such order to come after.")

    def orders(self, programme_id: str, kind: str, subject: str | None = None, limit: int = 20) -> list[Order]:
        """A programme's orders of a kind (on one subject, if named), newest first."""
        query = select(orders).where(orders.c.programme_id == programme_id, orders.c.kind == kind)
        if subject is not None:
            query = query.where(orders.c.subject == subject)
        with reading(self._engine) as connection:
            return _orders(connection, query.order_by(orders.c.order_id.desc()).limit(limit))

    def recent(self, programme_id: str, limit: int = 100) -> list[Order]:
        """A programme's newest orders of every kind, newest first."""
        query = select(orders).where(orders.c.programme_id == programme_id).order_by(orders.c.order_id.desc())
        with reading(self._engine) as connection:
            return _orders(connection, query.limit(limit))

    def places(self, programme_id: str) -> dict[tuple[str, str], int]:
        """The place of the newest order by kind and subject."""
        query = (
            select(orders.c.kind, orders.c.subject, func.max(orders.c.place))
            .where(orders.c.programme_id == programme_id)
            .group_by(orders.c.kind, orders.c.subject)
        )
        with reading(self._engine) as connection:
            return {(kind, subject): int(place) for kind, subject, place in connection.execute(query)}

    def order(self, order_id: int) -> Order | None:
        """One order, if there is one of that number."""
        with reading(self._engine) as connection:
            return next(iter(_orders(connection, select(orders).where(orders.c.order_id == order_id))), None)

    def file(self, order_id: int) -> File | None:
        """What an order made, as long as it is kept."""
        with reading(self._engine) as connection:
            row = connection.execute(select(order_files).where(order_files.c.order_id == order_id)).one_or_none()
        return None if row is None else File(name=row.name, content=base64.b64decode(row.content_base64))

    def boards(self, programme_id: str) -> dict[str, Board]:
        """The operational views of a programme by name; none before the timetable has run."""
        query = select(boards).where(boards.c.programme_id == programme_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {row.name: Board(name=row.name, content=row.content, made_at=row.made_at) for row in rows}

    def programmes(self) -> dict[str, str]:
        """The name of every programme that has a board, by id."""
        query = select(boards.c.programme_id, boards.c.content).where(boards.c.name == "calendar")
        with reading(self._engine) as connection:
            return {row.programme_id: str(row.content["programme"]) for row in connection.execute(query)}

    # --- at the timetable ------------------------------------------------------------------------

    def has_waiting(self) -> bool:
        """Whether an order waits; asked every second, so it is one look at an index."""
        with reading(self._engine) as connection:
            return connection.execute(select(orders.c.order_id).where(_OPEN).limit(1)).first() is not None

    def take(self) -> Order | None:
        """The oldest order that is not carried out, now being worked on; one that a dead worker left comes again."""
        with writing(self._engine) as connection:
            found = _orders(connection, select(orders).where(_OPEN).order_by(orders.c.order_id).limit(1))
            if not found:
                return None
            this = orders.c.order_id == found[0].order_id
            connection.execute(update(orders).where(this).values(state=WORKING))
        return found[0]

    def finish(self, order: Order, *, state: str, told: str, now: datetime, file: File | None = None) -> None:
        """Write down what came of an order. What it said is in the raw store now, where erasure reaches it."""
        keeps = order.kind in KEPT_CONTENT and state == DONE
        values = {"state": state, "told": told, "done_at": now, **({} if keeps else {"content": {}})}
        with writing(self._engine) as connection:
            connection.execute(update(orders).where(orders.c.order_id == order.order_id).values(values))
            if file is not None:
                connection.execute(delete(order_files).where(order_files.c.order_id == order.order_id))
                coded = base64.b64encode(file.content).decode("ascii")
                connection.execute(
                    insert(order_files).values(order_id=order.order_id, name=file.name, content_base64=coded)
                )

    def lay_out(self, programme_id: str, name: str, content: Mapping[str, Any], now: datetime) -> None:
        """Put an operational view where the dashboard reads it, in place of the one before."""
        with writing(self._engine) as connection:
            this = (boards.c.programme_id == programme_id, boards.c.name == name)
            kept = connection.execute(select(boards.c.content).where(*this)).one_or_none()
            values = {"made_at": now, **({} if kept and kept.content == content else {"content": dict(content)})}
            if kept:
                connection.execute(update(boards).where(*this).values(values))
            else:
                connection.execute(insert(boards).values(programme_id=programme_id, name=name, **values))

    def monday_readers(self, monday: date) -> list[tuple[str, str | None]]:
        """Address and programme (None: every one) of HR accounts that this Monday's mail has not reached."""
        reached = select(monday_mails.c.email).where(monday_mails.c.monday == monday)
        query = select(accounts.c.email, accounts.c.programme_id).where(
            accounts.c.role == "hr", accounts.c.is_told_weekly, accounts.c.email.not_in(reached)
        )
        with reading(self._engine) as connection:
            return [(row.email, row.programme_id) for row in connection.execute(query.order_by(accounts.c.email))]

    def note_monday(self, email: str, monday: date) -> bool:
        """Write down that the mail goes out to somebody, before it does; false where another worker did."""
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(monday_mails).values(email=email, monday=monday))
        except IntegrityError:
            return False
        return True

    def forget_monday(self, email: str, monday: date) -> None:
        """The mail was not taken: it is tried again."""
        with writing(self._engine) as connection:
            this = (monday_mails.c.email == email, monday_mails.c.monday == monday)
            connection.execute(delete(monday_mails).where(*this))


# What people are told anyway, or what an order is about; everything else an order said goes when it is done.
KEPT_CONTENT = ("reply", "report")
_OPEN = orders.c.state.in_((WAITING, WORKING))


def open_desk(settings: Settings) -> Desk:
    """The desk of an installation."""
    return Desk(open_stores(settings).access)


def _orders(connection: Connection, query: Any) -> list[Order]:
    return [Order(**row._mapping) for row in connection.execute(query)]


def _keep(connection: Connection, wish: Wish, now: datetime) -> Order | None:
    """The order as kept; None where the subject has an order that its writer did not know of."""
    of_programme = orders.c.programme_id == wish.programme_id
    n_waiting = connection.execute(select(func.count()).where(of_programme, _OPEN)).scalar_one()
    if n_waiting >= MOST_WAITING:
        raise RapportError("Too much is waiting to be done; is the timetable running?")
    about = (of_programme, orders.c.kind == wish.kind, orders.c.subject == wish.subject)
    newest = connection.execute(select(func.max(orders.c.place)).where(*about)).scalar_one() or 0
    if wish.seen is not None and newest != wish.seen:
        return None
    given = {name: getattr(wish, name) for name in ("programme_id", "kind", "subject", "asked_by")}
    row = {**given, "place": newest + 1, "content": dict(wish.content), "asked_at": now, "state": WAITING}
    connection.execute(insert(orders).values(row))
    audit.note(connection, at=now, who=wish.asked_by, action=f"ordered {wish.kind}", about=wish.subject)
    return _orders(connection, select(orders).where(*about, orders.c.place == newest + 1))[0]
