"""Keeps who takes part: programmes, people, pairings and their goals."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from data.tables.columns import at_, id_, raw

ACTIONS = "kind in ('contact', 'talked', 'wrote', 'met', 'other')"

programmes = Table(
    "programmes",
    raw,
    id_("programme_id", primary_key=True),
    Column("name", Text, nullable=False),
    # {"attributes": [...], "score_n": 5, ...}: what the programme decided, dated and owned
    Column("decisions", JSON, nullable=False),
    at_("created_at", nullable=False),
)

people = Table(
    "people",
    raw,
    id_("person_id", primary_key=True),
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
    id_("pairing_id", primary_key=True),
    id_("programme_id", ForeignKey("programmes.programme_id"), nullable=False, index=True),
    Column("cohort", Text),
    id_("mentor_id", ForeignKey("people.person_id"), nullable=False),
    id_("mentee_id", ForeignKey("people.person_id"), nullable=False),
    Column("started_on", Date, nullable=False),
    Column("planned_end_on", Date),
    Column("ended_on", Date),
    Column("end_reason", Text),
    CheckConstraint("mentor_id <> mentee_id", name="two_people"),
)

# What the programme team did for a pairing. `person_id` and `round_id`: whose request to be contacted it answered.
actions = Table(
    "actions",
    raw,
    id_("action_id", primary_key=True),
    id_("pairing_id", ForeignKey("pairings.pairing_id"), nullable=False, index=True),
    id_("person_id", ForeignKey("people.person_id")),
    id_("round_id"),
    Column("kind", String(10), CheckConstraint(ACTIONS, name="kind"), nullable=False),
    Column("note", Text, nullable=False),
    Column("done_on", Date, nullable=False),
    Column("noted_by", Text, nullable=False),
)

goals = Table(
    "goals",
    raw,
    id_("goal_id", primary_key=True),
    id_("pairing_id", ForeignKey("pairings.pairing_id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("set_on", Date, nullable=False),
    Column("is_agreed", Boolean, nullable=False),
    UniqueConstraint("pairing_id", "position"),
)

goal_levels = Table(
    "goal_levels",
    raw,
    id_("goal_id", ForeignKey("goals.goal_id"), nullable=False),
    Column("level", Integer, CheckConstraint("level between -2 and 2", name="scale"), nullable=False),
    Column("description", Text, nullable=False),
    PrimaryKeyConstraint("goal_id", "level"),
)
