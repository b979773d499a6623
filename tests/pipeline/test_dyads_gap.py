"""The perception gap and the response surface against hand-computed numbers, scipy and known truth."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols

from data.errors import RapportError
from pipeline.dyads import PerceptionGap, perception_gap, response_surface
from tests.support.simulated import is_compatible, long, shared_mentors


def gap_of(pairs: pd.DataFrame, **more: object) -> PerceptionGap:
    return perception_gap(pairs, score="y", pairing="pairing", side="side", **more)


def seen_apart(n_mentors: int, rng: np.random.Generator, gap: float = 5.0) -> pd.DataFrame:
    """Mentors see it 5 points better, some mentors much better than others."""
    mentor = shared_mentors(n_mentors, rng)
    truth = 60 + 8 * rng.normal(size=len(mentor))
    view = truth + gap + 8 * rng.normal(size=n_mentors)[mentor] + 6 * rng.normal(size=len(mentor))
    return long({"y": (view, truth + 6 * rng.normal(size=len(mentor)))}, mentor)


def test_the_gap_of_pairings_that_share_nobody_is_a_paired_t_test() -> None:
    pairs = long({"y": (np.array([80.0, 70, 90, 60]), np.array([70.0, 75, 70, 50]))}, np.arange(4))
    found = gap_of(pairs, sem=(5.0, 5.0))
    paired = stats.ttest_rel([80.0, 70, 90, 60], [70.0, 75, 70, 50]).confidence_interval()
    assert found.mean == pytest.approx(8.75)
    assert (found.low, found.high) == (pytest.approx(paired.low), pytest.approx(paired.high))
    assert found.noise == pytest.approx(1.96 * np.sqrt(50), abs=0.01)
    assert found.beyond == 0.25
    assert found.agreement == pytest.approx(stats.spearmanr([80, 70, 90, 60], [70, 75, 70, 50]).statistic)
    assert found.smallest_visible == pytest.approx((3.1824 + 0.9785) * found.se, rel=1e-4)
    assert (found.n_pairings, found.n_mentors) == (4, 4)


def test_turning_the_sides_turns_the_gap() -> None:
    pairs = seen_apart(20, np.random.default_rng(1))
    plain, turned = gap_of(pairs, mentor="mentor"), gap_of(pairs, mentor="mentor", sides=("mentee", "mentor"))
    assert (turned.mean, turned.low) == (pytest.approx(-plain.mean), pytest.approx(-plain.high))
    assert turned.agreement == pytest.approx(plain.agreement)
    assert plain.beyond is None


def test_gaps_beyond_noise_of_two_like_pairings_of_one_mentor_count_as_one_pairing() -> None:
    """30 pairings, 10 of them beyond: seen twice each, the share and what is known of it stay the same."""
    gap = np.where(np.arange(30) % 3 == 0, 40.0, 0.0)
    once, twice = gap, np.repeat(gap, 2)
    apart = gap_of(long({"y": (50 + once, np.full(30, 50.0))}, np.arange(30)), sem=(5.0, 5.0), mentor="mentor")
    shared = long({"y": (50 + twice, np.full(60, 50.0))}, np.repeat(np.arange(30), 2))
    together, alone = (gap_of(shared, sem=(5.0, 5.0), mentor=mentor) for mentor in ("mentor", None))
    assert apart.beyond == together.beyond == pytest.approx(1 / 3)
    assert (together.beyond_low, together.beyond_high) == pytest.approx(
        (apart.beyond_low, apart.beyond_high), abs=0.005
    )
    assert (apart.beyond_low, apart.beyond_high) == pytest.approx((0.192, 0.512), abs=0.001)  # Wilson, 10 of 30
    assert alone.beyond_high - alone.beyond_low < 0.75 * (together.beyond_high - together.beyond_low)


def test_gap_and_agreement_are_covered_where_mentors_are_shared() -> None:
    """A mentor's view colours all their pairings: intervals that overlook it cover too little."""
    rng = np.random.default_rng(3)
    agreement = 6 / np.pi * np.arcsin(64 / np.sqrt(164 * 100) / 2)
    n, covered, agreed, naive = 300, 0, 0, 0
    for _ in range(n):
        pairs = seen_apart(12, rng)
        found = gap_of(pairs, mentor="mentor")
        covered += found.low <= 5 <= found.high
        agreed += found.agreement_low <= agreement <= found.agreement_high
        alone = gap_of(pairs)
        naive += alone.low <= 5 <= alone.high
    assert is_compatible(covered, n, 0.95)
    assert agreed / n > 0.92
    assert naive < covered
    assert not is_compatible(naive, n, 0.95)


