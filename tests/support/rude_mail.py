"""A mail server that misbehaves as it is told: refuses, greylists, delays, hangs up before and after the dot."""

import random
import socketserver
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from types import TracebackType

WAYS = (
    "take",
    "refuse the recipient",
    "greylist",
    "refuse the sender",
    "hang up at once",
    "hang up after the recipient",
    "hang up in the content",
    "hang up after the dot",
    "not now, after the dot",
    "never, after the dot",
    "dawdle",
)
MANNERS = {"take": 6, "hang up after the dot": 2}  # more often than the others


@dataclass
class Seen:
    """What happened to one recipient's mail."""

    taken: list[bytes] = field(default_factory=list)  # whole contents that the server had, confirmed or not
    n_confirmed: int = 0
    n_hung_up_after: int = 0
    n_hung_up_within: int = 0
    is_refused: bool = False


class RudeMail:
    """A server on loopback; a way is drawn for every mail. `seen` is by recipient."""

    def __init__(self, seed: int, ways: tuple[str, ...] = WAYS) -> None:
        self.seen: dict[str, Seen] = defaultdict(Seen)
        self._ways = [way for way in ways for _ in range(MANNERS.get(way, 1))]
        self._rng = random.Random(seed)
        self._lock = threading.Lock()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def way(self) -> str:
        with self._lock:
            return self._rng.choice(self._ways)

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        mail = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self) -> None:
                try:
                    Conversation(mail, self).run()
                except (OSError, HangUpError):
                    return

        return Handler

    def __enter__(self) -> "RudeMail":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class HangUpError(Exception):
    """The line is dead."""


class Conversation:
    """One connection: as many mails as the client sends."""

    def __init__(self, mail: RudeMail, handler: socketserver.StreamRequestHandler) -> None:
        self._mail, self._in, self._out = mail, handler.rfile, handler.wfile
        self._way, self._recipient = "take", ""

    def run(self) -> None:
        self._say("220 rude.example")
        while line := self._in.readline():
            verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            getattr(self, f"on_{verb.lower()}", self._unknown)(rest)

    def _say(self, text: str) -> None:
        self._out.write(f"{text}\r\n".encode())

    def _unknown(self, _rest: str) -> None:
        self._say("502 5.5.1 no")

    def on_ehlo(self, _rest: str) -> None:
        self._say("250 rude.example")

    on_helo = on_ehlo

    def on_rset(self, _rest: str) -> None:
        self._say("250 2.0.0 ok")

    def on_quit(self, _rest: str) -> None:
        self._say("221 2.0.0 bye")
        raise HangUpError

    def on_mail(self, _rest: str) -> None:
        self._way = self._mail.way()
        if self._way == "hang up at once":
            raise HangUpError
        if self._way == "dawdle":
            time.sleep(0.02)  # a slow server, not a wait for a condition
        self._say("550 5.7.1 who are you" if self._way == "refuse the sender" else "250 2.1.0 ok")

    def on_rcpt(self, rest: str) -> None:
        self._recipient = rest[rest.index("<") + 1 : rest.index(">")]
        seen = self._mail.seen[self._recipient]
        if self._way == "refuse the recipient":
            seen.is_refused = True
            self._say("550 5.1.1 nobody here")
        elif self._way == "greylist":
            self._say("451 4.7.1 come again")
        elif self._way == "hang up after the recipient":
            raise HangUpError
        else:
            self._say("250 2.1.5 ok")

    def on_data(self, _rest: str) -> None:
        self._say("354 go on")
        content = b""
        while (line := self._in.readline()) != b".\r\n":
            if not line or (self._way == "hang up in the content" and content):
                self._mail.seen[self._recipient].n_hung_up_within += 1
                raise HangUpError
            content += line
        self._answer(content, self._mail.seen[self._recipient])

    def _answer(self, content: bytes, seen: Seen) -> None:
        if self._way == "not now, after the dot":
            self._say("451 4.3.0 try later")
        elif self._way == "never, after the dot":
            seen.is_refused = True
            self._say("554 5.6.0 not this")
        else:
            seen.taken.append(content)
            if self._way == "hang up after the dot":
                seen.n_hung_up_after += 1
                raise HangUpError
            seen.n_confirmed += 1
            self._say("250 2.0.0 taken")
