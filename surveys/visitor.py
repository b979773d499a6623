"""Finds out what a request may do: the link behind its cookie, the form it is about, and whether it has to wait."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from data.settings import Settings
from data.store import visits
from data.store.engine import Connection, StoreError
from data.store.rounds import Ask
from data.store.visits import Visit
from surveys import answers, links
from surveys.answers import Checked, Form
from surveys.limits import Limits, address_of
from surveys.pages import Pages
from surveys.session import Session
from surveys.storing import Storing

log = logging.getLogger("rapport.answers")
Choice = Callable[[tuple[Ask, ...]], Ask | None]


@dataclass
class Server:
    """What every request needs: settings, store, pages, signatures, limits and the clock."""

    settings: Settings
    store: Storing
    pages: Pages
    session: Session
    clock: Callable[[], datetime]
    limits: Limits = field(default_factory=Limits)
    ready: tuple[datetime, bool] | None = None


@dataclass(frozen=True)
class Opened:
    """What a request may do: the visit behind its cookie, and the form it is about."""

    visit: Visit
    form: Form

    @property
    def others(self) -> list[Ask]:
        return [ask for ask in self.visit.asks if ask.invitation_id != self.form.ask.invitation_id]


class Ended(Exception):  # noqa: N818 - an end, not an error
    """A request that ends early, with this response."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def server_of(request: Request) -> Server:
    server: Server = request.app.state.server
    return server


def now_of(request: Request) -> datetime:
    return server_of(request).clock()


def seconds(left: timedelta) -> int:
    return max(int(left.total_seconds()), 1)


def digest_of(request: Request) -> str:
    """The link behind this request's cookie."""
    session = server_of(request).session
    digest = session.read_cookie(request, "answer")
    if isinstance(digest, str):
        return digest
    is_forged = session.cookie("answer") in request.cookies
    raise Ended(unknown(request) if is_forged else closed(request))


def visit_of(request: Request, connection: Connection, digest: str, choose: Choice) -> tuple[Visit, Ask]:
    """The link is read afresh at every request: a revoked one ends at once."""
    visit = visits.visit(connection, digest)
    if visit is None or not links.opens(visit.link, purpose="answer", now=now_of(request)):
        raise Ended(closed(request))
    ask = choose(visit.asks)
    if ask is None:
        raise Ended(closed(request))
    return visit, ask


def open_form(request: Request, connection: Connection, digest: str, choose: Choice) -> Opened:
    visit, ask = visit_of(request, connection, digest, choose)
    if not visit.round.takes_answers(now_of(request)):
        raise Ended(closed(request))
    has_goals = ask.pairing_id in visit.with_goals
    return Opened(visit, answers.prepare(connection, ask, visit.round, has_goals=has_goals))


async def sent(request: Request) -> tuple[Opened, str]:
    """What a form was sent for, and the id of its page; whatever is refused here keeps what was typed."""
    server, fields, digest = server_of(request), fields_of(request), digest_of(request)
    seconds = server.limits.link.count(digest, now_of(request))

    def look(connection: Connection) -> Opened:
        return open_form(request, connection, digest, lambda asks: _of_pairing(asks, fields.get("for")))

    try:
        opened = await server.store.read(look)
    except StoreError as error:
        log.error("the store did not answer: %s", type(error).__name__)
        raise Ended(server.pages.again(request, fields, 503)) from None
    page_id = server.session.page_id(opened.form.ask, fields)
    if page_id is None:
        raise Ended(closed(request))
    if seconds:
        raise Ended(_held_back(page_again(request, opened, "slow_kept", 429), seconds))
    return opened, page_id


def _of_pairing(asks: tuple[Ask, ...], pairing_id: str | None) -> Ask | None:
    return next((ask for ask in asks if ask.pairing_id == pairing_id), None)


def of_invitation(asks: tuple[Ask, ...], invitation_id: str) -> Ask | None:
    return next((ask for ask in asks if ask.invitation_id == invitation_id), None)


def chosen_of(asks: tuple[Ask, ...], pairing_id: str | None) -> Ask | None:
    """The pairing asked for, else the first one not answered yet, else the first."""
    if pairing_id is not None:
        return _of_pairing(asks, pairing_id)
    return next((ask for ask in asks if not ask.has_answered), asks[0])


def fields_of(request: Request) -> Mapping[str, str]:
    fields: Mapping[str, str] = request.state.fields
    return fields


def page_again(request: Request, opened: Opened, message: str, status: int, checked: Checked | None = None) -> Response:
    """The same page again, with what was sent and why it was not taken."""
    fields = fields_of(request)
    page_id = fields["submission"]
    return server_of(request).pages.form(
        request, opened.form, opened.others, page_id, fields=fields, checked=checked, message=message, status=status
    )


def unknown(request: Request) -> Response:
    """A link that does not exist reads like one that is over; who tries many of them has to wait."""
    server = server_of(request)
    address = address_of(request, behind_proxy=server.settings.behind_proxy)
    seconds = server.limits.unknown.count(address, now_of(request))
    return _slow(request, seconds) if seconds else closed(request)


def end_if_slow(request: Request, digest: str) -> None:
    if seconds := server_of(request).limits.link.count(digest, now_of(request)):
        raise Ended(_slow(request, seconds))


def _slow(request: Request, seconds: int) -> Response:
    return _held_back(said(request, "slow", 429, seconds=str(seconds)), seconds)


def _held_back(response: Response, seconds: int) -> Response:
    response.headers["Retry-After"] = str(seconds)
    return response


def closed(request: Request) -> Response:
    return said(request, "closed", 410)


def said(request: Request, what: str, status: int, person: str | None = None, **named: str) -> Response:
    return server_of(request).pages.said(request, what, status, person, **named)
