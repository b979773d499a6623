"""Flips one person's answers and compares every byte that another role can fetch.

What is a released value, and may therefore differ: `value`, `low`, `high`, `n`, `shown` and `reason` of a row; that
a row stands in for withheld ones (merged groups, three rounds, "other constructs") or not; the counts of cells set
aside in the manifest, in whole steps of five; digests of the inputs. A verdict is one of a closed list of words. Some
are read off released rows (`READ_OFF`), and may differ only where these rows do. The others (`TESTS`) are tests over
at least 20 people a side whose statistic is not released: there the word itself is the released value.

`python -m tests.attacks.non_interference --flips 10000` is the long form.
"""

import argparse
import hashlib
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.contracts import GoalRatings, Goals, conform
from data.settings import Settings
from data.store.engine import migrate, open_stores
from pipeline.business_case.telling import CANNOT_TELL
from pipeline.ingest import Inputs, ingest
from pipeline.published import CONSTRUCT, WITHHELD
from pipeline.run import build
from tests.conftest import KEY
from tests.pipeline import stored

RELEASED = ("value", "low", "high", "n", "shown", "reason")
ORDER = ("view", "group", "side", "metric")
# Verdict → the metrics whose rows of the same construct and side it is read off.
READ_OFF: Mapping[str, tuple[str, ...]] = {
    "changed": ("changed_up", "changed_down"),
    "level": ("reliability_level",),
    "change": ("reliability_change",),
    "surface": ("surface_a1", "surface_a2", "surface_a3", "surface_a4", "surface_a5"),
    "milestones": ("goal_weeks",),
}
TESTS = ("comparability", "course", "drift", "easy_goals", "support")
WORDS = {
    "changed": {"too_early", "no_clear_change", "some_changed"},
    "course": {"too_early", "steady", "signal"},
    "level": {"too_few", "not_reliable_enough", "may_be_shown"},
    "change": {"too_few", "not_reliable_enough", "may_be_shown"},
    "drift": {"none", "drifting"},
    "easy_goals": {"too_few", "too_easy", "fine"},
    "milestones": {"too_few", "half_not_reached", "measured"},
    "support": {"cannot_tell", "too_few", "measured"},
    "surface": {"too_few", "goes_with_gap", "no_clear_association"},
}
OTHER_CONSTRUCTS = "other constructs"
STEP = 5
Content = Mapping[str, Any]
Build = Callable[[Inputs], str]


def release_of(inputs: Inputs) -> str:
    """What Rapport itself makes of the inputs."""
    return build(inputs, key=KEY, code_version="tested")


# --- what may differ ---------------------------------------------------------------------------------


def differences(one: str, other: str) -> list[str]:
    """Where two releases differ beyond released values, and where one of them is not in its own shape."""
    left, right = json.loads(one), json.loads(other)
    found = [f"shape: {each}" for whole in (left, right) for each in _out_of_shape(whole)]
    for name in sorted(set(left["manifest"]) | set(right["manifest"])):
        if _manifest(left).get(name) != _manifest(right).get(name):
            found.append(f"manifest: {name}")
    mine, theirs = _kept(left, right), _kept(right, left)
    if mine != theirs:
        keys = {_key(row) for row in mine} ^ {_key(row) for row in theirs}
        found.append(f"rows: {sorted(keys)[:3] or 'order or fields'}")
    return found


def _manifest(whole: Content) -> dict[str, Any]:
    """The manifest without released values: which verdicts there are, not their words."""
    about = dict(whole["manifest"])
    about["verdicts"] = [{**each, "verdict": "·"} for each in about["verdicts"]]
    about["inputs"] = sorted(about["inputs"])
    about["quarantined"] = "·"
    return about


