"""Says what a channel is: it takes one letter to one person and tells what became of it."""

from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["accepted", "later", "refused", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message, final: `mime` are the bytes of a mail, `text` the same for channels that take plain words."""

    header_id: str
    to: str
    subject: str
    text: str
    mime: bytes


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`later`: surely not delivered, try again. `unknown`: it may have been delivered.

    `said` is for the log and the list of bounces: what the other side answered, never an address or a link.
    """

    state: State
    said: str
    is_bad_address: bool = False


def wire(address: str) -> str:
    """An address as mail servers take it: the domain in ASCII. Raises UnicodeError where there is no such form."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


class Channel(Protocol):
    """One way to reach people; one file in channels/ each."""

    def send(self, letter: Letter) -> Outcome:
        """Deliver one letter; never raises for what the other side does."""

    def close(self) -> None:
        """Let go of what it holds."""
