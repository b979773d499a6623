"""Straight lines, ends of the scale, and questions that drift."""

import numpy as np
import pandas as pd
import pytest

from data.errors import RapportError
from pipeline.instrument import extremes, item_drift, longest_runs, straight_lining
from pipeline.instrument.drift import false_discovery

FORM = pd.DataFrame(
    {
        "heard": [4, 3, 5, None, 2],
        "asked": [4, 3, 1, 4, None],
        "clear": [4, 2, 1, 4, None],
        "kept": [4, None, 1, 4, 2],
    },
    index=["Ada", "Ben", "Cleo", "Dan", "Eve"],
)
LANGUAGE = ["en", "en", "de", "de", "de"]
COLUMNS = {"person": "who", "round": "when", "item": "item", "value": "said"}


def test_straight_lines_are_counted_among_those_who_answered_enough() -> None:
    """Ada says 4 four times, Dan three times; Eve answered twice only."""
    assert longest_runs(FORM).to_dict() == {"Ada": 4, "Ben": 2, "Cleo": 3, "Dan": 3, "Eve": 2}
    everybody = straight_lining(FORM).loc["all"]
    assert everybody.to_dict() == {"n": 4, "n_straight": 2, "share": 0.5, "longest_run": 4, "mean_longest_run": 3.0}
    by = straight_lining(FORM, by=LANGUAGE)
    assert by["share"].to_dict() == {"de": 0.5, "en": 0.5}
    assert straight_lining(FORM, least=2).loc["all", "n_straight"] == 3


def test_floor_and_ceiling_by_item_and_language() -> None:
    ends = extremes(FORM, lowest=1, highest=5)
    assert ends.loc[("heard", "all")].to_dict() == {"n": 4, "floor": 0.0, "ceiling": 0.25}
    assert ends.loc[("clear", "all"), "floor"] == 0.25
    by = extremes(FORM, lowest=1, highest=4, by=[*LANGUAGE[:4], None])
    assert by.loc[("kept", "de")].to_dict() == {"n": 2, "floor": 0.5, "ceiling": 0.5}
    assert by.loc[("heard", "de"), "n"] == 1


def rotating(rng: np.random.Generator, *, drift: float = 0.0, n: int = 80, n_asked: int = 4) -> pd.DataFrame:
    """Four rounds of six questions, easy to hard; levels rise, easy ones are asked later; q0 may drift in round 3."""
    who, when, item = (part.ravel() for part in np.indices((n, 4, 6)))
    level = np.repeat(rng.normal(size=(n, 4)) + 0.5 * np.arange(4), 6)
    said = level + np.linspace(-1.5, 1.5, 6)[item] + 0.8 * rng.normal(size=len(who))
    said = said + drift * ((item == 0) & (when == 3))
    ease = rng.random((n, 4, 6)) - 0.08 * np.arange(4)[:, None] * np.arange(6)
    asked = (ease.argsort(axis=2).argsort(axis=2) < n_asked).ravel()
    return pd.DataFrame({"who": who, "when": when, "item": [f"q{i}" for i in item], "said": said})[asked]


def test_drift_by_hand() -> None:
    """Two people, two items, two rounds without noise: `asked` gains 2 on `heard` from round 1 to round 2."""
    rows = [("Ada", 1, "heard", 3), ("Ada", 1, "asked", 3), ("Ada", 2, "heard", 3), ("Ada", 2, "asked", 5)]
    rows += [("Ben", 1, "heard", 1), ("Ben", 1, "asked", 1), ("Ben", 2, "heard", 4), ("Ben", 2, "asked", 6)]
    found = item_drift(pd.DataFrame(rows, columns=["who", "when", "item", "said"]), **COLUMNS)
    assert found["drift"].to_dict() == pytest.approx(
        {("asked", 1): -2, ("asked", 2): 2, ("heard", 1): 2, ("heard", 2): -2}
    )
    assert found["n"].tolist() == [2] * 4


def test_a_drifting_question_is_found_with_its_size() -> None:
    found = item_drift(rotating(np.random.default_rng(1), drift=1.0, n=300), **COLUMNS)
    assert found["p"].idxmin() == ("q0", 3)
    assert found.loc[("q0", 3), "is_flagged"]
    assert found.loc[("q0", 3), "low"] < 1.0 < found.loc[("q0", 3), "high"]


def test_rising_levels_and_a_rotation_from_hard_to_easy_are_no_drift() -> None:
    rng = np.random.default_rng(2)
    found = [item_drift(rotating(rng), **COLUMNS) for _ in range(60)]
    held = np.mean([((one["low"] <= 0) & (one["high"] >= 0)).mean() for one in found])
    assert 0.925 < held < 0.975
    assert np.mean([one["is_flagged"].any() for one in found]) < 0.14  # 99.5 % of samples of 60 at 5 %


def test_items_without_company_or_seen_once_have_no_drift() -> None:
    long = rotating(np.random.default_rng(3), n=20)
    alone = pd.DataFrame({"who": [1], "when": [9], "item": ["q1"], "said": [2.0]})
    once = pd.DataFrame({"who": range(20), "when": [0] * 20, "item": ["once"] * 20, "said": [1.0] * 20})
    found = item_drift(pd.concat([long, alone, once]), **COLUMNS)
    assert ("q1", 9) not in found.index
    assert np.isnan(found.loc[("once", 0), "drift"])
    with pytest.raises(RapportError, match="missing: said"):
        item_drift(long.drop(columns="said"), **COLUMNS)


def test_false_discovery_by_hand() -> None:
    assert false_discovery(np.array([0.01, np.nan, 0.04, 0.03])) == pytest.approx(
        [0.03, np.nan, 0.04, 0.04], nan_ok=True
    )
