"""Nothing that is told, nor anything made of it, depends on what lies below the step of a mean."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pipeline.disclosure.coarsen import coarsened
from pipeline.disclosure.rounding import coarse, step_of
from pipeline.pooling import pool

few = settings(max_examples=25, deadline=None, derandomize=True)
OWN = {("trust", "mentor"), ("trust", "mentee"), ("fit", "both")}
ERROR = {"mentor": 4.3, "mentee": 2.2, "both": 3.1}


def row(value: float, side: str = "mentee", group: str = "all", se: float | None = None, **more: object) -> dict:
    error = ERROR[side] if se is None else se
    view = "all" if group == "all" else "department"
    where = {"metric": "trust", "view": view, "group": group, "side": side, "unit": "points"}
    return {**where, "value": value, "low": value - 2 * error, "high": value + 2 * error, "se": error, **more}


def table(rows: list[dict]) -> pd.DataFrame:
    return pd.DataFrame(rows)


def groups(values: list[tuple[float, float]]) -> pd.DataFrame:
    """Groups with a mentors' and a mentees' mean each, and both as the mean of the two."""
    rows = []
    for k, (mentor, mentee) in enumerate(values):
        sides = {"mentor": mentor, "mentee": mentee, "both": (mentor + mentee) / 2}
        rows += [row(value, side, f"g{k}") for side, value in sides.items()]
    return table(rows)


MEANS = some.lists(some.tuples(some.integers(2, 22), some.integers(2, 45)), min_size=2, max_size=5)
BELOW = some.floats(-0.45, 0.45)


@few
@given(MEANS, some.data())
def test_means_that_round_alike_give_the_same_told_and_pooled_numbers(
    steps: list[tuple[int, int]], data: some.DataObject
) -> None:
    def somewhere_within() -> pd.DataFrame:
        moved = [
            tuple(
                step_of(ERROR[side]) * (k + data.draw(BELOW))
                for side, k in zip(("mentor", "mentee"), each, strict=True)
            )
            for each in steps
        ]
        return coarsened(groups(moved), OWN)  # type: ignore[arg-type]

    one, other = somewhere_within(), somewhere_within()
    pd.testing.assert_frame_equal(one, other)
    shown = np.ones(len(one), dtype=bool)
    pd.testing.assert_frame_equal(pool(one, shown), pool(other, shown))


@few
@given(MEANS, some.data())
def test_both_is_the_mean_of_the_sides_as_they_are_told(steps: list[tuple[int, int]], data: some.DataObject) -> None:
    moved = [(4 * a + data.draw(BELOW), 2 * b + data.draw(BELOW)) for a, b in steps]
    told = coarsened(groups(moved), OWN).pivot(index="group", columns="side", values="value")
    assert told["both"].tolist() == pytest.approx(((told["mentor"] + told["mentee"]) / 2).tolist())


def test_a_number_of_pairings_is_told_in_steps_of_its_own() -> None:
    told = coarsened(table([row(51.4, "both", metric="fit")]), OWN).iloc[0]
    assert told["value"] == 51.0  # a step of 3


@few
@given(some.floats(0, 100), some.floats(0.1, 25))
def test_an_interval_grows_by_the_error_of_the_step(value: float, se: float) -> None:
    told = coarsened(table([row(value, se=se)]), OWN).iloc[0]
    step = step_of(se)
    assert told["value"] == coarse(value, step)
    assert told["se"] == pytest.approx(np.sqrt(se**2 + step**2 / 12))
    half = (told["high"] - told["low"]) / 2
    wide = 2 * told["se"]  # the row's interval is two errors either way
    assert wide - 1e-6 <= half <= wide + step_of(step / 4) + 1e-6
    assert (told["low"] + told["high"]) / 2 == pytest.approx(told["value"])
    assert wide >= 2 * se


def test_shares_and_empty_numbers_are_left_as_they_are() -> None:
    share = row(0.613, unit="share", metric="participation", se=float("nan"), low=0.4, high=0.8)
    nothing = row(float("nan"), se=float("nan"))
    told = coarsened(table([share, nothing]), OWN)
    pd.testing.assert_frame_equal(told, table([share, nothing]))


def test_the_groups_pooled_number_is_made_of_told_means() -> None:
    """As if the told means were all that the pool had ever seen."""
    told = coarsened(groups([(50.7, 61.3), (71.2, 44.4), (40.9, 52.6)]), OWN)
    pooled = pool(told, np.ones(len(told), dtype=bool))
    means = told[told["side"] == "mentee"]
    assert all(value % 2 == 0 for value in means["value"])
    own_alone = pool(means.reset_index(drop=True), np.ones(len(means), dtype=bool))
    assert pooled.loc[means.index, "value"].tolist() == own_alone["value"].tolist()
    assert pooled.loc[means.index, "value"].tolist() != means["value"].tolist()
