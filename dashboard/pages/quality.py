"""Shows how far the numbers can be trusted: reliability, ceilings, sameness, silence, goals, quarantine."""

from collections.abc import Iterable

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.evidence import CHANGE_FROM, LEVEL_FROM, Evidence, evidence, metric_of
from dashboard.findings import CONSTRUCT, HEADLINE, SIDES, Reading
from dashboard.panels import bounds_of, value_of
from dashboard.parts import NONE, Part
from dashboard.tables import EVIDENCE, metric_name
from dashboard.visit import Visit
from dashboard.words import Words

RELIABILITY = ("reliability_level", "alpha", "ceiling_share")
GOALS = ("goal_attainment", "goals_met", "goal_agreement", "goal_weeks", "goals_in_26_weeks")
SUPPORT = ("support_recall", "support_false_alarms", "support_lead")


def title(visit: Visit) -> str:
    return visit.words("quality")


def shown(visit: Visit) -> pd.DataFrame:
    rows = visit.released.select(release=visit.released.latest.id)
    return rows[(rows["view"] == CONSTRUCT) | rows["metric"].isin(EVIDENCE)]


def show(visit: Visit) -> list[Part]:
    words, found = visit.words, evidence(visit.released)
    return [
        html.H1(words("quality")),
        html.P(_summary(found, words), className="verdict"),
        html.H2(words("quality_reliability")),
        html.P(words("quality_reliability_note", **_least(words))),
        *_reliability(visit, found),
        html.H2(words("quality_answering")),
        *_answering(visit, found),
        html.H2(words("quality_silence")),
        html.P(words("quality_silence_note")),
        *_silence(visit, found),
        html.H2(words("quality_goals")),
        *_goals(found, words),
        html.H2(words("quality_support")),
        *_support(found, words),
        html.H2(words("quality_run")),
        *_run(visit),
        parts.download(visit.address.to("/quality.csv"), words),
    ]


def _least(words: Words) -> dict[str, str]:
    """The coefficients from which something may be told of a person."""
    least = {"level": LEVEL_FROM, "change": CHANGE_FROM}
    return {name: words.number(value, "coefficient", places=2) for name, value in least.items()}


def _summary(found: Evidence, words: Words) -> str:
    """In one sentence: for how many scores a person's level may be told."""
    asked = [(construct, side) for construct in found.constructs("reliability_level") for side in SIDES]
    told = [found.of("reliability_level", construct, side) for construct, side in asked]
    known = [each for each in told if each is not None]
    if not known:
        return words("quality_summary_none")
    enough = sum(each.numbers[0] >= LEVEL_FROM for each in known)
    return words("quality_summary", enough=enough, known=len(known))


def _reliability(visit: Visit, found: Evidence) -> list[Part]:
    words = visit.words
    columns = ("th_construct", "th_side", "q_level", "q_change", "q_alpha", "q_ceiling", "q_verdict")
    rows = [
        (
            metric_name(words, metric_of(construct)),
            words(f"side_{side}"),
            *(_cell(found.of(name, construct, side), words) for name in ("reliability_level", "reliability_change")),
            _cell(found.of("alpha", construct, side), words),
            _cell(found.of("ceiling_share", construct, side), words),
            words(found.told_of_a_person(construct, side)),
        )
        for construct in _constructs(found)
        for side in SIDES
        if any(found.of(name, construct, side) for name in RELIABILITY)
    ]
    others = [html.P(words("q_others"))] if any(map(found.withholds, RELIABILITY)) else []
    if not rows:
        return others
    table = parts.plain_table(words("quality_reliability"), [words(name) for name in columns], rows, words)
    return [table, *_dashes(visit, rows), *others]


def _dashes(visit: Visit, rows: Iterable[tuple[str, ...]]) -> list[Part]:
    return parts.dashes(rows, visit.words, f"{visit.address.to('/help')}#withheld")


def _constructs(found: Evidence) -> list[str]:
    names = [each for name in RELIABILITY for each in found.constructs(name)]
    return list(dict.fromkeys(names))


