"""The calendar: which rounds there are, who is asked when, and what holds a message up."""

from datetime import UTC, date, datetime, timedelta

import pytest

from data.errors import RapportError
from data.store.people import Pairing
from surveys import cadence as cadences
from surveys import calendar
from surveys.cadence import Cadence
from surveys.calendar import Recipient

MONDAY = date(2026, 3, 2)


def cadence(**own) -> Cadence:
    return cadences.read({"starts_on": MONDAY, "time_zone": "Europe/Berlin", **own})


def pairing(id_: str = "P1", started_on: date = date(2026, 2, 20), **more) -> Pairing:
    return Pairing(
        pairing_id=id_, programme_id="m", mentor_id=f"{id_}a", mentee_id=f"{id_}b", started_on=started_on, **more
    )


def every_slot(of: Cadence, pairings: list[Pairing], days: int) -> dict[str, str]:
    """Round → pulse of everything that opens in so many days."""
    found: dict[str, str] = {}
    for ahead in range(days):
        for slot in calendar.slots("m", of, pairings, MONDAY + timedelta(days=ahead)):
            found.setdefault(slot.round_id, slot.pulse)
    return found


# --- rounds -------------------------------------------------------------------------------------


def test_rounds_by_the_calendar_begin_with_kickoff_and_end_with_closing():
    of = cadence(ends_on=date(2026, 7, 31), milestone_every=2)
    assert every_slot(of, [pairing()], 200) == {
        "m-2026-03-02": "kickoff",
        "m-2026-03-30": "pulse",
        "m-2026-04-27": "milestone",
        "m-2026-05-25": "pulse",
        "m-2026-06-22": "milestone",
        "m-2026-07-20": "closing",
    }


def test_a_round_that_falls_on_a_quiet_day_opens_on_the_next_that_is_not():
    of = cadence(holidays=[MONDAY], pauses=[{"from": date(2026, 3, 3), "to": date(2026, 3, 6)}])
    (slot,) = calendar.slots("m", of, [pairing()], date(2026, 3, 9))
    assert (slot.round_id, slot.opens_on, slot.closes_on) == ("m-2026-03-02", date(2026, 3, 9), date(2026, 3, 19))
    assert calendar.slots("m", of, [pairing()], date(2026, 3, 8)) == []


def test_pairings_that_ended_or_have_not_begun_are_not_asked():
    known = [
        pairing("P1"),
        pairing("P2", ended_on=date(2026, 3, 1)),
        pairing("P3", started_on=date(2026, 3, 3)),
        pairing("P4", ended_on=MONDAY),
    ]
    (slot,) = calendar.slots("m", cadence(), known, MONDAY)
    assert set(slot.ask_on) == {"P1", "P4"}


def test_a_programme_without_pairings_has_no_round():
    assert calendar.slots("m", cadence(), [], MONDAY) == []


@pytest.mark.parametrize(("day", "is_worth"), [(date(2026, 3, 10), True), (date(2026, 3, 11), False)])
def test_downtime_does_not_open_a_round_that_is_nearly_over(day, is_worth):
    (slot,) = calendar.slots("m", cadence(), [pairing()], day)
    assert slot.is_worth_opening(day) == is_worth


def test_counted_from_pairings_each_has_its_own_day_and_stage():
    of = cadence(anchor="pairing", kickoff=True, milestone_every=2)
    known = [pairing("P1", started_on=date(2026, 3, 4)), pairing("P2", started_on=date(2026, 4, 7))]
    days: dict[str, dict[str, date]] = {}
    for ahead in range(120):
        for slot in calendar.slots("m", of, known, MONDAY + timedelta(days=ahead)):
            days[slot.round_id] = dict(slot.ask_on)
    assert days == {
        "m-2026-03-02-kickoff": {"P1": date(2026, 3, 4)},
        "m-2026-03-30-pulse": {"P1": date(2026, 4, 1)},
        "m-2026-03-30-kickoff": {"P2": date(2026, 4, 7)},
        "m-2026-04-27-milestone": {"P1": date(2026, 4, 29)},
        "m-2026-04-27-pulse": {"P2": date(2026, 5, 5)},
        "m-2026-05-25-pulse": {"P1": date(2026, 5, 27)},
        "m-2026-05-25-milestone": {"P2": date(2026, 6, 2)},
        "m-2026-06-22-milestone": {"P1": date(2026, 6, 24)},
    }


def test_counted_from_pairings_those_of_one_mentor_are_asked_together_on_the_latest_day():
    of = cadence(anchor="pairing", kickoff=False)
    first, second, other = (
        Pairing(pairing_id=id_, programme_id="m", mentor_id=mentor, mentee_id=f"{id_}b", started_on=started_on)
        for id_, mentor, started_on in (
            ("P1", "ada", date(2026, 3, 3)), ("P2", "ada", date(2026, 3, 12)), ("P3", "finn", date(2026, 3, 3)),
        )
    )  # fmt: skip
    days = [calendar.slots("m", of, [first, second, other], MONDAY + timedelta(days=ahead)) for ahead in (9, 10)]
    assert [dict(slot.ask_on) for (slot,) in days] == [
        {"P3": date(2026, 3, 3)},
        {"P1": date(2026, 3, 12), "P2": date(2026, 3, 12), "P3": date(2026, 3, 3)},
    ]


def test_counted_from_pairings_the_last_before_the_planned_end_is_the_closing():
    of = cadence(anchor="pairing")
    known = [pairing("P1", started_on=MONDAY, planned_end_on=date(2026, 5, 10))]
    assert every_slot(of, known, 150) == {
        "m-2026-03-02-kickoff": "kickoff",
        "m-2026-03-30-pulse": "pulse",
        "m-2026-04-27-closing": "closing",
    }


