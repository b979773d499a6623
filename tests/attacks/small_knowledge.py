"""Tries what each guard of the gate forbids, in the smallest programme: what a reader knows that they may not."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from data import decisions as rules
from data.errors import RapportError
from data.settings import Settings
from data.store.engine import Stores, migrate, open_stores, writing
from data.store.releases import StoredRelease
from pipeline import measure, publish, published, release, seal, weigh
from pipeline.disclosure.crowd import TWO_WAY, Crowd, Key
from pipeline.disclosure.difference import Part
from pipeline.disclosure.thresholds import thresholds
from pipeline.evidence.finding import Finding
from pipeline.metric import catalogue
from tests.pipeline.narrowing import POINTS, Reader, is_narrowed
from tests.pipeline.small_programmes import MIXED, Pair, Released, decided, facts, mentees, pairs, released
from tests.pipeline.stored import NOW

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
    """The store holds fewer answers than the last release was made of: nobody can say whose are missing."""
    kept_rows = pd.DataFrame({"round_id": ["R1"] * 3, "round_number": [1] * 3})
    inputs: Any = SimpleNamespace(answers=kept_rows, invited=kept_rows, goal_ratings=kept_rows)
    last = weigh.Last(round_id="R1", shown=frozenset(), n_inputs=10)
    before = released(ALIKE).held()._replace(is_whole=weigh._is_whole(inputs, last))
    return [f"who was erased from {group}" for group in released(ALIKE, before=before).groups() - {"all"}]


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
    """One person says one step less; no mean moves by a step."""
    return _differ("ABABBAACABBBCBABBBABCABCACBABABAACA", FINE, f"{FINE[:17]}3{FINE[18:]}")


FINE = "13242242232114344401242342343142432"


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


def three_counts_leave_seven() -> list[str]:
    """35 or more answered, of B and of C at most 14: so all seven of A."""
    fourteen_of_thirty = [(name, [*MIXED * 2, *MIXED[:4]]) for name in "BC"]
    those = [Pair(score, department=name) for name, scores in fourteen_of_thirty for score in scores]
    silent = [Pair(None, department=name) for name in "BC" for _ in range(16)]
    rows = released([*pairs([*MIXED, *MIXED[:2]]), *those, *silent], metrics=("trust", "participation")).rows
    is_told = (rows["metric"] == "trust") & (rows["side"] == "mentee") & rows["shown"]
    told = rows[is_told].set_index("group")["n"]
    groups = told.reindex(["A", "B", "C"])
    return ["that all seven answered"] if told["all"] - (groups[["B", "C"]] + 4).sum() == 7 else []


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
    return seal.sealed(release.content_of(manifest, found.rows.assign(value=value)), key=KEY, now=NOW)


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
