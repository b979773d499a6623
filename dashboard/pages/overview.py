"""Shows the programme in ten seconds: a verdict, four headline numbers, strong and weak, what to do, how it moved."""

from collections.abc import Sequence

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.actions import how_to_choose, next_actions
from dashboard.findings import HEADLINE, PARTICIPATION, SIDES
from dashboard.flows import pairings_flow, people_flow
from dashboard.panels import bounds_of, constructs, round_name, trend, value_of
from dashboard.parts import Part
from dashboard.states import has_scores, in_a_few_words, is_too_small, later, small
from dashboard.story import change_in_words, strong_and_weak, verdict
from dashboard.tables import metric_name
from dashboard.todo import todo
from dashboard.visit import Visit
from pipeline.published import FLOWS, PROGRAMME, catalogue


def title(visit: Visit) -> str:
    return visit.words("overview")


def shown(visit: Visit) -> pd.DataFrame:
    rows = visit.released.select(view=PROGRAMME)
    of_all_rounds = rows["metric"].isin([*HEADLINE, PARTICIPATION, *FLOWS])
    return rows[of_all_rounds | (rows["release"] == visit.released.latest.id)]


def show(visit: Visit) -> list[Part]:
    words = visit.words
    return [
        html.Div([html.Div(_head(visit)), *_this_week(visit)], className="opening"),
        *(_scores(visit) if has_scores(visit.released) else _few(visit)),
        parts.download(visit.address.to("/overview.csv"), words),
    ]


def _head(visit: Visit) -> list[Part]:
    words, numbers = visit.words, visit.released
    first, *rest = _verdict(visit)
    lead = words(
        "overview_lead",
        programme=numbers.programme.name,
        round=round_name(words, numbers.latest),
        pulse=words(f"pulse_{numbers.latest.pulse}"),
        day=words.day(numbers.latest.closed_on),
    )
    said: list[Part] = [html.P(lead, className="lead"), html.H1(first), html.P(" ".join(rest), className="verdict")]
    if visit.address.round is not None:
        link = html.A(words("overview_latest"), href=visit.address.with_(round=None))
        said.append(html.P([words("overview_older"), " ", link]))
    return said


def _this_week(visit: Visit) -> list[Part]:
    """What needs HR, beside the verdict; leaders have no such list."""
    words, found = visit.words, todo(visit)
    if not visit.is_hr or visit.address.round is not None or visit.today is None:
        return []
    key = "week_nothing" if not found else "week_title_one" if len(found) == 1 else "week_title"
    heading = html.A(words(key, n=len(found)), href=visit.address.to("/week"))
    return [html.Section([html.H2(heading), html.Ol(found, className="todo small")], className="aside")]


def _verdict(visit: Visit) -> list[str]:
    words, numbers = visit.words, visit.released
    if has_scores(numbers):
        return verdict(numbers, words)
    return [words("few_never" if is_too_small(numbers) else "few_not_yet"), *in_a_few_words(numbers, words)]


# --- a programme with scores -----------------------------------------------------------------------


def _scores(visit: Visit) -> list[Part]:
    words, numbers = visit.words, visit.released
    return [
        html.Div([_card(visit, metric) for metric in (*HEADLINE, PARTICIPATION)], className="cards"),
        html.P(
            [words("cards_note"), " ", html.A(words("cards_help"), href=visit.address.to("/help"))], className="note"
        ),
        html.H2(words("strong_weak")),
        *_strong_and_weak(visit),
        *_next(visit),
        parts.figure(constructs(numbers, words), words),
        *_over_rounds(visit),
        *_later(visit),
        html.H2(words("people_flow")),
        *(html.P(line) for line in in_a_few_words(numbers, words)[:1]),
        html.P(html.A(words("overview_people"), href=visit.address.to("/participation"))),
    ]


