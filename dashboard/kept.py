"""Keeps pages that were made, for as long as everything that they were made from is the same."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from threading import Lock
from typing import Any

from plotly.io.json import to_json_plotly

from dashboard.findings import Numbers
from dashboard.visit import Page, Visit
from pipeline.published import Release

MOST = 32  # pages; the longest take about 1 MB
LOOKED_AT = ("account", "address", "item")  # the key
SAME = ("numbers", "releases")  # are the same objects until something is released, withdrawn or changed
IMPLIED = ("words",)  # by the address


@dataclass(frozen=True)
class Content:
    """What a page shows, as Dash writes it: JSON without a < or > in it, so that it may stand in HTML."""

    text: str

    @property
    def has_charts(self) -> bool:
        return '"type":"Graph"' in self.text

    @cached_property
    def parts(self) -> Any:
        """The same for a callback's answer. Nobody changes it."""
        return json.loads(self.text)


@dataclass(frozen=True)
class _Made:
    """A page's content, with what it was made from: released numbers themselves, of everything else a digest."""

    numbers: Numbers | None
    releases: Sequence[Release]
    digest: str
    content: Content

    def fits(self, visit: Visit, digest: str) -> bool:
        is_same = self.numbers is visit.numbers and len(self.releases) == len(visit.releases)
        return is_same and digest == self.digest and all(map(_is, self.releases, visit.releases))


class Pages:
    """Pages by reader's rights and address. Only the `shared` are kept: they are made without the reader's name."""

    def __init__(self, shared: Collection[Page]) -> None:
        self._shared = shared
        self._made: OrderedDict[tuple[Any, ...], _Made] = OrderedDict()
        self._lock = Lock()

    def content(self, page: Page, visit: Visit) -> Content:
        """What a page shows on this visit."""
        if page not in self._shared:
            return content_of(page.show(visit))
        seen = replace(visit, account=replace(visit.account, email=""))
        key, digest = (page, *(getattr(seen, name) for name in LOOKED_AT)), _digest(seen)
        made = self._made.get(key)
        if made is None or not made.fits(seen, digest):
            made = _Made(seen.numbers, tuple(seen.releases), digest, content_of(page.show(seen)))
        self._keep(key, made)
        return made.content

    def _keep(self, key: tuple[Any, ...], made: _Made) -> None:
        with self._lock:
            self._made[key] = made
            self._made.move_to_end(key)
            while len(self._made) > MOST:
                self._made.popitem(last=False)


def content_of(shown: object) -> Content:
    """Dash components as a page's content."""
    return Content(str(to_json_plotly(shown)))


def _digest(visit: Visit) -> str:
    """What else a page may be made from; whatever a visit may come to hold is in it."""
    apart = (*LOOKED_AT, *SAME, *IMPLIED)
    told = repr([(each.name, getattr(visit, each.name)) for each in fields(visit) if each.name not in apart])
    return hashlib.sha256(told.encode()).hexdigest()


def _is(one: object, other: object) -> bool:
    return one is other
