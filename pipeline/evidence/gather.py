"""Gathers all evidence of a round, and says which of its numbers are shown."""

from collections.abc import Iterable
from dataclasses import replace

from pipeline.disclosure.crowd import Crowd, Shown
from pipeline.disclosure.thresholds import Thresholds
from pipeline.evidence.changes import changes
from pipeline.evidence.finding import CONSTRUCT, NOTHING, OTHER_CONSTRUCTS, Finding, Findings, least
from pipeline.evidence.goals_reached import goals_reached
from pipeline.evidence.growth import LEAST_ROUNDS, growth_over_rounds
from pipeline.evidence.milestones import milestones
from pipeline.evidence.non_response import non_response
from pipeline.evidence.quality import quality
from pipeline.evidence.reliability import reliabilities
from pipeline.evidence.round_facts import RoundFacts
from pipeline.evidence.support import support
from pipeline.evidence.surface import surface
from pipeline.evidence.two_sides import two_sides


def gather(facts: RoundFacts, thresholds: Thresholds, shown: Shown) -> Findings:
    """Every number and verdict beyond the scores. `shown`: what the gate said of the scores."""
    reliable = reliabilities(facts, thresholds)
    so_far = facts.scores_so_far(least(thresholds)) if len(facts.pulses) >= LEAST_ROUNDS else None
    kinds = (
        quality(facts, thresholds, reliable, shown),
        two_sides(facts, thresholds),
        changes(facts, thresholds, shown, reliable, so_far),
        growth_over_rounds(facts, thresholds, so_far),
        surface(facts, thresholds, shown),
        goals_reached(facts, thresholds),
        milestones(facts, thresholds),
        support(facts, thresholds),
        non_response(facts, thresholds.attributes, shown),
    )
    verdicts = sorted(
        (each for kind in kinds for each in kind.verdicts), key=lambda each: (each.about, *vars(each).values())
    )
    numbers = [each for kind in kinds for each in kind.numbers]
    return Findings(numbers=_folded(numbers, facts, thresholds, shown), verdicts=tuple(verdicts))


def _folded(numbers: Iterable[Finding], facts: RoundFacts, thresholds: Thresholds, shown: Shown) -> tuple[Finding, ...]:
    """Where a rotation reaches too few, one row a metric and side stands for all that it withholds."""
    kept: list[Finding] = []
    folded: dict[tuple[str, str], Finding] = {}
    for each in numbers:
        if each.view != CONSTRUCT or each.is_shown(thresholds, shown) or _is_for_all(each, facts, least(thresholds)):
            kept.append(each)
        else:
            rest = replace(each, group=OTHER_CONSTRUCTS, numbers=NOTHING, crowd=Crowd(), rests_on=())
            folded.setdefault((each.metric, each.side), rest)
    return (*kept, *folded.values())


def _is_for_all(finding: Finding, facts: RoundFacts, enough: int) -> bool:
    sides = ("mentor", "mentee") if finding.side == "both" else (finding.side,)
    return all(facts.is_widely_asked(finding.group, side, enough) for side in sides)
