"""Hands letters to a Teams workflow, which chats with the person named in what it gets."""

import re
from urllib.parse import quote

import apprise

from data.errors import RapportError
from surveys.channel import Letter, Outcome

TO = ":to={email}"
URL = re.compile(r"jsons://[^{}?]+\?([^{}]*&)?:to=\{email\}(&[^{}]*)?")


class Teams:
    """Through apprise. A webhook of a Teams channel would show a personal link to everyone, so it is not taken.

    The workflow ("when a webhook request is received", then "post in a chat with a person") gets `to`, `title` and
    `message` as JSON.
    """

    def __init__(self, url: str | None) -> None:
        if url is None or not URL.fullmatch(url):
            raise RapportError(
                f"To write in Teams, RAPPORT_TEAMS_URL must be a workflow's jsons://… with {TO} among its parameters."
            )
        self._url = url

    def send(self, letter: Letter) -> Outcome:
        workflow = apprise.Apprise()
        if not workflow.add(self._url.replace("{email}", quote(letter.to, safe=""))):
            return Outcome(state="later", said="the workflow's address is not usable")
        if workflow.notify(title=letter.subject, body=letter.text, body_format=apprise.NotifyFormat.TEXT):
            return Outcome(state="accepted", said="sent")
        return Outcome(state="later", said="the workflow did not take it")

    def close(self) -> None:
        """It holds nothing."""
