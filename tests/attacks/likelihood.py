"""Guesses who answered low, with priors, and measures how much better a release makes the guess.

A proof is not needed to harm somebody: a good guess is enough. The attacker knows everything that `pipeline.attack`
knows (every shown mean within half a step, who is in which group) and holds a prior: people of a programme are alike
but for chance, around the programme's number, with its spread; a person's scores on trust, satisfaction and goals go
together, and a little those of people of one group. The posterior mean of each score (everything normal, steps as
uniform errors of their variance) ranks people: who has the lowest is guessed to have answered low (a score below 50).
The area under the curve (AUC) is how often somebody who did is ranked below somebody who did not; .5 is guessing
blindly.

What are public facts? Two definitions, both reported:

* `programme`: the programme's number and nothing else. Everybody looks alike, AUC .5. The gain over this contains what
  every honest mean of a group says: in a group of five that is less content, each of the five is likelier to be the
  one. That is what publishing it is for, and no rounding that leaves a number useful removes it.
* `groups`: what the numbers say that count the person: those of the programme and of the person's own groups (what is
  left when the shown groups of an attribute are subtracted is such a group as well, from five people on), put together
  as statistics would, with the same prior. What an attacker gains beyond comes from numbers of other people:
  subtracting, chains, nesting, gaps of others. That, and not that groups differ, is what a gate can prevent. This is
  the definition that is judged: + 0.02 on average, + 0.05 at most for each kind of programme.

Sampling error: pairs (one who answered low, one who did not) are compared within a programme only and added up over
programmes of a kind; the standard error of the gain leaves one programme out at a time (jackknife). A kind is judged by
its gain less two standard errors in the short form, and by the gain itself, with a standard error below 0.01, in the
long one, which fails where it is not sure: with ten programmes a kind the error of the gain is between .003 and .016,
so that a kind may need more of them. `python -m tests.attacks.likelihood --programmes 600 [--seed 1]` is the long form,
`--kinds nested` asks one kind only.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipeline.attack.chains import stacked
from pipeline.attack.oracle import known_of, seen_round
from pipeline.attack.plain_threshold import plain_threshold
from pipeline.attack.reader import ATTRIBUTES, Round, Told, contributions, inside_group, told
from pipeline.demonstration.programme import Made, Plan, make
from tests.attacks import simulator

Floats = NDArray[np.float64]
ANCHORS = {"trust": "trust", "satisfaction": "satisfaction", "goal_progress": "goals"}
SIDES = ("mentor", "mentee")
TOGETHER = 0.5  # how far a person's scores on two constructs go together, to the attacker
MIDDLE = 50.0
ON_AVERAGE, AT_MOST = 0.02, 0.05
SURE = 0.01
ALIKE = 0.05  # how far people of one group of an attribute go together, to the attacker
FILTER = "filter"  # a selection of a plain dashboard, which is no group that anybody decided on


@dataclass
class Pairs:
    """Of one programme: how many pairs, and how many of them each guess ranks right (a tie is half)."""

    n: float = 0.0
    right: dict[str, float] = field(default_factory=dict)

    def add(self, is_low: NDArray[np.bool_], guesses: dict[str, Floats]) -> None:
        n = float(is_low.sum() * (~is_low).sum())
        self.n += n
        for name, guess in guesses.items():
            self.right[name] = self.right.get(name, 0.0) + n * area(is_low, guess)


@dataclass(frozen=True, kw_only=True)
class Gain:
    """How much better the release makes the guess than public facts of a definition, over programmes of a kind."""

    kind: str
    over: str
    auc: float
    gain: float
    se: float
    programmes: int


def area(is_low: NDArray[np.bool_], guess: Floats) -> float:
    """How often somebody low has the lower guess; .5 where there is nobody to compare."""
    n_low, n_other = int(is_low.sum()), int((~is_low).sum())
    if not n_low or not n_other:
        return 0.5
    ranks = rankdata(-guess)
    return float((ranks[is_low].sum() - n_low * (n_low + 1) / 2) / (n_low * n_other))


class Beliefs:
    """Of every hidden score: the prior, and what numbers make of it. `start`: the prior's mean by key."""

    def __init__(self, told: Told, start: pd.Series, spread: float, groups: pd.DataFrame) -> None:
        keys = start.index
        at = keys.get_indexer(pd.Index(told.terms["key"]))
        self.matrix = np.zeros((len(told.numbers), len(keys)))
        weight = told.terms["weight"].to_numpy(dtype=float)
        np.add.at(self.matrix, (told.terms["number"].to_numpy(dtype=int), at), weight)
        self.person = pd.factorize(told.hidden.set_index("key")["person"].reindex(keys))[0]
        together = TOGETHER * (self.person[:, None] == self.person[None, :]) + (1 - TOGETHER) * np.eye(len(keys))
        for name in groups:
            code = pd.factorize(groups[name].reindex(keys))[0]
            together += ALIKE * (code[:, None] == code[None, :])
        low, high = (told.numbers[name].to_numpy(dtype=float) for name in ("low", "high"))
        self._moved = spread**2 * together @ self.matrix.T
        self._noise = np.diag((high - low) ** 2 / 12 + 1e-3)
        self._start = start
        self._surprise = (low + high) / 2 - self.matrix @ start.to_numpy()

    def after(self, rows: NDArray[np.bool_]) -> pd.Series:
        """The posterior means by key, given some of the numbers; each lies in its cell."""
        total = self.matrix[rows] @ self._moved[:, rows] + self._noise[np.ix_(rows, rows)]
        return self._start + self._moved[:, rows] @ np.linalg.solve(total, self._surprise[rows])

    def after_own(self, honest: NDArray[np.bool_]) -> pd.Series:
        """The posterior means by key, for each person given only the honest numbers that count them."""
        counts = np.zeros((self.person.max() + 1, len(self.matrix)), dtype=bool)
        np.logical_or.at(counts, self.person, (self.matrix.T != 0) & honest)
        found = self._start.copy()
        patterns, which = np.unique(counts, axis=0, return_inverse=True)
        for k, rows in enumerate(patterns):
            inside = which.reshape(-1)[self.person] == k
            if rows.any():
                found[inside] = self.after(rows)[inside]
        return found


