"""Sorting on a real store: what has come due is sent only to whom it still concerns, and says only what is true."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from data.settings import Settings
from data.store import outbox
from data.store.engine import reading, writing
from data.store.outbox import Reply
from surveys import outlook
from surveys.channel import Outcome
from tests.conftest import KEY
from tests.support.asking import ACCEPTED, World, at

FIRST, SECOND = "m-2026-03-02", "m-2026-03-30"


@pytest.fixture
def world(sqlite_stores) -> World:
    """Ada mentors Ben and Cem; all three were invited on Monday."""
    made = World(sqlite_stores)
    made.programme()
    made.person("ada", "ben", "cem")
    made.pair("P1", "ada", "ben")
    made.pair("P2", "ada", "cem")
    assert len(made.tick("2026-03-02 09:05")) == 3
    return made


def why(world: World, name: str, round_id: str = FIRST) -> str | None:
    message = world.messages(round_id)[name]
    assert message.state == "skipped", message
    return message.outcome


def subject(world: World, person_id: str, kind: str) -> str:
    found = [letter for _, letter in world.letters if letter.to.startswith(person_id) and kind in letter.subject]
    return found[-1].subject


def bounced(world: World) -> list[str]:
    with reading(world.stores.raw) as connection:
        return [bounce.address for bounce in outbox.bounced(connection)]


# --- whom it still concerns -------------------------------------------------------------------------


def test_a_reminder_stops_the_moment_the_answer_is_in_and_comes_back_after_a_withdrawal(world):
    said = world.answer("ben")
    assert world.tick("2026-03-05 09:05") == [("ada", "reminder"), ("cem", "reminder")]
    assert why(world, "ben reminder 1") == "answered"
    world.withdraw(said)
    assert world.tick("2026-03-09 09:05") == [("ada", "reminder"), ("ben", "reminder"), ("cem", "reminder")]


def test_an_answer_between_claim_and_sending_stops_the_reminder_too(world):
    """Three reminders are claimed; while the first of them leaves, everybody answers."""

    def answering(_letter):
        world.outcome = lambda _letter: ACCEPTED
        for person_id, pairing_id in (("ada", "P1"), ("ada", "P2"), ("ben", "P1"), ("cem", "P2")):
            world.answer(person_id, pairing_id)
        return ACCEPTED

    world.outcome = answering
    ((sent, _),) = world.tick("2026-03-05 09:05")
    others = {"ada", "ben", "cem"} - {sent}
    assert [why(world, f"{person_id} reminder 1") for person_id in others] == ["answered"] * 2


def test_who_answered_about_one_of_two_is_reminded_of_the_other_only(world):
    world.answer("ada", "P1")
    assert ("ada", "reminder") in world.tick("2026-03-05 09:05")
    assert subject(world, "ada", "reminder") == "A reminder: your mentoring with Cem"
    sent = world.walk("2026-03-13 12:00", hours=24)
    assert ("03-13", "ada", "thanks") in sent
    (letter,) = [letter for _, letter in world.letters if letter.subject.startswith("Thank you")]
    assert "with Ben." in letter.text
    assert "Cem" not in letter.text


def test_a_leaver_between_invitation_and_reminder_is_left_alone(world):
    world.pair("P1", "ada", "ben", ended_on=date(2026, 3, 3))
    assert world.tick("2026-03-05 09:05") == [("ada", "reminder"), ("cem", "reminder")]
    assert why(world, "ben reminder 1") == "the pairing has ended"
    assert subject(world, "ada", "reminder") == "A reminder: your mentoring with Cem"


def test_a_leaver_is_not_asked_what_is_in_the_way(sqlite_stores):
    world = World(sqlite_stores)
    world.programme(every_weeks=1, open_days=4, reminders_after_days=[], prompt_after=1)
    world.person("ada", "ben")
    world.pair("P1", "ada", "ben")
    world.tick("2026-03-02 09:05")
    world.tick("2026-03-07 00:05")  # closed; what follows is planned for Monday
    world.pair("P1", "ada", "ben", ended_on=date(2026, 3, 7))
    assert world.tick("2026-03-09 09:05") == []
    assert why(world, "ben missed 1") == "the pairing has ended"


def test_a_withdrawn_answer_gets_no_thanks(world):
    world.withdraw(world.answer("ben"))
    world.answer("cem")
    sent = world.walk("2026-03-13 12:00", hours=24)
    assert [each for each in sent if each[2] == "thanks"] == [("03-13", "cem", "thanks")]


def test_mail_to_one_does_not_depend_on_whether_the_other_answered(world):
    """Cem's mentor answers, Ben's does not: the same letters but for names and links."""
    world.answer("ada", "P2")
    world.tick("2026-03-05 09:05")
    ben, cem = (
        [letter.text for _, letter in world.letters if letter.to.startswith(name)][-1] for name in ("ben", "cem")
    )
    swapped = ben.replace("Ben", "Cem")
    assert [line for line in swapped.splitlines() if "http" not in line] == [
        line for line in cem.splitlines() if "http" not in line
    ]


# --- addresses ---------------------------------------------------------------------------------------


def test_who_unsubscribed_gets_nothing_more(world):
    with writing(world.stores.raw) as connection:
        outbox.unsubscribe(connection, "ben", world.now)
    sent = world.walk("2026-03-31 12:00", hours=24)
    assert [each for each in sent if each[1] == "ben"] == []
    assert ("03-30", "cem", "invitation") in sent


@pytest.fixture
def refusing(sqlite_stores) -> World:
    """Ben's address is refused for good."""
    world = World(sqlite_stores)
    world.programme()
    world.person("ada", "ben")
    world.pair("P1", "ada", "ben")
    dead = Outcome(state="refused", said="550 5.1.1", is_bad_address=True)
    world.outcome = lambda letter: dead if letter.to == "ben@cast.example" else ACCEPTED
    assert world.tick("2026-03-02 09:05") == [("ada", "invitation")]
    assert bounced(world) == ["ben@cast.example"]
    return world


