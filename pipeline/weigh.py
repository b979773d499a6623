"""Scores and measures one round, and says what a reader holds already: earlier releases."""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.store.engine import Stores, reading
from data.store.releases import StoredRelease, releases_of
from pipeline.disclosure.alone import all_asked
from pipeline.disclosure.crowd import MERGED, PROGRAMME, TWO_WAY, Crowd, Key
from pipeline.disclosure.gaps import telling
from pipeline.disclosure.gate import Decision
from pipeline.disclosure.ground import Room
from pipeline.disclosure.merging import Merged, candidates
from pipeline.disclosure.rooms import rooms_of, said
from pipeline.disclosure.rounding import coarse, step_of
from pipeline.disclosure.thresholds import ATTRIBUTES, Thresholds
from pipeline.evidence.finding import Finding, metric_of
from pipeline.evidence.two_sides import GAP
from pipeline.ingest import Inputs
from pipeline.measure import NOT_STATED, Measurement, measure
from pipeline.metric import Facts, catalogue
from pipeline.release import n_inputs
from pipeline.score import asked, score
from pipeline.seal import manifest_of
from pipeline.three_rounds import ROUNDS, RoundShown, is_due, three_rounds


@dataclass(frozen=True, kw_only=True)
class Last:
    """What an earlier release shows, and from how many inputs it was made (None where that is not known)."""

    round_id: str
    shown: frozenset[Key]
    n_inputs: int | None = None

    @classmethod
    def of(cls, stored: StoredRelease, key: str) -> "Last":
        """Read from a frozen release."""
        content = json.loads(stored.content)
        names = ("metric", "view", "group", "side")
        shown = frozenset(Key(**{name: row[name] for name in names}) for row in content["rows"] if row["shown"])
        return cls(round_id=stored.round_id, shown=shown, n_inputs=n_inputs(stored, key))


REMEMBERED = 5  # releases; who is taken to have said the same again in more rounds than that has changed
AVERAGED = ("weighted", "tipping")  # the findings that are made of a score's own answers


class Weighed(NamedTuple):
    """One round's numbers before the gate, with what the gate asks of them."""

    facts: Facts
    asks: Mapping[str, set[str]]
    measurement: Measurement
    keys: list[Key]
    errors: Mapping[Key, float]

    @property
    def number(self) -> int:
        """The round's."""
        return int(self.facts.invited["round_number"].iloc[0])


def weigh(inputs: Inputs, rated: pd.DataFrame, round_id: str, limits: Thresholds) -> Weighed:
    """Score and measure one round from the answers up to and including it."""
    metrics, questionnaire = catalogue(), inputs.questionnaires[round_id]
    names = sorted({name for metric in metrics.values() for name in metric.constructs})
    invited = _plainly_named(inputs.invited[inputs.invited["round_id"] == round_id].reset_index(drop=True))
    number, pulse = invited["round_number"].iloc[0], invited["pulse"].iloc[0]
    scored = score(rated[rated["round_number"] <= number], questionnaire, round_id=round_id, names=names)
    facts = Facts(invited=invited, scored=scored)
    asks = asked(questionnaire, pulse, names, scored)
    measurement = measure(facts, metrics, attributes=limits.attributes, asked=asks)
    keys = [_key(row) for row in measurement.measured.itertuples()]
    return Weighed(facts, asks, measurement, keys, dict(zip(keys, measurement.measured["se"], strict=True)))


def _plainly_named(invited: pd.DataFrame) -> pd.DataFrame:
    """The same, with no group that could be taken for two: "R + D" becomes "R+D"."""
    names = invited[list(ATTRIBUTES)]
    for joint in (TWO_WAY, MERGED):
        names = names.apply(lambda name, joint=joint: name.str.replace(joint, joint.strip(), regex=False))
    return invited.assign(**names)


def shown_earlier(inputs: Inputs, rated: pd.DataFrame, limits: Thresholds, earlier: Sequence[Last]) -> list[RoundShown]:
    """What a reader may hold beside this release: earlier ones, with who stood behind them as far as they are kept."""
    kept = set(inputs.invited["round_id"])
    read = [each for each in earlier if each.round_id in kept]
    weighed = [(each, weigh(inputs, rated, each.round_id, limits)) for each in read]
    return [round_shown(of, each.shown, is_whole=_is_whole(inputs, each)) for each, of in weighed]


def _is_whole(inputs: Inputs, last: Last) -> bool:
    """Whether all that a release was made from is still kept: nobody's answers have been erased since."""
    if last.n_inputs is None:
        return True
    tables = (inputs.answers, inputs.invited, inputs.goal_ratings)
    number = inputs.invited.loc[inputs.invited["round_id"] == last.round_id, "round_number"].iloc[0]
    return sum(int((table["round_number"] <= number).sum()) for table in tables) >= last.n_inputs


