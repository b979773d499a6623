"""Sends letters through an SMTP server, and knows at each step whether the server can have one."""

import re
import select
import smtplib
import socket
import ssl
from collections.abc import Callable

from data.errors import RapportError
from data.settings import Settings
from surveys.channel import Letter, Outcome, wire

SECONDS = 30.0
BAD_ADDRESS = (550, 551, 553)
POLICY = re.compile(rb"\b5\.7\.\d+\b")  # the server minds the sender or the content, not the address
Broken = (smtplib.SMTPException, OSError)


class Email:
    """One connection for as many letters as the server takes; opened when the first is sent."""

    def __init__(self, settings: Settings, *, context: ssl.SSLContext | None = None) -> None:
        if settings.smtp_host is None or settings.mail_from is None:
            raise RapportError("To send mail, smtp_host and mail_from must be set.")
        if not settings.may_mail_in_the_clear:
            raise RapportError("smtp_security = none is for a mail server on this machine; use starttls or tls.")
        self._settings = settings
        self._sender = settings.mail_from
        self._context = context
        self._smtp: smtplib.SMTP | None = None

    def send(self, letter: Letter) -> Outcome:
        try:
            smtp = self._connected()
        except (*Broken, ValueError) as error:  # a name or a password that cannot be written in ASCII
            return self._broken("no connection", error)
        for step in (self._envelope, self._content):
            found = step(smtp, letter)
            if found is not None:
                return found
        return self._broken("the server answered out of turn", smtplib.SMTPException())

    def close(self) -> None:
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except Broken:
                self._smtp.close()
            self._smtp = None

    def check(self) -> None:
        """Connect, agree on TLS and sign in; raises what went wrong."""
        self._connected()

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is None:
            self._smtp = self._opened()
        return self._smtp

    def _opened(self) -> smtplib.SMTP:
        settings = self._settings
        host, port = str(settings.smtp_host), settings.smtp_port
        name = socket.gethostname().split(".")[0] or "localhost"
        if settings.smtp_security != "none" and self._context is None:
            self._context = ssl.create_default_context()
        if settings.smtp_security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, name, timeout=SECONDS, context=self._context)
        else:
            smtp = smtplib.SMTP(host, port, name, timeout=SECONDS)
        try:
            # The dot goes out by itself; without this it would wait for the server to have seen the bytes.
            smtp.sock.setsockopt(  # type: ignore[union-attr]
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )
            if settings.smtp_security == "starttls":
                smtp.starttls(context=self._context)
            smtp.ehlo_or_helo_if_needed()
            if settings.smtp_user is not None:
                smtp.login(settings.smtp_user, settings.smtp_password or "")
        except (*Broken, ValueError):
            smtp.close()
            raise
        return smtp

    def _envelope(self, smtp: smtplib.SMTP, letter: Letter) -> Outcome | None:
        """Sender, recipient, and leave to send; nothing is delivered by a failure here."""
        steps: tuple[tuple[Callable[[], tuple[int, bytes]], bool], ...] = (
            (lambda: smtp.mail(wire(self._sender)), False),
            (lambda: smtp.rcpt(wire(letter.to)), True),
            (lambda: smtp.docmd("data"), False),
        )
        for command, is_about_address in steps:
            try:
                code, said = command()
            except (*Broken, UnicodeError) as error:
                return self._broken("the connection broke", error)
            if code not in (250, 251, 354):
                self._reset(smtp)
                return _refusal(code, said, is_final=is_about_address, is_about_address=is_about_address)
        return None

    def _content(self, smtp: smtplib.SMTP, letter: Letter) -> Outcome:
        """The bytes, then the dot. Before the dot the server has nothing; after it, only its answer tells."""
        lines = letter.mime if letter.mime.endswith(b"\r\n") else letter.mime + b"\r\n"
        try:
            smtp.send(re.sub(rb"(?m)^\.", b"..", lines))
            if _has_spoken(smtp):  # out of turn: it has hung up, or is about to
                raise smtplib.SMTPServerDisconnected
        except Broken as error:
            return self._broken("the connection broke", error)
        try:
            smtp.send(b".\r\n")
            code, said = smtp.getreply()
        except Broken as error:
            self._broken("the connection broke", error)
            return Outcome(state="unknown", said="the connection broke before the server confirmed")
        if code == 250:
            return Outcome(state="accepted", said="accepted")
        self._reset(smtp)
        return _refusal(code, said, is_final=True, is_about_address=False)

    def _reset(self, smtp: smtplib.SMTP) -> None:
        """Ready for the next letter, on this connection or on a new one."""
        try:
            if smtp.rset()[0] == 250:
                return
        except Broken:
            pass
        self._drop()

    def _broken(self, said: str, error: Exception) -> Outcome:
        self._drop()
        return Outcome(state="later", said=f"{said} ({_named(error)})")

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _has_spoken(smtp: smtplib.SMTP) -> bool:
    """Whether something has come from the server, its end of the connection included."""
    return smtp.sock is None or bool(select.select([smtp.sock], [], [], 0)[0])


def _refusal(code: int, said: bytes, *, is_final: bool, is_about_address: bool) -> Outcome:
    """4xx is not now. 5xx is never, except where it is about the sender: that is ours to mend, then to try again."""
    answer = f"{code} {_status(said)}".strip()
    if 500 <= code < 600 and is_final:
        is_bad = is_about_address and code in BAD_ADDRESS and not POLICY.search(said)
        return Outcome(state="refused", said=answer, is_bad_address=is_bad)
    return Outcome(state="later", said=answer)


def _status(said: bytes) -> str:
    """The answer's status code; its words may repeat the address."""
    found = re.search(rb"\b[245]\.\d{1,3}\.\d{1,3}\b", said)
    return found.group().decode() if found else ""


def _named(error: Exception) -> str:
    """What kind of failure; an answer's code where there is one."""
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
