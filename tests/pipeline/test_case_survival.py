"""Staying and leaving over time against hand tables, published examples and known truth."""

import numpy as np
import pytest

from pipeline.business_case.survival import cumulative_incidence, incidence_curve, kaplan_meier, restricted_mean

# Freireich et al. (1963): weeks in remission, 21 patients on 6-MP (+ censored) and 21 on placebo.
DRUG = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
DRUG_EVENT = [1] * 9 + [0] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def test_remission_as_published() -> None:
    """Kalbfleisch & Prentice, The Statistical Analysis of Failure Time Data: S and Greenwood's SE of the 6-MP arm."""
    curve = kaplan_meier(duration=DRUG, event=DRUG_EVENT)
    steps = curve[curve["exits"] > 0].set_index("time")
    expected = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert steps["value"].to_dict() == pytest.approx(expected, abs=6e-4)
    assert steps["at_risk"].to_list() == [21, 17, 15, 12, 11, 7, 6]
    # log(−log) interval at 10 weeks from the published standard error .0963
    middle, se = 0.7529, 0.0963
    low, high = (middle ** np.exp(sign * 1.96 * se / abs(middle * np.log(middle))) for sign in (1, -1))
    assert (steps.loc[10, "low"], steps.loc[10, "high"]) == (
        pytest.approx(low, abs=1e-3),
        pytest.approx(high, abs=1e-3),
    )


def test_months_kept_by_hand() -> None:
    """Two groups of four; areas and Greenwood's sums worked out on paper."""
    duration, event = [1, 2, 3, 4, 2, 2, 4, 4], [1, 0, 1, 0, 1, 0, 0, 0]
    found = restricted_mean(duration=duration, event=event, group=[1] * 4 + [0] * 4, horizon=4)
    # group 1: S = 1, .75 from 1, .375 from 3; area 1 + 1.5 + .375; variance (1.875)²/12 + (.375)²/2
    # group 0: S = 1, .75 from 2; area 2 + 1.5; variance (1.5)²/12
    assert found.details["mean_treated"] == pytest.approx(2.875)
    assert found.details["mean_control"] == pytest.approx(3.5)
    assert found.estimate == pytest.approx(-0.625)
    assert found.se == pytest.approx(np.sqrt(1.875**2 / 12 + 0.375**2 / 2 + 1.5**2 / 12))
    assert found.low == pytest.approx(-0.625 - 1.959964 * found.se)


def test_without_censoring_the_mean_is_the_mean() -> None:
    """Everybody seen to the end: the area is the mean of min(T, horizon) and its SE that of a mean (divisor n)."""
    rng = np.random.default_rng(1)
    time = np.round(rng.exponential(10, 400), 1)
    group = np.arange(400) % 2
    found = restricted_mean(duration=time, event=np.ones(400), group=group, horizon=12.0)
    kept = np.minimum(time, 12.0)
    sides = [kept[group == 1], kept[group == 0]]
    assert found.estimate == pytest.approx(sides[0].mean() - sides[1].mean())
    assert found.se == pytest.approx(np.sqrt(sum(side.var() / len(side) for side in sides)))


def test_months_kept_are_covered_and_unbiased_under_censoring() -> None:
    """300 samples of 2 × 80 exponentials censored uniformly; truth in closed form; Monte Carlo SE of .95 is .0126."""
    rng = np.random.default_rng(2)
    covered, estimates = [], []
    truth = 20 * (1 - np.exp(-12 / 20)) - 10 * (1 - np.exp(-12 / 10))
    for _ in range(300):
        group = np.repeat([1, 0], 80)
        time = rng.exponential(np.where(group == 1, 20.0, 10.0))
        lost = rng.uniform(0, 40, 160)
        found = restricted_mean(duration=np.minimum(time, lost), event=time <= lost, group=group, horizon=12)
        covered.append(found.low <= truth <= found.high)
        estimates.append(found.estimate)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.044)
    assert np.mean(estimates) == pytest.approx(truth, abs=3.5 * np.std(estimates) / np.sqrt(300))


