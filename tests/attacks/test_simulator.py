"""Nothing is proven of anyone over random programmes; and the simulator finds every hole that is made on purpose."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from pipeline.attack import silence
from pipeline.attack.attempts import Effort, Leak, leaks, leaks_of_silence, leaks_of_sums, leaks_over_time
from pipeline.attack.reader import told
from pipeline.attack.spreads import with_spreads
from pipeline.demonstration.programme import Made, Plan, make
from tests.attacks import simulator, worlds

SEED = 1
SHORT = ["tiny"] * 3 + ["small"] * 5 + ["middle"] * 2
LEAST = simulator.LEAST


@pytest.mark.xdist_group("simulator")
def test_nothing_is_proven_of_anyone_over_random_programmes() -> None:
    tally = simulator.run(len(SHORT), SEED, kinds=SHORT)
    assert tally.wrong == []
    assert {name: found[:3] for name, found in tally.leaks.items()} == {}
    assert tally.answers > 2000
    assert tally.shown > 150


def test_a_plain_threshold_of_five_gives_at_least_half_of_the_answers_away() -> None:
    """The baseline: were this arm to leak less, the simulator would be no attacker."""
    found = [simulator.baseline(worlds.programme("middle", SEED + k)) for k in range(4)]
    assert sum(n for n, _ in found) >= 0.5 * sum(of for _, of in found)


# --- holes made on purpose ---------------------------------------------------------------------------


def of_at_least(n: int) -> simulator.Keep:
    return lambda inside: inside["unit"].nunique() >= n


def made(smallest: int, **more: object) -> Made:
    """A programme of one round whose smallest department has this many mentees who answered; the others have more."""
    plan = {"n_pairings": 60, "groups": {"department": (5, 4, 1), "location": (3, 2, 1)}, "silent": 0.1, **more}
    for seed in range(200):
        found = make(Plan(reported=("department", "location"), **plan), np.random.default_rng(seed))  # type: ignore[arg-type]
        forms = found.forms[found.forms["has_answered"] & (found.forms["side"] == "mentee")]
        if forms["department"].value_counts().min() == smallest:
            return found
    raise AssertionError("no seed makes such a programme")


def attacks_of(found: Iterable[Leak]) -> set[str]:
    return {each.attack for each in found}


def test_a_threshold_of_four_is_found() -> None:
    inputs = made(4).inputs(1)
    assert leaks_of_sums(simulator.shown_by(inputs, of_at_least(LEAST), ("all",)), least=LEAST) == []
    lowered = simulator.shown_by(inputs, of_at_least(4), ("all", "department"))
    assert "small groups" in attacks_of(leaks_of_sums(lowered, least=LEAST))


def test_a_complement_that_nobody_checked_is_found() -> None:
    """The programme is shown, and every department but the one of three: it is what is left."""
    unchecked = simulator.shown_by(made(3).inputs(1), of_at_least(LEAST), ("all", "department"))
    assert "small sums" in attacks_of(leaks_of_sums(unchecked, least=LEAST))


def test_means_that_are_not_rounded_are_found() -> None:
    """Four of five tell one another their answers; the exact mean gives the fifth, a rounded one does not."""
    seen = simulator.shown_by(made(5).inputs(1), of_at_least(LEAST), ("all", "department", "location"))
    rounded, exact = (
        leaks(told(seen, is_exact=is_exact), np.random.default_rng(0), Effort(targets=8)) for is_exact in (False, True)
    )
    assert "colluders" in attacks_of(exact)
    assert len(rounded) < len(exact)
    assert all(leak.low - 1e-3 <= leak.truth <= leak.high + 1e-3 for leak in exact)


def test_cells_of_five_by_two_attributes_are_found() -> None:
    """By two attributes at once from ten people nothing is proven where from five on much is."""
    views = ("all", "department", "location", "department × location")
    seen = simulator.shown_by(made(12, spread=15.0, mean=40.0, n_pairings=90).inputs(1), of_at_least(LEAST), views)
    rows = seen.published
    of_ten = replace(seen, published=rows[~rows["view"].str.contains("×") | (rows["n"] >= 2 * LEAST)])
    effort = Effort(viewers=2, targets=8)
    assert leaks(told(of_ten), np.random.default_rng(0), effort) == []
    assert "colluders" in attacks_of(leaks(told(seen), np.random.default_rng(0), effort))


def test_exact_participation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = made(10, silent=0.02).inputs(1)
    everything = simulator.shown_by(inputs, of_at_least(1), ("all", "department", "location"), "participation")
    shares = replace(everything, published=everything.published.assign(unit="share"))
    assert leaks_of_silence(shares, least=LEAST) == []
    monkeypatch.setattr(silence, "share_range", lambda count, n: (count, count))
    assert leaks_of_silence(shares, least=LEAST) != []


def test_an_interval_that_shows_how_alike_people_are_is_found() -> None:
    """Thirty people who say nearly the same: the mean alone leaves everything open, its interval next to nothing."""
    plan = Plan(n_pairings=30, reported=(), mean=27.0, spread=0.0, between=0.0, silent=0.0)
    seen = simulator.shown_by(make(plan, np.random.default_rng(2)).inputs(1), of_at_least(LEAST), ("all",))
    rng, effort = np.random.default_rng(0), Effort(viewers=0, targets=0)
    wide = with_spreads(told(seen), seen)
    assert leaks(wide, rng, effort) == []
    low, high = (seen.published["value"] + sign * 1.96 * 1.0 / np.sqrt(30) for sign in (-1, 1))
    narrow = replace(seen, published=seen.published.assign(low=low, high=high))
    found = leaks(with_spreads(told(narrow), narrow), rng, effort)
    assert "bounds" in attacks_of(found)
    assert all(leak.is_low for leak in found)


def test_someone_who_left_between_two_rounds_is_found() -> None:
    """Exact means of two rounds, nobody changed their mind, one person left: the difference is their answer."""
    programme = made(12, n_pairings=70, n_rounds=2, silent=0.0, leaving=0.03)
    rounds = [
        told(simulator.shown_by(programme.inputs(number), of_at_least(LEAST), ("all", "department")), is_exact=True)
        for number in (1, 2)
    ]
    rng = np.random.default_rng(0)
    assert leaks(rounds[1], rng, Effort(viewers=0, targets=0)) == []
    assert "time, bounds" in attacks_of(leaks_over_time(rounds, rng, Effort(viewers=0, targets=0)))


@pytest.mark.parametrize("silent", [0.7, 1.0])
def test_a_programme_of_which_nothing_is_shown_is_attacked_as_well(silent: float) -> None:
    tally = simulator.Tally()
    simulator.attack(make(Plan(n_pairings=6, silent=silent, n_rounds=2), np.random.default_rng(1)), "silent", tally)
    assert (tally.leaks, tally.wrong, tally.releases) == ({}, [], 2)
