"""Drawn places: fair, even, drawn again from the log; and what they did, from the draw alone."""

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from data.errors import RapportError
from pipeline.business_case.allocated import allocated_effect
from pipeline.business_case.allocation import Allocation, allocate, check
from pipeline.claim import ASSOCIATED, BY_DESIGN


def staff(n: int = 100) -> pd.DataFrame:
    """Of ten people five work in Sales, three in Works, two in the Lab."""
    department = np.array(["Sales"] * 5 + ["Works"] * 3 + ["Lab"] * 2)[np.arange(n) % 10]
    return pd.DataFrame({"person": [f"p{number:04d}" for number in range(n)], "department": department, "grade": "A"})


def drawn(people: pd.DataFrame, seed: int = 1, **more: object) -> Allocation:
    return allocate(people, **{"places": 40, "strata": ["department"], "seed": seed, **more})


def test_a_lottery_gives_every_stratum_its_share() -> None:
    table = drawn(staff()).table
    assert table.columns.tolist() == ["person", "stratum", "arm", "step"]
    counts = table.groupby(["stratum", "arm"]).size().unstack()
    assert counts["place"].to_dict() == {"Sales": 20, "Works": 12, "Lab": 8}
    assert table.groupby("arm")["step"].unique().map(list).to_dict() == {"place": [1], "no place": [0]}
    odd = drawn(staff(93), places=41).table
    share = odd[odd["arm"] == "place"].groupby("stratum").size() - odd.groupby("stratum").size() * 41 / 93
    assert (share.abs() < 1).all()
    assert (odd["arm"] == "place").sum() == 41


def test_everyone_has_the_same_chance() -> None:
    """7 of 20 in strata of 9, 6 and 5, drawn 600 times: each person's count is binomial(600, .35)."""
    people = staff(20).assign(department=["a"] * 9 + ["b"] * 6 + ["c"] * 5)
    draws = [drawn(people, seed, places=7).table for seed in range(600)]
    counts = sum((table.set_index("person")["arm"] == "place").astype(int) for table in draws)
    low, high = stats.binom.ppf([0.0005 / 20, 1 - 0.0005 / 20], 600, 0.35)
    assert counts.between(low, high).all()
    spread = (counts - 210).pow(2).sum() / (600 * 0.35 * 0.65)
    assert stats.chi2.cdf(spread, 19) > 0.001  # nor more even than chance


def test_the_draw_depends_on_seed_people_and_settings_and_not_on_the_order_of_rows() -> None:
    people = staff()
    first = drawn(people)
    again = drawn(people.sample(frac=1, random_state=3), seed=1)
    pd.testing.assert_frame_equal(first.table, again.table)
    assert first.log == again.log
    assert drawn(people, seed="1").digest == first.digest
    others = [drawn(people, seed=2), drawn(staff(101)), drawn(people, places=41), drawn(people, method="wait-list")]
    others += [drawn(people, strata=["grade"]), drawn(people.assign(department="Sales"))]
    assert len({one.digest for one in [first, *others]}) == 7
    arms = first.table["arm"].tolist()
    assert all(one.table["arm"].tolist()[:100] != arms for one in others)


def test_the_digest_can_be_made_with_any_tool() -> None:
    """Each text of the log and the sorted list with its length in bytes and a colon before it."""
    people = pd.DataFrame({"person": ["Ben", "Ada", "Cléo"], "department": "Lab"})
    found = allocate(people, places=1, strata=["department"], seed=7)
    text = "7:lottery1:11:11:710:department3:Ada3:Ben5:Cléo5:3:Lab5:3:Lab5:3:Lab"
    assert found.digest == hashlib.sha256(text.encode()).hexdigest()


def test_strata_of_two_columns_are_never_mistaken_for_others() -> None:
    people = staff(40).assign(a=["x y", "x"] * 20, b=["z", "y z"] * 20)
    found = allocate(people, places=20, strata=["a", "b"], seed=1)
    assert sorted(found.table["stratum"].unique()) == ["x / y z", "x y / z"]
    assert found.table.groupby("stratum")["step"].sum().tolist() == [10, 10]
    joined = allocate(people.assign(a="x y", b="z"), places=20, strata=["a", "b"], seed=1)
    assert joined.digest != found.digest


def test_a_wait_list_starts_everyone_in_two_steps() -> None:
    table = drawn(staff(), method="wait-list").table
    assert table.groupby("arm").size().to_dict() == {"place": 40, "waits": 60}
    assert set(zip(table["arm"], table["step"], strict=True)) == {("place", 1), ("waits", 2)}


