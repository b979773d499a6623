"""Says who looks at what: one reader's account, address and words, and the numbers they may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from dashboard.address import Address
from dashboard.findings import Numbers, numbers_of
from dashboard.words import Words
from data.store.accounts import Account
from pipeline.published import Comments, Programme, PublishedStore, Release

HR = "hr"
ROLES = (HR, "leader")  # who sees released views


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


def visit(published: PublishedStore, account: Account, address: Address, item: str = "") -> Visit:
    """The visit of an account to an address; raises NotAvailableError for what it may not see."""
    if account.role not in ROLES:
        raise NotAvailableError
    mine = programmes_of(published, account)
    chosen = _chosen(mine, address.programme)
    releases = published.releases(chosen.id) if chosen is not None else []
    numbers = None
    if chosen is not None:
        numbers = _as_of(numbers_of(chosen, releases, published.numbers(chosen.id)), address.round)
    return Visit(
        account=account,
        address=address,
        words=Words(address.lang),
        numbers=numbers,
        releases=releases,
        item=item,
        comments=_comments(published, account, numbers, address.round),
    )


def _comments(
    published: PublishedStore, account: Account, numbers: Numbers | None, as_of: str | None
) -> list[Comments]:
    """Released comments up to the round looked at; whoever ticked one was told that HR may read it, and nobody else."""
    if account.role != HR or numbers is None:
        return []
    released = published.comments(numbers.programme.id)
    return [each for each in released if as_of is None or each.last_round <= numbers.latest.number]


def programmes_of(published: PublishedStore, account: Account) -> list[Programme]:
    """The programmes an account may see; none for a role that sees no released views."""
    if account.role not in ROLES:
        return []
    return [each for each in published.programmes() if account.may_see(each.id)]


def _chosen(mine: Sequence[Programme], programme_id: str | None) -> Programme | None:
    if programme_id is None:
        return mine[0] if mine else None
    found = next((each for each in mine if each.id == programme_id), None)
    if found is None:
        raise NotAvailableError
    return found


def _as_of(numbers: Numbers, round_id: str | None) -> Numbers | None:
    if not numbers.releases:
        return None
    if round_id is None:
        return numbers
    earlier = numbers.until(round_id)
    if earlier is None:
        raise NotAvailableError
    return earlier
