"""Compares the two sides of the programme's pairings: gaps on a construct, and what goes with the other's trust."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from data.errors import RapportError
from pipeline.claim import ASSOCIATED
from pipeline.disclosure.crowd import PROGRAMME, Key
from pipeline.disclosure.gaps import is_telling
from pipeline.disclosure.ground import Room
from pipeline.disclosure.rounding import error_step, in_steps, in_steps_of_error
from pipeline.disclosure.thresholds import Thresholds
from pipeline.dyads import PerceptionGap, actor_partner, perception_gap
from pipeline.estimate import declared
from pipeline.evidence.finding import (
    CONSTRUCT,
    NOTHING,
    Finding,
    Findings,
    Verdict,
    attempt,
    crowd_of,
    metric_of,
    score_keys,
    whole,
)
from pipeline.evidence.round_facts import RoundFacts
from pipeline.instrument import comparability
from pipeline.measure import LEAST_SPREAD
from pipeline.metric import Metric

SIDES = ("mentor", "mentee")
PREDICTOR, OUTCOME = "trust", "satisfaction"
PER_POINTS = 10.0
POWER = 0.80
LEAST_FORMS = 150  # complete ones on each side, before a factor model says anything
LEAST_ITEMS = 3  # a factor that stands alone needs them
GAP = "perception_gap"


def two_sides(facts: RoundFacts, thresholds: Thresholds) -> Findings:
    """Gaps per construct that both sides are asked in the same questions, and actor and partner effects."""
    constructs = [name for name in facts.constructs if _is_shared(facts, name)]
    gaps = [each for name in constructs for each in _gap(facts, name, thresholds)]
    verdicts = [
        Verdict(about="comparability", construct=name, side="both", verdict=_comparability(facts, name))
        for name in constructs
    ]
    return Findings(numbers=(*gaps, *_effects(facts)), verdicts=tuple(verdicts))


def _is_shared(facts: RoundFacts, construct: str) -> bool:
    """Whether both sides look at the same: the same questions, about the mentoring and not about themselves."""
    asked = [{each.id for each in facts.questionnaire.of_construct(construct, side)} for side in SIDES]
    about = facts.questionnaire.constructs.get(construct)
    is_own = about is not None and about.kind == "outcome"
    return facts.asked[construct] == set(SIDES) and asked[0] == asked[1] and not is_own


def _gap(facts: RoundFacts, construct: str, thresholds: Thresholds) -> list[Finding]:
    scored = facts.scored[facts.scored["construct"] == construct]
    rests_on = score_keys(construct, (*SIDES, "both"), facts.metrics)
    paired = _paired(scored)
    joint = _joint(facts.metrics, facts, construct)
    if joint is not None:
        for other in joint.constructs:
            paired &= _paired(facts.scored[facts.scored["construct"] == other])
        rests_on = (*rests_on, whole(joint.id, "both"))
    inside = scored[scored["pairing_id"].isin(paired)]
    found = attempt(_compared, inside, otherwise=None)
    numbers = dict.fromkeys(METRICS, NOTHING) if found is None else _numbers(found, inside)
    if not _leaves_nobody_alone(scored, inside, thresholds) or _tells(
        facts, construct, inside, numbers[GAP], thresholds
    ):
        numbers = dict.fromkeys(METRICS, NOTHING)
    low, high = numbers[GAP][1:]
    return [
        Finding(
            metric=metric,
            side="both",
            numbers=numbers[metric],
            unit=unit,
            view=CONSTRUCT,
            group=construct,
            crowd=crowd_of(inside),
            rests_on=rests_on,
            supports=(high - low) / 2 if unit == "points" else None,
        )
        for metric, unit in METRICS.items()
    ]


METRICS = {GAP: "points", "smallest_gap": "points", "gap_agreement": "coefficient"}


def _joint(metrics: Mapping[str, Metric], facts: RoundFacts, construct: str) -> Metric | None:
    """The gap over several constructs that this one is part of, where this round has it.

    Both are made from the same pairings then, so that their difference is nobody.
    """
    over = metrics.get(GAP)
    if over is None or construct not in over.constructs:
        return None
    return over if all(facts.asked.get(name) == set(SIDES) for name in over.constructs) else None


def _paired(scored: pd.DataFrame) -> set[str]:
    sides = scored.groupby("pairing_id")["side"].nunique()
    return set(sides.index[sides == len(SIDES)])


def _leaves_nobody_alone(scored: pd.DataFrame, inside: pd.DataFrame, thresholds: Thresholds) -> bool:
    """Those who are in a side's mean and not in the gap are nobody, or enough that a subtraction protects them."""
    rest = scored[~scored.index.isin(inside.index)]
    crowd = crowd_of(rest)
    return all(crowd.is_safe_remainder(thresholds.score_n, side) for side in SIDES)


