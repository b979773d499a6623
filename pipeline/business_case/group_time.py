"""Estimates what starting did to an outcome measured in waves, for every group of starters and every wave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import RapportError
from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.event_study import (
    METHOD,
    Average,
    Cells,
    PreTrend,
    as_effect,
    average,
    band,
    course,
    each_cell,
    mean_of,
    of_groups,
    over_groups,
    pre_trend,
    untested,
)
from pipeline.business_case.terms import columns_used, model_matrix
from pipeline.business_case.two_by_two import Difference, doubly_robust
from pipeline.claim import ASSOCIATED, CAUSAL

Floats = NDArray[np.float64]
Controls = Literal["never", "not-yet"]
SEED = 20210
DOUBTED = 0.05  # a joint test of the time before the start that rejects here takes the causal claim away
ASSUMPTIONS = ("parallel_trends", "no_anticipation", "waves_missing_at_random", "no_spillover")


@dataclass(frozen=True, kw_only=True)
class GroupTime:
    """What starting did, wave by wave.

    `table`: group (first treated wave), period, att, se, low, high, n_treated, n_controls, one row a pair whose
    effect could be estimated; `left_out`: group, period, reason of the others. `simple`, `dynamic` (mean over the
    times since the start) and `by_group` (mean over the starters): one Effect each. `event_study`: event_time, att,
    se, low, high; `groups`: group, att, se, low, high. Low and high in frames are 95 % bands that hold for all rows
    of the frame at once. `pre_trend`: joint test of the effects before the start.
    """

    table: pd.DataFrame
    left_out: pd.DataFrame
    simple: Effect
    dynamic: Effect
    by_group: Effect
    event_study: pd.DataFrame
    groups: pd.DataFrame
    pre_trend: PreTrend
    controls: Controls
    n: int
    n_incomplete: int
    n_set_aside: int


@dataclass(frozen=True, kw_only=True)
class _Wide:
    """Units × waves: the outcome (NaN where not measured) and the model columns (units × waves × k)."""

    periods: Floats
    started: Floats
    outcome: Floats
    covariates: Floats
    n_set_aside: int


def group_time_att(
    panel: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    period: str,
    first_treated: str,
    covariates: str | Sequence[str] | None = None,
    controls: Controls | None = None,
    measured_in: str = "",
    rng: np.random.Generator | None = None,
) -> GroupTime:
    """ATT(g, t) of Callaway & Sant'Anna (2021, doi:10.1016/j.jeconom.2020.12.001): the change in the outcome of those
    who start in wave g, from the last wave before g to wave t, less the change of controls at the same covariates.

    One row of `panel` a unit and wave; `first_treated` the wave from which a unit is treated, 0 for never (one
    between two waves counts as the later, one after the last as never; who starts in or before the first wave is set
    aside and counted). Before the start each wave is compared with the one before it. `controls` "not-yet": whoever
    has not started by wave t, the never treated among them; "never": those alone. Without a choice it is "never"
    where at least as many never start as start in the largest group, else "not-yet". `covariates` (formula or
    columns) are taken at the earlier wave of a comparison and enter doubly robust: see `two_by_two`.

    A comparison uses the units measured in both of its waves, so an unbalanced panel assumes that who is missing
    does not depend on the change; `n_incomplete` counts them. Claim: causal under the printed assumptions where
    waves before the start could be tested and did not differ; else an association. `rng` draws the bands only.
    """
    wide = _widen(panel, outcome, (unit, period, first_treated), covariates)
    chosen = controls or _choose(wide.started)
    found = list(_differences(wide, chosen))
    cells, left_out = _gather(wide, found)
    n_incomplete = int((~np.isfinite(wide.outcome)).any(axis=1).sum())
    shape = {"n": len(wide.started), "n_incomplete": n_incomplete, "n_set_aside": wide.n_set_aside}
    if not (cells.since >= 0).any():
        return _nothing(left_out, chosen, shape)
    return _summarise(cells, left_out, chosen, shape, measured_in, rng or np.random.default_rng(SEED))


def _summarise(
    cells: Cells, left_out: pd.DataFrame, controls: Controls, shape: dict[str, int], unit: str, rng: np.random.Generator
) -> GroupTime:
    after = np.flatnonzero(cells.since >= 0)
    tested = pre_trend(cells)
    claim = CAUSAL if tested.is_tested and tested.p_small >= DOUBTED else ASSOCIATED
    times, over_time = course(cells)
    groups, own = of_groups(cells)
    each = each_cell(cells)
    sizes = {"n_treated": cells.n_treated, "n_controls": cells.n_controls}
    tell = partial(as_effect, n=shape["n"], claim=claim, unit=unit, assumptions=ASSUMPTIONS)
    since_start = (times >= 0) / (times >= 0).sum()
    return GroupTime(
        table=_frame({"group": cells.group, "period": cells.period}, each, rng).assign(**sizes),
        left_out=left_out,
        simple=tell(average(cells, after), summary="all starters and waves"),
        dynamic=tell(mean_of(over_time, since_start), summary="mean over times since the start"),
        by_group=tell(over_groups(cells), summary="mean over starters"),
        event_study=_frame({"event_time": times}, over_time, rng),
        groups=_frame({"group": groups}, own, rng),
        pre_trend=tested,
        controls=controls,
        **shape,
    )


def _frame(keys: dict[str, Floats], averages: Average, rng: np.random.Generator) -> pd.DataFrame:
    low, high, _ = band(averages, rng)
    whole = {name: _whole(values) for name, values in keys.items()}
    return pd.DataFrame({**whole, "att": averages.estimate, "se": averages.se, "low": low, "high": high})


def _whole(values: Floats) -> Floats | NDArray[np.int64]:
    return values.astype(np.int64) if np.array_equal(values, np.round(values)) else values


def _nothing(left_out: pd.DataFrame, controls: Controls, shape: dict[str, int]) -> GroupTime:
    reason = "No group of starters has enough people measured before and after, with enough controls beside them."
    none = cannot_tell(reason, method=METHOD, claim=ASSOCIATED, n=shape["n"])
    numbers = ["att", "se", "low", "high"]
    return GroupTime(
        table=pd.DataFrame(columns=["group", "period", *numbers, "n_treated", "n_controls"]),
        left_out=left_out,
        simple=none,
        dynamic=none,
        by_group=none,
        event_study=pd.DataFrame(columns=["event_time", *numbers]),
        groups=pd.DataFrame(columns=["group", *numbers]),
        pre_trend=untested(),
        controls=controls,
        **shape,
    )


def _choose(started: Floats) -> Controls:
    _, sizes = np.unique(started[started > 0], return_counts=True)
    return "never" if (started == 0).sum() >= sizes.max(initial=1) else "not-yet"


def _differences(wide: _Wide, controls: Controls) -> Iterator[tuple[float, float, Difference, NDArray[np.intp]]]:
    """Each group and wave with its difference in differences and the units that it rests on."""
    for group in np.unique(wide.started[wide.started > 0]):
        last_before = int(np.searchsorted(wide.periods, group)) - 1
        for now in range(1, len(wide.periods)):
            base = min(last_before, now - 1)
            treated = wide.started == group
            control = wide.started == 0
            if controls == "not-yet":
                control |= (wide.started > wide.periods[now]) & ~treated
            change = wide.outcome[:, now] - wide.outcome[:, base]
            known = np.isfinite(change) & np.isfinite(wide.covariates[:, base]).all(axis=1)
            used = np.flatnonzero((treated | control) & known)
            difference = doubly_robust(
                change=change[used], treated=treated[used], covariates=wide.covariates[used, base]
            )
            yield float(group), float(wide.periods[now]), difference, used


def _gather(wide: _Wide, found: list[tuple[float, float, Difference, NDArray[np.intp]]]) -> tuple[Cells, pd.DataFrame]:
    n = len(wide.started)
    kept = [entry for entry in found if not entry[2].reason]
    influence = np.zeros((n, len(kept)))
    for column, (_, _, difference, used) in enumerate(kept):
        influence[used, column] = difference.influence * n / len(used)
    cells = Cells(
        group=np.array([group for group, *_ in kept], dtype=float),
        period=np.array([now for _, now, *_ in kept], dtype=float),
        att=np.array([difference.att for _, _, difference, _ in kept], dtype=float),
        influence=influence,
        n_treated=np.array([difference.n_treated for _, _, difference, _ in kept], dtype=np.int64),
        n_controls=np.array([difference.n_controls for _, _, difference, _ in kept], dtype=np.int64),
        started=wide.started,
    )
    others = [(group, now, difference.reason) for group, now, difference, _ in found if difference.reason]
    return cells, pd.DataFrame(others, columns=["group", "period", "reason"])


def _widen(
    panel: pd.DataFrame, outcome: str, names: tuple[str, str, str], covariates: str | Sequence[str] | None
) -> _Wide:
    unit, period, first_treated = names
    _require(panel, [outcome, *names, *columns_used(covariates or [])])
    codes, units = pd.factorize(panel[unit])
    periods, waves = np.unique(panel[period].to_numpy(dtype=float), return_inverse=True)
    if not np.isfinite(periods).all() or (codes < 0).any():
        raise RapportError(f"Expected a {unit} and a {period} in every row of the panel.")
    if len(np.unique(codes * len(periods) + waves)) < len(panel):
        raise RapportError(f"Expected one row for each {unit} and {period}, found some twice.")
    started = _started(panel[first_treated].to_numpy(dtype=float, na_value=np.nan), codes, len(units), names)
    started = np.where(started > periods[-1:].max(initial=0), 0, started)
    started[started > 0] = periods[np.searchsorted(periods, started[started > 0])]
    wide_outcome = np.full((len(units), len(periods)), np.nan)
    wide_outcome[codes, waves] = panel[outcome].to_numpy(dtype=float, na_value=np.nan)
    columns = _columns(panel, covariates)
    wide_columns = np.full((len(units), len(periods), columns.shape[1]), np.nan)
    wide_columns[codes, waves] = columns
    kept = (started == 0) | (started > periods[:1].max(initial=0))
    kept &= np.isfinite(wide_outcome).sum(axis=1) > 1
    return _Wide(
        periods=periods,
        started=started[kept],
        outcome=wide_outcome[kept],
        covariates=wide_columns[kept],
        n_set_aside=int((~kept).sum()),
    )


def _columns(panel: pd.DataFrame, covariates: str | Sequence[str] | None) -> Floats:
    """Model columns a row, the constant first and the others standardised; NaN where a covariate is missing."""
    if covariates is None or not len(covariates):
        return np.ones((len(panel), 1))
    _, columns = model_matrix(panel, covariates)
    columns[panel[columns_used(covariates)].isna().any(axis=1).to_numpy()] = np.nan
    spread = np.nanstd(columns[:, 1:], axis=0)
    columns[:, 1:] = (columns[:, 1:] - np.nanmean(columns[:, 1:], axis=0)) / np.where(spread > 0, spread, 1)
    return columns


def _started(first: Floats, codes: NDArray[np.intp], n: int, names: tuple[str, str, str]) -> Floats:
    started = np.zeros(n)
    started[codes] = first
    if not np.isfinite(first).all() or (first < 0).any() or not np.array_equal(started[codes], first):
        raise RapportError(f"Expected one {names[2]} for each {names[0]}, 0 for never, the same in all of its rows.")
    return started


def _require(panel: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in panel.columns]
    if missing:
        raise RapportError(f"The panel has no column {missing[0]}; expected {', '.join(dict.fromkeys(columns))}.")
    if panel.empty:
        raise RapportError("The panel of engagement has no rows.")
