"""With 8 pairings a release shows no number that too few people stand behind, whatever they said."""

import json
from collections.abc import Iterator

import pandas as pd
import pytest

from data.contracts import Published
from pipeline import run
from pipeline.disclosure.crowd import PROGRAMME
from pipeline.disclosure.thresholds import DEFAULT, RESPONDENTS_N, Thresholds
from pipeline.ingest import Inputs
from tests.pipeline.simulated import simulated
from tests.pipeline.stored import KEY

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("calibration")]

N_PROGRAMMES = 6
SIDES = {"mentor": ["mentor"], "mentee": ["mentee"], "both": ["mentor", "mentee"]}
COUNTS = ("people", "pairings")  # units of numbers that are themselves counts, in steps of five


def too_few(inputs: Inputs) -> Iterator[str]:
    """Rows that are shown though fewer answered, of a side that they speak of, than the design wants."""
    rows = pd.DataFrame(json.loads(run.build(inputs, key=KEY))["rows"], columns=list(Published.to_schema().columns))
    for row in rows[rows["shown"]].to_dict("records"):
        least = DEFAULT.score_n if row["metric"] == "participation" or row["unit"] in COUNTS else RESPONDENTS_N
        if any(_people(inputs, row, side) < least for side in SIDES[row["side"]]):
            yield f"{row['metric']} {row['view']} {row['group']} {row['side']}"


def _people(inputs: Inputs, row: dict[str, object], side: str) -> int:
    """Distinct people of this side in the row's group who can be behind it: asked where it counts, else answering."""
    now = inputs.invited_now
    of_side = now[now["side"] == side]
    is_in = of_side["department"] == row["group"] if row["view"] == "department" else True
    has_part = True if row["metric"] == "participation" or row["unit"] in COUNTS else of_side["has_answered"]
    return int(of_side.loc[pd.Series(is_in, of_side.index) & has_part, "person_id"].nunique())


def programmes() -> Iterator[Inputs]:
    for seed in range(N_PROGRAMMES):
        yield simulated(8, ["kickoff", "pulse", "pulse"][: 1 + seed % 3], seed=seed)


def test_nothing_below_the_thresholds_is_shown_and_what_is_counted_still_is() -> None:
    assert [row for inputs in programmes() for row in too_few(inputs)] == []
    rows = json.loads(run.build(next(programmes()), key=KEY))["rows"]
    shown = {row["metric"] for row in rows if row["shown"] and row["view"] == PROGRAMME}
    assert {"participation", "flow_invited"} <= shown
    assert {row["value"] for row in rows if not row["shown"]} == {None}


def test_a_gate_with_lower_thresholds_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    lower = Thresholds(attributes=("department",), score_n=2, staying_n=2, two_way_n=2, respondents_n=2)
    monkeypatch.setattr(run, "thresholds", lambda _decisions: lower)
    found = {row.split()[0] for row in too_few(next(programmes()))}
    assert {"trust", "satisfaction"} <= found
