"""Runs one closed round from answers to a frozen release: the whole story on one screen."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version

import pandas as pd

from data.errors import RapportError
from data.store.engine import Stores, reading
from data.store.releases import StoredRelease, read_release, released_rounds
from data.store.rounds import Round, rounds_of
from pipeline import release, seal
from pipeline.case import case_of, decided_in, register_plan
from pipeline.disclosure import gate, merging
from pipeline.disclosure.coarsen import coarsened
from pipeline.disclosure.thresholds import thresholds
from pipeline.evidence.gather import gather
from pipeline.evidence.round_facts import RoundFacts
from pipeline.flow import FLOWS
from pipeline.ingest import Inputs, ingest
from pipeline.metric import catalogue
from pipeline.pooling import pool
from pipeline.publish import publish
from pipeline.reach import reach
from pipeline.score import askable
from pipeline.validate import validate
from pipeline.weigh import Last, from_the_score, last_releases, pooled, shown_earlier, telling_gaps, weigh

CODE_VERSION = version("rapport")


Progress = Callable[[int, int, str], None]  # done, of how many, what


def run_round(stores: Stores, *, programme_id: str, round_id: str, key: str, now: datetime) -> StoredRelease:
    """The frozen release of one closed round; a second run changes nothing."""
    _refuse_out_of_order(stores, programme_id, round_id)
    register_plan(stores, programme_id, now=now)
    inputs = ingest(stores.raw, programme_id=programme_id, round_id=round_id, key=key, as_of=now)
    content = build(inputs, key=key, earlier=last_releases(stores, programme_id, inputs.round.number, key))
    return release.freeze(stores, seal.sealed(content, key=key, now=now), inputs)


def build(
    inputs: Inputs,
    *,
    key: str,
    earlier: Sequence[Last] = (),
    counts: Collection[str] = tuple(FLOWS),
    code_version: str = CODE_VERSION,
) -> str:
    """The release's content: the same inputs, beside the same earlier releases, give the same bytes.

    `earlier`: the releases that it is told beside, the newest first. `counts`: the counts of people that it tells.
    """
    metrics, limits, this = catalogue(), thresholds(inputs.programme.decisions), inputs.round
    validated = validate(inputs.answers, inputs.questionnaires)
    weighed = weigh(inputs, validated.rated, this.round_id, limits)
    facts, scored, asks, measured = weighed.facts, weighed.facts.scored, weighed.asks, weighed.measurement.measured
    known = shown_earlier(inputs, validated.rated, limits, earlier)
    decision = gate.decide(
        weighed.measurement.crowds,
        metrics,
        limits,
        _respondents(facts.invited),
        told=weighed.measurement.told,
        errors=weighed.errors,
        earlier=known,
    )
    decision = decision.without(telling_gaps(facts, decision, limits), metrics)
    decided = decision.shown
    merged = {key: each for key, each in decision.merged.items() if decided[key]}
    merged |= pooled(weighed, decision, known, limits)
    measured = pd.concat([measured, merging.rows(merged, measured)], ignore_index=True) if merged else measured
    shown = [*(decided[key] for key in weighed.keys), *(True for _ in merged)]
    release_id = release.release_id(this.programme_id, this.round_id, this.number)
    about = _about(inputs, validated.rated, scored, asks, decision, seed=release_id)
    evidence = gather(about, limits, decided)
    case = case_of(inputs)
    manifest = release.manifest(
        inputs,
        limits,
        validated.quarantined,
        single_item=_single_item(inputs, asks),
        verdicts=evidence.verdicts,
        case=case.about,
        key=key,
        code_version=code_version,
    )
    published = publish(
        pool(coarsened(measured, weighed.measurement.told), shown),
        shown,
        reach(inputs, counts),
        metrics,
        [(from_the_score(each, weighed), each.is_shown(limits, decided)) for each in evidence.numbers],
        case.rows,
        n_asked={f"{side}s": of["person_id"].nunique() for side, of in facts.invited.groupby("side")},
        programme_id=this.programme_id,
        release_id=release_id,
        round_id=this.round_id,
    )
    return release.content_of(manifest, published)


def _about(
    inputs: Inputs,
    rated: pd.DataFrame,
    scored: pd.DataFrame,
    asks: Mapping[str, set[str]],
    decision: gate.Decision,
    *,
    seed: str,
) -> RoundFacts:
    """What the evidence of a round is made from."""
    return RoundFacts(
        round_id=inputs.round.round_id,
        pulse=inputs.round.pulse,
        answers=inputs.answers,
        rated=rated,
        scored=scored,
        invited=inputs.invited,
        goal_ratings=inputs.goal_ratings,
        goals=inputs.goals,
        pairings=inputs.pairings,
        closed_days=inputs.closed_days,
        questionnaires=inputs.questionnaires,
        asked=asks,
        metrics=catalogue(),
        rooms={key: room for key, room in decision.rooms.items() if decision.shown[key]},
        seed=seed,
    )


def run_due(stores: Stores, *, key: str, now: datetime, progress: Progress | None = None) -> list[StoredRelease]:
    """A release for every closed round without one, in the order of each programme's rounds."""
    due = _due(stores)
    made = []
    for done, each in enumerate(due):
        if progress is not None:
            progress(done, len(due), each.round_id)
        made.append(run_round(stores, programme_id=each.programme_id, round_id=each.round_id, key=key, now=now))
    if progress is not None and due:
        progress(len(due), len(due), due[-1].round_id)
    return made


