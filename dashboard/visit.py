"""Says who looks at what: one reader's account, address and words, and the numbers they may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Protocol

import pandas as pd

from dashboard.address import Address
from dashboard.findings import Numbers, numbers_of
from dashboard.words import Words
from data.store.accounts import Account
from data.store.desk import Board, Desk, Order
from pipeline.published import Comments, Programme, PublishedStore, Release, Released

HR = "hr"
ROLES = (HR, "leader")  # who sees released views
REPORT = "report"
MOST_NUMBERS = 32  # programmes and rounds looked back at, kept as findings


class NotAvailableError(Exception):
    """The address names something that is not there, or not for this reader: the two look the same."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a page is made from. `numbers` is None where nothing is released yet."""

    account: Account
    address: Address
    words: Words
    numbers: Numbers | None
    releases: Sequence[Release]
    item: str = ""
    comments: Sequence[Comments] = ()
    programme: Programme | None = None
    boards: Mapping[str, Board] = field(default_factory=dict)  # operational views, for HR only
    orders: Sequence[Order] = ()  # newest first; of reports only for whoever is not HR
    places: Mapping[tuple[str, str], int] = field(default_factory=dict)  # of the newest order by kind and subject

    def board(self, name: str) -> Mapping[str, Any]:
        """An operational view; empty before the timetable has made it."""
        return self.boards[name].content if name in self.boards else {}

    @property
    def today(self) -> date | None:
        """The day of the newest operational view: what is due is told as of then."""
        return max((each.made_at.date() for each in self.boards.values()), default=None)

    def waiting(self, kind: str, subject: str) -> Order | None:
        """The newest order on a subject, while it has not been carried out."""
        about = (each for each in self.orders if (each.kind, each.subject) == (kind, subject))
        return next((each for each in about if each.is_open), None)

    @property
    def is_hr(self) -> bool:
        return self.account.role == HR

    @property
    def released(self) -> Numbers:
        """The numbers, on a page that is only reached where there are some."""
        if self.numbers is None:
            raise NotAvailableError
        return self.numbers


class Page(Protocol):
    """What every module of pages/ offers."""

    def title(self, visit: Visit) -> str: ...

    def show(self, visit: Visit) -> list[object]: ...

    def shown(self, visit: Visit) -> pd.DataFrame:
        """The rows (contract Published) that the page draws from: its download."""
        ...


def visit(
    published: PublishedStore, account: Account, address: Address, item: str = "", desk: Desk | None = None
) -> Visit:
    """The visit of an account to an address; raises NotAvailableError for what it may not see."""
    if account.role not in ROLES:
        raise NotAvailableError
    mine = programmes_of(published, account, desk)
    chosen = _chosen(mine, address.programme)
    released = published.released(chosen.id) if chosen is not None else None
    numbers = _numbers(chosen, released, address.round) if chosen is not None and released is not None else None
    return Visit(
        account=account,
        address=address,
        words=Words(address.lang),
        numbers=numbers,
        releases=released.releases if released is not None else (),
        item=item,
        comments=_comments(published, account, numbers, address.round),
        programme=chosen,
        **_at_the_desk(desk, account, chosen),
    )


def _at_the_desk(desk: Desk | None, account: Account, chosen: Programme | None) -> dict[str, Any]:
    """What lies at the desk for this reader: operational views are for HR, who asked for a report sees how it goes."""
    if desk is None or chosen is None:
        return {}
    orders = desk.recent(chosen.id)
    if account.role != HR:
        return {"orders": [each for each in orders if each.kind == REPORT and each.asked_by == account.email]}
    return {"boards": desk.boards(chosen.id), "orders": orders, "places": desk.places(chosen.id)}


def _comments(
    published: PublishedStore, account: Account, numbers: Numbers | None, as_of: str | None
) -> list[Comments]:
    """Released comments up to the round looked at; whoever ticked one was told that HR may read it, and nobody else."""
    if account.role != HR or numbers is None:
        return []
    released = published.comments(numbers.programme.id)
    return [each for each in released if as_of is None or each.last_round <= numbers.latest.number]


def programmes_of(published: PublishedStore, account: Account, desk: Desk | None = None) -> list[Programme]:
    """The programmes an account may see, the newest round first; none for a role that sees no released views.

    HR also sees those that have no release yet.
    """
    if account.role not in ROLES:
        return []
    known = published.programmes()
    if desk is not None and account.role == HR:
        released = {each.id for each in known}
        begun = desk.programmes()
        known = [*known, *(Programme(id=id_, name=begun[id_]) for id_ in sorted(begun) if id_ not in released)]
    known.sort(key=lambda each: each.newest_on or date.min, reverse=True)
    return [each for each in known if account.may_see(each.id)]


def _chosen(mine: Sequence[Programme], programme_id: str | None) -> Programme | None:
    if programme_id is None:
        return mine[0] if mine else None
    found = next((each for each in mine if each.id == programme_id), None)
    if found is None:
        raise NotAvailableError
    return found


@lru_cache(maxsize=MOST_NUMBERS)
def _numbers(programme: Programme, released: Released, round_id: str | None) -> Numbers | None:
    """What was released up to a round: read once, and again when anything of it has changed."""
    return _as_of(numbers_of(programme, released.releases, released.rows), round_id)


def _as_of(numbers: Numbers, round_id: str | None) -> Numbers | None:
    if not numbers.releases:
        return None
    if round_id is None:
        return numbers
    earlier = numbers.until(round_id)
    if earlier is None:
        raise NotAvailableError
    return earlier
