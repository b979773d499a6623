"""Shows the relationship from both ends: the gap by construct, whether it compares, how the sides move together."""

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.evidence import Evidence, evidence, metric_of
from dashboard.findings import CONSTRUCT, SIDES, Reading
from dashboard.panels import both_ends, bounds_of, gaps, largest_first, value_of
from dashboard.parts import NONE, Part
from dashboard.tables import metric_name
from dashboard.visit import Visit
from dashboard.words import Words
from pipeline.published import PROGRAMME

GAP_METRICS = ("perception_gap", "smallest_gap", "gap_agreement")
EFFECTS = ("actor_effect", "partner_effect")
DAYS = "growth_together"
NOT_TESTED = "not_tested"
SURFACE = ("surface_a1", "surface_a2", "surface_a3", "surface_a4", "surface_a5")


def title(visit: Visit) -> str:
    return visit.words("two_sides")


def shown(visit: Visit) -> pd.DataFrame:
    rows = visit.released.select(release=visit.released.latest.id)
    is_gap = (rows["view"] == CONSTRUCT) & rows["metric"].isin((*GAP_METRICS, DAYS))
    ends = [metric_of(name) for name in evidence(visit.released).constructs("perception_gap")]
    is_end = (rows["view"] == PROGRAMME) & rows["metric"].isin(ends)
    return rows[is_gap | is_end | rows["metric"].isin((*EFFECTS, *SURFACE))]


def show(visit: Visit) -> list[Part]:
    words, found = visit.words, evidence(visit.released)
    return [
        html.H1(_finding(found, words)),
        html.P(words("two_sides_lead"), className="verdict"),
        *_gaps(visit, found),
        html.H2(words("two_sides_influence")),
        *_influence(found, words),
        html.H2(words("two_sides_days")),
        *_days(found, words),
        html.H2(words("surface")),
        *_surface(found, words),
        parts.download(visit.address.to("/two-sides.csv"), words),
    ]


def _apart(found: Evidence) -> list[tuple[str, float]]:
    """The constructs whose gap's interval leaves 0 out, with the gap."""
    apart = []
    for construct in found.constructs("perception_gap"):
        reading = found.of("perception_gap", construct, "both")
        if reading is not None and (reading.numbers[1] > 0 or reading.numbers[2] < 0):
            apart.append((construct, reading.numbers[0]))
    return apart


def _finding(found: Evidence, words: Words) -> str:
    if not found.constructs("perception_gap"):
        return words("two_sides_none")
    apart = _apart(found)
    if not apart:
        return words("two_sides_no_gap")
    compared = [each for each in apart if found.verdict("comparability", each[0], "both") == "holds"]
    names = words.listed(words.inside(metric_name(words, metric_of(construct))) for construct, _ in compared or apart)
    if not compared:  # that the answers differ is all that can be said
        return words("two_sides_untested", names=names)
    apart = compared
    way = {gap > 0 for _, gap in apart}
    return words(
        "two_sides_mixed" if len(way) > 1 else f"two_sides_{'mentor' if True in way else 'mentee'}", names=names
    )


def _gaps(visit: Visit, found: Evidence) -> list[Part]:
    words, numbers = visit.words, visit.released
    told = [(name, found.of("perception_gap", name, "both")) for name in found.constructs("perception_gap")]
    ordered = largest_first([(name, each) for name, each in told if each is not None])
    if not ordered:
        return [html.P(words("two_sides_after"))]
    constructs = [name for name, _ in ordered]
    charts = [parts.figure(panel(numbers, ordered, words), words, level=2) for panel in (both_ends, gaps)]
    return [
        html.Div(charts, className="beside"),
        html.P(words("ends_note"), className="note"),
        html.H2(words("two_sides_compare")),
        *(html.P(line) for line in _comparability(found, constructs, words)),
        *_gap_table(visit, found, constructs),
        *([html.P(words("two_sides_others"))] if found.withholds("perception_gap") else []),
    ]


def _comparability(found: Evidence, constructs: list[str], words: Words) -> list[str]:
    """A line for each verdict; without invariance no claim is made from a gap."""
    by_verdict: dict[str, list[str]] = {}
    for construct in constructs:
        verdict = found.verdict("comparability", construct, "both") or NOT_TESTED
        by_verdict.setdefault(verdict, []).append(words.inside(metric_name(words, metric_of(construct))))
    return [
        words(f"comparability_{verdict}", names=words.listed(by_verdict[verdict]))
        for verdict in ("holds", "fails", NOT_TESTED)
        if verdict in by_verdict
    ]


