"""Shows how each number is made, and how often its kind of interval holds the truth in made-up programmes."""

from typing import Any

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.parts import Part
from dashboard.visit import Visit
from dashboard.words import Words
from pipeline.published import Metric, calibration, catalogue


def title(visit: Visit) -> str:
    return visit.words("method")


def shown(visit: Visit) -> pd.DataFrame:
    """No released number stands on this page."""
    return visit.released.rows.head(0)


def show(visit: Visit) -> list[Part]:
    words = visit.words
    return [
        html.H1(words("method")),
        html.P(words("method_lead"), className="verdict"),
        html.H2(words("method_score")),
        html.P(words("method_score_text")),
        html.H2(words("method_protection")),
        html.P(words("method_protection_text")),
        html.H2(words("method_calibration")),
        *_calibration(words),
        html.H2(words("metrics")),
        html.Dl([part for metric in catalogue().values() for part in _entry(visit, metric)]),
    ]


def _calibration(words: Words) -> list[Part]:
    """One row a kind of interval, one column a size of programme."""
    table = calibration()
    sizes = sorted({cell["pairings"] for cell in table["cells"]})
    held = {(cell["kind"], cell["pairings"]): cell["coverage"] for cell in table["cells"]}
    rows = [
        (words(f"kind_{kind.replace(' ', '_')}"), *(_held(held.get((kind, size)), words) for size in sizes))
        for kind in dict.fromkeys(cell["kind"] for cell in table["cells"])
    ]
    columns = [words("method_kind"), *(words("method_of_size", n=size) for size in sizes)]
    false, found = (words.number(table[name], "share", places=1) for name in ("false_gaps", "found_gaps"))
    return [
        html.P(words("method_calibration_text", programmes=table["programmes"])),
        parts.plain_table(words("method_calibration"), columns, rows, words),
        html.P(words("method_gaps_text", false=false, found=found)),
        html.H3(words("method_found")),
        _found(table["findings"], words),
    ]


def _held(coverage: float | None, words: Words) -> str:
    """A dash where programmes of that size have no such interval."""
    return "–" if coverage is None else words.number(coverage, "share", places=1)


def _found(findings: list[dict[str, Any]], words: Words) -> Part:
    """How often each kind of finding is made where there is nothing, and where something was put in."""
    names = ("method_finding", "method_pairings", "method_false", "method_planted", "method_power")
    rows = [
        (
            words(f"finding_{each['finding']}"),
            str(each["pairings"]),
            words.number(each["false"], "share", places=1),
            words.number(each["planted"], "points"),
            words.number(each["found"], "share", places=1),
        )
        for each in findings
    ]
    return parts.plain_table(words("method_found"), [words(name) for name in names], rows, words)


def _entry(visit: Visit, metric: Metric) -> list[Part]:
    words = visit.words
    link = html.A(words.pick(metric.label), href=visit.address.to(f"/metric/{metric.id}"))
    return [html.Dt(link), html.Dd([words.pick(metric.definition), " ", html.Code(metric.formula)])]
