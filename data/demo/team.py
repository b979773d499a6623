"""Makes up what the demo's programme team did between the rounds, and leaves it something to do this week."""

from datetime import datetime, timedelta

from data.store import actions, outbox
from data.store.actions import CONTACT, Action, Told
from data.store.engine import Connection, Stores, writing
from data.store.people import pairings_of, person
from data.store.rounds import Round, rounds_of

TEAM = "cleo@demo.example"
STILL_OPEN = 2  # requests to be contacted that nobody has answered yet
FAILING = 3  # addresses that do not work
REPLIES = (  # You said …, we will …; the newest round has none yet
    ("Many of you did not know how often to meet.", "We send everyone the one-page guide to the first three meetings."),
    (
        "Mentees would like to meet people beyond their mentor.",
        "We invite all pairs to a lunch in spring.",
    ),
    ("Mentors would like to hear how others do it.", "We start an hour for mentors every six weeks, open to all."),
    ("Goals were set and then not looked at.", "We add ten minutes on goals to the guide for every third meeting."),
    ("It is hard to find a time.", "Managers have agreed that an hour a month counts as working time."),
)
NOTES = ("Called; will change the day.", "Wrote; both are well.", "Met for a coffee; looking for a new goal.")


def live_on(stores: Stores, programme_id: str, now: datetime) -> None:
    """Replies, answered requests and noted actions of a programme's past rounds, and addresses that fail."""
    with writing(stores.raw) as connection:
        closed = [each for each in rounds_of(connection, programme_id) if each.closed_at is not None]
        _reply(connection, closed[:-1])
        _answer_requests(connection, actions.said_yes(connection, programme_id, "contact_me"))
        _note_actions(connection, programme_id, now)
        _let_addresses_fail(connection, programme_id, now)


def _reply(connection: Connection, answered: list[Round]) -> None:
    for each, (said, will) in zip(answered, REPLIES, strict=False):
        written_at = each.closes_at + timedelta(days=3)
        reply = outbox.Reply(round_id=each.round_id, said=said, will=will, written_by=TEAM, written_at=written_at)
        outbox.write_reply(connection, reply)


def _answer_requests(connection: Connection, asked: list[Told]) -> None:
    for number, each in enumerate(asked[:-STILL_OPEN]):
        answer = Action(
            action_id=f"demo-request-{number}",
            pairing_id=each.pairing_id,
            person_id=each.person_id,
            round_id=each.round_id,
            kind=CONTACT,
            note=NOTES[number % len(NOTES)],
            done_on=(each.received_at + timedelta(days=2)).date(),
            noted_by=TEAM,
        )
        actions.note(connection, answer)


def _note_actions(connection: Connection, programme_id: str, now: datetime) -> None:
    running = [each for each in pairings_of(connection, programme_id) if each.is_active_on(now.date())]
    for number, (pairing, kind) in enumerate(zip(running[::20], ("talked", "wrote", "met", "wrote"), strict=False)):
        done_on = now.date() - timedelta(days=20 + 9 * number)
        action = Action(
            action_id=f"demo-action-{number}",
            pairing_id=pairing.pairing_id,
            kind=kind,
            note=NOTES[number % len(NOTES)],
            done_on=done_on,
            noted_by=TEAM,
        )
        actions.note(connection, action)


def _let_addresses_fail(connection: Connection, programme_id: str, now: datetime) -> None:
    """Of people who are not in the guide's first pairing."""
    running = [each for each in pairings_of(connection, programme_id) if each.is_active_on(now.date())]
    for pairing in running[5::7][:FAILING]:
        address = person(connection, pairing.mentee_id).email
        if address:
            bounce = outbox.Bounce(
                person_id=pairing.mentee_id,
                address=address,
                reason="550 5.1.1 no such mailbox",
                since=now - timedelta(days=2),
            )
            outbox.note_bounce(connection, bounce)
