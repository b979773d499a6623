"""Judges the questions themselves: reliability, ceilings, careless answers, drift."""

import hashlib

import numpy as np
import pandas as pd

from pipeline.change import false_discovery
from pipeline.disclosure.crowd import Crowd, Shown
from pipeline.disclosure.rounding import in_steps
from pipeline.disclosure.thresholds import Thresholds
from pipeline.estimate import wilson
from pipeline.evidence.finding import (
    CONSTRUCT,
    NOTHING,
    Finding,
    Findings,
    Verdict,
    attempt,
    crowd_of,
    least,
    score_keys,
)
from pipeline.evidence.reliability import FORM, LEAST_ANSWERS, Reliabilities, Reliability
from pipeline.evidence.round_facts import RoundFacts
from pipeline.instrument import alpha, item_drift, straight_lining

LEVEL_MAY_BE_SHOWN, CHANGE_MAY_BE_SHOWN = 0.70, 0.60  # RkF and Rc (Cranford et al. 2006)
TOP = 100.0
LEAST_ON_A_FORM = 3  # answers without which a straight line says nothing
N_DRAWS = 200
DRIFT_LEVEL = 0.05


def quality(facts: RoundFacts, thresholds: Thresholds, reliable: Reliabilities, shown: Shown) -> Findings:
    """Of every construct and side that this round asks. `shown`: what the gate said of the scores."""
    numbers, verdicts = [], []
    for (construct, side), said in facts.said.items():
        found = _of_construct(facts, said, construct, side, thresholds, reliable.get((construct, side)))
        numbers += found
        verdicts += _verdicts(found, construct, side, thresholds, shown)
    numbers += [_straight(facts, side) for side in ("mentor", "mentee")]
    return Findings(numbers=tuple(numbers), verdicts=(*verdicts, *_drift(facts, thresholds, shown)))


def _of_construct(
    facts: RoundFacts,
    said: pd.DataFrame,
    construct: str,
    side: str,
    thresholds: Thresholds,
    reliable: Reliability | None,
) -> list[Finding]:
    """What its items allow: one item alone has a ceiling, several agree, several rounds tell levels from noise."""
    found = [_ceiling(facts.now(said))]
    by_round = facts.items_by_round(construct, side)
    if len(set().union(*by_round)) > 1:
        found.append(_alpha(said, least(thresholds), f"{facts.seed} {construct} {side}"))
    if reliable is not None:
        found.append(("reliability_level", reliable.level, reliable.crowd, "coefficient"))
        found.append(("reliability_change", reliable.change, reliable.crowd, "coefficient"))
    rests_on = score_keys(construct, [side], facts.metrics)
    return [
        Finding(
            metric=metric,
            side=side,
            numbers=numbers,
            unit=unit,
            view=CONSTRUCT,
            group=construct,
            crowd=crowd,
            rests_on=rests_on,
            scale=(-1.0, 1.0),
        )
        for metric, numbers, crowd, unit in found
    ]


Told = tuple[str, tuple[float, float, float], Crowd, str]


def _ceiling(now: pd.DataFrame) -> Told:
    """Counts in steps of five; the interval counts people, whose answers go together."""
    n, n_people = in_steps(len(now)), in_steps(now["person_id"].nunique())
    n_top = in_steps(int((now["points"] >= TOP).sum()))
    return "ceiling_share", share_of(n_top, n, n_people), crowd_of(now), "share"


def share_of(count: int, n: int, n_people: int) -> tuple[float, float, float]:
    """A share and its interval as if each of `n_people` counted once."""
    if n == 0 or n_people == 0:
        return NOTHING
    share = count / n
    low, high = wilson(round(share * n_people), n_people)
    return share, min(low, share), max(high, share)


def _alpha(said: pd.DataFrame, enough: int, seed: str) -> Told:
    """Of forms with several answers, of all rounds so far, less each round's level: a trend makes nobody consistent.

    Of the items that enough answered; the interval draws mentors anew, whose pairings go together.
    """
    several = said[said.groupby(FORM)["points"].transform("size") > 1]
    kept = several[several.groupby("question_id")["points"].transform("size") >= LEAST_ANSWERS]
    crowd = crowd_of(kept)
    if len(crowd) < enough:
        return "alpha", NOTHING, crowd, "coefficient"
    # From every answer, not from the few forms with several: those would fit their own noise.
    apart = said["points"] - said.groupby("question_id")["points"].transform("mean")
    level = kept["round_number"].map(apart.groupby(said["round_number"]).mean())
    items = kept.assign(points=kept["points"] - level).pivot(
        index=[*FORM, "mentor_id"], columns="question_id", values="points"
    )
    rng = np.random.default_rng(np.frombuffer(hashlib.sha256(seed.encode()).digest(), dtype=np.uint32))
    mentors = items.index.get_level_values("mentor_id").to_numpy()

    def compute() -> tuple[float, float, float]:
        found = alpha(items.reset_index(drop=True), cluster=mentors, rng=rng, n_draws=N_DRAWS)
        return found.value, found.low, found.high

    return "alpha", attempt(compute, otherwise=NOTHING), crowd, "coefficient"


