"""Guards what goes over the wire: the headers of every response, the size and kind of every form."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 64 * 1024
MAX_FIELDS = 200
FORM = b"application/x-www-form-urlencoded"

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
PAGE = [*((name.lower().encode(), value.encode()) for name, value in HEADERS.items()), (b"cache-control", b"no-store")]
STATIC = [*PAGE[:-1], (b"cache-control", b"public, max-age=31536000, immutable")]


class Guarded:
    """Puts the same headers on every response, only static files may be cached; hands on a form's fields, read once."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = STATIC if scope["path"].startswith("/static/") else PAGE

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if scope["method"] == "POST":
            try:
                scope.setdefault("state", {})["fields"] = _fields(scope, await _read(receive))
            except ClientDisconnect:
                return
            except HTTPException as error:
                refused = PlainTextResponse("This form cannot be read.\n", status_code=error.status_code)
                await refused(scope, receive, send_with_headers)
                return
        await self.app(scope, receive, send_with_headers)


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


def _fields(scope: Scope, body: bytes) -> dict[str, str]:
    """The fields of a urlencoded form; any other kind of body has none."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    if not kind.startswith(FORM):
        return {}
    try:
        return dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise HTTPException(400) from None
