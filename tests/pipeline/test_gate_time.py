"""A release beside the last one tells nothing of the one who came, the one who went, or the one who was erased."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from data.contracts import GoalRatings, Goals, conform
from data.store.people import Programme
from data.store.rounds import Round
from pipeline.disclosure.crowd import Key
from pipeline.ingest import PAIRING, Inputs
from pipeline.run import build
from pipeline.weigh import Last
from tests.pipeline.made_up import answers_of
from tests.pipeline.small_programmes import Pair, pairs, released
from tests.pipeline.stored import ANCHORS, FROZEN, KEY, START

ALIKE = [*pairs([75.0] * 20), *pairs([75.0] * 60, department="B")]
JOINER = Pair(0.0)
GROUP = Key(metric="trust", view="department", group="A", side="mentee")


def test_one_who_joins_takes_the_groups_number_with_them() -> None:
    first = released(ALIKE)
    later = [*ALIKE, JOINER]
    assert GROUP in first.shown()
    assert GROUP in released(later).shown()  # alone it could be shown
    assert GROUP not in released(later, before=first.held()).shown()


def test_one_who_leaves_does_as_well() -> None:
    first = released([*ALIKE, JOINER])
    assert GROUP in first.shown()
    assert GROUP not in released(ALIKE, before=first.held()).shown()


def test_where_nobody_came_or_went_every_number_stays() -> None:
    first = released(ALIKE)
    again = released([Pair(50.0), *ALIKE[1:]], before=first.held())
    assert again.shown() == first.shown()


@pytest.mark.parametrize(("held", "is_shown"), [("A", False), ("B", True)])
def test_a_group_is_compared_with_what_was_shown_of_itself(held: str, is_shown: bool) -> None:
    first = released(ALIKE).held()
    rooms = {key: room for key, room in first.rooms.items() if key.group == held}
    later = released([*ALIKE, JOINER], before=first._replace(rooms=rooms)).shown()
    assert (GROUP in later) == is_shown
    assert replace(GROUP, group="B") in later


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_group_comes_back_after_an_erasure_only_where_that_tells_nothing_of_who_is_gone(is_whole: bool) -> None:
    """Nobody came or went since but the erased one: this number less the older one would be theirs."""
    first = released(ALIKE).held()
    last, older = first._replace(rooms={}), first._replace(is_whole=is_whole)
    assert (GROUP in released(ALIKE, before=last, older=[older]).shown()) == is_whole


@pytest.mark.parametrize("is_whole", [True, False])
def test_after_an_erasure_the_steps_of_an_older_release_are_not_known_any_more(is_whole: bool) -> None:
    """What is left of its people may be told in other steps than they were, so its readers may know the very sums."""
    first = released(ALIKE).held()
    wide = {key: replace(room, up=900.0, down=900.0) for key, room in first.rooms.items()}
    last, older = first._replace(rooms={}), first._replace(rooms=wide, is_whole=is_whole)
    found = released([*ALIKE, JOINER], before=last, older=[older]).shown()
    assert (GROUP in found) == is_whole


def test_after_an_erasure_only_the_programme_can_be_compared() -> None:
    """Who is erased is not there to be compared with, so a group that lost somebody could not be judged."""
    first = released(ALIKE)
    gone = first.held()._replace(is_whole=False)
    assert {key.group for key in released(ALIKE, before=gone).shown()} == {"all"}


# --- from answers to a release ----------------------------------------------------------------------


def programme(number: int, people: Iterable[int], low: Iterable[int] = ()) -> Inputs:
    """Rounds 1 to `number`. Everybody says 4 and those of `low` 1; the first 20, and from 80 on, are of north.

    In the rounds before the last, those from 80 on are not there yet.
    """
    rows = []
    for each in range(1, number + 1):
        there = [k for k in people if k < 80 or each == number]
        rows += [
            {
                "number": each, "pairing": f"P{k}", "side": side, "question": id_, "person": f"{side} {k}",
                "mentor": f"mentor {k}", "value": 1 if k in low and side == "mentee" else 4,
            }
            for k in there for side in ("mentor", "mentee") for id_ in ANCHORS
        ]  # fmt: skip
    answers = answers_of(rows)
    about = ["round_id", "round_number", "pulse", "pairing_id", "side", "person_id", "mentor_id"]
    invited = answers[about].drop_duplicates().reset_index(drop=True)
    is_north = invited["pairing_id"].str[1:].astype(int).map(lambda k: k < 20 or k >= 80)
    invited["department"] = is_north.map({True: "north", False: "south"})
    invited = invited.assign(programme_id="P", has_answered=True, cohort="", location="", grade="")
    ids = [f"R{each}" for each in range(1, number + 1)]
    this = Round(
        round_id=ids[-1], programme_id="P", number=number, pulse="pulse", snapshot_id="s", opens_at=START,
        closes_at=START,
    )  # fmt: skip
    return Inputs(
        programme=Programme(programme_id="P", name="P", created_at=START, decisions={"attributes": ["department"]}),
        round=this,
        closed_on=START.date(),
        questionnaires=dict.fromkeys(ids, FROZEN),
        snapshot_ids=dict.fromkeys(ids, "s"),
        answers=answers,
        invited=invited,
        closed_days={id_: START.date() + timedelta(days=40 * k) for k, id_ in enumerate(ids)},
        goal_ratings=conform(GoalRatings, pd.DataFrame(columns=list(GoalRatings.to_schema().columns))),
        goals=conform(Goals, pd.DataFrame(columns=["goal_id", "pairing_id", "set_on"])),
        pairings=pd.DataFrame(columns=PAIRING),
    )


def shown(content: str) -> frozenset[Key]:
    names = ("metric", "view", "group", "side")
    return frozenset(Key(**{name: row[name] for name in names}) for row in json.loads(content)["rows"] if row["shown"])


def test_a_release_is_made_beside_the_last_one() -> None:
    north = Key(metric="trust", view="department", group="north", side="mentee")
    first = shown(build(programme(1, range(80)), key=KEY))
    later = programme(2, range(81), low=[80])
    last = Last(round_id="R1", shown=first)
    assert north in first
    alone, beside = shown(build(later, key=KEY)), shown(build(later, key=KEY, earlier=[last]))
    assert north in alone
    assert north not in beside
    assert beside < alone  # what was read before only ever takes away
