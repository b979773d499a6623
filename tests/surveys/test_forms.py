"""Forms let every pair of questions meet, and are dealt evenly and afresh in each round."""

from collections import Counter
from itertools import combinations
from random import Random

import numpy as np
import pytest

from data.errors import RapportError
from surveys.forms import asked, assign_forms, forms
from surveys.questionnaire import SIDES, Construct, Pulse, Question, Questionnaire, Scale, ours


def made(sizes: dict[str, int], *, seats: int = 3, fill: tuple[str, ...] = ()) -> Questionnaire:
    """A questionnaire with so many rotating questions for each construct, and one anchor."""
    ids = {construct: [f"{construct}{n}" for n in range(size)] for construct, size in sizes.items()}
    questions = {
        id_: Question(id=id_, construct=construct, kind="scale", scale="s", text={"mentee": {"en": id_}})
        for construct, items in ids.items()
        for id_ in items
    }
    anchor = Question(
        id="anchor", construct="a", kind="scale", scale="s", placing="anchor", text={"mentee": {"en": "?"}}
    )
    return Questionnaire(
        scales={"s": Scale(id="s", labels={"en": ("no", "yes")})},
        constructs={name: Construct(id=name, kind="construct", label={"en": name}) for name in (*sizes, "a")},
        questions={**questions, "anchor": anchor},
        pulses={
            "pulse": Pulse(
                id="pulse",
                title={},
                max_questions=9,
                fixed={"mentee": ("anchor",)},
                seats=seats,
                fill=fill,
            )
        },
    )


def met(dealt: tuple[tuple[str, ...], ...]) -> set[frozenset[str]]:
    return {frozenset(pair) for form in dealt for pair in combinations(form, 2)}


@pytest.mark.parametrize("side", SIDES)
def test_every_pair_of_rotating_questions_of_a_construct_meets(side: str) -> None:
    dealt = forms(ours(), "pulse", side)
    rotating = {
        name: [q.id for q in ours().of_construct(name, side) if q.placing == "rotating"] for name in ours().constructs
    }
    wanted = {frozenset(pair) for items in rotating.values() for pair in combinations(items, 2)}
    assert len(wanted) > 50
    assert wanted - met(dealt) == set()
    assert {id_ for items in rotating.values() for id_ in items} == {id_ for form in dealt for id_ in form}


@pytest.mark.parametrize("side", SIDES)
def test_no_form_asks_a_question_twice_or_more_than_a_pulse_may(side: str) -> None:
    for number in range(len(forms(ours(), "pulse", side))):
        ids = [question.id for question in asked(ours(), "pulse", side, number)]
        assert len(set(ids)) == len(ids)
        assert 5 <= len(ids) <= 7
        assert all(side in ours().questions[id_].sides for id_ in ids)


@pytest.mark.parametrize(("n_items", "n_forms"), [(1, 1), (2, 1), (3, 1), (4, 3), (5, 4), (6, 7), (7, 7)])
def test_few_forms_suffice(n_items: int, n_forms: int) -> None:
    """4 and 5 items reach the smallest cover by triples, 7 the Fano plane; 6 takes one more than the best."""
    dealt = forms(made({"x": n_items}), "pulse", "mentee")
    assert len(dealt) == n_forms
    assert len(met(dealt)) == n_items * (n_items - 1) // 2


def test_one_seat_asks_one_question_at_a_time() -> None:
    assert forms(made({"x": 3}, seats=1), "pulse", "mentee") == (("x0",), ("x1",), ("x2",))


def test_free_seats_are_filled_in_turn_and_without_repeating() -> None:
    dealt = forms(made({"v": 2, "w": 2, "x": 1, "y": 2}, fill=("y0", "y1")), "pulse", "mentee")
    assert dealt == (("v0", "v1", "y0"), ("w0", "w1", "y1"), ("x0", "y0", "y1"), ("y0", "y1"))


def test_the_order_of_the_files_does_not_matter() -> None:
    one, other = made({"v": 4, "x": 5}), made({"x": 5, "v": 4})
    assert forms(one, "pulse", "mentee") == forms(other, "pulse", "mentee")


def test_a_pulse_that_rotates_nothing_has_one_form() -> None:
    assert forms(ours(), "kickoff", "mentor") == ((),)
    assert assign_forms(ours(), "kickoff", "mentor", ["ada-ben"], 1, Random(1)) == {"ada-ben": 0}
    assert len(asked(ours(), "kickoff", "mentor", 0)) == 18


