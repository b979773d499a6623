"""Each metric's worked example is its test; one more metric is one more file."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from data.errors import RapportError
from pipeline import metrics
from pipeline.measure import measure
from pipeline.metric import Example, Facts, Metric, catalogue
from tests.pipeline.made_up import facts_of

ALL = list(catalogue().values())


def computed(metric: Metric, example: Example) -> dict[str, float]:
    facts = facts_of(example.given)
    asked = {construct: {"mentor", "mentee"} for construct in metric.constructs}
    measured = measure(facts, {metric.id: metric}, attributes=(), asked=asked).measured
    return {row.side: round(row.value, 2) for row in measured.itertuples() if pd.notna(row.value)}


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.id)
def test_the_worked_example_comes_out(metric: Metric) -> None:
    assert computed(metric, metric.example) == dict(metric.example.expected)
    assert set(metric.example.expected) == set(metric.sides)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.id)
def test_a_silent_programme_gives_no_number_and_no_crash(metric: Metric) -> None:
    facts = facts_of(metric.example.given)
    silent = Facts(invited=facts.invited.assign(has_answered=False), scored=facts.scored.head(0))
    asked = {construct: {"mentor", "mentee"} for construct in metric.constructs}
    values = measure(silent, {metric.id: metric}, attributes=(), asked=asked).measured["value"]
    assert (values == 0.1).all() if metric.unit == "share" else values.isna().all()  # 0 to 4 of 20


def test_the_catalogue_is_the_22_of_the_principles() -> None:
    assert list(catalogue()) == [
        "adaptation", "bidirectionality", "communication", "engagement", "expectation_alignment",
        "expectations", "feedback", "fit", "follow_through", "goal_progress", "learning",
        "mutual_learning", "network", "participation", "perception_gap", "preparation", "presence",
        "programme", "recognition", "satisfaction", "staying", "trust",
    ]  # fmt: skip
    assert all(set(metric.label) == set(metric.definition) == {"en", "de"} for metric in ALL)
    assert {metric.id: metric.minimum_n for metric in ALL if metric.minimum_n != 5} == {"staying": 20}


NEW = '''
from pipeline.metric import Example, by_side, metric

@metric(
    label={"en": "Candour", "de": "Offenheit"},
    definition={"en": "Trust, by another name.", "de": "Vertrauen, anders genannt."},
    formula="mean",
    constructs=("trust",),
    example=Example(
        given="""
            pairing side construct score
            P1 mentor trust 75
            P1 mentee trust 25
        """,
        expected={"mentor": 75.0, "mentee": 25.0, "both": 50.0},
    ),
)
def candour(facts):
    return by_side(facts, mentor="trust", mentee="trust")
'''


def test_one_file_adds_a_metric(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    shutil.copytree(Path(metrics.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "candour.py").write_text(NEW, encoding="utf-8")
    found = catalogue(folder)
    assert list(found) == sorted([*catalogue(), "candour"])
    assert computed(found["candour"], found["candour"].example) == {"mentor": 75, "mentee": 25, "both": 50}


def test_two_files_may_not_hold_one_metric(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text(NEW, encoding="utf-8")
    with pytest.raises(RapportError, match="must hold one metric with an id of its own"):
        catalogue(tmp_path)


def test_someone_with_three_mentees_counts_once_among_mentors() -> None:
    facts = facts_of(
        """
        pairing side   mentor construct score
        P1      mentor Ada    trust     100
        P2      mentor Ada    trust     100
        P3      mentor Ada    trust     40
        P4      mentor Gus    trust     50
        """
    )
    trust = catalogue()["trust"]
    row = measure(facts, {"trust": trust}, attributes=(), asked={"trust": {"mentor"}}).measured.iloc[0]
    assert (row["side"], row["value"], row["n_mentors"]) == ("mentor", 65.0, 2)