def _cell(reading: Reading | None, words: Words) -> str:
    """A number with its interval; a coefficient that has none stands alone."""
    if reading is None:
        return NONE
    _, low, high = reading.numbers
    return value_of(words, reading) if low == high else f"{value_of(words, reading)} ({bounds_of(words, reading)})"


def _answering(visit: Visit, found: Evidence) -> list[Part]:
    words = visit.words
    rows = [
        (words(f"side_{side}"), _cell(found.of("straight_lining", "all", side), words), _drift(found, side, words))
        for side in SIDES
    ]
    columns = [words(name) for name in ("th_side", "q_straight", "q_drift")]
    return [parts.plain_table(words("quality_answering"), columns, rows, words), *_dashes(visit, rows)]


def _drift(found: Evidence, side: str, words: Words) -> str:
    said = {found.verdict("drift", construct, side) for construct in (*_constructs(found), "")} - {None}
    if "drifting" in said:
        return words("q_drifting")
    return words("q_no_drift") if said else NONE


def _silence(visit: Visit, found: Evidence) -> list[Part]:
    words = visit.words
    columns = [words(name) for name in ("th_metric", "th_side", "q_asked", "q_weighted", "q_tipping")]
    rows = [
        (
            metric_name(words, metric),
            words(f"side_{side}"),
            _cell(found.of(metric, "all", side), words),
            _cell(found.of(f"weighted_{metric}", "all", side), words),
            _cell(found.of(f"tipping_{metric}", "all", side), words),
        )
        for metric in HEADLINE
        for side in SIDES
    ]
    return [parts.plain_table(words("quality_silence"), columns, rows, words), *_dashes(visit, rows)]


def _goals(found: Evidence, words: Words) -> list[Part]:
    rows = _rows(found, GOALS, words)
    if not rows:
        return [html.P(words("quality_goals_none"))]
    columns = [words(name) for name in ("th_metric", "th_side", "th_value")]
    easy = found.verdict("easy_goals", "", "both") or "too_few"
    return [
        html.P(words(f"q_goals_{easy}")),
        html.P(_milestones(found, words)),
        parts.plain_table(words("quality_goals"), columns, rows, words),
        html.P(words("milestones_note"), className="note"),
    ]


def _rows(found: Evidence, names: Iterable[str], words: Words) -> list[tuple[str, str, str]]:
    return [
        (metric_name(words, name), words(f"side_{side}"), _cell(reading, words))
        for name in names
        for side in ("mentor", "mentee", "both")
        if (reading := found.of(name, "all", side)) is not None
    ]


def _milestones(found: Evidence, words: Words) -> str:
    """How long goals take, in one sentence."""
    weeks = found.of("goal_weeks", "all", "both")
    if weeks is not None:
        return words("milestones_measured", weeks=value_of(words, weeks), bounds=bounds_of(words, weeks))
    verdict = found.verdict("milestones", "", "both") or "too_few"
    return words("milestones_too_few" if verdict == "measured" else f"milestones_{verdict}")


def _support(found: Evidence, words: Words) -> list[Part]:
    """What the rules for support did on past pairings; one line where that cannot be told yet."""
    rows = _rows(found, SUPPORT, words)
    verdict = found.verdict("support", "", "both") or "too_few"
    if not rows:
        return [html.P(words("support_too_few" if verdict == "measured" else f"support_{verdict}"))]
    columns = [words(name) for name in ("th_metric", "th_side", "th_value")]
    return [
        html.P(words(f"support_{verdict}")),
        parts.plain_table(words("quality_support"), columns, rows, words),
        html.P(words("support_note"), className="note"),
    ]


def _run(visit: Visit) -> list[Part]:
    words, latest = visit.words, visit.released.latest
    refused = [(reason, words.at_least(n)) for reason, n in latest.quarantined.items()]
    said: list[Part] = [html.P(words("quality_last_run", day=words.day(latest.made_at.date()), release=latest.id))]
    if not refused:
        return [*said, html.P(words("quality_nothing_refused"))]
    columns = [words("q_reason"), words("q_cells")]
    return [*said, parts.plain_table(words("quality_run"), columns, refused, words)]
