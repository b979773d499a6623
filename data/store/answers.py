"""Takes responses and keeps them as said; every version stays, one of them counts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pandas as pd
from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from data.contracts import Answers, GoalRatings, Goals, Invited, conform
from data.errors import RapportError
from data.tables import answers, drafts, goal_ratings, goals, invitations, pairings, responses, rounds


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One filled form of one invitation. `answers`: question id → value as said."""

    invitation_id: str
    submission_id: str
    received_at: datetime
    source: str
    answers: Mapping[str, str]
    goal_levels: Mapping[str, int] = field(default_factory=dict)
    language: str | None = None
    comment: str | None = None
    is_comment_for_release: bool = False
    is_complete: bool = True
    batch_id: str | None = None

    def content_sha256(self) -> str:
        """What makes two submissions the same: everything that the person said."""
        said = [self.answers, self.goal_levels, self.comment, self.is_comment_for_release, self.is_complete]
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the store says of a submission: a repeat (same id, same content), in conflict with it, withdrawn since."""

    response_id: str
    version: int
    is_repeat: bool = False
    is_conflict: bool = False
    is_withdrawn: bool = False


def store_response(connection: Connection, submission: Submission, *, only_while_open: bool = False) -> Receipt:
    """Keep a submission once. The same id with other content is kept too, but the first one counts."""
    digest = submission.content_sha256()
    state = _state(connection, submission.invitation_id, submission.submission_id)
    if only_while_open:
        _refuse_closed(state[0], submission.received_at)
    earlier = [row for row in state if row.response_id is not None]
    if any(row.invitation_id != submission.invitation_id for row in earlier):
        raise RapportError("This form belongs to another invitation; open your link again.")
    if state[0].has_draft:
        connection.execute(_FORGET_DRAFT, {"of_submission": submission.submission_id})
    sent = [row for row in earlier if row.submission_id == submission.submission_id]
    is_withdrawn = any(row.withdrawn_at is not None for row in sent)
    for row in sent:
        if row.content_sha256 == digest:
            return Receipt(response_id=row.response_id, version=row.version, is_repeat=True, is_withdrawn=is_withdrawn)
    kept = _insert(connection, submission, digest, earlier, is_conflict=bool(sent))
    return replace(kept, is_withdrawn=is_withdrawn)


def last_version(connection: Connection, invitation_id: str) -> int:
    """The number of the newest version of an answer, counted or not; 0 where there is none."""
    query = select(func.max(responses.c.version)).where(responses.c.invitation_id == invitation_id)
    return connection.execute(query).scalar_one() or 0


def withdraw(connection: Connection, invitation_id: str, *, up_to_version: int, now: datetime) -> bool:
    """Let no version count any more; false, and nothing changes, where a newer one came in since.

    The history stays. A later answer is a new version, and counts.
    """
    lock_while_open(connection, invitation_id, now)
    if last_version(connection, invitation_id) > up_to_version:
        return False
    connection.execute(
        update(responses)
        .where(responses.c.invitation_id == invitation_id, responses.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now, is_counted=False)
    )
    return True


def lock_while_open(connection: Connection, invitation_id: str, now: datetime) -> None:
    """Take the turn of an invitation whose round takes answers; it cannot close before this transaction ends."""
    _refuse_closed(_state(connection, invitation_id, "")[0], now)


def _state(connection: Connection, invitation_id: str, submission_id: str) -> Sequence[Any]:
    """One row an earlier response of this invitation or submission, at least one; locked until the transaction ends."""
    wanted = {"of_invitation": invitation_id, "of_submission": submission_id}
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        connection.execute(_HOLD_ROUND, wanted)
        connection.execute(_LOCK, wanted)
    found = connection.execute(_STATE, wanted).all()
    if not found:
        raise RapportError("There is no such invitation.")
    return found


def _refuse_closed(state: Any, now: datetime) -> None:
    if state.closed_at is not None or not state.opens_at <= now < state.closes_at:
        raise RapportError("The round takes no answers now; nothing was stored.")


# Built once: putting a statement together costs several times what running it does.
_THIS = invitations.c.invitation_id == bindparam("of_invitation")
_LOCK = select(invitations.c.invitation_id).where(_THIS).with_for_update()
_HOLD_ROUND = (
    select(rounds.c.round_id)
    .where(rounds.c.round_id == select(invitations.c.round_id).where(_THIS).scalar_subquery())
    .with_for_update(read=True)
)
_DRAFT = drafts.c.draft_id == bindparam("of_submission")
_FORGET_DRAFT = delete(drafts).where(_DRAFT)
_STATE = (
    select(
        rounds.c.opens_at,
        rounds.c.closes_at,
        rounds.c.closed_at,
        select(drafts.c.draft_id).where(_DRAFT).exists().label("has_draft"),
        responses.c.response_id,
        responses.c.invitation_id,
        responses.c.version,
        responses.c.submission_id,
        responses.c.content_sha256,
        responses.c.is_counted,
        responses.c.is_complete,
        responses.c.withdrawn_at,
    )
    .select_from(invitations)
    .join(rounds, rounds.c.round_id == invitations.c.round_id)
    .join(
        responses,
        or_(
            responses.c.invitation_id == invitations.c.invitation_id,
            responses.c.submission_id == bindparam("of_submission"),
        ),
        isouter=True,
    )
    .where(_THIS)
)
_COUNT_NO_MORE = (
    update(responses)
    .where(responses.c.invitation_id == bindparam("of_invitation"), responses.c.is_counted)
    .values(is_counted=False)
)


def _insert(
    connection: Connection, submission: Submission, digest: str, earlier: Sequence[Any], *, is_conflict: bool
) -> Receipt:
    counted = [row for row in earlier if row.is_counted]
    counts = not is_conflict and (submission.is_complete or not any(row.is_complete for row in counted))
    if counts and counted:
        connection.execute(_COUNT_NO_MORE, {"of_invitation": submission.invitation_id})
    response_id, version = uuid4().hex, 1 + max((row.version for row in earlier), default=0)
    row = {
        "response_id": response_id,
        "invitation_id": submission.invitation_id,
        "version": version,
        "submission_id": submission.submission_id,
        "content_sha256": digest,
        "received_at": submission.received_at,
        "source": submission.source,
        "language": submission.language,
        "is_complete": submission.is_complete,
        "is_counted": counts,
        "comment": submission.comment,
        "is_comment_for_release": submission.is_comment_for_release,
        "batch_id": submission.batch_id,
    }
    connection.execute(_INSERT, row)
    _insert_said(connection, response_id, submission)
    return Receipt(response_id=response_id, version=version, is_conflict=is_conflict)


_INSERT, _INSERT_ANSWERS, _INSERT_RATINGS = insert(responses), insert(answers), insert(goal_ratings)


def _insert_said(connection: Connection, response_id: str, submission: Submission) -> None:
    said = [
        {"response_id": response_id, "question_id": key, "value": value} for key, value in submission.answers.items()
    ]
    rated = [
        {"response_id": response_id, "goal_id": key, "level": level} for key, level in submission.goal_levels.items()
    ]
    if said:
        connection.execute(_INSERT_ANSWERS, said)
    if rated:
        connection.execute(_INSERT_RATINGS, rated)


def _up_to(programme_id: str, number: int) -> tuple[object, object]:
    return rounds.c.programme_id == programme_id, rounds.c.number <= number


def read_answers(connection: Connection, programme_id: str, up_to_number: int) -> pd.DataFrame:
    """Contract Answers: the counted answers of a programme's rounds 1 … `up_to_number`."""
    query = (
        select(
            rounds.c.round_id,
            rounds.c.number.label("round_number"),
            rounds.c.pulse,
            invitations.c.pairing_id,
            invitations.c.side,
            invitations.c.person_id,
            pairings.c.mentor_id,
            answers.c.question_id,
            answers.c.value,
        )
        .join(responses, responses.c.response_id == answers.c.response_id)
        .join(invitations, invitations.c.invitation_id == responses.c.invitation_id)
        .join(pairings, pairings.c.pairing_id == invitations.c.pairing_id)
        .join(rounds, rounds.c.round_id == invitations.c.round_id)
        .where(*_up_to(programme_id, up_to_number), responses.c.is_counted)  # type: ignore[arg-type]
        .order_by(rounds.c.number, invitations.c.pairing_id, invitations.c.side, answers.c.question_id)
    )
    return conform(Answers, _frame(connection, query, Answers))


