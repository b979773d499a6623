"""No one can work out from all the counts of a side who answered, or who did not."""

from itertools import product

import numpy as np
import pandas as pd

from pipeline.disclosure.alone import ASKED
from pipeline.disclosure.crowd import Crowd, Key
from pipeline.disclosure.rounding import in_steps, share_range, told_count
from pipeline.disclosure.silence import telling_counts

SIDE = "mentee"
Sizes = dict[str, tuple[int, int]]  # by group: asked and answered


def _asked(sizes: Sizes) -> pd.DataFrame:
    rows = [
        (f"{group}{k}", group, float(k < answered)) for group, (asked, answered) in sizes.items() for k in range(asked)
    ]
    return pd.DataFrame(rows, columns=["unit", "department", "value"])


def _score(metric: str, group: str, view: str = "department") -> Key:
    return Key(metric=metric, view=view, group=group, side=SIDE)


def _release(sizes: Sizes, keys: list[Key]) -> tuple[dict[Key, bool], dict[Key, Crowd], pd.DataFrame]:
    asked = _asked(sizes)
    crowds = {}
    for key in keys:
        groups = list(sizes) if key.view == "all" else key.parts_among(set(sizes))
        said = asked[asked["department"].isin(groups) & ((asked["value"] == 1) | (key.metric == ASKED))]
        crowds[key] = Crowd(mentees=frozenset(said["unit"]))
    return dict.fromkeys(keys, True), crowds, asked


def test_two_overlapping_sets_of_groups_do_not_say_that_a_third_group_answered() -> None:
    sizes = {"A": (6, 6), "B": (7, 5), "C": (29, 24)}
    keys = [_score("expectations", "B + C"), _score("goal_progress", "A + C"), _score("goal_progress", "B")]
    shown, crowds, asked = _release(sizes, keys)
    # 30 or more of A and C, at most 29 of B and C, at least 5 of B: so at least 6 of the 6 in A.
    assert telling_counts(shown, crowds, asked, SIDE) & set(keys)
    assert telling_counts(dict.fromkeys(keys[1:], True), crowds, asked, SIDE) == set()


def test_participation_goes_before_a_score_and_the_small_group_before_the_large() -> None:
    sizes = {"A": (5, 5), "B": (30, 12), "C": (30, 13)}
    shares = [Key(metric=ASKED, view="all", group="all", side=SIDE), _score(ASKED, "B"), _score(ASKED, "C")]
    keys = [*shares, _score("trust", "B"), _score("trust", "C"), _score("trust", "all", "all")]
    shown, crowds, asked = _release(sizes, keys)
    # B and C are told as 10 to 14 each, the programme as 30 to 34: at least 2 of A, and at most 14: nothing is proven.
    assert telling_counts(shown, crowds, asked, SIDE) == set()
    sizes = {"A": (2, 2), "B": (31, 14), "C": (30, 14)}  # now at least 30 − 28 = 2 of the two in A
    shown, crowds, asked = _release(sizes, keys)
    assert telling_counts(shown, crowds, asked, SIDE) == {_score(ASKED, "C"), _score("trust", "C")}
    sizes = {"A": (2, 2), "B": (31, 14), "C": (30, 14)}
    shown, crowds, asked = _release(sizes, [*shares, _score("trust", "B")])  # participation alone narrows C
    assert telling_counts(shown, crowds, asked, SIDE) == {_score(ASKED, "C")}


def test_a_person_who_stands_in_two_groups_is_one_person() -> None:
    shown, crowds, asked = _release({"A": (10, 8), "B": (12, 9)}, [_score("trust", "A"), _score("trust", "B")])
    twice = pd.concat([asked, asked.iloc[:1].assign(department="B")], ignore_index=True)
    assert telling_counts(shown, crowds, twice, SIDE) == set()


def test_what_is_left_proves_nothing_by_trying_every_count() -> None:
    rng = np.random.default_rng(3)
    n_withheld = 0
    for _ in range(150):
        asked_of = zip("ABC", rng.integers(1, 12, 3).tolist(), strict=True)
        sizes = {name: (n, n - int(rng.random() < 0.2)) for name, n in asked_of}
        groups = ["A", "B", "C", "A + B", "B + C", "A + C"]
        keys = [_score(f"m{k}", str(group)) for k, group in enumerate(rng.permutation(groups)[: rng.integers(2, 6)])]
        keys += [Key(metric=ASKED, view="all", group="all", side=SIDE), _score(ASKED, "A"), _score(ASKED, "B")]
        shown, crowds, asked = _release(sizes, keys)
        gone = telling_counts(shown, crowds, asked, SIDE)
        n_withheld += bool(gone)
        assert not _proven(sizes, [key for key in keys if key not in gone], crowds), (sizes, gone)
    assert 20 < n_withheld < 150


def test_some_of_those_releases_would_have_proven_it() -> None:
    keys = [_score("m", "B + C"), _score("m2", "A + C"), _score("m2", "B")]
    sizes = {"A": (6, 6), "B": (7, 5), "C": (29, 24)}
    _, crowds, _ = _release(sizes, keys)
    assert _proven(sizes, keys, crowds) == {"A"}


def _proven(sizes: Sizes, keys: list[Key], crowds: dict[Key, Crowd]) -> set[str]:
    """Groups that answered, or kept silent, as a whole in every count that fits what is told."""
    names = list(sizes)
    fits = [
        counts
        for counts in product(*(range(sizes[name][0] + 1) for name in names))
        if all(_fits(key, dict(zip(names, counts, strict=True)), sizes, crowds) for key in keys)
    ]
    found = np.array(fits)
    return {name for k, name in enumerate(names) if found[:, k].min() == sizes[name][0] or found[:, k].max() == 0}


def _fits(key: Key, counts: dict[str, int], sizes: Sizes, crowds: dict[Key, Crowd]) -> bool:
    groups = list(sizes) if key.view == "all" else key.parts_among(set(sizes))
    n_asked, answered = (sum(sizes[name][k] for name in groups) for k in (0, 1))
    count = sum(counts[name] for name in groups)
    if key.metric == ASKED:
        low, high = share_range(answered, n_asked)
        return low <= count <= high
    told = in_steps(told_count(len(crowds[key]), n_asked))
    most = share_range(told, n_asked)[1]
    return told <= count <= (most if answered <= most else n_asked)
