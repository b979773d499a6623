"""Keeps what is asked and answered: rounds, invitations, links, responses, drafts."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from data.tables.columns import SIDES, at_, id_, raw

snapshots = Table(
    "snapshots",
    raw,
    Column("snapshot_id", String(64), primary_key=True),  # SHA-256 of the content
    Column("content", Text, nullable=False),
)

rounds = Table(
    "rounds",
    raw,
    id_("round_id", primary_key=True),
    id_("programme_id", ForeignKey("programmes.programme_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("pulse", String(40), nullable=False),
    Column("snapshot_id", String(64), ForeignKey("snapshots.snapshot_id"), nullable=False),
    at_("opens_at", nullable=False),
    at_("closes_at", nullable=False),
    at_("closed_at"),
    UniqueConstraint("programme_id", "number"),
)

invitations = Table(
    "invitations",
    raw,
    id_("invitation_id", primary_key=True),
    id_("round_id", ForeignKey("rounds.round_id"), nullable=False),
    id_("pairing_id", ForeignKey("pairings.pairing_id"), nullable=False),
    Column("side", String(6), CheckConstraint(SIDES, name="side"), nullable=False),
    id_("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("form", Integer, nullable=False),
    # Reporting attributes as they were when the round opened, so that a release can be rebuilt.
    Column("cohort", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("grade", Text, nullable=False),
    UniqueConstraint("round_id", "pairing_id", "side"),
)

links = Table(
    "links",
    raw,
    Column("token_sha256", String(64), primary_key=True),
    Column("purpose", String(20), nullable=False),
    id_("person_id", ForeignKey("people.person_id"), nullable=False),
    id_("round_id", ForeignKey("rounds.round_id"), nullable=False),
    at_("made_at", nullable=False),
    at_("expires_at", nullable=False),
    at_("revoked_at"),
)

responses = Table(
    "responses",
    raw,
    id_("response_id", primary_key=True),
    id_("invitation_id", ForeignKey("invitations.invitation_id"), nullable=False),
    Column("version", Integer, nullable=False),
    id_("submission_id", nullable=False),
    Column("content_sha256", String(64), nullable=False),
    at_("received_at", nullable=False),
    Column("source", String(40), nullable=False),
    Column("language", String(20)),
    Column("is_complete", Boolean, nullable=False),
    # The version that counts: the last acknowledged one, or the last complete one of an import.
    Column("is_counted", Boolean, nullable=False),
    Column("comment", Text),
    Column("is_comment_for_release", Boolean, nullable=False),
    id_("batch_id"),
    at_("withdrawn_at"),  # by the person, before the round closed; such a version counts for nothing
    id_("comment_batch_id"),  # which batch of comments decided about this one
    UniqueConstraint("invitation_id", "version"),
    UniqueConstraint("submission_id", "content_sha256"),
)

answers = Table(
    "answers",
    raw,
    id_("response_id", ForeignKey("responses.response_id"), nullable=False),
    id_("question_id", nullable=False),
    Column("value", Text, nullable=False),  # as said: "4", "Y", "2026-04-13", a text
    PrimaryKeyConstraint("response_id", "question_id"),
)

goal_ratings = Table(
    "goal_ratings",
    raw,
    id_("response_id", ForeignKey("responses.response_id"), nullable=False),
    id_("goal_id", ForeignKey("goals.goal_id"), nullable=False),
    Column("level", Integer, CheckConstraint("level between -2 and 2", name="scale"), nullable=False),
    PrimaryKeyConstraint("response_id", "goal_id"),
)

# One page view somebody did not send yet: read by nobody, deleted when its round closes.
drafts = Table(
    "drafts",
    raw,
    id_("draft_id", primary_key=True),  # the page's submission_id
    id_("invitation_id", ForeignKey("invitations.invitation_id"), nullable=False, index=True),
    Column("fields", JSON, nullable=False),
    at_("saved_at", nullable=False),
)