def test_a_stepped_wedge_starts_everyone_in_even_steps() -> None:
    found = drawn(staff(103), method="stepped-wedge", places=30)
    assert found.steps == 4
    sizes = found.table["step"].value_counts()
    assert sorted(sizes.index) == [1, 2, 3, 4]
    assert sorted(sizes) == [25, 26, 26, 26]
    by_stratum = found.table.groupby(["stratum", "step"]).size().unstack()
    assert ((by_stratum.max(axis=1) - by_stratum.min(axis=1)) <= 2).all()
    assert (found.table["arm"] == "step " + found.table["step"].astype(str)).all()
    first_steps = [
        drawn(staff(12), seed, method="stepped-wedge", places=4).table.set_index("person")["step"]["p0003"]
        for seed in range(240)
    ]
    assert min(np.bincount(first_steps)[1:]) > 80 - 4 * np.sqrt(240 * 2 / 9)


@pytest.mark.parametrize("method", ["lottery", "wait-list", "stepped-wedge"])
def test_a_draw_is_checked_from_people_and_log(method: str) -> None:
    people = staff()
    found = drawn(people, method=method)
    assert check(found, people) == ()
    moved = found.table.copy()
    arms = moved["arm"].unique()[:2]
    chosen = [moved.index[moved["arm"] == arm][0] for arm in arms]
    moved.loc[chosen, ["arm", "step"]] = moved.loc[chosen[::-1], ["arm", "step"]].to_numpy()
    assert check(replace(found, table=moved), people) == ("2 people are not where the draw put them.",)
    assert check(found, people.assign(department="Lab"))[0].startswith("The people, their strata or the settings")
    assert check(replace(found, seed="2"), people)[0].startswith("The people")
    assert "1 people are in only one of the two lists." in check(found, people.iloc[1:])
    assert found.log["digest"] == found.digest
    assert found.log["people"] == 100


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"places": 100}, "nothing to draw"),
        ({"places": 0}, "at least one place"),
        ({"method": "favour"}, "no way to allocate"),
        ({"steps": 3}, "Only a stepped wedge has steps"),
        ({"method": "stepped-wedge", "steps": 2}, "do not fit into 2 steps of 40 places"),
        ({"method": "stepped-wedge", "steps": 1}, "two steps"),
        ({"strata": ["site"]}, "no column site"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        drawn(staff(), **change)


def test_people_come_once_and_with_their_strata() -> None:
    people = staff()
    with pytest.raises(RapportError, match="each person once"):
        drawn(pd.concat([people, people.head(1)]))
    people.loc[3, "department"] = None
    with pytest.raises(RapportError, match="a value for every stratum"):
        drawn(people)


def exits(allocation: Allocation, left: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"person": allocation.table["person"], "left": left})


def test_the_effect_is_a_difference_of_risks_within_strata_by_hand() -> None:
    """Strata of 4 + 4 and 2 + 6: differences .25 − .75 and 1 − .5, weights 2 and 1.5; Neyman's variances."""
    table = pd.DataFrame(
        {
            "person": [f"p{number}" for number in range(16)],
            "stratum": ["a"] * 8 + ["b"] * 8,
            "arm": ["place"] * 4 + ["no place"] * 4 + ["place"] * 2 + ["no place"] * 6,
            "step": [1] * 4 + [0] * 4 + [1] * 2 + [0] * 6,
        }
    )
    made = Allocation(table=table, method="lottery", places=6, steps=1, seed="1", strata=("stratum",), digest="by hand")
    left = np.array([1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0], dtype=float)
    found = allocated_effect(made, exits(made, left), outcome="left")
    w = np.array([2, 1.5]) / 3.5
    assert found.estimate == pytest.approx(w @ [-0.5, 0.5])
    variance = w**2 @ [0.25 / 4 + 0.25 / 4, 0 / 2 + 0.3 / 6]
    assert found.se == pytest.approx(np.sqrt(variance))
    assert found.high - found.estimate == pytest.approx(stats.t.ppf(0.975, 6 - 2) * found.se)
    assert found.details["mean_started"] == pytest.approx(w @ [0.25, 1])
    assert (found.details["n_started"], found.details["n_not_started"], found.n) == (6, 10, 16)
    assert found.claim == BY_DESIGN


def test_strata_too_small_to_compare_are_put_together() -> None:
    people = staff(40).assign(department=[f"d{number // 2}" for number in range(40)])
    made = allocate(people, places=20, strata=["department"], seed=1)
    left = (np.arange(40) % 3 == 0).astype(float)
    found = allocated_effect(made, exits(made, left), outcome="left")
    starts = (made.table["step"] == 1).to_numpy()
    assert found.estimate == pytest.approx(left[starts].mean() - left[~starts].mean())
    assert found.n == 40


def test_coverage_and_false_claims_of_a_drawn_lottery() -> None:
    """400 programmes, 160 people who differ by department, with and without an effect: 95 % and 5 % (binomial 1 %)."""
    rng = np.random.default_rng(5)
    covered = {0.0: 0, -0.1: 0}
    estimates = []
    for seed in range(200):
        made = drawn(staff(160), seed, places=80)
        base = made.table["stratum"].map({"Sales": 0.1, "Works": 0.2, "Lab": 0.3}).to_numpy()
        for truth in covered:
            left = rng.random(160) < np.maximum(base + 0.1 + truth * (made.table["step"] == 1).to_numpy(), 0)
            found = allocated_effect(made, exits(made, left.astype(float)), outcome="left")
            covered[truth] += found.low <= truth <= found.high
            estimates.append(found.estimate - truth)
    low, high = stats.binom.ppf([0.005, 0.995], 200, 0.95)
    assert low <= covered[0.0] <= high
    assert low <= covered[-0.1] <= high
    assert np.mean(estimates) == pytest.approx(0, abs=3 * np.std(estimates) / np.sqrt(400))