def _card(visit: Visit, metric: str) -> Part:
    """One headline number: both sides with interval and n, and how it moved."""
    words, numbers = visit.words, visit.released
    link = html.A(metric_name(words, metric), href=_page_of(visit, metric))
    lines = [line for side in SIDES for line in _side(visit, metric, side)]
    now = numbers.now(metric, "both")
    is_silent = len(numbers.releases) == 1 or (now is not None and not now.shown)
    change = [] if is_silent else [html.P(change_in_words(numbers, metric, words), className="change")]
    return html.Section([html.H2(link), *lines, *change], className="card")


def _page_of(visit: Visit, metric: str) -> str:
    return visit.address.to("/participation" if metric == PARTICIPATION else f"/metric/{metric}")


def _side(visit: Visit, metric: str, side: str) -> Sequence[Part]:
    words, reading = visit.words, visit.released.now(metric, side)
    label = html.Span(words(f"side_{side}"), className=f"who ink-{side}")
    if reading is None:
        return []
    if not reading.shown:
        instead = f"{_page_of(visit, metric)}#not-shown"
        return [html.P([label, " ", parts.not_shown(words("withheld"), words, instead)])]
    number = html.Strong(value_of(words, reading), className="big")
    bounds = html.Span(bounds_of(words, reading), className="bounds")
    people = html.Span(words("card_n", n=words.at_least(reading.n or 0)), className="people")
    return [
        html.P([label, " ", number, " ", bounds, " ", people], className="side"),
        parts.strip(reading, catalogue()[metric].scale),
    ]


def _strong_and_weak(visit: Visit) -> list[Part]:
    said = strong_and_weak(visit.released, visit.words)
    return [html.P(" ".join(said)), html.P(visit.words("strong_weak_note"), className="note")] if said else []


def _next(visit: Visit) -> list[Part]:
    """What the programme team could do next, and whether the order of the two is certain."""
    words, found = visit.words, next_actions(visit.released, visit.words)
    if not found:
        return []
    items = [
        html.Li([html.Strong(html.A(metric_name(words, each.metric), href=_page_of(visit, each.metric))), ": ", text])
        for each, text in found
    ]
    return [
        html.H3(words("actions"), className="spaced"),
        html.Ol(items, className="steps"),
        html.P(how_to_choose(visit.released, words), className="note"),
    ]


def _over_rounds(visit: Visit) -> list[Part]:
    """A single round makes no trend: then only the lines on what comes later stand on the page."""
    words, numbers, metrics = visit.words, visit.released, catalogue()
    if len(numbers.releases) == 1:
        return []
    trends = [
        parts.figure(trend(numbers, metrics[name], words), words, instead=f"{_page_of(visit, name)}#not-shown")
        for name in (*HEADLINE, PARTICIPATION)
    ]
    return [html.H2(words("over_rounds")), html.Div(trends, className="multiples")]


def _later(visit: Visit) -> list[Part]:
    lines = later(visit.released, visit.words)
    if not lines or len(visit.released.releases) > 2:
        return []
    return [html.H2(visit.words("later")), html.Ul([html.Li(line) for line in lines])]


# --- a programme without scores --------------------------------------------------------------------


def _few(visit: Visit) -> list[Part]:
    """Too few people for scores: what can be told, what cannot, and what to do instead."""
    words, numbers = visit.words, visit.released
    never, instead = small(numbers, words)
    flow = [parts.figure(panel(numbers, words), words) for panel in (people_flow, pairings_flow)]
    return [
        html.H2(words("few_instead")),
        html.Ol([html.Li(parts.sentence_with_code(line)) for line in instead], className="steps"),
        html.H2(words("participation_flow")),
        html.Div(flow, className="multiples"),
        html.P(html.A(words("overview_people"), href=visit.address.to("/participation"))),
        html.H2(words("metric_not_shown")),
        html.Ul([html.Li(line) for line in never]),
        html.P([words("few_sentence"), " ", parts.not_shown(words("withheld"), words)]),
    ]