def verify_release(stores: Stores, release_id: str, *, key: str) -> str:
    """Rebuild a release from what the raw store holds today, and compare."""
    with reading(stores.published) as connection:
        kept = read_release(connection, release_id)
    about = seal.manifest_of(kept)
    inputs = ingest(
        stores.raw,
        programme_id=kept.programme_id,
        round_id=kept.round_id,
        key=key,
        as_of=kept.made_at,
        decided=decided_in(about),
    )
    earlier = last_releases(stores, kept.programme_id, inputs.round.number, key)
    rebuilt = build(inputs, key=key, earlier=earlier, counts=_counts_of(kept), code_version=about["code_version"])
    return release.verify(kept, rebuilt, key)


def _counts_of(kept: StoredRelease) -> set[str]:
    """The counts of people that a release tells; one of an older version told fewer."""
    return {str(row["metric"]) for row in json.loads(kept.content)["rows"]} & set(FLOWS)


def _due(stores: Stores) -> list[Round]:
    """Closed rounds without a release that no open round comes before."""
    with reading(stores.raw) as connection:
        known = rounds_of(connection)
    with reading(stores.published) as connection:
        released = released_rounds(connection)
    blocked: set[str] = set()
    due = []
    for each in known:
        if each.closed_at is None:
            blocked.add(each.programme_id)
        elif each.round_id not in released and each.programme_id not in blocked:
            due.append(each)
    return due


def _refuse_out_of_order(stores: Stores, programme_id: str, round_id: str) -> None:
    with reading(stores.raw) as connection:
        known = rounds_of(connection, programme_id)
    with reading(stores.published) as connection:
        released = released_rounds(connection, programme_id)
    number = next((each.number for each in known if each.round_id == round_id), None)
    if number is None:
        raise RapportError(f"The round {round_id} is not one of the programme {programme_id}.")
    waiting = [each.round_id for each in known if each.number < number and each.round_id not in released]
    if waiting:
        raise RapportError(f"The round {round_id} waits for the release of {waiting[0]}, which comes before it.")


def _respondents(invited: pd.DataFrame) -> dict[str, int]:
    """How many people of each side answered."""
    answered = invited[invited["has_answered"]]
    return {side: answered.loc[answered["side"] == side, "person_id"].nunique() for side in ("mentor", "mentee")}


def _single_item(inputs: Inputs, asks: Mapping[str, set[str]]) -> list[str]:
    """ "construct (side)" where the pulse asks one item of it at most: such a score says so, whoever answered."""
    questionnaire, pulse = inputs.questionnaire, inputs.round.pulse
    return [
        f"{name} ({side})"
        for name, sides in sorted(asks.items())
        for side in sorted(sides)
        if len(askable(questionnaire, pulse, name, side)) == 1
    ]
