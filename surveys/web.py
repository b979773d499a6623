"""Serves the answering pages: takes an answer for a signed link, and can do nothing else."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data import settings as reading_settings
from data.errors import RapportError
from data.settings import Settings
from data.store import rounds
from data.store.engine import StoreError, Stores, is_reachable, open_stores, reading, writing
from data.store.rounds import Ask, Link
from surveys import answers, links, practice
from surveys.answers import Checked, Form
from surveys.pages import Pages

STATIC = Path(__file__).resolve().parent / "static"
MAX_BODY = 64 * 1024
RECEIPT_SECONDS = 15 * 60
log = logging.getLogger("rapport.answers")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True)
class Server:
    """What every request needs: settings, stores, pages, signatures and the clock."""

    settings: Settings
    stores: Stores
    pages: Pages
    signer: URLSafeSerializer
    clock: Callable[[], datetime]

    def cookie(self, name: str) -> str:
        """`__Host-` cookies need TLS; on loopback without a proxy a plain one serves."""
        return f"__Host-rapport-{name}" if self.settings.secure else f"rapport-{name}"

    def set_cookie(self, response: Response, name: str, value: Any, max_age: int) -> None:
        response.set_cookie(
            self.cookie(name),
            str(self.signer.dumps(value, salt=name)),
            max_age=max_age,
            path="/",
            secure=self.settings.secure,
            httponly=True,
            samesite="lax",
        )

    def read_cookie(self, request: Request, name: str) -> Any:
        """The signed value of a cookie, or None."""
        return self.unsign(request.cookies.get(self.cookie(name), ""), name)

    def unsign(self, text: str, salt: str) -> Any:
        try:
            return self.signer.loads(text, salt=salt)
        except BadSignature:
            return None


def create_app(settings: Settings, stores: Stores, clock: Callable[[], datetime] = reading_settings.now) -> Starlette:
    """The answering application over opened stores."""
    if settings.secret_key is None:
        raise RapportError("There is no secret key yet; run `rapport init` first.")
    signer = URLSafeSerializer(settings.secret_key, salt="rapport answers")
    server = Server(settings, stores, Pages(settings.organisation), signer, clock)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        yield
        stores.dispose()

    app = Starlette(
        routes=[
            Route("/a/{token}", _enter, methods=["GET"]),
            Route("/answer", _show, methods=["GET"]),
            Route("/answer", _take, methods=["POST"]),
            Route("/thanks", _thank, methods=["GET"]),
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/readyz", _readyz, methods=["GET"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(LimitedBody),
            Middleware(GZipMiddleware, minimum_size=500),
        ],
        exception_handlers={HTTPException: _missing, RapportError: _refused, StoreError: _unavailable},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # it would send people to whatever host the request names
    app.state.server = server
    return app


def serving(settings: Settings) -> Starlette:
    """The application of a server's worker process."""
    return create_app(settings, open_stores(settings))


# --- routes ------------------------------------------------------------------------------------


def _enter(request: Request) -> Response:
    """Exchange a link for a cookie. Nothing is written: mail scanners open every link."""
    server = _server(request)
    now = server.clock()
    with reading(server.stores.raw) as connection:
        link = links.read(connection, request.path_params["token"], purpose="answer", now=now)
    if link is None:
        return _closed(request)
    response = RedirectResponse("/answer", status_code=303)
    max_age = max(int((link.expires_at - now).total_seconds()), 1)
    server.set_cookie(response, "answer", link.token_sha256, max_age)
    return response


def _show(request: Request) -> Response:
    server = _server(request)
    with reading(server.stores.raw) as connection:
        link = _link(request, connection)
        if link is None:
            return _closed(request)
        asks = rounds.asks_of(connection, link.round_id, link.person_id)
        ask = _chosen(asks, request.query_params.get("for"))
        if ask is None:
            return _closed(request)
        form = answers.prepare(connection, ask)
    if not form.round.takes_answers(server.clock()):
        return _closed(request)
    return _page(request, form, asks)


def _take(request: Request) -> Response:
    """Store what was sent, then say so: the redirect leaves only after COMMIT returned."""
    server = _server(request)
    fields = _fields(request)
    now = server.clock()
    with reading(server.stores.raw) as connection:
        link = _link(request, connection)
        asks = rounds.asks_of(connection, link.round_id, link.person_id) if link else []
        ask = next((ask for ask in asks if ask.pairing_id == fields.get("for")), None)
        form = answers.prepare(connection, ask) if ask else None
    submission_id = _submission_id(server, form, fields)
    if form is None or submission_id is None or not form.round.takes_answers(now):
        return _closed(request)
    checked = answers.check(form, fields)
    if checked.problems or checked.is_empty:
        return _page(request, form, asks, fields=fields, checked=checked, status=422)
    language = server.pages.language(request, form.ask.language)
    try:
        with writing(server.stores.raw) as connection:
            receipt = answers.submit(connection, form, checked, submission_id=submission_id, language=language, now=now)
    except StoreError:
        log.exception("an answer was not confirmed")
        return _page(request, form, asks, fields=fields, failed=True, status=503)
    if receipt.is_conflict:
        return _said(request, "conflict", 409)
    return _acknowledged(server, form, checked, receipt.response_id)


