"""Takes what people ask for at the dashboard: checks it against what they may see, and hands it to the desk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dash
from dash import ALL, MATCH, Input, Output, State, ctx, html
from dash.exceptions import PreventUpdate

from dashboard import address, auth, order_parts
from dashboard.reports.write import FORMATS
from dashboard.this_week import open_requests
from dashboard.visit import HR, REPORT, ROLES, NotAvailableError, Visit, visit
from dashboard.words import LANGUAGES, Words
from data.errors import RapportError
from data.store.accounts import Account
from data.store.desk import DOINGS, LONGEST_TEXT, Desk, OvertakenError, Wish
from pipeline.published import PublishedStore

# kind → who may ask for it
WHO: Mapping[str, tuple[str, ...]] = {"reply": (HR,), "contact": (HR,), "action": (HR,), REPORT: ROLES}
BESIDE = ("action", REPORT)  # a further one does not replace the one before
Fields = Mapping[str, str]
Said = tuple[Any, Any]  # what stands beside the button, and the place that its form has now seen


@dataclass(frozen=True)
class Counter:
    """What taking an order needs."""

    published: PublishedStore
    desk: Desk
    clock: Callable[[], datetime]


def take_orders(app: dash.Dash, counter: Counter) -> None:
    """Register the two callbacks: sending a form, and looking how reports get on."""
    form = {"kind": MATCH, "subject": MATCH}
    app.callback(
        Output({**form, "part": "told"}, "children"),
        Output({**form, "part": "seen"}, "data"),
        Input({**form, "part": "send"}, "n_clicks"),
        State({**form, "part": "seen"}, "data"),
        State({**form, "field": ALL}, "value"),
        State({**form, "field": ALL}, "id"),
        State("address", "pathname"),
        State("address", "search"),
        prevent_initial_call=True,
    )(lambda *sent: _send(counter, ctx.triggered_id, *sent))
    app.callback(
        Output("reports", "children"),
        Output("reports-clock", "disabled"),
        Input("reports-clock", "n_intervals"),
        Input({"kind": REPORT, "subject": ALL, "part": "told"}, "children"),
        State("address", "pathname"),
        State("address", "search"),
    )(lambda _n, _told, path, search: _reports(counter, path, search))


def _send(
    counter: Counter, sender: object, n_clicks: object, seen: object, values: object, ids: object, *where: object
) -> Said:
    """One form, as a browser sent it: nothing in it is trusted."""
    if not n_clicks:
        raise PreventUpdate
    asked = address.read(*where)
    words, account = Words(asked.lang), auth.reader()
    kind, subject, fields = _read(sender, values, ids)
    try:
        looking = visit(counter.published, account, asked, desk=counter.desk)
        wish = _wish(looking, account, kind, subject, fields, seen)
        order = counter.desk.ask(wish, counter.clock())
    except NotAvailableError:
        return html.Span(words("order_not_yours"), className="message"), dash.no_update
    except OvertakenError as error:
        return order_parts.overtaken(error.newest, words), error.newest.place
    except RapportError as error:
        return html.Span(str(error), className="message"), dash.no_update
    return order_parts.kept(order, words), order.place


def _read(sender: object, values: object, ids: object) -> tuple[str, str, Fields]:
    """Kind, subject and texts; whatever has another shape is nothing that a form of ours sent."""
    if not isinstance(sender, Mapping) or not isinstance(values, Sequence) or not isinstance(ids, Sequence):
        raise PreventUpdate
    names = [each.get("field") if isinstance(each, Mapping) else None for each in ids]
    texts = {name: value for name, value in zip(names, values, strict=False) if isinstance(name, str)}
    usable = {name: "" if value is None else value for name, value in texts.items()}
    if not all(isinstance(value, str) and len(value) <= 2 * LONGEST_TEXT for value in usable.values()):
        raise PreventUpdate
    return str(sender.get("kind")), str(sender.get("subject")), usable


def _wish(looking: Visit, account: Account, kind: str, subject: str, fields: Fields, seen: object) -> Wish:
    """The order, if its kind, its subject and its texts are ones that a page offers this reader."""
    if account.role not in WHO.get(kind, ()) or looking.programme is None:
        raise NotAvailableError
    content = CONTENT[kind](looking, subject, fields)
    if kind not in BESIDE and (not isinstance(seen, int) or isinstance(seen, bool)):
        raise NotAvailableError
    return Wish(
        programme_id=looking.programme.id,
        kind=kind,
        subject=subject,
        content=content,
        asked_by=account.email,
        seen=seen if isinstance(seen, int) and kind not in BESIDE else None,
    )


def _text(looking: Visit, fields: Fields, name: str, *, is_needed: bool = True) -> str:
    text = fields.get(name, "").strip()
    if is_needed and not text:
        raise RapportError(looking.words("order_text_missing"))
    if len(text) > LONGEST_TEXT:
        raise RapportError(looking.words("order_text_long", n=LONGEST_TEXT))
    return text


def _reply(looking: Visit, subject: str, fields: Fields) -> Fields:
    closed = {each["round"] for each in looking.board("calendar").get("rounds", ()) if each["state"] == "closed"}
    if subject not in closed:
        raise NotAvailableError
    return {"said": _text(looking, fields, "said"), "will": _text(looking, fields, "will")}


def _contact(looking: Visit, subject: str, fields: Fields) -> Fields:
    request = {each["request"]: each for each in open_requests(looking.board("pairings"))}.get(subject)
    if request is None:
        raise NotAvailableError
    about = {"pairing": request["pairing"], "person": request["person_id"], "round": request["round"]}
    return {**about, "kind": "contact", "note": _text(looking, fields, "note", is_needed=False)}


def _action(looking: Visit, subject: str, fields: Fields) -> Fields:
    known = {each["pairing"] for each in looking.board("pairings").get("pairings", ())}
    if subject not in known or fields.get("kind") not in DOINGS:
        raise NotAvailableError
    return {"pairing": subject, "kind": fields["kind"], "note": _text(looking, fields, "note", is_needed=False)}


def _report(looking: Visit, subject: str, fields: Fields) -> Fields:  # noqa: ARG001 - one shape for all kinds
    if subject not in FORMATS or looking.numbers is None or looking.address.lang not in LANGUAGES:
        raise NotAvailableError
    return {"format": subject, "lang": looking.address.lang}


CONTENT: Mapping[str, Callable[[Visit, str, Fields], Fields]] = {
    "reply": _reply,
    "contact": _contact,
    "action": _action,
    REPORT: _report,
}


def _reports(counter: Counter, *where: object) -> Said:
    """How the reports asked for get on; the clock rests when none is under way."""
    asked = address.read(*where)
    try:
        looking = visit(counter.published, auth.reader(), asked, desk=counter.desk)
    except NotAvailableError:
        return "", True
    mine = [each for each in looking.orders if each.kind == REPORT]
    return order_parts.reports(mine, Words(asked.lang)), not any(each.is_open for each in mine)
