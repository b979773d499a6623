"""Says what one number behind the scores is, who stands behind it, and whether it may be shown."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from data.errors import RapportError
from pipeline.claim import DESCRIBES
from pipeline.disclosure.crowd import PROGRAMME, Crowd, Key, Shown
from pipeline.disclosure.thresholds import Thresholds
from pipeline.metric import Metric

CONSTRUCT = "construct"  # the view whose groups are constructs
OTHER_CONSTRUCTS = "other constructs"  # the group of one row that stands for all that a rotation withholds
NOTHING = (float("nan"),) * 3
SAME = 1e-6
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One number before the gate: `numbers` are value, low and high, NaN where there is no answer.

    `crowd` are the people that it is made from and `feeding` the sides among them that must be many enough;
    `rests_on` the numbers without which it is not shown; `supports` the half width that decides how finely it
    is rounded, where that is not its own interval's.
    """

    metric: str
    side: str
    numbers: tuple[float, float, float]
    unit: str
    crowd: Crowd
    view: str = PROGRAMME
    group: str = PROGRAMME
    feeding: str = ""
    rests_on: tuple[Key, ...] = ()
    claim: str = DESCRIBES
    supports: float | None = None
    scale: tuple[float, float] = (-100.0, 100.0)

    def is_shown(self, thresholds: Thresholds, shown: Shown) -> bool:
        """Whether it may leave; whatever the cause, a number that may not reads the same."""
        enough = self.crowd.has(least(thresholds), self.feeding or self.side) and self.crowd.end == 0
        return enough and bool(np.isfinite(self.numbers).all()) and all(shown.get(key, False) for key in self.rests_on)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a quality check said, in one word: `construct` is "" where it is about the whole."""

    about: str
    construct: str
    side: str
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Numbers and verdicts of one kind of evidence."""

    numbers: tuple[Finding, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


def least(thresholds: Thresholds) -> int:
    """How many distinct people a side needs here, as for staying: 20, since these tell how answers spread."""
    return max(thresholds.staying_n, thresholds.score_n)


def crowd_of(rows: pd.DataFrame, end: int = 0) -> Crowd:
    """The people of rows with side, person_id and mentor_id."""
    is_mentor = (rows["side"] == "mentor").to_numpy()
    return Crowd(
        mentors=_distinct(rows["person_id"][is_mentor]),
        mentees=_distinct(rows["person_id"][~is_mentor]),
        guides=_distinct(rows["mentor_id"]),
        end=end,
    )


def _distinct(ids: pd.Series) -> frozenset[str]:
    return frozenset(np.asarray(ids.unique(), dtype=object))


def end_of(values: pd.Series, scale: tuple[float, float]) -> int:
    """-1 or 1 where all are so near the lowest or highest value that their mean tells it of each of them."""
    bottom, top = scale
    half = (top - bottom) / 2 - SAME
    return int((top - values).clip(lower=0).sum() < half) - int((values - bottom).clip(lower=0).sum() < half)


def whole(metric: str, side: str) -> Key:
    """The programme's own number of a metric."""
    return Key(metric=metric, view=PROGRAMME, group=PROGRAMME, side=side)


def metric_of(construct: str, metrics: Mapping[str, Metric]) -> str | None:
    """The metric that is this construct's score."""
    return next((each.id for each in metrics.values() if each.constructs == (construct,)), None)


def score_keys(construct: str, sides: Iterable[str], metrics: Mapping[str, Metric]) -> tuple[Key, ...]:
    """The scores that a number about a construct rests on."""
    named = metric_of(construct, metrics)
    return tuple(whole(named, side) for side in sides if side in metrics[named].sides) if named else ()


def attempt(compute: Callable[..., Found], *given: object, otherwise: Found) -> Found:
    """What cannot be computed from these answers has no number; it never stops a release."""
    try:
        with np.errstate(all="ignore"):
            return compute(*given)
    except (RapportError, ArithmeticError, LookupError, ValueError, np.linalg.LinAlgError):
        return otherwise
