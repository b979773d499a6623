"""Says whether a mentee's satisfaction goes with how far the two sides' trust lies apart."""

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.claim import ASSOCIATED
from pipeline.disclosure.crowd import Key, Shown
from pipeline.disclosure.rounding import in_steps
from pipeline.disclosure.thresholds import Thresholds
from pipeline.dyads import response_surface
from pipeline.dyads.surface import LEAST, NAMES
from pipeline.estimate import declared
from pipeline.evidence.finding import NOTHING, Finding, Findings, Verdict, attempt, crowd_of, score_keys
from pipeline.evidence.round_facts import RoundFacts
from pipeline.measure import LEAST_SPREAD

SIDES = ("mentor", "mentee")
VIEW, OUTCOME, WHOSE = "trust", "satisfaction", "mentee"
MIDDLE, PER_POINTS = 50.0, 10.0  # both views about the scale's midpoint, in tens of points
OF_A_GAP = ("a3", "a4")  # along disagreement: does its direction matter, does its size
Numbers = tuple[float, float, float]


def surface(facts: RoundFacts, thresholds: Thresholds, shown: Shown) -> Findings:
    """a1 … a5 of one round's pairings, from 200 of them on; without a row where fewer were asked."""
    asked = all(facts.asked.get(name) == set(SIDES) for name in (VIEW, OUTCOME))
    if not asked or facts.now(facts.invited)["pairing_id"].nunique() < LEAST:
        return Findings(verdicts=(_verdict("too_few"),))
    pairings = _pairings(facts)
    crowd = crowd_of(facts.scored[facts.scored["pairing_id"].isin(pairings.index)])
    numbers = attempt(_shape, pairings, otherwise=dict.fromkeys(NAMES, NOTHING))
    found = [
        Finding(
            metric=f"surface_{name}",
            side=WHOSE,
            numbers=numbers[name],
            unit="points",
            crowd=crowd,
            feeding="both",
            rests_on=_rests_on(facts),
            claim=ASSOCIATED,
        )
        for name in NAMES
    ]
    is_told = all(each.is_shown(thresholds, shown) for each in found)
    return Findings(numbers=tuple(found), verdicts=(_verdict(_word(numbers) if is_told else "too_few"),))


def _verdict(verdict: str) -> Verdict:
    return Verdict(about="surface", construct=OUTCOME, side=WHOSE, verdict=verdict)


def _rests_on(facts: RoundFacts) -> tuple[Key, ...]:
    return (*score_keys(VIEW, SIDES, facts.metrics), *score_keys(OUTCOME, [WHOSE], facts.metrics))


def _pairings(facts: RoundFacts) -> pd.DataFrame:
    """One row a pairing with all three answers: own and other, in tens from the middle, and outcome."""
    scored = facts.scored
    views = scored[scored["construct"] == VIEW].pivot(index="pairing_id", columns="side", values="score")
    is_outcome = (scored["construct"] == OUTCOME) & (scored["side"] == WHOSE)
    outcome = scored[is_outcome].set_index("pairing_id")["score"]
    views = ((views - MIDDLE) / PER_POINTS).reindex(columns=list(SIDES))
    return views.set_axis(["other", "own"], axis=1).join(outcome.rename("outcome")).dropna().sort_index()


def _shape(pairings: pd.DataFrame) -> dict[str, Numbers]:
    """No interval says that people agree more than a spread of five points; its width knows pairings in steps."""
    n = in_steps(len(pairings))
    if n < LEAST:
        return dict.fromkeys(NAMES, NOTHING)
    found = response_surface(pairings, outcome="outcome", own="own", other="other")
    least = declared(0.0, np.array([float(n)]), LEAST_SPREAD).se
    half = {name: float(stats.norm.ppf(0.975)) * max(float(found.se[name]), least) for name in NAMES}
    return {
        name: (float(value), float(value) - half[name], float(value) + half[name])
        for name in NAMES
        for value in [getattr(found, name)]
    }


def _word(numbers: dict[str, Numbers]) -> str:
    is_clear = any(numbers[name][1] > 0 or numbers[name][2] < 0 for name in OF_A_GAP)
    return "goes_with_gap" if is_clear else "no_clear_association"