def _kept(whole: Content, other: Content) -> list[dict[str, Any]]:
    """The rows in their order, released values masked; without those that only stand in for others."""
    there = {_key(row) for row in other["rows"]}
    folded = {(row["metric"], row["side"]) for row in other["rows"] if row["group"] == OTHER_CONSTRUCTS}
    kept = [row for row in whole["rows"] if not _stands_in(row) and not _is_folded(row, there, folded)]
    return [{**row, **dict.fromkeys(RELEASED, "·")} for row in kept]


def _stands_in(row: Content) -> bool:
    return row["group"] == OTHER_CONSTRUCTS or " + " in row["group"] or row["view"].endswith(" rounds")


def _is_folded(row: Content, there: set[tuple[str, ...]], folded: set[tuple[str, str]]) -> bool:
    """A shown number about a construct that the other release withholds together with others, in one row."""
    is_missing = row["view"] == CONSTRUCT and row["shown"] and _key(row) not in there
    return is_missing and (row["metric"], row["side"]) in folded


def _key(row: Content) -> tuple[str, ...]:
    return tuple(row[name] for name in ORDER)


def _out_of_shape(whole: Content) -> Iterator[str]:
    """What holds of any release by itself, whatever was said."""
    rows = whole["rows"]
    if [_key(row) for row in rows] != sorted(_key(row) for row in rows):
        yield "rows are not in the order of their names"
    for row in rows:
        numbers = [row[name] for name in ("value", "low", "high", "n")]
        sentence = CANNOT_TELL if row["metric"].startswith("case_") else WITHHELD
        if not row["shown"] and (any(each is not None for each in numbers) or row["reason"] != sentence):
            yield f"a withheld row says more: {_key(row)}"
        if row["shown"] and (None in numbers or row["reason"] != "" or row["n"] % STEP):
            yield f"a shown row is not whole: {_key(row)}"
    for reason, n in whole["manifest"]["quarantined"].items():
        if n % STEP:
            yield f"set aside: {reason} is no whole step"
    for each in whole["manifest"]["verdicts"]:
        if each["about"] in WORDS and each["verdict"] not in WORDS[each["about"]]:
            yield f"verdict: {each['about']} says {each['verdict']}"
        if each["about"] not in (*READ_OFF, *TESTS):
            yield f"verdict: nobody decided whether {each['about']} is a released value"


@dataclass
class Verdicts:
    """Every word met with the rows that it is read off: the same rows must always give the same word."""

    met: dict[tuple[str, ...], str] = field(default_factory=dict)
    moved: Counter[str] = field(default_factory=Counter)

    def meet(self, content: str) -> list[str]:
        """The verdicts that say something else than before over the same rows."""
        whole = json.loads(content)
        strays = []
        for each in whole["manifest"]["verdicts"]:
            if each["about"] not in READ_OFF:
                continue
            key = (each["about"], each["construct"], each["side"], _read_off(each, whole["rows"]))
            word = self.met.setdefault(key, each["verdict"])
            if word != each["verdict"]:
                strays.append(f"verdict: {each['about']} of {each['construct']} ({each['side']})")
        return strays


def _read_off(verdict: Content, rows: Iterable[Content]) -> str:
    """The rows of a verdict as text; those of a construct that stands among others are withheld."""
    metrics, construct = READ_OFF[verdict["about"]], verdict["construct"]
    of = [
        [row["metric"], *(row[name] for name in RELEASED)]
        for row in rows
        if row["metric"] in metrics and row["side"] == verdict["side"] and row["group"] in (construct, "all")
    ]
    return json.dumps([each for each in of if each[RELEASED.index("shown") + 1]])


# --- programmes and flips ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """How large a programme is, how many rounds it has had, and by what it reports."""

    pairings: int
    rounds: int
    attributes: tuple[str, ...] = ()
    has_goals: bool = False


PLANS = (
    Plan(12, 1, ("department",)),
    Plan(26, 3),
    Plan(26, 1, ("department", "location"), has_goals=True),
    Plan(40, 2, ("department",)),
    Plan(26, 4, ("department",), has_goals=True),
)