def of_anchors(told: Told) -> Told:
    """Only what is said of trust, satisfaction and goals, their gaps among it."""
    named = told.hidden["key"].str.split("|").str[1].isin(ANCHORS.values())
    hidden = told.hidden[named].reset_index(drop=True)
    stray = set(told.terms.loc[~told.terms["key"].isin(hidden["key"]), "number"])
    kept = [number for number in range(len(told.numbers)) if number not in stray]
    terms = told.terms[told.terms["number"].isin(kept)]
    return Told(
        hidden=hidden,
        terms=terms.assign(number=terms["number"].map({old: new for new, old in enumerate(kept)})),
        numbers=told.numbers.iloc[kept].reset_index(drop=True),
    )


def programme_numbers(told: Told) -> pd.Series:
    """By key, the programme's number of its construct and side; the middle of the scale where it is not shown."""
    found = pd.Series(MIDDLE, index=pd.Index(told.hidden["key"]))
    about = found.index.to_series().str.split("|")
    for metric, construct in ANCHORS.items():
        for side in SIDES:
            rows = told.numbers[(told.numbers["metric"] == metric) & (told.numbers["side"] == side)]
            whole = rows.loc[rows["view"] == "all", "mean"]
            if not whole.empty:
                found[((about.str[1] == construct) & (about.str[3] == side)).to_numpy()] = float(whole.iloc[0])
    return found


