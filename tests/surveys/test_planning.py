"""Planning on a real store: which rounds open with whom, and who is planned to be asked when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest

from data import timetable
from data.store import rounds
from data.store.engine import StoreError, reading, writing
from data.timetable import Job
from surveys import closing, planning
from surveys import rounds as opening
from surveys.questionnaire import ours
from tests.support.asking import World, at

FIRST = "m-2026-03-02"


@pytest.fixture
def world(sqlite_stores) -> World:
    return World(sqlite_stores)


def pairs(world: World, n: int = 1, **own) -> None:
    world.programme(**own)
    for number in range(1, n + 1):
        world.person(f"a{number}", f"b{number}")
        world.pair(f"P{number}", f"a{number}", f"b{number}")


def due(world: World, person_id: str, round_id: str = FIRST) -> dict[str, str]:
    found = world.messages(round_id, person_id).items()
    return {name.removeprefix(f"{person_id} "): each.due_local for name, each in found if each.state == "planned"}


def test_a_programme_without_cadence_writes_to_nobody(world):
    world.decide("m", {})
    world.person("a1", "b1")
    world.pair("P1", "a1", "b1")
    assert world.walk("2026-03-20 00:00", hours=24) == []
    assert world.rounds() == {}


def test_the_same_people_paired_anew_are_asked_about_the_new_pairing_only(world):
    world.programme()
    world.person("ada", "ben")
    world.pair("P1", "ada", "ben", ended_on=date(2026, 2, 28))
    world.pair("P2", "ada", "ben", started_on=date(2026, 3, 1))
    assert world.tick("2026-03-02 09:05") == [("ada", "invitation"), ("ben", "invitation")]
    assert world.rounds() == {FIRST: {"P2"}}
    assert world.walk("2026-03-03 12:00") == []


def test_a_person_in_two_pairings_gets_one_mail_about_both(world):
    world.programme()
    world.person("ada", "ben", "cem")
    world.pair("P1", "ada", "ben")
    world.pair("P2", "ada", "cem")
    assert world.tick("2026-03-02 09:05") == [(who, "invitation") for who in ("ada", "ben", "cem")]
    (letter,) = [letter for _, letter in world.letters if letter.to == "ada@cast.example"]
    assert letter.subject == "Your mentoring with Ben and Cem: how is it going?"


def test_a_person_in_two_programmes_gets_a_rest(world):
    pairs(world)
    world.programme("n")
    world.person("c1")
    world.pair("Q1", "a1", "c1", programme_id="n")
    assert world.tick("2026-03-02 09:05") == [("a1", "invitation"), ("b1", "invitation"), ("c1", "invitation")]
    assert due(world, "a1", "n-2026-03-02")["invitation 1"] == "2026-03-09T09:00"
    (why,) = [each.why for key, each in world.messages("n-2026-03-02", "a1").items() if "invitation" in key]
    assert "moved from 2026-03-02 (another programme asks then)" in why
    assert ("03-09", "a1", "invitation") in world.walk("2026-03-09 20:00")
    assert world.walk("2026-03-12 23:00", hours=8).count(("03-09", "a1", "invitation")) == 0


def test_who_moves_to_another_zone_is_reminded_by_the_new_clock(world):
    pairs(world)
    world.tick("2026-03-02 09:05")
    world.person("b1", time_zone="America/New_York")
    assert world.tick("2026-03-05 09:05") == [("a1", "reminder")]
    assert world.tick("2026-03-05 13:59") == []
    assert world.tick("2026-03-05 14:01") == [("b1", "reminder")]


def test_a_pause_put_while_a_round_is_open_moves_the_reminders_behind_it(world):
    pairs(world)
    world.tick("2026-03-02 09:05")
    assert due(world, "b1") == {"reminder 1": "2026-03-05T09:00", "reminder 2": "2026-03-09T09:00"}
    world.programme(pauses=[{"from": date(2026, 3, 4), "to": date(2026, 3, 9)}])
    world.tick("2026-03-03 09:05")
    assert due(world, "b1") == {"reminder 1": "2026-03-10T09:00", "reminder 2": "2026-03-11T09:00"}
    assert world.walk("2026-03-10 00:00") == []


def test_a_pause_to_the_rounds_end_takes_the_reminders_and_its_end_gives_them_back(world):
    pairs(world)
    world.tick("2026-03-02 09:05")
    world.programme(pauses=[{"from": date(2026, 3, 3), "to": date(2026, 3, 20)}])
    world.tick("2026-03-03 09:05")
    assert due(world, "b1") == {}
    world.programme()
    world.tick("2026-03-04 09:05")
    assert due(world, "b1") == {"reminder 1": "2026-03-05T09:00", "reminder 2": "2026-03-09T09:00"}


def test_reminders_that_a_programme_gives_up_are_not_sent(world):
    pairs(world)
    world.tick("2026-03-02 09:05")
    world.programme(reminders_after_days=[])
    assert world.walk("2026-03-12 12:00") == []


def test_on_a_holiday_nobody_is_asked(world):
    pairs(world, holidays=[date(2026, 3, 2), date(2026, 3, 6)], reminders_after_days=[3])
    assert world.walk("2026-03-11 00:00", hours=5) == [
        ("03-03", "a1", "invitation"),
        ("03-03", "b1", "invitation"),
        ("03-09", "a1", "reminder"),  # the 6th is a holiday, then the weekend
        ("03-09", "b1", "reminder"),
    ]


def silent_rounds(world: World, n: int, **own) -> None:
    """So many weekly rounds that P1 leaves unanswered and P2 answers."""
    pairs(world, 2, every_weeks=1, open_days=4, reminders_after_days=[], dormant_after=2, prompt_after=2, **own)
    for week in range(n):
        monday = at("2026-03-02 09:05") + timedelta(weeks=week)
        world.tick(f"{monday:%Y-%m-%d %H:%M}")
        round_id = f"m-{monday:%Y-%m-%d}"
        if "P2" in world.rounds()[round_id]:
            world.answer("a2", round_id=round_id)
        for days in (5, 7):
            world.tick(f"{monday + timedelta(days=days) - timedelta(hours=3):%Y-%m-%d %H:%M}")


@pytest.mark.slow
def test_a_silent_pairing_is_left_out_of_pulses_asked_at_milestones_and_prompted_once(world):
    silent_rounds(world, 7, milestone_every=5)
    both = {"P1", "P2"}
    asked = list(world.rounds().values())
    assert asked[:7] == [both, both, {"P2"}, {"P2"}, {"P2"}, both, {"P2"}]
    prompted = [(f"{now:%m-%d}", letter.to[:2]) for now, letter in world.letters if letter.subject.startswith("Is ")]
    assert [each for each in prompted if each[1] == "b1"] == [("03-16", "b1")]


@pytest.mark.slow
def test_who_was_asked_less_often_than_others_is_prompted_once(world):
    """Counted from pairings, most rounds are other people's."""
    own = {"every_weeks": 1, "open_days": 3, "reminders_after_days": [], "prompt_after": 2, "dormant_after": 50}
    pairs(world, anchor="pairing", kickoff=True, closing=False, **own)
    for number in range(2, 5):  # newcomers each week have a kickoff round of their own
        world.person(f"a{number}", f"b{number}")
        began = date(2026, 2, 24) + timedelta(weeks=number - 1)
        world.pair(f"P{number}", f"a{number}", f"b{number}", started_on=began)
    world.now = at("2026-03-01 10:00")
    sent = world.walk("2026-04-10 12:00", hours=24)
    assert [each for each in sent if each[1:] == ("b1", "missed")] == [("03-20", "b1", "missed")]


