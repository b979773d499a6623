"""Shrinkage against Efron & Morris's batting averages."""

import numpy as np

from pipeline.pooling import shrink
from tests.support.authority import agree

# Efron & Morris (1975), table 1: hits in the first 45 at bats of 18 players, Clemente first and Alvis last.
HITS = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]
AT_BATS = 45


def test_batting_averages() -> None:
    """James–Stein plugs one factor in, `shrink` averages over it; with 18 players they agree as printed."""
    seen = np.array(HITS) / AT_BATS
    se = np.sqrt(seen.mean() * (1 - seen.mean()) / AT_BATS)
    shrunk = shrink(seen, np.full(len(seen), se))["mean"].to_numpy()
    kept = float(np.polyfit(seen, shrunk, 1)[0])
    agree({"shrinkage factor c": kept, "JS Clemente": shrunk[0], "JS Alvis": shrunk[-1]}, "pipeline.pooling.shrink")
