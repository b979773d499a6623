"""Published answers that lie beside the checkout, for the tests that hold our numbers against them."""

import csv
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "reference"


def beside(name: str) -> Path:
    """A file of public data; skips with a reason where it is not there."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the public data {name} is not beside this checkout")
    return path


def published(function: str) -> dict[str, tuple[float, float]]:
    """statistic → published value, tolerance, of every row whose function starts with `function`."""
    with beside("published.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["function"].startswith(function)]
    found = {row["statistic"].strip(): (float(row["published"]), float(row["tolerance"])) for row in rows}
    assert len(found) == len(rows) > 0
    return found


def agree(found: dict[str, float], function: str) -> None:
    """Every published statistic of a function was computed, no other, and each lies within its tolerance."""
    expected = published(function)
    assert set(found) == set(expected)
    apart = {
        name: (found[name], value)
        for name, (value, tolerance) in expected.items()
        if not abs(found[name] - value) <= tolerance + 1e-12
    }
    assert apart == {}