def _acknowledged(server: Server, form: Form, checked: Checked, response_id: str) -> Response:
    chosen = practice.suggest(form.questionnaire, form.ask.side, checked.answers)
    response = RedirectResponse("/thanks", status_code=303)
    value = [form.ask.invitation_id, response_id[:12], chosen.id if chosen else None]
    server.set_cookie(response, "receipt", value, RECEIPT_SECONDS)
    return response


def _thank(request: Request) -> Response:
    server = _server(request)
    value = server.read_cookie(request, "receipt")
    with reading(server.stores.raw) as connection:
        link = _link(request, connection)
        asks = rounds.asks_of(connection, link.round_id, link.person_id) if link else []
        ask = next((ask for ask in asks if value and ask.invitation_id == value[0]), None)
        form = answers.prepare(connection, ask) if ask else None
    if form is None:
        return _closed(request)
    left = [ask for ask in asks if not ask.has_answered]
    return server.pages.thanks(request, form, receipt=value[1], practice_id=value[2], left=left)


def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _readyz(request: Request) -> Response:
    ready = is_reachable(_server(request).stores.raw)
    return PlainTextResponse("ready\n" if ready else "no store\n", status_code=200 if ready else 503)


# --- what the routes share -----------------------------------------------------------------------


def _server(request: Request) -> Server:
    server: Server = request.app.state.server
    return server


def _link(request: Request, connection: Any) -> Link | None:
    """The link behind this request's cookie, read afresh: a revoked one ends at once."""
    server = _server(request)
    token_sha256 = server.read_cookie(request, "answer")
    if not isinstance(token_sha256, str):
        return None
    return links.usable(connection, token_sha256, purpose="answer", now=server.clock())


def _chosen(asks: list[Ask], pairing_id: str | None) -> Ask | None:
    """The pairing asked for, else the first one not answered yet, else the first."""
    if pairing_id is not None:
        return next((ask for ask in asks if ask.pairing_id == pairing_id), None)
    return next((ask for ask in asks if not ask.has_answered), asks[0] if asks else None)


def _fields(request: Request) -> Mapping[str, str]:
    fields: Mapping[str, str] = request.state.fields
    return fields


def _submission_id(server: Server, form: Form | None, fields: Mapping[str, str]) -> str | None:
    """The page's own id, signed for this invitation: a page of somebody else cannot be sent here."""
    signed = server.unsign(fields.get("submission", ""), "submission")
    if form is None or not isinstance(signed, list) or signed[:1] != [form.ask.invitation_id]:
        return None
    return str(signed[1])


def _page(request: Request, form: Form, asks: list[Ask], **more: Any) -> Response:
    server = _server(request)
    others = [ask for ask in asks if ask.invitation_id != form.ask.invitation_id]
    return server.pages.form(request, form, others, server.signer, **more)


def _closed(request: Request) -> Response:
    return _said(request, "closed", 410)


def _said(request: Request, what: str, status: int) -> Response:
    return _server(request).pages.said(request, what, status)


async def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _said(request, "missing", status)


async def _refused(request: Request, _error: Exception) -> Response:
    return _said(request, "closed", 410)


async def _unavailable(_request: Request, error: Exception) -> Response:
    log.error("the store did not answer: %s", type(error).__name__)
    return PlainTextResponse("The store does not answer at the moment. Please try again.\n", status_code=503)


class SafeHeaders:
    """Puts the same headers on every response; only static files may be cached."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_static = str(scope.get("path", "")).startswith("/static/")
                cache = "public, max-age=31536000, immutable" if is_static else "no-store"
                more = {**HEADERS, "Cache-Control": cache}
                kept = [pair for pair in message["headers"] if pair[0].lower() != b"cache-control"]
                message["headers"] = [*kept, *((k.lower().encode(), v.encode()) for k, v in more.items())]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class LimitedBody:
    """Reads a form once, refuses a body that no honest page sends, and hands its fields on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        try:
            body = await _read(receive)
            scope.setdefault("state", {})["fields"] = await _parse(scope, body)
        except ClientDisconnect:
            return
        except HTTPException as error:
            refused = PlainTextResponse("This form cannot be read.\n", status_code=error.status_code)
            await refused(scope, receive, send)
            return
        await self.app(scope, receive, send)


async def _read(receive: Callable[[], Awaitable[Message]]) -> bytes:
    """The whole body; half of one, from a line that broke, is no answer."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            raise HTTPException(413)
        if not message.get("more_body", False):
            return body


async def _parse(scope: Scope, body: bytes) -> dict[str, str]:
    """The fields of a urlencoded form; any other kind of body has none."""

    async def once() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    request = Request(dict(scope), once)
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    form = await request.form(max_fields=200)
    return {key: value for key, value in form.items() if isinstance(value, str)}
