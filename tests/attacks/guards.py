"""Lists the guards of the gate and of releases: what each is for, how to take it away, and what is known without it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import delete

from data import decisions as rules
from data.store import releases as kept
from data.store.releases import StoredRelease
from data.tables import releases
from pipeline import flow, measure, publish, published, release, run, weigh
from pipeline.disclosure import alone, audit, coarsen, crowd, gate
from pipeline.disclosure.crowd import Key
from pipeline.disclosure.thresholds import Thresholds
from tests.attacks import small_knowledge as known

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, kw_only=True)
class Guard:
    """One guard; `known` tries the smallest scenario in which it is needed."""

    name: str
    why: str
    take_away: Callable[[Patch], None]
    known: Callable[[], list[str]]


def _puts(place: object, name: str, value: object) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(place, name, value)


def _default(name: str, value: int) -> Callable[[Patch], None]:
    return lambda patch: patch.setitem(Thresholds.__init__.__kwdefaults__, name, value)


def _save_over(connection: Any, new: StoredRelease) -> StoredRelease:
    connection.execute(delete(releases).where(releases.c.round_id == new.round_id))
    return kept.save_release(connection, new)


# --- how each is taken away -------------------------------------------------------------------------


def _needing(*, is_kept: Callable[[Key, Key], bool]) -> Callable[[Patch], None]:
    """Some of the numbers that another needs are not needed any more."""
    whole = alone.needed_by
    return _puts(alone, "needed_by", lambda key, metric: [each for each in whole(key, metric) if is_kept(key, each)])


def _with_own_spread(piece: pd.DataFrame, told: Any, _spread: Mapping[str, float]) -> Any:
    return OF_GROUP(piece, told, {part: max(float(rows["value"].std()), 5.0) for part, rows in piece.groupby("part")})


OF_GROUP, COARSENED, POOL = measure._of_group, run.coarsened, run.pool


def _pooled_before(patch: Patch) -> None:
    own = {("trust", side) for side in ("mentor", "mentee", "both")}
    patch.setattr(run, "coarsened", lambda measured, _own: measured)
    patch.setattr(run, "pool", lambda measured, shown: COARSENED(POOL(measured, shown), own))


def _withheld_with_n(row: Mapping[Any, Any]) -> dict[str, object]:
    return {**publish._about(row), **publish.NO_NUMBER, "n": int(row.get("n_mentees", 0))}


def _without_time(patch: Patch) -> None:
    """Number by number, and all of them together: each holds where the other does not."""
    patch.setattr(gate, "tells_of_comers", lambda *_, **__: False)
    patch.setattr(gate, "telling_together", lambda *_: set())


def _colluders_none(patch: Patch) -> None:
    auditor = gate.Auditor
    patch.setattr(gate, "Auditor", lambda **of: auditor(**{**of, "colluders": 0}))


def _without_an_end(patch: Patch) -> None:
    of = measure._crowd
    patch.setattr(measure, "_crowd", lambda metric, piece: replace(of(metric, piece), end=0))


GUARDS = [
    Guard(
        name="five people",
        why="A number stands for at least five people.",
        take_away=_puts(Thresholds, "least", lambda _self, _minimum_n: 4),
        known=known.small_groups,
    ),
    Guard(
        name="remainder",
        why="What the shown groups leave of the programme is nobody, or five people.",
        take_away=_puts(alone, "_without_remainder", lambda _crowds, open_, _least, _side: set(open_)),
        known=known.small_remainder,
    ),
    Guard(
        name="nested groups",
        why="A group and one of another attribute inside it differ by nobody, or five people.",
        take_away=_puts(alone, "_gives_away", lambda *_: False),
        known=known.nested_groups,
    ),
    Guard(
        name="three mentors",
        why="A number about the mentees of one or two mentors would be a score of these.",
        take_away=_puts(crowd, "LEAST_GUIDES", 1),
        known=known.one_mentor,
    ),
    Guard(
        name="somebody may have been silent",
        why="Where five are asked, a number of five says that each of them answered.",
        take_away=_puts(alone, "has_all_answered", lambda *_: False),
        known=known.everybody_answered,
    ),
    Guard(
        name="tiny programme",
        why="A side of under ten respondents has no score at all.",
        take_away=_default("respondents_n", 1),
        known=known.tiny_programme,
    ),
    Guard(
        name="ten for two attributes",
        why="A number by two attributes at once stands for at least ten people.",
        take_away=_default("two_way_n", 5),
        known=known.two_way_of_few,
    ),
    Guard(
        name="two attributes rest on one",
        why="A number by two attributes is shown only where it is shown by each.",
        take_away=_needing(is_kept=lambda key, _needed: not key.is_two_way),
        known=known.two_way_alone,
    ),
    Guard(
        name="thresholds only rise",
        why="No decision goes below the least thresholds.",
        take_away=_puts(rules, "_count", lambda decisions, name: decisions.get(name, rules.LEAST[name])),
        known=known.lowered_thresholds,
    ),
    Guard(
        name="one end of the scale",
        why="A mean so near an end that it tells everybody's half is withheld.",
        take_away=_without_an_end,
        known=known.all_at_one_end,
    ),
    Guard(
        name="unions",
        why="No adding and subtracting of sums leaves one to four people.",
        take_away=_puts(audit, "smallest", lambda *_, **__: None),
        known=known.four_sums_leave_two,
    ),
    Guard(
        name="proof",
        why="Sums, steps and the ends of the scale prove nobody's answer.",
        take_away=_puts(audit, "exposed", lambda *_, **__: set()),
        known=known.four_know_the_fifth,
    ),
    Guard(
        name="colluders",
        why="Nor do they to four who tell one another theirs.",
        take_away=_colluders_none,
        known=known.four_know_the_fifth,
    ),
    Guard(
        name="time",
        why="The same group in two releases tells nothing of who came or went.",
        take_away=_without_time,
        known=known.a_joiner,
    ),
    Guard(
        name="erasure",
        why="Where answers of the last release are gone, no group is told again beside it.",
        take_away=_puts(weigh, "_is_whole", lambda *_: True),
        known=known.an_erased_one,
    ),
    Guard(
        name="gaps",
        why="A gap between the sides, beside their means, tells nothing of a mentor of several.",
        take_away=_puts(run, "telling_gaps", lambda *_: set()),
        known=known.a_mentor_of_five,
    ),
    Guard(
        name="least spread",
        why="No interval says that everybody agreed.",
        take_away=_puts(measure, "LEAST_SPREAD", 0.6),
        known=known.what_all_agree_on,
    ),
    Guard(
        name="steps of the error",
        why="A mean is told no more finely than its error.",
        take_away=_puts(coarsen, "step_of", lambda _se: 0.01),
        known=known.below_the_step,
    ),
    Guard(
        name="steps come first",
        why="What is made of a mean is made of the mean as it is told.",
        take_away=_pooled_before,
        known=known.below_the_step_of_the_shrunk,
    ),
    Guard(
        name="both from its sides",
        why="A number for both sides says nothing beyond the two as they are told.",
        take_away=_puts(run, "coarsened", lambda measured, own: COARSENED(measured, [*own, ("trust", "both")])),
        known=known.both_tells_more,
    ),
    Guard(
        name="withheld groups take no part",
        why="Shown groups are not shrunk towards withheld ones.",
        take_away=_puts(run, "pool", lambda measured, _shown: POOL(measured, [True] * len(measured))),
        known=known.withheld_groups_say_nothing,
    ),
    Guard(
        name="the programme's variance",
        why="A group's interval does not tell how far its answers lie apart.",
        take_away=_puts(measure, "_of_group", _with_own_spread),
        known=known.how_a_group_differs,
    ),
    Guard(
        name="a full house",
        why="No n says that everybody who was asked answered.",
        take_away=_puts(measure, "told_count", lambda count, _n: count),
        known=known.full_house,
    ),
    Guard(
        name="a full programme",
        why="Nor does the count of all who answered.",
        take_away=_puts(flow, "told_count", lambda count, _n: count),
        known=known.full_house_of_the_programme,
    ),
    Guard(
        name="counts together",
        why="Nor do all counts of a side together.",
        take_away=_puts(gate, "telling_counts", lambda *_: set()),
        known=known.three_counts_leave_seven,
    ),
    Guard(
        name="shares in ranges",
        why="Nor does the share of a group.",
        take_away=_puts(measure, "share_range", lambda count, _n: (count, count)),
        known=known.full_share,
    ),
    Guard(
        name="counts in steps",
        why="Counts are told in steps of five.",
        take_away=_puts(publish, "in_steps", lambda count: count),
        known=known.exact_counts,
    ),
    Guard(
        name="withheld rows",
        why="A withheld row carries nothing that depends on an answer.",
        take_away=_puts(publish, "_withheld", _withheld_with_n),
        known=known.withheld_rows,
    ),
    Guard(
        name="response rests on the score",
        why="How many of a group answered is told only where their score is.",
        take_away=_needing(is_kept=lambda key, needed: needed.metric == key.metric),
        known=known.response_without_a_score,
    ),
    Guard(
        name="both rests on its sides",
        why="A number for both sides is shown only where each side's is.",
        take_away=_needing(is_kept=lambda key, needed: needed.side == key.side),
        known=known.both_without_a_side,
    ),
    Guard(
        name="evidence in steps",
        why="Findings are told no more finely than their error.",
        take_away=_puts(publish, "in_steps_of_error", lambda *numbers: numbers),
        known=known.evidence_below_its_error,
    ),
    Guard(
        name="frozen",
        why="A round's release is never made again.",
        take_away=_puts(release, "save_release", _save_over),
        known=known.made_again,
    ),
    Guard(
        name="sealed",
        why="A release that was changed in the store is not shown.",
        take_away=_puts(published, "seal_is_valid", lambda *_: True),
        known=known.changed_afterwards,
    ),
    Guard(
        name="intact",
        why="Not even to readers without the key.",
        take_away=_puts(published, "is_intact", lambda *_: True),
        known=known.changed_clumsily,
    ),
]
