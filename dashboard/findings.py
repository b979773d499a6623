"""Finds in one programme's released numbers what a page or report says; compares only by intervals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.published import FLOWS, PROGRAMME, Metric, Programme, Release, catalogue

SIDES = ("mentor", "mentee")
HEADLINE = ("trust", "satisfaction", "goal_progress")
PARTICIPATION = "participation"
CONSTRUCT = "construct"  # the view of evidence, whose groups are constructs and not people
TEXTS = ("release", "round", "view", "group", "side", "metric", "unit", "claim")
MIDDLE = 50.0  # of a scale from 0 to 100: neither agree nor disagree
Direction = Literal["higher", "lower", "none"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One released number, or the sentence that stands for it (then the numbers are None)."""

    release: str
    round: str
    view: str
    group: str
    side: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    unit: str
    claim: str
    shown: bool

    @property
    def numbers(self) -> tuple[float, float, float]:
        """Value, low and high of a number that is shown."""
        if self.value is None or self.low is None or self.high is None:
            raise ValueError(f"{self.metric} is withheld")
        return self.value, self.low, self.high


@dataclass(frozen=True)
class Numbers:
    """One programme's releases up to a round, oldest first, and their rows (contract Published)."""

    programme: Programme
    releases: tuple[Release, ...]
    rows: pd.DataFrame

    @property
    def latest(self) -> Release:
        return self.releases[-1]

    def until(self, round_id: str) -> "Numbers | None":
        """The same as of an earlier round; None where there is no such round."""
        kept = next((each for each in self.releases if each.round == round_id), None)
        if kept is None:
            return None
        return replace(self, releases=tuple(each for each in self.releases if each.number <= kept.number))

    def number_of(self, release_id: str) -> int:
        return next(each.number for each in self.releases if each.id == release_id)

    def select(self, **wanted: str) -> pd.DataFrame:
        """The rows that have these values, of the releases looked at; in the releases' order."""
        is_wanted = np.ones(len(self._ordered), dtype=bool)
        for name, value in wanted.items():
            codes, places = self._coded[name]
            is_wanted &= codes == places.get(value, -1)
        return self._ordered[is_wanted]

    @cached_property
    def _ordered(self) -> pd.DataFrame:
        """All rows of the releases looked at, in the releases' order."""
        order = {each.id: place for place, each in enumerate(self.releases)}
        rows = self.rows[self.rows["release"].isin(order)]
        return rows.sort_values(by="release", key=lambda ids: ids.map(order), kind="stable")

    @cached_property
    def _coded(self) -> Mapping[str, tuple[NDArray[np.intp], Mapping[str, int]]]:
        """Texts as whole numbers, by column, made once: pages select a dozen times."""
        coded = {name: pd.factorize(self._ordered[name]) for name in TEXTS}
        return {name: (codes, {text: at for at, text in enumerate(texts)}) for name, (codes, texts) in coded.items()}

    @cached_property
    def _whole(self) -> Mapping[tuple[str, str], list[Reading]]:
        """The whole programme's numbers by metric and side, read once: pages ask for them a hundred times."""
        found: dict[tuple[str, str], list[Reading]] = {}
        for each in readings(self.select(view=PROGRAMME)):
            found.setdefault((each.metric, each.side), []).append(each)
        return found

    def over_rounds(self, metric: str, side: str) -> list[Reading]:
        """One number of the whole programme, oldest first; rounds that did not ask it have none."""
        return self._whole.get((metric, side), [])

    def now(self, metric: str, side: str) -> Reading | None:
        """One number of the whole programme in the latest round."""
        newest = self.over_rounds(metric, side)[-1:]
        return newest[0] if newest and newest[0].release == self.latest.id else None

    def before(self, reading: Reading) -> Reading | None:
        """The same number the last time it was shown before."""
        earlier = [each for each in self.over_rounds(reading.metric, reading.side) if each.shown]
        place = self.number_of(reading.release)
        return next((each for each in reversed(earlier) if self.number_of(each.release) < place), None)

    def change(self, reading: Reading | None) -> Direction | None:
        """How a shown number stands to the one before; None where there is nothing to compare."""
        earlier = self.before(reading) if reading is not None and reading.shown else None
        return direction(earlier, reading) if earlier is not None and reading is not None else None

    def attributes(self, metric: str) -> list[str]:
        """The reporting attributes by which the latest round shows this metric."""
        views = self.select(metric=metric, release=self.latest.id)["view"].unique()
        return sorted(str(view) for view in views if view not in (PROGRAMME, CONSTRUCT))

    def n_withheld(self) -> int:
        return int((~self.select(release=self.latest.id)["shown"]).sum())


