"""Scores do not depend on which form a person got; a whole form is a plain mean."""

import time

import numpy as np
import pandas as pd
import pytest

from data.contracts import Rated, conform
from pipeline.score import asked, items_of, score
from pipeline.validate import validate
from surveys.questionnaire import Questionnaire
from tests.pipeline.made_up import answers_of, question, questionnaire

ITEMS = ("trust_a", "trust_b", "trust_c")


def with_forms(**pulses: tuple[str, ...]) -> Questionnaire:
    return questionnaire([question(id_, "trust", placing="rotating") for id_ in ITEMS], pulses)


def scores(said: list[dict[str, object]], frozen: Questionnaire, number: int = 1) -> dict[str, float]:
    numbers = {int(str(row.get("number", 1))) for row in said}
    rated = validate(answers_of(said), {f"R{each}": frozen for each in numbers}).rated
    scored = score(rated, frozen, round_id=f"R{number}", names=["trust"])
    return {row.pairing_id: round(row.score, 6) for row in scored.itertuples()}


def said(pairing: str, *values: int | None, number: int = 1, pulse: str = "pulse") -> list[dict[str, object]]:
    """What one mentee said to trust_a, trust_b, trust_c; None is silence."""
    return [
        {"pairing": pairing, "side": "mentee", "number": number, "pulse": pulse, "question": id_, "value": value}
        for id_, value in zip(ITEMS, values, strict=True)
        if value is not None
    ]


def test_a_whole_form_is_the_mean_of_what_was_answered_from_two_thirds_on() -> None:
    frozen = with_forms(milestone=ITEMS)
    everyone = said("P1", 4, 4, 4, pulse="milestone") + said("P2", 5, None, 2, pulse="milestone")
    assert scores(everyone, frozen) == {"P1": 75.0, "P2": 62.5}
    rated = validate(answers_of(everyone + said("P3", 1, None, None, pulse="milestone")), {"R1": frozen}).rated
    scored = score(rated, frozen, round_id="R1", names=["trust"]).set_index("pairing_id")
    assert scored["is_whole"].to_dict() == {"P1": True, "P2": True, "P3": False}
    assert scored["n_items"].to_dict() == {"P1": 3, "P2": 2, "P3": 1}


def simulated(rng: np.random.Generator, forms: dict[int, list[str]], n: int = 400) -> pd.DataFrame:
    """Rated: people keep their level, 60 on average; trust_a is 15 easier, trust_c 15 harder than trust_b."""
    levels = rng.normal(0, 10, n)
    levels += 60 - levels.mean()
    effect = dict(zip(ITEMS, (15.0, 0.0, -15.0), strict=True))
    rows = []
    for number, forms_of_round in forms.items():
        for k in range(n):
            for item in forms_of_round[k % len(forms_of_round)].split():
                rows.append((f"R{number}", number, f"P{k}", item, levels[k] + effect[item] + rng.normal(0, 8)))
    frame = pd.DataFrame(rows, columns=["round_id", "round_number", "pairing_id", "question_id", "points"])
    person = {"side": "mentee", "person_id": frame["pairing_id"], "mentor_id": "Ada", "pulse": "pulse"}
    return conform(Rated, frame.assign(**person, construct="trust", points=frame["points"].clip(0, 100)))


def means(rated: pd.DataFrame, last: int) -> tuple[list[float], list[float]]:
    """By round: the naive mean of answers, and the mean of the scores as each release would have them."""
    frozen = with_forms(pulse=())
    naive = rated.groupby(["round_number", "pairing_id"])["points"].mean().groupby("round_number").mean()
    ours = []
    for number in range(1, last + 1):
        upto = rated[rated["round_number"] <= number]
        ours.append(score(upto, frozen, round_id=f"R{number}", names=["trust"])["score"].mean())
    return naive.tolist(), ours


def test_an_easy_form_makes_no_trend_where_the_naive_mean_rises_by_fifteen() -> None:
    forms = {
        1: ["trust_a trust_b", "trust_b trust_c", "trust_a trust_c"],
        2: ["trust_a trust_b"],
        3: ["trust_b trust_c"],
    }
    naive, ours = means(simulated(np.random.default_rng(5), forms), last=3)
    assert naive[1] - naive[0] == pytest.approx(7.5, abs=2)
    assert naive[2] - naive[1] == pytest.approx(-15, abs=2)
    assert ours == pytest.approx([60, 60, 60], abs=1.5)


