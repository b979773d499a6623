"""Names what the evidence of a round is told as. Light: who reads releases needs the names only."""

from collections.abc import Mapping

ANCHORS = {"trust": "trust", "satisfaction": "satisfaction", "goal_progress": "goals"}  # metric → construct
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
    "changed_up": "share",
    "changed_down": "share",
    "reliable_change": "share",
    "growth_slope": "points",
    "growth_together": "coefficient",
    **{f"surface_{name}": "points" for name in ("a1", "a2", "a3", "a4", "a5")},
    "goal_attainment": "t_score",
    "goals_met": "share",
    "goal_agreement": "coefficient",
    "goal_weeks": "weeks",
    "goals_in_26_weeks": "share",
    "support_recall": "share",
    "support_false_alarms": "alarms",
    "support_lead": "days",
    **{f"{name}_{metric}": "points" for name in ("weighted", "tipping") for metric in ANCHORS},
}