def inputs_of(plan: Plan) -> Inputs:
    """The last round's inputs of a made-up programme, out of a real store that is gone by then."""
    with tempfile.TemporaryDirectory() as folder:
        stores = open_stores(Settings(home=Path(folder), secret_key=KEY))
        migrate(stores)
        stored.make_programme(stores, n=plan.pairings, attributes=plan.attributes)
        asked = [stored.ask(stores, number) for number in range(1, plan.rounds + 1)]
        found = ingest(stores.raw, programme_id="P", round_id=asked[-1])
        stores.dispose()
    return _with_goals(found) if plan.has_goals else found


def _with_goals(inputs: Inputs) -> Inputs:
    """A goal a pairing, rated by everyone who answered, higher from round to round."""
    said = inputs.invited[inputs.invited["has_answered"]].reset_index(drop=True)
    number = said["pairing_id"].str.rpartition("-")[2].astype(int)
    level = (number % 3 - 2 + said["round_number"]).clip(-2, 2)
    ratings = said.assign(goal_id="G" + said["pairing_id"], level=level)
    goals = ratings[["goal_id", "pairing_id"]].drop_duplicates().assign(set_on=pd.Timestamp(stored.START.date()))
    return replace(inputs, goal_ratings=conform(GoalRatings, ratings), goals=conform(Goals, goals))


LEAVES_OUT = "leaves questions out"
ARMS = ("one answer", "every answer", "lowest", "highest", "another person's", LEAVES_OUT, "silent", "speaks")


def flipped(inputs: Inputs, rng: np.random.Generator) -> tuple[str, Inputs]:
    """One person of the programme says something else, or nothing, or something after all."""
    arm = str(rng.choice(ARMS))
    invited = inputs.invited
    is_able = ~invited["has_answered"] if arm == "speaks" else invited["has_answered"]
    able = sorted(invited.loc[is_able, "person_id"].unique())
    if not able:
        return "nobody", inputs
    person = str(rng.choice(able))
    if arm in ("silent", "speaks"):
        return arm, _other_presence(inputs, person, speaks=arm == "speaks", rng=rng)
    own = np.flatnonzero((inputs.answers["person_id"] == person).to_numpy())
    if arm == LEAVES_OUT:
        gone = own[1:][rng.random(len(own) - 1) < 0.5]  # who leaves all out has not answered: another arm
        return arm, replace(inputs, answers=inputs.answers.drop(index=gone).reset_index(drop=True))
    chosen = rng.choice(own, 1) if arm == "one answer" else own
    values = inputs.answers["value"].to_numpy(dtype=object).copy()
    values[chosen] = {
        "lowest": "1",
        "highest": "5",
        "another person's": rng.permutation(values)[: len(chosen)],
    }.get(arm, rng.integers(1, 6, len(chosen)).astype(str).astype(object))
    levels = inputs.goal_ratings["level"].to_numpy().copy()
    rated = np.flatnonzero((inputs.goal_ratings["person_id"] == person).to_numpy())
    levels[rated] = rng.integers(-2, 3, len(rated))
    ratings = inputs.goal_ratings.assign(level=levels) if arm != "one answer" else inputs.goal_ratings
    return arm, replace(inputs, answers=inputs.answers.assign(value=values), goal_ratings=ratings)


