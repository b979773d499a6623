"""A real SMTP server on loopback that keeps what it is given."""

import email
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from functools import cached_property
from types import TracebackType
from typing import Any, cast

from aiosmtpd.controller import Controller

from tests.support.serving import free_port


@dataclass(frozen=True)
class Received:
    """One mail as the server got it."""

    sender: str
    recipient: str
    content: bytes

    @cached_property
    def mail(self) -> EmailMessage:
        return cast(EmailMessage, email.message_from_bytes(self.content, policy=default))

    @property
    def text(self) -> str:
        part = self.mail.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @property
    def sent_at(self) -> datetime:
        return cast(datetime, self.mail["Date"].datetime)

    def link(self, path: str = "a") -> str:
        """The path of a personal link in the mail: /a/… to answer, /u/… to unsubscribe."""
        found = re.search(rf"https?://[^/\s]+(/{path}/\S+)", self.text)
        assert found is not None
        return found.group(1)


class Mailbox:
    """Takes every mail; `received` is in the order of arrival."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        for recipient in envelope.rcpt_tos:
            self.received.append(Received(envelope.mail_from, recipient, envelope.content))
        return "250 2.0.0 taken"

    def __enter__(self) -> "Mailbox":
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()
