"""Removes a person: what they said, their links, their name; never a sealed release.

Invitations stay under the person's id, without a name, so that releases made from them can still be told from
forged ones. What the person's side of a pairing was stays with the other person, too.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, or_, select, update

from data.tables import (
    actions,
    answers,
    batch_changes,
    bounces,
    drafts,
    employment,
    engagement,
    goal_ratings,
    invitations,
    links,
    messages,
    pairings,
    people,
    quarantine,
    responses,
    unsubscribed,
)

ERASED = "(erased)"
BLANK = {"name": ERASED, "email": None, "time_zone": None, "department": None, "location": None, "grade": None}
NO_ATTRIBUTES = {"cohort": "", "department": "", "location": "", "grade": ""}


def erase(connection: Connection, person_id: str, *, employee_key: str | None = None) -> dict[str, int]:
    """Remove one person from the raw store; returns rows removed by table. Doing it twice is the same as once.

    `employee_key` is the pseudonym of what HR imported about them; without it that stays.
    """
    asked = select(invitations.c.invitation_id).where(invitations.c.person_id == person_id)
    said = select(responses.c.response_id).where(responses.c.invitation_id.in_(asked))
    known = _known_as(connection, person_id)
    went = {
        "answers": _gone(connection, answers, answers.c.response_id.in_(said)),
        "goal_ratings": _gone(connection, goal_ratings, goal_ratings.c.response_id.in_(said)),
        "responses": _gone(connection, responses, responses.c.invitation_id.in_(asked)),
        "drafts": _gone(connection, drafts, drafts.c.invitation_id.in_(asked)),
    }
    own = select(pairings.c.pairing_id).where(or_(pairings.c.mentor_id == person_id, pairings.c.mentee_id == person_id))
    # What the team noted of their pairings may speak of them, whichever of the two it was about.
    went["actions"] = _gone(connection, actions, actions.c.pairing_id.in_(own))
    for table in (links, messages, unsubscribed, bounces):
        went[table.name] = _gone(connection, table, table.c.person_id == person_id)
    if employee_key is not None:
        for table in (employment, engagement):
            went[table.name] = _gone(connection, table, table.c.employee_key == employee_key)
    connection.execute(update(people).where(people.c.person_id == person_id).values(BLANK))
    connection.execute(update(invitations).where(invitations.c.person_id == person_id).values(NO_ATTRIBUTES))
    went["batch_changes"] = _forget_imports(connection, known)
    went["quarantine"] = _forget_refused(connection, known)
    return {name: n for name, n in went.items() if n}


def _known_as(connection: Connection, person_id: str) -> set[str]:
    """Every text that is this person in a file somebody handed in."""
    row = connection.execute(select(people).where(people.c.person_id == person_id)).one_or_none()
    texts = {person_id} if row is None else {person_id, row.name, row.email or person_id}
    return {text.casefold() for text in texts if text != ERASED}


def _gone(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    return int(connection.execute(delete(table).where(condition)).rowcount)


def _forget_imports(connection: Connection, known: set[str]) -> int:
    """What imports changed about the person, kept so that a batch can be undone."""
    rows = connection.execute(select(batch_changes)).all()
    about = [row for row in rows if _names(row.key, known) or _names(row.before, known) or _names(row.after, known)]
    for row in about:
        this = (batch_changes.c.batch_id == row.batch_id, batch_changes.c.position == row.position)
        connection.execute(delete(batch_changes).where(*this))
    return len(about)


def _forget_refused(connection: Connection, known: set[str]) -> int:
    """The cells of refused rows; why they were refused stays."""
    about = [row for row in connection.execute(select(quarantine)) if _names(row.cells, known)]
    for row in about:
        this = (quarantine.c.batch_id == row.batch_id, quarantine.c.row_number == row.row_number)
        connection.execute(update(quarantine).where(*this).values(cells={}))
    return len(about)


def _names(value: Any, known: set[str]) -> bool:
    """Whether a kept value holds one of the person's texts as a whole cell."""
    if isinstance(value, dict):
        return any(_names(each, known) for each in value.values())
    if isinstance(value, list):
        return any(_names(each, known) for each in value)
    return isinstance(value, str) and value.casefold() in known
