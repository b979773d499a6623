"""Lists every metric with its newest result and the way to its page."""

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.findings import whole_side
from dashboard.panels import bounds_of, value_of
from dashboard.parts import Part
from dashboard.visit import Visit
from pipeline.published import FLOWS, PROGRAMME, Metric, catalogue


def title(visit: Visit) -> str:
    return visit.words("metrics")


def shown(visit: Visit) -> pd.DataFrame:
    rows = visit.released.select(view=PROGRAMME)
    return rows[~rows["metric"].isin(FLOWS)]


def show(visit: Visit) -> list[Part]:
    words = visit.words
    return [
        html.H1(words("metrics")),
        html.P(words("metrics_lead"), className="verdict"),
        html.Ul([_entry(visit, metric) for metric in catalogue().values()], className="index"),
        parts.download(visit.address.to("/metric.csv"), words),
    ]


def _entry(visit: Visit, metric: Metric) -> Part:
    words = visit.words
    link = html.A(words.pick(metric.label), href=visit.address.to(f"/metric/{metric.id}"))
    definition = html.P(words.pick(metric.definition))
    return html.Li([html.H2(link), definition, html.P(_newest(visit, metric), className="result")])


def _newest(visit: Visit, metric: Metric) -> Part:
    """The newest result that is shown, and its round."""
    words, found = visit.words, visit.released.over_rounds(metric.id, whole_side(metric))
    if not found:
        return words("never_asked")
    shown = [each for each in found if each.shown]
    if not shown:
        return parts.not_shown(words("withheld"), words, f"{visit.address.to(f'/metric/{metric.id}')}#not-shown")
    newest = shown[-1]
    name = words("round", number=visit.released.number_of(newest.release))
    told = f"{bounds_of(words, newest)}, {words('card_n', n=words.at_least(newest.n or 0))}. {name}"
    return [html.Strong(value_of(words, newest)), html.Br(), html.Small(told, className="bounds")]
