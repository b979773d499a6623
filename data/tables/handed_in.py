"""Keeps what HR handed in, and where every row came from."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from data.tables.columns import at_, id_, raw

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

batches = Table(
    "batches",
    raw,
    id_("batch_id", primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("file_sha256", String(64), nullable=False),
    Column("counts", JSON, nullable=False),
    at_("imported_at", nullable=False),
    at_("undone_at"),
    id_("used_by_release"),
)

batch_changes = Table(
    "batch_changes",
    raw,
    id_("batch_id", ForeignKey("batches.batch_id"), nullable=False),
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
    id_("batch_id", ForeignKey("batches.batch_id"), nullable=False),
    Column("row_number", Integer, nullable=False),
    Column("column", Text, nullable=False),  # "" where the whole row is refused
    Column("reason", Text, nullable=False),
    Column("cells", JSON, nullable=False),
    PrimaryKeyConstraint("batch_id", "row_number", "column"),
)
