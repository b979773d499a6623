"""The short form of the business case's calibration, and that its checks would see what is wrong."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.claim import ASSOCIATED, CAUSAL
from tests.calibration.business_case import EFFECT, NAIVE, NONE, SMALL, Looked, looks, verdicts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("calibration")]
N = 400


@cache
def seen() -> tuple[Looked, ...]:
    return (*looks(range(1, 4), (EFFECT, NONE)), *looks(range(1, 21), (SMALL,)))


def test_the_business_case_is_right_as_often_as_it_says() -> None:
    table = verdicts(list(seen()))
    assert set(table["world"]) == {EFFECT, NONE, SMALL}
    assert table[~table["is_fine"]].to_dict("records") == []


def test_a_programme_of_80_mentees_cannot_tell_yet() -> None:
    small = [each for each in seen() if each.world == SMALL]
    assert np.mean([each.n_mentees for each in small]) == pytest.approx(80, abs=8)
    assert sum(each.retention.excludes_zero for each in small) <= 4
    assert any(not each.retention.is_answered for each in small)


def made(rng: np.random.Generator, world: str, *, too_sure: float = 1.0, off: float = 0.0) -> Looked:
    """What an estimator says that is as good as it claims, or too sure by a factor, or off by a number of errors."""

    def effect(truth: float, se: float, claim: str = CAUSAL) -> Effect:
        value = rng.normal(truth + off * se, se)
        half = 1.96 * se / too_sure
        return Effect(estimate=value, low=value - half, high=value + half, se=se, n=1, method="m", claim=claim)

    exits, points = (-0.023, 3.0) if world == EFFECT else (0.0, 0.0)
    none = cannot_tell("Only 3.", method="m", claim=ASSOCIATED)
    return Looked(
        world=world,
        n_mentees=80,
        truth=exits,
        naive=NAIVE,
        retention=none if world == SMALL else effect(exits, 0.006),
        other_exits=effect(0, 0.004, ASSOCIATED),
        mentors=effect(0, 0.006),
        engagement=effect(points, 0.2),
        engagement_truth=points,
    )


def wrong(looked: list[Looked]) -> set[tuple[str, str]]:
    table = verdicts(looked)
    return set(table.loc[~table["is_fine"], ["world", "check"]].itertuples(index=False, name=None))


def test_an_estimator_that_is_as_good_as_it_says_passes() -> None:
    rng = np.random.default_rng(2)
    assert wrong([made(rng, world) for world in (EFFECT, NONE, SMALL) for _ in range(N)]) == set()


def test_what_is_wrong_with_an_estimator_is_seen() -> None:
    rng = np.random.default_rng(3)
    sure = wrong([made(rng, world, too_sure=1.4) for world in (EFFECT, NONE) for _ in range(N)])
    covers = {"fewer exits", "other exits: none", "mentors: none", "engagement"}
    assert sure == {(world, check) for world in (EFFECT, NONE) for check in covers} | {(NONE, "false causal claims")}
    biased = wrong([made(rng, EFFECT, off=0.5) for _ in range(N)])
    assert {(EFFECT, "bias, exits"), (EFFECT, "bias, engagement")} <= biased
    honest = [replace(made(rng, EFFECT), naive=0.77) for _ in range(N)]
    assert wrong(honest) == {(EFFECT, "naive ratio")}
    loud = [replace(made(rng, SMALL), retention=made(rng, EFFECT, off=-3).retention) for _ in range(N)]
    assert wrong(loud) == {(SMALL, "cannot tell yet")}


def test_a_claim_that_is_no_causal_one_is_no_false_one() -> None:
    rng = np.random.default_rng(4)
    shy = [made(rng, NONE, too_sure=1.4) for _ in range(N)]
    shy = [replace(each, retention=replace(each.retention, claim=ASSOCIATED)) for each in shy]
    assert (NONE, "false causal claims") not in wrong(shy)
    assert (NONE, "fewer exits") in wrong(shy)
