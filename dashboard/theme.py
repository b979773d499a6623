"""Holds the one look: a hue for each side, grey for context, and the marks that hold without colour."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How one series is drawn; `dark` is its colour on dark ground, `marker` its shape in Plotly and matplotlib."""

    light: str
    dark: str
    screen_marker: str
    paper_marker: str


# Blue and orange keep apart for every common kind of colour blindness, and differ in lightness for print.
SERIES = {
    "mentor": Look("#0b5f8a", "#6bbbe4", "circle", "o"),
    "mentee": Look("#b04a0c", "#f2a667", "diamond", "D"),
    "both": Look("#4f5b57", "#b5c0bb", "square", "s"),
}
INK, SOFT, LINE = "#1c2321", "#4f5b57", "#c9d0cc"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