def test_a_late_joiner_is_asked_in_the_round_that_was_open_when_they_began(world):
    pairs(world)
    world.tick("2026-03-02 09:05")
    world.person("a2", "b2", "a3", "b3")
    world.pair("P2", "a2", "b2")  # imported late
    world.pair("P3", "a3", "b3", started_on=date(2026, 3, 4))  # began later
    assert world.tick("2026-03-04 10:05") == [("a2", "invitation"), ("b2", "invitation")]
    assert world.rounds() == {FIRST: {"P1", "P2"}}
    assert ("a2", "reminder") not in world.tick("2026-03-05 09:05")
    assert due(world, "a2") == {"reminder 1": "2026-03-09T09:00", "reminder 2": "2026-03-11T09:00"}


def test_counted_from_pairings_newcomers_are_invited_on_their_own_day(world):
    pairs(world, anchor="pairing", kickoff=True)
    world.person("a2", "b2")
    world.pair("P1", "a1", "b1", started_on=date(2026, 3, 3))
    world.pair("P2", "a2", "b2", started_on=date(2026, 3, 10))
    sent = world.walk("2026-03-12 23:00", hours=7)
    assert [each for each in sent if each[2] == "invitation"] == [
        ("03-03", "a1", "invitation"),
        ("03-03", "b1", "invitation"),
        ("03-10", "a2", "invitation"),
        ("03-10", "b2", "invitation"),
    ]
    assert world.rounds() == {"m-2026-03-02-kickoff": {"P1", "P2"}}


