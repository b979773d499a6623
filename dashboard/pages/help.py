"""Shows how to read the pages: intervals, counts in steps, what is not shown, the words, the keys, whom to ask."""

import pandas as pd
from dash import html

from dashboard.parts import Part
from dashboard.visit import NotAvailableError, Visit

READING = ("interval", "clear", "n", "withheld", "claims")
TERMS = (
    "programme", "pairing", "side", "round", "pulse", "construct", "score", "metric", "release", "effect", "assumption",
)  # fmt: skip
MORE = ("keys", "ask")


def title(visit: Visit) -> str:
    return visit.words("help_page")


def shown(_visit: Visit) -> pd.DataFrame:
    """No number stands on this page."""
    raise NotAvailableError


def show(visit: Visit) -> list[Part]:
    words = visit.words
    terms = [part for term in TERMS for part in (html.Dt(words(f"term_{term}")), html.Dd(words(f"means_{term}")))]
    return [
        html.H1(words("help_page")),
        html.P(words("help_lead"), className="verdict"),
        *(part for name in READING for part in _section(visit, name)),
        html.H2(words("help_words")),
        html.Dl(terms, className="terms"),
        *(part for name in MORE for part in _section(visit, name)),
    ]


def _section(visit: Visit, name: str) -> list[Part]:
    return [html.H2(visit.words(f"help_{name}"), id=name), html.P(visit.words(f"help_{name}_text"))]
