"""Keeps who may sign in, and who did what."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text

from data.tables.columns import access, at_, id_

accounts = Table(
    "accounts",
    access,
    Column("email", String(254), primary_key=True),
    Column("role", String(20), nullable=False),
    id_("programme_id"),  # null: every programme
    Column("password_hash", Text, nullable=False),
    Column("n_failed", Integer, nullable=False),
    at_("locked_until"),
    at_("made_at", nullable=False),
    Column("is_told_weekly", Boolean, nullable=False),  # the Monday mail
)

sessions = Table(
    "sessions",
    access,
    Column("token_sha256", String(64), primary_key=True),
    Column("email", String(254), ForeignKey("accounts.email"), nullable=False),
    at_("made_at", nullable=False),
    at_("seen_at", nullable=False),
)

audit = Table(
    "audit",
    access,
    Column("entry_id", Integer, primary_key=True, autoincrement=True),
    at_("at", nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(60), nullable=False),
    Column("about", Text, nullable=False),
)