def test_a_round_opened_by_hand_is_asked_by_the_cadence_too(world):
    pairs(world, starts_on=date(2027, 1, 4))
    with writing(world.stores.raw) as connection:
        opening.open_round(
            connection, questionnaire=ours(), round_id="mine", programme_id="m", pulse="pulse",
            opens_at=at("2026-03-03 10:00"), closes_at=at("2026-03-17 10:00"),
        )  # fmt: skip
    world.now = at("2026-03-02 22:00")
    assert world.walk("2026-03-18 12:00", hours=6) == [
        (day, who, kind)
        for day, kind in (("03-03", "invitation"), ("03-06", "reminder"), ("03-10", "reminder"), ("03-18", "thanks"))
        for who in ("a1", "b1")
        if kind != "thanks"
    ]


def test_after_three_days_without_a_worker_there_is_an_invitation_and_no_reminder_on_its_heels(world):
    pairs(world)
    with writing(world.stores.raw) as connection:  # planned in time, then the machine stood still
        planning.plan(connection, ours(), at("2026-03-02 00:30"))
    world.now = at("2026-03-05 05:00")
    sent = world.walk("2026-03-13 23:00", hours=5)
    assert sent == [
        ("03-05", "a1", "invitation"),
        ("03-05", "b1", "invitation"),
        ("03-09", "a1", "reminder"),
        ("03-09", "b1", "reminder"),
    ]
    assert {now.hour >= 9 for now, _ in world.letters} == {True}


@pytest.mark.parametrize(
    ("back", "sent_on"),
    [
        ("2026-03-03 23:00", "03-04"),
        ("2026-03-06 20:30", "03-09"),
        ("2026-03-12 23:58", None),
        ("2026-03-13 00:00", None),
    ],
    ids=["at night", "on a Friday night", "on the last evening", "after the end"],
)  # fmt: skip
def test_what_downtime_held_up_waits_for_the_day_and_never_comes_after_close(world, back, sent_on):
    pairs(world, reminders_after_days=[])
    with writing(world.stores.raw) as connection:
        planning.plan(connection, ours(), at("2026-03-02 00:30"))
    assert world.tick(back) == []
    sent = world.walk("2026-03-13 12:00", hours=5)
    assert sent == ([(sent_on, "a1", "invitation"), (sent_on, "b1", "invitation")] if sent_on else [])


def hurried(stores) -> None:
    """Another worker that plans into the middle of the first one's work."""
    with writing(stores.raw) as second:
        second.exec_driver_sql("SET lock_timeout = '200ms'")
        rounds.close_round(second, FIRST, at("2026-03-02 09:05"))


@pytest.mark.postgresql
def test_two_workers_planning_at_once_make_no_row_twice(cluster, home):
    from data.settings import Settings
    from data.store.engine import migrate, open_stores
    from tests.conftest import KEY

    stores = open_stores(Settings(home=home, database_url=cluster.new_database(), secret_key=KEY))
    migrate(stores)
    world = World(stores)
    pairs(world, 5)
    now, together = at("2026-03-02 09:05"), Barrier(2)

    def plan(connection, at_time):
        return planning.plan(connection, ours(), at_time)

    def work(number: int) -> None:
        together.wait(10)
        timetable.tick(stores.raw, [Job("plan", timedelta(hours=1), plan, "inside")], lambda: now, f"worker {number}")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert len(world.messages()) == 5 * 2 * 3
    assert world.rounds() == {FIRST: {f"P{number}" for number in range(1, 6)}}
    # Even without the timetable between them, one of the two is turned away whole.
    with writing(stores.raw) as first:
        closing.close(first, FIRST, now)
        with pytest.raises(StoreError):
            hurried(stores)
    with reading(stores.raw) as connection:
        assert rounds.read_round(connection, FIRST).closed_at == now
    stores.dispose()
