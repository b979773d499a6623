"""The money of a programme: by hand, by simulation, and by what must not be said."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from data.errors import RapportError
from pipeline.business_case.assumptions import assumptions, listed
from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.value import CANNOT_TELL, value
from pipeline.claim import ASSOCIATED, CAUSAL

SAID = {"source": "Payroll of 2025", "owner": "Cleo, HR", "date": date(2026, 1, 31)}
SALARY = {"salary": {"value": 60_000, "signed_by": "Dan, Finance", **SAID}}
# 12 meetings of 2 hours at 50 and 30 an hour, 3 hours of training each, 5 hours of staff at 40, 100 a head, 2,000.
EXACT = {
    "mentor_hourly_cost": {"value": 50, **SAID},
    "mentee_hourly_cost": {"value": 30, **SAID},
    "staff_hourly_cost": {"value": 40, **SAID},
    "hours_per_meeting": {"value": 2, **SAID},
    "meetings": {"value": 12, **SAID},
    "programme_staff": {"value": 5, **SAID},
    "training_hours": {"value": 3, **SAID},
    "training": {"value": 100, **SAID},
    "licence": {"value": 2000, **SAID},
    "overhead_factor": {"value": 1.1, **SAID},
    "replacement_cost": {"value": 0.5, **SAID},
    **SALARY,
}


def effect(estimate: float, se: float, claim: str = CAUSAL) -> Effect:
    return Effect(
        estimate=estimate,
        low=estimate - 1.96 * se,
        high=estimate + 1.96 * se,
        se=se,
        n=2000,
        method="made up",
        claim=claim,
        unit="risk",
    )


def test_cost_and_break_even_by_hand() -> None:
    """80 pairings with 40 mentors; 1.1·(80·24·80 + 3·(40·50 + 80·30) + 80·5·40) + 120·100 + 2000."""
    found = value(effect(-0.05, 0.01), mentees=80, exit_rate=0.12, mentors=40, given=assumptions(EXACT))
    amounts = found.cost_items.set_index("item")["amount"].to_dict()
    assert amounts == pytest.approx(
        {
            "meetings": 168_960,
            "training_hours": 14_520,
            "programme_staff": 17_600,
            "training": 12_000,
            "licence": 2_000,
        }
    )
    assert found.cost.value == found.cost.low == found.cost.high == pytest.approx(215_080)
    assert found.expected_exits == pytest.approx(9.6)
    assert found.break_even is not None
    assert found.break_even.value == pytest.approx(215_080 / 30_000)
    assert found.currency == "EUR"


def test_a_certain_effect_is_worth_what_arithmetic_says() -> None:
    """Only the effect is drawn: net ~ N(80·0.12·30,000 − cost, (80·0.02·30,000)²)."""
    found = value(effect(-0.12, 0.02), mentees=80, exit_rate=0.2, mentors=40, given=assumptions(EXACT))
    assert found.worth is not None
    mean, sd = 80 * 0.12 * 30_000 - 215_080, 80 * 0.02 * 30_000
    assert found.worth.net.value == pytest.approx(mean)
    assert found.worth.net.median == pytest.approx(mean, abs=0.03 * sd)
    assert found.worth.net.low == pytest.approx(mean - 1.645 * sd, abs=0.05 * sd)
    assert found.worth.net.high == pytest.approx(mean + 1.645 * sd, abs=0.05 * sd)
    assert found.worth.p_above_cost == pytest.approx(stats.norm.cdf(mean / sd), abs=0.01)
    assert found.worth.tornado["assumption"].tolist() == ["effect"]
    assert found.avoided is not None
    assert (found.avoided.low, found.avoided.high) == pytest.approx((80 * 0.0808, 80 * 0.1592))
    assert found.claim == CAUSAL


def test_the_effect_is_never_cut_at_zero() -> None:
    """Two standard errors from zero the sign is wrong in 2.3 of 100 draws: those lose money even if all else is free,
    and an effect that does harm has a negative benefit."""
    free = assumptions({**EXACT, **{key: {**said, "value": 0} for key, said in EXACT.items() if key in FREE}})
    found = value(effect(-0.04, 0.02), mentees=100, exit_rate=0.2, given=free, n_draws=100_000)
    assert found.worth is not None
    assert found.worth.p_above_cost == pytest.approx(stats.norm.cdf(2), abs=0.002)
    harm = value(effect(0.04, 0.02), mentees=100, exit_rate=0.2, given=free, n_draws=100_000)
    assert harm.worth is not None
    assert harm.worth.benefit.median == pytest.approx(-4 * 30_000, abs=1500)
    assert harm.worth.p_above_cost == pytest.approx(stats.norm.cdf(-2), abs=0.002)


FREE = ("programme_staff", "training_hours", "training", "licence", "meetings")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (effect(-0.01, 0.05), CANNOT_TELL),
        (cannot_tell("Too few people.", method="made up", claim=CAUSAL), "Too few people."),
    ],
)
def test_what_cannot_be_told_has_no_chance_no_net_and_no_tornado(given: Effect, reason: str) -> None:
    """The cost, the break-even and what the data fit are all that is said, with what to decide."""
    found = value(given, mentees=80, exit_rate=0.12, given=assumptions(SALARY))
    assert found.worth is None
    assert found.withheld == reason
    assert not {"net", "p_above_cost"} & set(found.by_source.columns)
    assert "p_above_cost" not in found.decision.facts
    assert found.cost.low < found.cost.value < found.cost.high
    assert found.break_even is not None


def test_from_six_fewer_to_six_more() -> None:
    """80 mentees, 12 % exits: the sentence of page one has its numbers."""
    found = value(effect(0.0, 0.0383), mentees=80, exit_rate=0.125, mentors=40, given=assumptions(EXACT))
    assert found.decision.key == "allocate_places_by_lottery"
    facts = {name: round(number) for name, number in found.decision.facts.items()}
    assert facts == {
        "cost": 215_080,
        "expected_exits": 10,
        "break_even": 7,
        "avoided": 0,
        "avoided_low": -6,
        "avoided_high": 6,
    }


def test_each_decision_has_its_case() -> None:
    given = assumptions(EXACT)

    def decided(estimate: float, se: float, exit_rate: float = 0.3, mentees: int = 80) -> str:
        return value(effect(estimate, se), mentees=mentees, exit_rate=exit_rate, given=given).decision.key

    assert decided(-0.2, 0.02) == "keep"
    assert decided(-0.1, 0.02) == "lower_the_cost_or_learn_more"
    assert decided(0.1, 0.02) == "find_out_why_more_leave"
    assert decided(-0.04, 0.01, exit_rate=0.05) == "judge_by_other_aims_than_exits"
    assert decided(-0.01, 0.02) == "allocate_places_by_lottery"
    assert value(effect(-0.2, 0.02), mentees=80, exit_rate=0.3).decision.key == "name_the_missing_input"


def test_without_a_salary_the_cost_stands_and_the_rest_says_what_is_missing() -> None:
    found = value(effect(-0.1, 0.02), mentees=80, exit_rate=0.2)
    assert found.missing == ("salary",)
    assert found.withheld == "Missing: salary."
    assert found.worth is None
    assert found.break_even is None
    assert found.cost.value > 0
    assert "break_even" not in found.by_source.columns
    by_grade = {"salary": {"by_grade": {"A": 40_000, "B": 80_000}, "signed_by": "Dan, Finance", **SAID}}
    unknown = value(effect(-0.1, 0.02), mentees={"A": 1, "C": 2}, exit_rate=0.2, given=assumptions(by_grade))
    assert unknown.missing == ("salary of grade C",)


def test_salaries_count_by_grade() -> None:
    by_grade = {"salary": {"by_grade": {"A": 40_000, "B": 80_000}, "signed_by": "Dan, Finance", **SAID}}
    given = assumptions({**EXACT, **by_grade})
    found = value(effect(-0.1, 0.02), mentees={"A": 60, "B": 20}, exit_rate=0.2, given=given)
    assert found.break_even is not None
    assert found.break_even.value == pytest.approx(found.cost.value / (0.5 * 50_000))
    together = value(effect(-0.1, 0.02), mentees=80, exit_rate=0.2, given=given)
    assert together.break_even is not None
    assert together.break_even.value == pytest.approx(found.cost.value / (0.5 * 60_000))


def test_the_result_stands_at_each_published_replacement_cost() -> None:
    found = value(effect(-0.1, 0.02), mentees=80, exit_rate=0.12, mentors=40, given=assumptions(EXACT)).by_source
    assert found["salaries"].tolist() == [0.21, 0.5, 0.9, 2.0, 2.13]
    assert found["break_even"].tolist() == pytest.approx([215_080 / 60_000 / share for share in found["salaries"]])
    assert found["is_within_reach"].tolist() == [False, True, True, True, True]
    assert found["net"].is_monotonic_increasing
    assert found["p_above_cost"].is_monotonic_increasing
    assert found["net"].tolist() == pytest.approx(
        [8 * 60_000 * share - 215_080 for share in found["salaries"]], abs=9e3
    )
    assert found["source"].str.len().min() > 20


def test_the_tornado_moves_one_input_at_a_time() -> None:
    given = assumptions({**EXACT, "meetings": {"value": 12, "low": 6, "mode": 12, "high": 18, **SAID}})
    found = value(effect(-0.12, 0.01), mentees=80, exit_rate=0.2, mentors=40, given=given)
    assert found.worth is not None
    tornado = found.worth.tornado.set_index("assumption")
    assert set(tornado.index) == {"meetings", "effect"}
    ends = 6 + 12 * stats.beta.ppf([0.05, 0.95], 3, 3)
    assert tornado.loc["meetings", ["input_low", "input_high"]].tolist() == pytest.approx(ends.tolist())
    per_meeting = 1.1 * 80 * 2 * 80
    assert tornado.loc["meetings", "swing"] == pytest.approx(per_meeting * (ends[1] - ends[0]))
    assert tornado["net_low"].lt(found.worth.net.value).all()
    assert tornado["net_high"].gt(found.worth.net.value).all()
    assert tornado["swing"].is_monotonic_decreasing


def test_engagement_stays_beside_the_money_unless_a_conversion_is_given() -> None:
    engaged = effect(2.0, 0.5, ASSOCIATED)
    plain = value(effect(-0.12, 0.02), mentees=80, exit_rate=0.2, given=assumptions(EXACT))
    beside = value(effect(-0.12, 0.02), mentees=80, exit_rate=0.2, given=assumptions(EXACT), engagement=engaged)
    assert beside.engagement == engaged
    assert beside.engagement_worth is None
    converting = assumptions({**EXACT, "engagement_worth": {"value": 10, **SAID}})
    turned = value(effect(-0.12, 0.02), mentees=80, exit_rate=0.2, given=converting, engagement=engaged)
    assert turned.engagement_worth is not None
    assert turned.engagement_worth.value == pytest.approx(2 * 80 * 10)
    assert turned.engagement_worth.low == pytest.approx((2 - 1.645 * 0.5) * 800, rel=0.05)
    assert plain.worth is not None
    assert turned.worth is not None
    assert turned.worth.net == plain.worth.net
    unsure = replace(engaged, low=-1.0)
    assert (
        value(effect(-0.1, 0.02), mentees=8, exit_rate=0.2, given=converting, engagement=unsure).engagement_worth
        is None
    )


def test_naming_one_input_leaves_the_draws_of_the_others_alone() -> None:
    ranged = {"value": 10, "low": 5, "mode": 10, "high": 15, **SAID}
    plain, named = (
        value(effect(-0.12, 0.02), mentees=np.int64(80), exit_rate=0.2, given=assumptions(own))
        for own in (SALARY, {**SALARY, "engagement_worth": ranged})
    )
    assert plain.worth is not None
    assert named.worth is not None
    assert plain.worth.net == named.worth.net


def test_a_salary_within_a_range_moves_the_break_even() -> None:
    """By hand: break-even = cost / (.5 × salary), whose 90 % interval is that of a PERT from 40,000 to 80,000."""
    salary = {"value": 60_000, "low": 40_000, "mode": 60_000, "high": 80_000, "signed_by": "Dan, Finance", **SAID}
    given = assumptions({**EXACT, "salary": salary})
    found = value(effect(-0.12, 0.02), mentees=80, mentors=40, exit_rate=0.2, given=given).break_even
    assert found is not None
    low, high = 40_000 + 40_000 * stats.beta.ppf([0.05, 0.95], 3, 3)
    assert found.value == pytest.approx(215_080 / 30_000)
    assert found.low == pytest.approx(215_080 / (0.5 * high), rel=0.01)
    assert found.high == pytest.approx(215_080 / (0.5 * low), rel=0.01)


def test_draws_are_the_same_for_the_same_seed() -> None:
    def net(seed: int) -> float:
        found = value(
            effect(-0.1, 0.02), mentees=80, exit_rate=0.2, given=assumptions(SALARY), rng=np.random.default_rng(seed)
        )
        assert found.worth is not None
        return found.worth.net.median

    assert net(1) == net(1) != net(2)


def test_pert_draws_have_its_mean_and_stay_in_range() -> None:
    drawn = assumptions()["replacement_cost"].draw(np.random.default_rng(1), 100_000)
    assert drawn.min() > 0.2
    assert drawn.max() < 2.0
    assert drawn.mean() == pytest.approx((0.2 + 4 * 0.5 + 2.0) / 6, abs=0.005)
    sure = assumptions(EXACT)["meetings"]
    assert sure.draw(np.random.default_rng(1), 3).tolist() == [12, 12, 12]


def test_every_default_says_where_it_comes_from() -> None:
    table = pd.DataFrame(listed(assumptions())).set_index("key")
    known = table[table["value"].notna()]
    assert (known["low"] <= known["mode"]).all()
    assert (known["mode"] <= known["high"]).all()
    assert known["source"].str.len().min() > 20
    assert known["owner"].eq("default, to be replaced by the organisation").all()
    assert known["dated"].notna().all()
    assert set(table.index) - set(known.index) == {"salary", "engagement_worth"}
    assert table.loc["salary", "needs"] == "the mean annual salary by grade, signed by Finance"
    own = pd.DataFrame(listed(assumptions(EXACT))).set_index("key")
    assert own.loc["meetings", "owner"] == "Cleo, HR"
    assert not own.loc["meetings", "is_default"]


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"lunch": {"value": 1, **SAID}}, "'lunch' is no assumption"),
        ({"meetings": 12}, "Expected value, source, owner and date with meetings, found 12"),
        ({"meetings": {"value": 12, "owner": "Cleo", "date": "2026-01-31"}}, "Expected a source"),
        ({"meetings": {"value": 12, **SAID, "date": "soon"}}, "a date like 2026-01-31 for meetings, found 'soon'"),
        ({"meetings": {"value": "many", **SAID}}, "a number for meetings, found 'many'"),
        ({"meetings": {"value": True, **SAID}}, "a number for meetings, found True"),
        ({"meetings": {"value": 1000, **SAID}}, "meetings from 0 to 260 .* found 1000"),
        ({"meetings": {"value": 12, "low": 13, **SAID}}, "from low to high"),
        ({"meetings": {"value": 12, "mode": 13, **SAID}}, "from low to high"),
        ({"meetings": {"value": 12, "colour": "red", **SAID}}, "has no 'colour'"),
        ({"meetings": {"by_grade": {"A": 12}, **SAID}}, "Only the salary is given by grade"),
        ({"salary": {"value": 60_000, **SAID}}, "Expected a signed_by"),
        ({"salary": {"value": 60_000, "unit": "USD per year", "signed_by": "Dan", **SAID}}, "EUR and USD"),
    ],
)
def test_a_bad_assumption_is_refused_in_one_sentence(own: dict[str, object], sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        assumptions(own)


def test_dates_may_come_as_text() -> None:
    assert assumptions({"meetings": {"value": 12, **SAID, "date": "2026-01-31"}})["meetings"].dated == SAID["date"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"mentees": 0, "exit_rate": 0.1}, "Expected mentees"),
        ({"mentees": 10, "exit_rate": 12}, "exit rate from 0 to 1"),
    ],
)
def test_what_is_no_programme_is_refused(arguments: dict[str, float], sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        value(effect(-0.1, 0.02), **arguments)
    with pytest.raises(RapportError, match="risk of an exit"):
        value(effect(-5, 0.02), mentees=10, exit_rate=0.1)
