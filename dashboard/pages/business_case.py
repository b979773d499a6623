"""Shows whether the programme keeps people and is worth its cost, or what it would take to tell."""

from collections.abc import Iterable

import pandas as pd
from dash import html

from dashboard import case as told_case
from dashboard import parts
from dashboard.case import Said, Told, case_told
from dashboard.case_figures import (
    cost_table,
    effects_chart,
    inputs_table,
    source_table,
    tornado_chart,
    waves_chart,
)
from dashboard.chart import Chart, Panel, Table
from dashboard.order_parts import ask_for_report
from dashboard.parts import Part
from dashboard.reports.write import FORMATS
from dashboard.tables import table_of
from dashboard.visit import REPORT, Visit
from dashboard.words import Words


def title(visit: Visit) -> str:
    return visit.words("business_case")


def shown(visit: Visit) -> pd.DataFrame:
    rows = visit.released.select(release=visit.released.latest.id)
    return rows[rows["metric"].str.startswith("case_")]


def show(visit: Visit) -> list[Part]:
    words = visit.words
    case = case_told(visit.released, words)
    if case is None:
        return [
            html.H1(words("business_case_none")),
            html.P(parts.sentence_with_code(words("business_case_none_text"))),
            *_reports(visit),
        ]
    first, *rest = told_case.verdict(case)
    named = {"programme": visit.released.programme.name, "release": visit.released.latest.id}
    return [
        html.P(words("case_lead", **named), className="lead"),
        html.H1(first.text),
        *([html.P(_claim(first, words))] if first.claim else []),
        *_said(rest, words),
        html.H2(words("case_h_decide")),
        html.P(told_case.decision(case), className="verdict"),
        *_retention(case),
        *_engagement(case),
        *_money(case),
        html.H2(words("case_h_take")),
        *_said(told_case.would_take(case), words),
        *_how_sure(case),
        *_reports(visit),
        parts.download(visit.address.to("/business-case.csv"), words),
    ]


def _retention(case: Told) -> list[Part]:
    words, chart = case.words, effects_chart(case)
    said = [] if chart is not None else _said(told_case.keeps(case), words)
    return [html.H2(words("case_h_retention")), *said, *_drawn(case, chart, "case_retention", "case_other_exits")]


def _engagement(case: Told) -> list[Part]:
    words, chart = case.words, waves_chart(case)
    said = _said(told_case.engagement(case), words)
    return [html.H2(words("case_h_engagement")), *said, *_drawn(case, chart, "case_engagement", "case_engagement_wave")]


def _money(case: Told) -> list[Part]:
    words = case.words
    tables = [each for each in (cost_table(case), source_table(case)) if each is not None]
    return [
        html.H2(words("case_h_money")),
        *(piece for each in tables for piece in _table(each, words)),
        *_drawn(case, tornado_chart(case), "case_net", "case_tornado"),
        html.H2(words("case_h_inputs")),
        parts.bare_table(inputs_table(case), words),
    ]


def _how_sure(case: Told) -> list[Part]:
    words = case.words
    assumed = told_case.assumed(case)
    steps = [piece for name, text in told_case.protocol(case) for piece in (html.Dt(name), html.Dd(text))]
    return [
        html.H2(words("case_h_sure")),
        html.Ul([html.Li(_told(each, words)) for each in told_case.checks(case)]),
        *([html.H3(words("case_h_assumes")), html.Ul([html.Li(each) for each in assumed])] if assumed else []),
        html.H3(words("case_h_protocol")),
        html.Dl(steps),
        html.H3(words("case_h_plan")),
        html.Ul([html.Li(each) for each in told_case.registered(case)]),
    ]


def _table(table: Table, words: Words) -> list[Part]:
    return [html.H3(table.caption), parts.bare_table(table, words)]


def _drawn(case: Told, chart: Chart | None, *metrics: str) -> list[Part]:
    """A chart with its numbers beside it; nothing where there is nothing to draw."""
    if chart is None:
        return []
    rows = [each for each in case.rows if each.metric in metrics]
    table = table_of(rows, chart.title, case.words, case.numbers, by="group" if len(metrics) == 1 else "metric")
    return [parts.figure(Panel(chart=chart, table=table), case.words)]


def _said(found: Iterable[Said], words: Words) -> list[Part]:
    return [html.P(_told(each, words)) for each in found]


def _told(said: Said, words: Words) -> list[Part]:
    """A sentence, and in small what kind of claim it makes."""
    text = parts.sentence_with_code(said.text)
    if not said.claim:
        return text
    return [*text, " ", _claim(said, words)]


def _claim(said: Said, words: Words) -> Part:
    return html.Span(words(f"claim_{said.claim}"), className="claim")


def _reports(visit: Visit) -> list[Part]:
    """The report that leaders read, made when it is asked for."""
    words, asked = visit.words, [each for each in visit.orders if each.kind == REPORT]
    return [
        html.H2(words("reports"), id="report"),
        html.P(words("reports_what")),
        *ask_for_report(list(FORMATS), asked, words),
    ]