def round_shown(weighed: Weighed, shown: Set[Key], *, is_whole: bool) -> RoundShown:
    """One round as its release shows it, with the room that every number leaves."""
    metrics, told = catalogue(), weighed.measurement.told
    by_side: dict[tuple[str, str], list[Key]] = {}
    for key in shown & set(weighed.keys):
        by_side.setdefault((key.metric, key.side), []).append(key)
    rooms = {
        key: room
        for of, keys in by_side.items()
        if of in told
        for key, room in rooms_of(keys, told[of], metrics[of[0]], weighed.errors).items()
    }
    rooms |= _merged_rooms(weighed, shown)
    return RoundShown(
        number=weighed.number,
        told=told,
        crowds=weighed.measurement.crowds,
        errors=weighed.errors,
        shown=shown,
        rooms=rooms,
        is_whole=is_whole,
    )


def _merged_rooms(weighed: Weighed, shown: Set[Key]) -> dict[Key, Room]:
    """The rooms of groups that the release told as one."""
    found: dict[Key, Room] = {}
    metrics, crowds = catalogue(), weighed.measurement.crowds
    for (metric, side), told in weighed.measurement.told.items():
        keys = [key for key in weighed.keys if (key.metric, key.side) == (metric, side)]
        asked = {key: len(crowds.get(all_asked(key), Crowd())) for key in keys}
        is_shown = {key: key in shown for key in keys}
        for key, each in candidates(keys, crowds, asked, is_shown, told, weighed.errors):
            if key in shown:
                found |= rooms_of([key], told, metrics[metric], {key: each.se})
    return found


def from_the_score(finding: Finding, weighed: Weighed) -> Finding:
    """A weighted mean or tipping point as the score is told, plus how far it lies from it in the score's own steps.

    In steps of its own it would tell the score's mean a second time, and the two together more than either may.
    """
    kind, _, metric = finding.metric.partition("_")
    key = Key(metric=metric, view=PROGRAMME, group=PROGRAMME, side=finding.side)
    error = weighed.errors.get(key, np.nan)
    if kind not in AVERAGED or not np.isfinite([error, *finding.numbers]).all():
        return finding
    step, said_ = step_of(error), said(weighed.measurement.told[metric, finding.side], key)
    mean = sum(said_.values()) / len(said_)
    moved = coarse(mean, step) + coarse(finding.numbers[0] - mean, step) - finding.numbers[0]
    value, low, high = (number + moved for number in finding.numbers)
    return replace(finding, numbers=(value, low, high))


def pooled(
    weighed: Weighed, decision: Decision, earlier: Sequence[RoundShown], limits: Thresholds
) -> dict[Key, Merged]:
    """Groups told over this round and the two before it; `earlier` the newest first."""
    number, before = weighed.number, earlier[: ROUNDS - 1]
    if not is_due(number) or [each.number for each in before] != [number - k for k in range(1, ROUNDS)]:
        return {}
    shown = {key for key, is_shown in decision.shown.items() if is_shown}
    measurement = weighed.measurement
    now = RoundShown(
        number=number,
        told=measurement.told,
        crowds=measurement.crowds,
        errors=weighed.errors,
        shown=shown,
        rooms=decision.rooms,
    )
    return dict(three_rounds([*reversed(before), now], catalogue().values(), limits))


def last_releases(stores: Stores, programme_id: str, number: int, key: str) -> list[Last]:
    """The releases that a round is told beside, the newest first, withdrawn or not: they were read."""
    with reading(stores.published) as connection:
        kept = releases_of(connection, programme_id)
    by_number = {manifest_of(each)["round"]["number"]: each for each in kept}
    earlier = [by_number[each] for each in sorted(by_number, reverse=True) if each < number]
    return [Last.of(each, key) for each in earlier[:REMEMBERED]]


def _key(row: object) -> Key:
    return Key(**{name: getattr(row, name) for name in ("metric", "view", "group", "side")})


def telling_gaps(facts: Facts, decision: Decision, limits: Thresholds) -> set[Key]:
    """The gaps that would give somebody away beside the sides' means that they are made from."""
    rooms = {key: room for key, room in decision.rooms.items() if decision.shown[key]}
    parts = {name: metric_of(name, catalogue()) for name in catalogue()[GAP].constructs}
    mentees = facts.invited[facts.invited["side"] == "mentee"].set_index("pairing_id")[list(limits.attributes)]
    return telling(
        [key for key in rooms if key.metric == GAP],
        facts.scored,
        mentees.replace("", NOT_STATED),
        rooms,
        {construct: metric for construct, metric in parts.items() if metric is not None},
        colluders=limits.score_n - 1,
    )
