"""Puts the dashboard together: its pages, the shell around them, and the door in front."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import dash
from dash import Input, Output, dcc, html
from flask import Flask, Response, g, render_template, request

from dashboard import account, address, auth, headers, health, parts
from dashboard.kept import Content, Pages, content_of
from dashboard.loading import RENDERER, Loading
from dashboard.orders import Counter, take_orders
from dashboard.pages import (
    business_case,
    comments,
    help,
    method,
    metric,
    metrics,
    overview,
    pairings,
    participation,
    quality,
    releases,
    two_sides,
    week,
)
from dashboard.visit import HR, ROLES, NotAvailableError, Page, Visit, programmes_of, visit
from dashboard.words import Words, best
from data import settings as reading_settings
from data.settings import Settings
from data.store.accounts import Accounts, open_accounts
from data.store.desk import Desk, open_desk
from pipeline.published import PublishedStore, as_csv, open_published

ROOM = Path(__file__).resolve().parent
LARGEST_REQUEST = 64_000
# path → page; a path that ends in / takes the name of one thing
PAGES: dict[str, Page] = {
    "/": overview,
    "/week": week,
    "/metric": metrics,
    "/metric/": metric,
    "/two-sides": two_sides,
    "/participation": participation,
    "/pairings": pairings,
    "/business-case": business_case,
    "/quality": quality,
    "/comments": comments,
    "/method": method,
    "/releases": releases,
    "/help": help,
}
NAVIGATION = {
    "nav_overview": "/",
    "nav_week": "/week",
    "nav_metrics": "/metric",
    "nav_two_sides": "/two-sides",
    "nav_participation": "/participation",
    "nav_pairings": "/pairings",
    "nav_business_case": "/business-case",
    "nav_quality": "/quality",
    "nav_comments": "/comments",
    "nav_method": "/method",
    "nav_releases": "/releases",
}

ONLY_HR = frozenset({"/week", "/pairings", "/comments"})
BEFORE_A_RELEASE = frozenset({"/week", "/pairings", "/help"})  # pages that need none
FOR_EVERY_ROLE = frozenset({"/help"})
FIRST_STEPS = ("empty_step_people", "empty_step_forecast", "empty_step_round")

# What these show depends on rights and address only, so that a page made for one reader serves the next.
SHARED = (overview, metrics, metric, two_sides, participation, business_case, quality, method, releases)

OFFICE = "application/vnd.openxmlformats-officedocument"
MIMETYPES = {
    "html": "text/html",
    "pdf": "application/pdf",
    "pptx": f"{OFFICE}.presentationml.presentation",
    "xlsx": f"{OFFICE}.spreadsheetml.sheet",
}

log = logging.getLogger(__name__)


def create_app(
    settings: Settings,
    published: PublishedStore,
    accounts: Accounts,
    clock: Callable[[], datetime] = reading_settings.now,
    desk: Desk | None = None,
) -> dash.Dash:
    """The dashboard over what is published, closed to everyone without a session; orders go to the desk."""
    desk = desk or open_desk(settings)
    server = Flask(__name__, template_folder=str(ROOM / "templates"))
    server.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app = dash.Dash(
        "rapport",
        server=server,
        assets_folder=str(ROOM / "assets"),
        serve_locally=True,
        title="Rapport",
        update_title=None,
        suppress_callback_exceptions=True,
        use_pages=False,
        on_error=_trouble,
    )
    loading, pages = Loading(app.registered_paths), Pages(SHARED)
    # Our own page around Dash: language, title, navigation, first content and sign-out come from the server.
    app.interpolate_index = lambda **pieces: render_template(
        "shell.html", **loading.pieces(pieces), **_about(settings, published, desk), **_first(published, desk, pages)
    )
    app.renderer = RENDERER
    app.layout = html.Div([dcc.Location(id="address"), html.Div(id="page")])
    app.callback(
        Output("page", "children"),
        Input("address", "pathname"),
        Input("address", "search"),
        prevent_initial_call=True,  # the shell brings the first content
    )(lambda path, search: _page(published, desk, pages, path, search).parts)
    counts = health.Counts()
    take_orders(app, Counter(published, desk, clock))
    door = auth.close(server, settings, accounts, clock, counts)
    server.before_request(loading.answer)
    server.register_blueprint(account.routes(door))
    health.watch(server, counts, lambda: accounts.is_reachable() and published.is_reachable())
    server.add_url_rule("/<path:page>.csv", "csv", lambda page: _csv(published, desk, page))
    server.add_url_rule("/orders/<int:order_id>", "order", lambda order_id: _made(published, desk, order_id))
    server.register_error_handler(500, _trouble_page)
    headers.protect(server, app.csp_hashes(), is_secure=settings.secure)
    return app


def serving(settings: Settings) -> Flask:
    """The application of an installation; what granian starts in its worker."""
    flask: Flask = create_app(settings, open_published(settings), open_accounts(settings)).server
    return flask


def server() -> Flask:
    """The application of this process's environment, for any other WSGI server."""
    return serving(reading_settings.load())


def _first(published: PublishedStore, desk: Desk, pages: Pages) -> dict[str, object]:
    """The content that comes with the shell, so that a browser need not come back for it."""
    search = request.query_string.decode("utf-8", "replace")
    try:
        return {"first": _page(published, desk, pages, request.path, search)}
    except Exception as error:
        return {"first": content_of(_trouble(error))}


def _page(published: PublishedStore, desk: Desk, pages: Pages, path: object, search: object) -> Content:
    """One page for one reader. Path and search come from the browser: nothing in them is trusted."""
    asked = address.read(path, search)
    words = Words(asked.lang)
    try:
        found, item = _find(asked.path)
        seen = _visit(published, desk, asked, item)
        is_empty = seen.numbers is None and asked.path not in BEFORE_A_RELEASE
        return content_of(_empty(words)) if is_empty else pages.content(found, seen)
    except NotAvailableError:
        return content_of(_not_available(asked, words))


