"""Two releases do not tell whether the colleague who left between them did so by choice."""

from dataclasses import replace
from datetime import date, timedelta
from math import sqrt

import numpy as np
import pandas as pd
import pytest

from pipeline.business_case.caution import FEWEST_MORE, beside, in_its_steps, quarter_end, share_in_steps, told_until
from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.telling import about, rows
from pipeline.claim import CAUSAL
from tests.pipeline.made_case import PLAN, SIGNED_SALARY, Tables, assumptions, company, tables

PRESENT = date(2026, 2, 28)


def joined(*days: str) -> pd.DataFrame:
    started = pd.to_datetime(list(days)).astype("datetime64[s]")
    return pd.DataFrame({"person": [f"p{n}" for n in range(len(days))], "side": "mentee", "started_on": started})


@pytest.mark.parametrize(
    ("known_on", "wanted"),
    [
        ("2026-03-30", "2025-12-31"),
        ("2026-03-31", "2026-03-31"),
        ("2026-04-01", "2026-03-31"),
        ("2026-12-31", "2026-12-31"),
        ("2026-01-01", "2025-12-31"),
    ],
)
def test_a_quarter_counts_once_its_last_day_is_known(known_on: str, wanted: str) -> None:
    assert quarter_end(date.fromisoformat(known_on)) == date.fromisoformat(wanted)


def test_it_goes_on_to_a_quarter_once_the_year_of_five_more_is_over() -> None:
    """Joined on 2 January means enrolled from February on, so twelve months are over with the next January."""
    some = joined(*["2024-01-02"] * 5, *["2024-05-02"] * 4, *["2024-07-02"] * 1)
    told = {day: told_until(some, known_on=date.fromisoformat(day), horizon=12) for day in
            ("2025-02-10", "2025-03-31", "2025-06-30", "2025-09-30", "2027-01-01")}  # fmt: skip
    assert told == {
        "2025-02-10": date(2024, 12, 31),  # nobody's year is over: the last whole quarter
        "2025-03-31": date(2025, 3, 31),
        "2025-06-30": date(2025, 3, 31),  # four more only
        "2025-09-30": date(2025, 9, 30),  # with the fifth
        "2027-01-01": date(2025, 9, 30),
    }
    mentors = some.assign(side="mentor")
    assert told_until(mentors, known_on=date(2025, 9, 30), horizon=12) == date(2025, 9, 30)
    assert told_until(mentors, known_on=date(2025, 8, 30), horizon=12) == date(2025, 6, 30)


def test_what_joins_later_never_moves_an_earlier_look() -> None:
    rng = np.random.default_rng(3)
    first = date(2022, 1, 1)
    days = [str(first + timedelta(days=int(day))) for day in np.sort(rng.integers(0, 1200, 60))]
    for known_on in (date(2024, 2, 1), date(2024, 11, 30), date(2025, 7, 4)):
        by_then = [day for day in days if day <= str(known_on)]
        looked = told_until(joined(*by_then), known_on=known_on, horizon=12)
        assert told_until(joined(*days), known_on=known_on, horizon=12) == looked


def test_between_two_looks_there_are_always_five_more() -> None:
    rng = np.random.default_rng(5)
    days = [str(date(2022, 1, 1) + timedelta(days=int(day))) for day in np.sort(rng.integers(0, 1400, 40))]
    some = joined(*days)
    looks = sorted(
        {told_until(some, known_on=date(2023, 6, 1) + timedelta(days=30 * n), horizon=12) for n in range(40)}
    )
    over = [pd.Timestamp(day).to_period("M") + int(day[-2:] > "01") + 11 for day in days]
    counts = [sum(each.end_time.date() <= look for each in over) for look in looks]
    assert len(looks) > 4
    assert min(np.diff(counts)) >= FEWEST_MORE


