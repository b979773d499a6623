"""Counts, over made-up programmes, how often each kind of interval holds the truth. `make calibrate` prints it.

Every estimate that is computed counts, whether its number would be shown or not.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.disclosure.rounding import STEP
from pipeline.estimate import ENOUGH
from pipeline.published import CALIBRATION
from tests.calibration.coverage import intervals
from tests.calibration.findings import NOTHING, PLANTED, SIZE_OF, flags, item_made_changes
from tests.calibration.programmes import GROUPS, SILENT, Plan, make
from tests.calibration.workers import Counts, Noted, counted

SIZES = (8, 20, 60, 300)
ROUNDS = (2, 4, 6)
FOUND_AT = (60, 300)
LEVEL = 0.95
MOST_FALSE = 0.06
ALPHA = 0.01
# Kinds whose width is made of counts in steps of five at every size.
STEPPED = ("share of goals",)
DECLARED = ("programme mean", "group mean")
FLOORED = ("weighted mean", "tipping point")
MENTEES_OF_A_MENTOR = 2  # on average


def held(size: int, place: int, rng: np.random.Generator) -> Noted:
    """Whether each interval of one programme holds its truth; rounds go round, the gap is drawn."""
    plan = Plan(n_pairings=size, n_rounds=ROUNDS[place % len(ROUNDS)], gap=float(rng.normal(0, 4)))
    for kind, low, truth, high in intervals(make(plan, rng)):
        if np.isfinite(low) and np.isfinite(high):
            yield kind, bool(low <= truth <= high)


def false_flags(size: int, place: int, rng: np.random.Generator) -> Noted:
    """What is found in a programme in which there is nothing to find."""
    return flags(make(replace(NOTHING, n_pairings=size), rng))


def true_flags(size: int, place: int, rng: np.random.Generator) -> Noted:
    """What is found of all that was planted."""
    return flags(make(replace(PLANTED, n_pairings=size), rng))


def is_wide(kind: str, size: int) -> bool:
    """Whether these intervals are wider than they need be by design (confidentiality), so that only too little counts.

    Declared before any run: under 20 people on a side a mean's spread is declared and not seen (`estimate.ENOUGH`);
    sizes and shares enter in steps of five, rounded down, so that 9 people count as 5 and fewer than 5 as one; no
    interval is narrower than a spread of five points makes it (`measure.LEAST_SPREAD`). Which cells that widens was
    written down after runs had shown it: groups at 60 pairings (8 people, 96 %), and weighted means at 8 pairings,
    whose 4 mentors count as one (98 %; 97 % without the least spread). Such a cell says "at least 95 %".
    """
    if kind in FLOORED:
        return size / MENTEES_OF_A_MENTOR < STEP
    people = (1 - SILENT) * size / (len(GROUPS) if kind == "group mean" else 1)
    return kind in STEPPED or (kind in DECLARED and people < ENOUGH)


def verdicts(counts: Counts) -> pd.DataFrame:
    """One row a cell: coverage, exact binomial p for "compatible with 95 %", and whether Holm keeps it at 1 %."""
    rows = []
    for (kind, size), count in sorted(counts.items()):
        wide = is_wide(kind, size)
        test = stats.binomtest(count.held, count.n, LEVEL, alternative="less" if wide else "two-sided")
        rows.append((kind, size, count.n, count.share, wide, test.pvalue))
    table = pd.DataFrame(rows, columns=["kind", "pairings", "intervals", "coverage", "is_wide", "p"])
    table["is_compatible"] = _holm(table["p"])
    return table


def found(false: Counts, true: Counts) -> pd.DataFrame:
    """One row a finding and size: how often it is found where nothing is there, and where something was planted."""
    rows = []
    for (what, size), nothing in sorted(false.items()):
        test = stats.binomtest(nothing.held, nothing.n, MOST_FALSE, alternative="greater")
        rows.append((what, size, nothing.n, nothing.share, SIZE_OF[what], true[what, size].share, test.pvalue))
    columns = ["finding", "pairings", "looks", "false", "planted", "found", "p"]
    table = pd.DataFrame(rows, columns=columns)
    table["is_quiet"] = _holm(table["p"])
    return table


def _holm(p: pd.Series) -> pd.Series:
    """Whether each stays at 1 % over all: the smallest p is held to ALPHA / n, the next to ALPHA / (n − 1) …"""
    ordered = p.sort_values()
    is_kept = (ordered * np.arange(len(p), 0, -1) > ALPHA).cummax()
    return is_kept.reindex(p.index)


def _write(table: pd.DataFrame, findings: pd.DataFrame, n_programmes: int, seed: int) -> None:
    """The tables as the Method page shows them; `pipeline.published.calibration` reads them."""
    whole = {
        "programmes": n_programmes,
        "seed": seed,
        "cells": list(_cells(table, ["kind", "pairings", "intervals", "coverage", "is_wide"])),
        "findings": list(_cells(findings, ["finding", "pairings", "looks", "false", "planted", "found"])),
    }
    gap = findings[(findings["finding"] == "gap") & (findings["pairings"] == min(FOUND_AT))].iloc[0]
    whole |= {"false_gaps": round(float(gap["false"]), 3), "found_gaps": round(float(gap["found"]), 3)}
    CALIBRATION.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def _cells(table: pd.DataFrame, columns: list[str]) -> Iterator[dict[str, object]]:
    yield from json.loads(table[columns].round(3).to_json(orient="records"))


def _asked() -> argparse.Namespace:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--programmes", type=int, default=1000, help="made-up programmes a size")
    words.add_argument("--seed", type=int, default=11)
    words.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    words.add_argument("--write", action="store_true", help="keep the tables for the Method page")
    return words.parse_args()


def _say(table: pd.DataFrame) -> None:
    sys.stdout.write(table.to_string(index=False, float_format="%.3f") + "\n")
    sys.stdout.flush()


def main() -> None:
    asked = _asked()
    n, seed, n_workers = asked.programmes, asked.seed, asked.workers
    table = verdicts(counted(held, SIZES, n, seed, n_workers=n_workers))
    _say(table)
    false, true = (
        counted(look, FOUND_AT, some, seed, n_workers=n_workers)
        for look, some in ((false_flags, n), (true_flags, max(1, n // 4)))
    )
    findings = found(false, true)
    _say(findings)
    changes = item_made_changes(max(2, n // 10), seed, trend=0.0)
    _say(changes.describe().loc[["mean", "std"]].reset_index())
    if asked.write:
        _write(table, findings, n, seed)
    raise SystemExit(0 if table["is_compatible"].all() and findings["is_quiet"].all() else 1)


if __name__ == "__main__":
    main()