def _visit(published: PublishedStore, desk: Desk, asked: address.Address, item: str) -> Visit:
    """This request's visit, one for title and content; a page for every role shows no numbers."""
    if asked.path in FOR_EVERY_ROLE:
        return Visit(account=auth.reader(), address=asked, words=Words(asked.lang), numbers=None, releases=())
    begun: dict[object, Visit] = g.setdefault("visits", {})
    if (asked, item) not in begun:
        begun[asked, item] = visit(published, auth.reader(), asked, item, desk)
    return begun[asked, item]


def _find(path: str) -> tuple[Page, str]:
    folder, _, name = path.rpartition("/")
    if path in PAGES and not path.endswith("/") or path == "/":
        return PAGES[path], ""
    if f"{folder}/" in PAGES and folder and name:
        return PAGES[f"{folder}/"], name
    raise NotAvailableError


def _not_available(asked: address.Address, words: Words) -> object:
    if auth.reader().role not in ROLES:
        return parts.notice(words("not_available"), words("role_not_allowed"))
    home = html.A(words("back_to_overview"), href=address.Address(lang=asked.lang).text)
    return parts.notice(words("not_available"), words("not_available_text"), home)


def _empty(words: Words) -> list[object]:
    """The first day: what to do next, for whoever can do it."""
    if auth.reader().role != HR:
        return [parts.notice(words("empty"), words("empty_text"), words("empty_wait"))]
    steps = [html.Li(parts.sentence_with_code(words(key))) for key in FIRST_STEPS]
    said = parts.notice(words("empty"), words("empty_text"))
    return [said, html.H2(words("empty_next")), html.Ol(steps, className="steps")]


def _trouble(error: Exception) -> object:
    """What a page shows where reading failed; the log gets the error, the reader a sentence."""
    log.error("A page could not be made.", exc_info=error)
    words = Words(best(request.headers.get("Accept-Language")))
    return parts.notice(words("trouble"), words("trouble_text"))


def _trouble_page(_error: Exception) -> tuple[str, int]:
    """The same where not even the shell could be made; Flask has logged the error."""
    lang = best(request.args.get("lang"), request.headers.get("Accept-Language"))
    return render_template("trouble.html", lang=lang, words=Words(lang)), 500


def _csv(published: PublishedStore, desk: Desk, page: str) -> Response:
    """What a page draws from, as a file: exactly the released rows, withheld ones without a number."""
    asked = address.read("/" if page == "overview" else f"/{page}", request.query_string.decode("utf-8", "replace"))
    try:
        found, item = _find(asked.path)
        seen = _visit(published, desk, asked, item)
        if seen.numbers is None:
            raise NotAvailableError
        content = as_csv(found.shown(seen))
    except NotAvailableError:
        return Response(f"{Words(asked.lang)('not_available_text')}\n", 404, mimetype="text/plain")
    name = asked.path.strip("/").replace("/", "-") or "overview"
    release = seen.numbers.latest.id
    response = Response(content, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(f"{release}-{name}")}.csv"'
    return response


def _made(published: PublishedStore, desk: Desk, order_id: int) -> Response:
    """A report that was asked for, to whoever may see its programme; what others asked for is theirs and HR's."""
    account, order = auth.reader(), desk.order(order_id)
    mine = {each.id for each in programmes_of(published, account, desk)}
    is_theirs = order is not None and (account.role == HR or order.asked_by == account.email)
    file = desk.file(order_id) if order is not None and is_theirs and order.programme_id in mine else None
    if file is None:
        return Response(f"{Words(best(request.args.get('lang')))('not_available_text')}\n", 404, mimetype="text/plain")
    response = Response(file.content, mimetype=MIMETYPES[file.name.rpartition(".")[2]])
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(file.name)}"'
    return response


def _file_name(text: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in text)


def _about(settings: Settings, published: PublishedStore, desk: Desk) -> dict[str, object]:
    """What the shell shows around a page: it is made for each request, so it knows the reader and the language."""
    asked = address.read(request.path, request.query_string.decode("utf-8", "replace"))
    words, account = Words(asked.lang), auth.reader()
    other = "de" if asked.lang == "en" else "en"
    mine = programmes_of(published, account, desk)
    places = {key: path for key, path in NAVIGATION.items() if account.role == HR or path not in ONLY_HR}
    chosen = asked.programme or (mine[0].id if mine else None)
    return {
        "lang": asked.lang,
        "words": words,
        "organisation": settings.organisation,
        "page_title": _title(published, desk, asked, words),
        "account": account,
        "role": words(f"role_{account.role.replace('-', '_')}"),
        "navigation": [(words(key), asked.to(path), _is_here(path, asked.path)) for key, path in places.items()],
        "programmes": [(each.name, _of(asked, each.id), each.id == chosen) for each in mine],
        "other_language": (other, asked.with_(lang=other)),
        "help": (asked.to("/help"), asked.path == "/help"),
        "state": asked.with_(programme=chosen),
        "token": auth.form_token(),
    }


def _of(asked: address.Address, programme_id: str) -> str:
    """The same page of another programme; its rounds and groups are its own."""
    return asked.with_(programme=programme_id, round=None, by=None, find=None, page=None)


def _is_here(path: str, current: str) -> bool:
    return current == path if path == "/" else current.startswith(path)


def _title(published: PublishedStore, desk: Desk, asked: address.Address, words: Words) -> str:
    try:
        found, item = _find(asked.path)
        return found.title(_visit(published, desk, asked, item))
    except NotAvailableError:
        return words("not_available")
