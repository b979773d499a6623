"""Keeps pages that somebody has not sent yet; a draft is never a response and ends with its round."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from data.store.answers import lock_while_open
from data.tables import drafts, invitations, responses

MOST_DRAFTS = 5  # of one invitation: one a page view, so that nobody fills the store with them


def keep_draft(
    connection: Connection, *, draft_id: str, invitation_id: str, fields: Mapping[str, str], now: datetime
) -> bool:
    """Keep what a page holds under the page's own id; false where that page was sent already."""
    lock_while_open(connection, invitation_id, now)
    sent = select(responses.c.response_id).where(responses.c.submission_id == draft_id)
    if connection.execute(sent).first() is not None:
        return False
    said = {"fields": dict(fields), "saved_at": now}
    this = (drafts.c.draft_id == draft_id, drafts.c.invitation_id == invitation_id)
    if connection.execute(update(drafts).where(*this).values(said)).rowcount == 0:
        connection.execute(insert(drafts).values(draft_id=draft_id, invitation_id=invitation_id, **said))
    _forget_oldest(connection, invitation_id)
    return True


def find_draft(connection: Connection, draft_id: str, invitation_id: str) -> Mapping[str, str] | None:
    """The fields of an unsent page of this invitation."""
    query = select(drafts.c.fields).where(drafts.c.draft_id == draft_id, drafts.c.invitation_id == invitation_id)
    found: Mapping[str, str] | None = connection.execute(query).scalar_one_or_none()
    return found


def forget_drafts(connection: Connection, round_id: str) -> int:
    """Delete every draft of a round; returns how many there were."""
    of_round = select(invitations.c.invitation_id).where(invitations.c.round_id == round_id)
    return connection.execute(delete(drafts).where(drafts.c.invitation_id.in_(of_round))).rowcount


def _forget_oldest(connection: Connection, invitation_id: str) -> None:
    of_invitation = drafts.c.invitation_id == invitation_id
    newest = select(drafts.c.draft_id).where(of_invitation).order_by(drafts.c.saved_at.desc()).limit(MOST_DRAFTS)
    kept = connection.execute(newest).scalars().all()
    connection.execute(delete(drafts).where(of_invitation, drafts.c.draft_id.not_in(kept)))
