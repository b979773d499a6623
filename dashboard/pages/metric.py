"""Shows one metric: over the rounds, by one reporting attribute at a time, and what it means."""

import pandas as pd
from dash import html

from dashboard import grouped, parts
from dashboard.evidence import Evidence, evidence
from dashboard.findings import CONSTRUCT, SIDES, Reading, is_of_one_construct, whole_side
from dashboard.panels import bounds_of, trend, value_of
from dashboard.parts import NONE, Part
from dashboard.story import change_in_words
from dashboard.visit import NotAvailableError, Visit
from dashboard.words import Words
from pipeline.published import Metric, catalogue

SHORT = 8  # a longer example is folded
CHANGES = ("changed_up", "changed_down", "reliable_change", "growth_slope")


def title(visit: Visit) -> str:
    return visit.words.pick(_metric(visit).label)


def shown(visit: Visit) -> pd.DataFrame:
    return pd.concat([grouped.rows_of(visit, _metric(visit)), _behind(visit)])


def _behind(visit: Visit) -> pd.DataFrame:
    """Change and growth on the metric's construct, of the newest release."""
    metric, rows = _metric(visit), visit.released.select(release=visit.released.latest.id, view=CONSTRUCT)
    is_own = is_of_one_construct(metric) & rows["group"].isin(metric.constructs)
    return rows[is_own & rows["metric"].isin(CHANGES)]


def show(visit: Visit) -> list[Part]:
    words, metric = visit.words, _metric(visit)
    return [
        html.H1(words.pick(metric.label)),
        html.P(words.pick(metric.definition), className="verdict"),
        *_change(visit, metric),
        *([] if visit.released.select(metric=metric.id).empty else _results(visit, metric)),
        html.H2(words("metric_formula")),
        html.P(html.Code(metric.formula), className="formula"),
        html.H2(words("metric_example")),
        *_example(metric, words),
        parts.download(_download(visit), words),
    ]


def _results(visit: Visit, metric: Metric) -> list[Part]:
    """What the rounds said; of a metric that none has asked there is nothing to say."""
    words = visit.words
    return [
        html.Div(_over_rounds(visit, metric), id="programme"),
        *_changes(visit, metric),
        html.H2(words("metric_by"), id="groups"),
        *grouped.by_attribute(visit, metric),
        *_of_a_person(visit, metric),
        html.H2(words("metric_not_shown"), id="not-shown"),
        *grouped.not_shown(visit, metric),
        html.P(words("metric_least", n=_least(visit, metric)), className="note"),
    ]


def _change(visit: Visit, metric: Metric) -> list[Part]:
    """How the metric moved; nothing where its table says that it is not shown."""
    now = visit.released.now(metric.id, whole_side(metric))
    if now is not None and not now.shown:
        return []
    return [html.P(change_in_words(visit.released, metric.id, visit.words), className="change")]


def _over_rounds(visit: Visit, metric: Metric) -> Part:
    panel = trend(visit.released, metric, visit.words)
    return parts.figure(panel, visit.words, level=2, instead=grouped.REASONS)


def _metric(visit: Visit) -> Metric:
    """The metric that the address names; one that the catalogue does not hold is not available."""
    found = catalogue().get(visit.item)
    if found is None:
        raise NotAvailableError
    return found


def _changes(visit: Visit, metric: Metric) -> list[Part]:
    """Who changed beyond noise and how each side moves, of a metric that is one construct's score."""
    if not is_of_one_construct(metric):
        return []
    words, found, construct = visit.words, evidence(visit.released), metric.constructs[0]
    sides = [side for side in SIDES if side in metric.sides]
    told = {side: said for side in sides if (said := _in_words(found, construct, side, words))}
    title = words("metric_changes")
    if not told:
        return [html.H2(title), html.P(words("metric_changes_after"))]
    rows = [
        (words(f"side_{side}"), *(_cell(found.of(name, construct, side), words) for name in CHANGES)) for side in told
    ]
    columns = ("th_side", "change_up", "change_down", "change_second", "change_slope")
    return [
        html.H2(title),
        html.Ul([html.Li(f"{words(f'side_{side}')}: {said}") for side, said in told.items()]),
        parts.plain_table(title, [words(name) for name in columns], rows, words),
        *parts.dashes(rows, words, f"{visit.address.to('/help')}#withheld"),
        html.P(words("metric_changes_note"), className="note"),
        *_course(found, construct, sides, words),
    ]


def _cell(reading: Reading | None, words: Words) -> str:
    return f"{value_of(words, reading)} ({bounds_of(words, reading)})" if reading else NONE


def _in_words(found: Evidence, construct: str, side: str, words: Words) -> str:
    """What the numbers say of people and of the side as a whole; "" where none is shown."""
    slope, rose = (found.of(name, construct, side) for name in ("growth_slope", "changed_up"))
    said = [words(f"changed_{found.verdict('changed', construct, side) or 'too_early'}")] if rose or slope else []
    if slope is not None:
        _, low, high = slope.numbers
        said.append(words("grows_up" if low > 0 else "grows_down" if high < 0 else "grows_open"))
    return "; ".join(said)


def _course(found: Evidence, construct: str, sides: list[str], words: Words) -> list[Part]:
    """Whether the rounds left their usual range, one line where it is too early for every side."""
    told = {side: found.verdict("course", construct, side) or "too_early" for side in sides}
    if set(told.values()) <= {"too_early"}:
        return [html.P(words("course_too_early"))]
    known = [(side, verdict) for side, verdict in told.items() if verdict != "too_early"]
    return [html.P(words(f"course_{verdict}", side=words(f"side_{side}"))) for side, verdict in known]


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