def _tells(
    facts: RoundFacts, construct: str, inside: pd.DataFrame, gap: tuple[float, float, float], thresholds: Thresholds
) -> bool:
    """Whether this gap would give somebody away beside the two sides' means."""
    if not np.isfinite(gap).all():
        return False
    n, half_step = inside["pairing_id"].nunique(), error_step(gap[1], gap[2]) / 2
    above = in_steps_of_error(*gap)[0] - gap[0]
    metric = metric_of(construct, facts.metrics)
    return is_telling(
        facts.scored[facts.scored["construct"] == construct],
        inside,
        Room(n=n, up=n * (half_step + above), down=n * (half_step - above)),
        {side: facts.rooms.get(Key(metric=str(metric), view=PROGRAMME, group=PROGRAMME, side=side)) for side in SIDES},
        colluders=thresholds.score_n - 1,
    )


def _compared(inside: pd.DataFrame) -> PerceptionGap | None:
    return perception_gap(inside, score="score", pairing="pairing_id", side="side", mentor="mentor_id")


def _numbers(found: PerceptionGap, inside: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """No interval is narrower than if people differed a little: none says that they all agree."""
    n = float(in_steps(inside["pairing_id"].nunique())) or 1.0
    se = max(found.se, declared(0.0, np.array([n]), LEAST_SPREAD).se)
    half, seen = (float(stats.t.ppf(0.975, found.df)) + more for more in (0.0, float(stats.t.ppf(POWER, found.df))))
    return {
        GAP: (found.mean, found.mean - half * se, found.mean + half * se),
        "smallest_gap": (seen * se,) * 3,
        "gap_agreement": (found.agreement, found.agreement_low, found.agreement_high),
    }


def _effects(facts: RoundFacts) -> list[Finding]:
    """What trust goes with: satisfaction in points per ten points of one's own, and of the other's, trust."""
    if any(facts.asked.get(name) != set(SIDES) for name in (PREDICTOR, OUTCOME)):
        return []
    scored = facts.scored[facts.scored["construct"].isin([PREDICTOR, OUTCOME])]
    keys = ["pairing_id", "side", "person_id", "mentor_id"]
    pairs = scored.pivot(index=keys, columns="construct", values="score").reset_index()
    pairs = pairs.reindex(columns=[*keys, PREDICTOR, OUTCOME])
    trusted = pairs.loc[pairs[PREDICTOR].notna()].groupby("pairing_id")["side"].nunique()
    usable = pairs[pairs["pairing_id"].isin(trusted.index[trusted == len(SIDES)])]
    table = attempt(_fitted, pairs, otherwise=pd.DataFrame())
    rests_on = tuple(key for name in (PREDICTOR, OUTCOME) for key in score_keys(name, SIDES, facts.metrics))
    return [_effect(effect, side, table, usable, rests_on) for effect in ("actor", "partner") for side in SIDES]


def _fitted(pairs: pd.DataFrame) -> pd.DataFrame:
    found = actor_partner(
        pairs, outcome=OUTCOME, predictor=PREDICTOR, pairing="pairing_id", side="side", mentor="mentor_id"
    )
    if not found.has_converged:
        raise RapportError("Expected a fit that converged.")
    return found.table * PER_POINTS


def _effect(effect: str, side: str, table: pd.DataFrame, usable: pd.DataFrame, rests_on: tuple[Key, ...]) -> Finding:
    known = usable.loc[(usable["side"] == side) & usable[OUTCOME].notna(), "pairing_id"]
    row = table.loc[(side, effect)] if len(table) else None
    return Finding(
        metric=f"{effect}_effect",
        side=side,
        numbers=NOTHING if row is None else (float(row["estimate"]), float(row["low"]), float(row["high"])),
        unit="points",
        crowd=crowd_of(usable[usable["pairing_id"].isin(known)]),
        feeding="both",
        rests_on=rests_on,
        claim=ASSOCIATED,
    )


def _comparability(facts: RoundFacts, construct: str) -> str:
    """Whether a gap may be claimed: from the newest round whose every form asked enough of the construct."""
    for round_id, pulse in reversed(facts.pulses):
        items = _form(facts, round_id, pulse, construct)
        if len(items) >= LEAST_ITEMS:
            return attempt(_tested, facts, round_id, items, otherwise="not_tested")
    return "not_tested"


def _form(facts: RoundFacts, round_id: str, pulse: str, construct: str) -> list[str]:
    """The construct's items that every form of both sides asked in that round."""
    questionnaire = facts.questionnaires[round_id]
    if pulse not in questionnaire.pulses:
        return []
    fixed = questionnaire.pulses[pulse].fixed
    items = [{each.id for each in questionnaire.of_construct(construct, side)} for side in SIDES]
    return sorted(items[0] & items[1] & set(fixed.get("mentor", ())) & set(fixed.get("mentee", ())))


def _tested(facts: RoundFacts, round_id: str, items: list[str]) -> str:
    said = facts.rated[(facts.rated["round_id"] == round_id) & facts.rated["question_id"].isin(items)]
    keys = ["pairing_id", "side", "person_id"]
    forms = said.pivot(index=keys, columns="question_id", values="points").dropna().reset_index()
    people = forms.groupby("side")["person_id"].nunique()
    if len(people) < len(SIDES) or people.min() < LEAST_FORMS:
        return "not_tested"
    found = comparability(forms[items], forms["side"], {"score": items})
    if found.level == "untested":
        return "not_tested"
    return "holds" if found.is_comparable else "fails"