def _verdicts(found: list[Finding], construct: str, side: str, thresholds: Thresholds, shown: Shown) -> list[Verdict]:
    """On one person's level and change: nothing of them is shown unless it can be told from noise.

    Read off the number as it is shown: of one that is withheld, the word would tell that people differ, or do not.
    """
    enough = {each.metric: each for each in found if each.is_shown(thresholds, shown)}
    bounds = {"level": LEVEL_MAY_BE_SHOWN, "change": CHANGE_MAY_BE_SHOWN}
    told = []
    for about, bound in bounds.items():
        value = enough[f"reliability_{about}"].numbers[0] if f"reliability_{about}" in enough else np.nan
        is_reliable = "may_be_shown" if np.round(value, 2) >= bound else "not_reliable_enough"
        verdict = "too_few" if np.isnan(value) else is_reliable
        told.append(Verdict(about=about, construct=construct, side=side, verdict=verdict))
    return told


def _straight(facts: RoundFacts, side: str) -> Finding:
    """Forms of this round on which every answer is the same point, as tapped."""
    rated = facts.now(facts.rated)
    said = rated[rated["side"] == side]
    reversed_ = [id_ for id_, each in facts.questionnaire.questions.items() if each.reverse]
    tapped = said.assign(tapped=said["points"].where(~said["question_id"].isin(reversed_), TOP - said["points"]))
    long = tapped[tapped.groupby("pairing_id")["points"].transform("size") >= LEAST_ON_A_FORM]
    n_people = in_steps(long["person_id"].nunique())

    def compute() -> tuple[float, float, float]:
        items = long.pivot(index="pairing_id", columns="question_id", values="tapped")
        found = straight_lining(items, least=LEAST_ON_A_FORM).iloc[0]
        return share_of(in_steps(int(found["n_straight"])), in_steps(int(found["n"])), n_people)

    numbers = attempt(compute, otherwise=NOTHING) if len(long) else NOTHING
    return Finding(
        metric="straight_lining", side=side, numbers=numbers, crowd=crowd_of(long), unit="share", scale=(0.0, 1.0)
    )


def _drift(facts: RoundFacts, thresholds: Thresholds, shown: Shown) -> list[Verdict]:
    """Whether an item moves by itself, over all constructs and sides at once: few of many looks are false alarms.

    Only what at least as many answered as the gate wants is looked at, where the score is shown; which item it is, is
    not told. Whether there is a word at all is decided by what was asked, never by what was said.
    """
    looked, p = [], []
    for (construct, side), said in facts.said.items():
        if all(shown.get(key, False) for key in score_keys(construct, [side], facts.metrics)):
            seen = attempt(_drifts, said, least(thresholds), otherwise=list[float]())
            looked += [(construct, side)] * len(seen)
            p += seen
    flagged = {where for where, q in zip(looked, false_discovery(p), strict=True) if q < DRIFT_LEVEL}
    return [
        Verdict(about="drift", construct=construct, side=side, verdict="drifting" if where in flagged else "none")
        for where in sorted(facts.said)
        if _could_drift(facts, *where, least(thresholds))
        for construct, side in [where]
    ]


def _could_drift(facts: RoundFacts, construct: str, side: str, enough: int) -> bool:
    """Whether enough people were asked, and several rounds could ask several of its items."""
    invited = facts.now(facts.invited)
    by_round = [items for items in facts.items_by_round(construct, side) if items]
    is_large = invited.loc[invited["side"] == side, "person_id"].nunique() >= enough
    return is_large and len(by_round) > 1 and len(set().union(*by_round)) > 1


def _drifts(said: pd.DataFrame, enough: int) -> list[float]:
    """How surprising each item's step in each round is, of those that enough answered."""
    table = item_drift(said, person="pairing_id", round="round_number", item="question_id", value="points")
    p: list[float] = table.loc[table["n"] >= enough, "p"].dropna().tolist()
    return p
