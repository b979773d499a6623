"""Leaving mentors out by subtraction is leaving them out, and the jackknife's interval holds the truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.disclosure.thresholds import Thresholds
from pipeline.evidence.left_out import EFFECTS, Design, components_left_out
from pipeline.evidence.reliability import Reliability, reliability
from pipeline.instrument import generalizability

PERSON, ROUND, ITEM, PERSON_ROUND, ERROR = 14.0, 3.0, 6.0, 8.0, 16.0
N_PROGRAMMES = 60


def long(rng: np.random.Generator, n: int, *, rounds: int = 4, items: int = 5, asked: int = 3) -> pd.DataFrame:
    """Rotating answers of people, four in five of whom answer a round; two pairings a mentor."""
    person, number, item = np.meshgrid(np.arange(n), np.arange(rounds), np.arange(items), indexing="ij")
    dealt = rng.random((n, rounds, items)).argsort(axis=2).argsort(axis=2) < asked
    answers = (rng.random((n, rounds, 1)) < 0.8) & dealt
    points = 50 + PERSON * rng.standard_normal(n)[:, None, None] + ROUND * rng.standard_normal(rounds)[None, :, None]
    points = points + ITEM * rng.standard_normal(items) + PERSON_ROUND * rng.standard_normal((n, rounds, 1))
    points = points + ERROR * rng.standard_normal((n, rounds, items))
    rows = {
        "pairing_id": person[answers], "round_number": number[answers] + 1, "question_id": item[answers],
        "points": points[answers], "person_id": person[answers], "mentor_id": person[answers] // 2,
    }  # fmt: skip
    said = pd.DataFrame(rows).assign(side="mentee")
    ids = ("pairing_id", "question_id", "person_id", "mentor_id")
    return said.assign(**{name: said[name].map("{:04}".format).astype("category") for name in ids})


def by_generalizability(said: pd.DataFrame) -> list[float]:
    found = generalizability(
        said, person="pairing_id", round="round_number", item="question_id", value="points",
        method="sums of squares", with_nested=False,
    )  # fmt: skip
    return [found.components[name] for name in EFFECTS]


def test_components_without_a_group_are_those_of_the_other_rows() -> None:
    said = long(np.random.default_rng(1), 30)
    person = said["pairing_id"].cat.codes.to_numpy().astype(np.int64)
    number, item = (pd.factorize(said[name], sort=True)[0].astype(np.int64) for name in ("round_number", "question_id"))
    group = np.arange(30) % 7
    found = components_left_out(
        Design(person=person, round=number, item=item, value=said["points"].to_numpy(), group=group)
    )
    assert found[-1] == pytest.approx(by_generalizability(said), rel=1e-9)
    for one in range(7):
        assert found[one] == pytest.approx(by_generalizability(said[group[person] != one]), rel=1e-9)


def estimated(seed: int) -> tuple[Reliability, float, float]:
    """What was found in a made-up programme, and the truth for as much as people answered there."""
    said = long(np.random.default_rng(seed), 60)
    found = reliability(said, Thresholds().staying_n)
    n_forms = len(said.drop_duplicates(["pairing_id", "round_number"]))
    n_items, n_rounds = len(said) / n_forms, n_forms / said["pairing_id"].nunique()
    noise = ERROR**2 / n_items
    level = PERSON**2 / (PERSON**2 + noise / n_rounds)
    return found, level, PERSON_ROUND**2 / (PERSON_ROUND**2 + noise)


def test_intervals_hold_the_truth_about_95_times_in_a_hundred() -> None:
    held = {"level": 0, "change": 0}
    for seed in range(N_PROGRAMMES):
        found, level, change = estimated(seed)
        held["level"] += found.level[1] <= level <= found.level[2]
        held["change"] += found.change[1] <= change <= found.change[2]
        assert found.level[1] < found.level[0] < found.level[2]
    for n in held.values():
        assert stats.binomtest(n, N_PROGRAMMES, 0.95).pvalue > 0.01


def test_half_as_wide_an_interval_would_be_found_out() -> None:
    """The check above can fail: intervals of half the width do not hold the truth often enough."""
    held = 0
    for seed in range(N_PROGRAMMES):
        found, level, _ = estimated(seed)
        value, low, high = found.level
        held += value - (value - low) / 2 <= level <= value + (high - value) / 2
    assert stats.binomtest(held, N_PROGRAMMES, 0.95).pvalue < 0.01


def test_nineteen_people_have_no_reliability() -> None:
    said = long(np.random.default_rng(2), 40)
    kept = said["person_id"].cat.codes < 19
    assert np.isnan(reliability(said[kept], 20).level).all()
    assert np.isfinite(reliability(said[said["person_id"].cat.codes < 26], 20).level).all()