def test_an_item_that_joins_later_makes_no_trend_where_the_naive_mean_falls_by_fifteen() -> None:
    forms = {1: ["trust_a trust_b"], 2: ["trust_a trust_c", "trust_b trust_c"], 3: ["trust_c trust_b"]}
    naive, ours = means(simulated(np.random.default_rng(6), forms), last=3)
    assert naive[2] - naive[0] == pytest.approx(-15, abs=2)
    assert ours == pytest.approx([67.5] * 3, abs=1.5)


def test_a_whole_form_after_rounds_that_asked_a_part_makes_no_change_where_the_plain_mean_falls_by_fifteen() -> None:
    """The closing asks all three; the first rounds asked the easiest alone, and scores are told at its level."""
    rated = simulated(np.random.default_rng(7), {1: ["trust_a"], 2: ["trust_a"], 3: ["trust_a trust_b trust_c"]})
    rated["pulse"] = rated["round_number"].map({1: "pulse", 2: "pulse", 3: "closing"})
    frozen = with_forms(pulse=(), closing=ITEMS)
    last = rated[rated["round_number"] == 3]
    plain = score(last, frozen, round_id="R3", names=["trust"])["score"].mean()
    told = [
        score(rated[rated["round_number"] <= number], frozen, round_id=f"R{number}", names=["trust"])["score"].mean()
        for number in (1, 3)
    ]
    assert plain == pytest.approx(60, abs=1.5)
    assert told == pytest.approx([75, 75], abs=1.5)


def test_items_that_nobody_ever_met_together_are_taken_as_they_are() -> None:
    frozen = with_forms(pulse=())
    assert scores(said("P1", 5, None, None) + said("P2", None, 2, None), frozen) == {"P1": 100.0, "P2": 25.0}


def test_only_the_asked_round_is_scored_and_later_rounds_change_nothing() -> None:
    frozen = with_forms(kickoff=ITEMS, pulse=())
    first = said("P1", 4, 3, 2, pulse="kickoff") + said("P2", 5, 5, 3, pulse="kickoff")
    later = said("P1", None, None, 5, number=2)
    assert scores(first, frozen) == {"P1": 50.0, "P2": pytest.approx(83.333333)}
    assert set(scores(first + later, frozen, number=2)) == {"P1"}


def test_one_principle_of_a_construct_can_be_scored_alone() -> None:
    frozen = questionnaire(
        [question("shared", "expectations", principles=("P05",)), question("often", "expectations")],
        {"kickoff": ("shared", "often")},
    )
    assert items_of(frozen, "expectations/P05", "mentee") == ("shared",)
    assert items_of(frozen, "expectations", "mentee") == ("shared", "often")


def test_what_a_pulse_may_ask_is_known_from_its_design_or_from_an_answer() -> None:
    frozen = questionnaire(
        [
            question("honest", "trust"),
            question("mentee_only", "network", sides=("mentee",), placing="rotating"),
            question("future", "staying", placing="fixed"),
            question("elsewhere", "fit", placing="fixed"),
        ],
        {"pulse": ("honest",), "kickoff": ("future",)},
    )
    scored = pd.DataFrame({"construct": ["fit"], "side": ["mentor"]})
    assert asked(frozen, "pulse", ["trust", "network", "staying", "fit"], scored) == {
        "trust": {"mentor", "mentee"},
        "network": {"mentee"},
        "staying": set(),
        "fit": {"mentor"},
    }


def test_three_thousand_pairings_and_six_rounds_are_scored_in_under_two_seconds() -> None:
    rng = np.random.default_rng(1)
    constructs = [f"c{k}" for k in range(18)]
    frozen = questionnaire(
        [question(f"{name}_{k}", name, placing="rotating") for name in constructs for k in range(4)],
        {"pulse": ()},
    )
    ids = np.array(list(frozen.questions))
    per_form, n_forms = 6, 2 * 6 * 3000
    order = np.argsort(rng.random((n_forms, len(ids))), axis=1)[:, :per_form]
    form = np.repeat(np.arange(n_forms), per_form)
    pairing = (form // 12).astype(str)
    rated = pd.DataFrame(
        {
            "round_number": form % 6 + 1,
            "round_id": "R" + pd.Series(form % 6 + 1).astype("str"),
            "pulse": "pulse",
            "pairing_id": pairing,
            "side": np.where(form // 6 % 2, "mentor", "mentee"),
            "person_id": pairing,
            "mentor_id": pairing,
            "question_id": ids[order.ravel()],
            "points": rng.integers(0, 5, len(form)) * 25.0,
        }
    )
    started = time.process_time()
    scored = score(rated, frozen, round_id="R6", names=constructs)
    assert time.process_time() - started < 2
    assert scored["pairing_id"].nunique() == 3000
