"""Puts the groups of an attribute that are withheld into one, where that one may be shown.

A reader could subtract the shown groups from the programme anyway; told openly, those groups have a number too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.disclosure.crowd import MERGED, PROGRAMME, Crowd, Key, together
from pipeline.disclosure.rooms import said
from pipeline.disclosure.rounding import STEP, in_steps, told_count

NORMAL = 1.96  # half a 95 % interval, in standard errors


@dataclass(frozen=True, kw_only=True)
class Merged:
    """Groups told as one: the people behind them, how many were asked, their mean and its standard error."""

    crowd: Crowd
    n_asked: int
    mean: float
    se: float


def candidates(
    keys: Iterable[Key],
    crowds: Mapping[Key, Crowd],
    asked: Mapping[Key, int],
    shown: Mapping[Key, bool],
    told: pd.DataFrame,
    errors: Mapping[Key, float],
) -> Iterator[tuple[Key, Merged]]:
    """For each one-way view of one metric and one side: its withheld groups as one.

    `asked`: how many of the side each group has. The spread is the one that all groups of the view have in common.
    """
    by_view: dict[str, list[Key]] = {}
    for key in keys:
        if key.view != PROGRAMME and not key.is_two_way:
            by_view.setdefault(key.view, []).append(key)
    for view, groups in by_view.items():
        withheld = [key for key in groups if not shown[key]]
        spreads = [errors[key] * np.sqrt(told_size(len(crowds[key]), asked[key])) for key in groups if len(crowds[key])]
        if 1 < len(withheld) < len(groups) and spreads:
            first = groups[0]
            name = MERGED.join(sorted(key.group for key in withheld))
            whole = Key(metric=first.metric, view=view, group=name, side=first.side)
            values = list(said(told, whole).values())
            crowd, n_asked = together(crowds[key] for key in withheld), sum(asked[key] for key in withheld)
            if values:
                se = spreads[0] / np.sqrt(told_size(len(values), n_asked))
                yield whole, Merged(crowd=crowd, n_asked=n_asked, mean=float(np.mean(values)), se=float(se))


def told_size(n: int, n_asked: int) -> int:
    """As in `measure`: in steps, and never saying that all answered."""
    counted = told_count(n, n_asked)
    return in_steps(counted) if counted >= STEP else max(counted, 1)


def rows(merged: Mapping[Key, Merged], like: pd.DataFrame) -> pd.DataFrame:
    """Measured rows of merged groups, in the programme, round, unit and claim of `like` (contract Measured)."""
    about = like.iloc[0][["programme_id", "round_id", "claim"]].to_dict()
    return pd.DataFrame(
        [
            {
                **about, **vars(key), "unit": "points", "value": each.mean, "se": each.se,
                "low": each.mean - NORMAL * each.se, "high": each.mean + NORMAL * each.se,
                "n_mentors": told_count(len(each.crowd.mentors), each.n_asked),
                "n_mentees": told_count(len(each.crowd.mentees), each.n_asked),
            }
            for key, each in merged.items()
        ],
        columns=list(like.columns),
    )  # fmt: skip
