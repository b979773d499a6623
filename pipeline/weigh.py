"""Scores and measures one round, and says what a reader holds already: the last release."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from data.store.engine import Stores, reading
from data.store.releases import StoredRelease, releases_of
from pipeline.disclosure.crowd import Key
from pipeline.disclosure.earlier import Before
from pipeline.disclosure.rooms import rooms_of
from pipeline.disclosure.thresholds import Thresholds
from pipeline.ingest import Inputs
from pipeline.measure import Measurement, measure
from pipeline.metric import Facts, catalogue
from pipeline.release import manifest_of
from pipeline.score import asked, score


@dataclass(frozen=True, kw_only=True)
class Last:
    """What the newest earlier release shows."""

    round_id: str
    shown: frozenset[Key]

    @classmethod
    def of(cls, stored: StoredRelease) -> "Last":
        """Read from a frozen release."""
        content = json.loads(stored.content)
        names = ("metric", "view", "group", "side")
        shown = frozenset(Key(**{name: row[name] for name in names}) for row in content["rows"] if row["shown"])
        return cls(round_id=stored.round_id, shown=shown)


class Weighed(NamedTuple):
    """One round's numbers before the gate, with what the gate asks of them."""

    facts: Facts
    asks: Mapping[str, set[str]]
    measurement: Measurement
    keys: list[Key]
    errors: Mapping[Key, float]


def weigh(inputs: Inputs, rated: pd.DataFrame, round_id: str, limits: Thresholds) -> Weighed:
    """Score and measure one round from the answers up to and including it."""
    metrics, questionnaire = catalogue(), inputs.questionnaires[round_id]
    names = sorted({name for metric in metrics.values() for name in metric.constructs})
    invited = inputs.invited[inputs.invited["round_id"] == round_id].reset_index(drop=True)
    number, pulse = invited["round_number"].iloc[0], invited["pulse"].iloc[0]
    scored = score(rated[rated["round_number"] <= number], questionnaire, round_id=round_id, names=names)
    facts = Facts(invited=invited, scored=scored)
    asks = asked(questionnaire, pulse, names, scored)
    measurement = measure(facts, metrics, attributes=limits.attributes, asked=asks)
    keys = [_key(row) for row in measurement.measured.itertuples()]
    return Weighed(facts, asks, measurement, keys, dict(zip(keys, measurement.measured["se"], strict=True)))


def before(inputs: Inputs, rated: pd.DataFrame, limits: Thresholds, last: Last | None) -> Before | None:
    """What a reader may hold beside this release: the last one, with who stood behind it as far as they are kept."""
    if last is None or last.round_id not in set(inputs.invited["round_id"]):
        return None
    metrics, weighed = catalogue(), weigh(inputs, rated, last.round_id, limits)
    told = weighed.measurement.told
    shown: dict[tuple[str, str], list[Key]] = {}
    for key in last.shown & set(weighed.keys):
        shown.setdefault((key.metric, key.side), []).append(key)
    rooms = {
        key: room
        for of, keys in shown.items()
        if of in told
        for key, room in rooms_of(keys, told[of], metrics[of[0]], weighed.errors).items()
    }
    return Before(told=told, rooms=rooms)


def last_release(stores: Stores, programme_id: str, number: int) -> Last | None:
    """The newest release of an earlier round, withdrawn or not: it was read."""
    with reading(stores.published) as connection:
        kept = releases_of(connection, programme_id)
    earlier = [each for each in kept if manifest_of(each)["round"]["number"] < number]
    newest = max(earlier, key=lambda each: manifest_of(each)["round"]["number"], default=None)
    return None if newest is None else Last.of(newest)


def _key(row: object) -> Key:
    return Key(**{name: getattr(row, name) for name in ("metric", "view", "group", "side")})
