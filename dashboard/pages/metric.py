"""Shows one metric: over the rounds, by one reporting attribute at a time, and what it means."""

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.evidence import evidence
from dashboard.findings import SIDES, is_of_one_construct
from dashboard.panels import by_group, trend
from dashboard.parts import Part
from dashboard.story import change_in_words
from dashboard.visit import NotAvailableError, Visit
from dashboard.words import Words
from pipeline.published import PROGRAMME, Metric, catalogue

SHORT = 8  # a longer example is folded


def title(visit: Visit) -> str:
    return visit.words.pick(_metric(visit).label)


def shown(visit: Visit) -> pd.DataFrame:
    rows = visit.released.select(metric=_metric(visit).id)
    of_groups = (rows["view"] == _attribute(visit)) & (rows["release"] == visit.released.latest.id)
    return rows[(rows["view"] == PROGRAMME) | of_groups]


def show(visit: Visit) -> list[Part]:
    words, metric = visit.words, _metric(visit)
    return [
        html.H1(words.pick(metric.label)),
        html.P(words.pick(metric.definition), className="verdict"),
        html.P(change_in_words(visit.released, metric.id, words), className="change"),
        parts.figure(trend(visit.released, metric, words), words, level=2),
        *_by_group(visit, metric),
        *_of_a_person(visit, metric),
        *_not_shown(visit, metric),
        html.H2(words("metric_formula")),
        html.P(html.Code(metric.formula), className="formula"),
        html.H2(words("metric_example")),
        *_example(metric, words),
        parts.download(_download(visit), words),
    ]


def _metric(visit: Visit) -> Metric:
    """The metric that the address names; one that the catalogue does not hold is not available."""
    found = catalogue().get(visit.item)
    if found is None:
        raise NotAvailableError
    return found


def _attribute(visit: Visit) -> str | None:
    """The attribute chosen, the first one without a choice; one that no control offers is not available."""
    offered = visit.released.attributes(_metric(visit).id)
    chosen = visit.address.by
    if chosen is not None and chosen not in offered:
        raise NotAvailableError
    return chosen or (offered[0] if offered else None)


def _by_group(visit: Visit, metric: Metric) -> list[Part]:
    words, offered, chosen = visit.words, visit.released.attributes(metric.id), _attribute(visit)
    heading = html.H2(words("metric_by"), id="groups")
    if chosen is None:
        return [heading, html.P(words("programme_only" if metric.is_programme_only else "no_attributes"))]
    links = [
        html.A(
            words(f"view_{name}"),
            href=f"{visit.address.with_(by=name)}#groups",
            **({"aria-current": "true"} if name == chosen else {}),
        )
        for name in offered
    ]
    choice = html.Nav(links, className="choice", **{"aria-label": words("metric_by_navigation")})
    return [heading, choice, parts.figure(by_group(visit.released, metric, chosen, words), words)]


def _of_a_person(visit: Visit, metric: Metric) -> list[Part]:
    """How far one person's score could be told from noise, by side; only where the score measures a construct."""
    if not is_of_one_construct(metric):
        return []
    words, found = visit.words, evidence(visit.released)
    said = [
        html.Li(f"{words(f'side_{side}')}: {words(found.told_of_a_person(metric.constructs[0], side))}")
        for side in SIDES
        if side in metric.sides
    ]
    link = html.A(words("metric_quality"), href=visit.address.to("/quality"))
    return [html.H2(words("metric_person")), html.Ul(said), html.P(link)]


def _not_shown(visit: Visit, metric: Metric) -> list[Part]:
    words, n = visit.words, int((~shown(visit)["shown"]).sum())
    said: list[Part] = [html.H2(words("metric_not_shown"))]
    if n == 0:
        said.append(html.P(words("metric_all_shown")))
    else:
        said.append(html.P(words("metric_withheld_one" if n == 1 else "metric_withheld", n=n)))
        said.append(html.Blockquote(words("withheld")))
        said.append(html.P(html.A(words("metric_instead"), href=visit.address.to("/"))))
    said.append(html.P(words("metric_least", n=_least(visit, metric)), className="note"))
    return said


def _least(visit: Visit, metric: Metric) -> int:
    """What the release says of itself decides; the catalogue's own minimum where it is higher."""
    name = "staying_n" if metric.is_programme_only else "score_n"
    decided = visit.released.latest.thresholds.get(name)
    return max(metric.minimum_n, decided if isinstance(decided, int) else 0)


def _example(metric: Metric, words: Words) -> list[Part]:
    header, *lines = [line.split() for line in metric.example.given.strip().splitlines()]
    results = [
        (words(f"side_{side}"), words.number(value, metric.unit, places=0 if metric.unit == "share" else 1))
        for side, value in metric.example.expected.items()
    ]
    given, result = words("metric_example_given"), words("metric_example_result")
    return [
        html.Details([html.Summary(given), parts.plain_table(given, header, lines, words)], open=len(lines) <= SHORT),
        html.P(result),
        parts.plain_table(result, (words("th_side"), words("th_value")), results, words),
    ]


def _download(visit: Visit) -> str:
    return visit.address.to(f"/metric/{visit.item}.csv", by=visit.address.by)
