"""Shows a reader their own account: password, sessions, the Monday mail."""

from collections.abc import Callable

from flask import Blueprint, Response, make_response, render_template, request

from dashboard import auth
from dashboard.auth import Door
from dashboard.visit import HR
from dashboard.words import Words, best
from data.errors import RapportError


def routes(door: Door) -> Blueprint:
    """The page, which works without JavaScript, and what its three forms do."""
    found = Blueprint("account", __name__)
    found.add_url_rule("/account", "page", lambda: _page(door), methods=["GET"])
    for name, does in {"password": _password, "elsewhere": _elsewhere, "weekly": _weekly}.items():
        found.add_url_rule(f"/account/{name}", name, _doing(door, does), methods=["POST"])
    return found


def _doing(door: Door, does: Callable[[Door], Response]) -> Callable[[], Response]:
    """A form is taken only from a page of this session."""

    def answer() -> Response:
        return does(door) if auth.is_own_form(door) else _page(door, message="sign_in_stale", status=400)

    return answer


def _page(door: Door, *, message: str = "", said: str = "", status: int = 200) -> Response:
    account = auth.reader()
    lang = best(request.args.get("lang"), request.headers.get("Accept-Language"))
    words = Words(lang)
    body = render_template(
        "account.html",
        lang=lang,
        other="de" if lang == "en" else "en",
        words=words,
        account=account,
        role=words(f"role_{account.role.replace('-', '_')}"),
        n_others=max(0, door.accounts.n_sessions(account.email, door.clock()) - 1),
        is_hr=account.role == HR,
        is_told_weekly=door.accounts.is_told_weekly(account.email),
        message=words(message) if message in MESSAGES else message,
        said=words(said) if said else "",
        token=auth.form_token(),
    )
    return make_response(body, status)


MESSAGES = ("sign_in_stale", "password_wrong", "password_twice")


def _password(door: Door) -> Response:
    old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
    if new != again:
        return _page(door, message="password_twice", status=400)
    try:
        is_changed = door.accounts.change_password(auth.session_token(door), old=old, new=new, now=door.clock())
    except RapportError as error:
        return _page(door, message=str(error), status=400)
    if not is_changed:
        return _page(door, message="password_wrong", status=400)
    return _page(door, said="password_changed")


def _elsewhere(door: Door) -> Response:
    door.accounts.sign_out_elsewhere(auth.session_token(door), door.clock())
    return _page(door, said="signed_out_elsewhere")


def _weekly(door: Door) -> Response:
    wanted = request.form.get("wanted") == "yes"
    door.accounts.tell_weekly(auth.reader().email, wanted=wanted)
    return _page(door, said="weekly_kept")
