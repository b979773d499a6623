"""Lets a person stop the mails, and start them again; nobody is told who did.

Opening the link changes nothing, for mail programs open every link. The button does, and so does the one click of
a mail program (RFC 8058), which sends a form without having looked at the page.
"""

import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from data.store import outbox, rounds
from data.store.engine import Connection, StoreError
from surveys import links
from surveys.visitor import end_if_slow, fields_of, now_of, said, server_of, unknown

log = logging.getLogger("rapport.answers")
BACK = "back"


async def _look(request: Request) -> Response:
    """What the button will do."""
    person_id = await _person(request)
    if person_id is None:
        return unknown(request)

    def is_silent(connection: Connection) -> bool:
        return bool(outbox.unsubscribed_people(connection, [person_id]))

    has_stopped = await server_of(request).store.read(is_silent)
    return _page(request, has_stopped=has_stopped)


async def _change(request: Request) -> Response:
    person_id = await _person(request)
    if person_id is None:
        return unknown(request)
    now, wants_back = now_of(request), BACK in fields_of(request)

    def change(connection: Connection) -> None:
        if wants_back:
            outbox.subscribe(connection, person_id)
        else:
            outbox.unsubscribe(connection, person_id, now)

    try:
        await server_of(request).store.write(change)
    except StoreError:
        log.exception("an unsubscription was not confirmed")
        return said(request, "unavailable", 503)
    return _page(request, has_stopped=not wants_back)


async def _person(request: Request) -> str | None:
    """Whose link it is; None where there is none, or it is over."""
    token = request.path_params["token"]
    if not links.is_token(token):
        return None
    digest = links.digest(token)
    link = await server_of(request).store.read(lambda connection: rounds.find_link(connection, digest))
    if link is None or not links.opens(link, purpose="unsubscribe", now=now_of(request)):
        return None
    end_if_slow(request, digest)
    return link.person_id


def _page(request: Request, *, has_stopped: bool) -> Response:
    what = "stopped" if has_stopped else "unsubscribe"
    return server_of(request).pages.button(request, what, BACK if has_stopped else "stop")


ROUTES = [Route("/u/{token}", _look, methods=["GET"]), Route("/u/{token}", _change, methods=["POST"])]
