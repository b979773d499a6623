"""Sends letters as direct messages of a Slack bot, found by the person's e-mail address."""

import re
from urllib.parse import quote

import apprise

from data.errors import RapportError
from surveys.channel import Letter, Outcome

# One target and no more: a personal link goes to nobody but the person.
URL = re.compile(r"slack://(?:[\w.-]+@)?(?:xoxe\.)?xox[abp]-[A-Za-z0-9-]+/\{email\}/?", re.ASCII)


class Slack:
    """Through apprise, which looks the person up; a channel would show a personal link to everyone."""

    def __init__(self, url: str | None) -> None:
        if url is None or not URL.fullmatch(url):
            raise RapportError("To write in Slack, RAPPORT_SLACK_URL must be a bot's slack://TOKEN/{email}.")
        self._url = url

    def send(self, letter: Letter) -> Outcome:
        bot = apprise.Apprise()
        if not bot.add(self._url.replace("{email}", quote(letter.to, safe="@"))):
            return Outcome(state="later", said="the bot's address is not usable")
        is_sent = bot.notify(title=letter.subject, body=letter.text, body_format=apprise.NotifyFormat.TEXT)
        return (
            Outcome(state="accepted", said="sent") if is_sent else Outcome(state="later", said="Slack did not take it")
        )

    def close(self) -> None:
        """It holds nothing."""