def test_anchors_come_first_then_what_the_pulse_fixes() -> None:
    ids = [question.id for question in asked(ours(), "milestone", "mentee", 0)]
    assert set(ids[:4]) == {"trust_honest", "satisfaction_time", "goals_progress", "expectations_shared"}
    assert ids == [*ids[:4], *ours().pulses["milestone"].fixed["mentee"][4:]]
    assert not {"met_since", "contact_me"} & set(ids)


def test_a_form_that_is_not_there_is_refused() -> None:
    n_forms = len(forms(ours(), "pulse", "mentee"))
    with pytest.raises(RapportError, match=f"there is no form {n_forms}"):
        asked(ours(), "pulse", "mentee", n_forms)
    with pytest.raises(RapportError, match="There is no pulse weekly for the mentee"):
        forms(ours(), "weekly", "mentee")


# Dealing -----------------------------------------------------------------------------------------

PEOPLE = [f"pairing{n:03}" for n in range(120)]


def construct_of(side: str, form: int) -> str:
    return ours().questions[forms(ours(), "pulse", side)[form][0]].construct


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("n_people", [1, 9, 60, 120])
def test_constructs_and_their_forms_are_dealt_evenly(side: str, n_people: int) -> None:
    dealt = assign_forms(ours(), "pulse", side, PEOPLE[:n_people], 2, Random(7))
    assert sorted(dealt) == PEOPLE[:n_people]
    n_of_form = Counter(dealt.values())
    by_construct: dict[str, list[int]] = {}
    for form in range(len(forms(ours(), "pulse", side))):
        by_construct.setdefault(construct_of(side, form), []).append(n_of_form[form])
    per_construct = [sum(counts) for counts in by_construct.values()]
    assert max(per_construct) - min(per_construct) <= 1
    assert all(max(counts) - min(counts) <= 1 for counts in by_construct.values())


def test_rounds_that_deal_every_form_do_not_differ_in_their_mix() -> None:
    questionnaire, people = made({"v": 4, "x": 4}), [str(n) for n in range(12)]
    mixes = [
        Counter(assign_forms(questionnaire, "pulse", "mentee", people, number, Random(number)).values())
        for number in range(1, 6)
    ]
    assert mixes == [dict.fromkeys(range(6), 2)] * 5


def test_a_small_programme_comes_to_every_form_over_time() -> None:
    seen = {
        form
        for number in range(1, 150)
        for form in assign_forms(ours(), "pulse", "mentee", PEOPLE[:8], number, Random(number)).values()
    }
    assert seen == set(range(len(forms(ours(), "pulse", "mentee"))))


def test_the_same_chance_deals_the_same_forms_whatever_the_order_of_people() -> None:
    one = assign_forms(ours(), "pulse", "mentee", PEOPLE, 3, Random(5))
    assert assign_forms(ours(), "pulse", "mentee", PEOPLE[::-1], 3, Random(5)) == one
    assert assign_forms(ours(), "pulse", "mentee", PEOPLE, 3, Random(6)) != one


def test_a_caller_who_seeds_every_round_alike_still_asks_everyone_something_else() -> None:
    first, second = (assign_forms(ours(), "pulse", "mentee", PEOPLE, n, Random(5)) for n in (1, 2))
    assert all(construct_of("mentee", first[person]) != construct_of("mentee", second[person]) for person in PEOPLE)


def test_numpy_may_deal_too() -> None:
    dealt = assign_forms(ours(), "pulse", "mentor", PEOPLE, 1, np.random.default_rng(1))
    assert sorted(dealt) == PEOPLE


@pytest.mark.parametrize("side", SIDES)
def test_every_round_hears_of_mutual_learning_from_both_sides(side: str) -> None:
    """Twenty people are enough for each construct to be dealt, so also those that leave a seat free."""
    for number in range(1, 20):
        dealt = assign_forms(ours(), "pulse", side, PEOPLE[:20], number, Random(number))
        items = [
            question.id
            for form in dealt.values()
            for question in asked(ours(), "pulse", side, form)
            if question.construct == "mutual_learning"
        ]
        assert len(items) >= 5
        assert len(set(items)) == 2
