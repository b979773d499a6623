"""Says what a chart says: one frozen description, drawn alike on screen and on paper."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["mentor", "mentee", "both"]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One shown number with its interval; `at` is its place on the chart's `ticks`, `told` the numbers in words."""

    at: int
    value: float
    low: float
    high: float
    name: str
    told: str
    n: int | None = None
    claim: str = ""


@dataclass(frozen=True, kw_only=True)
class Series:
    """The marks of one side; `reference` is that side's programme result, drawn behind them."""

    side: Side
    label: str
    marks: tuple[Mark, ...]
    reference: float | None = None


@dataclass(frozen=True, kw_only=True)
class Chart:
    """`trend` runs over rounds from left to right; `ranges` and `flow` have a row for each tick from the top down.

    In `ranges` a mark is a dot with its interval, `is_joined` where a line joins a row's two sides; in `flow` it is a
    bar from nought, a count that has no interval, and one past the axis runs out of it.
    `title` is the finding in words, `subtitle` the measure and unit, `foot` n, round and release. Values
    are as released; `axis` pairs values with their text. Holds nothing that is withheld.
    """

    id: str
    form: Literal["trend", "ranges", "flow"]
    title: str
    subtitle: str
    foot: str
    alt: str
    ticks: tuple[str, ...]
    axis: tuple[tuple[float, str], ...]
    series: tuple[Series, ...]
    is_joined: bool = False

    @property
    def span(self) -> tuple[float, float]:
        """The ends of the axis of values."""
        return self.axis[0][0], self.axis[-1][0]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number of a table as a number, for files that hold numbers; all four are None where it is withheld.

    `name`, `side` and `round` are words for the reader; `unit` and `claim` are keys, values as released.
    """

    name: str
    side: str
    round: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    unit: str
    claim: str
    release: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: its heading cells, its cells, or the one sentence in their place; and what is a number."""

    heading: tuple[str, ...]
    cells: tuple[str, ...] = ()
    sentence: str = ""
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """The same numbers as text. The first `n_headings` columns head their row."""

    caption: str
    columns: tuple[str, ...]
    n_headings: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A chart and its table; without a chart where everything is withheld."""

    chart: Chart | None
    table: Table


def axis_ends(lowest: float, highest: float, scale: tuple[float, float], step: float) -> tuple[float, float]:
    """Ends of an axis that hold every interval, in whole steps, never past the scale, never under four steps."""
    low = max(scale[0], (lowest // step) * step)
    high = min(scale[1], -(-highest // step) * step)
    while high - low < 4 * step - 1e-9 and (low > scale[0] or high < scale[1]):
        low, high = max(scale[0], low - step), min(scale[1], high + step)
    return low, high
