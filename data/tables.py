"""The tables of the three stores: raw, published, access.

Column conventions: `_id` text keys, `_at` UTC time, `_on` date, `n_` counts, `is_` flags.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, on every database: SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:  # noqa: ARG002
        if value is None or value.tzinfo is not None:
            return value  # type: ignore[no-any-return]
        return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]


NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

raw = MetaData(naming_convention=NAMING)
published = MetaData(naming_convention=NAMING)
access = MetaData(naming_convention=NAMING)

SIDES = "side in ('mentor', 'mentee')"
KINDS = "kind in ('invitation', 'reminder', 'thanks', 'missed')"
STATES = "state in ('planned', 'claimed', 'transmitting', 'accepted', 'refused', 'unknown', 'skipped')"


def _id(name: str, *more: object, **options: object) -> Column[str]:
    return Column(name, String(120), *more, **options)  # type: ignore[arg-type]


def _at(name: str, **options: object) -> Column[object]:
    return Column(name, UtcTime(), **options)  # type: ignore[arg-type]


# --- raw: who takes part ------------------------------------------------------------------

programmes = Table(
    "programmes",
    raw,
    _id("programme_id", primary_key=True),
    Column("name", Text, nullable=False),
    # {"attributes": [...], "score_n": 5, ...}: what the programme decided, dated and owned
    Column("decisions", JSON, nullable=False),
    _at("created_at", nullable=False),
)

people = Table(
    "people",
    raw,
    _id("person_id", primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("language", String(20), nullable=False),
    Column("time_zone", String(60)),
    Column("department", Text),
    Column("location", Text),
    Column("grade", Text),
)

pairings = Table(
    "pairings",
    raw,
    _id("pairing_id", primary_key=True),
    _id("programme_id", ForeignKey("programmes.programme_id"), nullable=False, index=True),
    Column("cohort", Text),
    _id("mentor_id", ForeignKey("people.person_id"), nullable=False),
    _id("mentee_id", ForeignKey("people.person_id"), nullable=False),
    Column("started_on", Date, nullable=False),
    Column("planned_end_on", Date),
    Column("ended_on", Date),
    Column("end_reason", Text),
    CheckConstraint("mentor_id <> mentee_id", name="two_people"),
)

goals = Table(
    "goals",
    raw,
    _id("goal_id", primary_key=True),
    _id("pairing_id", ForeignKey("pairings.pairing_id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("set_on", Date, nullable=False),
    Column("is_agreed", Boolean, nullable=False),
    UniqueConstraint("pairing_id", "position"),
)

goal_levels = Table(
    "goal_levels",
    raw,
    _id("goal_id", ForeignKey("goals.goal_id"), nullable=False),
    Column("level", Integer, CheckConstraint("level between -2 and 2", name="scale"), nullable=False),
    Column("description", Text, nullable=False),
    PrimaryKeyConstraint("goal_id", "level"),
)

# --- raw: asking and answering ------------------------------------------------------------

snapshots = Table(
    "snapshots",
    raw,
    Column("snapshot_id", String(64), primary_key=True),  # SHA-256 of the content
    Column("content", Text, nullable=False),
)

rounds = Table(
    "rounds",
    raw,
    _id("round_id", primary_key=True),
    _id("programme_id", ForeignKey("programmes.programme_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("pulse", String(40), nullable=False),
    Column("snapshot_id", String(64), ForeignKey("snapshots.snapshot_id"), nullable=False),
    _at("opens_at", nullable=False),
    _at("closes_at", nullable=False),
    _at("closed_at"),
    UniqueConstraint("programme_id", "number"),
)

invitations = Table(
    "invitations",
    raw,
    _id("invitation_id", primary_key=True),
    _id("round_id", ForeignKey("rounds.round_id"), nullable=False),
    _id("pairing_id", ForeignKey("pairings.pairing_id"), nullable=False),
    Column("side", String(6), CheckConstraint(SIDES, name="side"), nullable=False),
    _id("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
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
    _id("person_id", ForeignKey("people.person_id"), nullable=False),
    _id("round_id", ForeignKey("rounds.round_id"), nullable=False),
    _at("made_at", nullable=False),
    _at("expires_at", nullable=False),
    _at("revoked_at"),
)

responses = Table(
    "responses",
    raw,
    _id("response_id", primary_key=True),
    _id("invitation_id", ForeignKey("invitations.invitation_id"), nullable=False),
    Column("version", Integer, nullable=False),
    _id("submission_id", nullable=False),
    Column("content_sha256", String(64), nullable=False),
    _at("received_at", nullable=False),
    Column("source", String(40), nullable=False),
    Column("language", String(20)),
    Column("is_complete", Boolean, nullable=False),
    # The version that counts: the last acknowledged one, or the last complete one of an import.
    Column("is_counted", Boolean, nullable=False),
    Column("comment", Text),
    Column("is_comment_for_release", Boolean, nullable=False),
    _id("batch_id"),
    _at("withdrawn_at"),  # by the person, before the round closed; such a version counts for nothing
    UniqueConstraint("invitation_id", "version"),
    UniqueConstraint("submission_id", "content_sha256"),
)

answers = Table(
    "answers",
    raw,
    _id("response_id", ForeignKey("responses.response_id"), nullable=False),
    _id("question_id", nullable=False),
    Column("value", Text, nullable=False),  # as said: "4", "Y", "2026-04-13", a text
    PrimaryKeyConstraint("response_id", "question_id"),
)

goal_ratings = Table(
    "goal_ratings",
    raw,
    _id("response_id", ForeignKey("responses.response_id"), nullable=False),
    _id("goal_id", ForeignKey("goals.goal_id"), nullable=False),
    Column("level", Integer, CheckConstraint("level between -2 and 2", name="scale"), nullable=False),
    PrimaryKeyConstraint("response_id", "goal_id"),
)

# One page view somebody did not send yet: read by nobody, deleted when its round closes.
drafts = Table(
    "drafts",
    raw,
    _id("draft_id", primary_key=True),  # the page's submission_id
    _id("invitation_id", ForeignKey("invitations.invitation_id"), nullable=False, index=True),
    Column("fields", JSON, nullable=False),
    _at("saved_at", nullable=False),
)

# --- raw: telling people --------------------------------------------------------------------

# One row is one message to one person about one round, from the plan to what the mail server said.
messages = Table(
    "messages",
    raw,
    _id("message_id", primary_key=True),
    _id("round_id", ForeignKey("rounds.round_id"), nullable=False),
    _id("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("kind", String(20), CheckConstraint(KINDS, name="kind"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("channel", String(20), nullable=False),
    # Wall time where the person lives; UTC is computed when it is sent, by the zone rules of that day.
    Column("due_local", String(16), nullable=False),  # "2026-03-02T09:00"
    Column("time_zone", String(60), nullable=False),
    Column("why", Text, nullable=False),
    Column("state", String(12), CheckConstraint(STATES, name="state"), nullable=False),
    Column("owner", String(60)),
    _at("leased_until"),
    _at("not_before"),
    Column("n_attempts", Integer, nullable=False),
    Column("n_unknown", Integer, nullable=False),  # tries of which nobody knows whether they arrived
    Column("header_id", Text),  # Message-ID, the same at every attempt
    # Links stand in the body as {link}: their tokens are made from the nonce and the secret key, so that
    # the same bytes can be sent again and a dump holds no usable token.
    Column("nonce", String(64)),
    Column("body", Text),
    Column("body_sha256", String(64)),
    Column("outcome", Text),
    _at("changed_at", nullable=False),
    UniqueConstraint("round_id", "person_id", "kind", "sequence"),
    Index("ix_messages_state_due_local", "state", "due_local"),
)

# What HR answers to a round: "You said … We will …".
replies = Table(
    "replies",
    raw,
    _id("round_id", ForeignKey("rounds.round_id"), primary_key=True),
    Column("said", Text, nullable=False),
    Column("will", Text, nullable=False),
    Column("written_by", Text, nullable=False),
    _at("written_at", nullable=False),
)

# Who wants no mail any more. HR is not told.
unsubscribed = Table(
    "unsubscribed",
    raw,
    _id("person_id", ForeignKey("people.person_id"), primary_key=True),
    _at("since", nullable=False),
)

# Addresses that a mail server refused for good, for HR to mend.
bounces = Table(
    "bounces",
    raw,
    _id("person_id", ForeignKey("people.person_id"), primary_key=True),
    Column("address", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _at("since", nullable=False),
)

# --- raw: the timetable ---------------------------------------------------------------------

jobs = Table(
    "jobs",
    raw,
    Column("job", String(40), primary_key=True),
    _at("next_at", nullable=False),
    Column("owner", String(60)),
    _at("leased_until"),
    Column("n_failed", Integer, nullable=False),
    _at("last_done_at"),
    Column("last_said", Text),
)

# One row is one time that a job was due and done: the key keeps it from happening twice.
ticks = Table(
    "ticks",
    raw,
    Column("job", String(40), nullable=False),
    _at("tick_at", nullable=False),
    _at("done_at", nullable=False),
    PrimaryKeyConstraint("job", "tick_at"),
)

# --- raw: what HR knows (keyed by pseudonym) ------------------------------------------------

employment = Table(
    "employment",
    raw,
    Column("employee_key", String(64), nullable=False),
    Column("hired_on", Date, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("left_on", Date),
    Column(
        "leave_type",
        String(12),
        CheckConstraint("leave_type in ('voluntary', 'involuntary', 'other')", name="kind"),
    ),
    Column("department", Text),
    Column("location", Text),
    Column("grade", Text),
    PrimaryKeyConstraint("employee_key", "hired_on", "valid_from"),
)

engagement = Table(
    "engagement",
    raw,
    Column("employee_key", String(64), nullable=False),
    Column("measured_on", Date, nullable=False),
    Column("score", Float, nullable=False),
    Column("scale_max", Float, nullable=False),
    PrimaryKeyConstraint("employee_key", "measured_on"),
)

engagement_groups = Table(
    "engagement_groups",
    raw,
    Column("group", Text, nullable=False),
    Column("measured_on", Date, nullable=False),
    Column("n", Integer, CheckConstraint("n >= 10", name="large_enough"), nullable=False),
    Column("mean", Float, nullable=False),
    Column("sd", Float, nullable=False),
    Column("scale_max", Float, nullable=False),
    PrimaryKeyConstraint("group", "measured_on"),
)

# --- raw: where it came from ----------------------------------------------------------------

batches = Table(
    "batches",
    raw,
    _id("batch_id", primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("file_sha256", String(64), nullable=False),
    Column("counts", JSON, nullable=False),
    _at("imported_at", nullable=False),
    _at("undone_at"),
    _id("used_by_release"),
)

batch_changes = Table(
    "batch_changes",
    raw,
    _id("batch_id", ForeignKey("batches.batch_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("table_name", String(60), nullable=False),
    Column("key", JSON, nullable=False),
    Column("before", JSON),
    Column("after", JSON, nullable=False),
    PrimaryKeyConstraint("batch_id", "position"),
)

quarantine = Table(
    "quarantine",
    raw,
    _id("batch_id", ForeignKey("batches.batch_id"), nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("column", Text, nullable=False),  # "" where the whole row is refused
    Column("reason", Text, nullable=False),
    Column("cells", JSON, nullable=False),
    PrimaryKeyConstraint("batch_id", "row_number", "column"),
)

# --- published --------------------------------------------------------------------------------

releases = Table(
    "releases",
    published,
    _id("release_id", primary_key=True),
    _id("programme_id", nullable=False),
    _id("round_id", nullable=False, unique=True),
    _at("made_at", nullable=False),
    Column("content", Text, nullable=False),  # canonical JSON: manifest and rows, frozen
    Column("content_sha256", String(64), nullable=False),
    Column("seal", String(64), nullable=False),  # HMAC-SHA256 of the content
    _at("withdrawn_at"),
    Column("withdrawn_reason", Text),
)

# --- access -----------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    access,
    Column("email", String(254), primary_key=True),
    Column("role", String(20), nullable=False),
    _id("programme_id"),  # null: every programme
    Column("password_hash", Text, nullable=False),
    Column("n_failed", Integer, nullable=False),
    _at("locked_until"),
    _at("made_at", nullable=False),
)

sessions = Table(
    "sessions",
    access,
    Column("token_sha256", String(64), primary_key=True),
    Column("email", String(254), ForeignKey("accounts.email"), nullable=False),
    _at("made_at", nullable=False),
    _at("seen_at", nullable=False),
)

audit = Table(
    "audit",
    access,
    Column("entry_id", Integer, primary_key=True, autoincrement=True),
    _at("at", nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(60), nullable=False),
    Column("about", Text, nullable=False),
)
