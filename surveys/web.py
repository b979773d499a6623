"""Serves the answering pages: takes an answer for a signed link, and can do nothing else."""

import gc
import logging
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from data import settings as reading_settings
from data.errors import RapportError
from data.settings import Settings
from data.store import drafts, rounds
from data.store.answers import Receipt, last_version
from data.store.answers import withdraw as withdraw_answers
from data.store.engine import Connection, StoreError, Stores, is_writable, open_stores
from data.store.rounds import Ask
from data.store.visits import Visit
from surveys import answers, links, practice, unsubscribe
from surveys.answers import Form
from surveys.pages import Pages, trouble
from surveys.questionnaire import Practice
from surveys.session import Session
from surveys.storing import Storing
from surveys.visitor import (
    Ended,
    Opened,
    Server,
    chosen_of,
    closed,
    digest_of,
    end_if_slow,
    fields_of,
    now_of,
    of_invitation,
    open_form,
    page_again,
    said,
    seconds,
    sent,
    server_of,
    unknown,
    visit_of,
)
from surveys.wire import Guarded

RECEIPT_SECONDS = 15 * 60
READY_SECONDS = 1  # how long one look at the store serves /readyz
log = logging.getLogger("rapport.answers")


def create_app(settings: Settings, stores: Stores, clock: Callable[[], datetime] = reading_settings.now) -> Starlette:
    """The answering application over opened stores."""
    server = Server(settings, Storing(stores.raw), Pages(settings.organisation), Session.of(settings), clock)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        yield
        server.store.dispose()
        stores.dispose()

    app = Starlette(
        routes=[
            Route("/a/{token}", _enter, methods=["GET"]),
            Route("/answer", _show, methods=["GET"]),
            Route("/answer", _take, methods=["POST"]),
            Route("/draft", _keep_draft, methods=["POST"]),
            Route("/thanks", _thank, methods=["GET"]),
            *unsubscribe.ROUTES,
            Route("/static/answer.css", _style, methods=["GET"]),
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/readyz", _readyz, methods=["GET"]),
        ],
        middleware=[Middleware(Guarded)],
        exception_handlers={
            HTTPException: _missing,
            RapportError: _refused,
            StoreError: _unavailable,
            Ended: _ended,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # it would send people to whatever host the request names
    app.state.server = server
    return app


def serving(settings: Settings) -> Starlette:
    """The application of a server's worker process."""
    app = create_app(settings, open_stores(settings))
    gc.collect()
    gc.freeze()  # what is loaded by now stays; looking through it again and again is wasted
    return app


# --- routes ------------------------------------------------------------------------------------


async def _enter(request: Request) -> Response:
    """Exchange a link for a cookie. Nothing is written: mail scanners open every link."""
    server, now = server_of(request), now_of(request)
    token = request.path_params["token"]
    if not links.is_token(token):
        return unknown(request)
    digest = links.digest(token)
    link = await server.store.read(lambda connection: rounds.find_link(connection, digest))
    if link is None:
        return unknown(request)
    end_if_slow(request, digest)
    if not links.opens(link, purpose="answer", now=now):
        return closed(request)
    response = RedirectResponse("/answer", status_code=303)
    server.session.set_cookie(response, "answer", digest, seconds(link.expires_at - now))
    return response


async def _show(request: Request) -> Response:
    server, digest = server_of(request), digest_of(request)
    end_if_slow(request, digest)
    wanted, saved = request.query_params.get("for"), server.session.drafts(request)

    def look(connection: Connection) -> tuple[Opened, str | None, Mapping[str, str] | None]:
        opened = open_form(request, connection, digest, lambda asks: chosen_of(asks, wanted))
        invitation_id = opened.form.ask.invitation_id
        draft_id = saved.get(invitation_id)
        return opened, draft_id, drafts.find_draft(connection, draft_id, invitation_id) if draft_id else None

    opened, draft_id, fields = await server.store.read(look)
    page_id = server.session.new_page(opened.form.ask, draft_id if fields else None)
    note = "draft_back" if fields else None
    return server.pages.form(request, opened.form, opened.others, page_id, fields=fields, note=note)


async def _take(request: Request) -> Response:
    """Store what was sent, then say so: the redirect leaves only after COMMIT returned."""
    server, fields, now = server_of(request), fields_of(request), now_of(request)
    opened, page_id = await sent(request)
    form = opened.form
    if "withdraw" in fields:
        return await _withdraw(request, form, fields)
    checked = answers.check(form, fields)
    if wrong := trouble(checked):
        return page_again(request, opened, wrong, 422, checked)
    language = server.pages.language(request, form.ask.language)

    def submit(connection: Connection) -> Receipt:
        return answers.submit(connection, form, checked, submission_id=page_id, language=language, now=now)

    try:
        receipt = await server.store.write(submit)
    except StoreError:
        log.exception("an answer was not confirmed")
        return page_again(request, opened, "not_confirmed", 503)
    if receipt.is_withdrawn or receipt.is_conflict:
        return said(request, "used" if receipt.is_withdrawn else "conflict", 409, form.ask.language)
    chosen = practice.suggest(form.questionnaire, form.ask.side, checked.answers)
    return _acknowledged(server, form.ask, receipt.response_id[:12], chosen.id if chosen else None)


async def _withdraw(request: Request, form: Form, fields: Mapping[str, str]) -> Response:
    """Ask once more, naming the versions there are now; where a newer one came in since, ask again."""
    server, ask, now = server_of(request), form.ask, now_of(request)
    seen = server.session.version_seen(ask, fields)

    def withdraw(connection: Connection) -> bool:
        return seen is not None and withdraw_answers(connection, ask.invitation_id, up_to_version=seen, now=now)

    try:
        if seen is not None and await server.store.write(withdraw):
            return _acknowledged(server, ask, None, None)
    except StoreError:
        log.exception("a withdrawal was not confirmed")
        return server.pages.withdraw(request, form, fields, fields["withdraw"], status=503)
    last = await server.store.read(lambda connection: last_version(connection, ask.invitation_id))
    return server.pages.withdraw(request, form, fields, server.session.sign([ask.invitation_id, last], "withdraw"))


async def _keep_draft(request: Request) -> Response:
    """Keep an unsent page for this browser alone; it is no response, and nobody reads it."""
    server, now = server_of(request), now_of(request)
    opened, page_id = await sent(request)
    ask, held = opened.form.ask, answers.filled_in(opened.form, fields_of(request))
    if not held:
        return page_again(request, opened, "nothing_answered", 422)

    def keep(connection: Connection) -> bool:
        this = {"draft_id": page_id, "invitation_id": ask.invitation_id}
        return drafts.keep_draft(connection, **this, fields=held, now=now)

    try:
        is_kept = await server.store.write(keep)
    except StoreError:
        log.exception("a draft was not confirmed")
        return page_again(request, opened, "not_confirmed", 503)
    if not is_kept:
        return said(request, "used", 409, ask.language)
    query = urlencode({"for": ask.pairing_id, "lang": server.pages.language(request, ask.language)})
    response = RedirectResponse(f"/answer?{query}", status_code=303)
    saved = {**server.session.drafts(request), ask.invitation_id: page_id}
    server.session.set_cookie(response, "draft", saved, seconds(opened.visit.link.expires_at - now))
    return response


def _acknowledged(server: Server, ask: Ask, receipt: str | None, practice_id: str | None) -> Response:
    response = RedirectResponse("/thanks", status_code=303)
    server.session.set_cookie(response, "receipt", [ask.invitation_id, receipt, practice_id], RECEIPT_SECONDS)
    return response


async def _thank(request: Request) -> Response:
    server, digest = server_of(request), digest_of(request)
    value = server.session.read_cookie(request, "receipt")
    if not isinstance(value, list):
        return closed(request)
    invitation_id, receipt, practice_id = value

    def look(connection: Connection) -> tuple[Visit, Ask, Practice | None]:
        visit, ask = visit_of(request, connection, digest, lambda asks: of_invitation(asks, invitation_id))
        practices = answers.snapshot(connection, visit.round.snapshot_id).questionnaire.practices
        return visit, ask, next((entry for entry in practices if entry.id == practice_id), None)

    visit, ask, chosen = await server.store.read(look)
    left = [other for other in visit.asks if not other.has_answered and other.invitation_id != invitation_id]
    return server.pages.thanks(request, visit.round, ask, receipt=receipt, practice=chosen, left=left)


async def _style(request: Request) -> Response:
    return server_of(request).pages.style(request)


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _readyz(request: Request) -> Response:
    server, now = server_of(request), now_of(request)
    if server.ready is None or not timedelta(0) <= now - server.ready[0] < timedelta(seconds=READY_SECONDS):
        server.ready = (now, await run_in_threadpool(is_writable, server.store.engine))
    is_ready = server.ready[1]
    return PlainTextResponse("ready\n" if is_ready else "no store\n", status_code=200 if is_ready else 503)


# --- what goes wrong -----------------------------------------------------------------------------


async def _ended(_request: Request, error: Any) -> Response:
    response: Response = error.response
    return response


async def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return said(request, "missing", status)


async def _refused(request: Request, _error: Exception) -> Response:
    return closed(request)


async def _unavailable(request: Request, error: Exception) -> Response:
    log.error("the store did not answer: %s", type(error).__name__)
    return said(request, "unavailable", 503)
