"""Signs people in and out, and closes everything else to those who are not."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Flask, Response, g, make_response, render_template, request
from itsdangerous import BadSignature, URLSafeSerializer

from dashboard.health import Counts
from dashboard.words import Words, best
from data.errors import RapportError
from data.settings import Settings
from data.store.accounts import LONGEST_PASSWORD, Account, Accounts

OPEN = frozenset({"/sign-in", "/healthz", "/readyz", "/metrics"})
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Door:
    """What sign-in needs: the accounts, a clock, the cookies' names and what signs the form tokens."""

    accounts: Accounts
    clock: Callable[[], datetime]
    counts: Counts
    signer: URLSafeSerializer
    is_secure: bool

    @property
    def session_cookie(self) -> str:
        return "__Host-rapport-session" if self.is_secure else "rapport-session"

    @property
    def form_cookie(self) -> str:
        return "__Host-rapport-form" if self.is_secure else "rapport-form"


def close(server: Flask, settings: Settings, accounts: Accounts, clock: Callable[[], datetime], counts: Counts) -> Door:
    """Deny by default: only the sign-in page, its style and the health checks are open."""
    if settings.secret_key is None:
        raise RapportError("The dashboard needs a secret key; run `rapport init` first.")
    signer = URLSafeSerializer(settings.secret_key, salt="dashboard form")
    door = Door(accounts, clock, counts, signer, settings.secure)
    server.before_request(lambda: _admit(door))
    server.register_blueprint(_routes(door))
    return door


def reader() -> Account:
    """The account of this request; there always is one behind the door."""
    account: Account = g.account
    return account


def form_token() -> str:
    """What this session's forms carry."""
    token: str = g.form_token
    return token


def _admit(door: Door) -> Response | None:
    """Let a request pass, or answer it: 403 from a foreign page, 401 or the sign-in page without a session."""
    if request.method not in SAFE and not _is_own_page():
        return Response("This request came from another page.\n", 403, mimetype="text/plain")
    if request.path in OPEN or request.path == "/assets/dashboard.css":
        return None
    token = request.cookies.get(door.session_cookie, "")
    account = door.accounts.account_of(token, door.clock()) if token else None
    if account is None:
        return _refused()
    g.account = account
    g.form_token = door.signer.dumps(_fingerprint(token), salt="session")
    return None


def _fingerprint(token: str) -> str:
    """What a page may carry of a session: one that is saved or passed on opens nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def _is_own_page() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _refused() -> Response:
    wants_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    if not wants_page or request.path.startswith("/_"):
        return Response("Please sign in.\n", 401, mimetype="text/plain")
    chosen = {"next": request.full_path.rstrip("?"), "lang": request.args.get("lang", "")}
    asked = urlencode({name: value for name, value in chosen.items() if value not in ("", "/")})
    return _to(f"/sign-in?{asked}" if asked else "/sign-in")


def _to(address: str) -> Response:
    """Go on by GET."""
    response = Response(status=303)
    response.headers["Location"] = address
    return response


def _routes(door: Door) -> Blueprint:
    routes = Blueprint("auth", __name__)
    routes.add_url_rule("/sign-in", "page", lambda: _page(door), methods=["GET"])
    routes.add_url_rule("/sign-in", "sign_in", lambda: _sign_in(door), methods=["POST"])
    routes.add_url_rule("/sign-out", "sign_out", lambda: _sign_out(door), methods=["POST"])
    return routes


def _page(door: Door, *, message: str = "", email: str = "", status: int = 200) -> Response:
    """The form; works without JavaScript. Its token fits a cookie of its own, so no other site can send it."""
    lang = best(request.args.get("lang"), request.headers.get("Accept-Language"))
    words, nonce = Words(lang), secrets.token_urlsafe(24)
    body = render_template(
        "sign_in.html",
        lang=lang,
        other="de" if lang == "en" else "en",
        words=words,
        message=words(message) if message else "",
        email=email,
        next=_local(request.values.get("next", "/")),
        token=door.signer.dumps(nonce, salt="sign-in"),
    )
    response = make_response(body, status)
    _set(door, response, door.form_cookie, nonce)
    return response


def _sign_in(door: Door) -> Response:
    if not _fits(door, request.form.get("token", ""), request.cookies.get(door.form_cookie, ""), "sign-in"):
        return _page(door, message="sign_in_stale", status=400)
    email, password = request.form.get("email", "")[:254], request.form.get("password", "")
    token = None
    if len(password) <= LONGEST_PASSWORD:
        token = door.accounts.sign_in(email=email, password=password, now=door.clock())
    if token is None:
        door.counts.add("sign_ins_refused")
        return _page(door, message="sign_in_wrong", email=email, status=401)
    door.counts.add("sign_ins")
    response = _to(_local(request.form.get("next", "/")))
    _set(door, response, door.session_cookie, token)
    return response


def session_token(door: Door) -> str:
    """The token of the session that this request came with."""
    return request.cookies.get(door.session_cookie, "")


def is_own_form(door: Door) -> bool:
    """Whether a form comes from a page that this session was shown."""
    token = session_token(door)
    return bool(token) and _fits(door, request.form.get("token", ""), _fingerprint(token), "session")


def _sign_out(door: Door) -> Response:
    token = session_token(door)
    if not is_own_form(door):
        return Response("This page had been open for too long.\n", 400, mimetype="text/plain")
    door.accounts.sign_out(token, door.clock())
    response = _to("/sign-in")
    response.delete_cookie(door.session_cookie, path="/", secure=door.is_secure, httponly=True, samesite="Lax")
    return response


def _fits(door: Door, form_token: str, expected: str, purpose: str) -> bool:
    try:
        said = str(door.signer.loads(form_token, salt=purpose))
    except BadSignature:
        return False
    return bool(expected) and secrets.compare_digest(said.encode(), expected.encode())


def _set(door: Door, response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, path="/", secure=door.is_secure, httponly=True, samesite="Lax")


def _local(path: str) -> str:
    """An address of our own to go on to; anything that could lead elsewhere becomes the overview."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\", "/sign-")) and path.isprintable()
    return path if is_local and "\\" not in path else "/"