def test_a_dead_address_is_not_tried_again(refusing):
    sent = refusing.walk("2026-03-31 12:00", hours=24)
    assert ("03-30", "ada", "invitation") in sent
    assert [each for each in sent if each[1] == "ben"] == []
    assert why(refusing, "ben invitation 1", SECOND) == "the address does not work"


def test_another_address_mends_a_bounce_and_is_invited_while_the_round_is_open(refusing):
    refusing.person("ben", email="benjamin@cast.example")
    assert bounced(refusing) == []  # HR's list, the mail check and the doctor see it as mended
    assert refusing.tick("2026-03-03 09:05") == [("benjamin", "invitation")]
    assert refusing.tick("2026-03-03 10:05") == []
    refusing.person("ben")
    assert bounced(refusing) == ["ben@cast.example"]


def test_a_letter_refused_for_its_content_is_not_sent_again_and_again(world):
    world.outcome = lambda _letter: Outcome(state="refused", said="554 5.7.1")
    world.tick("2026-03-05 09:05")
    assert bounced(world) == []
    world.outcome = lambda _letter: ACCEPTED
    assert world.tick("2026-03-05 10:05") == []


def test_somebody_without_an_address_is_invited_when_there_is_one(sqlite_stores):
    world = World(sqlite_stores)
    world.programme()
    world.person("ada")
    world.person("ben", email=None)
    world.pair("P1", "ada", "ben")
    assert world.tick("2026-03-02 09:05") == [("ada", "invitation")]
    world.person("ben")
    assert world.tick("2026-03-03 09:05") == [("ben", "invitation")]


def test_a_staging_installation_writes_to_its_list_only(sqlite_stores):
    only = Settings(
        home="/nowhere", secret_key=KEY, mail_from="m@example.org", mail_only_to="BEN@cast.example, @ours.example"
    )
    world = World(sqlite_stores, only)
    world.programme()
    world.person("ada", "ben")
    world.person("cem", email="cem@ours.example")
    world.person("eve", email="eve@ours.example.evil")
    world.pair("P1", "ada", "ben")
    world.pair("P2", "eve", "cem")
    assert world.tick("2026-03-02 09:05") == [("ben", "invitation"), ("cem", "invitation")]
    assert why(world, "ada invitation 1") == "not among the addresses that may be written to"


def test_a_person_whose_letter_cannot_be_written_stops_nobody_else(sqlite_stores):
    world = World(sqlite_stores)
    world.programme()
    world.person("ada", "ben", "cem")
    world.person("dan", email="bén@" + "b" * 70 + ".example")
    world.pair("P1", "ada", "ben")
    world.pair("P2", "dan", "cem")
    assert world.tick("2026-03-02 09:05") == [(who, "invitation") for who in ("ada", "ben", "cem")]
    assert world.messages()["dan invitation 1"].state == "refused"


# --- how much and when -------------------------------------------------------------------------------


def test_no_more_leave_in_a_day_than_may(sqlite_stores):
    capped = Settings(home="/nowhere", secret_key=KEY, mail_from="m@example.org", mail_daily_cap=3)
    world = World(sqlite_stores, capped)
    world.programme(reminders_after_days=[])
    for number in range(4):
        world.person(f"a{number}", f"b{number}")
        world.pair(f"P{number}", f"a{number}", f"b{number}")
    assert [
        len(world.tick(f"2026-03-{day:02d} {hour}:05")) for day, hour in ((2, "09"), (2, "18"), (3, "10"), (4, "11"))
    ] == [3, 0, 3, 2]


def test_a_reminder_that_a_slow_server_held_up_leaves_the_next_a_day(world):
    world.outcome = lambda _letter: Outcome(state="later", said="451")
    for day in ("05", "06"):
        assert world.tick(f"2026-03-{day} 09:05") == []
    world.outcome = lambda _letter: ACCEPTED
    first, again, second = (world.tick(when) for when in ("2026-03-09 13:30", "2026-03-09 18:00", "2026-03-10 14:00"))
    assert (len(first), again, len(second)) == (3, [], 3)
    assert world.walk("2026-03-12 23:00") == []


