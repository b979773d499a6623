"""Publishes random programmes, attacks every release, and counts what is proven: none may be.

`python -m tests.attacks.simulator --programmes 2000 [--seed 1] [--baseline 200]` is the long form. It writes a line a
programme as it goes, so that what was tried is known wherever it is stopped; `--kinds large huge` draws only of these.
Where a reader's system has no solution (`wrong`), what they believe is not true: the run goes on, and fails.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import cycle, islice, pairwise

import numpy as np
import pandas as pd

from data.contracts import Published, conform
from pipeline.attack.attempts import (
    Effort,
    Leak,
    leaks,
    leaks_of_pools,
    leaks_of_silence,
    leaks_of_sums,
    leaks_over_time,
)
from pipeline.attack.oracle import known_of, seen_round
from pipeline.attack.plain_threshold import answers_proven, plain_threshold
from pipeline.attack.pools import pools
from pipeline.attack.reader import Round, Told, contributions
from pipeline.demonstration.programme import Made
from pipeline.disclosure.crowd import Key
from pipeline.ingest import Inputs
from pipeline.run import build
from pipeline.weigh import Last
from tests.attacks import worlds

KEY = "k" * 48
ROW = ("metric", "view", "group", "side")
LEAST = 5
NOTHING = conform(Published, pd.DataFrame(columns=list(Published.to_schema().columns)))
Keep = Callable[[pd.DataFrame], bool]  # who stands behind a row → whether it is shown
FILTERED_BY = ("department", "location", "grade", "cohort")
FEWEST, HALF = 20, 0.5  # programmes of a plain threshold, and what they give away together at least


@dataclass
class Tally:
    """What a run found. `answers`: hidden scores that some number was about; `leaks` by programme."""

    programmes: int = 0
    releases: int = 0
    shown: int = 0
    answers: int = 0
    leaks: dict[str, list[Leak]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, name: str, found: Iterable[Leak]) -> None:
        """What an attack proved of a programme; a programme of which nothing is proven has no entry."""
        for leak in found:
            self.leaks.setdefault(name, []).append(leak)

    def counts(self) -> dict[str, int]:
        """How much each attack proved."""
        found = Counter(leak.attack for each in self.leaks.values() for leak in each)
        low = sum(leak.is_low for each in self.leaks.values() for leak in each)
        return {**found, "low scorers": low}

    @property
    def is_clean(self) -> bool:
        return not self.leaks and not self.wrong and self.answers > 0


def released(made: Made) -> Iterator[tuple[Inputs, pd.DataFrame]]:
    """Round after round: what its release is made from, and its rows (contract Published) as they would be frozen."""
    earlier: list[Last] = []
    for number in range(1, made.plan.n_rounds + 1):
        inputs = made.inputs(number)
        rows = json.loads(build(inputs, key=KEY, earlier=earlier))["rows"]
        shown = frozenset(Key(**{name: row[name] for name in ROW}) for row in rows if row["shown"])
        earlier.insert(0, Last(round_id=inputs.round.round_id, shown=shown, n_inputs=inputs.n))
        yield inputs, conform(Published, pd.DataFrame(rows))


def attack(made: Made, name: str, tally: Tally, *, effort: Effort | None = None) -> None:
    """Publishes every round of a programme and tries everything on it."""
    rng, effort = np.random.default_rng(len(name)), effort or Effort()
    rounds: list[Told] = []
    read: list[Round] = []
    for inputs, published in released(made):
        seen = seen_round(inputs, published)
        known = known_of(inputs, seen)
        tally.releases += 1
        tally.shown += len(known.numbers)
        tally.answers += len(known.hidden)
        tally.wrong += [f"{name}: {each}" for each in _mistakes(seen, known)]
        tally.add(name, leaks(known, rng, effort))
        tally.add(name, [*leaks_of_sums(seen, least=LEAST), *leaks_of_silence(seen, least=LEAST)])
        rounds.append(known)
        read.append(seen)
        if len(rounds) % 3 == 0:
            over_three = pools(read[-3:])
            tally.wrong += [f"{name}: {each}" for each in over_three.puzzle().contradicts_truth()]
            tally.shown += len(over_three.numbers)
            tally.add(name, leaks_of_pools(rounds[-3:], over_three, rng, effort))
    for pair in pairwise(rounds):
        tally.add(name, leaks_over_time(pair, rng, effort))
    if len(rounds) > 2:
        tally.add(name, leaks_over_time(rounds, rng, Effort(viewers=0, targets=0)))


def _mistakes(seen: Round, known: Told) -> Iterable[str]:
    """Where the reader's beliefs are not true, or the programme's own numbers are not what is published."""
    yield from known.puzzle().contradicts_truth()
    rows = seen.published.set_index(["metric", "view", "group", "side"])["value"]
    for row in known.numbers[known.numbers["view"] == "all"].itertuples():
        told = rows[row.metric, row.view, row.group, row.side]
        if row.metric in seen.metrics and abs(told - row.mean) > 0.5 + 1e-9:
            yield f"{row.name} is published as {told}, and its coarsened mean is {row.mean}"


def shown_by(inputs: Inputs, keep: Keep, views: tuple[str, ...], metric: str = "trust") -> Round:
    """A round of which a rule shows one metric's numbers: no gate, the reader's own oracle."""
    seen = seen_round(inputs, NOTHING)
    people = contributions(seen.facts, seen.metrics[metric])
    rows = []
    for side in ("mentor", "mentee"):
        of_side = people[(people["side"] == side) & (people["part"] == side)].assign(all="all")
        for view in views:
            names = view.split(" × ")
            for _, inside in of_side.groupby(names):
                group = " × ".join(str(inside[name].iloc[0]) for name in names)
                if keep(inside):
                    rows.append({"metric": metric, "view": view, "group": group, "side": side, "n": len(inside)})
    about = {"unit": "points", "shown": True, "value": 50.0, "low": 40.0, "high": 60.0}
    shown = pd.DataFrame(rows).assign(**about)
    known = {(row["metric"], row["view"], row["group"], row["side"]): 25 / np.sqrt(row["n"]) for row in rows}
    return replace(seen, published=shown, se={**known, **seen_round(inputs, shown).se})


def baseline(made: Made) -> tuple[int, int]:
    """Of a programme's mentees behind a plain threshold of five, exact means and four filters: proven, and answers."""
    inputs = made.inputs(1)
    seen = seen_round(inputs, NOTHING)
    known = plain_threshold(seen, "trust", "mentee", least=LEAST, attributes=FILTERED_BY)
    scored = seen.facts.scored
    n_answers = int(((scored["construct"] == "trust") & (scored["side"] == "mentee")).sum())
    return answers_proven(known.puzzle())[0], n_answers


