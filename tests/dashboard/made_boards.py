"""Lays out made-up operational views, for the tests of This week, Pairings and the Monday mail."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from data.store.desk import Desk

CALENDAR: Mapping[str, Any] = {
    "programme": "Mentoring 2026",
    "time_zone": "Europe/Berlin",
    "asks_by_itself": True,
    "rounds": [
        {
            "round": f"mentoring-{number}",
            "number": number,
            "pulse": "pulse",
            "opens_on": f"2026-{number + 4:02}-02",
            "closes_on": f"2026-{number + 4:02}-16",
            "state": "open" if number == 7 else "closed",
            "reply": {"said": "You asked for time.", "will": "We give it.", "by": "cleo"} if number < 6 else None,
            "so_far": {"mentor": "third_to_half", "mentee": "over_half"} if number == 7 else {},
        }
        for number in range(1, 8)
    ],
    "next": {"pulse": "pulse", "opens_on": "2026-12-01", "closes_on": "2026-12-15"},
    "bounces": [{"name": "Gus <b>Gone</b>", "address": "gone@cast.example", "since": "2026-11-18"}],
    "n_people": 120,
}


def pairing(number: int, **more: Any) -> dict[str, Any]:
    return {
        "pairing": f"P{number:03}",
        "mentor": f"Mentor {number:03}",
        "mentee": f"Mentee {number:03}",
        "started_on": "2026-01-05",
        "planned_end_on": "2027-01-05",
        "ended_on": None,
        "n_goals": number % 3,
        "met_reported_on": "2026-10-16" if number % 2 else None,
        "support": [],
        "actions": [],
        **more,
    }


def request(side: str = "mentee", **more: Any) -> dict[str, Any]:
    return {
        "request": f"mentoring-7/P001/{side}",
        "round": "mentoring-7",
        "pairing": "P001",
        "person_id": f"{side}-1",
        "name": f"{side.title()} 001",
        "side": side,
        "other": "Mentor 001" if side == "mentee" else "Mentee 001",
        "asked_on": "2026-11-19",
        "answered_on": None,
        "answered_by": None,
        **more,
    }


SILENT = [{"rule": "no_meeting", "since": "2026-10-16"}]
CALLED = [{"kind": "talked", "note": "Both are well.", "on": "2026-11-02", "by": "cleo@cast.example"}]
PAIRINGS: Mapping[str, Any] = {
    "rules": {"days": 30, "week": 6},
    "pairings": [
        pairing(1, support=SILENT),
        pairing(2, support=[*SILENT, {"rule": "no_goals", "since": "2026-02-16"}], mentor="Ann <script>"),
        pairing(3, support=SILENT, actions=CALLED),
        pairing(4, ended_on="2026-06-01", support=SILENT),
        *(pairing(number) for number in range(5, 71)),
    ],
    "requests": [request(), request("mentor", answered_on="2026-11-20", answered_by="cleo@cast.example")],
}


def lay_out(desk: Desk, now: datetime, programme: str = "mentoring", **changed: Any) -> None:
    """Both views of a programme; `changed` replaces entries of the calendar."""
    desk.lay_out(programme, "calendar", {**deepcopy(CALENDAR), **changed}, now)
    desk.lay_out(programme, "pairings", deepcopy(PAIRINGS), now)
