"""The tables of the three stores: raw, published, access."""

from data.tables.asking import answers, drafts, goal_ratings, invitations, links, responses, rounds, snapshots
from data.tables.columns import UtcTime, access, published, raw
from data.tables.desk import boards, monday_mails, order_files, orders
from data.tables.handed_in import batch_changes, batches, employment, engagement, engagement_groups, quarantine
from data.tables.released import comment_batches, releases
from data.tables.signing_in import accounts, audit, sessions
from data.tables.taking_part import actions, goal_levels, goals, pairings, people, programmes
from data.tables.telling import bounces, messages, replies, unsubscribed
from data.tables.timetable import jobs, ticks

__all__ = [
    "UtcTime",
    "access",
    "accounts",
    "actions",
    "answers",
    "audit",
    "batch_changes",
    "batches",
    "boards",
    "bounces",
    "comment_batches",
    "drafts",
    "employment",
    "engagement",
    "engagement_groups",
    "goal_levels",
    "goal_ratings",
    "goals",
    "invitations",
    "jobs",
    "links",
    "messages",
    "monday_mails",
    "order_files",
    "orders",
    "pairings",
    "people",
    "programmes",
    "published",
    "quarantine",
    "raw",
    "releases",
    "replies",
    "responses",
    "rounds",
    "sessions",
    "snapshots",
    "ticks",
    "unsubscribed",
]
