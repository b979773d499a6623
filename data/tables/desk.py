"""Keeps what people at the dashboard ask for, and what they may see of the programme's running."""

from sqlalchemy import JSON, CheckConstraint, Column, Date, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from data.tables.columns import access, at_, id_

STATES = "state in ('waiting', 'working', 'done', 'refused')"

# One row is one thing that somebody asked for; the timetable's worker carries it out.
orders = Table(
    "orders",
    access,
    Column("order_id", Integer, primary_key=True, autoincrement=True),
    id_("programme_id", nullable=False),
    Column("kind", String(20), nullable=False),
    id_("subject", nullable=False),  # what it is about: a round, a pairing, a request
    # The n-th order about its subject: who has not seen the one before is told of it instead of replacing it.
    Column("place", Integer, nullable=False),
    Column("content", JSON, nullable=False),
    Column("asked_by", String(254), nullable=False),
    at_("asked_at", nullable=False),
    Column("state", String(8), CheckConstraint(STATES, name="state"), nullable=False, index=True),
    Column("told", Text),
    at_("done_at"),
    UniqueConstraint("programme_id", "kind", "subject", "place"),
)

# What an order made: a report, until it has had its time.
order_files = Table(
    "order_files",
    access,
    Column("order_id", Integer, ForeignKey("orders.order_id"), primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("content_base64", Text, nullable=False),
)

# One row is one operational view of one programme, as the timetable last made it; the dashboard reads nothing else.
boards = Table(
    "boards",
    access,
    id_("programme_id", primary_key=True),
    Column("name", String(20), primary_key=True),
    Column("content", JSON, nullable=False),
    at_("made_at", nullable=False),
)

# Whom the Monday mail has reached, so that nobody gets it twice.
monday_mails = Table(
    "monday_mails",
    access,
    Column("email", String(254), ForeignKey("accounts.email"), primary_key=True),
    Column("monday", Date, primary_key=True),
)
