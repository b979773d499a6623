"""Lists the guards of the gate and of releases: what each is for, how to take it away, and what is known without it.

`known` returns what a reader knows that they may not, in words; nothing while the guard is in its place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import delete

from data import decisions as rules
from data.errors import RapportError
from data.settings import Settings
from data.store import releases as kept
from data.store.engine import Stores, migrate, open_stores, writing
from data.store.releases import StoredRelease
from data.tables import releases
from pipeline import flow, measure, publish, published, release, run
from pipeline.disclosure import alone, audit, coarsen, crowd, gate
from pipeline.disclosure.crowd import TWO_WAY, Crowd, Key
from pipeline.disclosure.difference import Part
from pipeline.disclosure.thresholds import Thresholds, thresholds
from pipeline.evidence.finding import Finding
from pipeline.metric import catalogue
from tests.pipeline.narrowing import POINTS, Reader, is_narrowed
from tests.pipeline.small_programmes import MIXED, Pair, Released, decided, facts, mentees, pairs, released
from tests.pipeline.stored import NOW

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


# --- how many people -------------------------------------------------------------------------------

ALL = ("all", "all")


def _few(groups: Mapping[tuple[str, str], Crowd], least: int = 5) -> list[str]:
    """Shown groups, and what is left of the programme or of another group, of one to four people."""
    shown = decided(groups)
    people = {place: groups[place].mentees for place in shown}
    found = [f"{len(each)} in {place}" for place, each in people.items() if len(each) < least]
    for view in {view for view, _ in shown} - {"all"}:
        rest = groups[ALL].mentees.difference(*(each for place, each in people.items() if place[0] == view))
        found += [f"{len(rest)} outside the shown ones of {view}"] if 0 < len(rest) < least else []
    for one, other in combinations(people.values(), 2):
        larger, smaller = sorted((one, other), key=len, reverse=True)
        found += (
            [f"{len(larger - smaller)} by subtraction"] if smaller < larger and len(larger - smaller) < least else []
        )
    return found


def small_groups() -> list[str]:
    parts = {"A": range(20), "B": range(20, 24), "C": range(24, 28)}
    return _few({ALL: mentees(*range(28)), **{("department", name): mentees(*of) for name, of in parts.items()}})


def small_remainder() -> list[str]:
    parts = {"A": range(20), "B": range(20, 27), "C": range(27, 30)}
    return _few({ALL: mentees(*range(30)), **{("department", name): mentees(*of) for name, of in parts.items()}})


def nested_groups() -> list[str]:
    return _few(
        {
            ALL: mentees(*range(40)),
            ("department", "Sales"): mentees(*range(11)),
            ("department", "Research"): mentees(*range(11, 40)),
            ("location", "Lyon"): mentees(*range(10)),
            ("location", "Leipzig"): mentees(*range(10, 40)),
        }
    )


def lowered_thresholds() -> list[str]:
    found = []
    for name, least in rules.LEAST.items():
        try:
            thresholds({name: least - 1})
        except RapportError:
            continue
        found.append(f"{name} of {least - 1}")
    return found


def tiny_programme() -> list[str]:
    shown = decided({ALL: mentees(*range(9))}, respondents=9)
    return [f"scores of nine: {place}" for place in shown]


def two_way_of_few() -> list[str]:
    cell = ("department" + TWO_WAY + "location", "A" + TWO_WAY + "L")
    groups = {
        ALL: mentees(*range(40)),
        ("department", "A"): mentees(*range(20)),
        ("department", "B"): mentees(*range(20, 40)),
        ("location", "L"): mentees(*range(9), *range(20, 30)),
        ("location", "M"): mentees(*range(9, 20), *range(30, 40)),
        cell: mentees(*range(9)),
    }
    return [f"nine in {cell}"] if cell in decided(groups) else []


def two_way_alone() -> list[str]:
    cell = ("department" + TWO_WAY + "location", "A" + TWO_WAY + "L")
    groups = {
        ALL: mentees(*range(60)),
        ("department", "A"): mentees(*range(30)),
        ("department", "B"): mentees(*range(30, 60)),
        ("location", "L"): mentees(*range(15), *range(30, 45), end=1),
        ("location", "M"): mentees(*range(15, 30), *range(45, 60)),
        cell: mentees(*range(15)),
    }
    shown = decided(groups)
    return ["a part of a group that is withheld"] if cell in shown and ("location", "L") not in shown else []


def one_mentor() -> list[str]:
    groups = {
        ALL: mentees(*range(30)),
        ("department", "A"): mentees(*range(6), guides=2),
        ("department", "B"): mentees(*range(6, 30)),
    }
    return ["what two mentors' mentees said"] if ("department", "A") in decided(groups) else []


def everybody_answered() -> list[str]:
    groups = {
        ALL: mentees(*range(40)),
        ("department", "A"): mentees(*range(5)),
        ("department", "B"): mentees(*range(5, 40)),
    }
    asked = {
        Key(metric="participation", view=view, group=group, side="mentee"): of for (view, group), of in groups.items()
    }
    shown = decided(groups, beside=asked)
    return ["that every one of five answered"] if ("department", "A") in shown else []


# --- what they said ---------------------------------------------------------------------------------

SILENT = [Pair(None)]
OTHERS = [*pairs(MIXED * 4, department="B"), Pair(None, department="B")]


def all_at_one_end() -> list[str]:
    about = facts([*pairs((0.0, 0.0, 0.0, 0.0, 25.0)), *SILENT, *OTHERS])
    asked = {"trust": {"mentor", "mentee"}}
    found = measure.measure(about, {"trust": catalogue()["trust"]}, attributes=("department",), asked=asked)
    crowds = {(key.view, key.group): each for key, each in found.crowds.items() if key.side == "mentee"}
    return ["that each of five is at the lowest end"] if ("department", "A") in decided(crowds) else []


def _narrowed(of: Released) -> list[str]:
    """Whose answer the other members of their shown group know from all shown means."""
    said = of.measurement.told["trust", "mentee"]
    reader = Reader(said, {key: of.decision.rooms[key] for key in of.shown()}, POINTS)
    found = []
    for group in of.groups() - {"all"}:
        inside = np.flatnonzero(said["department"] == group).tolist()
        others = {person: [each for each in inside if each != person] for person in inside}
        found += [f"{group} {k}" for k, known in others.items() if len(known) < 5 and reader.proves(k, known)]
    return found


def four_know_the_fifth() -> list[str]:
    return _narrowed(released([*pairs((0.0, 0.0, 0.0, 0.0, 100.0)), *SILENT, *OTHERS]))


def four_sums_leave_two() -> list[str]:
    """No group holds another and no group is small: A and B without L and M are two people of N."""
    blocks = {"AL": 10, "AM": 9, "BL": 9, "BM": 10, "AN": 1, "BN": 1, "CN": 10, "CO": 10, "DN": 10, "DO": 10}
    programme = [
        Pair(MIXED[k % 5], department=block[0], location=block[1]) for block, n in blocks.items() for k in range(n)
    ]
    shown = {key.group for key in released(programme, attributes=("department", "location")).shown()}
    return ["the sum over two people"] if set("ABLM") <= shown else []


ALIKE = [*pairs([75.0] * 20), *pairs([75.0] * 60, department="B")]


def a_joiner() -> list[str]:
    first = released(ALIKE)
    second = released([*ALIKE, Pair(0.0)], before=first.held())
    group = Key(metric="trust", view="department", group="A", side="mentee")
    if not {group} <= first.shown() & second.shown():
        return []
    then, now = first.decision.rooms[group], second.decision.rooms[group]
    rooms = (now.up + then.down, now.down + then.up)
    return ["that the joiner's is a low answer"] if is_narrowed([Part(1.0, 0.0)], rooms, 0) else []


def an_erased_one() -> list[str]:
    """Of 21 one is gone, and nobody can say who or what they had said; the same group is told again."""
    first = released([*ALIKE, Pair(0.0)])
    again = released(ALIKE, before=Held(first.held().told, first.held().rooms, is_whole=False))
    first_without = released(ALIKE).held()  # what the store still knows of the first release
    blind = released(ALIKE, before=first_without._replace(is_whole=False))
    return [f"who was erased from {group}" for group in (again.groups() | blind.groups()) - {"all"}]


def a_mentor_of_five() -> list[str]:
    five = [Pair(75.0, 100.0, guide="mentor of five")] * 5
    rest = [Pair(75.0, 75.0, department="AB"[k % 2]) for k in range(60)]
    metrics = ("trust", "satisfaction", "goal_progress", "perception_gap")
    found = released([*five, *rest], metrics=metrics, attributes=())
    whole = {"view": "all", "group": "all"}
    keys = [Key(metric=name, side=side, **whole) for name in metrics[:3] for side in ("mentor", "mentee")]
    gap = Key(metric="perception_gap", side="both", **whole)
    if not all(found.decision.shown[key] for key in (gap, *keys)):
        return []
    of = [found.decision.rooms[each] for each in (gap, keys[0], keys[1])]
    rooms = (of[0].up + of[1].down + of[2].up, of[0].down + of[1].up + of[2].down)
    return ["what the mentor of five said"] if is_narrowed([Part(4.0, 100.0)], rooms, 0) else []


def what_all_agree_on() -> list[str]:
    row = released(ALIKE).row("A")
    return ["that all of a group said the same"] if row["shown"] and row["high"] - row["low"] < 3 else []  # type: ignore[operator]


# --- how it is told ---------------------------------------------------------------------------------


def _programme(departments: str, scores: str) -> list[Pair]:
    """One letter a pairing; a score is 0 to 4."""
    return [Pair(25.0 * int(score), department=name) for name, score in zip(departments, scores, strict=True)]


def _differ(departments: str, one: str, other: str) -> list[str]:
    """Whether two programmes that must look alike do not."""
    rows = [released(_programme(departments, scores)).rows for scores in (one, other)]
    return [] if rows[0].equals(rows[1]) else ["an answer below the step"]


def below_the_step() -> list[str]:
    """Two people of one group differ by an answer, in opposite ways or none; no mean moves by a step."""
    departments = "BABABAAAABBBACAAAACAAABABBAABBBAB"
    return _differ(departments, FINE, f"{FINE[:27]}2{FINE[28:31]}0{FINE[32]}")


FINE = "334314240023404241411440004124411"


def below_the_step_of_the_shrunk() -> list[str]:
    return _differ("BBABABABCBBBCABABCBBBAAACBABAABCBA", LATE, f"{LATE[:14]}2{LATE[15:]}")


LATE = "3021043402042314002234143213003132"


def withheld_groups_say_nothing() -> list[str]:
    """One of C said more and one of B less."""
    return _differ("DDDCCCCABBBBAABAAAABBBAAABBCAAB", POOLED, f"{POOLED[:14]}2{POOLED[15:27]}1{POOLED[28:]}")


POOLED = "1420402141202010443212020042224"


def how_a_group_differs() -> list[str]:
    """The same programme, but for which of two groups with one mean is of one mind."""
    apart, together = (25.0, 75.0) * 10, (45.0, 55.0) * 10
    rows = []
    for first, second in ((apart, together), (together, apart)):
        found = released([*pairs(first), Pair(None), *pairs(second, department="B"), Pair(None, department="B")])
        rows.append(found.row("A"))
    return [] if rows[0] == rows[1] else ["how far a group's answers lie apart"]


ASKED_TWENTY = [*pairs(MIXED * 4), *pairs(MIXED * 4, department="B")]


def full_house() -> list[str]:
    row = released(ASKED_TWENTY).row("A")
    return ["that all twenty answered"] if row["n"] == 20 else []


def full_house_of_the_programme() -> list[str]:
    rows = released(ASKED_TWENTY).rows
    n = rows.loc[(rows["metric"] == "flow_answered") & (rows["side"] == "mentee"), "n"].item()
    return ["that all forty answered"] if n == 40 else []


def full_share() -> list[str]:
    row = released(ASKED_TWENTY, metrics=("trust", "participation")).row("A", "participation")
    return ["that all twenty answered"] if row["value"] == 1.0 else []


def exact_counts() -> list[str]:
    rows = released([*pairs(MIXED * 4 + MIXED[:2]), Pair(None), *OTHERS]).rows
    return [f"that {n} answered" for n in rows["n"].dropna().unique() if n % 5]


def withheld_rows() -> list[str]:
    rows = released([*pairs(MIXED[:3]), *pairs(MIXED[:2], department="C"), *OTHERS]).rows
    hidden = rows.loc[~rows["shown"], ["value", "low", "high", "n"]]
    return ["something of a withheld group"] if len(hidden) == 0 or hidden.notna().any(axis=None) else []


def response_without_a_score() -> list[str]:
    """Six of A answered, all alike at the lowest end: their score is withheld."""
    found = released([*pairs([0.0] * 6), *SILENT, *OTHERS], metrics=("trust", "participation"))
    return [f"how many of {group} answered" for group in found.groups("participation") - found.groups()]


def both_without_a_side() -> list[str]:
    found = released([*pairs((0.0, 0.0, 0.0, 0.0, 100.0)), *SILENT, *OTHERS])
    sides = found.groups(side="mentor") & found.groups()
    return [f"both sides of {group} without one" for group in found.groups(side="both") - sides]


def both_tells_more() -> list[str]:
    """Both is made of the two sides as they are told, and of nothing else."""
    return below_the_step_of_the_shrunk()


def evidence_below_its_error() -> list[str]:
    people = mentees(*range(30))
    rows = []
    for value in (10.4, 11.4):
        finding = Finding(
            metric="change", side="mentee", numbers=(value, value - 8, value + 8), unit="points", crowd=people
        )
        told = publish.publish(
            pd.DataFrame(), [], pd.DataFrame(), {}, [(finding, True)],
            n_asked={"mentees": 40}, programme_id="P", release_id="P-1", round_id="R1",
        )  # fmt: skip
        rows.append(tuple(told[["value", "low", "high"]].iloc[0]))
    return [] if rows[0] == rows[1] else ["a finding more finely than its error"]


# --- what was released ------------------------------------------------------------------------------

KEY = "k" * 48


def _stored(value: float) -> StoredRelease:
    manifest = {"release": "P-1", "programme": {"id": "P", "name": "P"}, "round": {"id": "R1", "number": 1}}
    found = released(ASKED_TWENTY)
    return release.sealed(release.content_of(manifest, found.rows.assign(value=value)), key=KEY, now=NOW)


def _read(*saved: StoredRelease, key: str | None = KEY) -> set[float]:
    """The values that a reader gets after these were saved one after the other, if they could be."""
    with TemporaryDirectory() as home:
        stores = open_stores(Settings(home=Path(home), secret_key=KEY))
        migrate(stores)
        try:
            return _after(stores, saved, key)
        finally:
            stores.dispose()


def _after(stores: Stores, saved: tuple[StoredRelease, ...], key: str | None) -> set[float]:
    for each in saved:
        with writing(stores.published) as connection:
            try:
                release.save_release(connection, each)
            except RapportError:
                continue
    rows = published.published(stores.published, key=key)
    return set(rows["value"].dropna())


def made_again() -> list[str]:
    return ["another number for the same round"] if _read(_stored(50.0), _stored(51.0)) != {50.0} else []


def changed_afterwards() -> list[str]:
    """Somebody who can write to the store changes a number, and the digest beside it."""
    first = _stored(50.0)
    content = first.content.replace("50.0", "51.0")
    changed = replace(first, content=content, content_sha256=sha256(content.encode()).hexdigest())
    return ["a number that nobody sealed"] if _read(changed) else []


def changed_clumsily() -> list[str]:
    """The digest is not changed, and the reader has no key."""
    first = _stored(50.0)
    return ["a number that was not released"] if _read(replace(first, content=first.content + " "), key=None) else []


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
        known=small_groups,
    ),
    Guard(
        name="remainder",
        why="What the shown groups leave of the programme is nobody, or five people.",
        take_away=_puts(alone, "_without_remainder", lambda _crowds, open_, _least, _side: set(open_)),
        known=small_remainder,
    ),
    Guard(
        name="nested groups",
        why="A group and one of another attribute inside it differ by nobody, or five people.",
        take_away=_puts(alone, "_gives_away", lambda *_: False),
        known=nested_groups,
    ),
    Guard(
        name="three mentors",
        why="A number about the mentees of one or two mentors would be a score of these.",
        take_away=_puts(crowd, "LEAST_GUIDES", 1),
        known=one_mentor,
    ),
    Guard(
        name="somebody may have been silent",
        why="Where five are asked, a number of five says that each of them answered.",
        take_away=_puts(alone, "has_all_answered", lambda *_: False),
        known=everybody_answered,
    ),
    Guard(
        name="tiny programme",
        why="A side of under ten respondents has no score at all.",
        take_away=_default("respondents_n", 1),
        known=tiny_programme,
    ),
    Guard(
        name="ten for two attributes",
        why="A number by two attributes at once stands for at least ten people.",
        take_away=_default("two_way_n", 5),
        known=two_way_of_few,
    ),
    Guard(
        name="two attributes rest on one",
        why="A number by two attributes is shown only where it is shown by each.",
        take_away=_needing(is_kept=lambda key, _needed: not key.is_two_way),
        known=two_way_alone,
    ),
    Guard(
        name="thresholds only rise",
        why="No decision goes below the least thresholds.",
        take_away=_puts(rules, "_count", lambda decisions, name: decisions.get(name, rules.LEAST[name])),
        known=lowered_thresholds,
    ),
    Guard(
        name="one end of the scale",
        why="A mean so near an end that it tells everybody's half is withheld.",
        take_away=_without_an_end,
        known=all_at_one_end,
    ),
    Guard(
        name="unions",
        why="No adding and subtracting of sums leaves one to four people.",
        take_away=_puts(audit, "smallest", lambda *_, **__: None),
        known=four_sums_leave_two,
    ),
    Guard(
        name="proof",
        why="Sums, steps and the ends of the scale prove nobody's answer.",
        take_away=_puts(audit, "exposed", lambda *_, **__: set()),
        known=four_know_the_fifth,
    ),
    Guard(
        name="colluders",
        why="Nor do they to four who tell one another theirs.",
        take_away=_colluders_none,
        known=four_know_the_fifth,
    ),
    Guard(
        name="time",
        why="The same group in two releases tells nothing of who came or went.",
        take_away=_puts(gate, "tells_of_comers", lambda *_, **__: False),
        known=a_joiner,
    ),
    Guard(
        name="gaps",
        why="A gap between the sides, beside their means, tells nothing of a mentor of several.",
        take_away=_puts(run, "telling_gaps", lambda *_: set()),
        known=a_mentor_of_five,
    ),
    Guard(
        name="least spread",
        why="No interval says that everybody agreed.",
        take_away=_puts(measure, "LEAST_SPREAD", 0.6),
        known=what_all_agree_on,
    ),
    Guard(
        name="steps of the error",
        why="A mean is told no more finely than its error.",
        take_away=_puts(coarsen, "step_of", lambda _se: 0.01),
        known=below_the_step,
    ),
    Guard(
        name="steps come first",
        why="What is made of a mean is made of the mean as it is told.",
        take_away=_pooled_before,
        known=below_the_step_of_the_shrunk,
    ),
    Guard(
        name="both from its sides",
        why="A number for both sides says nothing beyond the two as they are told.",
        take_away=_puts(run, "coarsened", lambda measured, own: COARSENED(measured, [*own, ("trust", "both")])),
        known=both_tells_more,
    ),
    Guard(
        name="withheld groups take no part",
        why="Shown groups are not shrunk towards withheld ones.",
        take_away=_puts(run, "pool", lambda measured, _shown: POOL(measured, [True] * len(measured))),
        known=withheld_groups_say_nothing,
    ),
    Guard(
        name="the programme's variance",
        why="A group's interval does not tell how far its answers lie apart.",
        take_away=_puts(measure, "_of_group", _with_own_spread),
        known=how_a_group_differs,
    ),
    Guard(
        name="a full house",
        why="No n says that everybody who was asked answered.",
        take_away=_puts(measure, "told_count", lambda count, _n: count),
        known=full_house,
    ),
    Guard(
        name="a full programme",
        why="Nor does the count of all who answered.",
        take_away=_puts(flow, "told_count", lambda count, _n: count),
        known=full_house_of_the_programme,
    ),
    Guard(
        name="shares in ranges",
        why="Nor does the share of a group.",
        take_away=_puts(measure, "share_range", lambda count, _n: (count, count)),
        known=full_share,
    ),
    Guard(
        name="counts in steps",
        why="Counts are told in steps of five.",
        take_away=_puts(publish, "in_steps", lambda count: count),
        known=exact_counts,
    ),
    Guard(
        name="withheld rows",
        why="A withheld row carries nothing that depends on an answer.",
        take_away=_puts(publish, "_withheld", _withheld_with_n),
        known=withheld_rows,
    ),
    Guard(
        name="response rests on the score",
        why="How many of a group answered is told only where their score is.",
        take_away=_needing(is_kept=lambda key, needed: needed.metric == key.metric),
        known=response_without_a_score,
    ),
    Guard(
        name="both rests on its sides",
        why="A number for both sides is shown only where each side's is.",
        take_away=_needing(is_kept=lambda key, needed: needed.side == key.side),
        known=both_without_a_side,
    ),
    Guard(
        name="evidence in steps",
        why="Findings are told no more finely than their error.",
        take_away=_puts(publish, "in_steps_of_error", lambda *numbers: numbers),
        known=evidence_below_its_error,
    ),
    Guard(
        name="frozen",
        why="A round's release is never made again.",
        take_away=_puts(release, "save_release", _save_over),
        known=made_again,
    ),
    Guard(
        name="sealed",
        why="A release that was changed in the store is not shown.",
        take_away=_puts(published, "seal_is_valid", lambda *_: True),
        known=changed_afterwards,
    ),
    Guard(
        name="intact",
        why="Not even to readers without the key.",
        take_away=_puts(published, "is_intact", lambda *_: True),
        known=changed_clumsily,
    ),
]