def numbers_of(programme: Programme, releases: Iterable[Release], rows: pd.DataFrame) -> Numbers:
    """A programme's numbers from what the door gives: only releases that still may be shown."""
    usable = [each for each in releases if not each.is_withdrawn and each.seal_valid is not False]
    held = set(rows["release"])
    ordered = sorted((each for each in usable if each.id in held), key=lambda each: each.number)
    return Numbers(programme, tuple(ordered), rows)


def readings(rows: pd.DataFrame) -> list[Reading]:
    """Each row as a reading; read by column, which is much quicker than pandas by row."""
    columns = {each.name: rows[each.name].to_numpy(dtype=object).tolist() for each in fields(Reading)}
    records = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    return [_reading(row) for row in records]


def _reading(row: Mapping[str, Any]) -> Reading:
    shown = bool(row["shown"])
    bounds = {name: float(row[name]) if shown else None for name in ("value", "low", "high")}
    return Reading(**{**row, **bounds, "n": int(row["n"]) if shown else None, "shown": shown})


def direction(before: Reading, now: Reading) -> Direction:
    """Higher or lower only where the intervals do not overlap."""
    _, old_low, old_high = before.numbers
    _, low, high = now.numbers
    if low > old_high:
        return "higher"
    return "lower" if high < old_low else "none"


def overlap(one: Reading, other: Reading) -> bool:
    return direction(one, other) == "none"


def standing(reading: Reading) -> Literal["above", "below", "open"]:
    """Where a score's interval lies: above or below the middle of the scale, or across it."""
    _, low, high = reading.numbers
    if low > MIDDLE:
        return "above"
    return "below" if high < MIDDLE else "open"


def headline(numbers: Numbers) -> list[Reading]:
    """Trust, satisfaction and goal progress of both sides in the latest round, where shown."""
    found = [numbers.now(metric, "both") for metric in HEADLINE]
    return [each for each in found if each is not None and each.shown]


def whole_side(metric: Metric) -> str:
    """The side whose number stands for a metric: both together, or the only one asked."""
    return "both" if "both" in metric.sides else metric.sides[0]


def profile(numbers: Numbers) -> list[Reading]:
    """The scores of the latest round that measure one construct, strongest first."""
    found = [numbers.now(each.id, whole_side(each)) for each in catalogue().values() if is_of_one_construct(each)]
    shown = [each for each in found if each is not None and each.shown]
    return sorted(shown, key=lambda each: (-each.numbers[0], each.metric))


def weakest(numbers: Numbers) -> list[Reading]:
    """The same, those first whose intervals end lowest: a wide interval is no weakness."""
    return sorted(profile(numbers), key=lambda each: (each.numbers[2], each.numbers[0], each.metric))


def is_of_one_construct(metric: Metric) -> bool:
    return len(metric.constructs) == 1 and "/" not in metric.constructs[0] and metric.higher_is_better is True


def flows(numbers: Numbers) -> list[Reading]:
    """The counts of people and pairings of every round, in the order of the catalogue of flows."""
    return [each for metric in FLOWS for side in (*SIDES, "both") for each in numbers.over_rounds(metric, side)]
