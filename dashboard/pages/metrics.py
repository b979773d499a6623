"""Lists every metric with its newest result and the way to its page."""

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.panels import bounds_of, value_of
from dashboard.parts import Part
from dashboard.story import change_in_words
from dashboard.visit import Visit
from pipeline.published import FLOWS, PROGRAMME, Metric, catalogue


def title(visit: Visit) -> str:
    return visit.words("metrics")


def shown(visit: Visit) -> pd.DataFrame:
    rows = visit.released.select(side="both", view=PROGRAMME)
    return rows[~rows["metric"].isin(FLOWS)]


def show(visit: Visit) -> list[Part]:
    words = visit.words
    columns = (words("th_metric"), words("th_value"), words("th_round"), words("metric_definition"))
    rows = [_row(visit, metric) for metric in catalogue().values()]
    return [
        html.H1(words("metrics")),
        html.P(words("metrics_lead"), className="verdict"),
        parts.plain_table(words("metrics"), columns, rows, words),
        parts.download(visit.address.to("/metric.csv"), words),
    ]


def _row(visit: Visit, metric: Metric) -> list[Part]:
    words = visit.words
    link = html.A(words.pick(metric.label), href=visit.address.to(f"/metric/{metric.id}"))
    return [link, *_newest(visit, metric), words.pick(metric.definition)]


def _newest(visit: Visit, metric: Metric) -> tuple[Part, str]:
    """The newest result of both sides and its round."""
    words, found = visit.words, visit.released.over_rounds(metric.id, "both")
    if not found:
        return change_in_words(visit.released, metric.id, words), "–"
    newest = found[-1]
    number = str(visit.released.number_of(newest.release))
    if not newest.shown:
        return words("withheld"), number
    n = words("card_n", n=words.at_least(newest.n or 0))
    said = [html.Strong(value_of(words, newest)), f" ({bounds_of(words, newest)}) ", html.Small(n)]
    return html.Span(said, className="cell"), number