def is_told_apart(made: Made) -> bool:
    """Whether the filters could tell people apart: half as many combinations of groups as mentees who answered.

    Where most people share all their groups with others, no filter finds one of them, and no attacker is better for
    that: in 24 programmes of 60 to 200 pairings the plain threshold gave away 18 to 33 % of the answers of the five
    below a half, and 47 to 99 % of each of the others.
    """
    asked = made.inputs(1).invited
    answered = asked[(asked["side"] == "mentee") & asked["has_answered"]].drop_duplicates("person_id")
    return len(answered[list(FILTERED_BY)].drop_duplicates()) >= len(answered) / 2 > 0


def plain(n: int, seed: int) -> tuple[float, int]:
    """The share of answers that the plain threshold gives away over n programmes whose filters tell people apart.

    And how many were drawn until there were n of them.
    """
    found: list[tuple[int, int]] = []
    drawn = 0
    while len(found) < n:
        made = worlds.programme("middle", seed + drawn)
        drawn += 1
        if is_told_apart(made):
            found.append(baseline(made))
    return sum(proven for proven, _ in found) / sum(of for _, of in found), drawn


def run(
    n: int, seed: int, *, kinds: Iterable[str] | None = None, tell: Callable[[str], object] = lambda _: None
) -> Tally:
    """Attacks n random programmes; the same seed makes the same ones. Each is told of when it is done.

    A system of the reader's that has no solution rests on a belief that is not true: it counts as `wrong`.
    """
    tally = Tally()
    drawn = list(kinds) if kinds is not None else list(worlds.kinds(n, np.random.default_rng(seed)))
    for k, kind in enumerate(drawn):
        made, name, before = worlds.programme(kind, seed + k), f"{kind} {seed + k}", len(tally.wrong)
        try:
            attack(made, name, tally)
        except (ArithmeticError, np.linalg.LinAlgError) as why:
            tally.wrong.append(f"{name}: {why}")
        tally.programmes += 1
        for leak in tally.leaks.get(name, ()):
            tell(f"{name}: {leak}")
        for what in tally.wrong[before:]:
            tell(what)
        so_far = [getattr(tally, each) for each in ("releases", "shown", "answers")]
        tell(f"{name}: {made.plan.n_pairings} pairings; so far {so_far} releases, numbers, answers")
    return tally


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--programmes", type=int, default=2000)
    asked.add_argument("--baseline", type=int, default=200, help=f"programmes of a plain threshold, from {FEWEST}")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--kinds", nargs="+", choices=list(worlds.SIZES), help="these in turn, not as often as usual")
    given = asked.parse_args()
    kinds = given.kinds and list(islice(cycle(given.kinds), given.programmes))
    tally = run(given.programmes, given.seed, kinds=kinds, tell=_say)
    about = {name: getattr(tally, name) for name in ("programmes", "releases", "shown", "answers", "wrong")}
    leaked, drawn = plain(max(given.baseline, FEWEST), given.seed) if given.baseline else (1.0, 0)
    told = {"baseline_share_proven": round(leaked, 3), "baseline_drawn": drawn} if given.baseline else {}
    _say(json.dumps({**about, **tally.counts(), **told}, indent=1))
    return 0 if tally.is_clean and leaked >= HALF else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
