"""Answers health checks, and counts requests for Prometheus: counts only, nothing about people."""

from collections import Counter
from collections.abc import Callable
from threading import Lock

from flask import Blueprint, Flask, Response

TOLD = {
    "requests": "Requests answered.",
    "refused": "Requests without a session or right.",
    "errors": "Requests that failed.",
    "sign_ins": "Sign-ins.",
    "sign_ins_refused": "Sign-ins refused.",
}


class Counts:
    """Counts since this process started."""

    def __init__(self) -> None:
        self._counted: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, name: str) -> None:
        with self._lock:
            self._counted[name] += 1

    def text(self) -> str:
        """The counts as Prometheus reads them."""
        with self._lock:
            counted = dict(self._counted)
        lines = []
        for name, help_text in TOLD.items():
            full = f"rapport_dashboard_{name}_total"
            lines += [f"# HELP {full} {help_text}", f"# TYPE {full} counter", f"{full} {counted.get(name, 0)}"]
        return "\n".join(lines) + "\n"


def watch(server: Flask, counts: Counts, is_ready: Callable[[], bool]) -> None:
    """Mount /healthz, /readyz and /metrics, and count every response."""
    routes = Blueprint("health", __name__)
    routes.add_url_rule("/healthz", "healthz", lambda: _plain("ok\n"))
    routes.add_url_rule("/readyz", "readyz", lambda: _plain("ready\n") if is_ready() else _plain("not ready\n", 503))
    routes.add_url_rule("/metrics", "metrics", lambda: _plain(counts.text()))
    server.register_blueprint(routes)

    @server.after_request
    def count(response: Response) -> Response:
        counts.add("requests")
        if response.status_code in (401, 403):
            counts.add("refused")
        if response.status_code >= 500:
            counts.add("errors")
        return response


def _plain(text: str, status: int = 200) -> Response:
    return Response(text, status, mimetype="text/plain")
