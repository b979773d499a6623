"""Counts, over made-up programmes, how often each kind of interval holds the truth. `make calibrate` prints it.

Every estimate that is computed counts, whether its number would be shown or not.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.dyads import perception_gap
from pipeline.measure import measure
from pipeline.metric import Facts, catalogue
from pipeline.pooling import pool
from pipeline.published import CALIBRATION
from pipeline.score import score
from surveys.questionnaire import ours
from tests.calibration.programmes import CONSTRUCT, GROUPS, SILENT, Made, Plan, make

SIZES = (8, 20, 60, 300)
ROUNDS = (2, 4, 6)
LEVEL = 0.95
Cell = tuple[str, int]  # kind of interval, pairings


@dataclass
class Count:
    """How many intervals held the truth, of how many."""

    held: int = 0
    n: int = 0

    def note(self, is_held: bool) -> None:
        self.held += is_held
        self.n += 1


def counted(n_programmes: int, seed: int) -> dict[Cell, Count]:
    """Coverage of every kind of interval, by size; `n_programmes` programmes a size."""
    counts: dict[Cell, Count] = defaultdict(Count)
    for size in SIZES:
        for number in range(n_programmes):
            rng = np.random.default_rng([seed, size, number])
            plan = Plan(n_pairings=size, n_rounds=ROUNDS[number % len(ROUNDS)], gap=float(rng.normal(0, 4)))
            made = make(plan, rng)
            for kind, low, truth, high in intervals(made):
                if np.isfinite(low):
                    counts[kind, size].note(low <= truth <= high)
    return dict(counts)


def intervals(made: Made) -> Iterator[tuple[str, float, float, float]]:
    """Kind, low, truth, high of every interval of the last round."""
    scored = score(made.rated, ours(), round_id=made.invited["round_id"].iloc[0], names=[CONSTRUCT])
    facts = Facts(invited=made.invited, scored=scored)
    metrics = {CONSTRUCT: catalogue()[CONSTRUCT]}
    asked = {CONSTRUCT: {"mentor", "mentee"}}
    measured = measure(facts, metrics, attributes=["department"], asked=asked).measured
    pooled = pool(measured, np.ones(len(measured), dtype=bool).tolist())
    for row in pooled[pooled["value"].notna()].itertuples():
        truth = _truth(made, row.view, row.side, row.group)
        if truth is not None:
            yield {"all": "programme mean", "department": "group mean"}[row.view], row.low, truth, row.high
    paired = scored.pivot(index="pairing_id", columns="side", values="score").dropna()
    if len(paired) >= 5:
        gap = perception_gap(scored, score="score", pairing="pairing_id", side="side", mentor="mentor_id")
        yield "perception gap", gap.low, float(np.mean(list(made.truth.gap.values()))), gap.high


def _truth(made: Made, view: str, side: str, group: str) -> float | None:
    if view == "department":
        return made.truth.group.get((side, group))
    # With departments that differ, the programme's mean is the mean of the people it has.
    if side == "both":
        return None
    own = made.invited[made.invited["side"] == side].drop_duplicates("person_id")
    return float(np.mean([made.truth.group[side, name] for name in own["department"]]))


def verdicts(counts: dict[Cell, Count]) -> pd.DataFrame:
    """One row a cell: coverage, exact binomial p for "compatible with 95 %", and whether Holm keeps it at 1 %.

    `is_wide` marks cells whose intervals are wider than they need be on purpose: under 20 people behind a number
    the spread is declared, because an own one would give away the answers, and people are counted in steps of
    five, rounded down. There only too little coverage counts against it.
    """
    rows = []
    for (kind, size), count in sorted(counts.items()):
        people = (1 - SILENT) * size / (len(GROUPS) if kind == "group mean" else 1)
        is_wide = people < 20
        test = stats.binomtest(count.held, count.n, LEVEL, alternative="less" if is_wide else "two-sided")
        rows.append((kind, size, count.n, count.held / count.n, is_wide, test.pvalue))
    table = pd.DataFrame(rows, columns=["kind", "pairings", "intervals", "coverage", "is_wide", "p"])
    ranked = table["p"].rank(method="first")
    table["is_compatible"] = table["p"] * (len(table) - ranked + 1) > 0.01
    return table


def gaps_found(n_programmes: int, seed: int, *, gap: float, size: int = 60) -> Count:
    """In how many programmes the interval of the perception gap leaves 0 out; departments do not differ."""
    count = Count()
    for number in range(n_programmes):
        rng = np.random.default_rng([seed, size, number])
        made = make(Plan(n_pairings=size, n_rounds=2, gap=gap, group_sd=0.0), rng)
        scored = score(made.rated, ours(), round_id="R2", names=[CONSTRUCT])
        found = perception_gap(scored, score="score", pairing="pairing_id", side="side", mentor="mentor_id")
        # The two sides' items differ in how easy they are; what is left of that is part of the true gap.
        truth = float(np.mean(list(made.truth.gap.values())))
        shift = truth - gap
        count.note(not found.low <= shift <= found.high)
    return count


def changes(n_programmes: int, seed: int, *, trend: float, size: int = 60) -> np.ndarray:
    """The mentees' change from the first to the third round, one a programme, as two releases would show it."""
    found = []
    for number in range(n_programmes):
        rng = np.random.default_rng([seed, number])
        rated = make(Plan(n_pairings=size, n_rounds=3, trend=trend, group_sd=0.0), rng).rated
        means = []
        for last in (1, 3):
            so_far = rated[rated["round_number"] <= last]
            scored = score(so_far, ours(), round_id=f"R{last}", names=[CONSTRUCT])
            means.append(scored.loc[scored["side"] == "mentee", "score"].mean())
        found.append(means[1] - means[0])
    return np.array(found)


