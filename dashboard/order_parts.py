"""Builds the forms of work orders, and says how an order stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dash import dcc, html

from dashboard.parts import Part
from dashboard.words import Words
from data.store.desk import LONGEST_TEXT, Order

LOOK_AGAIN = 1500  # milliseconds between two looks at a report under way
SHOWN = 5  # reports in the list


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a form: a text, or one of several choices (value → label)."""

    name: str
    label: str
    value: str = ""
    choices: Mapping[str, str] | None = None
    rows: int = 2


def form(kind: str, subject: str, seen: int, fields: Sequence[Field], *, button: str, about: str) -> Part:
    """A form whose button sends it; `about` names it for a reader who hears it. What is typed outlives a reload."""
    about_it = {"kind": kind, "subject": subject}
    return html.Div(
        [
            *(_field(about_it, each) for each in fields),
            html.Button(button, id={**about_it, "part": "send"}, type="button", className="act"),
            dcc.Store(id={**about_it, "part": "seen"}, data=seen),
            html.P(id={**about_it, "part": "told"}, className="told", role="status"),
        ],
        className="order",
        role="group",
        **{"aria-label": about},
    )


def _field(about_it: Mapping[str, str], each: Field) -> Part:
    own = {**about_it, "field": each.name}
    if each.choices is not None:
        options = [{"label": label, "value": value} for value, label in each.choices.items()]
        picks = dcc.RadioItems(id=own, options=options, value=each.value, inline=True, className="picks")
        return html.Div([html.Span(each.label, className="label"), picks], role="group", **{"aria-label": each.label})
    box = dcc.Textarea(
        id=own,
        value=each.value,
        rows=each.rows,
        maxLength=LONGEST_TEXT,
        persistence=True,
        persistence_type="session",
        className="text",
    )
    return html.Label([html.Span(each.label, className="label"), box])


def kept(order: Order, words: Words) -> Part:
    """The order lies at the desk."""
    return html.Span(words(f"order_kept_{order.kind}"))


def overtaken(newest: Order, words: Words) -> Part:
    """Somebody else was faster: what they wrote, and that nothing of one's own is lost."""
    said = [html.Blockquote(text) for text in newest.content.values()] if newest.kind == "reply" else []
    key = "order_overtaken_reply" if newest.kind == "reply" else "order_overtaken"
    return html.Div([html.Span(words(key, who=newest.asked_by), className="message"), *said])


def pending(order: Order, words: Words) -> Part:
    """In place of a form whose order is not carried out yet."""
    return html.P(words("order_pending", who=order.asked_by), className="told", role="status")


def ask_for_report(formats: Sequence[str], orders: Sequence[Order], words: Words) -> list[Part]:
    """One button a format, and how the reports asked for get on."""
    buttons = [
        form("report", each, 0, (), button=words(f"report_as_{each}"), about=words("reports")) for each in formats
    ]
    clock = dcc.Interval(id="reports-clock", interval=LOOK_AGAIN, disabled=True)
    return [html.Div(buttons, className="buttons"), clock, html.Div(reports(orders, words), id="reports")]


def reports(orders: Sequence[Order], words: Words) -> list[Part]:
    """The newest reports asked for: under way, ready or refused."""
    return [html.Ul([_report(each, words) for each in orders[:SHOWN]], className="reports")] if orders else []


def _report(order: Order, words: Words) -> Part:
    name = words(f"report_as_{order.content['format']}") if "format" in order.content else words("reports")
    if order.state == "done":
        link = html.A(words("report_ready", name=name), href=f"/orders/{order.order_id}")
        return html.Li([link, " ", html.Small(order.told or "")])
    said = order.told if order.state == "refused" else ""
    return html.Li([words(f"report_{order.state}", name=name), " ", html.Small(said)], role="status")