@pytest.mark.parametrize(("hour", "looked"), [("20:00", "20:45"), ("22:30", "22:50"), ("23:59", "23:59")])
def test_a_programme_that_asks_in_the_evening_does_ask(sqlite_stores, hour, looked):
    """No worker looks at exactly the minute."""
    world = World(sqlite_stores)
    world.programme(at=hour, reminders_after_days=[])
    world.person("ada", "ben")
    world.pair("P1", "ada", "ben")
    assert world.tick("2026-03-02 19:59") == []
    assert len(world.tick(f"2026-03-02 {looked}")) == 2


def test_a_cadence_that_is_taken_away_stops_what_was_planned(world):
    with writing(world.stores.raw) as connection:
        outlook.decide(connection, "m", None, world.now)
    assert world.walk("2026-03-12 00:00", hours=12) == []
    assert why(world, "ben reminder 1") == "the programme does not write by itself any more"


# --- what people said, what we will do ------------------------------------------------------------------


def reply(world: World, round_id: str, said: str, when: str) -> None:
    with writing(world.stores.raw) as connection:
        outbox.write_reply(
            connection,
            Reply(round_id=round_id, said=said, will="change it", written_by="cleo", written_at=at(when)),
        )


def told(world: World, kind: str, day: str) -> dict[str, bool]:
    """Who of the letters of a day was told "little time"."""
    from tests.support.asking import kind_of

    return {
        letter.to.split("@")[0]: "little time" in letter.text
        for now, letter in world.letters
        if kind_of(letter) == kind and f"{now:%m-%d}" == day
    }


def test_you_said_we_will_is_in_the_thanks_of_its_round_and_in_the_next_invitation_only(world):
    world.answer("ben")
    world.tick("2026-03-13 00:05")
    reply(world, FIRST, "little time", "2026-03-13 08:00")
    world.tick("2026-03-13 09:05")
    assert told(world, "thanks", "03-13") == {"ben": True}
    world.person("dan", "eve")
    world.pair("P3", "dan", "eve", started_on=date(2026, 4, 20))
    for day in ("03-30", "04-02", "04-10", "04-27"):
        world.tick(f"2026-{day} 09:05")
        if day == "04-02":
            world.answer("cem", round_id=SECOND)
    assert told(world, "invitation", "03-30") == {"ada": True, "ben": True, "cem": True}
    assert set(told(world, "reminder", "04-02").values()) == {False}
    assert told(world, "thanks", "04-10") == {"cem": False}
    # Everyone was told, and to newcomers it is old.
    assert told(world, "invitation", "04-27") == dict.fromkeys(("ada", "ben", "cem", "dan", "eve"), False)


def test_a_reply_written_after_the_next_invitation_left_is_in_the_one_after(world):
    world.tick("2026-03-13 09:05")
    world.tick("2026-03-30 09:05")
    reply(world, FIRST, "little time", "2026-03-31 08:00")
    world.tick("2026-04-10 00:05")
    world.tick("2026-04-27 09:05")
    assert told(world, "invitation", "03-30") == {"ada": False, "ben": False, "cem": False}
    assert told(world, "invitation", "04-27") == {"ada": True, "ben": True, "cem": True}


# --- what the list of due messages tells -----------------------------------------------------------------


def listed(world: World) -> list[tuple[str, str]]:
    with reading(world.stores.raw) as connection:
        rows, _ = outlook.messages_ahead(connection, world.now, date(2026, 12, 31))
    return sorted((row["person"], row["what"]) for row in rows)


def test_the_list_of_due_messages_does_not_tell_who_answered(world):
    world.answer("ben")
    everyone = [(who, f"reminder {n}") for who in ("ada", "ben", "cem") for n in (1, 2)]
    assert listed(world) == everyone
    # The mail server is away: those who answered are done with, the others wait.
    world.outcome = lambda _letter: Outcome(state="later", said="451")
    world.tick("2026-03-05 09:05")
    states = {name: message.state for name, message in world.messages().items() if "reminder 1" in name}
    assert states == {"ada reminder 1": "planned", "ben reminder 1": "skipped", "cem reminder 1": "planned"}
    assert listed(world) == [(who, "reminder 2") for who in ("ada", "ben", "cem")]
    world.tick("2026-03-13 00:05")
    with reading(world.stores.raw) as connection:
        rows, n_after = outlook.messages_ahead(connection, world.now, world.now.date() + timedelta(days=3))
    assert (rows, n_after) == ([], 1)


def test_the_settings_of_the_world_are_those_of_the_post(world):
    """The harness itself: a world whose channel refuses sends nothing, so no test here passes for want of mail."""
    world.outcome = lambda _letter: replace(ACCEPTED, state="refused")
    assert world.tick("2026-03-05 09:05") == []
