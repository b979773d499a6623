"""Shows how far the programme reaches: people and pairings step by step, and who of those asked answers."""

import pandas as pd
from dash import html

from dashboard import grouped, parts
from dashboard.findings import PARTICIPATION
from dashboard.flows import pairings_flow, people_flow
from dashboard.panels import bounds_of, round_name, trend, value_of
from dashboard.parts import Part
from dashboard.story import change_in_words
from dashboard.visit import Visit
from pipeline.published import FLOWS, Metric, catalogue


def title(visit: Visit) -> str:
    return visit.words("participation_page")


def shown(visit: Visit) -> pd.DataFrame:
    rows = visit.released.select()
    return pd.concat([rows[rows["metric"].isin(FLOWS)], grouped.rows_of(visit, _metric())])


def show(visit: Visit) -> list[Part]:
    words, numbers, metric = visit.words, visit.released, _metric()
    flow = [parts.figure(panel(numbers, words), words) for panel in (people_flow, pairings_flow)]
    return [
        *_head(visit),
        html.H2(words("participation_flow")),
        html.P(words("participation_steps")),
        html.Div(flow, className="multiples"),
        *_unreached(visit),
        html.H2(words("participation_rounds"), id="programme"),
        html.P(words("report_silent")),
        parts.figure(trend(numbers, metric, words), words, instead=grouped.REASONS),
        html.H2(words("metric_by"), id="groups"),
        html.P(words("participation_groups")),
        *grouped.by_attribute(visit, metric),
        html.H2(words("metric_not_shown"), id="not-shown"),
        *grouped.not_shown(visit, metric),
        parts.download(visit.address.to("/participation.csv", by=visit.address.by), words),
    ]


def _unreached(visit: Visit) -> list[Part]:
    """How many could not be asked, and where HR mends that; nobody else is told whom it concerns."""
    words, n = visit.words, len(visit.board("calendar").get("bounces", ()))
    if "calendar" not in visit.boards:  # only HR has operational views
        return []
    if not n:
        return [html.P(words("unreached_none"))]
    link = html.A(words("unreached_where"), href=f"{visit.address.to('/week')}#addresses")
    return [html.P([words("unreached_one" if n == 1 else "unreached", n=n), " ", link])]


def _metric() -> Metric:
    return catalogue()[PARTICIPATION]


def _head(visit: Visit) -> list[Part]:
    words, numbers = visit.words, visit.released
    named = {"programme": numbers.programme.name, "round": round_name(words, numbers.latest)}
    lead = html.P(words("participation_lead", **named, day=words.day(numbers.latest.closed_on)), className="lead")
    now = numbers.now(PARTICIPATION, "both")
    if now is None or not now.shown:
        return [lead, html.H1(words("participation_none")), html.P(words("participation_none_text"))]
    finding = words("participation_title", share=value_of(words, now), bounds=bounds_of(words, now))
    is_first = numbers.before(now) is None
    moved = words("verdict_first") if is_first else change_in_words(numbers, PARTICIPATION, words)
    return [lead, html.H1(finding), html.P(moved, className="verdict")]
