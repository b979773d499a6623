"""Keeps what may be shown: sealed releases of numbers, sealed batches of comments."""

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from data.tables.columns import at_, id_, published

releases = Table(
    "releases",
    published,
    id_("release_id", primary_key=True),
    id_("programme_id", nullable=False),
    id_("round_id", nullable=False, unique=True),
    at_("made_at", nullable=False),
    Column("content", Text, nullable=False),  # canonical JSON: manifest and rows, frozen
    Column("content_sha256", String(64), nullable=False),
    Column("seal", String(64), nullable=False),  # HMAC-SHA256 of the content
    at_("withdrawn_at"),
    Column("withdrawn_reason", Text),
)

comment_batches = Table(
    "comment_batches",
    published,
    id_("batch_id", primary_key=True),
    id_("programme_id", nullable=False),
    Column("number", Integer, nullable=False),
    at_("made_at", nullable=False),
    Column("content", Text, nullable=False),  # canonical JSON: rounds and comments, frozen
    Column("content_sha256", String(64), nullable=False),
    Column("seal", String(64), nullable=False),  # HMAC-SHA256 of the content
    at_("withdrawn_at"),
    Column("withdrawn_reason", Text),
    UniqueConstraint("programme_id", "number"),
)
