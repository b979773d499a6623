"""Says who looks at what: one reader's account, address and words, and the numbers they may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from dashboard.address import Address
from dashboard.findings import Numbers, numbers_of
from dashboard.words import Words
from data.store.accounts import Account
from pipeline.published import Programme, PublishedStore, Release

ROLES = ("hr", "leader")  # who sees released views


class NotAvailable(Exception):
    """The address names something that is not there, or not for this reader: the two look the same."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a page is made from. `numbers` is None where nothing is released yet."""

    account: Account
    address: Address
    words: Words
    programmes: Sequence[Programme]
    numbers: Numbers | None
    releases: Sequence[Release]
    item: str = ""

    @property
    def released(self) -> Numbers:
        """The numbers, on a page that is only reached where there are some."""
        if self.numbers is None:
            raise NotAvailable
        return self.numbers


class Page(Protocol):
    """What every module of pages/ offers."""

    def title(self, visit: Visit) -> str: ...

    def show(self, visit: Visit) -> list[object]: ...

    def shown(self, visit: Visit) -> pd.DataFrame:
        """The rows (contract Published) that the page draws from: its download."""
        ...


def visit(published: PublishedStore, account: Account, address: Address) -> Visit:
    """The visit of an account to an address; raises NotAvailable for what it may not see."""
    if account.role not in ROLES:
        raise NotAvailable
    mine = [each for each in published.programmes() if account.may_see(each.id)]
    chosen = _chosen(mine, address.programme)
    if chosen is None:
        return _visit(account, address, mine, None, [])
    releases = published.releases(chosen.id)
    numbers: Numbers | None = numbers_of(chosen, releases, published.numbers(chosen.id))
    if numbers is not None and not numbers.releases:
        numbers = None
    if numbers is not None and address.round is not None:
        numbers = numbers.until(address.round)
        if numbers is None:
            raise NotAvailable
    return _visit(account, address, mine, numbers, releases)


def _chosen(mine: Sequence[Programme], programme_id: str | None) -> Programme | None:
    if programme_id is None:
        return mine[0] if mine else None
    found = next((each for each in mine if each.id == programme_id), None)
    if found is None:
        raise NotAvailable
    return found


def _visit(
    account: Account,
    address: Address,
    mine: Sequence[Programme],
    numbers: Numbers | None,
    releases: Sequence[Release],
) -> Visit:
    return Visit(
        account=account,
        address=address,
        words=Words(address.lang),
        programmes=mine,
        numbers=numbers,
        releases=releases,
    )
