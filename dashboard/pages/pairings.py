"""Shows what is known of each pairing from operational facts: requests, what may need support, what was done."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
from dash import dcc, html

from dashboard import order_parts, parts
from dashboard.evidence import evidence
from dashboard.order_parts import Field
from dashboard.panels import bounds_of, value_of
from dashboard.parts import Part
from dashboard.this_week import Content, is_looked_after, may_need_support, open_requests
from dashboard.visit import NotAvailableError, Visit
from dashboard.words import Words
from data.store.desk import DOINGS
from pipeline.published import PROGRAMME

A_PAGE = 50  # pairings
FORMS = 15  # pairings that may need support with a form each; the others are named
SUPPORT = ("support_recall", "support_false_alarms", "support_lead")
NONE = "–"


def title(visit: Visit) -> str:
    return visit.words("pairings")


def shown(visit: Visit) -> pd.DataFrame:
    """What the rules were worth; the list itself is nobody's download."""
    rows = visit.released.select(view=PROGRAMME, release=visit.released.latest.id)
    return rows[rows["metric"].isin(SUPPORT)]


def show(visit: Visit) -> list[Part]:
    words, board = visit.words, visit.board("pairings")
    if not visit.is_hr:
        raise NotAvailableError
    if not board:
        how = html.Span(parts.sentence_with_code(words("week_not_yet_how")))
        return [parts.notice(words("pairings"), words("week_not_yet"), how)]
    return [
        html.H1(_finding(board, words)),
        html.P(words("pairings_lead"), className="verdict"),
        *_requests(visit),
        *_support(visit),
        *_all(visit),
    ]


def _finding(board: Content, words: Words) -> str:
    n_running = sum(each["ended_on"] is None for each in board["pairings"])
    n_support = len(may_need_support(board))
    if all(days is None for days in board["rules"].values()):  # nobody was asked, so nothing is known
        return words("pairings_running", running=n_running)
    key = "pairings_fine" if n_support == 0 else "pairings_support_one" if n_support == 1 else "pairings_support"
    return words(key, running=n_running, n=n_support)


def _names(each: Content, words: Words) -> str:
    return words("pair_names", mentor=each["mentor"], mentee=each["mentee"])


def _day(text: str | None, words: Words) -> str:
    return words.day(date.fromisoformat(text)) if text else NONE


# --- requests to be contacted ----------------------------------------------------------------------


def _requests(visit: Visit) -> list[Part]:
    words, waiting = visit.words, open_requests(visit.board("pairings"))
    heading = html.H2(words("requests_title"), id="requests")
    if not waiting:
        return [heading, html.P(words("requests_none"))]
    more = [html.P(words("requests_more", n=len(waiting) - FORMS))] if len(waiting) > FORMS else []
    return [heading, html.P(words("requests_what")), *(_request(visit, each) for each in waiting[:FORMS]), *more]


def _request(visit: Visit, each: Content) -> Part:
    words, subject = visit.words, each["request"]
    who = {"name": each["name"], "side": words(f"side_of_{each['side']}"), "other": each["other"]}
    said = words("request_line", **who, day=_day(each["asked_on"], words))
    pending = visit.waiting("contact", subject)
    place = visit.places.get(("contact", subject), 0)
    answer = order_parts.form(
        "contact",
        subject,
        place,
        [Field(name="note", label=words("request_note"), rows=1)],
        button=words("request_done"),
        about=words("request_about", name=each["name"]),
    )
    return html.Section(
        [html.H3(said), order_parts.pending(pending, words) if pending else answer], className="case-of"
    )


# --- what may need support -------------------------------------------------------------------------


def _support(visit: Visit) -> list[Part]:
    words, board = visit.words, visit.board("pairings")
    waiting = may_need_support(board)
    said = [html.H2(words("support_title"), id="support"), html.P(_rules(board, words))]
    said += _worth(visit)
    if not waiting:
        return [*said, html.P(words("support_none"))]
    more = [html.P(words("support_more", n=len(waiting) - FORMS))] if len(waiting) > FORMS else []
    return [*said, *(_case(visit, each) for each in waiting[:FORMS]), *more]


def _rules(board: Content, words: Words) -> str:
    rules = board["rules"]
    said = [words(f"rule_{name}_is", n=rules[key]) for name, key in RULES if rules[key] is not None]
    return " ".join([words("support_what"), *said]) if said else words("support_no_rule")


RULES = (("no_meeting", "days"), ("no_goals", "week"))


def _worth(visit: Visit) -> list[Part]:
    """How often the rules were right so far, where a release says so."""
    if visit.numbers is None:
        return []
    words, found = visit.words, evidence(visit.numbers)
    told = [
        words(f"worth_{name}", value=value_of(words, reading), bounds=bounds_of(words, reading))
        for name in SUPPORT
        if (reading := found.of(name, PROGRAMME, "both")) is not None
    ]
    return [html.P(" ".join(told) if told else words("worth_unknown"), className="note")]