def with_rests(told: Told, seen: Round) -> Told:
    """What is told, and what is left of the programme without an attribute's shown groups, from five people on."""
    terms, numbers = [told.terms], [told.numbers]
    for metric in ANCHORS:
        people = contributions(seen.facts, seen.metrics[metric])
        for side, view in product(SIDES, ATTRIBUTES):
            rows = told.numbers[(told.numbers["metric"] == metric) & (told.numbers["side"] == side)]
            whole, groups = rows[rows["view"] == "all"], rows[rows["view"] == view]
            inside = people[(people["side"] == side) & (people["part"] == side)]
            in_groups = [inside_group(inside, view, group) for group in groups["group"]]
            is_rest = ~np.logical_or.reduce([np.zeros(len(inside), dtype=bool), *in_groups])
            if len(groups) and len(whole) and inside.loc[is_rest, "unit"].nunique() >= simulator.LEAST:
                found, left = _rest(told, whole, groups, inside, is_rest)
                terms.append(found.assign(number=sum(map(len, numbers))))
                numbers.append(left)
    return Told(
        hidden=told.hidden,
        terms=pd.concat(terms, ignore_index=True),
        numbers=pd.concat(numbers, ignore_index=True),
    )


def _rest(
    told: Told, whole: pd.DataFrame, groups: pd.DataFrame, inside: pd.DataFrame, is_rest: NDArray[np.bool_]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The mean of those in no shown group, from the programme's mean and theirs, with the steps of all of them."""
    n, n_rest = inside["unit"].nunique(), inside.loc[is_rest, "unit"].nunique()
    sizes = [inside.loc[inside_group(inside, row.view, row.group), "unit"].nunique() for row in groups.itertuples()]
    parts = [(n, whole.iloc[0]), *((-size, row) for size, (_, row) in zip(sizes, groups.iterrows(), strict=True))]
    middle = sum(size * (row["low"] + row["high"]) / 2 for size, row in parts) / n_rest
    half = float(np.sqrt(sum((size * (row["high"] - row["low"]) / 2) ** 2 for size, row in parts))) / n_rest
    terms = pd.concat([told.terms[told.terms["number"] == row.name].assign(size=size / n_rest) for size, row in parts])
    weight = (terms["weight"] * terms["size"]).groupby(terms["key"]).sum()
    kept = weight[weight.abs() > 1e-9]
    row = {**whole.iloc[0].to_dict(), "view": "rest", "low": middle - half, "high": middle + half, "mean": middle}
    return pd.DataFrame({"key": kept.index, "weight": kept.to_numpy()}), pd.DataFrame([row])


def guess(seen: Round, told: Told, tally: dict[str, Pairs], name: str) -> None:
    """Adds one release to the pairs of its programme, construct by construct and side by side."""
    known = of_anchors(told)
    truth = known.hidden.set_index("key")["score"]
    start, spread = programme_numbers(known), max(float(truth.std()), 5.0)
    groups = _groups(seen, start.index)
    everything = Beliefs(known, start, spread, groups)
    after = everything.after(np.ones(len(known.numbers), dtype=bool))
    rested = with_rests(known, seen)
    own = Beliefs(rested, start, spread, groups).after_own((rested.numbers["view"] != FILTER).to_numpy())
    about = start.index.to_series().str.split("|")
    kind = about.str[1] + about.str[3]
    for of in kind.unique():
        keys = kind.index[kind == of]
        guesses = {"programme": start[keys], "groups": own[keys], "release": after[keys]}
        is_low = (truth[keys] < MIDDLE).to_numpy()
        tally.setdefault(name, Pairs()).add(is_low, {what: each.round(6).to_numpy() for what, each in guesses.items()})


def _groups(seen: Round, keys: pd.Index) -> pd.DataFrame:
    """By key, the person's group in each attribute, told apart by construct and side."""
    parts = keys.to_series().str.split("|", expand=True)
    invited = seen.facts.invited.set_index(["pairing_id", "side"])
    about = pd.MultiIndex.from_arrays([parts[2], parts[3]])
    kind = (parts[1] + parts[3]).to_numpy(dtype=object)
    return pd.DataFrame(
        {name: invited[name].reindex(about).to_numpy(dtype=object) + kind for name in ATTRIBUTES}, index=keys
    )


def gain(kind: str, over: str, programmes: Iterable[Pairs]) -> Gain:
    """The release's gain over public facts of one definition, with its jackknife standard error."""
    kept = [each for each in programmes if each.n]
    n = np.array([each.n for each in kept])
    better = np.array([each.right["release"] - each.right[over] for each in kept])
    right = np.array([each.right["release"] for each in kept])
    total = float(better.sum() / n.sum())
    without = (better.sum() - better) / (n.sum() - n)
    se = float(np.sqrt((len(kept) - 1) / len(kept) * ((without - without.mean()) ** 2).sum()))
    return Gain(kind=kind, over=over, auc=float(right.sum() / n.sum()), gain=total, se=se, programmes=len(kept))


# --- programmes --------------------------------------------------------------------------------------

MANY = {"department": (5.0, 4.0, 3.0, 2.0, 1.0), "location": (4.0, 2.0, 1.0)}
KINDS: dict[str, dict[str, object]] = {
    "alike": {"between": 0.0},
    "apart": {"between": 15.0},
    "nested": {"nested": 0.9, "between": 5.0},
    "unhappy": {"mean": 40.0, "between": 5.0},
    "small": {"n_pairings": 26, "between": 5.0},
    "shared mentors": {"most_mentees": 3, "guide_of_five": True, "between": 5.0},
}


def programme(kind: str, seed: int) -> Made:
    """One round of sixty pairings, reported by two attributes."""
    plan = {"n_pairings": 60, "groups": MANY, "reported": ("department", "location"), "silent": 0.1, **KINDS[kind]}
    return make(Plan(**plan), np.random.default_rng(seed))  # type: ignore[arg-type]


def of_release(made: Made) -> tuple[Round, Told]:
    """What the reader of the release of a programme's first round knows."""
    inputs, published = next(iter(simulator.released(made)))
    seen = seen_round(inputs, published)
    return seen, known_of(inputs, seen)


def of_plain_threshold(made: Made) -> tuple[Round, Told]:
    """What the reader of a dashboard with a threshold of five, exact means and four filters knows of trust."""
    inputs = made.inputs(1)
    seen = simulator.shown_by(
        inputs, lambda inside: inside["unit"].nunique() >= simulator.LEAST, ("all", "department", "location")
    )
    filtered = [
        plain_threshold(seen, "trust", side, least=simulator.LEAST, attributes=simulator.FILTERED_BY) for side in SIDES
    ]
    named = [
        Told(hidden=each.hidden, terms=each.terms, numbers=each.numbers.assign(metric="trust", view=FILTER, side=side))
        for each, side in zip(filtered, SIDES, strict=True)
    ]
    return seen, stacked([told(seen, is_exact=True), *named])


def gains(
    n: int, seed: int, *, kinds: Iterable[str] = KINDS, publish: Callable[[Made], tuple[Round, Told]] = of_release
) -> list[Gain]:
    """Over n programmes of each kind, the gain over public facts of both definitions."""
    found = []
    for kind in kinds:
        tally: dict[str, Pairs] = {}
        for k in range(n):
            guess(*publish(programme(kind, seed + k)), tally, f"{kind} {seed + k}")
        found += [gain(kind, over, tally.values()) for over in ("groups", "programme")]
    return found


def too_much(found: Iterable[Gain], *, surely: bool) -> list[Gain]:
    """Kinds that gain more than they may; `surely`: by more than two standard errors."""
    judged = [each for each in found if each.over == "groups"]
    allowed = 2.0 if surely else 0.0
    over = [each for each in judged if each.gain - allowed * each.se > AT_MOST]
    mean = float(np.mean([each.gain for each in judged]))
    se = float(np.sqrt(np.sum([each.se**2 for each in judged]))) / len(judged)
    return over or (judged if mean - allowed * se > ON_AVERAGE else [])


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--programmes", type=int, default=600, help="of all kinds together")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), help="only these")
    given = asked.parse_args()
    found = gains(max(given.programmes // len(given.kinds), 2), given.seed, kinds=given.kinds)
    for each in found:
        sys.stdout.write(json.dumps(vars(each)) + "\n")
    unsure = [each.kind for each in found if each.over == "groups" and each.se > SURE]
    sys.stdout.write(
        json.dumps({"too much": [each.kind for each in too_much(found, surely=False)], "unsure": unsure}) + "\n"
    )
    return 1 if too_much(found, surely=False) or unsure else 0


if __name__ == "__main__":
    sys.exit(main())
