"""Group-time effects on panels whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from data.errors import RapportError
from pipeline.business_case.event_study import Average, band
from pipeline.business_case.group_time import GroupTime, group_time_att
from pipeline.business_case.two_by_two import doubly_robust
from pipeline.claim import ASSOCIATED, CAUSAL

NAMES = {"outcome": "score", "unit": "person", "period": "wave", "first_treated": "start"}
WAVES = (1, 2, 3, 4, 5)


def staggered(
    rng: np.random.Generator, *, sizes: dict[int, int], growth: float = 1.0, drift: float = 0.0, noise: float = 1.0
) -> pd.DataFrame:
    """Starters gain `growth` with every wave from their start on; `drift` a wave sets later starters apart before."""
    start = np.repeat(list(sizes), list(sizes.values()))
    level = rng.normal(size=len(start)) + (start > 0)
    rows = [
        pd.DataFrame(
            {
                "person": np.arange(len(start)),
                "wave": wave,
                "start": start,
                "score": level
                + 0.5 * wave
                + growth * np.where((start > 0) & (wave >= start), wave - start + 1, 0)
                + drift * wave * (start > 0)
                + noise * rng.normal(size=len(start)),
            }
        )
        for wave in WAVES
    ]
    return pd.concat(rows, ignore_index=True)


def estimate(panel: pd.DataFrame, **more: object) -> GroupTime:
    return group_time_att(panel, **NAMES, **more)


def small() -> pd.DataFrame:
    """Five start in wave 2, five never: changes 1…5 against 0…4 and 2…10 against 1, with a level that means nothing."""
    changes = {"starts": ([1, 2, 3, 4, 5], [2, 4, 6, 8, 10], 2), "never": ([0, 1, 2, 3, 4], [1, 1, 1, 1, 1], 0)}
    rows = [
        (f"{name}{place}", wave, 10 * place + change, start)
        for name, (second, third, start) in changes.items()
        for wave, moved in ((1, [0] * 5), (2, second), (3, third))
        for place, change in enumerate(moved)
    ]
    return pd.DataFrame(rows, columns=["person", "wave", "score", "start"])


def test_without_covariates_it_is_the_difference_of_two_mean_changes() -> None:
    """By hand: 3 − 2 in wave 2, 6 − 1 in wave 3; SE² = (Σ squares around the means)/25 a side."""
    found = estimate(small())
    assert found.table[["group", "period"]].to_numpy().tolist() == [[2, 2], [2, 3]]
    assert found.table["att"].tolist() == pytest.approx([1, 5])
    assert found.table["se"].tolist() == pytest.approx([np.sqrt(10 / 25 + 10 / 25), np.sqrt(40 / 25)])
    assert found.simple.estimate == pytest.approx(3)
    assert found.simple.low == pytest.approx(3 - stats.t.ppf(0.975, 4) * np.sqrt(5 / 4) * found.simple.se)
    assert found.event_study["event_time"].tolist() == [0, 1]
    assert not found.pre_trend.is_tested
    assert found.simple.claim == ASSOCIATED


def test_it_finds_growing_effects_that_two_way_fixed_effects_misses() -> None:
    """Everyone starts in the end, so early starters serve as controls of late ones in the regression, and their
    growth is taken off: the truth over starters and waves is 2.0, two-way fixed effects makes less than 0.7 of it."""
    panel = staggered(np.random.default_rng(1), sizes={2: 300, 4: 300, 9: 100}, noise=0.2)
    found = estimate(panel)
    assert found.controls == "not-yet"
    assert found.simple.estimate == pytest.approx((1 + 2 + 3 + 4 + 1 + 2) / 6, abs=0.1)
    assert found.event_study.set_index("event_time").loc[[0, 1, 2, 3], "att"].tolist() == pytest.approx(
        [1, 2, 3, 4], abs=0.1
    )
    assert found.dynamic.estimate == pytest.approx(2.5, abs=0.1)
    assert found.by_group.estimate == pytest.approx((2.5 + 1.5) / 2, abs=0.1)
    treated = (panel["wave"] >= panel["start"]).astype(float)
    within = [
        values - values.groupby(panel["person"]).transform("mean") - values.groupby(panel["wave"]).transform("mean")
        for values in (treated, panel["score"])
    ]
    assert (within[0] - within[0].mean()) @ within[1] / ((within[0] - within[0].mean()) ** 2).sum() < 1.4


def test_intervals_and_bands_cover() -> None:
    """200 panels of 120 people: coverage of the truth is compatible with 95 % (binomial, 1 %)."""
    rng = np.random.default_rng(2)
    covered = {"simple": 0, "dynamic": 0, "by_group": 0, "course": 0, "pre_trend": 0}
    truth = {"simple": 5 / 3, "dynamic": 2.0, "by_group": 1.75}
    for _ in range(200):
        found = estimate(staggered(rng, sizes={3: 25, 4: 25, 0: 70}), rng=rng)
        for name, value in {**truth, "simple": (1 + 2 + 3 + 1 + 2) / 5}.items():
            effect = getattr(found, name)
            covered[name] += effect.low <= value <= effect.high
        course = found.event_study
        right = np.maximum(course["event_time"] + 1, 0)
        covered["course"] += ((course["low"] <= right) & (right <= course["high"])).all()
        covered["pre_trend"] += found.pre_trend.p_small > 0.05
    low, high = stats.binom.ppf([0.005, 0.995], 200, 0.95)
    # A band is at least as wide as it says: more is no error.
    assert {name: n for name, n in covered.items() if not low <= n <= (200 if name == "course" else high)} == {}


def test_a_trend_that_differed_before_takes_the_causal_claim_away() -> None:
    sizes = {3: 200, 4: 200, 0: 300}
    parallel = estimate(staggered(np.random.default_rng(3), sizes=sizes))
    apart = estimate(staggered(np.random.default_rng(3), sizes=sizes, drift=0.5))
    assert parallel.simple.claim == CAUSAL
    assert parallel.pre_trend.df == 3
    assert apart.pre_trend.p < 0.001
    assert {apart.simple.claim, apart.dynamic.claim, apart.by_group.claim} == {ASSOCIATED}


@pytest.mark.parametrize("trend", ["linear", "curved"])
def test_covariates_are_doubly_robust(trend: str) -> None:
    """Who starts depends on x and so does the trend; with a curved trend only the propensity is right."""
    rng = np.random.default_rng(4)
    n = 6000
    x = rng.normal(size=n)
    treated = rng.random(n) < 1 / (1 + np.exp(-x))
    change = (2 * x if trend == "linear" else x**2 + 2 * x) + 1.0 * treated + rng.normal(size=n)
    plain = doubly_robust(change=change, treated=treated, covariates=np.ones((n, 1)))
    found = doubly_robust(change=change, treated=treated, covariates=np.column_stack([np.ones(n), x, 3 * x]))
    se = np.sqrt((found.influence**2).mean() / n)
    assert plain.att > 2
    assert abs(found.att - 1) < 3 * se
    assert 0.02 < se < 0.15
    assert found.influence.mean() == pytest.approx(0, abs=1e-10)


def test_only_the_outcome_model_is_right() -> None:
    rng = np.random.default_rng(5)
    n = 6000
    x = rng.normal(size=n)
    treated = rng.random(n) < 1 / (1 + np.exp(1.5 - x**2))
    x = np.column_stack([np.ones(n), x])
    change = 2 * x[:, 1] + treated + rng.normal(size=n)
    found = doubly_robust(change=change, treated=treated, covariates=x)
    assert abs(found.att - 1) < 3 * np.sqrt((found.influence**2).mean() / n)


def test_each_person_moves_the_estimate_by_their_influence() -> None:
    """Leaving one person of 300 out moves the estimate by influence/(n − 1), up to terms in 1/n²."""
    rng = np.random.default_rng(6)
    n = 300
    x = np.column_stack([np.ones(n), rng.normal(size=n)])
    treated = rng.random(n) < 1 / (1 + np.exp(-x[:, 1]))
    change = 2 * x[:, 1] ** 2 + treated + rng.normal(size=n)
    whole = doubly_robust(change=change, treated=treated, covariates=x)
    moved = np.array(
        [
            whole.att - doubly_robust(change=change[kept], treated=treated[kept], covariates=x[kept]).att
            for kept in (np.arange(n) != left_out for left_out in range(n))
        ]
    )
    assert moved * (n - 1) == pytest.approx(whole.influence, rel=0.2, abs=0.05 * whole.influence.std())


def test_categories_missing_covariates_and_formulas() -> None:
    rng = np.random.default_rng(7)
    panel = staggered(rng, sizes={3: 100, 0: 200})
    place = rng.choice(["north", "south"], 300)[panel["person"]]
    panel["score"] += np.where(place == "north", 0.3 * panel["wave"], 0)
    panel["place"] = pd.Categorical(place)
    listed, written = estimate(panel, covariates=["place"]), estimate(panel, covariates="~ place")
    assert listed.simple == written.simple
    assert listed.simple.estimate == pytest.approx(2, abs=0.4)
    panel.loc[panel["person"] < 20, "place"] = np.nan
    assert estimate(panel, covariates=["place"]).table["n_treated"].tolist() == [80] * 4


def test_people_who_miss_a_wave_count_where_they_were_measured() -> None:
    """Starters who scored low in wave 1 miss waves 4 and 5: the levels move by more than half a point, the changes of
    those measured in both waves do not."""
    panel = staggered(np.random.default_rng(8), sizes={3: 400, 0: 800}, noise=0.3)
    first = panel["person"].map(panel[panel["wave"] == 1].set_index("person")["score"])
    kept = panel[(first > first.median()) | (panel["start"] == 0) | (panel["wave"] < 4)]
    kept = kept[(kept["person"] % 50 > 0) | (kept["wave"] == 2)]
    found = estimate(kept)
    assert found.simple.estimate == pytest.approx(2, abs=0.1)
    mean = kept.groupby(["start", "wave"])["score"].mean()
    assert (mean[3, 4] - mean[3, 2]) - (mean[0, 4] - mean[0, 2]) > 2.2
    once = kept.groupby("person")["wave"].size()
    assert found.n + found.n_set_aside == len(once)
    assert found.n_set_aside == (once == 1).sum() == 24
    assert found.n_incomplete == ((once > 1) & (once < 5)).sum()
    assert found.table["n_treated"].max() < 400


def test_starts_before_between_and_after_the_waves() -> None:
    panel = staggered(np.random.default_rng(9), sizes={3: 50, 0: 100})
    early = panel["person"] % 10 == 0
    between = panel.assign(start=panel["start"].astype(float).where(panel["start"] == 0, 2.3))
    pd.testing.assert_frame_equal(estimate(between).table, estimate(panel).table)
    late = panel.assign(start=panel["start"].where(panel["start"] > 0, 99))
    pd.testing.assert_frame_equal(estimate(late).table, estimate(panel).table)
    aside = estimate(panel.assign(start=panel["start"].where(~early, 1)))
    assert (aside.n, aside.n_set_aside) == (135, 15)


def test_controls_are_chosen_or_given() -> None:
    panel = staggered(np.random.default_rng(10), sizes={3: 60, 5: 30, 0: 60})
    found = {given: estimate(panel, controls=given) for given in (None, "never", "not-yet")}
    assert found[None].controls == "never"
    assert found[None].table["n_controls"].tolist() == [60] * 8
    of_first = found["not-yet"].table.set_index(["group", "period"])["n_controls"]
    assert of_first[3].tolist() == [150 - 60, 90, 90, 60]
    assert of_first[5].tolist() == [120, 60, 60, 60]
    assert estimate(panel[(panel["start"] > 0) | (panel["person"] > 100)]).controls == "not-yet"


def test_what_cannot_be_estimated_is_said() -> None:
    panel = staggered(np.random.default_rng(11), sizes={3: 4, 4: 40, 0: 80})
    found = estimate(panel)
    assert set(found.left_out["group"]) == {3}
    assert found.left_out["reason"].unique().tolist() == ["fewer than 5 people on one side"]
    assert set(found.table["group"]) == {4}
    nothing = estimate(panel[panel["start"] != 4])
    assert not nothing.simple.is_answered
    assert "enough people" in nothing.simple.reason
    assert len(nothing.table) == len(nothing.event_study) == len(nothing.groups) == 0
    foretold = panel.assign(x=(panel["start"] == 4).astype(float))
    assert not estimate(foretold, covariates=["x"]).dynamic.is_answered
    flat = estimate(panel.assign(score=1.0))
    assert flat.simple.reason == "The outcome does not vary."


def test_departments_without_a_starter_say_nothing() -> None:
    """The Lab has no starter and its own trend: the answer is the one without the Lab. The Works have starters only."""
    panel = staggered(np.random.default_rng(13), sizes={3: 90, 0: 210})
    place = np.array(["Office", "Sales"])[panel["person"] % 2]
    place[panel["person"].between(150, 200)] = "Lab"
    panel = panel.assign(place=place, tenure=panel["person"] % 7)
    panel["score"] += np.where(place == "Lab", 5.0 * panel["wave"], 0)
    found = estimate(panel, covariates=["place", "tenure"])
    without = estimate(panel[panel["place"] != "Lab"], covariates=["place", "tenure"])
    columns = ["att", "se", "n_treated", "n_controls"]
    pd.testing.assert_frame_equal(found.table[columns], without.table[columns], rtol=1e-6)
    assert found.table["n_controls"].tolist() == [159] * 4
    works = panel.assign(place=np.where(panel["person"] < 9, "Works", place))
    assert set(estimate(works, covariates=["place"]).left_out["reason"]) == {
        "some who start resemble no control in the covariates"
    }


def test_thin_support_is_left_out() -> None:
    """Six of a thousand controls resemble those who start."""
    x = np.concatenate([np.full(200, 1.0), [1.0, 1.0, 1.0], np.zeros(1000), [0.0]])
    treated = np.arange(len(x)) < 200
    treated[-1] = True
    found = doubly_robust(change=x, treated=treated, covariates=np.column_stack([np.ones(len(x)), x]))
    assert found.reason == "too few controls resemble those who start"
    assert np.isnan(found.att)


def test_a_band_widens_with_few_units_and_many_rows() -> None:
    """One row needs 1.96 SE, five unrelated ones 2.57; four degrees of freedom and √(5/4) widen both."""
    influence = np.random.default_rng(14).normal(size=(4000, 5))
    widths = {}
    for rows in (1, 5):
        for freedom, inflation in ((1e9, 1.0), (4.0, np.sqrt(5 / 4))):
            five = Average(
                estimate=np.zeros(rows),
                influence=influence[:, :rows],
                freedom=np.full(rows, freedom),
                inflation=np.full(rows, inflation),
            )
            low, high, _ = band(five, np.random.default_rng(15))
            widths[rows, freedom] = ((high - low) / 2 / five.se).tolist()
    assert widths[1, 1e9] == pytest.approx([1.96], abs=0.12)
    assert widths[5, 1e9] == pytest.approx([2.57] * 5, abs=0.12)
    assert widths[1, 4.0] == pytest.approx([stats.t.ppf(0.975, 4) * np.sqrt(5 / 4)], rel=0.12)
    assert widths[5, 4.0] == pytest.approx([stats.t.ppf(1 - 0.0051, 4) * np.sqrt(5 / 4)] * 5, rel=0.12)


def test_the_bands_are_drawn_alike_and_are_wider_than_single_intervals() -> None:
    panel = staggered(np.random.default_rng(12), sizes={3: 200, 0: 300})
    first, second = estimate(panel), estimate(panel)
    pd.testing.assert_frame_equal(first.event_study, second.event_study)
    other = estimate(panel, rng=np.random.default_rng(99))
    assert other.event_study["low"].tolist() != first.event_study["low"].tolist()
    width = (first.event_study["high"] - first.event_study["low"]) / first.event_study["se"] / 2
    assert ((width > 2.2) & (width < 2.7)).all()  # five uncorrelated intervals would need 2.57


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda panel: panel.drop(columns="start"), "has no column start"),
        (lambda panel: pd.concat([panel, panel.head(1)]), "one row for each person and wave"),
        (lambda panel: panel.assign(start=panel["wave"]), "the same in all of its rows"),
        (lambda panel: panel.assign(start=np.nan), "0 for never"),
        (lambda panel: panel.assign(start=-panel["start"]), "0 for never"),
        (lambda panel: panel.assign(wave=np.nan), "a person and a wave in every row"),
        (lambda panel: panel.iloc[:0], "no rows"),
    ],
)
def test_what_is_no_panel_is_refused(change: object, sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        estimate(change(small()))