def _case(visit: Visit, each: Content) -> Part:
    words, subject = visit.words, each["pairing"]
    reasons = [words(f"rule_{one['rule']}", day=_day(one["since"], words)) for one in each["support"]]
    pending = visit.waiting("action", subject)
    note = order_parts.form(
        "action",
        subject,
        0,
        [
            Field(
                name="kind",
                label=words("action_kind"),
                value=DOINGS[0],
                choices={name: words(f"action_{name}") for name in DOINGS},
            ),
            Field(name="note", label=words("action_note"), rows=1),
        ],
        button=words("action_send"),
        about=words("action_about", names=_names(each, words)),
    )
    body = order_parts.pending(pending, words) if pending else html.Details([html.Summary(words("action_open")), note])
    return html.Section(
        [html.H3(_names(each, words)), html.P(" ".join(reasons)), *_done(each, words), body], className="case-of"
    )


def _done(each: Content, words: Words) -> list[Part]:
    lines = [_doing(one, words) for one in each["actions"]]
    return [html.Ul([html.Li(line) for line in lines])] if lines else []


def _doing(one: Content, words: Words) -> str:
    said = words("action_line", kind=words(f"action_{one['kind']}"), day=_day(one["on"], words), who=one["by"])
    return f"{said} {one['note']}".strip()


# --- every pairing ---------------------------------------------------------------------------------


def _all(visit: Visit) -> list[Part]:
    words = visit.words
    board = visit.board("pairings")
    running = [each for each in board["pairings"] if each["ended_on"] is None]
    running.sort(key=lambda each: (each["mentor"].casefold(), each["mentee"].casefold(), each["pairing"]))
    wanted = (visit.address.find or "").casefold()
    found = [each for each in running if wanted in f"{each['mentor']} {each['mentee']}".casefold()]
    n_pages = max(1, -(-len(found) // A_PAGE))
    page = min(max(visit.address.page_number, 1), n_pages)
    rows = [_row(each, board["rules"], words) for each in found[(page - 1) * A_PAGE : page * A_PAGE]]
    columns = [words(name) for name in ("side_mentor", "side_mentee", "th_started", "th_met", "th_goals", "th_state")]
    heading = [html.H2(words("pairings_all", n=len(running)), id="all"), _search(visit)]
    if not rows:
        return [*heading, html.P(words("pairings_none_found" if wanted else "pairings_none"))]
    table = parts.plain_table(words("pairings_table"), columns, rows, words)
    return [*heading, html.P(words("pairings_note"), className="note"), table, *_pages(visit, page, n_pages)]


def _search(visit: Visit) -> Part:
    """A form of the browser's own: what was looked for stands in the address."""
    words, chosen = visit.words, visit.address
    kept = {"lang": chosen.lang, "programme": chosen.programme}
    hidden = [dcc.Input(type="hidden", name=name, value=value) for name, value in kept.items() if value]
    box = dcc.Input(type="search", name="find", value=chosen.find or "", maxLength=60, className="text")
    label = html.Label([html.Span(words("pairings_find"), className="label"), box])
    button = html.Button(words("pairings_find_send"), type="submit", className="act")
    return html.Form([*hidden, label, button], action="/pairings#all", method="get", className="search", role="search")


def _row(each: Content, rules: Content, words: Words) -> Sequence[Part]:
    """What was never asked in this programme is not missing from a pair."""
    reported, met, goals = each["met_reported_on"], NONE, NONE
    if rules["days"] is not None:
        met = words("met_reported", day=_day(reported, words)) if reported else words("met_none")
    if rules["week"] is not None:
        goals = words("goals_set", n=each["n_goals"]) if each["n_goals"] else words("goals_none")
    return (each["mentor"], each["mentee"], _day(each["started_on"], words), met, goals, _state(each, words))


def _state(each: Content, words: Words) -> str:
    if not each["support"]:
        return words("state_running")
    return words("state_looked_after" if is_looked_after(each) else "state_support")


def _pages(visit: Visit, page: int, n_pages: int) -> list[Part]:
    """Earlier and later, where there is more than a page."""
    words = visit.words
    if n_pages == 1:
        return []
    links: list[Part] = [html.Span(words("page_of", page=page, pages=n_pages))]
    for key, to in (("page_before", page - 1), ("page_after", page + 1)):
        if 1 <= to <= n_pages:
            links.append(html.A(words(key), href=f"{visit.address.with_(page=str(to))}#all"))
    return [html.Nav(links, className="choice", **{"aria-label": words("pairings_table")})]
