"""Shows a metric by one reporting attribute at a time, and what to look at where a group is not shown."""

from collections.abc import Iterable

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.findings import Reading, readings
from dashboard.panels import by_group
from dashboard.parts import Part
from dashboard.tables import MERGED, THREE_ROUNDS, TWO_WAY, group_name, view_name
from dashboard.visit import NotAvailableError, Visit
from dashboard.words import Words
from pipeline.published import PROGRAMME, Metric

MOST = 6  # groups that a line names
WHOLE, REASONS = "#programme", "#not-shown"  # where the programme's own result stands, and what is not shown
Way = tuple[str, str]  # what to look at, and in which view or group


def attribute(visit: Visit, metric: Metric) -> str | None:
    """The attribute chosen, the first one without a choice; one that no control offers is not available."""
    offered = visit.released.attributes(metric.id)
    chosen = visit.address.by
    if chosen is not None and chosen not in offered:
        raise NotAvailableError
    return chosen or (offered[0] if offered else None)


def rows_of(visit: Visit, metric: Metric) -> pd.DataFrame:
    """What a page draws of a metric: the programme in every round, and the chosen attribute's groups in the newest."""
    rows = visit.released.select(metric=metric.id)
    of_groups = (rows["view"] == attribute(visit, metric)) & (rows["release"] == visit.released.latest.id)
    return rows[(rows["view"] == PROGRAMME) | of_groups]


def by_attribute(visit: Visit, metric: Metric) -> list[Part]:
    """The choice of attributes, and the metric by the groups of the chosen one."""
    words, chosen = visit.words, attribute(visit, metric)
    if chosen is None:
        return [html.P(words("programme_only" if metric.is_programme_only else "no_attributes"))]
    links = [
        html.A(
            view_name(words, name),
            href=f"{visit.address.with_(by=name)}#groups",
            **({"aria-current": "true"} if name == chosen else {}),
        )
        for name in visit.released.attributes(metric.id)
    ]
    choice = html.Nav(links, className="choice", **{"aria-label": words("metric_by_navigation")})
    instead = WHOLE if _is_whole_shown(visit, metric) else REASONS
    return [choice, parts.figure(by_group(visit.released, metric, chosen, words), words, instead=instead)]


def _is_whole_shown(visit: Visit, metric: Metric) -> bool:
    """Whether any round shows this of the whole programme."""
    return any(each.shown for side in metric.sides for each in visit.released.over_rounds(metric.id, side))


def not_shown(visit: Visit, metric: Metric) -> list[Part]:
    """How many results of the page are withheld, and for each group what can be looked at instead."""
    words, n = visit.words, int((~rows_of(visit, metric)["shown"]).sum())
    if n == 0:
        return [html.P(words("metric_all_shown"))]
    return [
        html.P(words("metric_withheld_one" if n == 1 else "metric_withheld", n=n)),
        html.Blockquote(words("withheld")),
        html.Ul([html.Li(line) for line in _lines(visit, metric)]),
    ]


def _lines(visit: Visit, metric: Metric) -> list[Part]:
    words, numbers = visit.words, visit.released
    lines: list[Part] = []
    if not _is_whole_shown(visit, metric):
        return [[words("instead_nothing"), " ", html.A(words("overview"), href=visit.address.to("/"))]]
    if any(not each.shown for side in metric.sides for each in numbers.over_rounds(metric.id, side)):
        lines.append(words("instead_rounds"))
    view = attribute(visit, metric)
    if view is None:
        return lines
    ways: dict[Way, list[Reading]] = {}
    found = readings(numbers.select(metric=metric.id, release=numbers.latest.id))
    shown = {(each.view, each.group, each.side) for each in found if each.shown}
    for each in found:
        if each.view == view and not each.shown:
            ways.setdefault(_way(each, shown), []).append(each)
    return [*lines, *(_line(visit, way, hidden, metric) for way, hidden in ways.items())]


def _way(hidden: Reading, shown: Iterable[tuple[str, str, str]]) -> Way:
    """What tells most about a withheld group: told with others, over three rounds, by one of two attributes."""
    there = [(view, group) for view, group, side in shown if side == hidden.side]
    for view, group in sorted(there):
        if view == hidden.view and MERGED in group and hidden.group in group.split(MERGED):
            return "merged", group
    if (f"{hidden.view}{THREE_ROUNDS}", hidden.group) in there:
        return "pooled", f"{hidden.view}{THREE_ROUNDS}"
    for view, group in zip(hidden.view.split(TWO_WAY), hidden.group.split(TWO_WAY), strict=False):
        if view != hidden.view and (view, group) in there:
            return "wider", view
    return "programme", ""


def _line(visit: Visit, way: Way, hidden: Iterable[Reading], metric: Metric) -> Part:
    words, (kind, where) = visit.words, way
    names = _names(hidden, metric, words)
    if kind == "merged":
        return words("instead_merged", names=names, merged=group_name(words, where))
    if kind == "programme":
        return [words("instead_programme", names=names), " ", html.A(words("view_all"), href=WHOLE)]
    link = html.A(view_name(words, where), href=f"{visit.address.with_(by=where)}#groups")
    return [words(f"instead_{kind}", names=names), " ", link]


def _names(hidden: Iterable[Reading], metric: Metric, words: Words) -> str:
    """The groups, each with its sides where not all of them are meant; only their number where there are many."""
    sides: dict[str, list[str]] = {}
    for each in hidden:
        sides.setdefault(each.group, []).append(words(f"side_{each.side}"))
    if len(sides) > MOST:
        return words("instead_many", n=len(sides))
    return words.listed(
        group_name(words, group) + ("" if len(told) == len(metric.sides) else f" ({', '.join(told)})")
        for group, told in sides.items()
    )