def _gap_table(visit: Visit, found: Evidence, constructs: list[str]) -> list[Part]:
    words = visit.words
    columns = [words(name) for name in ("th_construct", "gap_column", "gap_smallest", "gap_agreement", "gap_compare")]
    rows = []
    for construct in constructs:
        smallest, agreement = (found.of(name, construct, "both") for name in GAP_METRICS[1:])
        gap = found.of("perception_gap", construct, "both")
        verdict = found.verdict("comparability", construct, "both") or NOT_TESTED
        rows.append(
            (
                metric_name(words, metric_of(construct)),
                f"{value_of(words, gap)} ({bounds_of(words, gap)})" if gap else NONE,
                value_of(words, smallest) if smallest else NONE,
                f"{value_of(words, agreement)} ({bounds_of(words, agreement)})" if agreement else NONE,
                words(f"comparable_{verdict}"),
            )
        )
    table = parts.plain_table(words("two_sides_gaps"), columns, rows, words)
    return [table, *parts.dashes(rows, words, f"{visit.address.to('/help')}#withheld")]


def _influence(found: Evidence, words: Words) -> list[Part]:
    rows, told = [], []
    for side in SIDES:
        effects = {name: found.of(name, "all", side) for name in EFFECTS}
        clear = {name: _is_clear(each) for name, each in effects.items() if each is not None}
        for name, reading in effects.items():
            if reading is not None:
                said = f"{value_of(words, reading)} ({bounds_of(words, reading)})"
                verdict = words("influence_clear" if clear[name] else "influence_unclear")
                rows.append((words(f"{name}_{side}"), said, verdict, words(f"claim_{reading.claim}")))
        if len(clear) == len(EFFECTS):
            told.append(words(_goes_with(clear), side=words(f"side_{side}")))
    if not rows:
        return [html.P(words("influence_after"))]
    columns = [words(name) for name in ("influence_what", "th_value", "q_verdict", "th_claim")]
    return [
        *([html.Ul([html.Li(line) for line in told])] if told else []),
        html.P(words("influence_note")),
        parts.plain_table(words("two_sides_influence"), columns, rows, words),
    ]


def _is_clear(effect: Reading) -> bool:
    _, low, high = effect.numbers
    return low > 0 or high < 0


def _goes_with(clear: dict[str, bool]) -> str:
    """The key of the sentence on what a side's satisfaction goes along with."""
    own, others = (clear[name] for name in EFFECTS)
    if own:
        return "goes_with_both" if others else "goes_with_own"
    return "goes_with_others" if others else "goes_with_none"


def _days(found: Evidence, words: Words) -> list[Part]:
    """Whether the two sides' ups and downs fall together, per construct."""
    rows = []
    for construct in found.constructs(DAYS):
        reading = found.of(DAYS, construct, "both")
        if reading is not None:
            _, low, high = reading.numbers
            verdict = "days_together" if low > 0 else "days_apart" if high < 0 else "days_open"
            told = f"{value_of(words, reading)} ({bounds_of(words, reading)})"
            rows.append((metric_name(words, metric_of(construct)), told, words(verdict)))
    if not rows:
        return [html.P(words("two_sides_days_after"))]
    columns = [words(name) for name in ("th_construct", "days_column", "q_verdict")]
    return [html.P(words("two_sides_days_note")), parts.plain_table(words("two_sides_days"), columns, rows, words)]


def _surface(found: Evidence, words: Words) -> list[Part]:
    """Whether satisfaction goes with the gap: nothing is claimed where the sides may read the questions differently."""
    told = [(name, found.of(name, "all", "mentee")) for name in SURFACE]
    rows = [
        (words(name), f"{value_of(words, each)} ({bounds_of(words, each)})", words(f"claim_{each.claim}"))
        for name, each in told
        if each is not None
    ]
    if not rows:
        return [html.P(words("surface_after"))]
    holds = found.verdict("comparability", "trust", "both") == "holds"
    verdict = found.verdict("surface", "satisfaction", "mentee") or "too_few"
    columns = [words(name) for name in ("influence_what", "th_value", "th_claim")]
    return [
        html.P(words(f"surface_{verdict}") + "." if holds else words("surface_untested")),
        parts.plain_table(words("surface"), columns, rows, words),
        html.P(words("surface_note"), className="note"),
    ]
