"""Reads and writes the dashboard's addresses, so that every state has one."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlencode

from dashboard.words import FALLBACK, LANGUAGES

LONGEST = 200
KEPT = ("lang", "programme", "round", "by", "find", "page")


@dataclass(frozen=True, kw_only=True)
class Address:
    """A page's path and what is chosen on it; nothing here is trusted before a page has looked it up."""

    path: str = "/"
    lang: str = FALLBACK
    programme: str | None = None
    round: str | None = None
    by: str | None = None
    find: str | None = None
    page: str | None = None

    def to(self, path: str, *, by: str | None = None) -> str:
        """Another page of the same programme, round and language."""
        return replace(self, path=path, by=by, find=None, page=None).text

    @property
    def page_number(self) -> int:
        """Which page of a long list; the first where none is named."""
        return int(self.page) if self.page is not None and self.page.isascii() and self.page.isdigit() else 1

    def with_(self, **changes: str | None) -> str:
        """This page with another choice."""
        return Address(**{"path": self.path, **{name: getattr(self, name) for name in KEPT}, **changes}).text

    @property
    def text(self) -> str:
        chosen = {name: getattr(self, name) for name in KEPT}
        kept = {name: value for name, value in chosen.items() if value and (name, value) != ("lang", FALLBACK)}
        return f"{self.path}?{urlencode(kept)}" if kept else self.path


def read(path: object, search: object) -> Address:
    """An address from whatever a browser or a callback sends; what is not usable counts as not chosen."""
    own = path if isinstance(path, str) and path.startswith("/") and len(path) <= LONGEST else "/not-available"
    asked = parse_qs(search.removeprefix("?")) if isinstance(search, str) and len(search) <= 5 * LONGEST else {}
    chosen = {name: asked[name][0][:LONGEST] for name in KEPT if name in asked}
    if chosen.get("lang") not in LANGUAGES:
        chosen.pop("lang", None)
    return Address(path=own.rstrip("/") or "/", **chosen)
