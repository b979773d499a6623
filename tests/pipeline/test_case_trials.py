"""Sequential trials: tables as text, weights against statsmodels, and size."""

import numpy as np
import pandas as pd
import pytest

from pipeline.business_case.trials import censoring_weights, cumulative_weight, expand_trials, person_trials

NAMES = {"person": "who", "period": "month", "eligible": "open", "treatment": "in", "outcome": "left"}


def panel(text: str) -> pd.DataFrame:
    """Rows "who month open in left"."""
    rows = [line.split() for line in text.strip().splitlines()]
    table = pd.DataFrame(rows, columns=["who", "month", "open", "in", "left"])
    return table.astype({"month": int, "open": int, "in": int, "left": int})


THREE = """
Ben  0 1 0 0
Ben  1 1 1 0
Ben  2 0 1 1
Ada  3 1 0 0
Ada  4 1 0 2
Ada  5 1 0 0
Cleo 0 0 0 0
"""


def lines(expanded: pd.DataFrame) -> list[str]:
    columns = ["person", "trial_period", "followup_time", "assigned", "treatment", "outcome"]
    return [" ".join(str(value) for value in row) for row in expanded[columns].itertuples(index=False)]


def test_every_eligible_month_starts_a_trial_that_keeps_its_assignment() -> None:
    """Ben is a control of month 0 though he joins in month 1; Ada's follow-up ends with her exit; Cleo is in none."""
    found = expand_trials(panel(THREE).sample(frac=1, random_state=1), **NAMES)
    assert lines(found) == [
        "Ada 3 0 0 0 0",
        "Ada 3 1 0 0 2",
        "Ada 4 0 0 0 2",
        "Ada 5 0 0 0 0",
        "Ben 0 0 0 0 0",
        "Ben 0 1 0 1 0",
        "Ben 0 2 0 1 1",
        "Ben 1 0 1 1 0",
        "Ben 1 1 1 1 1",
    ]


def test_per_protocol_stops_before_the_switch_and_baseline_is_of_the_first_month() -> None:
    rows = panel(THREE).assign(grade=lambda table: table["month"] * 10)
    found = expand_trials(rows, **NAMES, until_switch=True, baseline=["grade"])
    ben = found[found["person"] == "Ben"]
    assert lines(ben) == ["Ben 0 0 0 0 0", "Ben 1 0 1 1 0", "Ben 1 1 1 1 1"]
    assert ben["grade"].to_list() == [0, 10, 10]


def test_follow_up_time_is_time_and_not_a_count_of_rows() -> None:
    found = expand_trials(panel("Eve 2 1 0 0\nEve 5 0 0 1"), **NAMES)
    assert found["followup_time"].to_list() == [0, 3]


def test_twenty_thousand_people_over_four_years_fit_into_four_gigabytes() -> None:
    """A tenth of the people here: 2,352,000 rows; the ten tenths weigh as much each."""
    people, months = 2_000, 48
    month = np.tile(np.arange(months), people)
    rows = pd.DataFrame({"who": np.repeat(np.arange(people), months), "month": month})
    found = expand_trials(rows.assign(open=True, left=0, **{"in": False}), **NAMES)
    assert len(found) == people * months * (months + 1) // 2
    assert 10 * found.memory_usage(index=False).sum() < 4e9


def test_one_row_a_trial_agrees_with_the_trials_written_out() -> None:
    """The short form's outcome at 4 months is what the expanded rows show within 4 months."""
    rng = np.random.default_rng(3)
    people, months, horizon = 300, 12, 4
    joined = np.cumsum(rng.random((people, months)) < 0.08, axis=1) > 0
    exits = np.where(rng.random((people, months)) < 0.08, rng.integers(1, 3, (people, months)), 0)
    gone = np.cumsum(exits > 0, axis=1) - (exits > 0) > 0
    starts = joined & ~np.column_stack([np.zeros(people, bool), joined[:, :-1]])
    rows = pd.DataFrame(
        {
            "person": np.repeat(np.arange(people), months),
            "month": np.tile(np.arange(months), people),
            "employed": ~gone.ravel(),
            "eligible": (~gone & (~joined | starts)).ravel(),
            "in": joined.ravel(),
            "starts": (starts & ~gone).ravel(),
            "exit": np.where(gone, 0, exits).ravel(),
        }
    ).sample(frac=1, random_state=2)
    before = (rows["in"] & ~rows["starts"]).to_numpy()
    short = person_trials(rows, starts="starts", before=before, horizon=horizon)
    assert not short["is_lost"].any()
    names = {"person": "person", "period": "month", "eligible": "eligible", "treatment": "in", "outcome": "exit"}
    long = expand_trials(rows[rows["employed"]], **names)
    long = long[(long["followup_time"] < horizon) & (long["trial_period"] <= months - horizon)]
    expected = long.groupby(["person", "trial_period"]).agg(assigned=("assigned", "max"), cause=("outcome", "max"))
    who = rows["person"].to_numpy()[short["row"].to_numpy()]
    found = short.assign(person=who).set_index(["person", "trial_month"]).sort_index()
    assert len(found) == len(expected)
    assert (found["is_treated"].to_numpy() == expected["assigned"].to_numpy()).all()
    assert (found["cause"].to_numpy() == expected["cause"].to_numpy()).all()
    assert found["is_treated"].sum() > 50