def effect(estimate: float, se: float, **more: object) -> Effect:
    details = {"risk_treated": 0.1337, "risk_control": 0.1777, "n_treated": 104.0, "n_control": 1999.0}
    details |= {"effective_treated": 40.0, "effective_control": 2500.0}
    low, high = estimate - 1.96 * se, estimate + 1.96 * se
    made = Effect(
        estimate=estimate, low=low, high=high, se=se, n=2103, method="m", claim=CAUSAL, unit="share", details=details
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_an_effect_is_told_in_steps_of_its_error_and_so_are_the_risks_beside_it() -> None:
    """SE 3.1 points: steps of 3. Risks: √(.1337·.8663/40) is 5.4 points, √(.1777·.8223/1999) is 0.86."""
    told = in_its_steps(effect(-0.0441, 0.031))
    assert told.estimate == pytest.approx(-0.03)
    assert (told.low + told.high) / 2 == pytest.approx(told.estimate)
    assert told.high - told.low >= 2 * 1.96 * 0.031
    assert told.se == pytest.approx((told.high - told.low) / 2 / 1.96)
    assert (told.details["risk_treated"], told.details["risk_control"]) == (0.15, 0.18)
    assert told.details["risk_ratio"] == pytest.approx(0.15 / 0.18)
    assert in_its_steps(effect(-0.0441, 0.031, unit="points", details={})).estimate == pytest.approx(0.0)


def test_one_persons_part_in_an_estimate_is_smaller_than_a_step() -> None:
    """Among a hundred, one leaver is a point; a step is three. Two estimates a leaver apart mostly read the same."""
    same = sum(
        in_its_steps(effect(value, 0.031)).estimate == in_its_steps(effect(value + 0.0096, 0.031)).estimate
        for value in np.linspace(-0.1, 0.1, 400)
    )
    assert same / 400 == pytest.approx(1 - 0.96 / 3, abs=0.02)


def test_an_answer_that_is_none_stays_none() -> None:
    none = cannot_tell("Only 3 people.", method="m", claim=CAUSAL)
    assert in_its_steps(none) is none


def test_shares_stand_in_steps_of_their_own_error_or_of_the_effect_beside_them() -> None:
    assert share_in_steps(0.137, sqrt(0.137 * 0.863 / 40)) == 0.15  # SE 5.4 points
    assert share_in_steps(0.1365, 0.004) == 0.136  # SE 0.4: steps of 0.2
    assert beside(-0.0441, effect(-0.05, 0.031)) == -0.03


def last_days(made: Tables, kind: str) -> Tables:
    """The same company, in which one mentee leaves on 20 January for one reason or the other."""
    mentees = made.enrolment.loc[made.enrolment["side"] == "mentee", "person"]
    stays = made.employment[made.employment["left_on"].isna() & made.employment["employee_key"].isin(mentees)]
    one = made.employment["employee_key"] == stays["employee_key"].iloc[0]
    left = made.employment.assign(
        left_on=made.employment["left_on"].mask(one, pd.Timestamp("2026-01-20")),
        leave_type=made.employment["leave_type"].mask(one, kind),
    )
    return replace(made, employment=left)


@pytest.mark.parametrize("known_on", [date(2026, 1, 31), PRESENT])
def test_why_a_mentee_left_changes_nothing_that_is_told_until_the_quarter_is_over(known_on: date) -> None:
    made, given = tables(company()), assumptions(SIGNED_SALARY)
    chosen, otherwise = (last_days(made, kind).told(ends=known_on) for kind in ("voluntary", "involuntary"))
    assert rows(chosen) == rows(otherwise)
    assert about(chosen, given) == about(otherwise, given)
    assert rows(made.told(ends=known_on)) == rows(chosen)
    assert chosen.ends == date(2025, 12, 31)


def test_a_survey_counts_once_its_quarter_is_over() -> None:
    made = tables(company())
    last = made.engagement["measured_on"].max()
    again = made.engagement[made.engagement["measured_on"] > last - pd.Timedelta(days=60)]
    lately = again.assign(measured_on=pd.Timestamp("2026-02-03"), score=1.0)
    with_it = replace(made, engagement=pd.concat([made.engagement, lately], ignore_index=True))
    assert rows(with_it.told(ends=PRESENT)) == rows(made.told(ends=PRESENT))
    assert rows(with_it.told(ends=date(2026, 3, 31))) != rows(made.told(ends=date(2026, 3, 31)))


def test_within_a_quarter_every_release_tells_the_same() -> None:
    made = tables(company())
    told = [rows(made.told(ends=day)) for day in (date(2026, 1, 5), date(2026, 2, 10), date(2026, 3, 30))]
    assert told[0] == told[1] == told[2]
    assert rows(made.told(ends=date(2025, 12, 30))) != told[0]
    assert PLAN.horizon == 12
