"""Says what a metric is, and finds every metric of the catalogue: one file each."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Literal

import pandas as pd

from data.errors import RapportError

Texts = Mapping[str, str]  # language → text
Unit = Literal["points", "share"]
FOLDER = Path(__file__).resolve().parent / "metrics"  # found, not imported: a metric imports this module
BOTH_SIDES = ("mentor", "mentee", "both")


@dataclass(frozen=True)
class Facts:
    """All that a metric may look at: one round's Invited, and its Scored."""

    invited: pd.DataFrame
    scored: pd.DataFrame


Compute = Callable[[Facts], pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A worked example: a small table in, the numbers by side that come out.

    Columns of `given`: pairing, side, and what the metric reads of construct, score, mentor, answered.
    """

    given: str
    expected: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number's meaning, and how it is computed.

    `compute` returns one row a contribution: `side` (the row of the metric it feeds: mentor, mentee or
    both), `part` (who it stands for: mentor, mentee or pairing), `pairing_id`, `value`, and the `lowest`
    and `highest` answer behind it. A row's number is the mean over its parts of the mean over people
    (over pairings, where the part is one); a person in several pairings counts once.
    `constructs` are what it reads of Scored; `rests_on` names the metrics without which a group's number
    is not shown; `prior_sd` is the spread of people assumed where there are too few to show one.
    """

    id: str
    label: Texts
    definition: Texts
    formula: str
    constructs: tuple[str, ...]
    example: Example
    compute: Compute
    unit: Unit = "points"
    sides: tuple[str, ...] = BOTH_SIDES
    higher_is_better: bool | None = True
    minimum_n: int = 5
    scale: tuple[float, float] = (0.0, 100.0)
    prior_sd: float = 25.0
    rests_on: tuple[str, ...] = ()
    is_programme_only: bool = False


def metric(
    *,
    label: Texts,
    definition: Texts,
    formula: str,
    constructs: tuple[str, ...],
    example: Example,
    unit: Unit = "points",
    sides: tuple[str, ...] = BOTH_SIDES,
    higher_is_better: bool | None = True,
    minimum_n: int = 5,
    scale: tuple[float, float] = (0.0, 100.0),
    prior_sd: float = 25.0,
    rests_on: tuple[str, ...] = (),
    is_programme_only: bool = False,
) -> Callable[[Compute], Metric]:
    """Make a Metric of the function that computes it; the function's name is the metric's id."""

    def made(compute: Compute) -> Metric:
        return Metric(
            id=compute.__name__,
            label=label,
            definition=definition,
            formula=formula,
            constructs=constructs,
            example=example,
            compute=compute,
            unit=unit,
            sides=sides,
            higher_is_better=higher_is_better,
            minimum_n=minimum_n,
            scale=scale,
            prior_sd=prior_sd,
            rests_on=rests_on,
            is_programme_only=is_programme_only,
        )

    return made


def catalogue(folder: Path | None = None) -> Mapping[str, Metric]:
    """Every metric by id, sorted: of this version, or of the files in another folder."""
    return _ours() if folder is None else _catalogued(_modules_in(folder))


@cache
def _ours() -> Mapping[str, Metric]:
    names = sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)]))
    return _catalogued(importlib.import_module(f"pipeline.metrics.{name}") for name in names)


def _modules_in(folder: Path) -> Iterator[ModuleType]:
    for path in sorted(folder.glob("[!_]*.py")):
        spec = importlib.util.spec_from_file_location(f"metric_in_{folder.name}_{path.stem}", path)
        if spec is None or spec.loader is None:
            raise RapportError(f"{path.name} is not a Python file that holds a metric.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


def _catalogued(modules: Iterator[ModuleType]) -> Mapping[str, Metric]:
    found: dict[str, Metric] = {}
    for module in modules:
        held = [value for value in vars(module).values() if isinstance(value, Metric)]
        if len(held) != 1 or held[0].id in found:
            name = module.__name__.rpartition(".")[2]
            raise RapportError(f"The file of the metric {name} must hold one metric with an id of its own.")
        found[held[0].id] = held[0]
    return MappingProxyType(dict(sorted(found.items())))


# --- what metrics are made of ---------------------------------------------------------------


def by_side(facts: Facts, *, mentor: str, mentee: str) -> pd.DataFrame:
    """Each person's score on their side's construct, once for their side and once for "both"."""
    scored = facts.scored
    named = {"mentor": mentor, "mentee": mentee}
    rows = scored[scored["construct"] == scored["side"].map(named)]
    each = pd.DataFrame(
        {
            "side": rows["side"],
            "part": rows["side"],
            "pairing_id": rows["pairing_id"],
            "value": rows["score"],
            "lowest": rows["lowest"],
            "highest": rows["highest"],
        }
    )
    return pd.concat([each, each.assign(side="both")], ignore_index=True)


def of_pairings(values: pd.Series) -> pd.DataFrame:
    """Contributions to "both" from one value a pairing, indexed by pairing id."""
    return pd.DataFrame(
        {
            "side": "both",
            "part": "pairing",
            "pairing_id": values.index.astype("str"),
            "value": values.to_numpy(dtype=float),
            "lowest": values.to_numpy(dtype=float),
            "highest": values.to_numpy(dtype=float),
        }
    )


def two_sides(facts: Facts, construct: str) -> pd.DataFrame:
    """The pairings whose two sides both have a score: index pairing id, columns mentor and mentee."""
    rows = facts.scored[facts.scored["construct"] == construct]
    wide = rows.pivot(index="pairing_id", columns="side", values="score")
    return wide.reindex(columns=["mentor", "mentee"]).dropna()