def _write(table: pd.DataFrame, n_programmes: int, seed: int, false_gaps: float, found_gaps: float) -> None:
    """The table as the Method page shows it; `pipeline.published.calibration` reads it."""
    cells = [
        {"kind": row.kind, "pairings": row.pairings, "intervals": row.intervals, "coverage": round(row.coverage, 3)}
        for row in table.itertuples()
    ]
    whole = {
        "programmes": n_programmes,
        "seed": seed,
        "cells": cells,
        "false_gaps": round(false_gaps, 3),
        "found_gaps": round(found_gaps, 3),
    }
    CALIBRATION.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--programmes", type=int, default=1000, help="made-up programmes a size")
    words.add_argument("--seed", type=int, default=11)
    words.add_argument("--write", action="store_true", help="keep the table for the Method page")
    chosen = words.parse_args()
    table = verdicts(counted(chosen.programmes, chosen.seed))
    sys.stdout.write(table.to_string(index=False, float_format="%.3f") + "\n")
    sys.stdout.flush()
    nothing = gaps_found(chosen.programmes, chosen.seed, gap=0.0)
    planted = gaps_found(chosen.programmes, chosen.seed, gap=9.0)
    still, rising = (changes(chosen.programmes // 2, chosen.seed, trend=trend) for trend in (0.0, 1.5))
    sys.stdout.write(
        f"false gaps at 60 pairings: {nothing.held / nothing.n:.3f}; a gap of 9 points found: "
        f"{planted.held / planted.n:.3f}\n"
        f"change shown where there is none: {still.mean():.2f} (se {still.std() / np.sqrt(len(still)):.2f}); "
        f"where it is 3 points: {rising.mean():.2f}\n"
    )
    if chosen.write:
        _write(table, chosen.programmes, chosen.seed, nothing.held / nothing.n, planted.held / planted.n)
    is_quiet = stats.binomtest(nothing.held, nothing.n, 0.06, alternative="greater").pvalue > 0.01
    raise SystemExit(0 if table["is_compatible"].all() and is_quiet else 1)


if __name__ == "__main__":
    main()
