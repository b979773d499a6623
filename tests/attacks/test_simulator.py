"""Nothing is proven of anyone over random programmes; and the simulator finds every hole that is made on purpose."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.attack import silence
from pipeline.attack.attempts import Effort, Leak, leaks, leaks_of_silence, leaks_of_sums, leaks_over_time
from pipeline.attack.backwards import before_rounding
from pipeline.attack.further import further
from pipeline.attack.pools import pools
from pipeline.attack.reader import Round, Told, told
from pipeline.attack.spreads import with_spreads
from pipeline.demonstration.programme import Made, Plan, make
from pipeline.disclosure import merging
from pipeline.disclosure.crowd import Key
from pipeline.disclosure.rounding import in_steps_of_error, rounded, step_of
from pipeline.ingest import Inputs
from tests.attacks import simulator

SEED = 1
SHORT = ["tiny"] * 3 + ["small"] * 5 + ["middle"] * 2
LEAST = simulator.LEAST
GROUPED = ("department", "location", "grade")


@pytest.mark.xdist_group("simulator")
def test_nothing_is_proven_of_anyone_over_random_programmes() -> None:
    tally = simulator.run(len(SHORT), SEED, kinds=SHORT)
    assert tally.wrong == []
    assert {name: found[:3] for name, found in tally.leaks.items()} == {}
    assert tally.answers > 2000
    assert tally.shown > 150


def test_a_plain_threshold_of_five_gives_at_least_half_of_the_answers_away() -> None:
    """The baseline: were this arm to leak less, the simulator would be no attacker."""
    share, drawn = simulator.plain(4, SEED)
    assert share >= simulator.HALF
    assert drawn >= 4


def test_the_baseline_is_of_programmes_whose_filters_tell_people_apart() -> None:
    """Two groups an attribute make at most sixteen combinations: few answers of seventy people can be found."""
    alike, apart = (
        make(Plan(n_pairings=70, silent=0.0, groups=dict.fromkeys(GROUPED, (1.0,) * n)), np.random.default_rng(1))
        for n in (2, 9)
    )
    assert [simulator.is_told_apart(each) for each in (alike, apart)] == [False, True]
    shares = [proven / of for proven, of in (simulator.baseline(each) for each in (alike, apart))]
    assert shares[0] < simulator.HALF < shares[1]
    nobody = make(Plan(n_pairings=6, silent=1.0), np.random.default_rng(1))
    assert not simulator.is_told_apart(nobody)


def test_a_belief_that_is_not_true_is_counted_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of the first of two programmes takes every number for another one: their system has no solution."""
    known_of, met = simulator.known_of, []

    def mistaken(inputs: Inputs, seen: Round) -> Told:
        known = known_of(inputs, seen)
        met.append(inputs)
        more = 1000.0 if len(met) == 1 else 0.0
        ends = {name: known.numbers[name] + more for name in ("low", "high")}
        return replace(known, numbers=known.numbers.assign(**ends))

    monkeypatch.setattr(simulator, "known_of", mistaken)
    told_of: list[str] = []
    tally = simulator.run(2, 30, kinds=["small", "tiny"], tell=told_of.append)
    assert tally.programmes == 2
    assert len(met) > 1
    assert any("no solution" in each for each in tally.wrong)
    assert all(each.startswith("small 30: ") for each in tally.wrong)
    assert not tally.is_clean
    assert set(tally.wrong) <= set(told_of)


# --- rounding, run backwards ---------------------------------------------------------------------------


def as_shown(value: float, low: float, high: float, *, is_gap: bool) -> dict[str, float]:
    """What `publish` makes of a number with an interval."""
    scale, supports = ((-100.0, 100.0), (high - low) / 2) if is_gap else ((0.0, 100.0), None)
    numbers = rounded(*in_steps_of_error(value, low, high), unit="points", scale=scale, half_width=supports)
    return dict(zip(("value", "low", "high"), numbers, strict=True))


def ends_of(row: dict[str, float], *, is_gap: bool) -> tuple[float, float]:
    return before_rounding(row, (-100.0, 100.0) if is_gap else (0.0, 100.0), by_own_error=is_gap)


@pytest.mark.parametrize("is_gap", [False, True])
def test_a_number_with_an_interval_lies_where_its_rounding_run_backwards_says(is_gap: bool) -> None:
    """Also where it is shown in whole points, or where an end is cut at the end of the scale."""
    rng = np.random.default_rng(7)
    least = -100.0 if is_gap else 0.0
    for _ in range(600):
        value, half = rng.uniform(least, 100.0), float(np.exp(rng.uniform(np.log(0.05), np.log(150.0))))
        low, high = ends_of(as_shown(value, value - half, value + half, is_gap=is_gap), is_gap=is_gap)
        assert low - 1e-6 <= value <= high + 1e-6
        if least < value - 2 * half and value + 2 * half < 100.0:
            # Its step, known to a quarter or so as the interval is, and the point that it is shown in.
            assert high - low <= 1.3 * half / 1.96 + 1.0


