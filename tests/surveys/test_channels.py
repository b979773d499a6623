"""Channels: a letter leaves only as agreed, to the person only, and what is said of it is true."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from data.errors import RapportError
from data.settings import Settings
from surveys.channel import Letter, Outcome
from surveys.channels.console import Console
from surveys.channels.email import Email
from surveys.channels.folder import Folder
from surveys.channels.slack import Slack
from surveys.channels.teams import Teams
from tests.conftest import KEY
from tests.support.mailbox import Mailbox
from tests.support.serving import free_port

LINK = "https://pulse.example.org/a/only-for-ben"
LETTER = Letter(
    header_id="<0123abcd@example.org>",
    to="ben@cast.example",
    subject="How is it going?",
    text=f"Hello Ben,\n\n{LINK}\n",
    mime=b"From: m@example.org\r\nTo: ben@cast.example\r\nSubject: How is it going?\r\n\r\n.hidden\r\nHello\r\n",
)


# --- e-mail ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, *names, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    with path.open("a") as file:
        file.write(Path(f"{path}.crt").read_text())
    return path


class Server(Mailbox):
    """The mailbox behind TLS, with sign-in; `talked` counts connections that got as far as EHLO."""

    def __init__(self, certificate: Path | None, *, security: str, password: str | None = None) -> None:
        super().__init__()
        options: dict[str, Any] = {}
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            options = {"ssl_context": context} if security == "tls" else {"tls_context": context}
            options |= {"require_starttls": True} if security == "starttls" else {}
        if password is not None:
            options |= {"authenticator": self._sign_in(password), "auth_required": True}
            options |= {"auth_require_tls": security == "starttls"}  # aiosmtpd knows of no TLS around it all
        self._controller = _Controller(self, hostname="127.0.0.1", port=self.port, **options)

    def _sign_in(self, password: str) -> Callable[..., AuthResult]:
        def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, said: LoginPassword) -> AuthResult:
            is_right = said.login == b"rapport" and said.password == password.encode()
            return AuthResult(success=is_right, handled=False)

        return check


class _Controller(Controller):
    """Its own look whether it runs would not take our certificate."""

    def _trigger_server(self) -> None:
        if self.ssl_context is None:
            super()._trigger_server()
            return
        anyone = ssl.create_default_context()
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((self.hostname, self.port), 5) as plain, anyone.wrap_socket(plain) as sock:
            sock.recv(1024)


def settings(port: int, security: str = "starttls", **more: Any) -> Settings:
    own = {"smtp_host": "localhost", "smtp_port": port, "smtp_security": security, "mail_from": "m@example.org"}
    return Settings(**{"home": "/nowhere", "secret_key": KEY, **own, **more})


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=f"{certificate}.crt")


def sent(of: Settings, context: ssl.SSLContext | None = None) -> Outcome:
    channel = Email(of, context=context)
    outcome = channel.send(LETTER)
    channel.close()
    return outcome


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_leaves_behind_tls_after_signing_in(certificate, security):
    with Server(certificate, security=security, password="right") as server:
        signed_in = settings(server.port, security, smtp_user="rapport", smtp_password="right")
        assert sent(signed_in, trusting(certificate)).state == "accepted"
        refused = sent(
            settings(server.port, security, smtp_user="rapport", smtp_password="wrong"), trusting(certificate)
        )
        assert (refused.state, refused.said) == ("later", "no connection (SMTPAuthenticationError 535)")
        odd = sent(
            settings(server.port, security, smtp_user="rapport", smtp_password="pässword"), trusting(certificate)
        )
        assert odd.state == "later"
        anonymous = sent(settings(server.port, security), trusting(certificate))
        assert anonymous.state == "later"
        (received,) = server.received
    assert (received.sender, received.recipient) == ("m@example.org", "ben@cast.example")
    assert received.content == LETTER.mime


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_to_a_server_whose_certificate_nobody_vouches_for_nothing_is_sent(certificate, security):
    with Server(certificate, security=security) as server:
        outcome = sent(settings(server.port, security))
        assert (outcome.state, outcome.said) == ("later", "no connection (SSLCertVerificationError)")
        named = settings(server.port, security, smtp_host="127.0.0.2")  # trusted, but for another name
        assert sent(named, trusting(certificate)).state == "later"
        assert server.received == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_to_a_server_without_tls_nothing_is_sent(security):
    with Mailbox() as server:
        outcome = sent(settings(server.port, security, smtp_user="rapport", smtp_password="right"))
        assert outcome.state == "later"
        assert server.received == []


def test_in_the_clear_only_to_this_machine():
    with Mailbox() as server:
        assert sent(settings(server.port, "none")).state == "accepted"
    with pytest.raises(RapportError, match="for a mail server on this machine"):
        Email(settings(25, "none", smtp_host="mail.example.org"))
    with pytest.raises(RapportError, match="smtp_host and mail_from"):
        Email(settings(25, mail_from=None))


def test_nobody_at_home_is_later_and_no_address_is_told():
    outcome = sent(settings(free_port(), "none"))
    assert outcome == Outcome(state="later", said="no connection (ConnectionRefusedError)")


def test_an_address_in_another_script_is_written_to():
    with Mailbox() as server:
        channel = Email(settings(server.port, "none"))
        letter = Letter(**{**vars(LETTER), "to": "ben@bücher.example"})
        assert channel.send(letter).state == "accepted"
        # One that no server takes stops neither the channel nor the next letter.
        assert channel.send(Letter(**{**vars(LETTER), "to": "bén@cast.example"})).state != "accepted"
        assert channel.send(LETTER).state == "accepted"
        channel.close()
        assert [each.recipient for each in server.received] == ["ben@xn--bcher-kva.example", "ben@cast.example"]


# --- folder ---------------------------------------------------------------------------------------


def test_the_same_letter_twice_is_one_file(tmp_path):
    outbox = Folder(tmp_path / "outbox")
    for _ in range(2):
        assert outbox.send(LETTER).state == "accepted"
    (path,) = (tmp_path / "outbox").iterdir()
    assert path.name == "0123abcd-example.org.eml"
    assert path.read_bytes() == LETTER.mime
    assert path.stat().st_mode & 0o077 == (tmp_path / "outbox").stat().st_mode & 0o077 == 0


def test_a_message_id_is_no_way_out_of_the_folder(tmp_path):
    Folder(tmp_path / "outbox").send(Letter(**{**vars(LETTER), "header_id": "<../../etc/x@y>"}))
    assert [path.parent.name for path in tmp_path.rglob("*.eml")] == ["outbox"]


def test_a_folder_that_cannot_be_written_is_later(tmp_path):
    (tmp_path / "outbox").write_text("a file is in the way")
    outcome = Folder(tmp_path / "outbox").send(LETTER)
    assert outcome.state == "later"
    assert "ben" not in outcome.said


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    import os

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert Folder(tmp_path).send(LETTER).state == "later"
    assert list(tmp_path.glob("*.eml")) == []
    monkeypatch.undo()
    assert Folder(tmp_path).send(LETTER).state == "accepted"
    assert [path.read_bytes() for path in tmp_path.glob("*.eml")] == [LETTER.mime]


# --- Slack and Teams, with their side of HTTP replaced ----------------------------------------------


@contextmanager
def answering(monkeypatch: pytest.MonkeyPatch, answers: Callable[[str], dict[str, Any]], status: int = 200) -> Iterator:
    """Whatever apprise asks is kept, and answered by `answers`."""
    asked: list[tuple[str, str]] = []

    def request(_self: Any, method: str, url: str, **more: Any) -> requests.Response:
        said = requests.Request(method, url, params=more.get("params"), data=more.get("data")).prepare()
        body = said.body.decode() if isinstance(said.body, bytes) else str(said.body or "")
        asked.append((str(said.url), body))
        response = requests.Response()
        response.status_code = status
        response._content = requests.compat.json.dumps(answers(url)).encode()
        return response

    monkeypatch.setattr(requests.Session, "request", request)
    yield asked


def slack(monkeypatch: pytest.MonkeyPatch, user: str | None) -> AbstractContextManager[list[tuple[str, str]]]:
    def answers(url: str) -> dict[str, Any]:
        if "lookupByEmail" in url:
            return {"ok": True, "user": {"id": user}} if user else {"ok": False, "error": "users_not_found"}
        return {"ok": True, "channel": user, "message": {}}

    return answering(monkeypatch, answers)


BOT = "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/{email}"


def test_slack_looks_the_person_up_and_writes_to_nobody_else(monkeypatch):
    with slack(monkeypatch, "UBEN") as asked:
        assert Slack(BOT).send(LETTER).state == "accepted"
    lookup, message = asked
    assert "ben%40cast.example" in lookup[0] or "ben@cast.example" in lookup[0]
    assert '"channel": "UBEN"' in message[1]
    assert LINK in message[1]
    assert LINK not in str(lookup)


def test_somebody_whom_slack_does_not_know_is_later_and_nobody_gets_the_link(monkeypatch):
    with slack(monkeypatch, None) as asked:
        assert Slack(BOT).send(LETTER) == Outcome(state="later", said="Slack did not take it")
    assert LINK not in str(asked)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "slack://xoxb-1234-abc/#general",
        "slack://xoxb-1234-abc/#general/{email}",
        "slack://xoxb-1234-abc/{email}/#general",
        "slack://xoxb-1234-abc/{email}/C0123",
        "slack://xoxb-1234-abc/{email}?to=#general",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/{email}",
        "slack://xoxb-1234-abc/{email}/{other}",
        "https://hooks.slack.com/{email}",
    ],
)
def test_a_bot_that_could_write_to_others_is_refused_in_a_sentence(url):
    with pytest.raises(RapportError, match=r"slack://TOKEN/\{email\}"):
        Slack(url)


FLOW = "jsons://flow.example.org/workflows/1?:to={email}"


def test_teams_hands_the_letter_to_the_workflow_with_the_person_named(monkeypatch):
    with answering(monkeypatch, lambda _url: {}) as asked:
        assert Teams(FLOW).send(LETTER).state == "accepted"
    ((url, body),) = asked
    assert url.startswith("https://flow.example.org")
    assert '"to": "ben@cast.example"' in body
    assert LINK in body
    with answering(monkeypatch, lambda _url: {}, status=500):
        assert Teams(FLOW).send(LETTER).state == "later"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "jsons://flow.example.org/1",
        "json://flow.example.org/1?:to={email}",
        "msteams://a/b/c/{email}",
        "jsons://flow.example.org/1?:to={email}&:cc={other}",
        "jsons://flow.example.org/1?x=:to={email}",
    ],
)
def test_a_workflow_that_is_not_told_whom_to_write_to_is_refused(url):
    with pytest.raises(RapportError, match="RAPPORT_TEAMS_URL"):
        Teams(url)


# --- console --------------------------------------------------------------------------------------


def test_the_console_prints_what_the_person_would_read(capsys):
    assert Console().send(LETTER).state == "accepted"
    printed = capsys.readouterr().out
    assert "To: ben@cast.example" in printed
    assert LETTER.text in printed
