"""Every principle reaches an item, a construct, a metric and a suggestion."""

import pytest

from pipeline.metric import catalogue
from surveys.questionnaire import SIDES, ours

# Principle → the sides that are asked about it, as the founding documents name them.
ASKED = {f"P{number:02d}": ("mentor", "mentee") for number in range(1, 41)}
ASKED |= dict.fromkeys(("P10", "P12", "P18", "P23", "P29", "P30", "P34"), ("mentor",))
ASKED |= dict.fromkeys(
    ("P09", "P11", "P19", "P22", "P24", "P25", "P26", "P27", "P28", "P31", "P32", "P33"), ("mentee",)
)


@pytest.mark.parametrize("principle", ASKED)
def test_a_principle_reaches_item_construct_metric_and_suggestion(principle):
    items = [question for question in ours().questions.values() if principle in question.principles]
    assert {side for question in items for side in question.sides} == set(ASKED[principle])
    constructs = {question.construct for question in items}
    assert len(constructs) == 1
    measured = {construct for metric in catalogue().values() for construct in metric.constructs}
    assert constructs <= measured
    assert {practice.side for practice in ours().practices if practice.principle == principle} == set(SIDES)


def test_there_is_one_metric_for_each_construct_and_four_that_combine():
    scored = {key for key, construct in ours().constructs.items() if construct.kind != "operational"}
    own = {metric.constructs[0] for metric in catalogue().values() if len(metric.constructs) == 1}
    assert len(scored) == 18
    assert scored <= own
    assert len(catalogue()) == 22
    assert {"expectation_alignment", "bidirectionality", "perception_gap", "participation"} <= set(catalogue())
