"""Change against Jacobson & Truax (1991), the NIST handbook and Montgomery & Runger."""

import numpy as np

from pipeline.change import cusum, ewma, reliable_change
from tests.support.authority import agree

# NIST/SEMATECH e-Handbook 6.3.2.4: twenty values and the averages printed beside them.
NIST = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5]
NIST += [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
NIST_EWMA = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33]
NIST_EWMA += [50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99]
# Montgomery & Runger, example 16-6, tables 16-7 and 16-8.
CONCENTRATION = [102.0, 94.8, 98.3, 98.4, 102.0, 98.5, 99.0, 97.7, 100.0, 98.1]
CONCENTRATION += [101.3, 98.7, 101.1, 98.4, 97.0, 96.7, 100.3, 101.4, 97.2, 101.0]
S_H = [2.0, 0, 0, 0, 2.0, 0.5, 0, 0, 0, 0, 1.3, 0, 1.1, 0, 0, 0, 0.3, 1.7, 0, 1.0]
S_L = [0, 3.2, 2.9, 2.5, 0, 0, 0, 0.3, 0, 0, 0, 0, 0, 0, 1.0, 2.3, 0, 0, 0.8, 0]


def test_reliable_change() -> None:
    """One person from 47.5 to 32.5, SD 7.5, reliability .80: the published index counts a fall as gain."""
    index = reliable_change(before=32.5, after=47.5, sd=7.5, reliability=0.80).iloc[0]
    of_one = reliable_change(before=0.0, after=1.0, sd=7.5, reliability=0.80).iloc[0]
    agree({"SE": 1 / of_one / np.sqrt(2), "Sdiff": 1 / of_one, "RC": index}, "pipeline.change.reliable_change")


def test_ewma() -> None:
    chart = ewma(NIST, center=50, sigma=2.0539, lam=0.3, limit=3)
    last = chart.iloc[-1]
    agree(
        {
            "max |EWMA - printed| over 20 values": np.abs(chart["ewma"] - NIST_EWMA).max(),
            "UCL": last["ucl"],
            "LCL": last["lcl"],
            "last EWMA via pandas ewm(adjust=False)": last["ewma"],
        },
        "pipeline.change.ewma",
    )
    assert not chart["is_signal"].any()


def test_cusum() -> None:
    chart = cusum(CONCENTRATION, target=99, sigma=2, k=0.5, h=5)
    agree(
        {
            "max |S_H - printed|": np.abs(chart["s_h"] - S_H).max(),
            "max |S_L - printed|": np.abs(chart["s_l"] - S_L).max(),
        },
        "pipeline.change.cusum",
    )
    assert (chart["limit"] == 10).all()
    assert not chart["is_signal"].any()
