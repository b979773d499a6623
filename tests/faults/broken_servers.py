"""Breaks the answering server on purpose, in the process that runs it: what the harnesses must catch."""

import threading
from typing import Any
from uuid import uuid4

from sqlalchemy import update

from data.store import rounds
from data.store.engine import writing
from data.tables import links
from surveys import answers, storing, web


def acknowledges_early() -> None:
    """Says "saved" when the work is done, and commits a moment later."""

    def commit(engine: Any, batch: list[storing.Waiting], _commits: Any) -> None:
        with writing(engine) as connection:
            for waiting in batch:
                waiting.found = waiting.work(connection)
            batch[0].told.get_loop().call_soon_threadsafe(lambda: [waiting.tell() for waiting in batch])
            threading.Event().wait(0.2)

    storing.commit = commit


def forgets_which_page_it_was() -> None:
    """Stores whatever comes, the same page twice too."""
    submit = answers.submit

    def forgetful(*arguments: Any, submission_id: str, **more: Any) -> Any:
        return submit(*arguments, submission_id=uuid4().hex, **more)

    answers.submit = forgetful


def marks_links_that_were_opened() -> None:
    """A GET that records "opened", as many survey tools do."""
    find_link = rounds.find_link

    def recording(connection: Any, token_sha256: str) -> Any:
        link = find_link(connection, token_sha256)
        if link is not None:
            connection.execute(
                update(links).where(links.c.token_sha256 == token_sha256).values(made_at=web.reading_settings.now())
            )
        return link

    rounds.find_link = recording