def _other_presence(inputs: Inputs, person: str, *, speaks: bool, rng: np.random.Generator) -> Inputs:
    """In one round the person has not answered, or answers like somebody of the same side."""
    theirs = inputs.invited[(inputs.invited["person_id"] == person) & (inputs.invited["has_answered"] != speaks)]
    at = theirs.loc[rng.choice(theirs.index.to_numpy())]
    of_round = inputs.invited["round_id"] == at["round_id"]
    is_this = of_round & (inputs.invited["person_id"] == person) & (inputs.invited["pairing_id"] == at["pairing_id"])
    invited = inputs.invited.assign(has_answered=inputs.invited["has_answered"].where(~is_this, speaks))

    def own(frame: pd.DataFrame) -> pd.Series:
        same = [frame[name] == at[name] for name in ("round_id", "pairing_id", "side")]
        return same[0] & same[1] & same[2]

    answers, ratings = inputs.answers, inputs.goal_ratings
    if speaks:
        alike = answers[(answers["round_id"] == at["round_id"]) & (answers["side"] == at["side"])]
        like = alike[alike["pairing_id"] == alike["pairing_id"].iloc[int(rng.integers(len(alike)))]]
        who = {name: at[name] for name in ("pairing_id", "person_id", "mentor_id")}
        return replace(inputs, invited=invited, answers=pd.concat([answers, like.assign(**who)], ignore_index=True))
    kept = answers[~own(answers)].reset_index(drop=True)
    return replace(inputs, invited=invited, answers=kept, goal_ratings=ratings[~own(ratings)].reset_index(drop=True))


# --- running -----------------------------------------------------------------------------------------


@dataclass
class Found:
    """How many flips were compared, by arm; where they differed; a digest of all that was compared."""

    flips: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    moved: int = 0  # flips that changed a released value: a comparison of equal worlds would show nothing
    digest: Any = field(default_factory=hashlib.sha256)

    def told(self) -> dict[str, object]:
        return {
            "flips": dict(self.flips),
            "moved a released value": self.moved,
            "differences": dict(self.differing),
            "compared_sha256": self.digest.hexdigest(),
        }


def compare(plans: Iterable[Plan], n_flips: int, seed: int, make: Build = release_of) -> Found:
    """`n_flips` flips in turn over these programmes; every plan's programme is made once."""
    found, rng = Found(), np.random.default_rng(seed)
    worlds = []
    for plan in plans:
        inputs = inputs_of(plan)
        content, verdicts = make(inputs), Verdicts()
        found.differing.update(verdicts.meet(content))
        worlds.append((inputs, content, verdicts))
    for at in range(n_flips):
        inputs, content, verdicts = worlds[at % len(worlds)]
        arm, other = flipped(inputs, rng)
        changed = make(other)
        found.flips[arm] += 1
        found.moved += json.loads(changed)["rows"] != json.loads(content)["rows"]
        found.differing.update(set(differences(content, changed)) | set(verdicts.meet(changed)))
        found.digest.update(_plain(changed).encode())
    return found


def _plain(content: str) -> str:
    """What is compared of a release, as text."""
    whole = json.loads(content)
    return json.dumps([_manifest(whole), _kept(whole, whole)], sort_keys=True)


# --- text --------------------------------------------------------------------------------------------

UNSTEADY = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(?:\+00:00|Z)?"), "<time>"),
    (re.compile(r"\b20\d{6}-\d{6}\b"), "<time>"),
    (re.compile(r"\d+ (?:GB|MB) are free|\d+ (?:min|h|days) (?:ago|old)"), "<ago>"),
    (re.compile(r"[\w-]{20,}\.[\w.-]{10,}"), "<signed>"),
    (re.compile(r"[A-Za-z0-9_-]{24,}=*"), "<id>"),
    (re.compile(r'"n_masked":\d+'), '"n_masked":·'),
)


def steady(text: str, home: Path) -> str:
    """A text without what is drawn anew each time: times, tokens, ids, the place of the home."""
    said = text.replace(str(home), "<home>").replace(str(home.parent / f"reports of {home.name}"), "<reports>")
    for pattern, put in UNSTEADY:
        said = pattern.sub(put, said)
    return said


def main() -> None:
    """The long form: counts, differences and a digest of what was compared, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    start = time.perf_counter()
    found = compare(PLANS, wanted.flips, wanted.seed)
    print(json.dumps({**found.told(), "seconds": round(time.perf_counter() - start)}, indent=1))  # noqa: T201
    if found.differing:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