def wedge(seed: int, effect: float, rng: np.random.Generator) -> tuple[Allocation, pd.DataFrame]:
    """Everyone's score rises by 3 a period; who has started has `effect` more."""
    made = drawn(staff(60), seed, method="stepped-wedge", places=20)
    level = rng.normal(size=60)
    scores = [
        pd.DataFrame(
            {
                "person": made.table["person"],
                "wave": wave,
                "score": level + 3 * wave + effect * (made.table["step"] <= wave) + 0.5 * rng.normal(size=60),
            }
        )
        for wave in (1, 2, 3)
    ]
    return made, pd.concat(scores, ignore_index=True)


def test_a_stepped_wedge_is_compared_within_periods() -> None:
    """Before and after would find the rise of all (more than 2); the comparison within periods does not."""
    rng = np.random.default_rng(6)
    covered, estimates, naive = 0, [], []
    for seed in range(120):
        made, scores = wedge(seed, 0.5, rng)
        found = allocated_effect(made, scores, outcome="score", period="wave")
        covered += found.low <= 0.5 <= found.high
        estimates.append(found.estimate)
        started = scores["wave"] >= scores["person"].map(made.table.set_index("person")["step"])
        naive.append(scores.loc[started, "score"].mean() - scores.loc[~started, "score"].mean())
    low, high = stats.binom.ppf([0.005, 0.995], 120, 0.95)
    assert low <= covered <= high
    assert np.mean(estimates) == pytest.approx(0.5, abs=3 * np.std(estimates) / np.sqrt(120))
    assert np.mean(naive) > 2
    assert found.details["cells_left_out"] == 1  # in the last period nobody is left to compare with


def test_people_seen_on_both_sides_count_once_in_the_standard_error() -> None:
    """Against least squares with an intercept a period and SEs clustered by person, up to the factor n/(n − 1)."""
    made, scores = wedge(1, 0.5, np.random.default_rng(8))
    plain = replace(made, table=made.table.assign(stratum=""))
    found = allocated_effect(plain, scores, outcome="score", period="wave")
    used = scores[scores["wave"] < 3]
    started = (used["wave"] >= used["person"].map(made.table.set_index("person")["step"])).to_numpy(dtype=float)
    columns = np.column_stack([started, used["wave"] == 1, used["wave"] == 2]).astype(float)
    solved = np.linalg.lstsq(columns, used["score"].to_numpy(), rcond=None)[0]
    pulled = columns * (used["score"].to_numpy() - columns @ solved)[:, None]
    meat = pd.DataFrame(pulled).groupby(used["person"].to_numpy()).sum().to_numpy()
    bread = np.linalg.inv(columns.T @ columns)
    clustered = np.sqrt((bread @ meat.T @ meat @ bread)[0, 0])
    assert found.estimate == pytest.approx(solved[0])
    assert found.se == pytest.approx(clustered, rel=0.04)


def test_what_an_allocated_design_cannot_tell() -> None:
    made = drawn(staff(), method="stepped-wedge", places=50)
    rows = exits(made, np.zeros(100))
    with pytest.raises(RapportError, match="expected the period of each outcome"):
        allocated_effect(made, rows, outcome="left")
    with pytest.raises(RapportError, match="no column month"):
        allocated_effect(made, rows, outcome="left", period="month")
    with pytest.raises(RapportError, match="one outcome for each person"):
        allocated_effect(made, pd.concat([rows, rows]), outcome="left")
    lottery = drawn(staff())
    nobody = allocated_effect(lottery, exits(lottery, np.zeros(100)), outcome="left")
    assert nobody.reason == "The outcome does not vary within the drawn groups."
    late = allocated_effect(made, rows.assign(month=9), outcome="left", period="month")
    assert late.reason == "In no stratum and period had two people started and two not."


def test_unknown_outcomes_take_the_claim_of_the_design_away() -> None:
    made = drawn(staff())
    left = (np.arange(100) % 4 == 0).astype(float)
    rows = exits(made, left)
    assert allocated_effect(made, rows.iloc[:96], outcome="left").claim == BY_DESIGN
    some = allocated_effect(made, rows.assign(left=rows["left"].where(rows.index >= 8)), outcome="left")
    assert some.claim == ASSOCIATED
    assert some.details["unknown"] == pytest.approx(0.08)
    assert some.n == 92
    strangers = pd.concat([rows, pd.DataFrame({"person": ["Eve"], "left": [1.0]})])
    assert allocated_effect(made, strangers, outcome="left").n == 100
