"""Withholds a gap between the sides that, beside the sides' own means, tells of few people.

Pairings times their gap, plus the mentees' sum, less the mentors' sum: who is in one pairing cancels. What is left
are mentors of several pairings (counted once in their mean, once a pairing in the gap) and those whose other side
was silent. A group's gap plus its mentees' sum is a sum over their mentors.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from pipeline.disclosure.crowd import PROGRAMME, Key
from pipeline.disclosure.difference import Part, tells
from pipeline.disclosure.ground import Room
from pipeline.disclosure.proof import Scale
from pipeline.disclosure.rooms import APART, MIDDLE

SCORE = Scale(0.0, 100.0, APART, MIDDLE)
SIDES = ("mentor", "mentee")


def is_telling(
    scored: pd.DataFrame, paired: pd.DataFrame, gap: Room, sides: Mapping[str, Room | None], *, colluders: int
) -> bool:
    """Whether a gap gives somebody away. `sides`: the rooms of the two means, None where one is not shown.

    `scored`: side, person_id, score of everybody behind the means (one construct, or the mean of several);
    `paired`: those rows of it that the gap is made from, one a side and pairing.
    """
    mentee = sides["mentee"]
    if mentee is None:
        return False
    mentor = sides["mentor"]
    parts = [
        *_parts(scored, paired, "mentor", -1.0 if mentor is not None else 0.0),
        *_parts(scored, paired, "mentee", 1.0),
    ]
    other = Room(n=0, up=0.0, down=0.0) if mentor is None else mentor
    rooms = (gap.up + mentee.up + other.down, gap.down + mentee.down + other.up)
    return tells(parts, rooms, SCORE, colluders=colluders)


def _parts(scored: pd.DataFrame, paired: pd.DataFrame, side: str, in_mean: float) -> list[Part]:
    """How often everybody of a side is left over."""
    mine = scored[scored["side"] == side].groupby("person_id")["score"].mean()
    sign = 1.0 if side == "mentor" else -1.0
    n_pairings = paired.loc[paired["side"] == side, "person_id"].value_counts().reindex(mine.index, fill_value=0)
    return [Part(sign * n + in_mean, value) for n, value in zip(n_pairings, mine, strict=True)]


def telling(
    keys: Sequence[Key],
    scored: pd.DataFrame,
    groups: pd.DataFrame,
    rooms: Mapping[Key, Room],
    parts: Mapping[str, str],
    *,
    colluders: int,
) -> set[Key]:
    """Which of a metric's gaps (`keys`, each of the mean over several constructs) give somebody away.

    `scored` (contract Scored) of this round; `groups` the mentee's group by view and pairing id; `parts` construct →
    the metric that is its score.
    """
    keys_of_one = ["pairing_id", "side", "person_id"]
    each = scored[scored["construct"].isin(parts)].groupby(keys_of_one, as_index=False)["score"].agg(["mean", "size"])
    each = each[each["size"] == len(parts)].rename(columns={"mean": "score"})
    is_paired = each.groupby("pairing_id")["side"].transform("nunique") == len(SIDES)
    found = set()
    for key in keys:
        is_whole = key.view == PROGRAMME
        is_in = each["pairing_id"].notna() if is_whole else each["pairing_id"].map(groups[key.view]) == key.group
        sides = {side: _room(key, side, rooms, parts.values()) for side in SIDES}
        if not is_whole:
            sides["mentor"] = None  # the mentors of these mentees are no group
        if is_telling(each[is_in], each[is_paired & is_in], rooms[key], sides, colluders=colluders):
            found.add(key)
    return found


def _room(key: Key, side: str, rooms: Mapping[Key, Room], metrics: Iterable[str]) -> Room | None:
    """The room of the mean of a side's scores on several metrics; None where one of them is not shown."""
    named = [Key(metric=metric, view=key.view, group=key.group, side=side) for metric in metrics]
    known = [rooms[each] for each in named if each in rooms]
    if len(known) < len(named):
        return None
    up, down = (sum(getattr(room, way) for room in known) / len(known) for way in ("up", "down"))
    return Room(n=known[0].n, up=up, down=down)