def read_goal_ratings(connection: Connection, programme_id: str, up_to_number: int) -> pd.DataFrame:
    """Contract GoalRatings: the counted ratings of goals in a programme's rounds 1 … `up_to_number`."""
    query = (
        select(
            rounds.c.round_id,
            rounds.c.number.label("round_number"),
            invitations.c.pairing_id,
            invitations.c.side,
            invitations.c.person_id,
            pairings.c.mentor_id,
            goal_ratings.c.goal_id,
            goal_ratings.c.level,
        )
        .join(responses, responses.c.response_id == goal_ratings.c.response_id)
        .join(invitations, invitations.c.invitation_id == responses.c.invitation_id)
        .join(pairings, pairings.c.pairing_id == invitations.c.pairing_id)
        .join(rounds, rounds.c.round_id == invitations.c.round_id)
        .where(*_up_to(programme_id, up_to_number), responses.c.is_counted)  # type: ignore[arg-type]
        .order_by(rounds.c.number, invitations.c.pairing_id, invitations.c.side, goal_ratings.c.goal_id)
    )
    return conform(GoalRatings, _frame(connection, query, GoalRatings))


def read_goals(connection: Connection, programme_id: str, until: date) -> pd.DataFrame:
    """Contract Goals: the goals that a programme's pairings had set by a day."""
    query = (
        select(goals.c.goal_id, goals.c.pairing_id, goals.c.set_on)
        .join(pairings, pairings.c.pairing_id == goals.c.pairing_id)
        .where(pairings.c.programme_id == programme_id, goals.c.set_on <= until)
        .order_by(goals.c.goal_id)
    )
    return conform(Goals, _frame(connection, query, Goals))


