"""Shows the programme in ten seconds: a verdict, four headline numbers, how they moved, strong and weak."""

from collections.abc import Sequence

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.findings import HEADLINE, PARTICIPATION, SIDES, flows
from dashboard.panels import bounds_of, constructs, round_name, trend, value_of
from dashboard.parts import Part
from dashboard.story import change_in_words, strong_and_weak, verdict
from dashboard.tables import flow_table, metric_name
from dashboard.visit import Visit
from pipeline.published import FLOWS, PROGRAMME, catalogue


def title(visit: Visit) -> str:
    return visit.words("overview")


def shown(visit: Visit) -> pd.DataFrame:
    rows = visit.released.select(view=PROGRAMME)
    of_all_rounds = rows["metric"].isin([*HEADLINE, PARTICIPATION, *FLOWS])
    return rows[of_all_rounds | (rows["release"] == visit.released.latest.id)]


def show(visit: Visit) -> list[Part]:
    words, numbers = visit.words, visit.released
    metrics = catalogue()
    trends = [parts.figure(trend(numbers, metrics[name], words), words) for name in (*HEADLINE, PARTICIPATION)]
    return [
        *_head(visit),
        html.Div([_card(visit, metric) for metric in (*HEADLINE, PARTICIPATION)], className="cards"),
        html.H2(words("strong_weak")),
        *_strong_and_weak(visit),
        parts.figure(constructs(numbers, words), words),
        html.H2(words("over_rounds")),
        html.Div(trends, className="multiples"),
        html.H2(words("people_flow")),
        html.P(words("flow_note")),
        parts.bare_table(flow_table(flows(numbers), words("people_flow"), words, numbers), words),
        parts.download(visit.address.to("/overview.csv"), words),
    ]


def _head(visit: Visit) -> list[Part]:
    words, numbers = visit.words, visit.released
    first, *rest = verdict(numbers, words)
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


def _card(visit: Visit, metric: str) -> Part:
    """One headline number: both sides with interval and n, and how it moved."""
    words, numbers = visit.words, visit.released
    link = html.A(metric_name(words, metric), href=visit.address.to(f"/metric/{metric}"))
    lines = [line for side in SIDES for line in _side(visit, metric, side)]
    change = html.P(change_in_words(numbers, metric, words), className="change")
    return html.Section([html.H2(link), *lines, change], className="card")


def _side(visit: Visit, metric: str, side: str) -> Sequence[Part]:
    words, reading = visit.words, visit.released.now(metric, side)
    label = html.Span(words(f"side_{side}"), className=f"who ink-{side}")
    if reading is None:
        return []
    if not reading.shown:
        return [html.P([label, html.Span(words("withheld"), className="withheld")])]
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
