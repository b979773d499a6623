"""Ratings of goals come from the store, count once, and belong to what a release was made from."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import delete

from data.contracts import GoalRatings
from data.store.answers import Submission, read_goal_ratings, read_goals, store_response
from data.store.engine import Stores, reading, writing
from data.store.people import add_goal, pairing, pairings_of, save_pairing
from data.tables import goal_ratings
from pipeline import published as door
from pipeline.ingest import ingest
from pipeline.run import run_due, verify_release
from tests.pipeline.stored import KEY, NOW, START, ask, make_programme


@pytest.fixture
def programme(sqlite_stores: Stores) -> Stores:
    """Everybody rates one goal in round 1; P-1's mentor sends the form twice."""
    make_programme(sqlite_stores)
    ask(sqlite_stores, 1)
    with writing(sqlite_stores.raw) as connection:
        for k, pairing in enumerate(pairings_of(connection, "P")):
            levels = {level: str(level) for level in range(-2, 3)}
            day = date(2026, 1, 9)
            id_ = pairing.pairing_id
            goal = add_goal(connection, pairing_id=id_, title="Lead", levels=levels, set_on=day, is_agreed=True)
            for side in ("mentor", "mentee"):
                rate(connection, pairing.pairing_id, side, goal.goal_id, k % 4 - 1)
    return sqlite_stores


def rate(connection: object, pairing_id: str, side: str, goal_id: str, level: int, *, again: bool = False) -> None:
    form = f"P-R1:{pairing_id}:{side}"
    submission = Submission(
        invitation_id=form,
        submission_id=f"{form} {'again' if again else 'goals'}",
        received_at=START + timedelta(days=32),
        source="page",
        answers={"honest": "34"[level % 2], "well_spent": "45"[level % 2], "progress": "24"[level % 2]},
        goal_levels={goal_id: level},
    )
    store_response(connection, submission)  # type: ignore[arg-type]


def test_only_the_counted_rating_of_the_rounds_up_to_this_one_is_read(programme: Stores) -> None:
    with reading(programme.raw) as connection:
        rated = read_goal_ratings(connection, "P", 1)
        assert read_goal_ratings(connection, "P", 0).empty
        assert read_goal_ratings(connection, "nobody", 1).empty
    assert list(rated.columns) == list(GoalRatings.to_schema().columns)
    assert len(rated) == 96
    ben = rated[(rated["pairing_id"] == "P-7") & (rated["side"] == "mentee")].iloc[0]
    with writing(programme.raw) as connection:
        rate(connection, "P-7", "mentee", ben["goal_id"], -2, again=True)
    with reading(programme.raw) as connection:
        later = read_goal_ratings(connection, "P", 1)
    assert len(later) == 96
    assert later.loc[(later["pairing_id"] == "P-7") & (later["side"] == "mentee"), "level"].tolist() == [-2]


def test_a_release_with_evidence_is_rebuilt_byte_for_byte_and_tells_its_verdicts(programme: Stores) -> None:
    made = run_due(programme, key=KEY, now=NOW)[0]
    assert verify_release(programme, made.release_id, key=KEY) == "identical"
    told = door.releases(programme.published, "P", key=KEY)[0].verdicts
    assert door.Verdict(about="easy_goals", construct="", side="both", verdict="fine") in told
    assert {each.verdict for each in told if each.about == "comparability"} == {"not_tested"}
    rows = door.published(programme.published, "P").query("metric == 'goals_met' and shown")
    assert rows["value"].tolist() == [pytest.approx(0.75, abs=0.06)]


def test_a_rating_that_was_erased_is_told_apart_from_a_change(programme: Stores) -> None:
    release_id = run_due(programme, key=KEY, now=NOW)[0].release_id
    with writing(programme.raw) as connection:
        one = read_goal_ratings(connection, "P", 1)["goal_id"].iloc[0]
        erased = connection.execute(delete(goal_ratings).where(goal_ratings.c.goal_id == one)).rowcount
    assert verify_release(programme, release_id, key=KEY) == f"inputs since erased ({erased}); seal valid"


def test_goals_are_known_from_the_day_they_were_set(programme: Stores) -> None:
    with reading(programme.raw) as connection:
        assert read_goals(connection, "P", date(2026, 1, 8)).empty
        assert read_goals(connection, "nobody", date(2026, 1, 9)).empty
        goals = read_goals(connection, "P", date(2026, 1, 9))
    assert list(goals.columns) == ["goal_id", "pairing_id", "set_on"]
    assert len(goals) == 48


def test_the_time_to_goals_is_in_the_release(programme: Stores) -> None:
    """Three of four levels are 0 or above in the first rating, about a month after the goals were set."""
    run_due(programme, key=KEY, now=NOW)
    told = door.releases(programme.published, "P", key=KEY)[0].verdicts
    assert {each.verdict for each in told if each.about == "milestones"} == {"measured"}
    row = door.published(programme.published, "P").query("metric == 'goal_weeks'").iloc[0]
    closed = START + timedelta(days=37)
    assert row["value"] == pytest.approx((closed.date() - date(2026, 1, 9)).days / 7, abs=0.5)
    assert row["unit"] == "weeks"


def test_what_happens_after_the_closing_day_changes_no_release(programme: Stores) -> None:
    """A pairing ends, another begins and a goal is set, all in June: the release of February stays as it was."""
    release_id = run_due(programme, key=KEY, now=NOW)[0].release_id
    june = date(2026, 6, 1)
    with writing(programme.raw) as connection:
        bens = pairing(connection, "P-7")
        save_pairing(connection, replace(bens, ended_on=june, end_reason="re-matched"))
        save_pairing(connection, replace(bens, pairing_id="P-99", started_on=june, ended_on=None))
        add_goal(connection, pairing_id="P-8", title="Rest", levels={0: "rests"}, set_on=june)
    assert verify_release(programme, release_id, key=KEY) == "identical"
    inputs = ingest(programme.raw, programme_id="P", round_id="P-R1")
    assert "P-99" not in set(inputs.pairings["pairing_id"])
    assert inputs.pairings.set_index("pairing_id")["ended_on"]["P-7"] is None


def test_an_end_before_the_closing_day_is_one_of_the_inputs(programme: Stores) -> None:
    release_id = run_due(programme, key=KEY, now=NOW)[0].release_id
    with writing(programme.raw) as connection:
        bens = pairing(connection, "P-7")
        save_pairing(connection, replace(bens, ended_on=date(2026, 1, 20), end_reason="re-matched"))
    assert verify_release(programme, release_id, key=KEY) == "differs"