def read_invited(connection: Connection, programme_id: str, up_to_number: int) -> pd.DataFrame:
    """Contract Invited: everyone asked in a programme's rounds 1 … `up_to_number`."""
    answered = (
        select(responses.c.response_id)
        .where(responses.c.invitation_id == invitations.c.invitation_id, responses.c.is_counted)
        .exists()
    )
    query = (
        select(
            rounds.c.programme_id,
            rounds.c.round_id,
            rounds.c.number.label("round_number"),
            rounds.c.pulse,
            invitations.c.pairing_id,
            invitations.c.side,
            invitations.c.person_id,
            pairings.c.mentor_id,
            answered.label("has_answered"),
            invitations.c.cohort,
            invitations.c.department,
            invitations.c.location,
            invitations.c.grade,
        )
        .join(pairings, pairings.c.pairing_id == invitations.c.pairing_id)
        .join(rounds, rounds.c.round_id == invitations.c.round_id)
        .where(*_up_to(programme_id, up_to_number))  # type: ignore[arg-type]
        .order_by(rounds.c.number, invitations.c.pairing_id, invitations.c.side)
    )
    return conform(Invited, _frame(connection, query, Invited))


def _frame(connection: Connection, query: object, contract: type) -> pd.DataFrame:
    rows = connection.execute(query).all()  # type: ignore[call-overload]
    return pd.DataFrame.from_records(rows, columns=list(contract.to_schema().columns))  # type: ignore[attr-defined]
