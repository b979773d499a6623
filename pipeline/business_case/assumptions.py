"""Reads what the money rests on: every assumption with its range, source, date and owner."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from math import isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from data.errors import RapportError

Floats = NDArray[np.float64]
OURS = Path(__file__).with_name("assumptions.toml")
STATED = ("value", "source", "owner", "date")  # what an organisation says with every value of its own
FIELDS = {*STATED, "low", "mode", "high", "unit", "by_grade", "signed_by"}
SIGNED = ("salary",)


@dataclass(frozen=True, kw_only=True)
class Published:
    """What one publication says an assumption is."""

    value: float
    source: str
    dated: date


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """One input of the money: `value`, its PERT range low, mode, high, and who says so since when.

    NaN and no date where nobody has said it yet: then `needs` says what is wanted. `by_grade`: salaries by grade,
    of which `value` is the plain mean. `allowed`: what is accepted. `published`: values of the literature.
    """

    key: str
    unit: str
    allowed: tuple[float, float]
    value: float = nan
    low: float = nan
    mode: float = nan
    high: float = nan
    dated: date | None = None
    source: str = ""
    owner: str = ""
    signed_by: str = ""
    needs: str = ""
    is_default: bool = True
    by_grade: Mapping[str, float] = field(default_factory=dict)
    published: tuple[Published, ...] = ()

    @property
    def is_known(self) -> bool:
        return isfinite(self.value)

    @property
    def currency(self) -> str:
        """The currency of an amount of money, "" for anything else."""
        first = (self.unit.split() or [""])[0]
        return first if len(first) == 3 and first.isupper() else ""

    @property
    def _shape(self) -> tuple[float, float]:
        width = self.high - self.low
        return 1 + 4 * (self.mode - self.low) / width, 1 + 4 * (self.high - self.mode) / width

    def quantile(self, at: float | Floats) -> Floats:
        """Quantiles of the PERT distribution: beta(1 + 4(mode−low)/(high−low), 1 + 4(high−mode)/(high−low)), scaled.

        Malcolm et al. (1959, doi:10.1287/opre.7.5.646); its mean is (low + 4·mode + high)/6.
        """
        if self.low == self.high:
            return np.full(np.shape(at), self.value)
        return np.asarray(self.low + (self.high - self.low) * stats.beta.ppf(at, *self._shape), dtype=float)

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """`n` values of the PERT distribution."""
        if self.low == self.high:
            return np.full(n, self.value)
        return self.low + (self.high - self.low) * rng.beta(*self._shape, n)


Assumptions = Mapping[str, Assumption]


def assumptions(own: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Assumption]:
    """Every assumption by its key; an organisation's `own` values take the place of defaults.

    Each of `own` says value, source, owner and date, and low, mode, high and unit where it wants (a value without
    them is taken as certain). Salaries may come `by_grade` in place of the value and are `signed_by` somebody.
    """
    found = dict(_defaults())
    for key, said in (own or {}).items():
        if key not in found:
            raise RapportError(f"{key!r} is no assumption of the business case; expected one of {', '.join(found)}.")
        found[key] = _stated(found[key], said)
    currencies = sorted({one.currency for one in found.values() if one.is_known} - {""})
    if len(currencies) > 1:
        raise RapportError(f"Expected all money in one currency, found {' and '.join(currencies)}.")
    return found


def listed(given: Assumptions) -> list[dict[str, Any]]:
    """Every assumption in plain values, with what the literature says of it; None where nobody has said it."""
    names = ("key", "unit", "value", "low", "mode", "high", "dated", "source", "owner", "signed_by", "is_default")
    told = (*names, "currency", "needs")
    return [
        {**{name: _plain(getattr(one, name)) for name in told}, "published": _published(one)} for one in given.values()
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not isfinite(value) else value


def _published(one: Assumption) -> list[dict[str, Any]]:
    return [{"value": each.value, "source": each.source} for each in one.published]


@cache
def _defaults() -> Mapping[str, Assumption]:
    with OURS.open("rb") as file:
        return {key: _default(key, entry) for key, entry in tomllib.load(file).items()}


def _default(key: str, entry: Mapping[str, Any]) -> Assumption:
    published = [
        Published(value=one["value"], source=one["source"], dated=one["date"]) for one in entry.get("published", [])
    ]
    blank = Assumption(
        key=key,
        unit=entry["unit"],
        allowed=(float(entry["range"][0]), float(entry["range"][1])),
        needs=entry.get("needs", ""),
        published=tuple(published),
    )
    if blank.needs:
        return blank
    stated = {name: said for name, said in entry.items() if name in FIELDS}
    return _filled(blank, stated, is_default=True)


def _stated(known: Assumption, said: Mapping[str, Any]) -> Assumption:
    if not isinstance(said, Mapping):
        raise RapportError(f"Expected value, source, owner and date with {known.key}, found {said!r}.")
    wrong = sorted(set(said) - FIELDS)
    if wrong:
        raise RapportError(f"{known.key} has no {wrong[0]!r}; expected {', '.join(sorted(FIELDS))}.")
    wanted = [name for name in STATED if name != "value" or "by_grade" not in said]
    wanted += ["signed_by"] if known.key in SIGNED else []
    missing = [name for name in wanted if not said.get(name) and said.get(name) != 0]
    if missing:
        raise RapportError(f"Expected a {missing[0]} with the organisation's {known.key}.")
    return _filled(known, said, is_default=False)


def _filled(known: Assumption, said: Mapping[str, Any], *, is_default: bool) -> Assumption:
    amounts = said.get("by_grade", {})
    if not isinstance(amounts, Mapping):
        raise RapportError(f"Expected {known.key} by grade as a table of amounts, found {amounts!r}.")
    by_grade = {str(grade): _number(known.key, amount) for grade, amount in amounts.items()}
    if by_grade and known.key != "salary":
        raise RapportError(f"Only the salary is given by grade, found {known.key} by grade.")
    value = _number(known.key, said["value"] if "value" in said else np.mean(list(by_grade.values())))
    low, high = (_number(known.key, said.get(name, value)) for name in ("low", "high"))
    mode = _number(known.key, said.get("mode", value))
    _check(known, [low, high, *by_grade.values()])
    if not (low <= value <= high and low <= mode <= high):
        raise RapportError(f"Expected value and mode of {known.key} from low to high, found {low}, {mode}, {high}.")
    return Assumption(
        key=known.key,
        unit=str(said.get("unit", known.unit)),
        allowed=known.allowed,
        value=value,
        low=low,
        mode=mode,
        high=high,
        dated=_date(known.key, said["date"]),
        source=str(said["source"]),
        owner=str(said["owner"]),
        signed_by=str(said.get("signed_by", "")),
        is_default=is_default,
        by_grade=by_grade,
        published=known.published,
    )


def _check(known: Assumption, values: Sequence[float]) -> None:
    least, most = known.allowed
    for value in values:
        if not least <= value <= most:
            raise RapportError(f"Expected {known.key} from {least:g} to {most:g} {known.unit}, found {value:g}.")


def _number(key: str, said: Any) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not isfinite(said):
        raise RapportError(f"Expected a number for {key}, found {said!r}.")
    return float(said)


def _date(key: str, said: Any) -> date:
    if isinstance(said, date):
        return said
    try:
        return date.fromisoformat(str(said))
    except ValueError as error:
        raise RapportError(f"Expected a date like 2026-01-31 for {key}, found {said!r}.") from error