def test_the_smallest_visible_gap_is_seen_in_four_of_five_programmes() -> None:
    rng = np.random.default_rng(6)
    visible = float(np.median([gap_of(seen_apart(30, rng), mentor="mentor").smallest_visible for _ in range(60)]))
    seen, n = 0, 200
    for _ in range(n):
        seen += gap_of(seen_apart(30, rng, gap=visible), mentor="mentor").low > 0
    assert 0.7 < seen / n < 0.9


def test_a_side_that_never_varies_has_no_agreement() -> None:
    pairs = long({"y": (np.array([75.0, 75, 75, 75]), np.array([50.0, 75, 70, 50]))}, np.arange(4))
    assert np.isnan(gap_of(pairs).agreement)
    same = long({"y": (np.array([50.0, 60, 70, 80]),) * 2}, np.arange(4))
    assert gap_of(same).agreement == pytest.approx(1.0)


def test_one_mentor_alone_cannot_tell() -> None:
    pairs = seen_apart(10, np.random.default_rng(2))
    with pytest.raises(RapportError, match="two mentors or more"):
        gap_of(pairs.assign(mentor=1), mentor="mentor")
    with pytest.raises(RapportError, match="sides wife and husband"):
        gap_of(pairs, sides=("wife", "husband"))


def test_the_surface_is_a_polynomial_regression() -> None:
    """Estimates as statsmodels has them; its errors have n − 6 where maximum likelihood has n."""
    rng = np.random.default_rng(7)
    views = pd.DataFrame(rng.normal(size=(250, 2)), columns=["own", "other"])
    x, y = views["own"], views["other"]
    views["z"] = 3 + 0.5 * x + 0.2 * y - 0.4 * x * x + 0.6 * x * y - 0.3 * y * y + rng.normal(size=250)
    surface = response_surface(views, outcome="z", own="own", other="other")
    theirs = ols("z ~ own + other + I(own**2) + I(own*other) + I(other**2)", views).fit()
    assert surface.coefficients["estimate"].to_numpy() == pytest.approx(theirs.params.to_numpy())
    b = theirs.params.to_numpy()
    shape = [b[1] + b[2], b[3] + b[4] + b[5], b[1] - b[2], b[3] - b[4] + b[5], b[3] - b[5]]
    assert surface.table["estimate"].to_numpy() == pytest.approx(shape)
    contrast = theirs.t_test([0, 0, 0, 1, -1, 1])
    assert surface.a4 == pytest.approx(contrast.effect[0])
    assert surface.a4.se == pytest.approx(contrast.sd[0][0] * np.sqrt(244 / 250))
    assert surface.r_squared == pytest.approx(theirs.rsquared)
    assert surface.a4 < 0 < surface.a1
    assert surface.is_enough


def test_a_surface_survives_being_sent_to_another_process() -> None:
    views = pd.DataFrame({"own": np.tile([1.0, 2, 3, 4], 4), "other": np.repeat([1.0, 2, 3, 4], 4)})
    views["z"] = np.sin(views["own"]) * views["other"]
    surface = response_surface(views, outcome="z", own="own", other="other")
    again = pickle.loads(pickle.dumps(surface))
    assert (again.a1, again.a1.se) == (surface.a1, surface.a1.se)
    assert (surface.n, surface.is_enough) == (16, False)
    with pytest.raises(RapportError, match="three values"):
        response_surface(views.assign(own=views["own"] > 2), outcome="z", own="own", other="other")
