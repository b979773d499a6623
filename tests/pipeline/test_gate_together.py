"""What all numbers of several releases together say of somebody who came or went between them."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import OptimizeResult, linprog

from pipeline.disclosure import together
from pipeline.disclosure.crowd import Key
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import Scale
from pipeline.disclosure.together import Release, telling_together

SCALE = Scale(0.0, 100.0, 25.0, 50.0)
ALL = Key(metric="trust", view="all", group="all", side="mentee")
A, B = (Key(metric="trust", view="department", group=name, side="mentee") for name in "AB")


def told(**groups: list[float]) -> pd.DataFrame:
    rows = [(f"{name}{k}", name, value) for name, values in groups.items() for k, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["unit", "department", "value"])


def room(points: float) -> Room:
    return Room(n=10, up=points, down=points)


BEFORE = told(A=[50.0] * 10, B=[50.0] * 10)
NOW = told(A=[50.0] * 10, B=[50.0] * 10 + [0.0])  # B10 came, and says 0


@pytest.mark.parametrize(("points", "is_told"), [(5.0, True), (16.0, True), (17.0, False), (40.0, False)])
def test_the_programme_now_less_its_groups_then_is_the_one_who_came(points: float, is_told: bool) -> None:
    # What B10 said is at most three times the room above 0: proven low where that stays under 50.
    now, before = Release(NOW, {ALL: room(points)}), Release(BEFORE, {A: room(points), B: room(points)})
    assert telling_together(now, [before], SCALE) == ({ALL} if is_told else set())


def test_a_group_goes_before_the_programme() -> None:
    now = Release(NOW, {ALL: room(60.0), B: room(5.0)})
    assert telling_together(now, [Release(BEFORE, {A: room(5.0), B: room(5.0)})], SCALE) == {B}


def test_who_left_is_protected_as_who_came() -> None:
    now, before = Release(BEFORE, {A: room(5.0), B: room(5.0)}), Release(NOW, {ALL: room(5.0)})
    assert telling_together(now, [before], SCALE) & {A, B}


def test_nothing_goes_where_everybody_says_something_else_or_nobody_moved() -> None:
    rng = np.random.default_rng(1)
    other = NOW.assign(value=rng.uniform(10, 90, len(NOW)))
    before = Release(BEFORE, {A: room(5.0), B: room(5.0)})
    assert telling_together(Release(other, {ALL: room(5.0)}), [before], SCALE) == set()
    assert telling_together(Release(BEFORE, {ALL: room(5.0)}), [before], SCALE) == set()


def test_of_many_who_came_together_nobody_is_proven() -> None:
    many = told(A=[50.0] * 10, B=[50.0] * 10 + [0.0, 100.0, 50.0, 75.0, 25.0])
    now = Release(many, {ALL: room(5.0)})
    assert telling_together(now, [Release(BEFORE, {A: room(5.0), B: room(5.0)})], SCALE) == set()


def test_two_who_came_and_both_say_the_lowest_are_told() -> None:
    two = told(A=[50.0] * 10, B=[50.0] * 10 + [0.0, 0.0])
    now = Release(two, {ALL: room(5.0)})
    assert telling_together(now, [Release(BEFORE, {A: room(5.0), B: room(5.0)})], SCALE) == {ALL}


def test_an_older_release_is_held_beside_the_last_one() -> None:
    now, last, older = Release(NOW, {ALL: room(5.0)}), Release(BEFORE, {A: room(5.0)}), Release(BEFORE, {B: room(5.0)})
    assert telling_together(now, [last], SCALE) == set()
    assert telling_together(now, [older], SCALE) == set()
    assert telling_together(now, [last, older], SCALE) == {ALL}


def test_who_said_something_else_in_between_is_not_taken_to_have_said_the_same() -> None:
    between = BEFORE.assign(value=[*np.linspace(5.0, 95.0, 10), *BEFORE["value"].iloc[10:]])
    now, last, older = (
        Release(NOW, {ALL: room(5.0)}),
        Release(between, {}),
        Release(BEFORE, {A: room(5.0), B: room(5.0)}),
    )
    assert telling_together(now, [older], SCALE) == {ALL}
    assert telling_together(now, [last._replace(rooms={A: room(5.0)}), older], SCALE) == set()


@pytest.fixture
def unsolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "linprog", lambda *_, **__: OptimizeResult(x=None))


@pytest.mark.usefixtures("unsolved")
def test_where_it_cannot_be_worked_out_every_number_over_who_came_goes() -> None:
    now = Release(NOW, {ALL: room(60.0), A: room(60.0), B: room(60.0)})
    assert telling_together(now, [Release(BEFORE, {A: room(5.0), B: room(5.0)})], SCALE) == {ALL, B}


@pytest.mark.usefixtures("unsolved")
def test_somebody_over_whom_there_is_no_number_any_more_does_not_hide_the_next() -> None:
    left = told(A=[50.0] * 10 + [0.0], B=[50.0] * 10)  # A10 is looked at before B10, and is in none of the numbers now
    for people, gone in ((NOW, {B}), (BEFORE, set())):
        now = Release(people, {A: room(60.0), B: room(60.0)})
        assert telling_together(now, [Release(left, {A: room(5.0), B: room(5.0)})], SCALE) == gone


@pytest.mark.parametrize("n_rounds", [2, 5])
def test_sums_over_many_who_said_almost_the_same_again_are_no_contradiction(n_rounds: int) -> None:
    """Not even where, from round to round, all say a little more."""
    rounds = [told(A=[50.0 + 0.9 * together.SAME * k] * 1000, B=[50.0] * 10) for k in range(n_rounds)]
    comer = pd.DataFrame({"unit": ["B10"], "department": ["B"], "value": [50.0]})
    now = Release(pd.concat([rounds[-1], comer]), {ALL: room(80.0), A: room(0.0)})
    earlier = [Release(each, {A: room(0.0), B: room(80.0)}) for each in rounds[-2::-1]]
    assert telling_together(now, earlier, SCALE) == set()


def drawn(rng: np.random.Generator) -> list[Release]:
    """Two to four rounds of the same thirteen people, of whom some are silent in some and some change their mind."""
    groups, values = rng.choice(["A", "B", "C"], 13), rng.choice([0.0, 25.0, 50.0, 75.0, 100.0], 13)
    releases = []
    for _ in range(rng.integers(2, 5)):
        values = np.where(rng.random(13) < 0.1, rng.choice([0.0, 50.0, 100.0], 13), values)
        here = np.flatnonzero(rng.random(13) < 0.85)
        rows = pd.DataFrame({"unit": [f"u{k}" for k in here], "department": groups[here], "value": values[here]})
        keys = [ALL, *(Key(metric="trust", view="department", group=name, side="mentee") for name in "ABC")]
        shown = [key for key in keys if rng.random() < 0.7 and (key == ALL or key.group in set(rows["department"]))]
        releases.insert(0, Release(rows, {key: room(float(rng.choice([1.0, 6.0, 15.0, 40.0]))) for key in shown}))
    return releases


def proven(releases: list[Release]) -> set[str]:
    """Who came or went and whose answer a linear programme over single people pins down, whatever round it is of."""
    of_round = [dict(zip(each.told["unit"], each.told["value"], strict=True)) for each in releases]
    columns: dict[tuple[str, int], int] = {}
    for unit in sorted(set().union(*of_round)):
        before: int | None = None
        for k in reversed(range(len(releases))):
            if unit in of_round[k]:
                is_same = before is not None and of_round[before][unit] == of_round[k][unit]
                columns[unit, k] = columns[unit, before] if is_same else len(set(columns.values()))
                before = k
    rows, low, high = [], [], []
    for k, each in enumerate(releases):
        for key, leaves in each.rooms.items():
            inside = each.told if key == ALL else each.told[each.told["department"] == key.group]
            row = np.zeros(len(set(columns.values())))
            row[[columns[unit, k] for unit in inside["unit"]]] = 1.0
            rows.append(row)
            low.append(inside["value"].sum() - leaves.down)
            high.append(inside["value"].sum() + leaves.up)
    if not rows:
        return set()
    matrix, found = np.array(rows), set()
    for (unit, k), column in columns.items():
        if all(unit in values for values in of_round):
            continue
        towards = np.eye(matrix.shape[1])[column]
        ends = [
            linprog(sign * towards, A_ub=np.vstack([matrix, -matrix]), b_ub=[*high, *(-np.array(low))], bounds=(0, 100))
            for sign in (1, -1)
        ]
        least, most, value = ends[0].fun, -ends[1].fun, of_round[k][unit]
        is_told = max(most - value, value - least) < SCALE.apart - 0.01 and min(most - value, value - least) < 12.49
        if is_told or (value < 50 and most < 49.99):
            found.add(unit)
    return found


def test_what_is_left_pins_nobody_down_to_whoever_tries_person_by_person() -> None:
    """Beyond what the earlier releases alone told: that is out already."""
    rng, n_held = np.random.default_rng(7), 0
    for _ in range(60):
        now, *earlier = drawn(rng)
        gone = telling_together(now, earlier, SCALE)
        kept = now._replace(rooms={key: leaves for key, leaves in now.rooms.items() if key not in gone})
        alone = proven([kept._replace(rooms={}), *earlier])
        assert proven([kept, *earlier]) <= alone
        n_held += bool(proven([now, *earlier]) - alone)
    assert n_held > 5