# --- messages -----------------------------------------------------------------------------------


def asked(of: Cadence, recipient: Recipient, on: date = MONDAY) -> list[tuple[str, int, str]]:
    due = calendar.asks(
        of, round_id="r", pulse="pulse", ask_on={"ben": on}, closes_on=on + timedelta(days=of.open_days), to=[recipient]
    )
    return [(each.kind, each.sequence, f"{each.due_local:%Y-%m-%d %H:%M}") for each in due]


def ben(**more) -> Recipient:
    return Recipient(person_id="ben", time_zone="Asia/Kolkata", **more)


def test_one_invitation_and_two_reminders_at_wall_time():
    assert asked(cadence(), ben()) == [
        ("invitation", 1, "2026-03-02 09:00"),
        ("reminder", 1, "2026-03-05 09:00"),
        ("reminder", 2, "2026-03-09 09:00"),
    ]


def test_nothing_falls_on_or_after_the_last_day():
    of = cadence(pauses=[{"from": date(2026, 3, 5), "to": date(2026, 3, 11)}])
    assert asked(of, ben()) == [("invitation", 1, "2026-03-02 09:00")]


def test_somebody_in_two_programmes_gets_a_rest_between_invitations():
    near = ben(invited_on=(date(2026, 2, 27),))
    assert asked(cadence(), near)[0] == ("invitation", 1, "2026-03-04 09:00")
    far = ben(invited_on=(date(2026, 2, 25),))
    assert asked(cadence(), far)[0] == ("invitation", 1, "2026-03-02 09:00")


def test_and_no_more_than_so_many_in_four_weeks():
    four = ben(invited_on=tuple(date(2026, 2, day) for day in (5, 10, 15, 20)))
    assert asked(cadence(), four)[0] == ("invitation", 1, "2026-03-05 09:00")
    assert asked(cadence(asks_in_28_days=5), four)[0] == ("invitation", 1, "2026-03-02 09:00")


def test_where_no_day_is_left_the_person_is_not_asked_at_all():
    crowded = ben(invited_on=tuple(MONDAY + timedelta(days=days) for days in range(0, 15, 5)))
    assert asked(cadence(asks_in_28_days=28), crowded) == []


def test_reminders_count_from_when_the_invitation_left():
    late = ben(was_invited_on=date(2026, 3, 4))
    assert asked(cadence(), late) == [("reminder", 1, "2026-03-09 09:00"), ("reminder", 2, "2026-03-11 09:00")]


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        (datetime(2026, 3, 2, 8), datetime(2026, 3, 2, 9)),
        (datetime(2026, 3, 2, 14, 30), datetime(2026, 3, 2, 14, 30)),
        (datetime(2026, 3, 2, 22), datetime(2026, 3, 3, 9)),
        (datetime(2026, 3, 6, 22), datetime(2026, 3, 9, 9)),
        (datetime(2026, 3, 7, 11), datetime(2026, 3, 9, 9)),
    ],
    ids=["early", "by day", "at night", "on Friday night", "on Saturday"],
)
def test_mail_that_was_held_up_waits_for_the_day(local, expected):
    assert calendar.waking(cadence(), local) == expected


def test_dormant_means_that_neither_answered_for_as_long_as_was_decided():
    of = cadence(dormant_after=3)
    assert calendar.is_dormant([True, False, False, False], of)
    assert not calendar.is_dormant([False, True, False, False], of)
    assert not calendar.is_dormant([False, False], of)


def test_a_missed_row_prompts_once():
    of = cadence(prompt_after=2)
    rows = [[False], [False, False], [True, False, False], [False, False, False], [False, False, True]]
    assert [calendar.has_missed(row, of) for row in rows] == [False, True, True, False, False]


# --- wall time ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "zone", "moment"),
    [
        (datetime(2026, 3, 29, 2, 30), "Europe/Berlin", datetime(2026, 3, 29, 1, 0)),
        (datetime(2026, 10, 25, 2, 30), "Europe/Berlin", datetime(2026, 10, 25, 0, 30)),
        (datetime(2026, 7, 1, 9, 0), "America/New_York", datetime(2026, 7, 1, 13, 0)),
        (datetime(2026, 4, 5, 1, 45), "Australia/Lord_Howe", datetime(2026, 4, 4, 14, 45)),
    ],
    ids=["in a gap", "in a fold", "in summer", "half an hour's change"],
)
def test_wall_time_becomes_one_moment(local, zone, moment):
    assert calendar.utc_of(local, zone) == moment.replace(tzinfo=UTC)


# --- the cadence --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"every_weeks": 0}, "every_weeks"),
        ({"time_zone": "Mars/Olympus"}, "not an IANA zone"),
        ({"reminders_after_days": [3, 5, 7]}, "reminders_after_days"),
        ({"reminders_after_days": [7, 3]}, "reminders_after_days rise"),
        ({"reminders_after_days": [20]}, "between a round's first and last day"),
        ({"quiet_weekdays": [1, 2, 3, 4, 5, 6, 7]}, "at most six"),
        ({"pauses": [{"from": date(2026, 8, 2)}]}, "a pause is"),
        ({"ends_on": MONDAY}, "ends_on comes after"),
        ({"cadance": 4}, "cadance"),
    ],
)
def test_a_cadence_that_cannot_be_is_refused_in_a_sentence(own, said):
    with pytest.raises(RapportError, match=said):
        cadence(**own)


def test_a_cadence_survives_being_kept():
    of = cadence(pauses=[{"from": date(2026, 8, 1), "to": date(2026, 8, 15)}], ends_on=date(2026, 12, 1))
    assert cadences.read(cadences.kept(of)) == of
