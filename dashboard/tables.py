"""Writes readings as a table's rows: every number with its interval, n, unit, claim and release."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from dashboard.chart import Figure, Row, Table
from dashboard.evidence import metric_of
from dashboard.findings import Numbers, Reading
from dashboard.words import Words, places_of
from pipeline.published import PROGRAMME, catalogue

By = Literal["round", "group", "metric", "construct"]
# Released numbers that stand behind the metrics and have no page of their own.
EVIDENCE = (
    "straight_lining", "actor_effect", "partner_effect", "goal_attainment", "goals_met", "goal_agreement",
    "goal_weeks", "goals_in_26_weeks", "support_recall", "support_false_alarms", "support_lead",
    *(f"{kind}_{metric}" for kind in ("weighted", "tipping") for metric in ("trust", "satisfaction", "goal_progress")),
)  # fmt: skip
TWO_WAY, MERGED, THREE_ROUNDS = " × ", " + ", ", 3 rounds"  # as the pipeline writes views and groups
JOINED = re.compile(r"( × | \+ )")
NUMBERS = ("th_value", "th_low", "th_high", "th_n", "th_unit", "th_claim", "th_release")


def table_of(found: Iterable[Reading], caption: str, words: Words, numbers: Numbers, *, by: By) -> Table:
    """One line a reading, headed by its round, group or metric, and its side."""
    columns = (words(f"th_{by}"), words("th_side"), *(words(name) for name in NUMBERS))
    rows = tuple(
        Row(
            heading=(_heading(each, by, words, numbers), words(f"side_{each.side}")),
            cells=_cells(each, words) if each.shown else (),
            sentence="" if each.shown else not_shown(each, words),
            figures=(figure_of(each, words, numbers),),
        )
        for each in found
    )
    return Table(caption=caption, columns=columns, n_headings=2, rows=rows)


def flow_table(found: Sequence[Reading], caption: str, words: Words, numbers: Numbers) -> Table:
    """One line a count and side, one column a round; counts are rounded down to steps of five."""
    rounds = [words("round", number=each.number) for each in numbers.releases]
    keys = list(dict.fromkeys((each.metric, each.side) for each in found))
    shown = {(each.metric, each.side, each.release): each for each in found if each.shown}
    counted = {key: f"{each.numbers[0]:.0f}" for key, each in shown.items()}
    rows = tuple(
        Row(
            heading=(words(metric), words(f"side_{side}")),
            cells=tuple(counted.get((metric, side, each.id), "–") for each in numbers.releases),
            figures=tuple(
                figure_of(shown[metric, side, each.id], words, numbers)
                for each in numbers.releases
                if (metric, side, each.id) in shown
            ),
        )
        for metric, side in keys
    )
    columns = (words("people_flow"), words("th_side"), *rounds)
    return Table(caption=caption, columns=columns, n_headings=2, rows=rows)


def figure_of(reading: Reading, words: Words, numbers: Numbers) -> Figure:
    """A reading as numbers; a group that is not the whole programme stands beside the metric's name."""
    name, group = metric_name(words, reading.metric), group_name(words, reading.group)
    return named_figure(name if reading.group == PROGRAMME else f"{name}, {group}", reading, words, numbers)


def named_figure(name: str, reading: Reading, words: Words, numbers: Numbers) -> Figure:
    """A reading as numbers, under a name of the table's own."""
    return Figure(
        name=name,
        side=words(f"side_{reading.side}"),
        round=words("round", number=numbers.number_of(reading.release)),
        value=reading.value,
        low=reading.low,
        high=reading.high,
        n=reading.n,
        unit=reading.unit,
        claim=reading.claim,
        release=reading.release,
    )


def not_shown(reading: Reading, words: Words) -> str:
    """The one sentence in place of a number: withheld to protect people, or no answer yet."""
    return words("case_withheld" if reading.metric.startswith("case_") else "withheld")


def metric_name(words: Words, metric: str) -> str:
    if metric in catalogue():
        return words.pick(catalogue()[metric].label)
    return words(metric)


def view_name(words: Words, view: str) -> str:
    """An attribute's name, those of two attributes, or an attribute's over three rounds."""
    named = TWO_WAY.join(words(f"view_{each}") for each in view.removesuffix(THREE_ROUNDS).split(TWO_WAY))
    return words("view_three_rounds", view=named) if view.endswith(THREE_ROUNDS) else named


def group_name(words: Words, group: str) -> str:
    """A group's own name; ours only where the pipeline named it, alone or beside others."""
    named = {PROGRAMME: "view_all", "not stated": "not_stated"}
    parts = JOINED.split(group)
    return "".join(words(named[part]) if part in named else part for part in parts)


def _heading(reading: Reading, by: By, words: Words, numbers: Numbers) -> str:
    if by == "round":
        return words("round", number=numbers.number_of(reading.release))
    if by == "construct":
        return metric_name(words, metric_of(reading.group))
    return group_name(words, reading.group) if by == "group" else metric_name(words, reading.metric)


def _cells(reading: Reading, words: Words) -> tuple[str, ...]:
    value, low, high = reading.numbers
    places = places_of((value, low, high), reading.unit)
    shown = [words.number(each, reading.unit, places=places) for each in (value, low, high)]
    claim = words(f"claim_{reading.claim}")
    return (*shown, str(reading.n), words.unit(reading.unit), claim, reading.release)
