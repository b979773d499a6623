"""Shows what the programme team should do this week, and lets it fix, answer and write what does not need a page."""

from datetime import date

import pandas as pd
from dash import html

from dashboard import order_parts, parts
from dashboard.order_parts import Field
from dashboard.parts import Part
from dashboard.this_week import Content
from dashboard.todo import todo
from dashboard.visit import NotAvailableError, Visit
from dashboard.words import Words
from pipeline.published import PROGRAMME

SIDES = ("mentor", "mentee")


def title(visit: Visit) -> str:
    return visit.words("week")


def shown(visit: Visit) -> pd.DataFrame:
    """This page draws from no release; its download is the latest numbers of the whole programme."""
    numbers = visit.released
    return numbers.select(view=PROGRAMME, release=numbers.latest.id)


def show(visit: Visit) -> list[Part]:
    words, calendar = visit.words, visit.board("calendar")
    if not visit.is_hr:
        raise NotAvailableError
    if not calendar or visit.today is None:
        return [parts.notice(words("week"), *_first_look(words))]
    return [
        html.P(words("week_lead", programme=calendar["programme"], day=words.day(visit.today)), className="lead"),
        *_listed(visit),
        *_rounds(visit),
        *_reply(visit),
        *_addresses(visit),
    ]


def _first_look(words: Words) -> list[Part]:
    return [words("week_not_yet"), html.Span(parts.sentence_with_code(words("week_not_yet_how")))]


def _listed(visit: Visit) -> list[Part]:
    """The page's own heading and the list of what to do."""
    words, found = visit.words, todo(visit)
    if not found:
        return [html.H1(words("week_nothing")), html.P(words("week_nothing_text"))]
    heading = words("week_title_one" if len(found) == 1 else "week_title", n=len(found))
    return [html.H1(heading), html.Ol(found, className="todo")]


# --- rounds ----------------------------------------------------------------------------------------


def _rounds(visit: Visit) -> list[Part]:
    words, calendar = visit.words, visit.board("calendar")
    said = [line for each in calendar["rounds"][-2:] for line in _round(each, words)]
    ahead = calendar["next"]
    if ahead is not None:
        values = {"pulse": words(f"pulse_{ahead['pulse']}"), "opens": _day(ahead["opens_on"], words)}
        said.append(html.Li(words("round_ahead", **values, closes=_day(ahead["closes_on"], words))))
    if not said:
        said.append(html.Li(parts.sentence_with_code(words("round_none"))))
    elif ahead is None and not calendar["asks_by_itself"]:
        said.append(html.Li(parts.sentence_with_code(words("round_by_hand"))))
    return [html.H2(words("week_rounds"), id="rounds"), html.Ul(said)]


def _round(each: Content, words: Words) -> list[Part]:
    values = {"number": each["number"], "pulse": words(f"pulse_{each['pulse']}")}
    days = {"opens": _day(each["opens_on"], words), "closes": _day(each["closes_on"], words)}
    found = [html.Li(words(f"round_{each['state']}", **values, **days))]
    if each["so_far"]:
        parts_said = [
            words("so_far_side", side=words(f"side_{side}"), share=words(f"so_far_{each['so_far'][side]}"))
            for side in SIDES
            if side in each["so_far"]
        ]
        found.append(html.Li(words("so_far", said="; ".join(parts_said))))
    return found


def _day(text: str, words: Words) -> str:
    return words.day(date.fromisoformat(text))


# --- "You said, we will" ---------------------------------------------------------------------------


def _reply(visit: Visit) -> list[Part]:
    """The newest closed round's reply: to write, or as it was written."""
    words = visit.words
    closed = [each for each in visit.board("calendar")["rounds"] if each["state"] == "closed"]
    if not closed:
        return []
    newest = closed[-1]
    heading = html.H2(words("reply_title", number=newest["number"]), id="reply")
    return [heading, html.P(words("reply_what")), *_reply_form(visit, newest)]


def _reply_form(visit: Visit, newest: Content) -> list[Part]:
    words, subject = visit.words, newest["round"]
    written = newest["reply"] or {"said": "", "will": "", "by": ""}
    waiting = visit.waiting("reply", subject)
    state = [html.P(words("reply_by", who=written["by"]), className="note")] if newest["reply"] else []
    if waiting is not None:
        written, state = waiting.content, [order_parts.pending(waiting, words)]
    form = order_parts.form(
        "reply",
        subject,
        visit.places.get(("reply", subject), 0),
        [
            Field(name="said", label=words("reply_said"), value=written["said"]),
            Field(name="will", label=words("reply_will"), value=written["will"]),
        ],
        button=words("reply_send"),
        about=words("reply_title", number=newest["number"]),
    )
    return [*state, form]


# --- addresses -------------------------------------------------------------------------------------


def _addresses(visit: Visit) -> list[Part]:
    words, failing = visit.words, visit.board("calendar")["bounces"]
    if not failing:
        return []
    rows = [(each["name"], each["address"], _day(each["since"], words)) for each in failing]
    columns = [words(name) for name in ("th_name", "th_address", "th_since")]
    return [
        html.H2(words("addresses_title"), id="addresses"),
        html.P(parts.sentence_with_code(words("addresses_how"))),
        parts.plain_table(words("addresses_title"), columns, rows, words),
    ]
