"""Shrinkage against published numbers, an independent integral, and known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from pipeline.pooling import pool, shrink

# Rubin (1981), eight schools: effect of coaching and its standard error.
SCHOOLS = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]


def test_the_eight_schools_come_out_as_published() -> None:
    """Posterior medians of Gelman et al. (2013), table 5.3, from 200 draws: hence the tolerance of 2.5."""
    shrunk = shrink(*SCHOOLS)
    assert shrunk["mean"].to_numpy() == pytest.approx([10, 8, 7, 7, 5, 6, 10, 8], abs=2.5)
    assert (shrunk["mean"].idxmax(), shrunk["mean"].idxmin()) == (0, 4)
    assert ((shrunk["low"] < shrunk["mean"]) & (shrunk["mean"] < shrunk["high"])).all()


def test_the_grid_agrees_with_adaptive_quadrature() -> None:
    value, error = (np.array(side, dtype=float) for side in SCHOOLS)

    def parts(tau: float) -> tuple[float, float]:
        total = error**2 + tau**2
        mu = (value / total).sum() / (1 / total).sum()
        likelihood = stats.norm.pdf(value, mu, np.sqrt(total)).prod() / np.sqrt((1 / total).sum())
        kept = tau**2 / total[0]
        return likelihood, kept * value[0] + (1 - kept) * mu

    weight = integrate.quad(lambda tau: parts(tau)[0] * 1e15, 0, 180, limit=400)[0]
    centre = integrate.quad(lambda tau: parts(tau)[0] * parts(tau)[1] * 1e15, 0, 180, limit=400)[0]
    assert shrink(value, error)["mean"][0] == pytest.approx(centre / weight, abs=0.02)


def test_few_groups_are_covered_where_a_plug_in_covers_too_little() -> None:
    """Eight groups whose true spread is about their standard error; coverage averaged over groups."""
    rng = np.random.default_rng(3)
    se, truth_sd, n_programmes = np.full(8, 5.6), 5.0, 250
    covered, covered_plug_in = [], []
    for _ in range(n_programmes):
        truth = 70 + truth_sd * rng.normal(size=8)
        seen = truth + se * rng.normal(size=8)
        shrunk = shrink(seen, se)
        covered.append(((shrunk["low"] <= truth) & (truth <= shrunk["high"])).mean())
        tau2 = max(0.0, seen.var(ddof=1) - se[0] ** 2)
        kept = tau2 / (tau2 + se**2)
        centre, half = kept * seen + (1 - kept) * seen.mean(), 1.96 * np.sqrt(kept) * se
        covered_plug_in.append((np.abs(truth - centre) <= half).mean())
    assert 0.92 < np.mean(covered) < 0.985
    assert np.mean(covered_plug_in) < 0.8


def test_p_above_is_even_for_equal_groups_and_follows_the_numbers() -> None:
    equal = shrink([70.0, 70.0, 70.0], [4.0, 4.0, 4.0])
    assert equal["p_above"].to_numpy() == pytest.approx([0.5] * 3)
    assert equal["mean"].to_numpy() == pytest.approx([70.0] * 3)
    apart = shrink(pd.Series({"north": 40.0, "south": 60.0, "west": 80.0}), [3.0, 3.0, 3.0])
    assert apart["p_above"].round(2).to_dict() == {"north": 0.0, "south": 0.5, "west": 1.0}


def test_a_single_group_keeps_its_number_and_its_interval() -> None:
    row = shrink([60.0], [5.0]).iloc[0]
    assert row["mean"] == pytest.approx(60.0)
    assert (row["low"], row["high"]) == pytest.approx((60 - 1.96 * 5, 60 + 1.96 * 5), abs=0.01)


def test_a_group_without_a_number_stays_without_one_and_changes_no_other() -> None:
    whole, holed = shrink([40.0, 60.0, 80.0], [5.0] * 3), shrink([40.0, np.nan, 60.0, 80.0], [5.0] * 4)
    assert holed.loc[1].isna().all()
    assert holed.loc[[0, 2, 3], "mean"].tolist() == whole["mean"].tolist()


def test_withheld_groups_take_no_part_in_what_is_shown() -> None:
    def measured(hidden: float) -> pd.DataFrame:
        rows = [("north", 40.0), ("south", 70.0), ("tiny", hidden)]
        frame = pd.DataFrame(rows, columns=["group", "value"])
        return frame.assign(metric="trust", view="department", side="mentee", unit="points", low=0.0, high=0.0, se=5.0)

    shown = [True, True, False]
    one, other = pool(measured(0.0), shown), pool(measured(100.0), shown)
    assert one.iloc[:2].equals(other.iloc[:2])
    assert 40 < one["value"][0] < one["value"][1] < 70