def test_a_horizon_that_nobody_reached_has_no_answer() -> None:
    found = restricted_mean(
        duration=[5, 6, 7, 8, 9, 20], event=[1, 0, 0, 1, 1, 1], group=[1, 1, 1, 0, 0, 0], horizon=12
    )
    assert found.reason == "Nobody in the treated group was followed longer than 7; 12 is asked for."
    assert not found.is_answered
    alone = restricted_mean(duration=[5, 6, 7], event=[1, 1, 1], group=[1, 0, 0], horizon=5)
    assert "Only 1 people are in the treated group" in alone.reason


def test_two_ways_to_leave_by_hand_with_ties() -> None:
    """Ten people; two of each cause and one loss at the same moment count in that order, exactly."""
    duration = [1, 2, 2, 2, 2, 2, 3, 4, 5, 5]
    event = [1, 1, 1, 2, 2, 0, 2, 1, 0, 0]
    # at 1: 10 at risk, 1 of cause 1. at 2: 9 at risk, 2 + 2 leave. at 3: 4 at risk. at 4: 3 at risk.
    s1, s2 = 0.9, 0.9 * 5 / 9
    s3 = s2 * 3 / 4
    by_choice = [0.1, 0.1 + s1 * 2 / 9, 0.1 + s1 * 2 / 9 + s3 / 3]
    otherwise = [0.0, s1 * 2 / 9, s1 * 2 / 9 + s2 / 4]
    found = [cumulative_incidence(duration=duration, event=event, cause=cause, at=[1, 2.5, 4]) for cause in (1, 2)]
    assert found[0] == pytest.approx(by_choice)
    assert found[1] == pytest.approx(otherwise)
    everyone = cumulative_incidence(duration=duration, event=event, cause=1, at=4)[0] + found[1][2]
    staying = kaplan_meier(duration=duration, event=event).set_index("time").loc[4, "value"]
    assert everyone + staying == pytest.approx(1.0)


def test_the_order_of_tied_people_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    duration, event = rng.integers(1, 6, 200), rng.integers(0, 3, 200)
    first = cumulative_incidence(duration=duration, event=event, cause=1, at=np.arange(7))
    order = rng.permutation(200)
    again = cumulative_incidence(duration=duration[order], event=event[order], cause=1, at=np.arange(7))
    assert (first[:6] == again[:6]).all()
    assert first[0] == 0


def test_without_losses_incidence_is_a_share_and_its_error_that_of_a_share() -> None:
    rng = np.random.default_rng(6)
    duration, event = rng.integers(1, 13, 500), rng.integers(1, 3, 500)
    curve = incidence_curve(duration=duration, event=event, cause=2).set_index("time")
    share = ((event == 2) & (duration <= 6)).mean()
    assert curve.loc[6, "value"] == pytest.approx(share)
    se = np.sqrt(share * (1 - share) / 500)
    low = share ** np.exp(1.959964 * se / abs(share * np.log(share)))
    assert curve.loc[6, "low"] == pytest.approx(low, rel=1e-6)


def test_incidence_intervals_cover_under_losses() -> None:
    """400 samples of 120 with two causes and censoring; truth in closed form; Monte Carlo SE of .95 is .0109."""
    rng = np.random.default_rng(7)
    truth = 0.6 * (1 - np.exp(-0.08 * 10))
    covered = []
    for _ in range(400):
        time, lost = rng.exponential(12.5, 120), rng.uniform(4, 30, 120)
        event = np.where(time <= lost, np.where(rng.random(120) < 0.6, 1, 2), 0)
        curve = incidence_curve(duration=np.minimum(time, lost), event=event, cause=1)
        row = curve[curve["time"] <= 10].iloc[-1]
        covered.append(row["low"] <= truth <= row["high"])
    assert np.mean(covered) == pytest.approx(0.95, abs=0.038)


def test_after_the_last_loss_nothing_is_known() -> None:
    found = cumulative_incidence(duration=[1, 2, 3], event=[1, 1, 0], cause=1, at=[3, 4])
    assert found[0] == pytest.approx(2 / 3)
    assert np.isnan(found[1])
    gone = cumulative_incidence(duration=[1, 2, 3], event=[1, 2, 1], cause=1, at=[9])
    assert gone == pytest.approx([2 / 3])


def test_unusable_durations_are_refused() -> None:
    with pytest.raises(ValueError, match="one duration"):
        kaplan_meier(duration=[1, -1], event=[1, 0])
