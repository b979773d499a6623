"""Makes small programmes of one question, and of them a release as a reader gets it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from data.contracts import Invited, Scored, conform
from pipeline import run
from pipeline.disclosure import gate
from pipeline.disclosure.crowd import Crowd, Key
from pipeline.disclosure.ground import Room
from pipeline.disclosure.thresholds import Thresholds
from pipeline.flow import flow
from pipeline.measure import Measurement, measure
from pipeline.metric import Facts, catalogue
from pipeline.publish import publish

SIDES = ("mentor", "mentee")
MIXED = (0.0, 25.0, 50.0, 75.0, 100.0)
NOBODY = pd.DataFrame(columns=["started_on", "ended_on"])
TODAY = pd.Timestamp("2026-01-05").date()


class Pair(NamedTuple):
    """One pairing: both scores (None: silent), the groups of both, and the mentor where they have several mentees."""

    mentee: float | None
    mentor: float | None = 50.0
    department: str = "A"
    location: str = "L"
    guide: str = ""


def pairs(scores: Iterable[float | None], **more: str) -> list[Pair]:
    """Pairings that differ in what the mentee said only."""
    return [Pair(score, **more) for score in scores]  # type: ignore[arg-type]


def facts(programme: Sequence[Pair], constructs: Iterable[str] = ("trust",)) -> Facts:
    """What `measure` makes a round's numbers from; everybody says the same about each construct."""
    invited, scored = [], []
    for k, each in enumerate(programme):
        mentor = each.guide or f"mentor {k}"
        for side, score in zip(SIDES, (each.mentor, each.mentee), strict=True):
            who = {
                "round_id": "R1", "round_number": 1, "pairing_id": f"P{k}", "side": side,
                "person_id": mentor if side == "mentor" else f"mentee {k}", "mentor_id": mentor,
            }  # fmt: skip
            groups = {"cohort": "", "department": each.department, "location": each.location, "grade": ""}
            invited.append({**who, **groups, "programme_id": "P", "pulse": "pulse", "has_answered": score is not None})
            if score is not None:
                ends = {"lowest": score, "highest": score, "n_items": 1, "is_whole": True}
                scored += [{**who, **ends, "construct": name, "score": score} for name in constructs]
    columns = list(Scored.to_schema().columns)
    return Facts(
        invited=conform(Invited, pd.DataFrame(invited)), scored=conform(Scored, pd.DataFrame(scored, columns=columns))
    )


class Held(NamedTuple):
    """What somebody holds who read a release: its shown numbers, with who said what and their rooms."""

    told: Mapping[tuple[str, str], pd.DataFrame]
    rooms: Mapping[Key, Room]
    is_whole: bool = True


class Released(NamedTuple):
    """A release with what only the gate has seen: who said what, and the rooms of the numbers."""

    measurement: Measurement
    decision: gate.Decision
    rows: pd.DataFrame

    def shown(self, metric: str = "trust", side: str = "mentee") -> set[Key]:
        """The numbers that are shown."""
        return {key for key, yes in self.decision.shown.items() if yes and (key.metric, key.side) == (metric, side)}

    def groups(self, metric: str = "trust", side: str = "mentee") -> set[str]:
        return {key.group for key in self.shown(metric, side)}

    def row(self, group: str, metric: str = "trust", side: str = "mentee") -> Mapping[str, object]:
        is_it = (self.rows["group"] == group) & (self.rows["metric"] == metric) & (self.rows["side"] == side)
        found: Mapping[str, object] = self.rows[is_it].iloc[0].to_dict()
        return found

    def held(self) -> Held:
        """What its readers hold when they read the next."""
        rooms = {key: room for key, room in self.decision.rooms.items() if self.decision.shown[key]}
        return Held(self.measurement.told, rooms)


def released(
    programme: Sequence[Pair],
    *,
    attributes: tuple[str, ...] = ("department",),
    metrics: Iterable[str] = ("trust",),
    before: Held | None = None,
    older: Sequence[Held] = (),
) -> Released:
    """The release of one round, step by step as `pipeline.run.build` makes it, of some metrics only."""
    chosen = {id_: catalogue()[id_] for id_ in metrics}
    constructs = sorted({name for each in chosen.values() for name in each.constructs})
    about, asked = facts(programme, constructs), dict.fromkeys(constructs, set(SIDES))
    limits = Thresholds(attributes=attributes)
    measurement = measure(about, chosen, attributes=attributes, asked=asked)
    measured = measurement.measured
    names = ["metric", "view", "group", "side"]
    keys = [Key(**row) for row in measured[names].to_dict("records")]  # type: ignore[arg-type]
    answered = about.invited[about.invited["has_answered"]]
    decision = gate.decide(
        measurement.crowds,
        chosen,
        limits,
        {side: answered.loc[answered["side"] == side, "person_id"].nunique() for side in SIDES},
        told=measurement.told,
        errors=dict(zip(keys, measured["se"], strict=True)),
        earlier=[*([] if before is None else [before]), *older],
    )
    decision = decision.without(run.telling_gaps(about, decision, limits), chosen)
    shown = [decision.shown[key] for key in keys]
    rows = publish(
        run.pool(run.coarsened(measured, measurement.told), shown),
        shown,
        flow(about.invited, NOBODY, on=TODAY),
        chosen,
        n_asked={f"{side}s": of["person_id"].nunique() for side, of in about.invited.groupby("side")},
        programme_id="P",
        release_id="P-1",
        round_id="R1",
    )
    return Released(measurement, decision, rows)


def decided(
    groups: Mapping[tuple[str, str], Crowd],
    *,
    metric: str = "trust",
    side: str = "mentee",
    respondents: int = 60,
    beside: Mapping[Key, Crowd] | None = None,
) -> set[tuple[str, str]]:
    """Which of these groups are shown, judged each by itself: nobody's answers are known to the gate."""
    crowds = {Key(metric=metric, view=view, group=group, side=side): crowd for (view, group), crowd in groups.items()}
    metrics = {key.metric: catalogue()[key.metric] for key in (*crowds, *(beside or {}))}
    found = gate.decide(
        {**(beside or {}), **crowds}, metrics, Thresholds(), dict.fromkeys(SIDES, respondents), told={}, errors={}
    ).shown
    return {(key.view, key.group) for key, yes in found.items() if yes and key in crowds}


def mentees(*places: int, guides: int | None = None, end: int = 0) -> Crowd:
    """Mentees by number, of as many mentors or of so few."""
    return Crowd(
        mentees=frozenset(f"mentee {k}" for k in places),
        guides=frozenset(f"mentor {k % (guides or 10_000)}" for k in places),
        end=end,
    )
