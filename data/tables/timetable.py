"""Keeps when jobs are due and that they were done."""

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, Table, Text

from data.tables.columns import at_, raw

jobs = Table(
    "jobs",
    raw,
    Column("job", String(40), primary_key=True),
    at_("next_at", nullable=False),
    Column("owner", String(60)),
    at_("leased_until"),
    Column("n_failed", Integer, nullable=False),
    at_("last_done_at"),
    Column("last_said", Text),
)

# One row is one time that a job was due and done: the key keeps it from happening twice.
ticks = Table(
    "ticks",
    raw,
    Column("job", String(40), nullable=False),
    at_("tick_at", nullable=False),
    at_("done_at", nullable=False),
    PrimaryKeyConstraint("job", "tick_at"),
)
