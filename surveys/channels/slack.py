"""Sends letters as direct messages of a Slack bot, found by the person's e-mail address."""

import apprise

from data.errors import RapportError
from surveys.channel import Letter, Outcome


class Slack:
    """Through apprise, which looks the person up; a channel would show a personal link to everyone."""

    def __init__(self, url: str | None) -> None:
        if url is None or "{email}" not in url or not url.startswith("slack://"):
            raise RapportError("To write in Slack, RAPPORT_SLACK_URL must be a bot's slack://TOKEN/{email}.")
        self._url = url

    def send(self, letter: Letter) -> Outcome:
        bot = apprise.Apprise()
        if not bot.add(self._url.format(email=letter.to)):
            return Outcome(state="later", said="the bot's address is not usable")
        is_sent = bot.notify(title=letter.subject, body=letter.text, body_format=apprise.NotifyFormat.TEXT)
        return (
            Outcome(state="accepted", said="sent") if is_sent else Outcome(state="later", said="Slack did not take it")
        )

    def close(self) -> None:
        """It holds nothing."""