def test_its_ends_are_as_near_as_the_rounding_allows() -> None:
    """Of means a twentieth apart with any half interval, those that look alike reach as far as the ends."""
    looked: dict[tuple[float, ...], list[float]] = {}
    for value in np.arange(40.0, 43.0, 0.05):
        for half in np.arange(0.2, 8.0, 0.02):
            row = as_shown(value, value - half, value + half, is_gap=False)
            looked.setdefault(tuple(row.values()), []).append(float(value))
    inner = {shown: means for shown, means in looked.items() if min(means) > 41.0 and max(means) < 42.0}
    assert len(inner) > 20
    for (value, low, high), means in inner.items():
        ends = ends_of({"value": value, "low": low, "high": high}, is_gap=False)
        assert abs(ends[0] - min(means)) <= 0.051
        assert abs(ends[1] - max(means)) <= 0.051


@pytest.mark.parametrize("half", [0.4, 0.97, 1.5, 6.0, 30.0])
@pytest.mark.parametrize(
    ("metric", "view", "group", "side"),
    [("perception_gap", "construct", "trust", "both"), ("weighted_satisfaction", "all", "all", "mentor")],
)
def test_what_is_believed_of_gaps_and_weighted_means_is_true(
    metric: str, view: str, group: str, side: str, half: float
) -> None:
    """In a large programme half an interval of 1.5 is shown in whole points, and the mean was told in steps of 0.5.

    One of 30 is cut where the scale ends.
    """
    inputs = make(Plan(n_pairings=40, silent=0.2, mean=25.0), np.random.default_rng(3)).inputs(1)
    seen = replace(
        simulator.seen_round(inputs, simulator.NOTHING), se={("satisfaction", "all", "all", "mentor"): half / 1.96}
    )
    about = {"metric": metric, "view": view, "group": group, "side": side, "n": 30, "shown": True}
    is_gap = metric == "perception_gap"

    def read(value: float) -> Told:
        row = {**about, **as_shown(value, value - half, value + half, is_gap=is_gap)}
        return further(replace(seen, published=pd.DataFrame([row])), inputs.invited.iloc[:0], ())

    asked = read(0.0 if is_gap else 50.0).puzzle()
    (truth,) = asked.matrix @ asked.truth
    for moved in np.arange(-1.5, 1.5, 0.23):
        known = read(truth + moved)
        assert known.numbers["low"].iloc[0] - 1e-6 <= truth + moved <= known.numbers["high"].iloc[0] + 1e-6
    assert read(truth).puzzle().contradicts_truth() == []


JOINED = Plan(n_pairings=22, groups={"location": (1.5, 2.5, 2.5, 14)}, reported=("location",), silent=0.0, mean=55.0)
POOLED = replace(JOINED, n_pairings=24, n_rounds=3, groups={"location": (1, 1)}, silent=0.55, unchanged=0.5)


@pytest.mark.parametrize(("plan", "seed", "least"), [(JOINED, 0, 5), (POOLED, 1, 5), (POOLED, 4, 5)])
def test_joined_groups_and_three_rounds_are_read_in_the_steps_in_which_they_are_told(
    plan: Plan, seed: int, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finer step would be told by nobody: what it proves is no leak. Of a coarser one leaks would be missed."""
    steps: dict[Key, float] = {}
    rows = merging.rows

    def kept(merged: Mapping[Key, merging.Merged], like: pd.DataFrame) -> pd.DataFrame:
        steps.update({key: step_of(each.se) for key, each in merged.items()})
        return rows(merged, like)

    monkeypatch.setattr(merging, "rows", kept)
    read: list[Round] = []
    for inputs, published in simulator.released(make(plan, np.random.default_rng(seed))):
        read.append(simulator.seen_round(inputs, published))
    numbers = pd.concat([told(read[-1]).numbers, pools(read).numbers])
    names = numbers[["metric", "view", "group", "side"]].to_dict("records")
    widths = dict(zip([Key(**each) for each in names], numbers["high"] - numbers["low"], strict=True))
    last = {Key(**each) for each in read[-1].published.query("shown")[list(simulator.ROW)].to_dict("records")}
    joined = [key for key in widths if key in steps and key in last]
    assert len(joined) >= least
    assert {key: widths[key] for key in joined} == pytest.approx({key: steps[key] for key in joined})


def test_numbers_that_no_rounding_leads_to_are_not_what_the_rule_says() -> None:
    with pytest.raises(ArithmeticError, match="documented rule"):
        ends_of({"value": 41.3, "low": 20.0, "high": 60.0}, is_gap=False)


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
