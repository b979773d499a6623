"""Takes responses and keeps them as said; every version stays, one of them counts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from data.contracts import Answers, GoalRatings, Invited, conform
from data.errors import RapportError
from data.tables import answers, goal_ratings, invitations, pairings, responses, rounds


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
    """What the store says of a submission: repeated (same id, same content), or in conflict with it."""

    response_id: str
    version: int
    is_repeat: bool = False
    is_conflict: bool = False


def store_response(connection: Connection, submission: Submission) -> Receipt:
    """Keep a submission once. The same id with other content is kept too, but the first one counts."""
    _lock(connection, submission.invitation_id)
    digest = submission.content_sha256()
    earlier = connection.execute(
        select(
            responses.c.response_id,
            responses.c.version,
            responses.c.content_sha256,
            responses.c.invitation_id,
        ).where(responses.c.submission_id == submission.submission_id)
    ).all()
    for row in earlier:
        if row.invitation_id != submission.invitation_id:
            raise RapportError("This form belongs to another invitation; open your link again.")
        if row.content_sha256 == digest:
            return Receipt(response_id=row.response_id, version=row.version, is_repeat=True)
    return _insert(connection, submission, digest, is_conflict=bool(earlier))


def _lock(connection: Connection, invitation_id: str) -> None:
    """Two submissions for one invitation take turns (SQLite's write lock does it there)."""
    query = select(invitations.c.invitation_id).where(invitations.c.invitation_id == invitation_id)
    if connection.execute(query.with_for_update()).one_or_none() is None:
        raise RapportError("There is no such invitation.")


def _insert(connection: Connection, submission: Submission, digest: str, *, is_conflict: bool) -> Receipt:
    of_invitation = responses.c.invitation_id == submission.invitation_id
    last = connection.execute(select(func.max(responses.c.version)).where(of_invitation)).scalar_one()
    counted_complete = connection.execute(
        select(responses.c.response_id).where(of_invitation, responses.c.is_counted, responses.c.is_complete)
    ).first()
    counts = not is_conflict and (submission.is_complete or counted_complete is None)
    if counts:
        connection.execute(update(responses).where(of_invitation).values(is_counted=False))
    response_id, version = uuid4().hex, (last or 0) + 1
    connection.execute(
        insert(responses).values(
            response_id=response_id,
            invitation_id=submission.invitation_id,
            version=version,
            submission_id=submission.submission_id,
            content_sha256=digest,
            received_at=submission.received_at,
            source=submission.source,
            language=submission.language,
            is_complete=submission.is_complete,
            is_counted=counts,
            comment=submission.comment,
            is_comment_for_release=submission.is_comment_for_release,
            batch_id=submission.batch_id,
        )
    )
    _insert_said(connection, response_id, submission)
    return Receipt(response_id=response_id, version=version, is_conflict=is_conflict)


def _insert_said(connection: Connection, response_id: str, submission: Submission) -> None:
    said = [
        {"response_id": response_id, "question_id": key, "value": value} for key, value in submission.answers.items()
    ]
    rated = [
        {"response_id": response_id, "goal_id": key, "level": level} for key, level in submission.goal_levels.items()
    ]
    if said:
        connection.execute(insert(answers), said)
    if rated:
        connection.execute(insert(goal_ratings), rated)


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
