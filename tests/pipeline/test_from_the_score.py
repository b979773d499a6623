"""A weighted mean is told in the steps of the score that it is made of, so that it says nothing more of its mean."""

import json

import pytest

from pipeline.disclosure.crowd import PROGRAMME, Crowd, Key
from pipeline.disclosure.rooms import said
from pipeline.disclosure.rounding import coarse, error_step, step_of
from pipeline.disclosure.thresholds import Thresholds
from pipeline.evidence.finding import Finding
from pipeline.run import build
from pipeline.validate import validate
from pipeline.weigh import from_the_score, weigh
from tests.pipeline.test_gate_time import KEY, programme

INPUTS = programme(1, range(80), low=range(0, 80, 3))
OF_TRUST = Key(metric="trust", view=PROGRAMME, group=PROGRAMME, side="mentee")


def test_where_everybody_answered_it_is_the_score_as_it_is_told_in_steps_of_its_own_error() -> None:
    rows = json.loads(build(INPUTS, key=KEY))["rows"]
    found = {(each["metric"], each["side"]): each for each in rows if each["view"] == PROGRAMME}
    score, weighted = found["trust", "mentee"], found["weighted_trust", "mentee"]
    assert weighted["shown"]
    assert weighted["value"] == coarse(score["value"], error_step(weighted["low"], weighted["high"]))


@pytest.mark.parametrize("metric", ["weighted_trust", "tipping_trust"])
@pytest.mark.parametrize("apart", [-7.3, -0.4, 0.0, 0.4, 3.1])
def test_it_lies_whole_steps_of_the_score_from_the_score_as_told(metric: str, apart: float) -> None:
    rated = validate(INPUTS.answers, INPUTS.questionnaires).rated
    weighed = weigh(INPUTS, rated, "R1", Thresholds(attributes=("department",)))
    values = said(weighed.measurement.told["trust", "mentee"], OF_TRUST).values()
    mean, step = sum(values) / len(values), step_of(weighed.errors[OF_TRUST])
    numbers = (mean + apart, mean + apart - 2.0, mean + apart + 2.0)
    found = from_the_score(
        Finding(metric=metric, side="mentee", numbers=numbers, unit="points", crowd=Crowd()), weighed
    )
    n_steps = (found.numbers[0] - coarse(mean, step)) / step
    assert n_steps == pytest.approx(round(n_steps), abs=1e-9)
    assert abs(found.numbers[0] - coarse(mean, step) - apart) <= step / 2 + 1e-9
    assert [each - found.numbers[0] for each in found.numbers] == pytest.approx([0.0, -2.0, 2.0])


def test_other_numbers_are_left_as_they_are() -> None:
    rated = validate(INPUTS.answers, INPUTS.questionnaires).rated
    weighed = weigh(INPUTS, rated, "R1", Thresholds(attributes=("department",)))
    growth = Finding(metric="growth_trust", side="mentee", numbers=(1.23, 0.1, 2.2), unit="points", crowd=Crowd())
    assert from_the_score(growth, weighed) == growth
