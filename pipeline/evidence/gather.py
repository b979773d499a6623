"""Gathers all evidence of a round, and says which of its numbers are shown."""

from collections.abc import Mapping

from pipeline.disclosure.gate import Shown
from pipeline.disclosure.thresholds import Thresholds
from pipeline.evidence.finding import Findings
from pipeline.evidence.goals_reached import goals_reached
from pipeline.evidence.non_response import METRICS, non_response
from pipeline.evidence.quality import quality
from pipeline.evidence.round_facts import RoundFacts
from pipeline.evidence.two_sides import two_sides

# id → unit
EVIDENCE: Mapping[str, str] = {
    "reliability_level": "coefficient",
    "reliability_change": "coefficient",
    "alpha": "coefficient",
    "ceiling_share": "share",
    "straight_lining": "share",
    "perception_gap": "points",
    "smallest_gap": "points",
    "gap_agreement": "coefficient",
    "actor_effect": "points",
    "partner_effect": "points",
    "goal_attainment": "t_score",
    "goals_met": "share",
    "goal_agreement": "coefficient",
    **{f"{name}_{metric}": "points" for name in ("weighted", "tipping") for metric in METRICS},
}


def gather(facts: RoundFacts, thresholds: Thresholds, shown: Shown) -> Findings:
    """Every number and verdict beyond the scores. `shown`: what the gate said of the scores."""
    kinds = (
        quality(facts, thresholds),
        two_sides(facts, thresholds),
        goals_reached(facts, thresholds),
        non_response(facts, thresholds.attributes, shown),
    )
    verdicts = sorted(
        (each for kind in kinds for each in kind.verdicts), key=lambda each: (each.about, *vars(each).values())
    )
    return Findings(numbers=tuple(each for kind in kinds for each in kind.numbers), verdicts=tuple(verdicts))
