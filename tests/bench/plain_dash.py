"""Draws the overview as one would write it with Dash, pandas and plotly express alone: what ours is measured against.

The same released rows, read once at the start; the same numbers, sentences, charts and tables; a choice of the round.
"""

import gzip
import sys
from functools import partial
from pathlib import Path
from typing import Any

import dash
import pandas as pd
import plotly.express as px
from dash import Input, Output, dcc, html
from flask import Response, request

from data import settings as reading_settings
from pipeline.published import CONSTRUCT, FLOWS, PROGRAMME, catalogue, open_published

PROGRAMME_ID = "mentoring"
SIDES = ("mentor", "mentee")
COLOURS = {"mentor": "#0b5f8a", "mentee": "#b04a0c"}
CARDS = ("trust", "satisfaction", "goal_progress", "participation")
LABELS = {metric.id: metric.label["en"] for metric in catalogue().values()}
PROFILE = [
    metric.id
    for metric in catalogue().values()
    if len(metric.constructs) == 1 and "/" not in metric.constructs[0] and metric.higher_is_better is True
]


def released(home: Path) -> pd.DataFrame:
    """The programme's numbers of the whole, with the round's number, its day and the ends of error bars."""
    store = open_published(reading_settings.load(home))
    rows = store.numbers(PROGRAMME_ID)
    rounds = pd.DataFrame([(each.id, each.number, each.closed_on) for each in store.releases(PROGRAMME_ID)])
    rows = rows[(rows["view"] == PROGRAMME) & rows["shown"]].merge(
        rounds.set_axis(["release", "number", "closed_on"], axis=1), on="release"
    )
    rows = rows[rows["view"] != CONSTRUCT].sort_values("number")
    rows["label"] = rows["metric"].map(LABELS).fillna(rows["metric"])
    rows["up"], rows["down"] = rows["high"] - rows["value"], rows["value"] - rows["low"]
    return rows


def table(rows: pd.DataFrame, columns: dict[str, str]) -> html.Details:
    head = html.Tr([html.Th(name) for name in columns.values()])
    body = [html.Tr([html.Td(cell) for cell in row]) for row in rows[list(columns)].itertuples(index=False)]
    return html.Details([html.Summary("Table"), html.Table([html.Thead(head), html.Tbody(body)])])


def written(rows: pd.DataFrame) -> pd.DataFrame:
    """The numbers as a reader sees them."""
    scale = rows["unit"].map({"share": 100.0}).fillna(1.0)
    sign = rows["unit"].map({"share": "%"}).fillna("")
    texts = {name: (rows[name] * scale).round().astype(int).astype(str) + sign for name in ("value", "low", "high")}
    interval = texts["low"] + " to " + texts["high"]
    return rows.assign(text=texts["value"], interval=interval, round="Round " + rows["number"].astype(str))


def card(rows: pd.DataFrame, metric: str, number: int) -> html.Section:
    lines: list[Any] = []
    for side in SIDES:
        own = rows[(rows["metric"] == metric) & (rows["side"] == side)]
        now, before = own[own["number"] == number], own[own["number"] < number].tail(1)
        if now.empty:
            continue
        this = written(now).iloc[0]
        change = ""
        if not before.empty:
            earlier = before.iloc[0]
            change = "higher" if this["low"] > earlier["high"] else "lower" if this["high"] < earlier["low"] else "same"
        lines.append(html.P([html.Strong(this["text"]), f" {this['interval']}, {this['n']} or more, {change}"]))
    return html.Section([html.H2(LABELS[metric]), *lines], className="card")


def trend(rows: pd.DataFrame, metric: str, number: int) -> html.Figure:
    own = rows[(rows["metric"] == metric) & rows["side"].isin(SIDES) & (rows["number"] <= number)]
    figure = px.line(
        own,
        x="number",
        y="value",
        color="side",
        error_y="up",
        error_y_minus="down",
        markers=True,
        color_discrete_map=COLOURS,
        hover_data=["n", "low", "high"],
        height=300,
    )
    figure.update_layout(showlegend=False, margin={"l": 40, "r": 96, "t": 12, "b": 36})
    numbers = table(written(own), {"round": "Round", "side": "Side", "text": "Value", "interval": "95 %", "n": "n"})
    return html.Figure([html.H3(LABELS[metric]), drawing(figure), numbers])


def profile(rows: pd.DataFrame, number: int) -> html.Figure:
    own = rows[rows["metric"].isin(PROFILE) & rows["side"].isin(SIDES) & (rows["number"] == number)]
    own = own.sort_values("value")
    figure = px.scatter(
        own,
        x="value",
        y="label",
        color="side",
        error_x="up",
        error_x_minus="down",
        color_discrete_map=COLOURS,
        hover_data=["n", "low", "high"],
        height=50 * own["label"].nunique() + 40,
    )
    figure.update_layout(showlegend=False, margin={"l": 8, "r": 16, "t": 28, "b": 8})
    numbers = table(written(own), {"label": "Score", "side": "Side", "text": "Value", "interval": "95 %", "n": "n"})
    return html.Figure([html.H3("Scores"), drawing(figure), numbers])


def drawing(figure: Any) -> html.Div:
    return html.Div(dcc.Graph(figure=figure, config={"displayModeBar": False}), className="drawing")


def overview(rows: pd.DataFrame, number: int) -> list[Any]:
    now = rows[rows["number"] == number]
    ranked = now[now["metric"].isin(PROFILE) & (now["side"] == "both")].sort_values("value", ascending=False)
    counted = rows[rows["metric"].isin(FLOWS) & (rows["number"] <= number)]
    return [
        html.H1(f"Mentoring in round {number}"),
        html.Div([card(rows, metric, number) for metric in CARDS]),
        html.P(f"Strongest: {ranked.iloc[0]['label']}. Weakest: {ranked.iloc[-1]['label']}."),
        profile(rows, number),
        *(trend(rows, metric, number) for metric in CARDS),
        table(written(counted), {"round": "Round", "label": "What", "side": "Side", "text": "n"}),
    ]


def make_app(home: Path) -> dash.Dash:
    rows = released(home)
    numbers = sorted(rows["number"].unique(), reverse=True)
    app = dash.Dash("plain", title="Plain")
    options = [{"label": f"Round {number}", "value": int(number)} for number in numbers]
    choice = dcc.Dropdown(id="round", options=options, value=int(numbers[0]), clearable=False)
    app.layout = html.Div([choice, html.Div(id="page")])
    app.callback(Output("page", "children"), Input("round", "value"))(partial(overview, rows))
    app.server.after_request(partial(compressed, {}))
    return app


def compressed(packed: dict[str, bytes], response: Response) -> Response:
    """Scripts, once each; numbers go uncompressed here as in ours."""
    if request.path.startswith("/_dash-component-suites/") and response.status_code == 200:
        if request.path not in packed:
            packed[request.path] = gzip.compress(response.get_data(), 6)
        response.set_data(packed[request.path])
        response.headers["Content-Encoding"] = "gzip"
    return response


def serving(home: Path) -> Any:
    return make_app(home).server


def main() -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    home, port = Path(sys.argv[1]), int(sys.argv[2])
    server = Granian(
        "plain_dash", port=port, interface=Interfaces.WSGI, blocking_threads=4, log_level=LogLevels.warning
    )
    server.serve(target_loader=partial(serving, home), wrap_loader=False)


if __name__ == "__main__":
    main()
