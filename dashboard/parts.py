"""Builds the pieces that pages are made of: figures with their tables, sentences, strips, tables."""

from collections.abc import Iterable, Sequence
from typing import Any

from dash import dcc, html

from dashboard.chart import Chart, Mark, Panel, Row, Series, Table
from dashboard.charts import screen
from dashboard.findings import Reading
from dashboard.words import Words

Part = Any  # a Dash component, or text
NONE = "–"  # a cell without a number


def figure(panel: Panel, words: Words, *, level: int = 3, is_open: bool = False, instead: str = "") -> Part:
    """A chart under its finding, with its table; only the sentence and the table where nothing may be drawn.

    `instead` is where to look in place of what its table withholds.
    """
    heading = getattr(html, f"H{level}")
    numbers = table(panel.table, words, is_open=is_open or panel.chart is None, instead=instead)
    if panel.chart is None:
        rest = [numbers] if panel.table.rows else []
        return html.Section([heading(panel.table.caption), *rest], className="figure")
    chart = panel.chart
    said = [heading(chart.title), html.P(chart.subtitle, className="subtitle")]
    if chart.form == "ranges" and len(chart.series) > 1:
        said.append(html.P([_key(each.side, each.label) for each in chart.series], className="key"))
    return html.Figure(
        [
            html.Div(said, className="said"),
            _bars(chart) if chart.form == "flow" else _drawing(chart),
            html.Figcaption(chart.foot),
            numbers,
        ],
        className="figure",
        **{"aria-label": chart.title},
    )


def _drawing(chart: Chart) -> Part:
    height = f"{screen.height(chart)}px"
    graph = dcc.Graph(
        id=chart.id,
        figure=screen.figure(chart),
        config={"displayModeBar": False, "responsive": True, "showTips": False},
        style={"height": height},
        responsive=True,
    )
    return html.Div(graph, role="img", className="drawing", style={"minHeight": height}, **{"aria-label": chart.alt})


def _bars(chart: Chart) -> Part:
    """Steps from the top down, each with a bar a side and its number in words; needs no script."""
    items = []
    for at, name in enumerate(chart.ticks):
        bars = [_bar(chart, each, mark) for each in chart.series for mark in each.marks if mark.at == at]
        items.append(html.Li([html.Span(name, className="step"), *bars]))
    return html.Ol(items, className="flow", **{"aria-label": chart.alt})


def _bar(chart: Chart, series: Series, mark: Mark) -> Part:
    """One count from nought; one that is past the axis runs out of it."""
    most = chart.span[1]
    width = f"{min(mark.value / most, 1) * 100:.1f}%"
    look = f"bar {series.side}{' beyond' if mark.value > most else ''}"
    drawn = html.Span(html.Span(className=look, style={"width": width}), className="track", **{"aria-hidden": "true"})
    who = [html.Span(series.label, className=f"who ink-{series.side}")] if len(chart.series) > 1 else []
    return html.Span([*who, drawn, mark.told], className="count")


def _key(side: str, label: str) -> Part:
    return html.Span([html.Span(className=f"mark {side}", **{"aria-hidden": "true"}), label], className=f"ink-{side}")


def table(content: Table, words: Words, *, is_open: bool = False, instead: str = "") -> Part:
    """A table behind a summary, so that the page stays quiet; open where it stands alone and has a number."""
    n_shown = sum(not row.sentence for row in content.rows)
    is_empty = bool(content.rows) and n_shown == 0
    said = words("table_none_shown", n=len(content.rows)) if is_empty else words("table_summary")
    numbers = bare_table(content, words, instead=instead)
    return html.Details([html.Summary(said), numbers], open=is_open and not is_empty, className="numbers")


def bare_table(content: Table, words: Words, *, instead: str = "") -> Part:
    """A table that stands for itself."""
    head = html.Tr([html.Th(name, scope="col") for name in content.columns])
    body = [_row(each, len(content.columns), instead, words) for each in content.rows]
    return _scrolling(content.caption, head, body, words)


def _row(row: Row, n_columns: int, instead: str, words: Words) -> Part:
    heading = [html.Th(cell, scope="row") for cell in row.heading]
    if row.sentence:
        sentence = not_shown(row.sentence, words, instead)
        return html.Tr([*heading, html.Td(sentence, colSpan=n_columns - len(row.heading))])
    return html.Tr([*heading, *(html.Td(cell) for cell in row.cells)])


def plain_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Part]], words: Words) -> Part:
    """A table that is the content itself; the first column heads its row."""
    head = html.Tr([html.Th(name, scope="col") for name in columns])
    body = [html.Tr([html.Th(first, scope="row"), *(html.Td(cell) for cell in rest)]) for first, *rest in rows]
    return _scrolling(caption, head, body, words)


def _scrolling(caption: str, head: Part, body: Sequence[Part], words: Words) -> Part:
    """Wide tables scroll in themselves, by keyboard too; the page never does."""
    content = html.Table([html.Caption(caption, className="hidden"), html.Thead(head), html.Tbody(body)])
    label = {"aria-label": words("table_scroll", caption=caption)}
    return html.Div(content, className="scroll", role="region", tabIndex=0, **label)


def strip(reading: Reading, span: tuple[float, float]) -> Part:
    """An interval and its value as a thin bar on the scale; the same numbers stand beside it as text."""
    value, low, high = ((each - span[0]) / (span[1] - span[0]) * 100 for each in reading.numbers)
    bar = html.Span(className=f"bar {reading.side}", style={"left": f"{low:.1f}%", "width": f"{high - low:.1f}%"})
    dot = html.Span(className=f"dot {reading.side}", style={"left": f"{value:.1f}%"})
    return html.Span([bar, dot], className="strip", **{"aria-hidden": "true"})


def not_shown(sentence: str, words: Words, instead: str = "") -> Part:
    """What stands in place of a number, everywhere alike: its one sentence, and the way to what can be looked at."""
    said = html.Span(sentence, className="withheld")
    return (
        html.Span([said, " ", html.A(words("not_shown_instead"), href=instead)], className="gone") if instead else said
    )


def dashes(rows: Iterable[Sequence[Part]], words: Words, instead: str) -> list[Part]:
    """What a dash in these rows stands for; nothing where there is none."""
    has_dash = any(NONE in row for row in rows)
    way = html.A(words("not_shown_instead"), href=instead)
    return [html.P([words("dash_means"), " ", way], className="note")] if has_dash else []


def notice(title: str, *sentences: Part, level: int = 1) -> Part:
    """A state that is not a page of numbers: nothing yet, not available, trouble."""
    heading = getattr(html, f"H{level}")
    return html.Div([heading(title), *(html.P(each) for each in sentences)], className="notice")


def sentence_with_code(text: str) -> list[Part]:
    """A sentence whose `commands` are set as code."""
    return [html.Code(piece) if at % 2 else piece for at, piece in enumerate(text.split("`"))]


def download(href: str, words: Words) -> Part:
    return html.P(html.A(words("download"), href=href, className="download"))
