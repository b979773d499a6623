"""The short form of `make calibrate`: coverage, false findings and power at the counts that fit the suite."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from scipy import stats

from pipeline.published import calibration
from tests.calibration.coverage import intervals
from tests.calibration.findings import item_made_changes
from tests.calibration.programmes import Plan, make
from tests.calibration.table import FOUND_AT, ROUNDS, SIZES, false_flags, found, true_flags, verdicts
from tests.calibration.workers import Count, Counts, counted

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("calibration")]

NARROW = "narrow "
KINDS = {
    "actor effect",
    "consistency",
    "gap agreement",
    "gaps beyond noise",
    "goal agreement",
    "goal attainment",
    "good days together",
    "group mean",
    "growth a round",
    "partner effect",
    "perception gap",
    "programme mean",
    "share of goals",
    "tipping point",
    "weighted mean",
}


def held_and_narrowed(size: int, place: int, rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Each interval as it is, and cut to seven tenths about its middle, as an estimator that is too sure would."""
    plan = Plan(n_pairings=size, n_rounds=ROUNDS[place % len(ROUNDS)], gap=float(rng.normal(0, 4)))
    for kind, low, truth, high in intervals(make(plan, rng)):
        if np.isfinite(low) and np.isfinite(high):
            yield kind, bool(low <= truth <= high)
            yield NARROW + kind, bool(abs(truth - (low + high) / 2) <= 0.7 * (high - low) / 2)


@cache
def coverage() -> Counts:
    return counted(held_and_narrowed, SIZES, 20, seed=3)


def test_every_interval_holds_the_truth_as_often_as_it_says() -> None:
    table = verdicts({cell: count for cell, count in coverage().items() if not cell[0].startswith(NARROW)})
    assert set(table["kind"]) == KINDS
    assert table[~table["is_compatible"]].to_dict("records") == []


def test_intervals_of_estimators_that_are_too_sure_are_caught() -> None:
    narrowed = {
        (kind.removeprefix(NARROW), size): count for (kind, size), count in coverage().items() if kind[0:7] == NARROW
    }
    table = verdicts(narrowed)
    assert {"group mean", "goal attainment"} <= set(table.loc[~table["is_compatible"], "kind"])


def test_cells_that_are_too_narrow_or_too_wide_are_caught_and_wide_by_design_only_where_declared() -> None:
    narrow, wide, fine = Count(held=870, n=1000), Count(held=990, n=1000), Count(held=948, n=1000)
    table = verdicts(
        {
            ("perception gap", 60): narrow,
            ("programme mean", 300): wide,
            ("programme mean", 8): wide,
            ("group mean", 8): narrow,
            ("group mean", 300): fine,
        }
    )
    assert dict(zip(zip(table["kind"], table["pairings"], strict=True), table["is_compatible"], strict=True)) == {
        ("group mean", 8): False,
        ("group mean", 300): True,
        ("perception gap", 60): False,
        ("programme mean", 8): True,
        ("programme mean", 300): False,
    }


def test_what_is_not_there_is_rarely_found_and_what_is_planted_as_often_as_stated() -> None:
    false = counted(false_flags, FOUND_AT[:1], 60, seed=5)
    true = counted(true_flags, FOUND_AT, 16, seed=5)
    table = found({**{cell: Count(held=0, n=1) for cell in true}, **false}, true)
    assert set(table["finding"]) == {"trend", "gap", "actor", "partner", "change"}
    assert table.loc[~table["is_quiet"], "finding"].tolist() == []
    stated = {(cell["finding"], cell["pairings"]): cell["found"] for cell in calibration()["findings"]}
    below = [cell for cell, count in true.items() if is_below(count, stated[cell])]
    assert below == []


def is_below(count: Count, stated: float) -> bool:
    """Whether so few were found that the stated power cannot be right; looks at one programme go together."""
    return bool(stats.binomtest(count.held, count.n, stated, alternative="less").pvalue < 0.001)


def test_findings_that_come_from_nothing_and_power_that_is_not_reached_are_caught() -> None:
    noisy, quiet = Count(held=120, n=1000), Count(held=52, n=1000)
    false = {("trend", 60): noisy, ("gap", 60): quiet}
    table = found(false, {cell: Count(held=90, n=100) for cell in false})
    assert dict(zip(table["finding"], table["is_quiet"], strict=True)) == {"gap": True, "trend": False}
    assert is_below(Count(held=10, n=32), 0.8)
    assert not is_below(Count(held=24, n=32), 0.8)


@pytest.mark.parametrize("trend", [0.0, 1.5])
def test_a_rotation_of_easy_and_hard_questions_makes_no_trend(trend: float) -> None:
    """What the items make of a change is near 0, much nearer than in means of whichever items were asked."""
    changes = item_made_changes(30, 7, trend=trend)
    error = changes.std(ddof=1) / np.sqrt(len(changes))
    assert abs(changes["shown"].mean()) < 3 * error["shown"]
    assert changes["shown"].abs().mean() < 0.1
    assert changes["shown"].std() < 0.75 * changes["naive"].std()
    assert abs(changes["change"].mean() - 2 * trend) < 3 * error["change"]


def heads(size: int, place: int, rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    yield "heads", bool(rng.random() < 0.5)


def test_the_counts_are_the_same_whatever_the_number_of_workers() -> None:
    alone, shared = (counted(heads, (8, 20), 35, seed=1, n_workers=n) for n in (1, 2))
    assert alone == shared
    assert alone["heads", 8].n == 35
    assert alone != counted(heads, (8, 20), 35, seed=2)
