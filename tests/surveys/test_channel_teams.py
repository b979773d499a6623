"""The Teams channel: a real workflow's end of the line on loopback, with TLS, gets the letter for one person."""

import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from data.errors import RapportError
from surveys.channel import Letter
from surveys.channels.teams import Teams

LETTER = Letter(header_id="<1@example.org>", to="ben+x@cast.example", subject="Pulse", text="Answer: /a/1", mime=b"")


@pytest.fixture
def workflow(tmp_path):
    """A server that keeps what is posted to it; its port, and what came."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "1",
         "-subj", "/CN=localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    came: list[dict[str, object]] = []
    status = {"code": 200}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status["code"])
            self.end_headers()

        def log_message(self, *_):
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_address[1], came, status
    server.shutdown()
    server.server_close()


def url(port: int) -> str:
    return f"jsons://127.0.0.1:{port}/run?:to={{email}}&verify=no"  # the test's certificate is its own


def test_the_workflow_gets_the_letter_and_the_person(workflow):
    port, came, _ = workflow
    assert Teams(url(port)).send(LETTER).state == "accepted"
    (posted,) = came
    assert (posted["to"], posted["title"], posted["message"]) == ("ben+x@cast.example", "Pulse", "Answer: /a/1")


def test_a_workflow_that_fails_is_tried_again_later(workflow):
    port, _, status = workflow
    status["code"] = 500
    assert Teams(url(port)).send(LETTER).state == "later"


@pytest.mark.parametrize(
    "wrong", [None, "workflows://host/a/b", "jsons://host/run", "json://host/run?:to={email}", "jsons://h/{email}"]
)
def test_what_would_show_a_personal_link_to_others_is_refused(wrong):
    with pytest.raises(RapportError, match="RAPPORT_TEAMS_URL"):
        Teams(wrong)
