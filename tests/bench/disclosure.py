"""Counts what the gate leaves of reference programmes, what its rounding costs, and how long it takes.

Programmes of 80, 300 and 3,000 pairings with the demo's true spreads and answering rates: a kickoff that asks every
construct and a pulse that rotates, told beside it, two reporting attributes with groups of at least 16 invited a side.
Of the score views with five people (two-way ones: ten) behind every side: how many are shown.
`python -m tests.bench.disclosure`.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence, Set
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from data.demo import truth
from pipeline.disclosure import gate
from pipeline.disclosure.crowd import PROGRAMME, Key
from pipeline.disclosure.rounding import step_of
from pipeline.disclosure.thresholds import Thresholds
from pipeline.measure import Measurement, measure
from pipeline.metric import Facts, catalogue
from pipeline.score import asked as asked_of
from pipeline.score import score
from pipeline.three_rounds import RoundShown
from pipeline.weigh import REMEMBERED
from surveys.forms import asked, assign_forms
from surveys.questionnaire import SIDES, ours

LEVELS = {80: (4, 3), 300: (8, 5), 3000: (12, 8)}
LEAST_INVITED = 16
ATTRIBUTES = ("department", "location")
N_PROGRAMMES = {80: 12, 300: 6, 3000: 1}
LARGEST, MOST_LEVELS = 2500, (10, 10)  # 5,000 people and 20 levels


Asked = tuple[str, pd.DataFrame, pd.DataFrame]  # the pulse; Rated of all rounds so far; Invited of this one


def programme(n: int, levels: tuple[int, int], seed: int, n_rounds: int = 2) -> Iterator[Asked]:
    """Round by round."""
    rng = np.random.default_rng(seed)
    mentor = np.repeat(np.arange(n), rng.choice([1, 1, 2, 3], n))[:n]
    unit = {"mentor": mentor, "mentee": np.arange(n)}
    placed = {side: [_placed(n, k, rng) for k in levels] for side in SIDES}
    placed["mentor"] = [of[mentor] for of in placed["mentor"]]
    shared = truth.PAIRING_SD * rng.standard_normal(n)
    own = {side: shared + truth.PERSON_SD * rng.standard_normal(n)[unit[side]] for side in SIDES}
    easy = {each: truth.ITEM_SD * rng.standard_normal() for each in ours().questions}
    rated = []
    for number, pulse in enumerate(("kickoff", *["pulse"] * (n_rounds - 1)), 1):
        invited = []
        for side in SIDES:
            answers = rng.random(n) < truth.RESPONSE_RATE[side]
            now = own[side] + truth.OCCASION_SD * rng.standard_normal(n)
            ids = [f"P{k}" for k in range(n)]
            about = pd.DataFrame(
                {
                    "programme_id": "p", "round_id": f"R{number}", "round_number": number, "pulse": pulse,
                    "pairing_id": ids, "side": side, "person_id": [f"{side}{k}" for k in unit[side]],
                    "mentor_id": [f"mentor{k}" for k in mentor], "has_answered": answers, "cohort": "", "grade": "",
                    **{name: [f"{name} {k}" for k in of] for name, of in zip(ATTRIBUTES, placed[side], strict=True)},
                }
            )  # fmt: skip
            invited.append(about)
            rated.append(_rated(about[answers], now[answers], easy, rng))
        yield pulse, pd.concat(rated, ignore_index=True), pd.concat(invited, ignore_index=True)


def _placed(n: int, n_levels: int, rng: np.random.Generator) -> np.ndarray:
    """Everyone's group: of uneven sizes, and none too small to be a reporting group."""
    n_levels = max(min(n_levels, n // (2 * LEAST_INVITED)), 1)
    sizes = LEAST_INVITED + np.floor(rng.dirichlet(np.full(n_levels, 2.0)) * (n - LEAST_INVITED * n_levels)).astype(int)
    sizes[0] += n - sizes.sum()
    return rng.permutation(np.repeat(np.arange(n_levels), sizes))


def _rated(about: pd.DataFrame, level: np.ndarray, easy: dict[str, float], rng: np.random.Generator) -> pd.DataFrame:
    """What these people said of every question on a scale that their form asks."""
    side, pulse, number = (about[name].iloc[0] for name in ("side", "pulse", "round_number"))
    dealt = assign_forms(ours(), pulse, side, list(about["pairing_id"]), int(number), Random(7))
    rows = []
    for place, pairing in enumerate(about["pairing_id"]):
        for question in asked(ours(), pulse, side, dealt[pairing]):
            if question.kind == "scale" and question.construct in _NAMES:
                told = truth.TRUST_FIRST_ROUND + level[place] + truth.CONSTRUCT_SHIFT.get(question.construct, 0.0)
                told += easy[question.id] + truth.ANSWER_SD * rng.standard_normal()
                rows.append((place, question.id, question.construct, float(np.clip(round(told / 25) * 25, 0, 100))))
    said = pd.DataFrame(rows, columns=["place", "question_id", "construct", "points"])
    key = ["round_id", "round_number", "pulse", "pairing_id", "side", "person_id", "mentor_id"]
    return pd.concat([about[key].iloc[said["place"]].reset_index(drop=True), said.drop(columns="place")], axis=1)


_NAMES = {name.partition("/")[0] for metric in catalogue().values() for name in metric.constructs}


def measured(rated: pd.DataFrame, invited: pd.DataFrame, pulse: str) -> tuple[Measurement, Facts]:
    names = sorted({name for metric in catalogue().values() for name in metric.constructs})
    scored = score(rated, ours(), round_id=invited["round_id"].iloc[0], names=names)
    facts = Facts(invited=invited, scored=scored)
    asks = asked_of(ours(), pulse, names, scored)
    return measure(facts, catalogue(), attributes=ATTRIBUTES, asked=asks), facts


def decided(measurement: Measurement, facts: Facts, earlier: Sequence[RoundShown] = ()) -> RoundShown:
    """The round as it is shown beside the earlier ones, the newest first."""
    rows = measurement.measured
    keys = [Key(metric=row.metric, view=row.view, group=row.group, side=row.side) for row in rows.itertuples()]
    answered = facts.invited[facts.invited["has_answered"]]
    respondents = {side: answered.loc[answered["side"] == side, "person_id"].nunique() for side in SIDES}
    errors = dict(zip(keys, rows["se"], strict=True))
    found = gate.decide(
        measurement.crowds,
        catalogue(),
        Thresholds(attributes=ATTRIBUTES),
        respondents,
        told=measurement.told,
        errors=errors,
        earlier=earlier,
    )
    shown = {key for key, is_shown in found.shown.items() if is_shown}
    return RoundShown(
        number=len(earlier) + 1,
        told=measurement.told,
        crowds=measurement.crowds,
        errors=errors,
        shown=shown,
        rooms={key: room for key, room in found.rooms.items() if key in shown},
    )


def _counted(measurement: Measurement, shown: Set[Key]) -> dict[str, list[int]]:
    """Of the score views with enough people behind every side: how many are shown, and how many there are."""
    found: dict[str, list[int]] = {"one_way": [0, 0], "two_way": [0, 0]}
    for key, crowd in measurement.crowds.items():
        if catalogue()[key.metric].unit == "points" and key.view != PROGRAMME:
            kind, least = ("two_way", 10) if key.is_two_way else ("one_way", 5)
            if crowd.has(max(least, catalogue()[key.metric].minimum_n), key.side):
                found[kind][0] += key in shown
                found[kind][1] += 1
    return found


def _added(measurement: Measurement, shown: Set[Key]) -> list[float]:
    """The rounding's error of every shown mean, in standard errors: uniform within half a step."""
    rows = measurement.measured
    keys = [Key(metric=row.metric, view=row.view, group=row.group, side=row.side) for row in rows.itertuples()]
    return [step_of(se) / 2 / se for key, se in zip(keys, rows["se"], strict=True) if key in shown and se > 0]


def kept(n: int) -> dict[str, Any]:
    """Shares of views kept at one size, by kind of round, and the most that rounding adds, in standard errors."""
    counts: dict[str, list[int]] = {}
    most = 0.0
    for seed in range(N_PROGRAMMES[n]):
        earlier: list[RoundShown] = []
        for pulse, rated, invited in programme(n, LEVELS[n], seed):
            measurement, facts = measured(rated, invited, pulse)
            earlier.insert(0, decided(measurement, facts, earlier))
            shown = earlier[0].shown
            for kind, (yes, all_) in _counted(measurement, shown).items():
                of = counts.setdefault(f"{kind}_{pulse}", [0, 0])
                of[0] += yes
                of[1] += all_
            most = max([most, *_added(measurement, shown)])
    shares = {name: round(yes / all_, 3) if all_ else None for name, (yes, all_) in sorted(counts.items())}
    whole = {
        kind: [sum(of[k] for name, of in counts.items() if name.startswith(kind)) for k in (0, 1)]
        for kind in ("one_way", "two_way")
    }
    return {
        **shares,
        **{kind: round(yes / all_, 3) if all_ else None for kind, (yes, all_) in whole.items()},
        "views": whole,
        "most_added_se": round(most, 3),
    }


def largest() -> dict[str, float]:
    """Seconds of the gate alone for a pulse of 5,000 people with 20 levels, beside five earlier rounds."""
    earlier: list[RoundShown] = []
    for pulse, rated, invited in programme(LARGEST, MOST_LEVELS, 1, n_rounds=1 + REMEMBERED):
        measurement, facts = measured(rated, invited, pulse)
        began, cpu = time.perf_counter(), time.process_time()
        earlier.insert(0, decided(measurement, facts, earlier))
    return {"seconds": round(time.perf_counter() - began, 2), "cpu": round(time.process_time() - cpu, 2)}


def main() -> None:
    found = {"largest": largest(), **{f"{n}_pairings": kept(n) for n in LEVELS}}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