def test_who_leaves_the_rows_without_an_exit_is_lost() -> None:
    rows = pd.DataFrame(
        {
            "person": ["Ada"] * 4 + ["Ben"] * 2 + ["Dan"] * 4 + ["Eve"] * 4,
            "month": [0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 0, 1, 2, 3],
            "employed": [True] * 4 + [True] * 2 + [True, True, True, False] + [True, True, False, False],
            "exit": [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0],
        }
    ).assign(eligible=True, starts=False)
    found = person_trials(rows, starts="starts", before=np.zeros(14, bool), horizon=3)
    ada, ben, dan, eve = (found[found["person"] == code] for code in range(4))
    assert (eve["trial_month"].to_list(), eve["is_lost"].to_list()) == ([0, 1], [True, True])
    later = person_trials(rows, starts="starts", before=np.arange(14) == 0, horizon=3)
    assert later.loc[later["person"] == 0, "trial_month"].to_list() == [1]
    assert (ada["trial_month"].to_list(), ada["is_lost"].to_list()) == ([0, 1], [False, False])
    assert (ben["trial_month"].to_list(), ben["is_lost"].to_list()) == ([0, 1], [True, True])
    assert (dan["cause"].to_list(), dan["is_lost"].to_list()) == ([2, 2], [False, False])


def lossy(n: int = 4000, seed: int = 1) -> pd.DataFrame:
    """Two months; the ill are lost more often after the first; treatment splits the models."""
    rng = np.random.default_rng(seed)
    ill = rng.random(n) < 0.4
    treated = rng.random(n) < 0.5
    lost = rng.random(n) < np.where(ill, 0.5, 0.1)
    first = pd.DataFrame({"who": np.arange(n), "month": 0, "ill": ill, "in": treated, "lost": lost})
    return pd.concat([first, first[~lost].assign(month=1, lost=False)], ignore_index=True)


def test_weights_bring_back_who_was_lost() -> None:
    """Share of ill: 40 %; among those left 27 %; weighted 40 % again, for the weights sum to what was there."""
    rows = lossy()
    first = rows[rows["month"] == 0]
    names = {"person": "who", "period": "month", "treatment": "in", "censored": "lost"}
    found = censoring_weights(first, **names, numerator=[], denominator=["ill"])
    assert set(found.models) == {"num", "den0"}  # nobody was treated before the first month
    stayed = ~first["lost"].to_numpy()
    ill = first["ill"].to_numpy()
    assert ill[stayed].mean() < 0.32
    weight = found.weight.to_numpy()[stayed]
    assert np.average(ill[stayed], weights=weight) == pytest.approx(ill.mean(), abs=1e-6)
    assert weight.mean() == pytest.approx(1.0, abs=1e-6)


def test_models_split_by_the_month_before_and_agree_with_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    rows = lossy(3000)
    rows["lost"] |= (rows["month"] == 1) & (rng.random(len(rows)) < np.where(rows["ill"], 0.3, 0.15))
    names = {"person": "who", "period": "month", "treatment": "in", "censored": "lost"}
    shuffled = rows.sample(frac=1, random_state=4)
    found = censoring_weights(shuffled, **names, numerator=[], denominator="ill", pool="none")
    assert set(found.models) == {"num0", "num1", "den0", "den1"}
    assert found.weight.index.equals(shuffled.index)
    after = rows[(rows["month"] == 1) & rows["in"]]
    other = sm.Logit(1.0 - after["lost"], sm.add_constant(after["ill"].astype(float))).fit(disp=0)
    assert found.models["den1"].to_numpy() == pytest.approx(other.params.to_numpy(), abs=1e-7)
    expected = (1 - after["lost"].mean()) / other.predict()
    assert found.weight.loc[after.index].to_numpy() == pytest.approx(expected, abs=1e-7)


def test_weights_multiply_along_each_trial() -> None:
    rows = panel(THREE).assign(weight=[1.5, 2.0, 3.0, 5.0, 0.5, 7.0, 1.0])
    expanded = expand_trials(rows, **NAMES)
    found = cumulative_weight(expanded, rows, person="who", period="month", weight="weight")
    assert found == pytest.approx([1, 0.5, 1, 1, 1, 2, 6, 1, 3])


def test_a_gap_in_a_censoring_model_is_refused() -> None:
    rows = lossy(100).assign(ill=np.nan)
    with pytest.raises(ValueError, match="are missing"):
        censoring_weights(
            rows, person="who", period="month", treatment="in", censored="lost", numerator=[], denominator=["ill"]
        )
