"""Attacks a made-up programme twice: behind a plain threshold, and behind the gate."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.contracts import Published, conform
from pipeline.attack.attempts import Effort, Leak, leaks, leaks_of_silence, leaks_of_sums
from pipeline.attack.oracle import known_of, seen_round
from pipeline.attack.plain_threshold import answers_proven, plain_threshold
from pipeline.attack.puzzle import puzzle
from pipeline.attack.ranges import MIDDLE, proven
from pipeline.attack.reader import Round, Told
from pipeline.demonstration.programme import Plan, make
from pipeline.disclosure.rounding import coarse, step_of
from pipeline.disclosure.thresholds import DEFAULT
from pipeline.run import build

PLAN = Plan(
    n_pairings=120,
    groups={"department": (6, 5, 4, 4, 3, 3, 2), "location": (5, 4, 3, 3, 2), "grade": (4, 4, 3, 3, 2, 1)},
    reported=("department", "location"),
    guide_of_five=True,
)
FILTERS = ("department", "location", "grade", "cohort")
METRICS = {"trust": "trust", "satisfaction": "satisfaction", "goal_progress": "goals"}
SIDES = ("mentor", "mentee")
EFFORT = Effort(viewers=8, targets=4)
UNSEALED = "a made-up programme has no seal"
DECLARED_SPREAD = 25.0
FIVE, ONE_MORE = (75, 100, 75, 50, 100), 25
Step = Callable[[int, int], object]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What one way of publishing gives away: proven answers, and low scorers among them."""

    n_answers: int
    n_low: int


@dataclass(frozen=True, kw_only=True)
class Worked:
    """Two overlapping groups, six people and five of them, and what their means prove of the sixth."""

    scores: tuple[int, ...]
    mean_of_five: float
    mean_of_six: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """`n_answers` scores of `n_people` people, `n_low` below the middle; what each arm proves of them.

    `found` counts, by attack, what the gate left: nothing. `n_silent_told` of whom it is proven whether they answered.
    """

    seed: int
    n_people: int
    n_answers: int
    n_low: int
    n_shown: int
    n_withheld: int
    plain: Arm
    gate: Arm
    found: dict[str, int]
    exact: Worked
    rounded: Worked


def demonstrate(seed: int, *, progress: Step = lambda _done, _total: None) -> Demonstration:
    """The same answers, published in two ways and attacked."""
    rng = np.random.default_rng(seed)
    inputs = make(PLAN, rng).inputs(1)
    progress(1, 4)
    published = conform(Published, pd.DataFrame(json.loads(build(inputs, key=UNSEALED))["rows"]))
    seen = seen_round(inputs, published)
    progress(2, 4)
    plain = [_plain(seen, metric, side) for metric in METRICS for side in SIDES]
    progress(3, 4)
    found = _against_the_gate(seen, known_of(inputs, seen), rng)
    progress(4, 4)
    asked = seen.facts.scored[seen.facts.scored["construct"].isin(METRICS.values())]
    of_scores = published[published["metric"].isin(list(seen.metrics))]
    return Demonstration(
        seed=seed,
        n_people=asked["person_id"].nunique(),
        n_answers=len(asked),
        n_low=int((asked["score"] < MIDDLE).sum()),
        n_shown=int(of_scores["shown"].sum()),
        n_withheld=int((~of_scores["shown"]).sum()),
        plain=Arm(n_answers=sum(n for n, _ in plain), n_low=sum(n for _, n in plain)),
        gate=Arm(n_answers=len(_about(found)), n_low=len(_about([each for each in found if each.is_low]))),
        found=_counted(found),
        exact=worked_example(is_rounded=False),
        rounded=worked_example(is_rounded=True),
    )


def worked_example(*, is_rounded: bool) -> Worked:
    """What the means of five people, and of these and one more, prove of the one more."""
    scores = (*FIVE, ONE_MORE)
    sizes = (len(FIVE), len(scores))
    steps = [step_of(DECLARED_SPREAD / np.sqrt(n)) if is_rounded else 0.0 for n in sizes]
    means = [float(np.mean(scores[:n])) for n in sizes]
    told = [coarse(mean, step) if step else mean for mean, step in zip(means, steps, strict=True)]
    numbers = [
        {"name": str(n), "low": mean - step / 2, "high": mean + step / 2}
        for n, mean, step in zip(sizes, told, steps, strict=True)
    ]
    terms = [{"number": at, "key": str(k), "weight": 1 / n} for at, n in enumerate(sizes) for k in range(n)]
    people = [str(k) for k in range(len(scores))]
    hidden = pd.DataFrame({"key": people, "person": people, "name": "trust", "score": scores, "grain": 0.0})
    asked = puzzle(hidden, pd.DataFrame(terms), pd.DataFrame(numbers))
    found = proven(asked, narrow=np.inf)
    last = list(found.person).index(people[-1])
    return Worked(
        scores=scores,
        mean_of_five=told[0],
        mean_of_six=told[1],
        low=float(found.low[last]),
        high=float(found.high[last]),
    )


def _plain(seen: Round, metric: str, side: str) -> tuple[int, int]:
    told = plain_threshold(seen, metric, side, least=DEFAULT.score_n, attributes=FILTERS)
    return answers_proven(told.puzzle())


def _against_the_gate(seen: Round, known: Told, rng: np.random.Generator) -> list[Leak]:
    least = DEFAULT.score_n
    return [*leaks(known, rng, EFFORT), *leaks_of_sums(seen, least=least), *leaks_of_silence(seen, least=least)]


def _about(found: list[Leak]) -> set[tuple[str, float]]:
    return {(each.about, each.truth) for each in found if each.attack != "silence"}


def _counted(found: list[Leak]) -> dict[str, int]:
    attacks = ("bounds", "steps", "viewer", "colluders", "small groups", "small sums", "silence")
    return {attack: sum(each.attack == attack for each in found) for attack in attacks}
