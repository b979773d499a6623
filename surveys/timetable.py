"""Names this room's jobs: plan rounds, close them, send what is due, fetch answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom

from data.imports.sheet import limits_of
from data.settings import Settings
from data.store.desk import Desk
from data.store.engine import Connection, Stores, reading
from data.timetable import Job
from data.worker import own_name
from surveys import closing, inbox, letters, planning
from surveys.board import calendar_boards
from surveys.channel import Channel
from surveys.channels.console import Console
from surveys.channels.email import Email
from surveys.channels.folder import Folder
from surveys.channels.slack import Slack
from surveys.channels.teams import Teams
from surveys.invitations import Post
from surveys.planning import PLAN, SENT
from surveys.questionnaire import ours
from surveys.sorting import may_write_to

SHOW = "show the calendar"


def jobs(stores: Stores, settings: Settings, clock: Callable[[], datetime]) -> list[Job]:
    """In the order in which one tick does them: what is planned now can be sent now."""
    owner = own_name()

    def plan(connection: Connection, now: datetime) -> str:
        return planning.plan(connection, ours(), now)

    def close(connection: Connection, now: datetime) -> str:
        return ", ".join(f"closed {round_id}" for round_id in closing.close_due(connection, now))

    def send(_now: datetime) -> str:
        return post(stores, settings, clock, owner).send_due()

    def fetch(now: datetime) -> str:
        return inbox.fetch(stores, settings.home / "inbox", now=now, limits=limits_of(settings))

    def show(now: datetime) -> str:
        desk = Desk(stores.access)
        with reading(stores.raw) as connection:
            boards = calendar_boards(connection, now)
        for programme_id, board in boards.items():
            desk.lay_out(programme_id, "calendar", board, now)
        return ""

    return [
        Job(SHOW, timedelta(minutes=10), show, "outside"),
        Job("fetch answers", timedelta(minutes=30), fetch, "outside"),
        Job("close rounds", timedelta(minutes=10), close, "inside"),
        Job(PLAN, timedelta(hours=1), plan, "inside"),
        Job("send", timedelta(minutes=1), send, "outside"),
    ]


def deliver(settings: Settings) -> Callable[[Path, str], bool]:
    """Sends a file to one reader; true where it was accepted, or may have been: nobody gets it twice."""

    def to_reader(path: Path, reader: str) -> bool:
        if not may_write_to(reader, settings):
            return False
        channel = mail(settings)
        try:
            return channel.send(letters.enclosing(path, to=reader, settings=settings)).state in SENT
        finally:
            channel.close()

    return to_reader


def tell(settings: Settings) -> Callable[[str, str, str, str, datetime], bool]:
    """Sends a few lines (to, subject, text, key, now); true where they were accepted, or may have been."""

    def to_reader(to: str, subject: str, text: str, key: str, now: datetime) -> bool:
        if not may_write_to(to, settings):
            return False
        channel = mail(settings)
        try:
            letter = letters.plain(subject, text, to=to, key=key, now=now, settings=settings)
            return channel.send(letter).state in SENT
        finally:
            channel.close()

    return to_reader


def mail(settings: Settings) -> Channel:
    """The mail server, or the folder where there is none."""
    return Email(settings) if settings.smtp_host else Folder(settings.home / "outbox")


def post(stores: Stores, settings: Settings, clock: Callable[[], datetime], owner: str) -> Post:
    """A post office with every channel that is set up; mail without a server goes to the folder."""
    channels: dict[str, Channel] = {
        "email": mail(settings),
        "folder": Folder(settings.home / "outbox"),
        "console": Console(),
    }
    if settings.slack_url is not None:
        channels["slack"] = Slack(settings.slack_url)
    if settings.teams_url is not None:
        channels["teams"] = Teams(settings.teams_url)
    return Post(settings, stores, channels, clock, owner, SystemRandom())
