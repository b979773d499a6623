"""Keeps what people are told: messages, replies, who wants none, addresses that do not work."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from data.tables.columns import at_, id_, raw

KINDS = "kind in ('invitation', 'reminder', 'thanks', 'missed')"
STATES = "state in ('planned', 'claimed', 'transmitting', 'accepted', 'refused', 'unknown', 'skipped')"

# One row is one message to one person about one round, from the plan to what the mail server said.
messages = Table(
    "messages",
    raw,
    id_("message_id", primary_key=True),
    id_("round_id", ForeignKey("rounds.round_id"), nullable=False),
    id_("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("kind", String(20), CheckConstraint(KINDS, name="kind"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("channel", String(20), nullable=False),
    # Wall time where the person lives; UTC is computed when it is sent, by the zone rules of that day.
    Column("due_local", String(16), nullable=False),  # "2026-03-02T09:00"
    Column("time_zone", String(60), nullable=False),
    Column("why", Text, nullable=False),
    Column("state", String(12), CheckConstraint(STATES, name="state"), nullable=False),
    Column("owner", String(60)),
    at_("leased_until"),
    at_("not_before"),
    Column("n_attempts", Integer, nullable=False),
    Column("n_unknown", Integer, nullable=False),  # tries of which nobody knows whether they arrived
    Column("header_id", Text),  # Message-ID, the same at every attempt
    # Links stand in the body as {link}: their tokens are made from the nonce and the secret key, so that
    # the same bytes can be sent again and a dump holds no usable token.
    Column("nonce", String(64)),
    Column("body", Text),
    Column("body_sha256", String(64)),
    Column("outcome", Text),
    at_("changed_at", nullable=False),
    UniqueConstraint("round_id", "person_id", "kind", "sequence"),
    Index("ix_messages_state_due_local", "state", "due_local"),
)

# What HR answers to a round: "You said … We will …".
replies = Table(
    "replies",
    raw,
    id_("round_id", ForeignKey("rounds.round_id"), primary_key=True),
    Column("said", Text, nullable=False),
    Column("will", Text, nullable=False),
    Column("written_by", Text, nullable=False),
    at_("written_at", nullable=False),
)

# Who wants no mail any more. HR is not told.
unsubscribed = Table(
    "unsubscribed",
    raw,
    id_("person_id", ForeignKey("people.person_id"), primary_key=True),
    at_("since", nullable=False),
)

# Addresses that a mail server refused for good, for HR to mend.
bounces = Table(
    "bounces",
    raw,
    id_("person_id", ForeignKey("people.person_id"), primary_key=True),
    Column("address", Text, nullable=False),
    Column("reason", Text, nullable=False),
    at_("since", nullable=False),
)
